//! `ecdeploy plan`: what would change.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::context::{Deletion, Part};
use super::rehearse::Gate;
use super::{Global, SUCCESS};
use crate::error::Result;
use crate::plan::Goal;
use crate::preflight::Purpose;
use crate::{plan, report};

/// There are changes, and --detailed-exitcode asked to be told.
const CHANGES: u8 = 2;

/// Show what apply would change in the account
#[derive(Args)]
pub struct Plan {
    /// Save the plan, for `ecdeploy apply FILE`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Exit with 0 when there is nothing to change, 1 on an error, 2 when there are changes
    #[arg(long)]
    detailed_exitcode: bool,
    /// Plan to take everything down
    #[arg(long)]
    destroy: bool,
    #[command(flatten)]
    part: Part,
    #[command(flatten)]
    gate: Gate,
    #[command(flatten)]
    deletion: Deletion,
    /// How to print the plan
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

impl Plan {
    pub async fn run(&self, global: &Global) -> Result<u8> {
        let desired = global.desired()?;
        let cloud = global.cloud(&desired).await?;
        let goal = if self.destroy { Goal::Destroy } else { Goal::Reach };
        let snapshot = global.snapshot(cloud.as_ref(), &desired, goal).await?;
        let make = if self.destroy { plan::Plan::to_destroy } else { plan::Plan::to_reach };
        let plan = make(&desired, &snapshot, &self.deletion.parting(), self.part.origin(global))?;
        global.preflight(cloud.as_ref(), &desired, &snapshot, &plan, Purpose::Look).await?;
        let rehearsal = self.gate.rehearse(&plan, &desired, &snapshot, cloud.as_ref()).await?;
        match self.format {
            Format::Json => {
                report::print_json(&plan)?;
                rehearsal
                    .iter()
                    .for_each(|one| report::say(report::rehearsal::failures(one).trim_end()));
            }
            Format::Human => {
                let mut text = report::plan::text(&plan, &global.account_line(&desired));
                text.push_str(&report::rehearsal::outlook(rehearsal.as_ref(), &plan));
                report::print(&text)?;
            }
        }
        if let Some(rehearsal) = &rehearsal {
            self.gate.check(rehearsal, &desired)?;
        }
        if let Some(out) = &self.out {
            plan::save(&plan, out)?;
        }
        match &self.out {
            _ if self.format == Format::Json => {}
            Some(out) => report::say(&format!(
                "Saved to {0}. To carry out exactly this: ecdeploy apply {0}",
                out.display()
            )),
            None if !plan.is_empty() => {
                report::say("To carry it out: ecdeploy apply (or save it first with --out FILE)");
            }
            None => {}
        }
        Ok(if self.detailed_exitcode && !plan.is_empty() { CHANGES } else { SUCCESS })
    }
}
