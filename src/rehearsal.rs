//! A plan carried out on a copy of the account, where time costs nothing: how long it takes, and who serves meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cloud::sim::{Account, Original, SimCloud};
use crate::desired::Desired;
use crate::diff::Action;
use crate::error::{Error, ErrorKind, Result};
use crate::kinds::{self, target_group};
use crate::model::{ADDRESS, Address, Body, Schema, Tags};
use crate::plan::{Plan, Verb};
use crate::reconcile::{self, Event, Observer, Outcome, State, Stop, What};
use crate::snapshot::{Resource, Snapshot};

/// As many calls are under way at once as in an apply that says nothing else.
const PARALLELISM: usize = 16;

/// How a plan would go.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Rehearsal {
    /// From the first call to the last, in seconds.
    pub seconds: f64,
    /// The step that takes longest of those that everything waits for; by its place in the timeline.
    pub decisive: Option<usize>,
    /// Every step, in the order in which they begin.
    pub timeline: Vec<Timed>,
    /// The healthy targets of each service that has any registered now; nothing where none of them is touched.
    pub services: BTreeMap<String, Healthy>,
    /// What would go wrong.
    pub failures: Vec<String>,
}

/// A step and when it would be carried out, in seconds since the first call.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Timed {
    pub address: Address,
    pub verb: Verb,
    pub begins: f64,
    pub ends: f64,
}

/// How many targets of a service are healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Healthy {
    pub now: usize,
    /// At any moment until the plan is carried out.
    pub fewest: usize,
}

/// Carries the plan out on a copy of what the snapshot knows.
///
/// # Errors
/// When the system gives no thread for it.
pub fn rehearse(plan: &Plan, desired: &Desired, snapshot: &Snapshot) -> Result<Rehearsal> {
    let account = copy(plan, desired, snapshot);
    // A clock of its own, which stands still while anything is to be done, and jumps when nothing is.
    let aside = std::thread::scope(|scope| scope.spawn(|| play(plan, snapshot, account)).join());
    let failed = || Error::new(ErrorKind::File, "the plan could not be rehearsed");
    aside.map_err(|_| failed())?.map_err(|error| failed().source(error))
}

fn play(plan: &Plan, snapshot: &Snapshot, account: Account) -> std::io::Result<Rehearsal> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    Ok(runtime.block_on(async {
        let cloud = SimCloud::in_memory(account, 1.0);
        cloud.count_healthy();
        let before = cloud.fewest_healthy();
        let clock = Clock::default();
        let stop = Stop::default();
        let outcome = reconcile::run(plan, snapshot, &cloud, PARALLELISM, &stop, &clock).await;
        let fewest = cloud.fewest_healthy();
        Rehearsal {
            services: services(plan, snapshot, &before, &fewest),
            ..summary(plan, &clock, &outcome)
        }
    }))
}

/// Whether the plan changes anything that the health of targets hangs on: machines, what these name, and what sends
/// them requests.
pub fn moves_targets(plan: &Plan) -> bool {
    let served = || {
        let schemas = kinds::REGISTRY.iter().map(|kind| kind.schema());
        schemas.filter(|schema| schema.fields.iter().any(|field| field.serves))
    };
    let names = |schema: &Schema, kind: &str| {
        schema.fields.iter().any(|field| field.named_kind() == Some(kind))
    };
    plan.changes.iter().any(|change| {
        let kind = change.address.kind();
        let Some(own) = kinds::by_name(kind).map(|kind| kind.schema()) else { return false };
        served().any(|served| {
            let mut groups = served.fields.iter().filter(|field| field.serves);
            served.kind == kind
                || names(served, kind)
                || groups.any(|field| field.named_kind().is_some_and(|group| names(own, group)))
        })
    })
}

