//! How much AWS gives an account, against what there is and what the plan adds to it at most.

use std::collections::BTreeSet;

use serde_json::Value;

use super::answers::Answers;
use super::planned::Planned;
use super::{Finding, peak};
use crate::diff::{Action, Change};
use crate::kinds::{
    cache_cluster, db_instance, instance, listener_rule, load_balancer, replication_group,
    security_group, target_group, vpc,
};
use crate::model::question::{Quota, Room, Rooms, Vpcs};
use crate::model::{Address, Body, Question};
use crate::topology::Diagnostic;

const SECURITY_GROUPS: &str = "security_groups";
/// Of one network interface, however much is asked for:
/// <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>
const MOST_GROUPS: u64 = 16;
/// What has network interfaces, and security groups on them.
const GROUPED: [&str; 5] = [
    instance::SCHEMA.kind,
    load_balancer::SCHEMA.kind,
    db_instance::SCHEMA.kind,
    cache_cluster::SCHEMA.kind,
    replication_group::SCHEMA.kind,
];

pub fn wants(planned: &Planned<'_>, _: &Answers) -> Vec<Question> {
    let mut questions = Vec::new();
    let types = peak::types(planned);
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
    if GROUPED.iter().any(|kind| planned.setting(kind, &[SECURITY_GROUPS]).next().is_some()) {
        questions.push(Question::Quota(Quota::InterfaceGroups));
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
    errors.extend(peak::vcpus(planned, answers));
    errors.extend(peak::addresses(planned));
    errors.extend(networks(planned, answers));
    errors.extend(rules_of_groups(planned, answers));
    errors.extend(groups_of_interfaces(planned, answers));
    errors.extend(balancing(planned, answers));
    errors.extend(databases(planned, answers));
    errors.into_iter().map(Finding::Refused).collect()
}

fn networks(planned: &Planned<'_>, answers: &Answers) -> Option<Diagnostic> {
    let most: u64 = answers.get(&Question::Quota(Quota::Vpcs))?;
    let used = answers.get::<Vpcs>(&Question::Vpcs)?.len() as u64;
    let new = planned.added(vpc::SCHEMA.kind).last()?;
    let words = format!("{} VPCs would be in {}", used + 1, planned.desired.region);
    let say = over(Room { most, used }, 1, words)?;
    Some(asking(say(planned, &new.address, "cidr_block"), "vpc", "L-F678F1CE", used + 1, ""))
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
        Some(asking(say(planned, &change.address, way), "vpc", "L-0EA8095F", count, ""))
    });
    errors.collect()
}

/// Those of machines, and of what else has interfaces.
fn groups_of_interfaces(planned: &Planned<'_>, answers: &Answers) -> Vec<Diagnostic> {
    let Some(most) = answers.get::<u64>(&Question::Quota(Quota::InterfaceGroups)) else {
        return Vec::new();
    };
    let mut said = BTreeSet::new();
    let coming = GROUPED.iter().flat_map(|kind| planned.setting(kind, &[SECURITY_GROUPS]));
    let errors = coming.filter_map(|(change, body)| {
        let count = body.get(SECURITY_GROUPS)?.as_array()?.len() as u64;
        let words = format!("{} would have {count} security groups", change.address);
        let say = over(Room { most, used: 0 }, count, words)?;
        let error = say(planned, &change.address, SECURITY_GROUPS);
        // One line of the file may be what many have.
        said.insert(planned.span(&change.address, SECURITY_GROUPS)).then(|| {
            match count > MOST_GROUPS {
                true => error.hint(format!(
                    "AWS gives no account more than {MOST_GROUPS}: join some of them"
                )),
                false => asking(error, "vpc", "L-2AFB9258", count, ""),
            }
        })
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
    errors.extend(peak::targets(planned, &rooms));
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

/// An error, once it is known where, if so much more is more than there is room for. Nothing more is refused nowhere.
pub fn over(
    room: Room,
    adds: u64,
    words: String,
) -> Option<impl FnOnce(&Planned<'_>, &Address, &'static str) -> Diagnostic> {
    let Room { most, used } = room;
    (adds > 0 && used.saturating_add(adds) > most).then_some(
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

/// The same, with how to ask for so much, and what else would help.
pub fn asking(error: Diagnostic, service: &str, code: &str, wanted: u64, or: &str) -> Diagnostic {
    error.hint(format!(
        "ask AWS for more: aws service-quotas request-service-quota-increase --service-code {service} \
         --quota-code {code} --desired-value {wanted}{or}"
    ))
}
