//! How much AWS gives an account, against what there is and what the plan adds to it at most.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Finding;
use super::answers::Answers;
use super::planned::Planned;
use crate::diff::{Action, Change};
use crate::kinds::{
    db_instance, instance, listener_rule, load_balancer, security_group, target_group, vpc,
};
use crate::model::question::{Machines, Quota, Room, Rooms, Vpcs, is_standard};
use crate::model::{Address, Body, Question};
use crate::topology::Diagnostic;

const INSTANCE_TYPE: &str = "instance_type";

pub fn wants(planned: &Planned<'_>, _: &Answers) -> Vec<Question> {
    let mut questions = Vec::new();
    let types = types(planned);
    if !types.is_empty() {
        questions.extend([
            Question::Quota(Quota::Vcpus),
            Question::RunningVcpus,
            Question::Machines(types),
        ]);
    }
    if planned.added(vpc::SCHEMA.kind).next().is_some() {
        questions.extend([Question::Quota(Quota::Vpcs), Question::Vpcs]);
    }
    if planned.setting(security_group::SCHEMA.kind, &["ingress", "egress"]).next().is_some() {
        questions.push(Question::Quota(Quota::GroupRules));
    }
    let balancing = [&load_balancer::SCHEMA, &target_group::SCHEMA, &listener_rule::SCHEMA];
    let balanced =
        |(_, body): (&Change, &Body)| body.get("target_group").is_some_and(|g| !g.is_null());
    if balancing.iter().any(|schema| planned.added(schema.kind).next().is_some())
        || planned.setting(instance::SCHEMA.kind, &["target_group"]).any(balanced)
    {
        questions.push(Question::BalancingRoom);
    }
    if planned.added(db_instance::SCHEMA.kind).next().is_some() {
        questions.push(Question::DatabaseRoom);
    }
    questions
}

pub fn verdict(planned: &Planned<'_>, answers: &Answers) -> Vec<Finding> {
    let mut errors = Vec::new();
    errors.extend(vcpus(planned, answers));
    errors.extend(networks(planned, answers));
    errors.extend(rules_of_groups(planned, answers));
    errors.extend(balancing(planned, answers));
    errors.extend(databases(planned, answers));
    errors.into_iter().map(Finding::Refused).collect()
}

/// Machines that come or get another type: what each was of, and will be.
fn moving<'a>(planned: &Planned<'a>) -> Vec<(&'a Change, Option<String>, String)> {
    let coming = planned.setting(instance::SCHEMA.kind, &[INSTANCE_TYPE]);
    let moving = coming.filter_map(|(change, body)| {
        let before = change.before.as_ref().and_then(|body| planned.text(body, INSTANCE_TYPE));
        let before = before.filter(|_| change.action != Action::Create);
        Some((change, before, planned.text(body, INSTANCE_TYPE)?))
    });
    moving.filter(|(.., after)| is_standard(after)).collect()
}

fn types(planned: &Planned<'_>) -> BTreeSet<String> {
    let moving = moving(planned).into_iter();
    moving.flat_map(|(_, before, after)| before.into_iter().chain([after])).collect()
}

/// What goes for good goes last: at the most, all that come run beside all that are there, and one that is replaced
/// beside its successor.
fn vcpus(planned: &Planned<'_>, answers: &Answers) -> Option<Diagnostic> {
    let most: u64 = answers.get(&Question::Quota(Quota::Vcpus))?;
    let running: u64 = answers.get(&Question::RunningVcpus)?;
    let machines: Machines = answers.get(&Question::Machines(types(planned)))?;
    let of = |name: &String| machines.get(name).map_or(0, |machine| machine.vcpus);
    let (mut added, mut changed, mut beside, mut last) = (0, 0_i64, 0, None);
    for (change, before, after) in &moving(planned) {
        let (before, after) = (before.as_ref().map_or(0, of), of(after));
        match change.action {
            Action::Create => added += after,
            Action::Replace | Action::Update | Action::Delete => {
                changed += after.cast_signed() - before.cast_signed();
                if change.action == Action::Replace {
                    beside = after.max(beside);
                }
            }
        }
        last = Some(&change.address);
    }
    let adds = added + beside + u64::try_from(changed).unwrap_or(0);
    let words = format!("{} vCPUs of standard instances would run at once", running + adds);
    over(Room { most, used: running }, adds, words)
        .map(|say| say(planned, last.unwrap_or(&nobody()), "count"))
        .map(|error| asking(error, "ec2", "L-1216C47A", running + adds))
}

fn nobody() -> Address {
    Address::new(instance::SCHEMA.kind, "")
}

fn networks(planned: &Planned<'_>, answers: &Answers) -> Option<Diagnostic> {
    let most: u64 = answers.get(&Question::Quota(Quota::Vpcs))?;
    let used = answers.get::<Vpcs>(&Question::Vpcs)?.len() as u64;
    let new = planned.added(vpc::SCHEMA.kind).last()?;
    let words = format!("{} VPCs would be in {}", used + 1, planned.desired.region);
    let say = over(Room { most, used }, 1, words)?;
    Some(asking(say(planned, &new.address, "cidr_block"), "vpc", "L-F678F1CE", used + 1))
}

