//! What the four verbs have in common: the topology, and the account it is for.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Global, next};
use crate::cloud::sim::SimCloud;
use crate::cloud::{Cloud, LiveCloud};
use crate::desired::{self, Desired};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{Choice, Goal, Origin, Parting, Plan};
use crate::policy;
use crate::snapshot::{self, Snapshot};
use crate::topology::{self, Topology};

const TOPOLOGY: &str = "topology.toml";
const SANDBOX: &str = ".ecdeploy";

impl Global {
    pub fn topology_path(&self) -> PathBuf {
        self.topology.clone().unwrap_or_else(|| PathBuf::from(TOPOLOGY))
    }

    pub fn load(&self) -> Result<Topology> {
        topology::load(&self.topology_path(), &self.variables)
    }

    /// What the topology asks for.
    pub fn desired(&self) -> Result<Desired> {
        Ok(self.wanted()?.desired)
    }

    /// The topology, and what it asks for.
    pub fn wanted(&self) -> Result<Wanted> {
        Wanted::of(self.load()?)
    }

    /// Where a plan comes from, so that it can be carried out later.
    pub fn origin(&self) -> Origin {
        Origin {
            file: self.topology_path(),
            variables: self.variables.clone(),
            sandbox: self.sandbox,
            choice: Choice::default(),
            ignored_checks: Vec::new(),
        }
    }

    /// The account that the topology names, or its stand-in.
    pub async fn cloud(&self, desired: &Desired) -> Result<Box<dyn Cloud>> {
        if self.sandbox {
            let place = self.topology_path().parent().unwrap_or(Path::new("")).join(SANDBOX);
            let (account, region) = (&desired.account, &desired.region);
            return Ok(Box::new(SimCloud::open(&place, account, region, self.sandbox_speed)?));
        }
        check_region(&desired.region)?;
        Ok(Box::new(LiveCloud::connect(&desired.region).await))
    }

    /// The account, as far as a plan with this goal needs it.
    pub async fn snapshot(
        &self,
        cloud: &dyn Cloud,
        desired: &Desired,
        goal: Goal,
    ) -> Result<Snapshot> {
        match goal {
            Goal::Reach => snapshot::read(cloud, desired).await,
            Goal::Destroy => snapshot::read_to_destroy(cloud, desired).await,
        }
    }

    /// How many of the account's seconds pass in one of ours.
    pub fn speed(&self) -> f64 {
        if self.sandbox { self.sandbox_speed } else { 1.0 }
    }

    /// A line for people on which account is meant.
    pub fn account_line(&self, desired: &Desired) -> String {
        let Desired { topology, account, region, .. } = desired;
        if self.sandbox {
            let speed = self.sandbox_speed;
            format!("{topology} in the sandbox ({region}; {speed} times faster than AWS)")
        } else {
            format!("{topology} in account {account} ({region})")
        }
    }
}

/// A topology, and what it asks for.
pub struct Wanted {
    pub topology: Topology,
    pub desired: Desired,
}

impl Wanted {
    /// # Errors
    /// When that can't be.
    pub fn of(topology: Topology) -> Result<Self> {
        let desired = desired::desired(&topology);
        desired::check(&topology, &desired)?;
        policy::check(&topology)?;
        Ok(Self { topology, desired })
    }
}

/// The topology names the region; a shell that names another is set up for something else.
fn check_region(region: &str) -> Result<()> {
    for variable in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        match std::env::var(variable) {
            Ok(other) if !other.is_empty() && other != region => {
                return Err(Error::new(
                    ErrorKind::Access,
                    format!("{variable} is {other}, but the topology is for {region}"),
                )
                .hint(format!("unset {variable}, or correct `region` in the topology")));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Flags on what a plan is for.
#[derive(clap::Args)]
pub struct Making {
    /// Plan to take everything down
    #[arg(long)]
    destroy: bool,
    #[command(flatten)]
    part: Part,
    #[command(flatten)]
    deletion: Deletion,
}

impl Making {
    /// Whether any was given.
    pub fn given(&self) -> bool {
        self.destroy || self.part.given() || self.deletion.given()
    }

    /// The command that makes and carries out the same plan, with more flags; taking down a part has none.
    pub fn next(&self, global: &Global, more: impl Iterator<Item = String>) -> Option<String> {
        let command = match self.destroy {
            true if self.part.given() => return None,
            true => "destroy",
            false => "apply",
        };
        Some(global.next(command, self.part.flags().chain(self.deletion.flags()).chain(more)))
    }

    /// The plan, and the account that it is made from.
    pub async fn plan(
        &self,
        global: &Global,
        cloud: &dyn Cloud,
        desired: &Desired,
    ) -> Result<(Snapshot, Plan)> {
        let goal = if self.destroy { Goal::Destroy } else { Goal::Reach };
        let snapshot = global.snapshot(cloud, desired, goal).await?;
        let make = if self.destroy { Plan::to_destroy } else { Plan::to_reach };
        let plan = make(desired, &snapshot, &self.deletion.parting(), self.part.origin(global))?;
        Ok((snapshot, plan))
    }
}

/// Flags on the part of the topology that is meant.
#[derive(clap::Args)]
pub struct Part {
    /// Nothing but this and what it needs, a resource or a block: instance.user-1, service.user; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    only: Vec<String>,
    /// Everything but this and what needs it; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    except: Vec<String>,
}

impl Part {
    /// Whether any was given.
    pub fn given(&self) -> bool {
        !self.choice().is_everything()
    }

    /// As they were given.
    fn flags(&self) -> impl Iterator<Item = String> {
        next::each("--only", &self.only).chain(next::each("--except", &self.except))
    }

    /// Where a plan for this part comes from.
    pub fn origin(&self, global: &Global) -> Origin {
        Origin { choice: self.choice(), ..global.origin() }
    }

    fn choice(&self) -> Choice {
        Choice { only: self.only.clone(), except: self.except.clone() }
    }
}

/// Flags on what is deleted.
#[derive(clap::Args)]
pub struct Deletion {
    /// Delete databases without a final snapshot
    #[arg(long)]
    skip_final_snapshots: bool,
    /// Delete or replace what is protected, too
    #[arg(long)]
    lift_protection: bool,
}

impl Deletion {
    /// Whether any was given.
    pub fn given(&self) -> bool {
        self.skip_final_snapshots || self.lift_protection
    }

    /// As they were given.
    fn flags(&self) -> impl Iterator<Item = String> {
        let all = [
            ("--skip-final-snapshots", self.skip_final_snapshots),
            ("--lift-protection", self.lift_protection),
        ];
        all.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag.to_owned())
    }

    pub fn parting(&self) -> Parting {
        Parting {
            skip_final_snapshots: self.skip_final_snapshots,
            lift_protection: self.lift_protection,
            stamp: Timestamp::now().strftime("%Y%m%d%H%M%S").to_string(),
        }
    }
}
