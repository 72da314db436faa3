//! What the kinds of ELB share: listings asked for once a reading, tags, and who is registered where.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, ForwardActionConfig, Listener, LoadBalancer, Rule, Tag, TagDescription,
    TargetGroup, TargetGroupTuple, TargetHealthDescription, TargetHealthStateEnum,
};
use futures_util::future::{try_join, try_join_all, try_join3};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::absent::{in_batches, unless_gone};
use super::{Aws, Reading, fault};
use crate::model::question::{Name, Namesake, Namesakes};
use crate::model::{
    Class, Condition, Duty, Fault, Grant, Scope, Standing, Status, Tags, TargetHealth,
};

/// AWS's code for a target that is in the group no more.
const NOT_REGISTERED: &str = "Target.NotRegistered";

/// Tags on what a call is just making:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/tag-on-create-permission.html>
static CREATING: Scope = Scope::new(
    "TagsAtCreation",
    &[
        Condition::new("StringEquals", "aws:RequestTag/ecdeploy:topology", &["{topology}"]),
        Condition::new("Null", "elasticloadbalancing:CreateAction", &["false"]),
    ],
);

pub const fn tagging(resources: &'static [&'static str]) -> Grant {
    Grant::within(&CREATING, resources).of("elasticloadbalancing:AddTags")
}

/// What several kinds read, asked for once a reading.
#[derive(Default)]
pub struct Shared {
    balancers: OnceCell<Vec<LoadBalancer>>,
    groups: OnceCell<Vec<TargetGroup>>,
    unlikely: OnceCell<BTreeMap<String, Tags>>,
    listeners: OnceCell<Vec<Listener>>,
    rules: OnceCell<Vec<(String, Rule)>>,
    tags: OnceCell<BTreeMap<String, Tags>>,
    targets: OnceCell<BTreeMap<String, Target>>,
}

/// One instance as our target groups know it.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The one that it is registered with.
    pub group: Option<String>,
    pub duty: Duty,
    /// What each of them finds of it.
    pub health: Vec<TargetHealth>,
}

impl Shared {
    /// Every load balancer of the account and region.
    pub async fn balancers(&self, read: &Reading<'_>) -> Result<&Vec<LoadBalancer>, Fault> {
        self.balancers
            .get_or_try_init(|| async {
                let pages = read.aws.elb.describe_load_balancers().into_paginator().items();
                let all: Result<_, _> = pages.send().collect().await;
                all.map_err(fault("elasticloadbalancing:DescribeLoadBalancers"))
            })
            .await
    }

    /// Every target group of the account and region.
    pub async fn groups(&self, read: &Reading<'_>) -> Result<&Vec<TargetGroup>, Fault> {
        self.groups
            .get_or_try_init(|| async {
                let pages = read.aws.elb.describe_target_groups().into_paginator().items();
                let all: Result<_, _> = pages.send().collect().await;
                all.map_err(fault("elasticloadbalancing:DescribeTargetGroups"))
            })
            .await
    }

    /// The tags of everything of ELB's that is ours, by ARN. What stands in a VPC of ours is asked about last, all in
    /// the same calls.
    pub async fn tags(&self, read: &Reading<'_>) -> Result<&BTreeMap<String, Tags>, Fault> {
        self.tags
            .get_or_try_init(|| async {
                let (likely, _) = self.parents(read).await?;
                let (listeners, rules) = try_join(self.listeners(read), self.rules(read)).await?;
                let listeners = listeners.iter().filter_map(|one| one.listener_arn.clone());
                let rules = rules.iter().filter_map(|(_, rule)| rule.rule_arn.clone());
                let arns = likely.into_iter().chain(listeners).chain(rules).collect();
                let mut tags = our_tags(read, arns).await?;
                tags.extend(self.unlikely(read).await?.clone());
                Ok(tags)
            })
            .await
    }

