//! The way between the VPC and the internet.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_ec2::types::{Filter, InternetGateway as Seen, ResourceType};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::terraform::{Argument, Terraform, whole};
use super::{Kind, Live, form};
use crate::aws::absent::away;
use crate::aws::{Aws, Reading, ec2, fault};
use crate::model::{
    ANYWHERE, Body, Calls, Class, Created, Fault, Field, Grant, Link, Observed, Operation, Schema,
    Standing, Status, Tags, Timing,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InternetGateway {
    pub vpc: Link,
}

pub static SCHEMA: Schema = Schema {
    kind: "internet_gateway",
    fields: &[Field::in_place("vpc").names("vpc").configured("null")],
    outputs: &[],
    id: "igw-{hex}",
    unique: &[],
    timing: Timing { create: 1, update: 1, delete: 1, poll: 1 },
    calls: Calls::EC2,
};

const R: &[&str] = &["internet-gateway/*"];
const BOTH: &[&str] = &["internet-gateway/*", "vpc/*"];

static OPERATIONS: &[Operation] = &[
    Operation::plan("ec2:DescribeInternetGateways", ANYWHERE),
    Operation::creation("ec2:CreateInternetGateway", &[Grant::born(R)]),
    Operation::creation("ec2:AttachInternetGateway", &[Grant::ours(BOTH)]),
    Operation::deletion("ec2:DetachInternetGateway", &[Grant::ours(BOTH)]),
    Operation::deletion("ec2:DeleteInternetGateway", &[Grant::ours(R)]),
    Operation::change("ec2:CreateTags", &[ec2::tagging(R), Grant::ours(R), Grant::adopted(R)]),
];

static TERRAFORM: Terraform = Terraform {
    resource: "aws_internet_gateway",
    import: "{id}",
    named_by: "id",
    outputs: &[],
    arguments: &[Argument::Field("vpc_id", "vpc"), Argument::Tags],
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
        let seen = describe(read.aws, read.filter("internet-gateway-id")).await?;
        let listed = seen.into_iter().filter_map(|gateway| {
            let body = form::reported([("vpc", Some(Value::from(attached(&gateway))))]);
            let tags = ec2::ours(gateway.tags, read)?;
            Some(form::observed(&SCHEMA, gateway.internet_gateway_id?, tags, body))
        });
        Ok(listed.collect())
    }

    async fn create(&self, aws: &Aws, _: &Body, tags: &Tags) -> Result<Created, Fault> {
        let tags = ec2::born_with(ResourceType::InternetGateway, tags);
        let call = aws.ec2.create_internet_gateway().tag_specifications(tags);
        let call = call.customize().config_override(ec2::unrepeated());
        let answer = call.send().await.map_err(fault("ec2:CreateInternetGateway"))?;
        let id = answer.internet_gateway.and_then(|gateway| gateway.internet_gateway_id);
        Ok(Created::id(id.unwrap_or_default()))
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Live,
        after: &Body,
        changed: &[&str],
    ) -> Result<(), Fault> {
        if !changed.contains(&"vpc") {
            return Ok(());
        }
        detach(aws, live).await?;
        let vpc: Link = form::field(&SCHEMA, after, "vpc")?;
        if vpc.id().is_empty() {
            return Ok(());
        }
        let call = aws.ec2.attach_internet_gateway().internet_gateway_id(&live.id).vpc_id(vpc.id());
        let answer = call.send().await.map_err(fault("ec2:AttachInternetGateway"));
        match answer {
            // Said of any VPC, so it matters which.
            Err(fault) if fault.class == Class::Exists => {
                let seen = describe(aws, ec2::filter("internet-gateway-id", &live.id)).await?;
                let there = seen.iter().any(|gateway| {
                    gateway.internet_gateway_id.as_ref() == Some(&live.id)
                        && attached(gateway) == Some(vpc.id())
                });
                if there { Ok(()) } else { Err(fault) }
            }
            other => other.map(drop),
        }
    }

    async fn delete(&self, aws: &Aws, live: &Live, _: &Body) -> Result<(), Fault> {
        detach(aws, live).await?;
        let answer = aws.ec2.delete_internet_gateway().internet_gateway_id(&live.id).send().await;
        away(answer.map_err(fault("ec2:DeleteInternetGateway")))
    }

    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        ec2::status("internet-gateway-id", ids, |filter| async move {
            let seen = describe(aws, filter).await?.into_iter();
            Ok(seen.map(|gateway| (gateway.internet_gateway_id, Status::Ready)).collect())
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

async fn describe(aws: &Aws, filter: Filter) -> Result<Vec<Seen>, Fault> {
    let call = aws.ec2.describe_internet_gateways().filters(filter);
    let pages = call.into_paginator().page_size(1000).items().send();
    pages.collect::<Result<_, _>>().await.map_err(fault("ec2:DescribeInternetGateways"))
}

/// The VPC it is attached to. One that it is just leaving doesn't count.
fn attached(gateway: &Seen) -> Option<&str> {
    let leaving = ["detaching", "detached"];
    let mut attachments = gateway.attachments().iter().filter(|attachment| {
        !attachment.state().is_some_and(|state| leaving.contains(&state.as_str()))
    });
    attachments.find_map(|attachment| attachment.vpc_id())
}

async fn detach(aws: &Aws, live: &Live) -> Result<(), Fault> {
    let vpc: Link = form::field(&SCHEMA, &live.body, "vpc")?;
    if vpc.id().is_empty() {
        return Ok(());
    }
    let call = aws.ec2.detach_internet_gateway().internet_gateway_id(&live.id).vpc_id(vpc.id());
    away(call.send().await.map_err(fault("ec2:DetachInternetGateway")))
}
