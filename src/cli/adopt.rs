//! `ecdeploy adopt`: takes an existing resource under management, by tagging it.

use clap::Args;

use super::carry_out::ask;
use super::hold::hold;
use super::{Global, SUCCESS};
use crate::cloud::Cloud;
use crate::desired::Desired;
use crate::error::{Error, ErrorKind, Result};
use crate::kinds::{self, Kind, Live};
use crate::model::{ADDRESS, APPLIED, Address, Fingerprint, Observed, Status, TOPOLOGY, Tags};
use crate::snapshot::{self, Snapshot};
use crate::topology::suggest;
use crate::{diff, report};

/// Take an existing resource under management, by tagging it
#[derive(Args)]
#[command(after_help = "\
Examples:
  Take over a VPC and a database that were made by hand:
    ecdeploy adopt vpc.main vpc-0a1b2c3d4e5f60718
    ecdeploy adopt db_instance.user ecommerce-user-db

Nothing but its tags changes. What differs from the file is shown first; the next apply sees to that.")]
pub struct Adopt {
    /// Where it is to stand in the topology, such as vpc.main
    address: String,
    /// Its id in AWS: vpc-..., an ARN of ELB, an identifier of RDS
    id: String,
    /// Don't ask
    #[arg(short = 'y', long)]
    auto_approve: bool,
}

impl Adopt {
    pub async fn run(&self, global: &Global) -> Result<u8> {
        let desired = global.desired()?;
        let (address, kind) = self.wanted(&desired)?;
        let cloud = global.cloud(&desired).await?;
        let cloud = cloud.as_ref();
        hold(cloud, &desired, "adopt", async |hold| {
            let snapshot = snapshot::read(cloud, &desired).await?;
            if self.is_done(&address, &snapshot)? {
                report::print(&format!("{address} is {} already.\n", self.id))?;
                return Ok(SUCCESS);
            }
            let found = self.found(kind, &desired, cloud).await?;
            let after = snapshot::with(&snapshot, &found, &address, &desired);
            let changes = diff::diff(&desired, &after);
            let change = changes.iter().find(|change| change.address == address);
            report::print(&format!(
                "{}\n\n{address}  {}\n{}\n",
                global.account_line(&desired),
                self.id,
                report::plan::adoption(change, &after)
            ))?;
            if !self.auto_approve {
                ask("Take it under management?").await?;
                if self.found(kind, &desired, cloud).await? != found {
                    let message =
                        format!("{} has changed meanwhile; nothing was changed by us", self.id);
                    return Err(
                        Error::new(ErrorKind::Stale, message).hint("run the same command again")
                    );
                }
            }
            // What is there counts as applied: what the file has otherwise is a change, what comes later is drift.
            let seen = after.find(&address, &self.id).map(|seen| &seen.body);
            let applied: Fingerprint =
                seen.into_iter().flatten().map(|(field, value)| (field.as_str(), value)).collect();
            let tags = Tags::from([
                (TOPOLOGY.to_owned(), desired.topology.clone()),
                (ADDRESS.to_owned(), address.to_string()),
                (APPLIED.to_owned(), applied.to_tag()),
            ]);
            let live =
                Live { id: found.id, outputs: found.outputs, body: found.body, tags: found.tags };
            hold.change(cloud.tag(kind, &[(live, tags)])).await?;
            report::print(&format!("{} is {address} from now on.\n", self.id))?;
            Ok(SUCCESS)
        })
        .await
    }

    /// The address, which the topology has to ask for.
    fn wanted(&self, desired: &Desired) -> Result<(Address, &'static dyn Kind)> {
        let address: Address =
            self.address.parse().map_err(|error: String| Error::new(ErrorKind::Usage, error))?;
        let kind = kinds::by_name(address.kind());
        let (true, Some(kind)) = (desired.resources.contains_key(&address), kind) else {
            let known: Vec<String> = desired.resources.keys().map(ToString::to_string).collect();
            let error = Error::new(ErrorKind::Usage, format!("the topology asks for no {address}"));
            return Err(match suggest::nearest(&self.address, known.iter().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("write its block first: what no block asks for, apply deletes"),
            });
        };
        if kinds::is_known_by_name(address.kind()) {
            let message =
                format!("a resource like {address} is not adopted: it is known by its name");
            return Err(Error::new(ErrorKind::Refused, message)
                .hint("let apply make it; nothing is lost by that"));
        }
        Ok((address, kind))
    }

    /// Whether it stands there already. An address, and a resource, is taken once.
    fn is_done(&self, address: &Address, snapshot: &Snapshot) -> Result<bool> {
        let refused =
            |message: String, hint: &str| Err(Error::new(ErrorKind::Refused, message).hint(hint));
        match snapshot.resources.get(address) {
            Some(other) if other.live.id == self.id => return Ok(true),
            Some(other) => {
                return refused(
                    format!("{address} is {} already", other.live.id),
                    "an address stands for one resource; give the block of this one another key",
                );
            }
            None => {}
        }
        let mut all = snapshot.resources.values().chain(&snapshot.extras);
        match all.find(|r| r.live.id == self.id && r.address.kind() == address.kind()) {
            Some(own) => refused(
                format!("{} is managed already, as {}", self.id, own.address),
                "to give it another address, write a [[moved]] block",
            ),
            None => Ok(false),
        }
    }

    /// The resource, which nobody else manages.
    async fn found(
        &self,
        kind: &'static dyn Kind,
        desired: &Desired,
        cloud: &dyn Cloud,
    ) -> Result<Observed> {
        let (name, form) = (kind.schema().kind, kind.schema().id);
        let found = cloud.find(kind, &self.id, &desired.topology).await?;
        let here = found.filter(|found| !matches!(found.status, Status::Deleting | Status::Gone));
        let Some(found) = here else {
            let message = format!("there is no {name} {} in {}", self.id, desired.region);
            return Err(Error::new(ErrorKind::Refused, message)
                .hint(format!("the id of a {name} looks like {}", like(form, desired))));
        };
        match found.tags.get(TOPOLOGY) {
            Some(owner) => {
                let as_what = found.tags.get(ADDRESS).map_or("something", String::as_str);
                let message =
                    format!("{} belongs to the topology `{owner}`, as {as_what}", self.id);
                Err(Error::new(ErrorKind::Refused, message).hint(
                    "take it out of there first: two topologies would undo each other's work",
                ))
            }
            None => Ok(found),
        }
    }
}

/// An id of this form.
fn like(form: &str, desired: &Desired) -> String {
    let known = [
        ("{hex}", "0a1b2c3d4e5f60718"),
        ("{region}", &desired.region),
        ("{account}", &desired.account),
    ];
    let like = known.iter().fold(form.to_owned(), |form, (gap, value)| form.replace(gap, value));
    like.replace(['{', '}'], "")
}
