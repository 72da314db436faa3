//! A range of addresses in one zone, and the route table it goes by.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, Filter, ResourceType, RouteTable, RouteTableAssociation, Subnet as Seen,
};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::terraform::{Argument, One, Part, Terraform};
use super::{Kind, Live, form};
use crate::aws::absent::away;
use crate::aws::{Aws, Reading, ec2, fault};
use crate::model::question::{Name, Namesake, Namesakes};
use crate::model::{
    ANYWHERE, Body, Calls, Class, Created, Fault, Field, Grant, Link, Observed, Operation, Schema,
    Standing, Tags, Timing, reference,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subnet {
    pub vpc: Link,
    pub cidr_block: String,
    pub availability_zone: String,
    pub map_public_ip_on_launch: bool,
    pub route_table: Link,
}

pub static SCHEMA: Schema = Schema {
    kind: "subnet",
    fields: &[
        Field::replace("vpc").names("vpc"),
        Field::replace("cidr_block"),
        Field::replace("availability_zone"),
        Field::in_place("map_public_ip_on_launch").configured("false"),
        Field::in_place("route_table").names("route_table").configured("null"),
    ],
    outputs: &[],
    id: "subnet-{hex}",
    unique: &["vpc", "cidr_block"],
    timing: Timing { create: 2, update: 1, delete: 1, poll: 1 },
    calls: Calls::EC2,
};

const R: &[&str] = &["subnet/*"];
const BOTH: &[&str] = &["subnet/*", "route-table/*"];

static OPERATIONS: &[Operation] = &[
    Operation::plan("ec2:DescribeSubnets", ANYWHERE),
    Operation::creation("ec2:CreateSubnet", &[Grant::born(R), Grant::ours(&["vpc/*"])]),
    Operation::change("ec2:ModifySubnetAttribute", &[Grant::ours(R)]),
    Operation::change("ec2:AssociateRouteTable", &[Grant::ours(BOTH)]),
    Operation::change("ec2:ReplaceRouteTableAssociation", &[Grant::ours(BOTH)]),
    Operation::change("ec2:DisassociateRouteTable", &[Grant::ours(BOTH)]),
    Operation::deletion("ec2:DeleteSubnet", &[Grant::ours(R)]),
    Operation::change("ec2:CreateTags", &[ec2::tagging(R), Grant::ours(R), Grant::adopted(R)]),
];

static TERRAFORM: Terraform = Terraform {
    resource: "aws_subnet",
    import: "{id}",
    named_by: "id",
    outputs: &[],
    arguments: &[
        Argument::Field("vpc_id", "vpc"),
        Argument::same("cidr_block"),
        Argument::same("availability_zone"),
        Argument::same("map_public_ip_on_launch"),
        Argument::Tags,
    ],
    parts: goes_by,
    beside: &["route_table"],
};

/// A subnet that goes by the VPC's main route table has none.
fn goes_by(one: &One<'_>) -> Vec<Part> {
    let table = one.text("route_table");
    let part = (!table.is_empty()).then(|| Part {
        resource: "aws_route_table_association",
        suffix: String::new(),
        import: Some(format!("{}/{table}", one.live.id)),
        arguments: vec![
            ("subnet_id", reference(one.address)),
            ("route_table_id", one.field("route_table")),
        ],
    });
    part.into_iter().collect()
}

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
        let (seen, tables) = tokio::try_join!(
            describe(read.aws, read.filter("subnet-id")),
            read.ec2.route_tables(read),
        )?;
        let listed = seen.into_iter().filter_map(|subnet| {
            let tags = ec2::ours(subnet.tags, read)?;
            let id = subnet.subnet_id?;
            let table = association(tables, &id).and_then(|found| found.route_table_id());
            let body = form::reported([
                ("vpc", subnet.vpc_id.map(Value::from)),
                ("cidr_block", subnet.cidr_block.map(Value::from)),
                ("availability_zone", subnet.availability_zone.map(Value::from)),
                ("map_public_ip_on_launch", subnet.map_public_ip_on_launch.map(Value::from)),
                ("route_table", Some(Value::from(table))),
            ]);
            let status = ec2::settled(subnet.state.as_ref().map(|state| state.as_str()));
            Some(Observed { status, ..form::observed(&SCHEMA, id, tags, body) })
        });
        Ok(listed.collect())
    }

    async fn namesakes(
        &self,
        read: &Reading<'_>,
        names: &BTreeSet<Name>,
    ) -> Result<Namesakes, Fault> {
        let all = describe(read.aws, ec2::vpcs_of(names)).await?;
        // A part of its addresses, taken, is all of them.
        let meet = |one: &str, other: &str| {
            let (Ok(one), Ok(other)) = (one.parse::<Ipv4Net>(), other.parse::<Ipv4Net>()) else {
                return false;
            };
            one.contains(&other) || other.contains(&one)
        };
        let held = all.into_iter().flat_map(|subnet| {
            let there = [subnet.vpc_id(), subnet.cidr_block()].map(Option::unwrap_or_default);
            let tags = ec2::from_sdk(subnet.tags.clone());
            let id = subnet.subnet_id.clone().unwrap_or_default();
            let mine = names.iter().filter(|name| match &name[..] {
                [vpc, block] => vpc == there[0] && meet(block, there[1]),
                _ => false,
            });
            let held = mine.map(|name| Namesake {
                name: name.clone(),
                id: id.clone(),
                tags: tags.clone(),
            });
            held.collect::<Vec<_>>()
        });
        Ok(held.collect())
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        let spec: Subnet = form::spec(&SCHEMA, body)?;
        let call = aws
            .ec2
            .create_subnet()
            .vpc_id(spec.vpc.id())
            .cidr_block(spec.cidr_block)
            .availability_zone(spec.availability_zone)
            .tag_specifications(ec2::born_with(ResourceType::Subnet, tags));
        let call = call.customize().config_override(ec2::unrepeated());
        let answer = call.send().await.map_err(fault("ec2:CreateSubnet"))?;
        Ok(Created::id(answer.subnet.and_then(|subnet| subnet.subnet_id).unwrap_or_default()))
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Live,
        after: &Body,
        changed: &[&str],
    ) -> Result<(), Fault> {
        let public = async {
            if !changed.contains(&"map_public_ip_on_launch") {
                return Ok(());
            }
            let value = form::field(&SCHEMA, after, "map_public_ip_on_launch")?;
            let value = AttributeBooleanValue::builder().value(value).build();
            let call = aws.ec2.modify_subnet_attribute().subnet_id(&live.id);
            let answer = call.map_public_ip_on_launch(value).send().await;
            answer.map(drop).map_err(fault("ec2:ModifySubnetAttribute"))
        };
        let associated = async {
            if !changed.contains(&"route_table") {
                return Ok(());
            }
            let table: Link = form::field(&SCHEMA, after, "route_table")?;
            associate(aws, &live.id, table.id()).await
        };
        tokio::try_join!(public, associated)?;
        Ok(())
    }

    async fn delete(&self, aws: &Aws, live: &Live, _: &Body) -> Result<(), Fault> {
        let answer = aws.ec2.delete_subnet().subnet_id(&live.id).send().await;
        away(answer.map_err(fault("ec2:DeleteSubnet")))
    }

    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        ec2::status("subnet-id", ids, |filter| async move {
            let status = |subnet: Seen| {
                (subnet.subnet_id, ec2::settled(subnet.state.as_ref().map(|state| state.as_str())))
            };
            Ok(describe(aws, filter).await?.into_iter().map(status).collect())
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
    let pages = aws.ec2.describe_subnets().filters(filter).into_paginator().page_size(1000);
    pages.items().send().collect::<Result<_, _>>().await.map_err(fault("ec2:DescribeSubnets"))
}

/// The subnet's own association; one that has none goes by the VPC's main table.
fn association<'a>(tables: &'a [RouteTable], subnet: &str) -> Option<&'a RouteTableAssociation> {
    let mut all = tables.iter().flat_map(|table| table.associations());
    all.find(|found| found.subnet_id() == Some(subnet))
}

