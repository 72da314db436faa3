//! Carries out a plan: every step as soon as what it needs is there, many at a time. It makes no decisions.

mod creation;
mod door;
mod event;
mod execute;
mod gather;
mod openings;
mod pacer;
mod retry;
mod serving;
mod settle;
mod sick;
mod stop;
mod together;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Notify;

pub use event::{Event, Observer, What};
pub use stop::{Halt, Stop};

use crate::cloud::Cloud;
use crate::diff::Change;
use crate::kinds::Live;
use crate::model::{Address, Class, Fault, Fingerprint, INTERRUPTED, Need};
use crate::plan::{Plan, Step, Verb};
use crate::snapshot::Snapshot;
use door::Door;
use watch::Watch;

/// How a step stands.
#[derive(Clone, Debug)]
pub enum State {
    Waiting,
    Running,
    /// Its resource has an id, but is not ready yet.
    Exists,
    Done,
    Failed(Fault),
    /// A step that it needs, by its place, failed or was blocked itself.
    Blocked(usize),
    /// Interrupted while it waited; AWS goes on with it.
    Left,
}

/// How it all ended.
#[derive(Debug)]
pub struct Outcome {
    /// By the step's place in the plan.
    pub states: Vec<State>,
    pub elapsed: Duration,
    /// What AWS gave the resources that were made or changed.
    pub outputs: BTreeMap<Address, BTreeMap<String, String>>,
    /// What ended it early.
    pub interrupted: Option<Halt>,
}

impl Outcome {
    pub fn is_complete(&self) -> bool {
        self.states.iter().all(|state| matches!(state, State::Done))
    }
}

/// What the steps of one run share.
pub(crate) struct Run<'a> {
    plan: &'a Plan,
    /// The change of what stays or comes at each address.
    changes: BTreeMap<&'a Address, &'a Change>,
    /// The steps about each address.
    steps_at: BTreeMap<&'a Address, Vec<&'a Step>>,
    /// The steps that wait for each step.
    followers: Vec<Vec<usize>>,
    /// The steps that take away what others have added to.
    closing: Vec<&'a Step>,
    /// Kind and id of what the plan deletes.
    deleted: BTreeSet<(&'a str, &'a str)>,
    snapshot: &'a Snapshot,
    door: Arc<Door<'a>>,
    stop: &'a Stop,
    observer: &'a dyn Observer,
    watch: Watch<'a>,
    groups: serving::Groups,
    started: Duration,
    /// Resources that steps have made or changed: new ones by address, live ones by address and id.
    lives: Mutex<Lives>,
    states: Mutex<Vec<State>>,
    /// Whether a call of the step's that changes something has gone out.
    sent: Vec<AtomicBool>,
    /// What steps have made.
    newborns: Mutex<BTreeMap<usize, settle::Newborn>>,
    /// Those whose followers are yet to be looked at.
    turned: Mutex<Vec<usize>>,
    moved: Notify,
}

#[derive(Default)]
struct Lives {
    new: BTreeMap<Address, Live>,
    changed: BTreeMap<(Address, String), Live>,
    /// What the tags of each say that this run has written, by address and id.
    applied: BTreeMap<(Address, String), Fingerprint>,
    /// What AWS has told since of what was not ready when the account was read.
    outputs: BTreeMap<Address, BTreeMap<String, String>>,
}

/// Carries out the plan; `snapshot` is the account as it was planned for.
pub async fn run(
    plan: &Plan,
    snapshot: &Snapshot,
    cloud: &dyn Cloud,
    parallelism: usize,
    stop: &Stop,
    observer: &dyn Observer,
) -> Outcome {
    let door = Arc::new(Door::new(cloud, parallelism, stop, &plan.texts));
    let mut steps_at: BTreeMap<&Address, Vec<&Step>> = BTreeMap::new();
    let mut followers = vec![Vec::new(); plan.steps.len()];
    for (index, step) in plan.steps.iter().enumerate() {
        steps_at.entry(&step.address).or_default().push(step);
        step.after.iter().for_each(|after| followers[after.step].push(index));
    }
    let deletions = plan.steps.iter().filter(|step| step.verb == Verb::Delete);
    let run = Run {
        plan,
        changes: plan.by_address(),
        steps_at,
        followers,
        closing: plan.steps.iter().filter(|step| step.verb == Verb::Revoke).collect(),
        deleted: deletions.filter_map(|s| Some((s.address.kind(), s.id.as_deref()?))).collect(),
        snapshot,
        door: door.clone(),
        stop,
        observer,
        watch: Watch::new(door, stop),
        groups: serving::Groups::default(),
        started: cloud.now(),
        lives: Mutex::default(),
        states: Mutex::new(vec![State::Waiting; plan.steps.len()]),
        sent: plan.steps.iter().map(|_| AtomicBool::default()).collect(),
        newborns: Mutex::default(),
        turned: Mutex::default(),
        moved: Notify::new(),
    };
    let mut running = FuturesUnordered::new();
    let mut candidates: BTreeSet<usize> = (0..plan.steps.len()).collect();
    loop {
        for step in run.dispatchable(candidates) {
            running.push(run.step(step));
        }
        if running.is_empty() {
            break;
        }
        tokio::select! {
            _ = running.next() => {}
            () = run.moved.notified() => {}
        }
        candidates = run.candidates();
    }
    drop(running);
    let elapsed = cloud.now().saturating_sub(run.started);
    run.settle().await;
    let states = run.states.into_inner().unwrap_or_else(PoisonError::into_inner);
    let lives = run.lives.into_inner().unwrap_or_else(PoisonError::into_inner);
    Outcome {
        states,
        elapsed,
        outputs: lives.new.into_iter().map(|(address, live)| (address, live.outputs)).collect(),
        interrupted: stop.halt(),
    }
}

