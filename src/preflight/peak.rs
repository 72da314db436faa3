//! How many machines run, are registered and have addresses at once while a plan is carried out: at the most.
//!
//! A successor is always made before what it replaces goes, and no step of a roll waits for that to be gone: an old machine
//! may drain for longer than all new ones take to start. So each counts beside the other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::answers::Answers;
use super::planned::Planned;
use super::quotas::{asking, over};
use crate::diff::{Action, Change};
use crate::kinds::{instance, load_balancer};
use crate::model::question::{Machines, Quota, Room, Rooms, is_standard};
use crate::model::{Address, Body, Late, Question, late};
use crate::topology::Diagnostic;
use crate::topology::addresses::{FOR_LOAD_BALANCER, usable};

const INSTANCE_TYPE: &str = "instance_type";
const RUNNING: &str = "running";

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

/// Machines that name one thing.
#[derive(Default)]
struct Crowd<'a> {
    /// As the file wants it.
    members: Vec<&'a Address>,
    /// Old ones beside them, until they have gone.
    leaving: u64,
}

/// What machines name in a field, with those that do.
fn crowds<'a>(planned: &Planned<'a>, field: &str) -> BTreeMap<Address, Crowd<'a>> {
    let named = |body: &Body| match late(body.get(field)?)? {
        Late::Ref { address, .. } => Some(address),
        _ => None,
    };
    let mut crowds: BTreeMap<Address, Crowd<'_>> = BTreeMap::new();
    let machines = planned.desired.resources.iter();
    for (address, body) in machines.filter(|(one, _)| one.kind() == instance::SCHEMA.kind) {
        if let Some(named) = named(body) {
            crowds.entry(named).or_default().members.push(address);
        }
    }
    for change in planned.leaving(instance::SCHEMA.kind) {
        let before = change.before.as_ref().and_then(named);
        let after = change.after.as_ref().and_then(named);
        let stays = change.action == Action::Update && before == after;
        if let Some(before) = before.filter(|_| !stays) {
            crowds.entry(before).or_default().leaving += 1;
        }
    }
    crowds
}

impl Crowd<'_> {
    /// The old machines of what is replaced itself are in the old one.
    fn beside(&self, planned: &Planned<'_>, named: &Address) -> u64 {
        let replaced = planned.plan.change(named).is_some_and(|c| c.action == Action::Replace);
        if replaced { 0 } else { self.leaving }
    }
}

/// Those of each group, and of the load balancer that has them all.
pub fn targets(planned: &Planned<'_>, rooms: &Rooms) -> Vec<Diagnostic> {
    let crowds = crowds(planned, "target_group");
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
    for (group, crowd) in &crowds {
        let count = crowd.members.len() as u64 + crowd.beside(planned, group);
        if let Some(last) = crowd.members.last() {
            say("targets-per-target-group", count, last, &group.to_string());
        }
    }
    if let Some(last) = crowds.values().filter_map(|crowd| crowd.members.last()).next_back() {
        let count = crowds.values().map(|crowd| crowd.members.len() as u64 + crowd.leaving).sum();
        say("targets-per-application-load-balancer", count, last, "the load balancer");
    }
    errors
}

/// Subnets that have no addresses for old and new machines at once. That there are enough for those that the file wants is
/// known before.
pub fn addresses(planned: &Planned<'_>) -> Vec<Diagnostic> {
    let changes = planned.plan.by_address();
    let made = |address: &&Address| {
        let change = *changes.get(*address)?;
        matches!(change.action, Action::Create | Action::Replace).then_some(change)
    };
    let crowded = crowds(planned, "subnet").into_iter().filter_map(|(subnet, crowd)| {
        let last = crowd.members.iter().rev().find_map(made)?;
        let old = crowd.beside(planned, &subnet);
        let block = planned.text(planned.desired.resources.get(&subnet)?, "cidr_block")?;
        let usable = usable(&block.parse().ok()?);
        let needed = crowd.members.len() as u64 + old + for_load_balancer(planned, &subnet);
        let message =
            format!("{needed} addresses of {subnet} are needed at once, and {block} has {usable}");
        (old > 0 && needed > usable).then(|| {
            let hint = format!("let the machines be less, or the subnet larger{}", in_parts(last));
            planned
                .blame(&last.address, cause(last), message)
                .label(format!("{old} old machines stand beside {}", crowd.members.len()))
                .hint(hint)
        })
    });
    crowded.collect()
}

fn for_load_balancer(planned: &Planned<'_>, subnet: &Address) -> u64 {
    let mut balancers = planned.desired.resources.iter();
    let stands = |(address, body): (&Address, &Body)| {
        let named = body.get("subnets").and_then(Value::as_array).into_iter().flatten();
        address.kind() == load_balancer::SCHEMA.kind
            && named
                .filter_map(late)
                .any(|one| matches!(one, Late::Ref { address, .. } if address == *subnet))
    };
    if balancers.any(stands) { FOR_LOAD_BALANCER } else { 0 }
}
