//! `ecdeploy apply`: makes the account what the topology says, or carries out a saved plan.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Global;
use super::carry_out::CarryOut;
use super::context::{Deletion, Part};
use super::hold::hold;
use super::saved::Saved;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{Goal, Plan};
use crate::preflight::Purpose;

/// Bring the account to what the topology says
#[derive(Args)]
#[command(after_help = "\
Examples:
  Try it without an AWS account:
    ecdeploy apply --sandbox
  Carry out a saved plan, exactly:
    ecdeploy apply shop.plan
  Without a question, one event a line:
    ecdeploy apply -y --format json
  Everything but a database and what needs it:
    ecdeploy apply --except database.user")]
pub struct Apply {
    /// A plan saved by `ecdeploy plan --out FILE`: carried out exactly, or refused when its basis moved
    plan: Option<PathBuf>,
    #[command(flatten)]
    part: Part,
    #[command(flatten)]
    deletion: Deletion,
    #[command(flatten)]
    carry_out: CarryOut,
}

impl Apply {
    pub async fn run(&self, global: &Global) -> Result<u8> {
        if let Some(path) = &self.plan {
            return self.run_saved(global, path).await;
        }
        let wanted = global.wanted()?;
        let terms = self.carry_out.terms(&wanted)?;
        let desired = &wanted.desired;
        let cloud = global.cloud(desired).await?;
        let cloud = cloud.as_ref();
        hold(cloud, desired, "apply", async |hold| {
            let snapshot = global.snapshot(cloud, desired, Goal::Reach).await?;
            let parting = self.deletion.parting();
            let plan = Plan::to_reach(desired, &snapshot, &parting, self.part.origin(global))?;
            let checks = &self.carry_out.checks;
            checks.pass(global, cloud, desired, &snapshot, &plan, Purpose::Change).await?;
            self.carry_out.planned(global, &terms, cloud, hold, snapshot, &plan).await
        })
        .await
    }

    async fn run_saved(&self, global: &Global, path: &Path) -> Result<u8> {
        let flags = self.deletion.given() || self.part.given();
        let sandbox = global.sandbox;
        let Saved { plan, global, wanted } = Saved::load(global, path, "apply", flags)?;
        if plan.origin.sandbox != sandbox {
            let made = match plan.origin.sandbox {
                true => "for the sandbox",
                false => "for an AWS account",
            };
            let there = Global { sandbox: plan.origin.sandbox, ..global };
            let hint = format!("carry it out there: {}", there.next_on("apply", path, []));
            return Err(
                Error::new(ErrorKind::Usage, format!("this plan was made {made}")).hint(hint)
            );
        }
        let terms = self.carry_out.terms(&wanted)?;
        let desired = &wanted.desired;
        let cloud = global.cloud(desired).await?;
        let cloud = cloud.as_ref();
        hold(cloud, desired, "apply", async |hold| {
            let snapshot = global.snapshot(cloud, desired, plan.goal).await?;
            plan.check_fresh(desired, &snapshot)?;
            // Whoever planned it may have been allowed less, and what AWS gives may have been taken since.
            let checks = &self.carry_out.checks;
            checks.pass(&global, cloud, desired, &snapshot, &plan, Purpose::Change).await?;
            self.carry_out.reviewed(&global, &terms, cloud, hold, &snapshot, &plan).await
        })
        .await
    }
}
