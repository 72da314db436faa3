//! Where the load balancer sends the requests of one service, and how it knows who is healthy.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::types::{self as sdk, Matcher, TargetTypeEnum};
use futures_util::future::try_join;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::terraform::{Argument, Terraform, whole};
use super::{Detail, Kind, Live, each, form};
use crate::aws::absent::{away, in_batches};
use crate::aws::{Aws, Reading, elb, fault};
use crate::model::question::{Name, Namesakes};
use crate::model::{
    ANYWHERE, Body, Calls, Created, Fault, Field, Grant, Link, Observed, Operation, Schema,
    Standing, Tags, Timing,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetGroup {
    pub vpc: Link,
    pub name: String,
    pub port: u16,
    pub protocol: String,
    pub health_check_path: String,
    pub health_check_interval: u32,
    pub health_check_timeout: u32,
    pub healthy_threshold: u32,
    pub unhealthy_threshold: u32,
    pub health_check_matcher: String,
    /// In seconds.
    pub deregistration_delay: u32,
}

pub static SCHEMA: Schema = Schema {
    kind: "target_group",
    fields: &[
        Field::replace("vpc").names("vpc"),
        Field::replace("name"),
        Field::replace("port"),
        Field::replace("protocol"),
        Field::in_place("health_check_path"),
        Field::in_place("health_check_interval"),
        Field::in_place("health_check_timeout"),
        Field::in_place("healthy_threshold"),
        Field::in_place("unhealthy_threshold"),
        Field::in_place("health_check_matcher"),
        // Described one group a call, so never: it is compared by what was last applied. AWS begins with 300.
        Field::in_place("deregistration_delay").configured("300"),
    ],
    outputs: &[],
    id: "arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/{name}/{hex}",
    unique: &["name"],
    timing: Timing { create: 2, update: 1, delete: 1, poll: 2 },
    calls: Calls::ELB,
};

/// The field that is an attribute, with a call of its own.
const DELAY: &str = "deregistration_delay";
/// AWS's name for it.
const DELAY_KEY: &str = "deregistration_delay.timeout_seconds";

const R: &[&str] = &["targetgroup/*"];

static OPERATIONS: &[Operation] = &[
    Operation::plan("elasticloadbalancing:DescribeTargetGroups", ANYWHERE),
    Operation::plan("elasticloadbalancing:DescribeTags", ANYWHERE),
    Operation::plan("elasticloadbalancing:DescribeTargetHealth", ANYWHERE),
    Operation::apply("elasticloadbalancing:DescribeTargetGroupAttributes", ANYWHERE),
    Operation::creation("elasticloadbalancing:CreateTargetGroup", &[Grant::born(R)]),
    Operation::change("elasticloadbalancing:ModifyTargetGroup", &[Grant::ours(R)]),
    Operation::change("elasticloadbalancing:ModifyTargetGroupAttributes", &[Grant::ours(R)]),
    Operation::deletion("elasticloadbalancing:DeleteTargetGroup", &[Grant::ours(R)]),
    Operation::change(
        "elasticloadbalancing:AddTags",
        &[elb::tagging(R), Grant::ours(R), Grant::adopted(R)],
    ),
];

static TERRAFORM: Terraform = Terraform {
    resource: "aws_lb_target_group",
    import: "{id}",
    named_by: "arn",
    outputs: &[],
    arguments: &[
        Argument::same("name"),
        Argument::same("port"),
        Argument::same("protocol"),
        Argument::Field("vpc_id", "vpc"),
        Argument::same("deregistration_delay"),
        Argument::Field("health_check.path", "health_check_path"),
        Argument::Field("health_check.interval", "health_check_interval"),
        Argument::Field("health_check.timeout", "health_check_timeout"),
        Argument::Field("health_check.healthy_threshold", "healthy_threshold"),
        Argument::Field("health_check.unhealthy_threshold", "unhealthy_threshold"),
        Argument::Field("health_check.matcher", "health_check_matcher"),
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

    async fn details(&self, aws: &Aws, all: &[Live]) -> Result<BTreeMap<String, Detail>, Fault> {
        each(all, |group| async {
            const OPERATION: &str = "elasticloadbalancing:DescribeTargetGroupAttributes";
            let call = aws.elb.describe_target_group_attributes().target_group_arn(&group.id);
            let answer = call.send().await.map_err(fault(OPERATION))?;
            let known = answer.attributes().iter().find(|known| known.key() == Some(DELAY_KEY));
            let delay = known.and_then(|known| known.value()?.parse::<u32>().ok());
            let body = form::reported([(DELAY, delay.map(Value::from))]);
            Ok(Detail { body, tags: None })
        })
        .await
    }

    async fn list(&self, read: &Reading<'_>) -> Result<Vec<Observed>, Fault> {
        let (groups, tags) = try_join(read.elb.groups(read), read.elb.tags(read)).await?;
        Ok(groups.iter().filter_map(|group| observe(group, tags)).collect())
    }

    async fn namesakes(
        &self,
        read: &Reading<'_>,
        names: &BTreeSet<Name>,
    ) -> Result<Namesakes, Fault> {
        let all = read.elb.groups(read).await?.iter().filter_map(|one| {
            Some((vec![one.target_group_name.clone()?], one.target_group_arn.clone()?))
        });
        elb::namesakes(read.aws, all, names).await
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        const OPERATION: &str = "elasticloadbalancing:CreateTargetGroup";
        let spec: TargetGroup = form::spec(&SCHEMA, body)?;
        let call = aws
            .elb
            .create_target_group()
            .target_type(TargetTypeEnum::Instance)
            .vpc_id(spec.vpc.id())
            .name(spec.name)
            .port(spec.port.into())
            .protocol(spec.protocol.as_str().into())
            .health_check_path(spec.health_check_path)
            .health_check_interval_seconds(spec.health_check_interval.cast_signed())
            .health_check_timeout_seconds(spec.health_check_timeout.cast_signed())
            .healthy_threshold_count(spec.healthy_threshold.cast_signed())
            .unhealthy_threshold_count(spec.unhealthy_threshold.cast_signed())
            .matcher(Matcher::builder().http_code(spec.health_check_matcher).build())
            .set_tags(Some(elb::to_sdk(tags)));
        let answer = call.send().await.map_err(fault(OPERATION))?;
        let group = elb::only(OPERATION, answer.target_groups)?;
        Ok(Created::id(group.target_group_arn.unwrap_or_default()))
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Live,
        after: &Body,
        changed: &[&str],
    ) -> Result<(), Fault> {
        let spec: TargetGroup = form::spec(&SCHEMA, after)?;
        if changed.contains(&DELAY) {
            const OPERATION: &str = "elasticloadbalancing:ModifyTargetGroupAttributes";
            let delay = sdk::TargetGroupAttribute::builder()
                .key(DELAY_KEY)
                .value(spec.deregistration_delay.to_string());
            let call = aws.elb.modify_target_group_attributes().target_group_arn(&live.id);
            call.attributes(delay.build()).send().await.map_err(fault(OPERATION))?;
        }
        if changed.iter().any(|field| *field != DELAY) {
            modify(aws, &live.id, spec, changed).await?;
        }
        Ok(())
    }

    async fn delete(&self, aws: &Aws, live: &Live, _: &Body) -> Result<(), Fault> {
        let answer = aws.elb.delete_target_group().target_group_arn(&live.id).send().await;
        away(answer.map_err(fault("elasticloadbalancing:DeleteTargetGroup")))
    }

    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        let found = in_batches(ids, |arns| async {
            let call = aws.elb.describe_target_groups().set_target_group_arns(Some(arns));
            let answer = call.send().await;
            answer
                .map(|answer| answer.target_groups.unwrap_or_default())
                .map_err(fault("elasticloadbalancing:DescribeTargetGroups"))
        });
        Ok(elb::there(found.await?.into_iter().map(|group| group.target_group_arn)))
    }

    async fn tag(&self, aws: &Aws, live: &Live, tags: &Tags) -> Result<(), Fault> {
        elb::tag(aws, &live.id, tags).await
    }
}

async fn modify(aws: &Aws, id: &str, spec: TargetGroup, changed: &[&str]) -> Result<(), Fault> {
    let changes = |field: &str| changed.contains(&field);
    let number = |field: &str, value: u32| changes(field).then(|| value.cast_signed());
    let matcher = Matcher::builder().http_code(spec.health_check_matcher).build();
    let call = aws
        .elb
        .modify_target_group()
        .target_group_arn(id)
        .set_health_check_path(changes("health_check_path").then_some(spec.health_check_path))
        .set_health_check_interval_seconds(number(
            "health_check_interval",
            spec.health_check_interval,
        ))
        .set_health_check_timeout_seconds(number("health_check_timeout", spec.health_check_timeout))
        .set_healthy_threshold_count(number("healthy_threshold", spec.healthy_threshold))
        .set_unhealthy_threshold_count(number("unhealthy_threshold", spec.unhealthy_threshold))
        .set_matcher(changes("health_check_matcher").then_some(matcher));
    call.send().await.map(drop).map_err(fault("elasticloadbalancing:ModifyTargetGroup"))
}

fn observe(group: &sdk::TargetGroup, tags: &BTreeMap<String, Tags>) -> Option<Observed> {
    let id = group.target_group_arn.clone()?;
    let tags = tags.get(&id)?.clone();
    let matcher = group.matcher.as_ref().and_then(|matcher| matcher.http_code.clone());
    let body = form::reported([
        ("vpc", group.vpc_id.clone().map(Value::from)),
        ("name", group.target_group_name.clone().map(Value::from)),
        ("port", group.port.map(Value::from)),
        ("protocol", group.protocol.as_ref().map(|protocol| protocol.as_str().into())),
        ("health_check_path", group.health_check_path.clone().map(Value::from)),
        ("health_check_interval", group.health_check_interval_seconds.map(Value::from)),
        ("health_check_timeout", group.health_check_timeout_seconds.map(Value::from)),
        ("healthy_threshold", group.healthy_threshold_count.map(Value::from)),
        ("unhealthy_threshold", group.unhealthy_threshold_count.map(Value::from)),
        ("health_check_matcher", matcher.map(Value::from)),
    ]);
    Some(form::observed(&SCHEMA, id, tags, body))
}
