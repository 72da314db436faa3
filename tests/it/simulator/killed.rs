//! Runs that are killed: the process is gone in the middle of a call, or while it waits, and nothing is tidied up.

use std::future::pending;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::desired::Desired;
use ecdeploy::kinds::Kind;
use ecdeploy::model::{Body, Created, Fault, Tags};
use ecdeploy::plan::{Origin, Plan};
use ecdeploy::reconcile::{Outcome, Stop};
use ecdeploy::snapshot::Snapshot;
use tokio::sync::Notify;

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

/// An account whose caller dies.
struct Mortal<'a> {
    cloud: &'a SimCloud,
    kill: Kill,
    begun: Mutex<usize>,
    done: Mutex<usize>,
    struck: Notify,
}

impl Mortal<'_> {
    async fn die_at(&self, calls: &Mutex<usize>, fatal: usize) {
        let now = {
            let mut calls = calls.lock().unwrap();
            *calls += 1;
            *calls
        };
        if now >= fatal {
            self.struck.notify_one();
            pending::<()>().await;
        }
    }
}

#[async_trait]
impl Spoiled for Mortal<'_> {
    fn sound(&self) -> &SimCloud {
        self.cloud
    }

    async fn begins(&self) -> Result<(), Fault> {
        if let Kill::Before(fatal) = self.kill {
            self.die_at(&self.begun, fatal).await;
        }
        Ok(())
    }

    async fn ended(&self, _: &'static str) {
        if let Kill::After(fatal) = self.kill {
            self.die_at(&self.done, fatal).await;
        }
    }

    async fn spoil(
        &self,
        kind: &'static dyn Kind,
        body: &Body,
        all: &[Tags],
        token: &str,
    ) -> Result<Vec<Created>, Fault> {
        self.cloud.create(kind, body, all, token).await
    }
}

/// Carries out the plan until it is killed; how it ended, where it did before that.
pub async fn carry_out_killed(
    plan: &Plan,
    snapshot: &Snapshot,
    cloud: &SimCloud,
    kill: Kill,
) -> Option<Outcome> {
    let (begun, done) = (Mutex::default(), Mutex::default());
    let mortal = Faulty(Mortal { cloud, kill, begun, done, struck: Notify::new() });
    let stop = Stop::default();
    let time = async {
        match kill {
            Kill::At(time) => cloud.sleep(time).await,
            Kill::Before(_) | Kill::After(_) => pending().await,
        }
    };
    tokio::select! {
        biased;
        () = mortal.0.struck.notified() => None,
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