/// The account as the snapshot knows it, with what AWS does not report.
fn copy(plan: &Plan, desired: &Desired, snapshot: &Snapshot) -> Account {
    let all = || snapshot.resources.values().chain(&snapshot.extras);
    // A service is counted by the address that it has in the topology, whatever its tag still says.
    let tags = |resource: &Resource| {
        let address = (ADDRESS.to_owned(), resource.address.to_string());
        resource.tags.clone().into_iter().chain([address]).collect()
    };
    let known: Vec<(Body, Tags)> = all().map(|one| (one.whole(desired), tags(one))).collect();
    let originals = all().zip(&known).filter_map(|(resource, (body, tags))| {
        Some(Original {
            kind: kinds::by_name(resource.address.kind())?.schema().kind,
            id: &resource.live.id,
            tags,
            body,
            outputs: &resource.live.outputs,
            status: &resource.status,
        })
    });
    Account::copy_of(&plan.account, &plan.region, originals, &snapshot.health().collect::<Vec<_>>())
}

/// When steps begin and end, by their places in the plan.
#[derive(Default)]
struct Clock(Mutex<BTreeMap<usize, (Duration, Duration)>>);

impl Observer for Clock {
    fn event(&self, event: &Event) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event.what {
            What::Started => {
                times.insert(event.step, (event.at, event.at));
            }
            _ => {
                if let Some(time) = times.get_mut(&event.step) {
                    time.1 = event.at;
                }
            }
        }
    }
}

/// Of each service that has targets and stays: by the name of its group's address.
fn services(
    plan: &Plan,
    snapshot: &Snapshot,
    before: &BTreeMap<String, usize>,
    fewest: &BTreeMap<String, usize>,
) -> BTreeMap<String, Healthy> {
    let goes = plan.changes.iter().filter(|change| change.action == Action::Delete);
    let gone: BTreeSet<&Address> = goes.map(|change| &change.address).collect();
    let groups = snapshot.resources.values().filter(|group| {
        let mut targets = snapshot.health();
        group.address.kind() == target_group::SCHEMA.kind
            && !gone.contains(&group.address)
            && targets.any(|target| target.group == group.live.id && !target.is_draining())
    });
    let counted = groups.filter_map(|group| {
        let address = group.address.to_string();
        let now = *before.get(&address)?;
        let fewest = fewest.get(&address).copied().unwrap_or(0);
        Some((group.address.name().to_owned(), Healthy { now, fewest }))
    });
    counted.collect()
}

fn summary(plan: &Plan, clock: &Clock, outcome: &Outcome) -> Rehearsal {
    let times = clock.0.lock().unwrap_or_else(PoisonError::into_inner);
    let mut order: Vec<usize> = times.keys().copied().collect();
    order.sort_by_key(|step| (times[step].0, *step));
    let timed = |step: &usize| Timed {
        address: plan.steps[*step].address.clone(),
        verb: plan.steps[*step].verb,
        begins: times[step].0.as_secs_f64(),
        ends: times[step].1.as_secs_f64(),
    };
    let failures = plan.steps.iter().zip(&outcome.states).filter_map(|(step, state)| match state {
        State::Failed(fault) => Some(format!("{step}: {fault}")),
        _ => None,
    });
    Rehearsal {
        seconds: outcome.elapsed.as_secs_f64(),
        decisive: decisive(plan, &times).and_then(|step| order.iter().position(|o| *o == step)),
        timeline: order.iter().map(timed).collect(),
        services: BTreeMap::new(),
        failures: failures.collect(),
    }
}

/// Goes back from the step that ends last, each time to the one of those it waited for that ended last; of these the
/// one that takes longest.
fn decisive(plan: &Plan, times: &BTreeMap<usize, (Duration, Duration)>) -> Option<usize> {
    let mut at = times.iter().max_by_key(|(step, time)| (time.1, **step)).map(|(step, _)| *step);
    let mut chain = Vec::new();
    while let Some(step) = at {
        chain.push(step);
        let before = plan.steps[step].after.iter().filter_map(|after| {
            let time = times.get(&after.step)?;
            // What is only to exist may end long after.
            (time.1 <= times[&step].0).then_some((time.1, after.step))
        });
        at = before.max().map(|(_, step)| step);
    }
    let lasts = |step: &usize| times[step].1.saturating_sub(times[step].0);
    chain.into_iter().max_by_key(lasts)
}