/// Brings the subnet to the route table, or to none where that is empty.
async fn associate(aws: &Aws, subnet: &str, table: &str) -> Result<(), Fault> {
    let filter = || Some(ec2::filter("association.subnet-id", subnet));
    let tables = ec2::route_tables(aws, filter()).await?;
    let now = association(&tables, subnet);
    let old = now.and_then(|now| now.route_table_association_id()).unwrap_or_default();
    let outcome = match now.and_then(|now| now.route_table_id()) {
        None if table.is_empty() => return Ok(()),
        Some(found) if found == table => return Ok(()),
        Some(_) if table.is_empty() => {
            let answer = aws.ec2.disassociate_route_table().association_id(old).send().await;
            return away(answer.map_err(fault("ec2:DisassociateRouteTable")));
        }
        Some(_) => {
            let call = aws.ec2.replace_route_table_association().association_id(old);
            let answer = call.route_table_id(table).send().await;
            answer.map(drop).map_err(fault("ec2:ReplaceRouteTableAssociation"))
        }
        None => {
            let call = aws.ec2.associate_route_table().subnet_id(subnet).route_table_id(table);
            call.send().await.map(drop).map_err(fault("ec2:AssociateRouteTable"))
        }
    };
    match outcome {
        // A call whose answer was lost, repeated by the SDK: done already.
        Err(fault) if matches!(fault.class, Class::Exists | Class::NotFound) => {
            let tables = ec2::route_tables(aws, filter()).await?;
            let now = association(&tables, subnet).and_then(|now| now.route_table_id());
            if now == Some(table) { Ok(()) } else { Err(fault) }
        }
        other => other,
    }
}
