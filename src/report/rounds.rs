//! How a plan rolls the machines of services, for people: a line for those that are rolled alike.

use std::collections::BTreeMap;

use super::count;
use crate::diff::{Action, Change};
use crate::kinds::instance;
use crate::model::OnChange;
use crate::plan::{Plan, Verb};

/// How many machines, in how many rounds, and what is done to each and why.
type Way = (usize, usize, String);

/// What is rolled, by which way, in how many rounds.
pub fn lines(plan: &Plan) -> Vec<String> {
    let mut services: BTreeMap<&str, BTreeMap<String, Vec<&Change>>> = BTreeMap::new();
    for change in &plan.changes {
        if let (Some(service), Some(how)) = (instance::service(&change.address), how(change)) {
            services.entry(service).or_default().entry(how).or_default().push(change);
        }
    }
    let all = services.len();
    let mut ways: BTreeMap<Way, Vec<&str>> = BTreeMap::new();
    for (service, hows) in services {
        for (how, machines) in hows {
            let way = (machines.len(), rounds(plan, &machines), how);
            ways.entry(way).or_default().push(service);
        }
    }
    let line = |((machines, rounds, how), services): (Way, Vec<&str>)| {
        let whom = match services.len() {
            several if several > 1 && several == all => format!("each of {all} services"),
            _ => services.join(", "),
        };
        let rounds = match rounds {
            0 | 1 if machines > 1 => " at once".to_owned(),
            0 | 1 => String::new(),
            rounds => format!(" in {rounds} rounds"),
        };
        let machines = count(machines, "machine");
        format!("{whom}: {machines}{rounds}, {how}")
    };
    ways.into_iter().map(line).collect()
}

/// What is done to the machine, and because of what. Nothing where it serves on.
fn how(change: &Change) -> Option<String> {
    let fields = |wanted: &dyn Fn(&str) -> bool| {
        let names = change.fields.iter().map(|moved| moved.field.as_str());
        names.filter(|name| wanted(name)).collect::<Vec<_>>().join(", ")
    };
    let is = |name: &str, on_change| {
        instance::SCHEMA.field(name).is_some_and(|field| field.on_change == on_change)
    };
    match change.action {
        Action::Replace => {
            let launch = fields(&|name| is(name, OnChange::Replace));
            Some(format!("by a successor made first: only a launch sets {launch}"))
        }
        Action::Update => {
            let rolled = fields(&|name| is(name, OnChange::Rolling));
            match fields(&instance::stops) {
                _ if rolled.is_empty() => None,
                stopped if stopped.is_empty() => {
                    Some(format!("out of service while {rolled} is changed"))
                }
                running if running == "running" => Some("started".to_owned()),
                stopped => Some(format!("stopped and started to change {stopped}")),
            }
        }
        Action::Create | Action::Delete => None,
    }
}

/// How many follow each other: the step that takes one out waits for the one that brings an earlier one back.
fn rounds(plan: &Plan, machines: &[&Change]) -> usize {
    let place = |change: &Change, verbs: &[Verb]| {
        let find = |verb: &Verb| {
            let own =
                |step: &crate::plan::Step| step.address == change.address && step.verb == *verb;
            plan.steps.iter().position(own)
        };
        verbs.iter().find_map(find)
    };
    let begins = |change: &Change| match change.action {
        Action::Replace => place(change, &[Verb::Create]),
        _ => place(change, &[Verb::Detach, Verb::Update]),
    };
    let mut ends: BTreeMap<usize, usize> = BTreeMap::new();
    let mut all: Vec<(usize, &Change)> =
        machines.iter().filter_map(|change| Some((begins(change)?, *change))).collect();
    all.sort_by_key(|(begin, _)| *begin);
    for (begin, change) in all {
        let before = plan.steps[begin].after.iter().filter_map(|after| ends.get(&after.step));
        let round = before.max().copied().unwrap_or(0) + 1;
        let end = place(change, &[Verb::Serve, Verb::Attach]).unwrap_or(begin);
        ends.insert(end, round);
    }
    ends.into_values().max().unwrap_or(0)
}
