//! Who wishes to stop gets that: what waits for its turn is not sent, what was done is written down.

use std::sync::atomic::{AtomicUsize, Ordering};

use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::model::Address;
use ecdeploy::reconcile::{self, Event, Halt, Observer, State, Stop, What};

use super::world::*;

/// Wishes to stop as soon as the first step is done.
struct Impatient<'a> {
    stop: &'a Stop,
    halt: Halt,
    cloud: &'a SimCloud,
    /// The creations that had been sent by then.
    sent: AtomicUsize,
}

impl Observer for Impatient<'_> {
    fn event(&self, event: &Event) {
        if matches!(event.what, What::Done { .. }) && self.stop.halt().is_none() {
            self.stop.request(self.halt);
            self.sent.store(creations(self.cloud), Ordering::Relaxed);
        }
    }
}

fn creations(cloud: &SimCloud) -> usize {
    let traffic = cloud.traffic();
    let creations = traffic.calls.iter().filter(|(call, _)| call.ends_with(":Create"));
    creations.map(|(_, count)| count).sum()
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_its_turn_is_not_sent_any_more() {
    for halt in [Halt::Signal(2), Halt::LockLost, Halt::Credentials] {
        let cloud = empty_account();
        let desired = drawn(&[]);
        let snapshot = read(&cloud, &desired).await;
        let plan = plan(&cloud, &desired).await;
        let stop = Stop::default();
        let begun = plan.steps.iter().filter(|step| step.after.is_empty()).count();
        assert!(begun > 5, "{begun} steps wait for nothing but a turn");
        let sent = AtomicUsize::new(0);
        let impatient = Impatient { stop: &stop, halt, cloud: &cloud, sent };
        let outcome = reconcile::run(&plan, &snapshot, &cloud, 1, &stop, &impatient).await;

        assert_eq!(outcome.interrupted, Some(halt));
        let (before, after) = (impatient.sent.into_inner(), creations(&cloud));
        assert!(after < begun, "{after} of {begun} creations were sent");
        assert!(after - before <= 1, "{halt:?}: {before} creations were sent, then {after}");
        let failed = outcome.states.iter().filter(|state| matches!(state, State::Failed(_)));
        assert_eq!(failed.count(), 0, "what was not sent has not failed");

        apply_fully(&cloud, &desired).await;
        assert!(self::plan(&cloud, &desired).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn what_aws_refuses_meanwhile_is_told() {
    let cloud = empty_account();
    let desired = drawn(&[]);
    let snapshot = read(&cloud, &desired).await;
    let mut plan = plan(&cloud, &desired).await;
    // Longer than a parameter may be.
    let of = |address: &Address| address.to_string() == "ssm_parameter.user/PORT";
    let change = plan.changes.iter_mut().find(|change| of(&change.address)).unwrap();
    change.after.as_mut().unwrap().insert("value".to_owned(), "x".repeat(5000).into());
    plan.steps.retain(|step| of(&step.address));
    let stop = Stop::default();
    stop_soon(&stop, async {
        let outcome = carry_out(&plan, &snapshot, &cloud, &stop, &Silent).await;
        assert!(matches!(outcome.states[..], [State::Failed(_)]), "{:?}", outcome.states);
    })
    .await;
}

/// Wishes to stop while the first call is on its way.
async fn stop_soon(stop: &Stop, work: impl Future<Output = ()>) {
    let soon = async {
        tokio::time::sleep(std::time::Duration::from_millis(40)).await;
        stop.request(Halt::Signal(2));
    };
    tokio::join!(work, soon);
}
