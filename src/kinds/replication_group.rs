//! A Redis with replicas, of which one takes over when the primary fails. Its nodes are clusters of their own to
//! ElastiCache, which bear its name and a number.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_elasticache::types as sdk;
use futures_util::future::try_join_all;
use futures_util::try_join;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::terraform::{Argument, Terraform, whole, word};
use super::{Kind, Live, cache_cluster, form, gone_or_going};
use crate::aws::absent::one_or_all;
use crate::aws::{Aws, Reading, elasticache, fault};
use crate::model::question::{Name, Namesakes};
use crate::model::{
    Address, Body, Calls, Created, Fault, Field, Grant, Link, Observed, Operation, Schema,
    Standing, Status, Tags, Timing, Vitals,
};

/// What its id has beyond the cache's, so that it can stand beside the single node that it takes over from.
const SUFFIX: &str = "-rg";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplicationGroup {
    pub replication_group_id: String,
    pub description: String,
    pub engine: String,
    pub engine_version: String,
    pub node_type: String,
    /// The primary and its replicas.
    pub num_cache_clusters: u32,
    pub automatic_failover: bool,
    pub multi_az: bool,
    pub port: u16,
    pub subnet_group: Link,
    pub security_groups: Vec<Link>,
}

pub static SCHEMA: Schema = Schema {
    kind: "replication_group",
    fields: &[
        Field::replace("replication_group_id"),
        Field::in_place("description"),
        Field::replace("engine"),
        Field::in_place("engine_version").version(),
        Field::in_place("node_type"),
        Field::in_place("num_cache_clusters"),
        Field::in_place("automatic_failover"),
        Field::in_place("multi_az"),
        Field::replace("port"),
        Field::replace("subnet_group").names("cache_subnet_group"),
        Field::in_place("security_groups").names("security_group").set(),
    ],
    outputs: &[
        ("arn", "arn:aws:elasticache:{region}:{account}:replicationgroup:{replication_group_id}"),
        ("endpoint", "master.{replication_group_id}.x7q2pd.apse1.cache.amazonaws.com"),
    ],
    id: "{replication_group_id}",
    unique: &["replication_group_id"],
    timing: Timing { create: 720, update: 600, delete: 300, poll: 15 },
    calls: Calls::UNPACED,
};

/// The id of the group of this cache.
pub fn id(cluster_id: &str) -> String {
    format!("{cluster_id}{SUFFIX}")
}

/// What a cache with so many replicas is.
pub fn schema_of_cache(replicas: u32) -> &'static Schema {
    if replicas > 0 { &SCHEMA } else { &cache_cluster::SCHEMA }
}

/// Whether this kind is a cache, of one node or more.
pub fn is_cache(kind: &str) -> bool {
    [SCHEMA.kind, cache_cluster::SCHEMA.kind].contains(&kind)
}

/// The group, and its nodes.
const R: &[&str] = &[
    "replicationgroup:{replication_group.replication_group_id}",
    "cluster:{replication_group.replication_group_id}-*",
];
const ALL: &[&str] = &["replicationgroup:*"];

static OPERATIONS: &[Operation] = &[
    Operation::plan("elasticache:DescribeReplicationGroups", &[Grant::named(ALL)]),
    Operation::plan("elasticache:ListTagsForResource", &[Grant::named(ALL)]),
    Operation::creation(
        "elasticache:CreateReplicationGroup",
        &[
            Grant::born(R),
            Grant::born(R).of("elasticache:AddTagsToResource"),
            Grant::named(elasticache::BESIDE),
            elasticache::LINKED_ROLE,
        ],
    ),
    Operation::change("elasticache:ModifyReplicationGroup", &[Grant::ours(ALL)]),
    Operation::change("elasticache:IncreaseReplicaCount", &[Grant::ours(ALL)]),
    Operation::change("elasticache:DecreaseReplicaCount", &[Grant::ours(ALL)]),
    Operation::deletion("elasticache:DeleteReplicationGroup", &[Grant::ours(ALL)]),
    Operation::change("elasticache:AddTagsToResource", &[Grant::ours(ALL), Grant::adopted(ALL)]),
];

