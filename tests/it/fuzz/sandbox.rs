//! The file of a sandbox, and with it whatever an account may tell: bodies, tags, states of any form go all the way.

use std::fs;

use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::plan::{Origin, Plan};
use ecdeploy::reconcile::{self, Stop};
use ecdeploy::{report, snapshot, topology, trace};
use tempfile::TempDir;

use super::chain::{go_on, or_said};
use super::neat::neat;
use super::seeds;
use crate::simulator::world::{self, DRAWN};

const FILE: &str = "123456789012-ap-southeast-1.json";

/// On a clock that stands still while anything is to be done.
pub fn paused<T>(work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(work)
}

pub fn account(text: &str) {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join(FILE), text).expect("the file");
    for speed in [1.0, 1e6] {
        let open = || SimCloud::open(folder.path(), "123456789012", "ap-southeast-1", speed);
        let Some(cloud) = paused(async { or_said(open()) }) else { continue };
        told(&cloud);
    }
}

fn told(cloud: &SimCloud) {
    let topology = topology::parse("topology.toml", DRAWN, &[]).expect("the drawn system");
    let desired = seeds::drawn();
    go_on(cloud, &desired, &trace::uses(&topology));
    paused(async {
        let Some(leases) = or_said(cloud.leases("ecommerce").await.map_err(Into::into)) else {
            return;
        };
        drop(leases);
        let Some(snapshot) = or_said(snapshot::read(cloud, &desired).await) else { return };
        let plan = Plan::to_reach(&desired, &snapshot, &world::parting(), Origin::default());
        let Some(plan) = or_said(plan) else { return };
        let (stop, silent) = (Stop::default(), world::Silent);
        let outcome = reconcile::run(&plan, &snapshot, cloud, 16, &stop, &silent).await;
        neat(&report::outcome::text(&plan, &outcome));
    });
}
