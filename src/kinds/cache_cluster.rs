//! The Redis that the services share.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_elasticache::types as sdk;
use futures_util::future::try_join_all;
use futures_util::try_join;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::terraform::{Argument, One, Terraform, whole, word};
use super::{Kind, Live, form, gone_or_going};
use crate::aws::absent::one_or_all;
use crate::aws::{Aws, Reading, elasticache, fault};
use crate::model::question::{Name, Namesakes};
use crate::model::{
    Address, Body, Calls, Created, Fault, Field, Grant, Link, Node, Observed, Operation, Schema,
    Standing, Status, Tags, Timing, Vitals,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CacheCluster {
    pub cluster_id: String,
    pub engine: String,
    pub engine_version: String,
    pub node_type: String,
    pub num_cache_nodes: u32,
    pub availability_zone: String,
    pub port: u16,
    pub subnet_group: Link,
    pub security_groups: Vec<Link>,
}

pub static SCHEMA: Schema = Schema {
    kind: "cache_cluster",
    fields: &[
        Field::replace("cluster_id"),
        Field::replace("engine"),
        // Nobody is served while ElastiCache copies the data to the new node:
        // <https://docs.aws.amazon.com/AmazonElastiCache/latest/UserGuide/Scaling.RedisStandalone.ScaleUp.html>
        Field::in_place("engine_version").version().interrupts(),
        Field::in_place("node_type").interrupts(),
        Field::in_place("num_cache_nodes"),
        Field::replace("availability_zone"),
        Field::replace("port"),
        Field::replace("subnet_group").names("cache_subnet_group"),
        Field::in_place("security_groups").names("security_group").set(),
    ],
    outputs: &[
        ("arn", "arn:aws:elasticache:{region}:{account}:cluster:{cluster_id}"),
        ("endpoint", "{cluster_id}.x7q2pd.0001.apse1.cache.amazonaws.com"),
    ],
    id: "{cluster_id}",
    unique: &["cluster_id"],
    timing: Timing { create: 420, update: 300, delete: 180, poll: 15 },
    calls: Calls::UNPACED,
};

const R: &[&str] = &["cluster:{cache_cluster.cluster_id}"];
const ALL: &[&str] = &["cluster:*"];

static OPERATIONS: &[Operation] = &[
    Operation::plan("elasticache:DescribeCacheClusters", &[Grant::named(ALL)]),
    Operation::plan("elasticache:ListTagsForResource", &[Grant::named(ALL)]),
    Operation::creation(
        "elasticache:CreateCacheCluster",
        &[
            Grant::born(R),
            Grant::born(R).of("elasticache:AddTagsToResource"),
            Grant::named(elasticache::BESIDE),
            elasticache::LINKED_ROLE,
        ],
    ),
    Operation::change("elasticache:ModifyCacheCluster", &[Grant::ours(ALL)]),
    Operation::deletion("elasticache:DeleteCacheCluster", &[Grant::ours(ALL)]),
    Operation::change("elasticache:AddTagsToResource", &[Grant::ours(ALL), Grant::adopted(ALL)]),
];

static TERRAFORM: Terraform = Terraform {
    resource: "aws_elasticache_cluster",
    import: "{id}",
    named_by: "cluster_id",
    outputs: &[("arn", "arn"), ("endpoint", "cache_nodes[0].address")],
    arguments: &[
        Argument::same("cluster_id"),
        Argument::same("engine"),
        Argument::Made("engine_version", &["engine_version"], engine_version),
        Argument::same("node_type"),
        Argument::same("num_cache_nodes"),
        Argument::same("availability_zone"),
        Argument::same("port"),
        Argument::Field("subnet_group_name", "subnet_group"),
        Argument::Field("security_group_ids", "security_groups"),
        Argument::Tags,
        // It stays what it is in the account, which we don't know, whatever the provider has by default.
        Argument::Made("lifecycle.ignore_changes", &[], |_| {
            json!([word("auto_minor_version_upgrade")])
        }),
    ],
    parts: whole,
    beside: &[],
};

/// Of a Redis since 6, ElastiCache takes the version's first two numbers alone.
pub(super) fn engine_version(one: &One<'_>) -> Value {
    let numbers: Vec<&str> = one.text("engine_version").split('.').collect();
    match numbers[..] {
        [major, minor, _] if major.parse().is_ok_and(|major: u32| major >= 6) => {
            format!("{major}.{minor}").into()
        }
        _ => one.field("engine_version"),
    }
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
        let (clusters, groups, likely) = try_join!(
            read.elasticache.clusters(read),
            read.elasticache.groups(read),
            read.likely()
        )?;
        let vpc = |cluster: &sdk::CacheCluster| {
            let name = cluster.cache_subnet_group_name()?;
            groups.iter().find(|group| group.cache_subnet_group_name() == Some(name))?.vpc_id()
        };
        // The node of a replication group is not a cluster of ours, but its group may be.
        let alone = |cluster: &&sdk::CacheCluster| {
            cluster.replication_group_id().unwrap_or_default().is_empty()
        };
        let clusters = clusters.iter().filter(alone).filter(|cluster| likely(vpc(cluster)));
        let told = clusters.map(|cluster| async move {
            let name = cluster.cache_cluster_id().unwrap_or_default();
            let name = name.strip_prefix(read.topology).and_then(|rest| rest.strip_prefix('-'));
            let address = name.map(|name| Address::new(SCHEMA.kind, name));
            let subnets = cluster.cache_subnet_group_name();
            let tags = elasticache::tags_of(read, cluster.arn(), subnets, address).await?;
            let cluster = cluster.clone();
            Ok::<_, Fault>(read.owns(&tags).then(|| observe(cluster, tags)).flatten())
        });
        Ok(try_join_all(told).await?.into_iter().flatten().collect())
    }

    async fn namesakes(
        &self,
        read: &Reading<'_>,
        names: &BTreeSet<Name>,
    ) -> Result<Namesakes, Fault> {
        let all = read.elasticache.clusters(read).await?.iter();
        let all = all.filter_map(|one| Some((one.cache_cluster_id.clone()?, one.arn.clone()?)));
        elasticache::namesakes(read.aws, all, names).await
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        let spec: CacheCluster = form::spec(&SCHEMA, body)?;
        let call = aws
            .elasticache
            .create_cache_cluster()
            .cache_cluster_id(&spec.cluster_id)
            .engine(spec.engine)
            .engine_version(spec.engine_version)
            .cache_node_type(spec.node_type)
            .num_cache_nodes(spec.num_cache_nodes.cast_signed())
            .preferred_availability_zone(spec.availability_zone)
            .port(spec.port.into())
            .cache_subnet_group_name(spec.subnet_group.id())
            .set_security_group_ids(Some(form::ids(&spec.security_groups)))
            .set_tags(Some(elasticache::to_sdk(tags)));
        let answer = call.send().await.map_err(fault("elasticache:CreateCacheCluster"))?;
        let created = Created::id(spec.cluster_id);
        Ok(match answer.cache_cluster {
            Some(cluster) => outputs(created, &cluster),
            None => created,
        })
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Live,
        after: &Body,
        changed: &[&str],
    ) -> Result<(), Fault> {
        let spec: CacheCluster = form::spec(&SCHEMA, after)?;
        let changes = |field: &str| changed.contains(&field);
        let nodes = changes("num_cache_nodes").then(|| spec.num_cache_nodes.cast_signed());
        let groups = changes("security_groups").then(|| form::ids(&spec.security_groups));
        let call = aws
            .elasticache
            .modify_cache_cluster()
            .cache_cluster_id(&live.id)
            .apply_immediately(true)
            .set_engine_version(changes("engine_version").then_some(spec.engine_version))
            .set_cache_node_type(changes("node_type").then_some(spec.node_type))
            .set_num_cache_nodes(nodes)
            .set_security_group_ids(groups);
        call.send().await.map_err(fault("elasticache:ModifyCacheCluster"))?;
        Ok(())
    }

    async fn delete(&self, aws: &Aws, live: &Live, _: &Body) -> Result<(), Fault> {
        let answer = aws.elasticache.delete_cache_cluster().cache_cluster_id(&live.id).send().await;
        let outcome = answer.map(|_| ()).map_err(fault("elasticache:DeleteCacheCluster"));
        gone_or_going(self, aws, &live.id, outcome).await
    }

    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        let found = one_or_all(ids, |id| elasticache::clusters(aws, id)).await?.into_iter();
        let known = found.filter_map(|cluster| {
            let status = status(&cluster);
            let outputs = outputs(Created::id(""), &cluster).outputs;
            Some((cluster.cache_cluster_id?, Standing { status, outputs }))
        });
        Ok(known.filter(|(id, _)| ids.contains(id)).collect())
    }

    async fn tag(&self, aws: &Aws, live: &Live, tags: &Tags) -> Result<(), Fault> {
        elasticache::tag(aws, &live.outputs, tags).await
    }
}

