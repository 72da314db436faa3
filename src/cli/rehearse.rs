//! `ecdeploy rehearse`: the plan carried out on a copy of the account, before anything is touched.

use clap::{Args, ValueEnum};

use super::context::Making;
use super::{Global, SUCCESS, number};
use crate::desired::Desired;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Plan;
use crate::policy;
use crate::rehearsal::{Healthy, Rehearsal, moves_targets, rehearse};
use crate::report::{self, document};
use crate::snapshot::Snapshot;

/// Carry out the plan on a copy of the account: a timeline, its length, and who serves meanwhile
#[derive(Args)]
#[command(after_help = "\
Examples:
  See how long the plan would take, and who serves meanwhile:
    ecdeploy rehearse
  Fail if any service would have fewer than two healthy machines at any moment:
    ecdeploy rehearse --min-healthy 2
  For one service, for a machine to read:
    ecdeploy rehearse --only service.user --format json")]
pub struct Rehearse {
    #[command(flatten)]
    making: Making,
    /// Fail if it would fail, or any service have fewer healthy targets than this at any moment
    #[arg(long, value_name = "N", value_parser = number)]
    min_healthy: Option<usize>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// With more steps than that, only who asks for it gets a rehearsal: that of some thousand machines takes seconds.
const MANY: usize = 4000;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

impl Rehearse {
    pub async fn run(&self, global: &Global) -> Result<u8> {
        let desired = global.desired()?;
        let cloud = global.cloud(&desired).await?;
        let (snapshot, plan) = self.making.plan(global, cloud.as_ref(), &desired).await?;
        let rehearsal = rehearse(&plan, &desired, &snapshot)?;
        match self.format {
            Format::Json => report::print_json(&document::Rehearse::from(&rehearsal))?,
            Format::Human => report::print(&report::rehearsal::text(
                &rehearsal,
                &global.account_line(&desired),
                report::columns(),
            ))?,
        }
        if let Some(least) = self.min_healthy {
            enough(&rehearsal, least, &desired)?;
        }
        sound(&rehearsal)?;
        Ok(SUCCESS)
    }
}

/// How a plan that is shown would go, unless there is nothing to do, or so much that it would keep people waiting and is
/// `needed` by no rule. Who is healthy is told only where the plan may change that, or a rule needs it.
pub fn beside(
    plan: &Plan,
    desired: &Desired,
    snapshot: &Snapshot,
    needed: bool,
) -> Result<Option<Rehearsal>> {
    let long = plan.steps.len() > MANY && !needed;
    if plan.is_empty() || long {
        return Ok(None);
    }
    let mut rehearsal = rehearse(plan, desired, snapshot)?;
    if !needed && !moves_targets(plan) {
        rehearsal.services.clear();
    }
    Ok(Some(rehearsal))
}

/// Refuses what leaves a service with too few.
fn enough(rehearsal: &Rehearsal, least: usize, desired: &Desired) -> Result<()> {
    let low: Vec<(&str, Healthy)> = policy::too_few(rehearsal, least).collect();
    if low.is_empty() {
        return Ok(());
    }
    let names: Vec<String> =
        low.iter().map(|(name, healthy)| format!("{name} ({})", healthy.fewest)).collect();
    let message =
        format!("fewer than {least} healthy targets at some moment: {}", names.join(", "));
    Err(Error::new(ErrorKind::Policy, message).hint(policy::hint(&low, least, desired)))
}

/// Refuses what would fail. What that is stands in the rehearsal.
pub fn sound(rehearsal: &Rehearsal) -> Result<()> {
    let steps = match rehearsal.failures.len() {
        0 => return Ok(()),
        failures => report::count(failures, "step"),
    };
    Err(Error::new(ErrorKind::Refused, format!("it would fail: {steps} of it, as said above"))
        .hint("see to what that says first; nothing was changed"))
}