    /// The ARNs of load balancers and target groups: those in a VPC of ours, and the others.
    async fn parents(&self, read: &Reading<'_>) -> Result<(Vec<String>, Vec<String>), Fault> {
        let (balancers, groups, likely) =
            try_join3(self.balancers(read), self.groups(read), read.likely()).await?;
        let balancers = balancers.iter().map(|one| (&one.load_balancer_arn, one.vpc_id()));
        let groups = groups.iter().map(|one| (&one.target_group_arn, one.vpc_id()));
        let all = balancers.chain(groups).filter_map(|(arn, vpc)| Some((arn.clone()?, vpc)));
        let (near, far): (Vec<_>, Vec<_>) = all.partition(|(_, vpc)| likely(*vpc));
        let arns = |some: Vec<(String, _)>| some.into_iter().map(|(arn, _)| arn).collect();
        Ok((arns(near), arns(far)))
    }

    /// The tags of the load balancers and target groups that are ours though they stand in no VPC of ours: somebody may
    /// have taken the VPC's tags away.
    async fn unlikely(&self, read: &Reading<'_>) -> Result<&BTreeMap<String, Tags>, Fault> {
        let asked = || async { our_tags(read, self.parents(read).await?.1).await };
        self.unlikely.get_or_try_init(asked).await
    }

    /// The listeners of load balancers that may be ours.
    pub async fn listeners(&self, read: &Reading<'_>) -> Result<&Vec<Listener>, Fault> {
        self.listeners
            .get_or_try_init(|| async {
                let (balancers, likely) = try_join(self.balancers(read), read.likely()).await?;
                let parents = balancers.iter().filter_map(|balancer| {
                    Some((balancer.load_balancer_arn()?, likely(balancer.vpc_id())))
                });
                let listeners =
                    self.children(read, parents, |arn| listeners(read.aws, arn)).await?;
                Ok(listeners.into_iter().flat_map(|(_, listeners)| listeners).collect())
            })
            .await
    }

    /// The rules of those listeners, each with its listener's ARN; but for the default ones, which are the listeners'
    /// own.
    pub async fn rules(&self, read: &Reading<'_>) -> Result<&Vec<(String, Rule)>, Fault> {
        self.rules
            .get_or_try_init(|| async {
                let listeners = self.listeners(read).await?;
                let arns = listeners.iter().filter_map(|one| one.listener_arn.as_deref());
                let asked = arns.map(|listener| async move {
                    let rules = unless_gone(rules(read.aws, listener).await)?;
                    Ok::<_, Fault>(rules.into_iter().map(|rule| (listener.to_owned(), rule)))
                });
                Ok(try_join_all(asked).await?.into_iter().flatten().collect())
            })
            .await
    }

    /// The instances that our target groups know, each with how it stands with them.
    pub async fn targets(&self, read: &Reading<'_>) -> Result<&BTreeMap<String, Target>, Fault> {
        self.targets
            .get_or_try_init(|| async {
                let (groups, likely) = try_join(self.groups(read), read.likely()).await?;
                let parents = groups
                    .iter()
                    .filter_map(|group| Some((group.target_group_arn()?, likely(group.vpc_id()))));
                let health = self.children(read, parents, |arn| health(read.aws, arn));
                let (health, tags) = try_join(health, self.tags(read)).await?;
                let mut all: BTreeMap<String, Target> = BTreeMap::new();
                for (arn, seen) in health.into_iter().filter(|(arn, _)| tags.contains_key(*arn)) {
                    for found in seen.into_iter().filter_map(|seen| finding(arn, seen)) {
                        let target = all.entry(found.target.clone()).or_default();
                        target.duty.sick |= found.is_unhealthy();
                        match found.is_draining() {
                            true => target.duty.draining.push(found.group.clone()),
                            false => target.group = Some(found.group.clone()),
                        }
                        target.health.push(found);
                    }
                }
                Ok(all)
            })
            .await
    }

