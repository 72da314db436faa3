//! `ecdeploy destroy`: takes down everything that bears the topology's tags.

use clap::Args;

use super::Global;
use super::carry_out::CarryOut;
use super::context::Deletion;
use super::hold::hold;
use crate::error::Result;
use crate::plan::{Goal, Plan};
use crate::preflight::Purpose;

/// Take down everything that bears the topology's tags
#[derive(Args)]
#[command(after_help = "\
Examples:
  See first what would go:
    ecdeploy plan --destroy
  Take it down; databases leave a final snapshot:
    ecdeploy destroy
  Take down a trial that nobody will miss:
    ecdeploy destroy --skip-final-snapshots --lift-protection")]
pub struct Destroy {
    #[command(flatten)]
    deletion: Deletion,
    #[command(flatten)]
    carry_out: CarryOut,
}

impl Destroy {
    pub async fn run(&self, global: &Global) -> Result<u8> {
        let wanted = global.wanted()?;
        let terms = self.carry_out.terms(&wanted)?;
        let desired = &wanted.desired;
        let cloud = global.cloud(desired).await?;
        let cloud = cloud.as_ref();
        hold(cloud, desired, "destroy", async |hold| {
            let snapshot = global.snapshot(cloud, desired, Goal::Destroy).await?;
            let parting = self.deletion.parting();
            let plan = Plan::to_destroy(desired, &snapshot, &parting, global.origin())?;
            let checks = &self.carry_out.checks;
            checks.pass(global, cloud, desired, &snapshot, &plan, Purpose::Change).await?;
            self.carry_out.planned(global, &terms, cloud, hold, snapshot, &plan).await
        })
        .await
    }
}
