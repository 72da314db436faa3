//! `ecdeploy unlock`: takes away the lock that somebody left behind.

use clap::Args;

use super::carry_out::ask;
use super::{Global, SUCCESS};
use crate::error::Result;
use crate::{lock, report, snapshot};

/// Take away the lock that a dead apply has left behind
#[derive(Args)]
#[command(after_help = "\
Examples:
  See who holds the lock, and take it away after a question:
    ecdeploy unlock

A lock ends by itself 90 s after its holder died. One that is still renewed belongs to somebody at work: without it, they stop.")]
pub struct Unlock {
    /// Don't ask
    #[arg(short = 'y', long)]
    auto_approve: bool,
}

impl Unlock {
    pub async fn run(&self, global: &Global) -> Result<u8> {
        let desired = global.desired()?;
        let cloud = global.cloud(&desired).await?;
        snapshot::guard(cloud.as_ref(), &desired).await?;
        let leases = cloud.leases(&desired.topology).await?;
        if leases.is_empty() {
            report::print(&format!("Nobody holds the lock on {}.\n", desired.topology))?;
            return Ok(SUCCESS);
        }
        for lease in &leases {
            let age = lease.age.as_secs();
            report::print(&format!(
                "The lock on {} is held by {}.\nIt was last renewed {age} s ago.\n",
                desired.topology,
                report::printable(&lease.holder.to_string()),
            ))?;
        }
        if !self.auto_approve {
            ask("Take it away?").await?;
        }
        let left = leases.iter().map(lock::unsettled).max().unwrap_or_default();
        if !left.is_zero() {
            report::say(&format!(
                "Waiting {} s: what it had sent may still come to pass.",
                left.as_secs().max(1)
            ));
            cloud.sleep(left).await;
        }
        let mut taken = false;
        for lease in &leases {
            taken |=
                lock::take_away(cloud.as_ref(), &desired.topology, lease.number, &lease.holder.id)
                    .await?;
        }
        report::print(match taken {
            true => "Unlocked.\n",
            false => "It was given back meanwhile; nothing was taken away.\n",
        })?;
        Ok(SUCCESS)
    }
}
