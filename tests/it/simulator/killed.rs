//! Runs that are killed: the process is gone in the middle of a call, or while it waits, and nothing is tidied up.

use std::future::pending;
use std::time::Duration;

use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::{Death, FaultyCloud, Rates, SimCloud};
use ecdeploy::desired::Desired;
use ecdeploy::plan::{Origin, Plan};
use ecdeploy::reconcile::{Outcome, Stop};
use ecdeploy::snapshot::Snapshot;

use super::world::*;

/// When a run is killed.
#[derive(Clone, Copy, Debug)]
pub enum Kill {
    /// At its Nth call that changes something, before AWS gets it.
    Before(usize),
    /// At its Nth, after AWS has done it, before the answer is here.
    After(usize),
    /// After so long.
    At(Duration),
}

/// Carries out the plan until it is killed; how it ended, where it did before that.
pub async fn carry_out_killed(
    plan: &Plan,
    snapshot: &Snapshot,
    cloud: &SimCloud,
    kill: Kill,
) -> Option<Outcome> {
    let death = match kill {
        Kill::Before(call) => Some(Death::Before(call)),
        Kill::After(call) => Some(Death::After(call)),
        Kill::At(_) => None,
    };
    let mortal = FaultyCloud::new(cloud, 0, Rates::default(), death);
    let stop = Stop::default();
    let time = async {
        match kill {
            Kill::At(time) => cloud.sleep(time).await,
            Kill::Before(_) | Kill::After(_) => pending().await,
        }
    };
    tokio::select! {
        biased;
        () = mortal.died() => None,
        () = time => None,
        outcome = carry_out(plan, snapshot, &mortal, &stop, &Silent) => Some(outcome),
    }
}

/// Carries out what `desired` asks for, and is killed on the way.
pub async fn apply_killed(cloud: &SimCloud, desired: &Desired, kill: Kill) -> Option<Outcome> {
    let snapshot = read(cloud, desired).await;
    let plan = Plan::to_reach(desired, &snapshot, &parting(), Origin::default()).expect("a plan");
    carry_out_killed(&plan, &snapshot, cloud, kill).await
}
