//! A copy of a live account, to rehearse on: what the snapshot knows of it, as if it had stood for a while.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Account;
use super::health::Targets;
use super::maintenance::Upkeep;
use super::object::{Object, Passing};
use super::senders;
use crate::kinds;
use crate::model::{Body, Schema, Status, TargetHealth};

/// The clock of a copy when it begins, in milliseconds: long after everything in it was made.
const BEGIN: u64 = 24 * 60 * 60 * 1000;

/// As many ids are taken as given out: a simulated account may be the original, and its ids are not given again.
const GIVEN: u64 = 1 << 32;

/// AWS's words for what is being created: RDS and ElastiCache, load balancers, machines.
const BORN: [&str; 3] = ["creating", "provisioning", "pending"];

/// One thing to copy.
pub struct Original<'a> {
    pub kind: &'static str,
    pub id: &'a str,
    pub tags: &'a BTreeMap<String, String>,
    pub body: &'a Body,
    pub outputs: &'a BTreeMap<String, String>,
    pub status: &'a Status,
}

impl Account {
    /// An account that holds these, its targets as they were found. Ids of what it doesn't hold may be named: there is
    /// more in a live one.
    pub fn copy_of<'a>(
        id: &str,
        region: &str,
        originals: impl IntoIterator<Item = Original<'a>>,
        health: &[&TargetHealth],
    ) -> Self {
        let mut account = Self::new(id, region);
        account.set_clock(BEGIN);
        account.open = true;
        account.given = GIVEN;
        let mut targets = Targets::default();
        let mut used = std::collections::BTreeSet::new();
        for original in originals {
            let Some(kind) = kinds::by_name(original.kind) else { continue };
            let schema = kind.schema();
            let mut body = original.body.clone();
            for field in schema.fields {
                body.entry(field.name.to_owned()).or_insert_with(|| field.start());
            }
            let group = body.get("target_group").and_then(Value::as_str).unwrap_or_default();
            match original.kind {
                "instance" => {
                    let found = of_target(health, group, original.id);
                    let since = if is_new(found) { BEGIN } else { 0 };
                    targets.shift(original.id, "", group, since, 0);
                    targets.sicken(found.filter(|found| is_sick(found)));
                }
                "listener" | "listener_rule" => {
                    used.extend(senders::used(&body).map(str::to_owned))
                }
                _ => {}
            }
            // AWS tells some of these only of what is ready.
            let mut outputs = original.outputs.clone();
            for (name, form) in schema.outputs {
                let told = || account.fill(form, original.id, original.id, &body);
                outputs.entry((*name).to_owned()).or_insert_with(told);
            }
            account.hold(Object {
                kind: original.kind.to_owned(),
                id: original.id.to_owned(),
                tags: original.tags.clone(),
                upkeep: Upkeep::new(schema, BEGIN),
                body,
                outputs,
                protected: false,
                passing: passing(schema, original.status),
                ready_since: 0,
                place: 0,
            });
        }
        targets.use_only(&used, 0);
        account.targets = targets;
        account
    }
}

fn of_target<'a>(health: &[&'a TargetHealth], group: &str, id: &str) -> Option<&'a TargetHealth> {
    health.iter().copied().find(|found| found.group == group && found.target == id)
}

/// One that nothing was found of was registered just now.
fn is_new(found: Option<&TargetHealth>) -> bool {
    found.is_none_or(|found| found.state == "initial")
}

/// Why one is not used shows in the copy, too: nobody sends it requests, or it doesn't run.
fn is_sick(found: &TargetHealth) -> bool {
    !found.is_healthy() && !found.is_draining() && !["initial", "unused"].contains(&&*found.state)
}

/// The state that it is in, for as long as that typically takes in all: when it began isn't known.
fn passing(schema: &Schema, status: &Status) -> Option<Passing> {
    let timing = schema.timing;
    let seconds = match status {
        Status::Ready | Status::Gone => return None,
        // A stopped one stays so until it is started.
        Status::Pending(word) if word.starts_with("stop") => return None,
        Status::Pending(word) if BORN.contains(&word.as_str()) => timing.create,
        Status::Pending(_) => timing.update,
        Status::Deleting => timing.delete,
        Status::Failed(_) => u32::MAX,
    };
    let until = BEGIN.saturating_add(u64::from(seconds) * 1000);
    Some(Passing { status: status.clone(), until })
}
