//! Who wishes to stop gets that: what waits for its turn is not sent, what was done is written down.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::kinds::Kind;
use ecdeploy::model::{Address, Body, Class, Created, Fault, Tags};
use ecdeploy::plan::Plan;
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
        tokio::time::sleep(Duration::from_millis(40)).await;
        stop.request(Halt::Signal(2));
    };
    tokio::join!(work, soon);
}

/// The drawn system in service, and a plan that changes each of its target groups in place.
async fn groups_to_change() -> (SimCloud, ecdeploy::desired::Desired, Plan) {
    let cloud = drawn_account().await;
    let desired = drawn(&[("interval = 30", "interval = 20")]);
    let plan = plan(&cloud, &desired).await;
    assert!(plan.steps.len() > 5, "{:#?}", plan.steps);
    (cloud, desired, plan)
}

fn calls(cloud: &SimCloud, call: &str) -> usize {
    cloud.traffic().calls.get(call).copied().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_not_made_any_more_is_not_announced() {
    let (cloud, desired, plan) = groups_to_change().await;
    let snapshot = read(&cloud, &desired).await;
    let stop = Stop::default();
    stop_soon(&stop, async {
        let outcome = reconcile::run(&plan, &snapshot, &cloud, 1, &stop, &Silent).await;
        assert_eq!(calls(&cloud, "target_group:Tag"), 1, "the one that was on its way");
        assert_eq!(calls(&cloud, "target_group:Modify"), 0);
        let [left, waiting] = [
            |state: &&State| matches!(state, State::Left),
            |state: &&State| matches!(state, State::Waiting),
        ]
        .map(|is: fn(&&State) -> bool| outcome.states.iter().filter(is).count());
        assert_eq!((left, waiting), (1, plan.steps.len() - 1), "as if never begun");
    })
    .await;
    apply_fully(&cloud, &desired).await;
}

/// Once each change is announced, tags are refused for so long, and SIGTERM comes with the first refusal.
struct Reluctant<'a> {
    cloud: &'a SimCloud,
    stop: &'a Stop,
    groups: usize,
    busy: Duration,
    written: AtomicUsize,
    refused: std::sync::Mutex<Option<Duration>>,
}

#[async_trait]
impl Spoiled for Reluctant<'_> {
    fn sound(&self) -> &SimCloud {
        self.cloud
    }

    fn tags(&self, _: &'static dyn Kind) -> Result<(), Fault> {
        // Each change is announced first.
        if self.written.fetch_add(1, Ordering::Relaxed) < self.groups {
            return Ok(());
        }
        self.stop.request(Halt::Signal(15));
        let now = self.cloud.now();
        let since = *self.refused.lock().unwrap().get_or_insert(now);
        if now < since + self.busy {
            return Err(Fault::new(Class::Throttled, "sim:Tag", "Throttling", "Rate exceeded"));
        }
        Ok(())
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

/// How the run ended, and how long that took once stopping was wished.
async fn stopped_while_refused(busy: Duration) -> (Vec<State>, Duration) {
    let (cloud, desired, plan) = groups_to_change().await;
    let snapshot = read(&cloud, &desired).await;
    let stop = Stop::default();
    let reluctant = Faulty(Reluctant {
        cloud: &cloud,
        stop: &stop,
        groups: plan.steps.len(),
        busy,
        written: AtomicUsize::new(0),
        refused: std::sync::Mutex::default(),
    });
    let outcome = carry_out(&plan, &snapshot, &reluctant, &stop, &Silent).await;
    let since = reluctant.0.refused.lock().unwrap().expect("some were refused");
    let took = cloud.now() - since;
    apply_fully(&cloud, &desired).await;
    (outcome.states, took)
}

#[tokio::test(start_paused = true)]
async fn what_was_done_is_written_down_though_aws_is_busy() {
    let (states, took) = stopped_while_refused(Duration::from_secs(2)).await;
    assert!(states.iter().all(|state| matches!(state, State::Done)), "{states:?}");
    assert!(took < Duration::from_secs(6), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn it_is_tried_for_some_seconds_and_no_longer() {
    let (states, took) = stopped_while_refused(Duration::from_secs(60)).await;
    assert!(states.iter().all(|state| matches!(state, State::Left)), "{states:?}");
    assert!((Duration::from_secs(5)..Duration::from_secs(6)).contains(&took), "{took:?}");
}
