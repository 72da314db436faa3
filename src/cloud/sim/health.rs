//! What target groups find of their targets, as time passes.
//!
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html>: a new
//! target is `initial` until it passes one check; one that nothing sends requests to is `unused`; one that was taken out
//! is `draining` as long as its group's delay says; one that a security group cuts off is `unhealthy`, here at once.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Account;
use super::object::Object;
use super::reach::Reach;
use crate::model::{Observed, Status, TargetHealth};

/// Milliseconds from when a machine runs until its service answers.
const BOOT: u64 = 30_000;
/// What AWS gives a target group, in seconds.
const DELAY: u64 = 300;
const INTERVAL: u64 = 30;

/// Who is, or was, registered where.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Targets {
    registered: Vec<Registration>,
    /// Since when a listener or a rule sends requests to a group, by its id.
    used: BTreeMap<String, u64>,
    /// Machines with one of these in a field never pass a check.
    failing: Vec<(String, Value)>,
    /// What was found of machines that are sick until they are started again.
    #[serde(skip)]
    sick: Vec<TargetHealth>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Registration {
    group: String,
    target: String,
    since: u64,
    /// Until when it is draining, once it was taken out.
    until: Option<u64>,
    /// When it was last known to be healthy before its group's checks were changed: that alone makes nobody sick.
    #[serde(default)]
    healthy_at: Option<u64>,
}

impl Targets {
    /// Takes a machine out of one group and puts it into another; an empty id stands for none.
    pub fn shift(&mut self, target: &str, from: &str, to: &str, now: u64, delay: u64) {
        if from == to {
            return;
        }
        for one in self.registered.iter_mut() {
            if one.target == target && one.group == from && one.until.is_none() {
                one.until = Some(now.saturating_add(delay));
            }
        }
        if !to.is_empty() {
            self.registered.retain(|one| !(one.target == target && one.group == to));
            let (group, target) = (to.to_owned(), target.to_owned());
            self.registered.push(Registration {
                group,
                target,
                since: now,
                until: None,
                healthy_at: None,
            });
        }
    }

    /// What is gone is neither group nor target any more.
    pub fn forget(&mut self, id: &str) {
        self.registered.retain(|one| one.group != id && one.target != id);
    }

    pub fn advance(&mut self, now: u64) {
        self.registered.retain(|one| one.until.is_none_or(|until| until > now));
    }

    /// Notes which groups get requests now.
    pub fn use_only(&mut self, groups: &BTreeSet<String>, now: u64) {
        self.used.retain(|group, _| groups.contains(group));
        for group in groups {
            self.used.entry(group.clone()).or_insert(now);
        }
    }

    /// It stays as it was found.
    pub fn sicken(&mut self, found: Option<&TargetHealth>) {
        self.sick.extend(found.cloned());
    }

    /// Started again, it is as good as new.
    pub fn restart(&mut self, target: &str) {
        self.sick.retain(|found| found.target != target);
    }

    /// All machines pass their checks.
    pub fn mend(&mut self) {
        self.failing.clear();
    }

    /// Machines with this in this field will not pass a check.
    pub fn fail(&mut self, field: &str, value: Value) {
        self.failing.push((field.to_owned(), value));
    }
}

/// Milliseconds for which a group's leaving targets finish what they have begun.
pub fn delay(group: Option<&Object>) -> u64 {
    seconds(group, "deregistration_delay", DELAY)
}

fn seconds(group: Option<&Object>, field: &str, default: u64) -> u64 {
    let stated = group.and_then(|group| group.body.get(field)).and_then(Value::as_u64);
    stated.unwrap_or(default).saturating_mul(1000)
}

/// What AWS says of it beside its code.
fn described(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "Target.DeregistrationInProgress" => "Target deregistration is in progress",
        "Target.InvalidState" => "Target is in the stopped state",
        "Target.NotInUse" => "Target group is not configured to receive traffic",
        "Elb.InitialHealthChecking" => "Initial health checks in progress",
        "Target.FailedHealthChecks" => "Health checks failed",
        "Target.Timeout" => "Request timed out",
        _ => return None,
    })
}

