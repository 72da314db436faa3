//! `ecdeploy rehearse`: the plan carried out on a copy of the account, before anything is touched.

use clap::{Args, ValueEnum};

use super::context::{Deletion, Part};
use super::{Global, SUCCESS};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{Goal, Plan};
use crate::rehearsal::{Rehearsal, rehearse};
use crate::report;

/// Carry out the plan on a copy of the account: a timeline, its length, and who serves meanwhile
#[derive(Args)]
pub struct Rehearse {
    /// Rehearse taking everything down
    #[arg(long)]
    destroy: bool,
    #[command(flatten)]
    gate: Gate,
    #[command(flatten)]
    part: Part,
    #[command(flatten)]
    deletion: Deletion,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// What a plan must not do to those who are served.
#[derive(Args)]
pub struct Gate {
    /// Fail if any service would have fewer healthy targets than this at any moment
    #[arg(long, value_name = "N")]
    min_healthy: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

impl Rehearse {
    pub async fn run(&self, global: &Global) -> Result<u8> {
        let desired = global.desired()?;
        let cloud = global.cloud(&desired).await?;
        let goal = if self.destroy { Goal::Destroy } else { Goal::Reach };
        let snapshot = global.snapshot(cloud.as_ref(), &desired, goal).await?;
        let make = if self.destroy { Plan::to_destroy } else { Plan::to_reach };
        let plan = make(&desired, &snapshot, &self.deletion.parting(), self.part.origin(global))?;
        let rehearsal = rehearse(&plan, &desired, &snapshot)?;
        match self.format {
            Format::Json => report::print_json(&rehearsal)?,
            Format::Human => {
                report::print(&report::rehearsal::text(&rehearsal, &global.account_line(&desired)))?
            }
        }
        self.gate.check(&rehearsal)?;
        if !rehearsal.failures.is_empty() {
            let first = &rehearsal.failures[0];
            return Err(Error::new(ErrorKind::Incomplete, format!("it would fail: {first}")));
        }
        Ok(SUCCESS)
    }
}

impl Gate {
    /// Refuses what leaves a service with too few.
    pub fn check(&self, rehearsal: &Rehearsal) -> Result<()> {
        let Some(min) = self.min_healthy else { return Ok(()) };
        let low = rehearsal.services.iter().filter(|(_, healthy)| healthy.fewest < min);
        let low: Vec<String> =
            low.map(|(name, healthy)| format!("{name} ({})", healthy.fewest)).collect();
        if low.is_empty() {
            return Ok(());
        }
        let message =
            format!("fewer than {min} healthy targets at some moment: {}", low.join(", "));
        Err(Error::new(ErrorKind::Refused, message)
            .hint("raise `count`, or lower `rolling.max_parallel`, of these services"))
    }
}
