//! Which paths go to which target group, tried in order of priority.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::types::{
    PathPatternConditionConfig, Rule, RuleCondition, RulePriorityPair,
};
use futures_util::future::{try_join, try_join_all};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::listener::forward;
use super::terraform::{Argument, Terraform, whole};
use super::{Kind, Live, form};
use crate::aws::absent::{away, in_batches};
use crate::aws::{Aws, Reading, elb, fault};
use crate::model::question::{Name, Namesakes};
use crate::model::{
    ANYWHERE, Body, Calls, Class, Created, Fault, Field, Grant, Link, Observed, Operation, Schema,
    Standing, Tags, Timing,
};

/// AWS's name for a condition on the path.
const PATH: &str = "path-pattern";
/// AWS's code for a priority that another rule has.
const IN_USE: &str = "PriorityInUse";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListenerRule {
    pub listener: Link,
    pub priority: u32,
    pub paths: Vec<String>,
    pub target_group: Link,
    /// Gets no requests yet, but health checks: there while the rule is switched to it.
    pub standby_target_group: Link,
}

pub static SCHEMA: Schema = Schema {
    kind: "listener_rule",
    fields: &[
        Field::replace("listener").names("listener").identifies(),
        Field::in_place("priority").together("listener"),
        Field::in_place("paths").set().identifies(),
        Field::in_place("target_group").names("target_group").switched("standby_target_group"),
        Field::in_place("standby_target_group").names("target_group").configured("null"),
    ],
    outputs: &[],
    id: "arn:aws:elasticloadbalancing:{region}:{account}:listener-rule/app/{hex}/{hex}",
    unique: &["listener", "priority"],
    timing: Timing { create: 1, update: 1, delete: 1, poll: 2 },
    calls: Calls::ELB,
};

const R: &[&str] = &["listener-rule/app/*"];

static OPERATIONS: &[Operation] = &[
    Operation::plan("elasticloadbalancing:DescribeRules", ANYWHERE),
    Operation::creation("elasticloadbalancing:CreateRule", &[Grant::ours(&["listener/app/*"])]),
    Operation::change("elasticloadbalancing:ModifyRule", &[Grant::ours(R)]),
    // It knows no tags, but the rules' own ARNs name their load balancer.
    Operation::change(
        "elasticloadbalancing:SetRulePriorities",
        &[Grant::named(&["listener-rule/app/{load_balancer.name}/*"])],
    ),
    Operation::deletion("elasticloadbalancing:DeleteRule", &[Grant::ours(R)]),
    Operation::change(
        "elasticloadbalancing:AddTags",
        &[elb::tagging(R), Grant::ours(R), Grant::adopted(R)],
    ),
];

static TERRAFORM: Terraform = Terraform {
    resource: "aws_lb_listener_rule",
    import: "{id}",
    named_by: "arn",
    outputs: &[],
    arguments: &[
        Argument::Field("listener_arn", "listener"),
        Argument::same("priority"),
        Argument::Field("condition.path_pattern.values", "paths"),
        Argument::Made("action", &["target_group", "standby_target_group"], |one| {
            forward(one.field("target_group"), one.field("standby_target_group"))
        }),
        Argument::Tags,
    ],
    parts: whole,
    beside: &[],
};

pub struct Wire;

