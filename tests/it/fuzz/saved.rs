//! A plan in a file: shown and carried out where it is taken.

use std::fs;

use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::plan::{self, Goal};
use ecdeploy::reconcile::{self, Stop};
use ecdeploy::report;
use ecdeploy::snapshot;
use tempfile::TempDir;

use super::chain::or_said;
use super::neat::neat;
use super::sandbox::paused;
use super::seeds;
use crate::simulator::world;

pub fn plan(text: &str) {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("shop.plan");
    fs::write(&file, text).expect("the file");
    let Some(plan) = or_said(plan::load(&file)) else { return };
    let cloud = match plan.basis.is_empty() {
        true => world::empty_account(),
        false => SimCloud::in_memory(seeds::account(), 1.0),
    };
    neat(&report::plan::text(&plan, "somewhere"));
    paused(async {
        for desired in [seeds::drawn(), world::drawn(&[("interval = 30", "interval = 15")])] {
            let read = match plan.goal {
                Goal::Reach => snapshot::read(&cloud, &desired).await,
                Goal::Destroy => snapshot::read_to_destroy(&cloud, &desired).await,
            };
            let snapshot = read.expect("the account");
            if or_said(plan.check_fresh(&desired, &snapshot)).is_none() {
                continue;
            }
            let (stop, silent) = (Stop::default(), world::Silent);
            let outcome = reconcile::run(&plan, &snapshot, &cloud, 16, &stop, &silent).await;
            neat(&report::outcome::text(&plan, &outcome));
        }
    });
}