    /// What `ask` gives for each of the `parents` that may be ours: those that are `likely` so, whose tags are read
    /// later, and of the others those whose tags say it.
    async fn children<'p, T, F>(
        &self,
        read: &Reading<'_>,
        parents: impl Iterator<Item = (&'p str, bool)>,
        ask: impl Fn(&'p str) -> F,
    ) -> Result<Vec<(&'p str, T)>, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let (likely, unlikely): (Vec<_>, Vec<_>) = parents.partition(|(_, likely)| *likely);
        let asked = |(arn, _)| {
            let answer = ask(arn);
            async move { answer.await.map(|children| (arn, children)) }
        };
        let (tags, mut found) =
            try_join(self.unlikely(read), try_join_all(likely.into_iter().map(&asked))).await?;
        let late = unlikely.into_iter().filter(|(arn, _)| tags.contains_key(*arn));
        found.extend(try_join_all(late.map(&asked)).await?);
        Ok(found)
    }
}

pub async fn listeners(aws: &Aws, balancer: &str) -> Result<Vec<Listener>, Fault> {
    let pages = aws.elb.describe_listeners().load_balancer_arn(balancer).into_paginator().items();
    let all: Result<_, _> = pages.send().collect().await;
    unless_gone(all.map_err(fault("elasticloadbalancing:DescribeListeners")))
}

/// The rules of a listener, but for the default one, which is the listener's own.
pub async fn rules(aws: &Aws, listener: &str) -> Result<Vec<Rule>, Fault> {
    let pages = aws.elb.describe_rules().listener_arn(listener).into_paginator().items();
    let all: Result<Vec<Rule>, _> = pages.send().collect().await;
    let mut rules = all.map_err(fault("elasticloadbalancing:DescribeRules"))?;
    rules.retain(|rule| rule.is_default != Some(true));
    Ok(rules)
}

async fn health(aws: &Aws, group: &str) -> Result<Vec<TargetHealthDescription>, Fault> {
    let answer = aws.elb.describe_target_health().target_group_arn(group).send().await;
    unless_gone(
        answer
            .map(|answer| answer.target_health_descriptions.unwrap_or_default())
            .map_err(fault("elasticloadbalancing:DescribeTargetHealth")),
    )
}

/// What the target groups find of their targets.
pub async fn findings(aws: &Aws, groups: &[String]) -> Result<Vec<TargetHealth>, Fault> {
    let asked = groups.iter().map(|group| async move { Ok((group, health(aws, group).await?)) });
    let found = try_join_all(asked).await?.into_iter().flat_map(|(group, targets)| {
        targets.into_iter().filter_map(|seen| finding(group, seen)).collect::<Vec<_>>()
    });
    Ok(found.collect())
}

/// What a group says of one of its targets; nothing of what is none.
fn finding(group: &str, seen: TargetHealthDescription) -> Option<TargetHealth> {
    let health = seen.target_health;
    let state = health.as_ref().and_then(|health| health.state.as_ref());
    let reason = health.as_ref().and_then(|health| health.reason.as_ref());
    let reason = reason.map(|reason| reason.as_str().to_owned());
    let description = health.as_ref().and_then(|health| health.description.clone());
    (reason.as_deref() != Some(NOT_REGISTERED)).then_some(TargetHealth {
        group: group.to_owned(),
        target: seen.target?.id?,
        state: state.map_or("unknown", TargetHealthStateEnum::as_str).to_owned(),
        reason,
        description,
    })
}

/// The tags of those of `arns` that bear the topology's tag.
async fn our_tags(read: &Reading<'_>, arns: Vec<String>) -> Result<BTreeMap<String, Tags>, Fault> {
    let mut tags = tags(read.aws, &arns).await?;
    tags.retain(|_, tags| read.owns(tags));
    Ok(tags)
}

/// Those that have one of these names, with their tags.
pub async fn namesakes(
    aws: &Aws,
    all: impl Iterator<Item = (Name, String)>,
    names: &BTreeSet<Name>,
) -> Result<Namesakes, Fault> {
    let held: Vec<(Name, String)> = all.filter(|(name, _)| names.contains(name)).collect();
    let arns: Vec<String> = held.iter().map(|(_, arn)| arn.clone()).collect();
    let mut tags = tags(aws, &arns).await?;
    let held = held.into_iter();
    Ok(held
        .map(|(name, id)| Namesake { name, tags: tags.remove(&id).unwrap_or_default(), id })
        .collect())
}

/// The tags of each of `arns` that is there.
pub async fn tags(aws: &Aws, arns: &[String]) -> Result<BTreeMap<String, Tags>, Fault> {
    let described = in_batches(arns, |arns| async {
        let answer = aws.elb.describe_tags().set_resource_arns(Some(arns)).send().await;
        answer
            .map(|answer| answer.tag_descriptions.unwrap_or_default())
            .map_err(fault("elasticloadbalancing:DescribeTags"))
    })
    .await?;
    Ok(described.into_iter().filter_map(by_arn).collect())
}

fn by_arn(description: TagDescription) -> Option<(String, Tags)> {
    let tags = description.tags.unwrap_or_default();
    let tags = tags.into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())));
    Some((description.resource_arn?, tags.collect()))
}