impl Run<'_> {
    /// What may be begun since what it waited for has got further.
    fn candidates(&self) -> BTreeSet<usize> {
        let turned =
            std::mem::take(&mut *self.turned.lock().unwrap_or_else(PoisonError::into_inner));
        turned.iter().flat_map(|step| &self.followers[*step]).copied().collect()
    }

    /// Of these, marks what can be begun as running, and what never can as blocked, with all that waits for it.
    fn dispatchable(&self, mut candidates: BTreeSet<usize>) -> Vec<usize> {
        let mut ready = Vec::new();
        let mut blocked = Vec::new();
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        // Who follows stands later in the plan.
        while let Some(index) = candidates.pop_first() {
            let step = &self.plan.steps[index];
            if !matches!(states[index], State::Waiting) {
                continue;
            }
            let culprit = step
                .after
                .iter()
                .find(|after| matches!(states[after.step], State::Failed(_) | State::Blocked(_)));
            if let Some(culprit) = culprit {
                let root = match states[culprit.step] {
                    State::Blocked(root) => root,
                    _ => culprit.step,
                };
                states[index] = State::Blocked(root);
                blocked.push((index, root));
                candidates.extend(&self.followers[index]);
                continue;
            }
            let met = step.after.iter().all(|after| match states[after.step] {
                State::Done => true,
                State::Exists => after.need == Need::Exists,
                _ => false,
            });
            if met && self.stop.halt().is_none() {
                states[index] = State::Running;
                ready.push(index);
            }
        }
        drop(states);
        for (index, root) in blocked {
            self.tell(index, What::Blocked { by: self.plan.steps[root].to_string() });
        }
        ready
    }

    async fn step(&self, index: usize) {
        // Dispatched together with one that has found by now that all must stop.
        if self.stop.halt().is_some() {
            return self.set(index, State::Waiting);
        }
        self.tell(index, What::Started);
        let begun = self.door.now();
        let result = self.execute(index).await;
        let elapsed = self.door.now() - begun;
        let state = match result {
            Ok(id) => {
                self.tell(index, What::Done { elapsed, id });
                State::Done
            }
            Err(fault)
                if fault.code == INTERRUPTED && !self.sent[index].load(Ordering::Relaxed) =>
            {
                self.tell(index, What::Left);
                State::Waiting
            }
            Err(fault) if self.stop.halt().is_some() && is_left(&fault) => {
                self.tell(index, What::Left);
                State::Left
            }
            Err(fault) => {
                if fault.ends_credentials() {
                    self.stop.request(Halt::Credentials);
                }
                self.tell(index, What::Failed { elapsed, error: fault.to_string() });
                State::Failed(fault)
            }
        };
        self.set(index, state);
    }

    fn set(&self, index: usize, state: State) {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)[index] = state;
        self.turned.lock().unwrap_or_else(PoisonError::into_inner).push(index);
        self.moved.notify_one();
    }

    fn tell(&self, index: usize, what: What) {
        let step = &self.plan.steps[index];
        let at = self.door.now() - self.started;
        self.observer.event(&Event {
            at,
            step: index,
            address: step.address.clone(),
            verb: step.verb,
            what,
        });
    }
}

/// Whether the step was given up for stopping, and not refused: another run does it.
fn is_left(fault: &Fault) -> bool {
    fault.code == INTERRUPTED
        || fault.ends_credentials()
        || matches!(
            fault.class,
            Class::Transient | Class::Throttled | Class::NotYet | Class::NotFound
        )
}
