//! `ecdeploy destroy`: takes down everything that bears the topology's tags.

use clap::Args;

use super::Global;
use super::carry_out::CarryOut;
use super::context::Deletion;
use crate::error::Result;
use crate::plan::{Goal, Plan};

/// Take down everything that bears the topology's tags
#[derive(Args)]
pub struct Destroy {
    #[command(flatten)]
    deletion: Deletion,
    #[command(flatten)]
    carry_out: CarryOut,
}

impl Destroy {
    pub async fn run(&self, global: &Global) -> Result<u8> {
        let desired = global.desired()?;
        let cloud = global.cloud(&desired).await?;
        let snapshot = global.snapshot(cloud.as_ref(), &desired, Goal::Destroy).await?;
        let plan =
            Plan::to_destroy(&desired, &snapshot, &self.deletion.parting(), global.origin())?;
        self.carry_out.planned(global, &desired, cloud.as_ref(), snapshot, &plan).await
    }
}
