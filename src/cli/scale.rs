//! `ecdeploy scale`: how many instances a service runs, in the file and in the account.

use std::path::Path;

use clap::Args;

use super::Global;
use super::carry_out::CarryOut;
use super::context::{Deletion, Wanted};
use super::hold::hold;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Plan;
use crate::preflight::Purpose;
use crate::topology::{self, Service, Topology, Uneditable, suggest};
use crate::{report, snapshot};

/// Run more or fewer instances of a service: edits the file, and applies it
#[derive(Args)]
#[command(after_help = "\
Examples:
  Four instances of one service, three of another:
    ecdeploy scale user=4 order=3
  Try it in the sandbox, without a question:
    ecdeploy scale user=4 --sandbox -y

The file is written once you said yes; until then, and where anything is wrong, it stays as it is.")]
pub struct Scale {
    /// How many instances each service is to run, such as user=4 order=3
    #[arg(required = true, value_name = "SERVICE=N", value_parser = target)]
    services: Vec<Target>,
    #[command(flatten)]
    deletion: Deletion,
    #[command(flatten)]
    carry_out: CarryOut,
}

#[derive(Clone)]
struct Target {
    service: String,
    count: u32,
}

impl Scale {
    pub async fn run(&self, global: &Global) -> Result<u8> {
        let path = global.topology_path();
        let before = topology::text_of(&path)?;
        let after = self.edited(&path, &before, global)?;
        let topology = topology::parse(&path.display().to_string(), &after, &global.variables)?;
        self.check(&topology, global)?;
        let wanted = Wanted::of(topology)?;
        let terms = self.carry_out.terms(&wanted)?;
        let desired = &wanted.desired;
        let cloud = global.cloud(desired).await?;
        let cloud = cloud.as_ref();
        hold(cloud, desired, "scale", async |hold| {
            let snapshot = snapshot::read(cloud, desired).await?;
            let plan =
                Plan::to_reach(desired, &snapshot, &self.deletion.parting(), global.origin())?;
            let checks = &self.carry_out.checks;
            checks.pass(global, cloud, desired, &snapshot, &plan, Purpose::Change).await?;
            if self.carry_out.is_human() {
                report::print(&match report::edit::text(
                    &path.display().to_string(),
                    &before,
                    &after,
                ) {
                    same if same.is_empty() => format!("{} says so already.\n", path.display()),
                    edit => edit + "\n",
                })?;
            }
            let rehearsal = self.carry_out.show(global, &terms, &snapshot, &plan)?;
            let nothing = plan.is_empty() && before == after;
            let snapshot = match nothing {
                true => snapshot,
                false => self.carry_out.agreed(global, desired, cloud, snapshot, &plan).await?,
            };
            if before != after {
                topology::save(&path, &before, &after)?;
            }
            self.carry_out.run(global, cloud, hold, &snapshot, &plan, rehearsal.as_ref()).await
        })
        .await
    }

    /// The file's text with the new counts in it.
    fn edited(&self, path: &Path, before: &str, global: &Global) -> Result<String> {
        let topology = topology::parse(&path.display().to_string(), before, &global.variables)?;
        let mut text = before.to_owned();
        for (n, Target { service: key, count }) in self.services.iter().enumerate() {
            if self.services[..n].iter().any(|earlier| earlier.service == *key) {
                return Err(Error::new(ErrorKind::Usage, format!("{key} is named twice")));
            }
            let Some(service) = topology.service(key) else {
                let known = topology.services.iter().map(|service| service.key.as_str());
                let message = format!("there is no service `{key}` in {}", path.display());
                let error = Error::new(ErrorKind::Usage, message);
                return Err(match suggest::hint(key, known) {
                    Some(hint) => error.hint(hint),
                    None => error,
                });
            };
            in_range(&topology, service, *count)?;
            let so_already = *service.count == *count;
            match topology::set_count(&text, key, *count) {
                // It need not be written where the defaults say so.
                Ok(_) | Err(Uneditable::NoPlace) if so_already => {}
                Ok(edited) => text = edited,
                Err(why) => return Err(uneditable(global, key, *count, why)),
            }
        }
        Ok(text)
    }

    /// The edited text has to say what was meant.
    fn check(&self, topology: &Topology, global: &Global) -> Result<()> {
        for Target { service, count } in &self.services {
            if topology.service(service).is_none_or(|found| *found.count != *count) {
                return Err(uneditable(global, service, *count, Uneditable::NoPlace));
            }
        }
        Ok(())
    }
}

fn in_range(topology: &Topology, service: &Service, count: u32) -> Result<()> {
    let (key, least, most) = (&*service.key, *service.min_count, service.max_count.as_ref());
    let bound = match most {
        _ if count < least => &service.min_count,
        Some(most) if count > **most => most,
        _ => return Ok(()),
    };
    let range = match most {
        Some(most) => format!("{least} to {}", **most),
        None => format!("{least} or more"),
    };
    let word = if count < least { "min_count" } else { "max_count" };
    let place = format!("{}:{}", topology.path.display(), topology.line(bound.span));
    Err(Error::new(
        ErrorKind::Refused,
        format!("{place}: {key} runs {range} instances, not {count}"),
    )
    .hint(format!("nothing was changed; change {word} there if that is meant")))
}

fn uneditable(global: &Global, service: &str, count: u32, why: Uneditable) -> Error {
    let path = global.topology_path();
    let path = path.display();
    let apply = global.next("apply", []);
    match why {
        Uneditable::Expression { text, line } => Error::new(
            ErrorKind::Refused,
            format!("{path}:{line}: the count of {service} is \"{text}\", which is not a number to edit"),
        )
        .hint(format!(
            "give the variable another default and run `{apply}`, or pass it: {apply} --var NAME=VALUE"
        )),
        Uneditable::NoPlace => Error::new(
            ErrorKind::Refused,
            format!("{path}: there is no place for the count of {service} that could be edited safely"),
        )
        .hint(format!("write `count = {count}` into [service.{service}] and run `{apply}`")),
    }
}

fn target(text: &str) -> Result<Target, String> {
    let target = text.split_once('=').and_then(|(service, count)| {
        Some(Target { service: service.to_owned(), count: count.trim().parse().ok()? })
    });
    target
        .filter(|target| !target.service.is_empty())
        .ok_or_else(|| "a service and a number of instances, such as user=4".to_owned())
}