fn outputs(created: Created, cluster: &sdk::CacheCluster) -> Created {
    let endpoint = endpoint(cluster).and_then(|endpoint| endpoint.address.clone());
    created.output("arn", cluster.arn.clone()).output("endpoint", endpoint)
}

/// The cluster as a node of a cache, in which it has this role.
pub fn node(cluster: &sdk::CacheCluster, role: Option<&str>) -> Node {
    Node {
        id: cluster.cache_cluster_id().unwrap_or_default().to_owned(),
        role: role.map(str::to_owned),
        zone: cluster.preferred_availability_zone().map(str::to_owned),
        state: cluster.cache_cluster_status().unwrap_or_default().to_owned(),
    }
}

fn endpoint(cluster: &sdk::CacheCluster) -> Option<&sdk::Endpoint> {
    cluster.cache_nodes().first()?.endpoint.as_ref()
}

/// A change that ElastiCache has still to make was asked for already: it counts as made.
fn observe(cluster: sdk::CacheCluster, tags: Tags) -> Option<Observed> {
    let status = status(&cluster);
    let state = cluster.cache_cluster_status().unwrap_or_default();
    let vitals = Vitals { nodes: vec![node(&cluster, None)], ..Vitals::state(state) };
    let created = outputs(Created::id(cluster.cache_cluster_id.clone()?), &cluster);
    let port = endpoint(&cluster).and_then(|endpoint| endpoint.port);
    let coming = cluster
        .pending_modified_values
        .unwrap_or_else(|| sdk::PendingModifiedValues::builder().build());
    let groups = cluster.security_groups.filter(|groups| !groups.is_empty()).map(|groups| {
        form::set(groups.into_iter().filter_map(|group| group.security_group_id).map(Value::from))
    });
    let body = form::reported([
        ("cluster_id", Some(created.id.as_str().into())),
        ("engine", cluster.engine.map(Value::from)),
        ("engine_version", coming.engine_version.or(cluster.engine_version).map(Value::from)),
        ("node_type", coming.cache_node_type.or(cluster.cache_node_type).map(Value::from)),
        ("num_cache_nodes", coming.num_cache_nodes.or(cluster.num_cache_nodes).map(Value::from)),
        ("availability_zone", cluster.preferred_availability_zone.map(Value::from)),
        ("port", port.map(Value::from)),
        ("subnet_group", cluster.cache_subnet_group_name.map(Value::from)),
        ("security_groups", groups),
    ]);
    Some(Observed {
        status,
        outputs: created.outputs,
        vitals,
        ..form::observed(&SCHEMA, created.id, tags, body)
    })
}

fn status(cluster: &sdk::CacheCluster) -> Status {
    match cluster.cache_cluster_status().unwrap_or_default() {
        // It serves while it is being backed up.
        "available" | "snapshotting" => Status::Ready,
        "deleting" => Status::Deleting,
        "deleted" => Status::Gone,
        state if state.starts_with("incompatible-") || state.ends_with("-failed") => {
            Status::Failed(state.to_owned())
        }
        state => Status::Pending(state.to_owned()),
    }
}
