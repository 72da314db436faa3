//! The changes of a plan as a reviewer goes through them: by what of the file they are about, the dangerous ones first.

use std::collections::BTreeMap;

use super::shown::Shown;
use super::told::{Danger, Told, changes, dangers, told};
use crate::desired::made_again;
use crate::diff::{Action, Change};
use crate::kinds::instance;
use crate::model::{Late, late};
use crate::plan::Plan;

/// What changes of one service, database or the like.
pub struct Group<'a> {
    /// `service`, or the whole where there is one of it.
    pub what: &'static str,
    /// Its key in the file.
    pub key: String,
    pub changes: Vec<Reviewed<'a>>,
}

/// A change, and why to look twice at it.
pub struct Reviewed<'a> {
    pub told: Told<'a>,
    pub dangers: Vec<Danger>,
}

impl Reviewed<'_> {
    /// `deletes, lifts its protection`.
    pub fn warning(&self) -> String {
        self.dangers.iter().map(|danger| danger.words()).collect::<Vec<_>>().join(", ")
    }

    /// The lower, the earlier it is looked at: what is made again at no loss after the rest of its sort.
    pub fn rank(&self) -> (usize, bool) {
        let worst = self.dangers.iter().min().map_or(usize::MAX, |danger| *danger as usize);
        (worst, made_again(self.told.address.kind()))
    }
}

impl Group<'_> {
    /// Whether anything in it is dangerous.
    pub fn dangerous(&self) -> bool {
        self.changes.iter().any(|change| !change.dangers.is_empty())
    }

    /// `2 to change, 1 to delete`.
    pub fn counts(&self) -> String {
        Self::counts_of(self.changes.iter().map(|change| change.told.action))
    }

    /// How many are done what to.
    pub fn counts_of(actions: impl Iterator<Item = Action> + Clone) -> String {
        let count = |wanted: Action, what: &str| {
            let number = actions.clone().filter(|action| *action == wanted).count();
            (number > 0).then(|| format!("{number} to {what}"))
        };
        let all = [
            count(Action::Create, "create"),
            count(Action::Update, "change"),
            count(Action::Replace, "replace"),
            count(Action::Delete, "delete"),
        ];
        all.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// Every change of the plan, in groups; of both, the worst first.
pub fn groups(plan: &Plan) -> Vec<Group<'_>> {
    let shown = Shown::new(plan);
    let mut places: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for change in changes(plan) {
        let (what, key) = about(change);
        let place = *places.entry((what, key.clone())).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Group { what, key, changes: Vec::new() });
        }
        let reviewed = Reviewed { told: told(change, &shown), dangers: dangers(change, plan) };
        groups[place].changes.push(reviewed);
    }
    for group in &mut groups {
        group.changes.sort_by_key(Reviewed::rank);
    }
    groups.sort_by_key(|group| group.changes.iter().map(Reviewed::rank).min());
    groups
}

/// What of the file a change is about: the kind of block, and its key.
fn about(change: &Change) -> (&'static str, String) {
    let name = change.address.name();
    let first = || name.split('/').next().unwrap_or(name).to_owned();
    match change.address.kind() {
        "instance" => ("service", instance::service(&change.address).unwrap_or(name).to_owned()),
        "target_group" | "iam_role" | "instance_profile" | "ssm_parameter" => ("service", first()),
        "listener_rule" => match served(change) {
            Some(service) => ("service", service),
            None => ("load balancer", String::new()),
        },
        "db_instance" | "secret" => ("database", first()),
        "cache_cluster" | "replication_group" | "cache_subnet_group" => ("cache", first()),
        "load_balancer" | "listener" | "record" => ("load balancer", String::new()),
        "security_group" => ("security groups", String::new()),
        _ => ("network", String::new()),
    }
}

/// The service that a rule leads to; the one it will lead to, where it stays.
fn served(change: &Change) -> Option<String> {
    let group = |body: &crate::model::Body| match late(body.get("target_group")?) {
        Some(Late::Ref { address, .. }) => Some(address.name().to_owned()),
        _ => None,
    };
    change.after.iter().chain(&change.before).find_map(group)
}
