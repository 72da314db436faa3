//! The network everything stands in.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_ec2::types::{AttributeBooleanValue, ResourceType, Vpc as Seen, VpcAttributeName};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::terraform::{Argument, Terraform, whole};
use super::{Kind, Live, form};
use crate::aws::absent::away;
use crate::aws::{Aws, Reading, ec2, fault};
use crate::model::{
    ANYWHERE, Body, Calls, Created, Fault, Field, Grant, Observed, Operation, Schema, Standing,
    Tags, Timing,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vpc {
    pub cidr_block: String,
    pub enable_dns_support: bool,
    pub enable_dns_hostnames: bool,
}

pub static SCHEMA: Schema = Schema {
    kind: "vpc",
    fields: &[
        Field::replace("cidr_block"),
        Field::in_place("enable_dns_support").configured("true"),
        Field::in_place("enable_dns_hostnames").configured("false"),
    ],
    outputs: &[],
    id: "vpc-{hex}",
    unique: &[],
    timing: Timing { create: 2, update: 1, delete: 1, poll: 1 },
    calls: Calls::EC2,
};

const R: &[&str] = &["vpc/*"];

static OPERATIONS: &[Operation] = &[
    Operation::plan("ec2:DescribeVpcs", ANYWHERE),
    Operation::plan("ec2:DescribeVpcAttribute", &[Grant::named(R)]),
    Operation::creation("ec2:CreateVpc", &[Grant::born(R)]),
    Operation::change("ec2:ModifyVpcAttribute", &[Grant::ours(R)]),
    Operation::deletion("ec2:DeleteVpc", &[Grant::ours(R)]),
    Operation::change("ec2:CreateTags", &[ec2::tagging(R), Grant::ours(R), Grant::adopted(R)]),
];

static TERRAFORM: Terraform = Terraform {
    resource: "aws_vpc",
    import: "{id}",
    named_by: "id",
    outputs: &[],
    arguments: &[
        Argument::same("cidr_block"),
        Argument::same("enable_dns_support"),
        Argument::same("enable_dns_hostnames"),
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
        let seen = read.ec2.vpcs(read).await?.iter();
        let listed = seen
            .filter_map(|vpc| Some((vpc, vpc.vpc_id.clone()?, ec2::ours(vpc.tags.clone(), read)?)));
        try_join_all(listed.map(|(vpc, id, tags)| async move {
            // Two attributes, two calls: AWS tells one at a time.
            let (support, hostnames) = tokio::try_join!(
                attribute(read.aws, &id, VpcAttributeName::EnableDnsSupport),
                attribute(read.aws, &id, VpcAttributeName::EnableDnsHostnames),
            )?;
            let body = form::reported([
                ("cidr_block", vpc.cidr_block().map(Value::from)),
                ("enable_dns_support", support.map(Value::from)),
                ("enable_dns_hostnames", hostnames.map(Value::from)),
            ]);
            let status = ec2::settled(vpc.state().map(|state| state.as_str()));
            Ok(Observed { status, ..form::observed(&SCHEMA, id, tags, body) })
        }))
        .await
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        let spec: Vpc = form::spec(&SCHEMA, body)?;
        let call = aws
            .ec2
            .create_vpc()
            .cidr_block(spec.cidr_block)
            .tag_specifications(ec2::born_with(ResourceType::Vpc, tags));
        let call = call.customize().config_override(ec2::unrepeated());
        let answer = call.send().await.map_err(fault("ec2:CreateVpc"))?;
        Ok(Created::id(answer.vpc.and_then(|vpc| vpc.vpc_id).unwrap_or_default()))
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Live,
        after: &Body,
        changed: &[&str],
    ) -> Result<(), Fault> {
        // Host names need DNS: on after it, off before it.
        let on = |field: &&str| form::field(&SCHEMA, after, field).unwrap_or(true);
        let order = ["enable_dns_support", "enable_dns_hostnames"];
        let order = if on(&order[0]) { order } else { [order[1], order[0]] };
        for field in order.into_iter().filter(|field| changed.contains(field)) {
            let value = AttributeBooleanValue::builder().value(form::field(&SCHEMA, after, field)?);
            let call = aws.ec2.modify_vpc_attribute().vpc_id(&live.id);
            let call = match field {
                "enable_dns_support" => call.enable_dns_support(value.build()),
                _ => call.enable_dns_hostnames(value.build()),
            };
            call.send().await.map_err(fault("ec2:ModifyVpcAttribute"))?;
        }
        Ok(())
    }

    async fn delete(&self, aws: &Aws, live: &Live, _: &Body) -> Result<(), Fault> {
        let answer = aws.ec2.delete_vpc().vpc_id(&live.id).send().await;
        away(answer.map_err(fault("ec2:DeleteVpc")))
    }

    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        ec2::status("vpc-id", ids, |filter| async move {
            let seen = ec2::vpcs(aws, filter).await?.into_iter();
            let status = |vpc: &Seen| ec2::settled(vpc.state().map(|state| state.as_str()));
            Ok(seen.map(|vpc| (vpc.vpc_id.clone(), status(&vpc))).collect())
        })
        .await
    }

    async fn tag(&self, aws: &Aws, live: &Live, tags: &Tags) -> Result<(), Fault> {
        ec2::tag_all(aws, [(live.id.as_str(), tags)]).await
    }

    async fn tag_all(&self, aws: &Aws, all: &[(Live, Tags)]) -> Result<(), Fault> {
        ec2::tag_all(aws, all.iter().map(|(live, tags)| (live.id.as_str(), tags))).await
    }
}

async fn attribute(aws: &Aws, id: &str, name: VpcAttributeName) -> Result<Option<bool>, Fault> {
    let call = aws.ec2.describe_vpc_attribute().vpc_id(id).attribute(name);
    let answer = call.send().await.map_err(fault("ec2:DescribeVpcAttribute"))?;
    Ok(answer.enable_dns_support.or(answer.enable_dns_hostnames).and_then(|found| found.value))
}