/// New rules are added before old ones are taken away.
fn rules_of_groups(planned: &Planned<'_>, answers: &Answers) -> Vec<Diagnostic> {
    let Some(most) = answers.get::<u64>(&Question::Quota(Quota::GroupRules)) else {
        return Vec::new();
    };
    let coming = planned.setting(security_group::SCHEMA.kind, &["ingress", "egress"]);
    let each = coming.flat_map(|change| ["ingress", "egress"].map(|way| (change, way)));
    let errors = each.filter_map(|((change, after), way)| {
        let bodies =
            [change.before.as_ref().filter(|_| change.action == Action::Update), Some(after)];
        let rules = bodies.into_iter().flatten().filter_map(|body| body.get(way)?.as_array());
        let rules: BTreeSet<String> = rules.flatten().map(Value::to_string).collect();
        let count = rules.len() as u64;
        let words = format!("{} would have {count} rules of {way}", change.address);
        let say = over(Room { most, used: 0 }, count, words)?;
        Some(asking(say(planned, &change.address, way), "vpc", "L-0EA8095F", count))
    });
    errors.collect()
}

fn balancing(planned: &Planned<'_>, answers: &Answers) -> Vec<Diagnostic> {
    let rooms: Rooms = answers.get(&Question::BalancingRoom).unwrap_or_default();
    let mut errors = Vec::new();
    let region = &planned.desired.region;
    for (schema, name, what) in [
        (&load_balancer::SCHEMA, "application-load-balancers", "load balancers"),
        (&target_group::SCHEMA, "target-groups", "target groups"),
    ] {
        let added: Vec<&Change> = planned.added(schema.kind).collect();
        let (Some(room), Some(last)) = (rooms.get(name), added.last()) else { continue };
        let adds = added.len() as u64;
        let words = format!("{} {what} would be in {region}", room.used + adds);
        errors.extend(over(*room, adds, words).map(|say| say(planned, &last.address, "name")));
    }
    let rules = planned.desired.resources.keys().filter(|a| a.kind() == listener_rule::SCHEMA.kind);
    let rules: Vec<&Address> = rules.collect();
    if let (Some(room), Some(last)) =
        (rooms.get("rules-per-application-load-balancer"), rules.last())
    {
        let words = format!("the load balancer would have {} rules", rules.len());
        let say = over(*room, rules.len() as u64, words);
        errors.extend(say.map(|say| say(planned, last, "priority")));
    }
    errors.extend(targets(planned, &rooms));
    errors
}

/// Those of each group, and of the load balancer that has them all.
fn targets(planned: &Planned<'_>, rooms: &Rooms) -> Vec<Diagnostic> {
    let mut groups: BTreeMap<Address, Vec<&Address>> = BTreeMap::new();
    let machines = planned.desired.resources.iter();
    for (address, body) in machines.filter(|(one, _)| one.kind() == instance::SCHEMA.kind) {
        if let Some((group, _)) = body.get("target_group").and_then(|group| planned.named(group)) {
            groups.entry(group).or_default().push(address);
        }
    }
    let mut errors = Vec::new();
    for (group, members) in &groups {
        let (Some(room), Some(last)) = (rooms.get("targets-per-target-group"), members.last())
        else {
            continue;
        };
        let words = format!("{group} would have {} targets", members.len());
        let say = over(*room, members.len() as u64, words);
        errors.extend(say.map(|say| say(planned, last, "count")));
    }
    let all: Vec<&&Address> = groups.values().flatten().collect();
    if let (Some(room), Some(last)) =
        (rooms.get("targets-per-application-load-balancer"), all.last())
    {
        let words = format!("the load balancer would have {} targets", all.len());
        let say = over(*room, all.len() as u64, words);
        errors.extend(say.map(|say| say(planned, last, "count")));
    }
    errors
}

fn databases(planned: &Planned<'_>, answers: &Answers) -> Option<Diagnostic> {
    let rooms: Rooms = answers.get(&Question::DatabaseRoom)?;
    let room = *rooms.get("DBInstances")?;
    let added: Vec<&Change> = planned.added(db_instance::SCHEMA.kind).collect();
    let adds = added.len() as u64;
    let words = format!("{} databases would be in {}", room.used + adds, planned.desired.region);
    let say = over(room, adds, words)?;
    Some(say(planned, &added.last()?.address, "identifier"))
}

/// An error, once it is known where, if so much more is more than there is room for.
fn over(
    room: Room,
    adds: u64,
    words: String,
) -> Option<impl FnOnce(&Planned<'_>, &Address, &'static str) -> Diagnostic> {
    let Room { most, used } = room;
    (used.saturating_add(adds) > most).then_some(
        move |planned: &Planned<'_>, address: &Address, field: &'static str| {
            let label = match used {
                0 => "more than AWS gives this account".to_owned(),
                _ => format!("{used} are there, and {adds} come"),
            };
            let error = planned.blame(address, field, format!("{words}, and the quota is {most}"));
            error
                .label(label)
                .hint("ask AWS for more, in Service Quotas; or let this be less".to_owned())
        },
    )
}

/// The same, with how to ask for so much.
fn asking(error: Diagnostic, service: &str, code: &str, wanted: u64) -> Diagnostic {
    error.hint(format!(
        "ask AWS for more: aws service-quotas request-service-quota-increase --service-code {service} \
         --quota-code {code} --desired-value {wanted}"
    ))
}
