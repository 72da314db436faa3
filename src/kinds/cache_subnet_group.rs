//! The subnets in which ElastiCache may place nodes.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_elasticache::types as sdk;
use futures_util::future::try_join;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::terraform::{Argument, Terraform, whole};
use super::{Kind, Live, form};
use crate::aws::absent::{away, one_or_all};
use crate::aws::{Aws, Reading, elasticache, fault};
use crate::model::question::{Name, Namesakes};
use crate::model::{
    Body, Calls, Created, Fault, Field, Grant, Link, Observed, Operation, Schema, Standing, Status,
    Tags, Timing,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CacheSubnetGroup {
    pub name: String,
    pub description: String,
    pub subnets: Vec<Link>,
}

pub static SCHEMA: Schema = Schema {
    kind: "cache_subnet_group",
    fields: &[
        Field::replace("name"),
        Field::in_place("description"),
        Field::in_place("subnets").names("subnet").set(),
    ],
    outputs: &[("arn", "arn:aws:elasticache:{region}:{account}:subnetgroup:{name}")],
    id: "{name}",
    unique: &["name"],
    timing: Timing { create: 2, update: 1, delete: 1, poll: 2 },
    calls: Calls::UNPACED,
};

const R: &[&str] = &["subnetgroup:{cache_subnet_group.name}"];
const ALL: &[&str] = &["subnetgroup:*"];

static OPERATIONS: &[Operation] = &[
    Operation::plan("elasticache:DescribeCacheSubnetGroups", &[Grant::named(ALL)]),
    Operation::plan("elasticache:ListTagsForResource", &[Grant::named(ALL)]),
    Operation::creation(
        "elasticache:CreateCacheSubnetGroup",
        &[Grant::born(R), Grant::born(R).of("elasticache:AddTagsToResource")],
    ),
    Operation::change("elasticache:ModifyCacheSubnetGroup", &[Grant::ours(ALL)]),
    Operation::deletion("elasticache:DeleteCacheSubnetGroup", &[Grant::ours(ALL)]),
    Operation::change("elasticache:AddTagsToResource", &[Grant::ours(ALL), Grant::adopted(ALL)]),
];

static TERRAFORM: Terraform = Terraform {
    resource: "aws_elasticache_subnet_group",
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
        let (groups, tags) =
            try_join(read.elasticache.groups(read), read.elasticache.tags(read)).await?;
        Ok(groups.iter().filter_map(|group| observe(group, tags)).collect())
    }

    async fn namesakes(
        &self,
        read: &Reading<'_>,
        names: &BTreeSet<Name>,
    ) -> Result<Namesakes, Fault> {
        let all = read.elasticache.groups(read).await?.iter();
        let all =
            all.filter_map(|one| Some((one.cache_subnet_group_name.clone()?, one.arn.clone()?)));
        elasticache::namesakes(read.aws, all, names).await
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        let spec: CacheSubnetGroup = form::spec(&SCHEMA, body)?;
        let call = aws
            .elasticache
            .create_cache_subnet_group()
            .cache_subnet_group_name(&spec.name)
            .cache_subnet_group_description(spec.description)
            .set_subnet_ids(Some(form::ids(&spec.subnets)))
            .set_tags(Some(elasticache::to_sdk(tags)));
        let answer = call.send().await.map_err(fault("elasticache:CreateCacheSubnetGroup"))?;
        let arn = answer.cache_subnet_group.and_then(|group| group.arn);
        Ok(Created::id(spec.name).output("arn", arn))
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Live,
        after: &Body,
        changed: &[&str],
    ) -> Result<(), Fault> {
        let spec: CacheSubnetGroup = form::spec(&SCHEMA, after)?;
        let call = aws
            .elasticache
            .modify_cache_subnet_group()
            .cache_subnet_group_name(&live.id)
            .set_cache_subnet_group_description(
                changed.contains(&"description").then_some(spec.description),
            )
            .set_subnet_ids(changed.contains(&"subnets").then(|| form::ids(&spec.subnets)));
        call.send().await.map_err(fault("elasticache:ModifyCacheSubnetGroup"))?;
        Ok(())
    }

    async fn delete(&self, aws: &Aws, live: &Live, _: &Body) -> Result<(), Fault> {
        let answer = aws
            .elasticache
            .delete_cache_subnet_group()
            .cache_subnet_group_name(&live.id)
            .send()
            .await;
        away(answer.map_err(fault("elasticache:DeleteCacheSubnetGroup")))
    }

    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        let found = one_or_all(ids, |id| elasticache::groups(aws, id)).await?.into_iter();
        let names = found.filter_map(|group| group.cache_subnet_group_name);
        Ok(names
            .filter(|name| ids.contains(name))
            .map(|name| (name, Status::Ready.into()))
            .collect())
    }

    async fn tag(&self, aws: &Aws, live: &Live, tags: &Tags) -> Result<(), Fault> {
        elasticache::tag(aws, &live.outputs, tags).await
    }
}

fn observe(group: &sdk::CacheSubnetGroup, tags: &BTreeMap<String, Tags>) -> Option<Observed> {
    let id = group.cache_subnet_group_name.clone()?;
    let tags = tags.get(&id)?.clone();
    let subnets = group.subnets.as_ref().map(|subnets| {
        form::set(subnets.iter().filter_map(|subnet| subnet.subnet_identifier()).map(Value::from))
    });
    let body = form::reported([
        ("name", Some(id.as_str().into())),
        ("description", group.cache_subnet_group_description.clone().map(Value::from)),
        ("subnets", subnets),
    ]);
    let created = Created::id(id).output("arn", group.arn.clone());
    Some(Observed { outputs: created.outputs, ..form::observed(&SCHEMA, created.id, tags, body) })
}
