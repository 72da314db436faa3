//! A death at every single call: before it, which is after the one before, and after it. Whoever runs the same again
//! ends in the same account.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::{Account, SimCloud};
use ecdeploy::desired::Desired;
use ecdeploy::kinds::Kind;
use ecdeploy::model::{Body, Created, Fault, TOPOLOGY, Tags};
use ecdeploy::plan::{Origin, Plan};
use ecdeploy::reconcile::Stop;

use super::world::*;

/// Keeps the account as it was before the first call that changes something, and after each.
struct Recorder<'a> {
    cloud: &'a SimCloud,
    states: Mutex<Vec<Account>>,
}

#[async_trait]
impl Spoiled for Recorder<'_> {
    fn sound(&self) -> &SimCloud {
        self.cloud
    }

    async fn ended(&self, _: &'static str) {
        let state = self.cloud.account().clone();
        self.states.lock().unwrap().push(state);
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

/// Every state that a death can leave behind.
async fn states(cloud: &SimCloud, plan: &Plan, desired: &Desired) -> Vec<Account> {
    let begun = cloud.account().clone();
    let recorder = Faulty(Recorder { cloud, states: Mutex::new(vec![begun]) });
    let snapshot = read(cloud, desired).await;
    let outcome = carry_out(plan, &snapshot, &recorder, &Stop::default(), &Silent).await;
    assert!(outcome.is_complete(), "{:#?}", failures(plan, &outcome));
    recorder.0.states.into_inner().unwrap()
}

/// On another machine: the lock of the dead ends first.
const LOCK_ENDED: Duration = Duration::from_secs(90);
/// On the same machine.
const SETTLED: Duration = Duration::from_secs(15);

/// Goes on from each of the states, on as many threads as there are cores.
fn from_each(states: &[Account], after: Duration, go_on: impl AsyncFn(&SimCloud) + Sync) {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(state) = states.get(next.fetch_add(1, Ordering::Relaxed)) {
                    stopped_clock().block_on(async {
                        let cloud = SimCloud::in_memory(state.clone(), 1.0);
                        tokio::time::sleep(after).await;
                        go_on(&cloud).await;
                    });
                }
            });
        }
    });
}

fn stopped_clock() -> tokio::runtime::Runtime {
    let mut clock = tokio::runtime::Builder::new_current_thread();
    clock.enable_time().start_paused(true).build().unwrap()
}

/// Each address once, and nothing else of ours.
fn nothing_twice(cloud: &SimCloud, desired: &Desired) {
    let account = cloud.account();
    let ours = account.objects().filter(|object| object.tags.contains_key(TOPOLOGY));
    let mut addresses: Vec<String> =
        ours.map(|object| object.observed().address().unwrap().to_string()).collect();
    addresses.sort();
    let wanted: Vec<String> = desired.resources.keys().map(ToString::to_string).collect();
    let mut wanted = wanted;
    wanted.sort();
    assert_eq!(addresses, wanted);
}

#[test]
fn at_every_call_of_an_apply_from_nothing() {
    let desired = drawn(&[]);
    let states = stopped_clock().block_on(async {
        let cloud = empty_account();
        let way = plan(&cloud, &desired).await;
        states(&cloud, &way, &desired).await
    });
    assert!(states.len() > 150, "{} states", states.len());
    for after in [SETTLED, LOCK_ENDED] {
        from_each(&states, after, async |cloud| {
            apply_fully(cloud, &desired).await;
            nothing_twice(cloud, &desired);
        });
    }
}

#[test]
fn at_every_call_of_a_roll_of_all_machines() {
    let desired = drawn(&[("t3.small", "t3.medium")]);
    let states = stopped_clock().block_on(async {
        let cloud = empty_account();
        apply_fully(&cloud, &drawn(&[])).await;
        let way = plan(&cloud, &desired).await;
        states(&cloud, &way, &desired).await
    });
    assert!(states.len() > 50, "{} states", states.len());
    from_each(&states, LOCK_ENDED, async |cloud| {
        cloud.count_healthy();
        let had = cloud.fewest_healthy();
        apply_fully(cloud, &desired).await;
        nothing_twice(cloud, &desired);
        let floor: BTreeMap<String, usize> =
            had.into_iter().map(|(group, had)| (group, had.min(1))).collect();
        for (group, fewest) in cloud.fewest_healthy() {
            assert!(fewest >= floor[&group], "{group}: {fewest}");
        }
    });
}

#[test]
fn at_every_call_of_a_destroy() {
    let desired = drawn(&[]);
    let states = stopped_clock().block_on(async {
        let cloud = empty_account();
        apply_fully(&cloud, &desired).await;
        let snapshot = read(&cloud, &desired).await;
        let way =
            Plan::to_destroy(&desired, &snapshot, &parting(), Origin::default()).expect("a plan");
        states(&cloud, &way, &desired).await
    });
    assert!(states.len() > 50, "{} states", states.len());
    from_each(&states, LOCK_ENDED, async |cloud| {
        let snapshot = read(cloud, &desired).await;
        // A database that was begun with has its last snapshot already.
        let parting = ecdeploy::plan::Parting { stamp: "again".to_owned(), ..parting() };
        let way = Plan::to_destroy(&desired, &snapshot, &parting, Origin::default()).unwrap();
        let outcome = carry_out(&way, &snapshot, cloud, &Stop::default(), &Silent).await;
        assert!(outcome.is_complete(), "{:#?}", failures(&way, &outcome));
        assert_eq!(ids(cloud), Vec::<String>::new());
    });
}

#[test]
fn what_a_death_left_unwritten_is_not_told_as_drift_at_the_next_edit() {
    let (desired, edited) = (drawn(&[]), drawn(&[("port      = 3001", "port      = 3101")]));
    let states = stopped_clock().block_on(async {
        let cloud = empty_account();
        let way = plan(&cloud, &desired).await;
        states(&cloud, &way, &desired).await
    });
    from_each(&states, LOCK_ENDED, async |cloud| {
        apply_fully(cloud, &desired).await;
        let next = plan(cloud, &edited).await;
        let drift: Vec<_> = next.changes.iter().filter(|change| change.drifted()).collect();
        assert!(drift.is_empty(), "{drift:#?}");
    });
}
