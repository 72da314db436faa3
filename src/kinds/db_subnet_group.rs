//! The subnets in which RDS may place databases.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_rds::types as sdk;
use futures_util::future::{try_join, try_join_all};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::terraform::{Argument, Terraform, whole};
use super::{Kind, Live, form};
use crate::aws::absent::{away, one_or_all};
use crate::aws::{Aws, Reading, fault, rds};
use crate::model::question::{Name, Namesake, Namesakes};
use crate::model::{
    Body, Calls, Created, Fault, Field, Grant, Link, Observed, Operation, Schema, Standing, Status,
    Tags, Timing,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DbSubnetGroup {
    pub name: String,
    pub description: String,
    pub subnets: Vec<Link>,
}

pub static SCHEMA: Schema = Schema {
    kind: "db_subnet_group",
    fields: &[
        Field::replace("name"),
        Field::in_place("description"),
        Field::in_place("subnets").names("subnet").set(),
    ],
    outputs: &[("arn", "arn:aws:rds:{region}:{account}:subgrp:{name}")],
    id: "{name}",
    unique: &["name"],
    timing: Timing { create: 2, update: 1, delete: 1, poll: 2 },
    calls: Calls::UNPACED,
};

const R: &[&str] = &["subgrp:{db_subnet_group.name}"];

static OPERATIONS: &[Operation] = &[
    Operation::plan("rds:DescribeDBSubnetGroups", &[Grant::named(&["subgrp:*"])]),
    Operation::plan("rds:ListTagsForResource", &[Grant::named(&["subgrp:*"])]),
    Operation::creation(
        "rds:CreateDBSubnetGroup",
        &[Grant::born(R), Grant::born(R).of("rds:AddTagsToResource")],
    ),
    Operation::change("rds:ModifyDBSubnetGroup", &[Grant::ours(&["subgrp:*"])]),
    Operation::deletion("rds:DeleteDBSubnetGroup", &[Grant::ours(&["subgrp:*"])]),
    Operation::change(
        "rds:AddTagsToResource",
        &[Grant::ours(&["subgrp:*"]), Grant::adopted(&["subgrp:*"])],
    ),
];

static TERRAFORM: Terraform = Terraform {
    resource: "aws_db_subnet_group",
    import: "{id}",
    named_by: "name",
    outputs: &[("arn", "arn")],
    arguments: &[
        Argument::same("name"),
        Argument::same("description"),
        Argument::Field("subnet_ids", "subnets"),
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
        let (groups, likely) = try_join(describe(read.aws, None), read.likely()).await?;
        let groups = groups.into_iter().filter(|group| likely(group.vpc_id()));
        let asked = groups.filter_map(|group| {
            let arn = group.db_subnet_group_arn.clone()?;
            Some(async move {
                let tags = rds::tags(read.aws, &arn).await?;
                Ok::<_, Fault>(read.owns(&tags).then(|| observe(group, arn, tags)).flatten())
            })
        });
        Ok(try_join_all(asked).await?.into_iter().flatten().collect())
    }

    async fn namesakes(
        &self,
        read: &Reading<'_>,
        names: &BTreeSet<Name>,
    ) -> Result<Namesakes, Fault> {
        let all = describe(read.aws, None).await?.into_iter().filter_map(|group| {
            let id = group.db_subnet_group_name?;
            names.contains(&vec![id.clone()]).then_some((id, group.db_subnet_group_arn?))
        });
        let told = all.map(|(id, arn)| async move {
            let tags = rds::tags(read.aws, &arn).await?;
            Ok(Namesake { name: vec![id.clone()], id, tags })
        });
        try_join_all(told).await
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        let spec: DbSubnetGroup = form::spec(&SCHEMA, body)?;
        let call = aws
            .rds
            .create_db_subnet_group()
            .db_subnet_group_name(&spec.name)
            .db_subnet_group_description(spec.description)
            .set_subnet_ids(Some(form::ids(&spec.subnets)))
            .set_tags(Some(rds::to_sdk(tags)));
        let answer = call.send().await.map_err(fault("rds:CreateDBSubnetGroup"))?;
        let arn = answer.db_subnet_group.and_then(|group| group.db_subnet_group_arn);
        Ok(Created::id(spec.name).output("arn", arn))
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Live,
        after: &Body,
        changed: &[&str],
    ) -> Result<(), Fault> {
        let spec: DbSubnetGroup = form::spec(&SCHEMA, after)?;
        // The call wants the subnets whatever changes.
        let call = aws
            .rds
            .modify_db_subnet_group()
            .db_subnet_group_name(&live.id)
            .set_db_subnet_group_description(
                changed.contains(&"description").then_some(spec.description),
            )
            .set_subnet_ids(Some(form::ids(&spec.subnets)));
        call.send().await.map_err(fault("rds:ModifyDBSubnetGroup"))?;
        Ok(())
    }

    async fn delete(&self, aws: &Aws, live: &Live, _: &Body) -> Result<(), Fault> {
        let answer = aws.rds.delete_db_subnet_group().db_subnet_group_name(&live.id).send().await;
        away(answer.map_err(fault("rds:DeleteDBSubnetGroup")))
    }

    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        let found = one_or_all(ids, |id| describe(aws, id)).await?.into_iter();
        let names = found.filter_map(|group| group.db_subnet_group_name);
        Ok(names
            .filter(|name| ids.contains(name))
            .map(|name| (name, Status::Ready.into()))
            .collect())
    }

    async fn tag(&self, aws: &Aws, live: &Live, tags: &Tags) -> Result<(), Fault> {
        rds::tag(aws, &live.outputs, tags).await
    }
}

/// The subnet group of this name, or all.
async fn describe(aws: &Aws, name: Option<String>) -> Result<Vec<sdk::DbSubnetGroup>, Fault> {
    let call = aws.rds.describe_db_subnet_groups().set_db_subnet_group_name(name);
    let found: Result<_, _> = call.into_paginator().items().send().collect().await;
    found.map_err(fault("rds:DescribeDBSubnetGroups"))
}

fn observe(group: sdk::DbSubnetGroup, arn: String, tags: Tags) -> Option<Observed> {
    let id = group.db_subnet_group_name?;
    let subnets = group.subnets.map(|subnets| {
        form::set(
            subnets.into_iter().filter_map(|subnet| subnet.subnet_identifier).map(Value::from),
        )
    });
    let body = form::reported([
        ("name", Some(id.as_str().into())),
        ("description", group.db_subnet_group_description.map(Value::from)),
        ("subnets", subnets),
    ]);
    let outputs = BTreeMap::from([("arn".to_owned(), arn)]);
    Some(Observed { outputs, ..form::observed(&SCHEMA, id, tags, body) })
}