#[async_trait]
impl Kind for Wire {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    fn terraform(&self) -> &'static Terraform {
        &TERRAFORM
    }

    async fn list(&self, read: &Reading<'_>) -> Result<Vec<Observed>, Fault> {
        let (rules, tags) = try_join(read.elb.rules(read), read.elb.tags(read)).await?;
        Ok(rules.iter().filter_map(|(listener, rule)| observe(listener, rule, tags)).collect())
    }

    async fn namesakes(
        &self,
        read: &Reading<'_>,
        names: &BTreeSet<Name>,
    ) -> Result<Namesakes, Fault> {
        let listeners: BTreeSet<&String> = names.iter().filter_map(|name| name.first()).collect();
        let asked = listeners.into_iter().map(|listener| async move {
            let rules = elb::rules(read.aws, listener).await?.into_iter();
            let named = rules
                .filter_map(|rule| Some((vec![listener.clone(), rule.priority?], rule.rule_arn?)));
            Ok::<_, Fault>(named.collect::<Vec<_>>())
        });
        let all = try_join_all(asked).await?.into_iter().flatten();
        elb::namesakes(read.aws, all, names).await
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        const OPERATION: &str = "elasticloadbalancing:CreateRule";
        let spec: ListenerRule = form::spec(&SCHEMA, body)?;
        let call = aws
            .elb
            .create_rule()
            .listener_arn(spec.listener.id())
            .priority(spec.priority.cast_signed())
            .conditions(condition(spec.paths))
            .actions(elb::forward(spec.target_group.id(), spec.standby_target_group.id()))
            .set_tags(Some(elb::to_sdk(tags)));
        let answer = match call.send().await.map_err(fault(OPERATION)) {
            Err(refusal) if refusal.code == IN_USE => {
                return taken(aws, spec.listener.id(), spec.priority, tags, refusal).await;
            }
            answer => answer?,
        };
        let rule = elb::only(OPERATION, answer.rules)?;
        Ok(Created::id(rule.rule_arn.unwrap_or_default()))
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Live,
        after: &Body,
        changed: &[&str],
    ) -> Result<(), Fault> {
        let spec: ListenerRule = form::spec(&SCHEMA, after)?;
        let changes = |field: &str| changed.contains(&field);
        if changes("priority") {
            set_priorities(aws, &[(&live.id, spec.priority)]).await?;
        }
        let forwards = changes("target_group") || changes("standby_target_group");
        if changes("paths") || forwards {
            let action = forwards.then(|| {
                vec![elb::forward(spec.target_group.id(), spec.standby_target_group.id())]
            });
            let condition = changes("paths").then(|| vec![condition(spec.paths)]);
            let call = aws.elb.modify_rule().rule_arn(&live.id);
            let call = call.set_conditions(condition).set_actions(action);
            call.send().await.map_err(fault("elasticloadbalancing:ModifyRule"))?;
        }
        Ok(())
    }

    async fn update_all(&self, aws: &Aws, all: &[(Live, Body)], _: &[&str]) -> Result<(), Fault> {
        let order = all.iter().map(|(live, after)| {
            let spec: ListenerRule = form::spec(&SCHEMA, after)?;
            Ok((live.id.as_str(), spec.priority))
        });
        let order = order.collect::<Result<Vec<_>, Fault>>()?;
        set_priorities(aws, &order).await
    }

    async fn delete(&self, aws: &Aws, live: &Live, _: &Body) -> Result<(), Fault> {
        let answer = aws.elb.delete_rule().rule_arn(&live.id).send().await;
        away(answer.map_err(fault("elasticloadbalancing:DeleteRule")))
    }

    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        let found = in_batches(ids, |arns| async {
            let answer = aws.elb.describe_rules().set_rule_arns(Some(arns)).send().await;
            answer
                .map(|answer| answer.rules.unwrap_or_default())
                .map_err(fault("elasticloadbalancing:DescribeRules"))
        });
        Ok(elb::there(found.await?.into_iter().map(|rule| rule.rule_arn)))
    }

    async fn tag(&self, aws: &Aws, live: &Live, tags: &Tags) -> Result<(), Fault> {
        elb::tag(aws, &live.id, tags).await
    }
}

/// What a creation comes to whose priority is taken: done, if its answer was lost and the rule is this very one. While no
/// rule is seen to have it, the listing lags behind: that passes, and is to be asked again.
async fn taken(
    aws: &Aws,
    listener: &str,
    priority: u32,
    tags: &Tags,
    refusal: Fault,
) -> Result<Created, Fault> {
    let rules = elb::rules(aws, listener).await?;
    let holder = rules.iter().find(|rule| place(rule) == Some(priority));
    let Some(holder) = holder.and_then(Rule::rule_arn) else {
        return Err(Fault { class: Class::NotFound, ..refusal });
    };
    let mut known = elb::tags(aws, &[holder.to_owned()]).await?;
    let has = known.remove(holder).unwrap_or_default();
    let same = tags.iter().all(|(key, value)| has.get(key) == Some(value));
    if same { Ok(Created::id(holder)) } else { Err(refusal) }
}

/// The rule's priority; the SDK has it as text.
fn place(rule: &Rule) -> Option<u32> {
    rule.priority.as_deref()?.parse().ok()
}

/// Gives all of these their priorities at one instant. AWS refuses it only where a rule that is not named has one of
/// them.
/// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetRulePriorities.html>
async fn set_priorities(aws: &Aws, order: &[(&str, u32)]) -> Result<(), Fault> {
    let pairs = order.iter().map(|(rule, priority)| {
        RulePriorityPair::builder().rule_arn(*rule).priority(priority.cast_signed()).build()
    });
    let call = aws.elb.set_rule_priorities().set_rule_priorities(Some(pairs.collect()));
    call.send().await.map_err(fault("elasticloadbalancing:SetRulePriorities"))?;
    Ok(())
}

fn condition(paths: Vec<String>) -> RuleCondition {
    let patterns = PathPatternConditionConfig::builder().set_values(Some(paths)).build();
    RuleCondition::builder().field(PATH).path_pattern_config(patterns).build()
}

fn observe(listener: &str, rule: &Rule, tags: &BTreeMap<String, Tags>) -> Option<Observed> {
    let id = rule.rule_arn.clone()?;
    let tags = tags.get(&id)?.clone();
    let sent = rule.actions.as_deref().map(elb::forwarded);
    let body = form::reported([
        ("listener", Some(listener.into())),
        ("priority", place(rule).map(Value::from)),
        ("paths", rule.conditions.as_deref().map(paths)),
        ("target_group", sent.as_ref().map(|sent| sent.0.clone())),
        ("standby_target_group", sent.map(|sent| sent.1)),
    ]);
    Some(form::observed(&SCHEMA, id, tags, body))
}

/// The paths that the conditions name; none where somebody put another condition in their stead.
fn paths(conditions: &[RuleCondition]) -> Value {
    let paths = conditions.iter().filter(|condition| condition.field() == Some(PATH));
    let paths = paths.flat_map(|condition| match &condition.path_pattern_config {
        Some(config) if !config.values().is_empty() => config.values(),
        _ => condition.values(),
    });
    form::set(paths.map(|path| path.as_str().into()))
}
