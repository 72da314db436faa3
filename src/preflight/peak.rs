//! How many machines run, and how many are registered, at once while a plan is carried out: at the most.
//!
//! A successor is always made before what it replaces goes, and no step of a roll waits for that to be gone: an old machine
//! may drain for longer than all new ones take to start. So each counts beside the other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::answers::Answers;
use super::planned::Planned;
use super::quotas::{asking, over};
use crate::diff::{Action, Change};
use crate::kinds::instance;
use crate::model::question::{Machines, Quota, Room, Rooms, is_standard};
use crate::model::{Address, Body, Late, Question, late};
use crate::topology::Diagnostic;

const INSTANCE_TYPE: &str = "instance_type";
const RUNNING: &str = "running";
const TARGET_GROUP: &str = "target_group";

/// A machine that comes, or starts with another type.
struct Coming<'a> {
    change: &'a Change,
    /// The type of what runs there now and has stopped before.
    before: Option<String>,
    after: String,
}

/// Those that count for the quota.
fn coming<'a>(planned: &Planned<'a>) -> Vec<Coming<'a>> {
    let coming = planned.setting(instance::SCHEMA.kind, &[INSTANCE_TYPE, RUNNING]);
    let coming = coming.filter_map(|(change, body)| {
        let old = change.before.as_ref().filter(|old| old.get(RUNNING) == Some(&true.into()));
        let old = old.filter(|_| change.action == Action::Update);
        let before = old.and_then(|old| planned.text(old, INSTANCE_TYPE));
        let before = before.filter(|name| is_standard(name));
        Some(Coming { change, before, after: planned.text(body, INSTANCE_TYPE)? })
    });
    coming.filter(|one| is_standard(&one.after)).collect()
}

/// The types whose vCPUs have to be known.
pub fn types(planned: &Planned<'_>) -> BTreeSet<String> {
    let coming = coming(planned).into_iter();
    coming.flat_map(|one| one.before.into_iter().chain([one.after])).collect()
}

pub fn vcpus(planned: &Planned<'_>, answers: &Answers) -> Option<Diagnostic> {
    let most: u64 = answers.get(&Question::Quota(Quota::Vcpus))?;
    let running: u64 = answers.get(&Question::RunningVcpus)?;
    let machines: Machines = answers.get(&Question::Machines(types(planned)))?;
    let of = |name: &String| machines.get(name).map_or(0, |machine| machine.vcpus);
    let (mut adds, mut last) = (0, None);
    for one in coming(planned) {
        // A machine that changes its type stops before it starts; that the others have shrunk by then is not sure.
        let more = of(&one.after).saturating_sub(one.before.as_ref().map_or(0, of));
        if more > 0 {
            (adds, last) = (adds + more, Some(one.change));
        }
    }
    let words = format!("{} vCPUs of standard instances would run at once", running + adds);
    let say = over(Room { most, used: running }, adds, words)?;
    let change = last?;
    let error = say(planned, &change.address, cause(change));
    Some(asking(error, "ec2", "L-1216C47A", running + adds, in_parts(change)))
}

/// The field for which there is one more: of what is replaced, the first that is had in no other way.
fn cause(change: &Change) -> &'static str {
    let field = |name: &str| instance::SCHEMA.field(name).map(|field| field.name);
    match change.action {
        Action::Replace => {
            let mut replacing = change.fields.iter().filter(|field| field.replaces);
            replacing.find_map(|one| field(&one.field)).unwrap_or("count")
        }
        Action::Update => INSTANCE_TYPE,
        Action::Create | Action::Delete => "count",
    }
}

/// What else helps where machines are replaced.
fn in_parts(change: &Change) -> &'static str {
    match change.action {
        Action::Replace => {
            "\nor replace fewer at a time, with --only service.NAME\n\
             where old machines have drained before the next ones start, --ignore-check quotas lets it pass"
        }
        _ => "",
    }
}

/// Those of each group, and of the load balancer that has them all.
pub fn targets(planned: &Planned<'_>, rooms: &Rooms) -> Vec<Diagnostic> {
    let mut groups: BTreeMap<Address, Vec<&Address>> = BTreeMap::new();
    let machines = planned.desired.resources.iter();
    for (address, body) in machines.filter(|(one, _)| one.kind() == instance::SCHEMA.kind) {
        if let Some(group) = group(body) {
            groups.entry(group).or_default().push(address);
        }
    }
    let mut leaving: BTreeMap<Address, u64> = BTreeMap::new();
    for change in planned.leaving(instance::SCHEMA.kind) {
        let group = |body: &Option<Body>| body.as_ref().and_then(group);
        let (before, after) = (group(&change.before), group(&change.after));
        let stays = change.action == Action::Update && before == after;
        if let Some(before) = before.filter(|_| !stays) {
            *leaving.entry(before).or_default() += 1;
        }
    }
    let mut errors = Vec::new();
    let mut say = |room: &str, count: u64, last: &Address, whose: &str| {
        let Some(room) = rooms.get(room) else { return };
        let words = format!("{whose} would have {count} targets at once");
        let change = planned.plan.change(last);
        let say = over(*room, count, words);
        let (field, or) = change.map_or(("count", ""), |one| (cause(one), in_parts(one)));
        let hint = format!("ask AWS for more, in Service Quotas; or let this be less{or}");
        errors.extend(say.map(|say| say(planned, last, field).hint(hint)));
    };
    for (group, members) in &groups {
        // The old machines of a group that is replaced are in the old one.
        let replaced = planned.plan.change(group).is_some_and(|c| c.action == Action::Replace);
        let old = leaving.get(group).filter(|_| !replaced).unwrap_or(&0);
        if let Some(last) = members.last() {
            say("targets-per-target-group", members.len() as u64 + old, last, &group.to_string());
        }
    }
    let all: Vec<&&Address> = groups.values().flatten().collect();
    if let Some(last) = all.last() {
        let count = all.len() as u64 + leaving.values().sum::<u64>();
        say("targets-per-application-load-balancer", count, last, "the load balancer");
    }
    errors
}

fn group(body: &Body) -> Option<Address> {
    match late(body.get(TARGET_GROUP).unwrap_or(&Value::Null))? {
        Late::Ref { address, .. } => Some(address),
        _ => None,
    }
}