/// Sets tags on one resource.
pub async fn tag(aws: &Aws, arn: &str, tags: &Tags) -> Result<(), Fault> {
    let answer = aws.elb.add_tags().resource_arns(arn).set_tags(Some(to_sdk(tags))).send().await;
    answer.map(|_| ()).map_err(fault("elasticloadbalancing:AddTags"))
}

/// Tags as the SDK takes them.
pub fn to_sdk(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// The one thing that a creating call gives.
pub fn only<T>(operation: &str, answer: Option<Vec<T>>) -> Result<T, Fault> {
    let lacking = || Fault::new(Class::Fatal, operation, "", "the answer names nothing created");
    answer.and_then(|things| things.into_iter().next()).ok_or_else(lacking)
}

/// What has no states of its own is ready as soon as it's there.
pub fn there(arns: impl IntoIterator<Item = Option<String>>) -> BTreeMap<String, Standing> {
    arns.into_iter().flatten().map(|arn| (arn, Status::Ready.into())).collect()
}

/// The action that sends requests to a target group. Another one, where its id is not empty, is checked for health
/// meanwhile: what gets no requests at all is not.
/// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html>
pub fn forward(group: &str, standby: &str) -> Action {
    let action = Action::builder().r#type(ActionTypeEnum::Forward);
    if standby.is_empty() {
        return action.target_group_arn(group).build();
    }
    let weighted = |group: &str, weight| {
        TargetGroupTuple::builder().target_group_arn(group).weight(weight).build()
    };
    let config = ForwardActionConfig::builder()
        .target_groups(weighted(group, 1))
        .target_groups(weighted(standby, 0));
    action.forward_config(config.build()).build()
}

/// The target group to which the actions send requests, and the one that stands ready; null where they do anything
/// else.
pub fn forwarded(actions: &[Action]) -> (Value, Value) {
    let [action] = actions else { return (Value::Null, Value::Null) };
    let groups = action.forward_config.as_ref().map(|config| config.target_groups());
    let id = |group: &TargetGroupTuple| group.target_group_arn().map_or(Value::Null, Value::from);
    match groups {
        Some([only]) => (id(only), Value::Null),
        Some([first, second]) if second.weight() == Some(0) => (id(first), id(second)),
        Some([second, first]) if second.weight() == Some(0) => (id(first), id(second)),
        Some([_, ..]) => (Value::Null, Value::Null),
        _ => (action.target_group_arn().map_or(Value::Null, Value::from), Value::Null),
    }
}