static TERRAFORM: Terraform = Terraform {
    resource: "aws_elasticache_replication_group",
    import: "{id}",
    named_by: "id",
    outputs: &[("arn", "arn"), ("endpoint", "primary_endpoint_address")],
    arguments: &[
        Argument::same("replication_group_id"),
        Argument::same("description"),
        Argument::same("engine"),
        Argument::Made("engine_version", &["engine_version"], cache_cluster::engine_version),
        Argument::same("node_type"),
        Argument::same("num_cache_clusters"),
        Argument::Field("automatic_failover_enabled", "automatic_failover"),
        Argument::Field("multi_az_enabled", "multi_az"),
        Argument::same("port"),
        Argument::Field("subnet_group_name", "subnet_group"),
        Argument::Field("security_group_ids", "security_groups"),
        Argument::Tags,
        // AWS never tells it: the provider's own default would be sent, to a group without any token.
        Argument::Made("lifecycle.ignore_changes", &[], |_| {
            json!([word("auth_token_update_strategy")])
        }),
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
        let clusters = read.elasticache.clusters(read).await?;
        let group = |cluster: &sdk::CacheCluster| {
            cluster.replication_group_id().filter(|id| !id.is_empty()).map(str::to_owned)
        };
        let nodes: BTreeMap<String, &sdk::CacheCluster> =
            clusters.iter().filter_map(|cluster| Some((group(cluster)?, cluster))).collect();
        // Nothing is asked about groups where there is no node of any.
        if nodes.is_empty() {
            return Ok(Vec::new());
        }
        let (found, subnets, likely) =
            try_join!(describe(read.aws, None), read.elasticache.groups(read), read.likely())?;
        let node = |found: &sdk::ReplicationGroup| {
            found.replication_group_id().and_then(|id| nodes.get(id).copied())
        };
        let vpc = |found: &sdk::ReplicationGroup| {
            let name = node(found)?.cache_subnet_group_name()?;
            subnets.iter().find(|group| group.cache_subnet_group_name() == Some(name))?.vpc_id()
        };
        let told = found.into_iter().filter(|found| likely(vpc(found))).map(|found| async move {
            let subnets = node(&found).and_then(|node| node.cache_subnet_group_name());
            let name = found.replication_group_id().unwrap_or_default();
            let name = name.strip_prefix(read.topology).and_then(|rest| rest.strip_prefix('-'));
            let name = name.and_then(|name| name.strip_suffix(SUFFIX));
            let address = name.map(|name| Address::new(SCHEMA.kind, name));
            let tags = elasticache::tags_of(read, found.arn(), subnets, address).await?;
            let node = node(&found);
            let vitals = vitals(&found, clusters);
            let ours = read.owns(&tags).then(|| observe(found, node, tags)).flatten();
            Ok::<_, Fault>(ours.map(|observed| Observed { vitals, ..observed }))
        });
        Ok(try_join_all(told).await?.into_iter().flatten().collect())
    }

    async fn namesakes(
        &self,
        read: &Reading<'_>,
        names: &BTreeSet<Name>,
    ) -> Result<Namesakes, Fault> {
        let all = describe(read.aws, None).await?.into_iter();
        let all = all.filter_map(|one| Some((one.replication_group_id?, one.arn?)));
        elasticache::namesakes(read.aws, all, names).await
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        let spec: ReplicationGroup = form::spec(&SCHEMA, body)?;
        let call = aws
            .elasticache
            .create_replication_group()
            .replication_group_id(&spec.replication_group_id)
            .replication_group_description(spec.description)
            .engine(spec.engine)
            .engine_version(spec.engine_version)
            .cache_node_type(spec.node_type)
            .num_cache_clusters(spec.num_cache_clusters.cast_signed())
            .automatic_failover_enabled(spec.automatic_failover)
            .multi_az_enabled(spec.multi_az)
            .port(spec.port.into())
            .cache_subnet_group_name(spec.subnet_group.id())
            .set_security_group_ids(Some(form::ids(&spec.security_groups)))
            .set_tags(Some(elasticache::to_sdk(tags)));
        let answer = call.send().await.map_err(fault("elasticache:CreateReplicationGroup"))?;
        let created = Created::id(spec.replication_group_id);
        Ok(match answer.replication_group {
            Some(group) => outputs(created, &group),
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
        let spec: ReplicationGroup = form::spec(&SCHEMA, after)?;
        let changes = |field: &str| changed.contains(&field);
        if changes("num_cache_clusters") {
            count_nodes(aws, &live.id, spec.num_cache_clusters).await?;
        }
        if changed == ["num_cache_clusters"] {
            return Ok(());
        }
        let groups = changes("security_groups").then(|| form::ids(&spec.security_groups));
        let call = aws
            .elasticache
            .modify_replication_group()
            .replication_group_id(&live.id)
            .apply_immediately(true)
            .set_replication_group_description(changes("description").then_some(spec.description))
            .set_engine_version(changes("engine_version").then_some(spec.engine_version))
            .set_cache_node_type(changes("node_type").then_some(spec.node_type))
            .set_automatic_failover_enabled(
                changes("automatic_failover").then_some(spec.automatic_failover),
            )
            .set_multi_az_enabled(changes("multi_az").then_some(spec.multi_az))
            .set_security_group_ids(groups);
        // Refused while nodes come or go, and then tried again.
        call.send().await.map_err(fault("elasticache:ModifyReplicationGroup"))?;
        Ok(())
    }

    async fn delete(&self, aws: &Aws, live: &Live, _: &Body) -> Result<(), Fault> {
        let call = aws.elasticache.delete_replication_group().replication_group_id(&live.id);
        let answer = call.retain_primary_cluster(false).send().await;
        let outcome = answer.map(|_| ()).map_err(fault("elasticache:DeleteReplicationGroup"));
        gone_or_going(self, aws, &live.id, outcome).await
    }

    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        let found = one_or_all(ids, |id| describe(aws, id)).await?.into_iter();
        let known = found.filter_map(|group| {
            let status = status(&group);
            let outputs = outputs(Created::id(""), &group).outputs;
            Some((group.replication_group_id?, Standing { status, outputs }))
        });
        Ok(known.filter(|(id, _)| ids.contains(id)).collect())
    }

    async fn tag(&self, aws: &Aws, live: &Live, tags: &Tags) -> Result<(), Fault> {
        elasticache::tag(aws, &live.outputs, tags).await
    }
}

/// The group of this name, or all.
async fn describe(aws: &Aws, name: Option<String>) -> Result<Vec<sdk::ReplicationGroup>, Fault> {
    let call = aws.elasticache.describe_replication_groups().set_replication_group_id(name);
    let found: Result<_, _> = call.into_paginator().items().send().collect().await;
    found.map_err(fault("elasticache:DescribeReplicationGroups"))
}

/// Adds or removes replicas, which AWS does only at once. An earlier try may have done it.
async fn count_nodes(aws: &Aws, id: &str, wanted: u32) -> Result<(), Fault> {
    let found = describe(aws, Some(id.to_owned())).await?.into_iter().next();
    let nodes = found.map_or(0, |group| group.member_clusters().len());
    let replicas = wanted.saturating_sub(1).cast_signed();
    if nodes < wanted as usize {
        let call = aws.elasticache.increase_replica_count().replication_group_id(id);
        let call = call.new_replica_count(replicas).apply_immediately(true);
        call.send().await.map_err(fault("elasticache:IncreaseReplicaCount"))?;
    } else if nodes > wanted as usize {
        let call = aws.elasticache.decrease_replica_count().replication_group_id(id);
        let call = call.new_replica_count(replicas).apply_immediately(true);
        call.send().await.map_err(fault("elasticache:DecreaseReplicaCount"))?;
    }
    Ok(())
}

fn outputs(created: Created, group: &sdk::ReplicationGroup) -> Created {
    let endpoint = primary(group).and_then(|endpoint| endpoint.address.clone());
    created.output("arn", group.arn.clone()).output("endpoint", endpoint)
}

/// Where the primary is, whichever node that is.
fn primary(group: &sdk::ReplicationGroup) -> Option<&sdk::Endpoint> {
    group.node_groups().first()?.primary_endpoint()
}

/// How it does, node by node: which is the primary is told of the group, the rest of each.
fn vitals(group: &sdk::ReplicationGroup, clusters: &[sdk::CacheCluster]) -> Vitals {
    let members = group.node_groups().iter().flat_map(|part| part.node_group_members());
    let nodes = members.filter_map(|member| {
        let id = member.cache_cluster_id()?;
        let cluster = clusters.iter().find(|cluster| cluster.cache_cluster_id() == Some(id))?;
        Some(cache_cluster::node(cluster, member.current_role()))
    });
    Vitals { nodes: nodes.collect(), ..Vitals::state(group.status().unwrap_or_default()) }
}

/// What all its nodes have in common is told of each node alone. A change that ElastiCache has still to make was asked for
/// already: it counts as made.
fn observe(
    group: sdk::ReplicationGroup,
    node: Option<&sdk::CacheCluster>,
    tags: Tags,
) -> Option<Observed> {
    let status = status(&group);
    let created = outputs(Created::id(group.replication_group_id.clone()?), &group);
    let port = primary(&group).and_then(|endpoint| endpoint.port);
    let coming = node.and_then(|node| node.pending_modified_values());
    let version = coming.and_then(|coming| coming.engine_version());
    let version = version.or(node.and_then(|node| node.engine_version()));
    let groups = node.map(|node| node.security_groups()).filter(|groups| !groups.is_empty());
    let groups = groups.map(|groups| {
        form::set(groups.iter().filter_map(|group| group.security_group_id()).map(Value::from))
    });
    let failover = group.automatic_failover.map(|status| {
        use sdk::AutomaticFailoverStatus::{Enabled, Enabling};
        matches!(status, Enabled | Enabling)
    });
    let multi_az = group.multi_az.map(|status| status == sdk::MultiAzStatus::Enabled);
    let body = form::reported([
        ("replication_group_id", Some(created.id.as_str().into())),
        ("description", group.description.map(Value::from)),
        ("engine", node.and_then(|node| node.engine()).map(Value::from)),
        ("engine_version", version.map(Value::from)),
        ("node_type", group.cache_node_type.map(Value::from)),
        ("num_cache_clusters", group.member_clusters.map(|nodes| nodes.len().into())),
        ("automatic_failover", failover.map(Value::from)),
        ("multi_az", multi_az.map(Value::from)),
        ("port", port.map(Value::from)),
        ("subnet_group", node.and_then(|node| node.cache_subnet_group_name()).map(Value::from)),
        ("security_groups", groups),
    ]);
    Some(Observed {
        status,
        outputs: created.outputs,
        ..form::observed(&SCHEMA, created.id, tags, body)
    })
}

/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ReplicationGroup.html>
fn status(group: &sdk::ReplicationGroup) -> Status {
    match group.status().unwrap_or_default() {
        // It serves while it is being backed up.
        "available" | "snapshotting" => Status::Ready,
        "deleting" => Status::Deleting,
        state if state.ends_with("-failed") => Status::Failed(state.to_owned()),
        state => Status::Pending(state.to_owned()),
    }
}