impl Account {
    /// What these groups find of their targets.
    pub fn health(&self, groups: &[String]) -> Vec<TargetHealth> {
        let mut ways: BTreeMap<&str, Reach<'_>> =
            groups.iter().map(|group| (group.as_str(), Reach::of(self, group))).collect();
        let asked = self.targets.registered.iter();
        let found = asked.filter_map(|one| self.finding(one, ways.get_mut(one.group.as_str())?));
        found.collect()
    }

    /// What a listing tells of them, with what the groups find of each.
    pub fn observed<'a>(&self, objects: impl IntoIterator<Item = &'a Object>) -> Vec<Observed> {
        let mut registered: BTreeMap<&str, Vec<&Registration>> = BTreeMap::new();
        for one in &self.targets.registered {
            registered.entry(&one.target).or_default().push(one);
        }
        let mut ways: BTreeMap<&str, Reach<'_>> = BTreeMap::new();
        let told = objects.into_iter().map(|object| {
            let mut observed = object.observed();
            if object.kind == "db_instance" {
                observed.vitals.zones = self.zones_of(object);
            }
            for one in registered.get(object.id.as_str()).into_iter().flatten() {
                let way = ways.entry(&one.group).or_insert_with(|| Reach::of(self, &one.group));
                let Some(found) = self.finding(one, way) else { continue };
                observed.duty.sick |= found.is_unhealthy();
                if found.is_draining() {
                    observed.duty.draining.push(found.group.clone());
                }
                observed.vitals.health.push(found);
            }
            observed
        });
        told.collect()
    }

    /// Remembers who is healthy in a group whose checks are about to change.
    pub(super) fn settle(&mut self, group: &str) {
        let now = self.clock_millis();
        let found = self.health(&[group.to_owned()]);
        for one in self.targets.registered.iter_mut().filter(|one| one.group == group) {
            if found.iter().any(|seen| seen.target == one.target && seen.is_healthy()) {
                one.healthy_at = Some(now);
            }
        }
    }

    fn finding(&self, one: &Registration, way: &mut Reach<'_>) -> Option<TargetHealth> {
        let machine = self.get("instance", &one.target)?;
        let group = self.get("target_group", &one.group);
        let (state, reason) = self.state(one, machine, group, way);
        let sick = self.targets.sick.iter().find(|found| found.target == one.target);
        if let Some(sick) = sick.filter(|_| state == "healthy") {
            return Some(TargetHealth { group: one.group.clone(), ..sick.clone() });
        }
        Some(TargetHealth {
            group: one.group.clone(),
            target: one.target.clone(),
            state: state.to_owned(),
            reason: reason.map(str::to_owned),
            description: reason.and_then(described).map(str::to_owned),
        })
    }

    fn state(
        &self,
        one: &Registration,
        machine: &Object,
        group: Option<&Object>,
        way: &mut Reach<'_>,
    ) -> (&'static str, Option<&'static str>) {
        if one.until.is_some() {
            return ("draining", Some("Target.DeregistrationInProgress"));
        }
        let stopped = machine.body.get("running") == Some(&Value::Bool(false));
        if machine.status() != Status::Ready || stopped {
            return ("unused", Some("Target.InvalidState"));
        }
        let Some(used) = self.targets.used.get(&one.group) else {
            return ("unused", Some("Target.NotInUse"));
        };
        let now = self.clock_millis();
        let interval = seconds(group, "health_check_interval", INTERVAL);
        let answers = machine.ready_since.saturating_add(BOOT);
        let begun = one.since.max(*used).max(answers);
        let known = one.healthy_at.is_some_and(|at| at >= begun);
        let checked = if known { begun } else { begun.saturating_add(interval) };
        let fails = |(field, value): &(String, Value)| machine.body.get(field) == Some(value);
        if now < checked {
            return ("initial", Some("Elb.InitialHealthChecking"));
        }
        if self.targets.failing.iter().any(fails) {
            return ("unhealthy", Some("Target.FailedHealthChecks"));
        }
        if !way.comes_to(machine) {
            return ("unhealthy", Some("Target.Timeout"));
        }
        ("healthy", None)
    }
}
