//! What the kinds of ElastiCache share: the clusters, the subnet groups, which alone tell the VPC of a cluster, and tags.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticache::types::{CacheCluster, CacheSubnetGroup, Tag};
use futures_util::future::{try_join, try_join_all};
use tokio::sync::OnceCell;

use super::{Aws, Reading, fault};
use crate::model::question::{Name, Namesake, Namesakes};
use crate::model::{ADDRESS, Address, Class, Condition, Fault, Grant, Scope, TOPOLOGY, Tags};

type Outputs = BTreeMap<String, String>;

/// What a cache is made with: the topology's subnets, and AWS's own settings.
pub const BESIDE: &[&str] = &["subnetgroup:{cache_subnet_group.name}", "parametergroup:default*"];

/// The role that ElastiCache works by, network interfaces and all, which the first cache of an account makes:
/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/using-service-linked-roles.html>
pub const LINKED_ROLE: Grant = Grant::within(
    &LINKED,
    &["role/aws-service-role/elasticache.amazonaws.com/AWSServiceRoleForElastiCache"],
)
.of("iam:CreateServiceLinkedRole");
static LINKED: Scope = Scope::new(
    "ServiceRoleOfElastiCache",
    &[Condition::new("StringEquals", "iam:AWSServiceName", &["elasticache.amazonaws.com"])],
);

/// What several kinds read, asked for once a reading.
#[derive(Default)]
pub struct Shared {
    clusters: OnceCell<Vec<CacheCluster>>,
    groups: OnceCell<Vec<CacheSubnetGroup>>,
    tags: OnceCell<BTreeMap<String, Tags>>,
}

impl Shared {
    /// Every cluster of the account and region, the nodes of replication groups among them.
    pub async fn clusters(&self, read: &Reading<'_>) -> Result<&Vec<CacheCluster>, Fault> {
        self.clusters.get_or_try_init(|| clusters(read.aws, None)).await
    }

    /// Every subnet group of the account and region.
    pub async fn groups(&self, read: &Reading<'_>) -> Result<&Vec<CacheSubnetGroup>, Fault> {
        self.groups.get_or_try_init(|| groups(read.aws, None)).await
    }

    /// The tags of the subnet groups that are ours, by name.
    pub async fn tags(&self, read: &Reading<'_>) -> Result<&BTreeMap<String, Tags>, Fault> {
        self.tags
            .get_or_try_init(|| async {
                let (groups, likely) = try_join(self.groups(read), read.likely()).await?;
                let groups = groups.iter().filter(|group| likely(group.vpc_id()));
                let asked =
                    groups.filter_map(|group| {
                        let (name, arn) = (group.cache_subnet_group_name()?, group.arn()?);
                        Some(async move {
                            Ok::<_, Fault>((name.to_owned(), tags(read.aws, arn).await?))
                        })
                    });
                let tags = try_join_all(asked).await?.into_iter();
                Ok(tags.filter(|(_, tags)| read.owns(tags)).collect())
            })
            .await
    }
}

/// The cluster of this name, or all.
pub async fn clusters(aws: &Aws, name: Option<String>) -> Result<Vec<CacheCluster>, Fault> {
    let call = aws.elasticache.describe_cache_clusters().set_cache_cluster_id(name);
    let call = call.show_cache_node_info(true);
    let found: Result<_, _> = call.into_paginator().items().send().collect().await;
    found.map_err(fault("elasticache:DescribeCacheClusters"))
}

/// The subnet group of this name, or all.
pub async fn groups(aws: &Aws, name: Option<String>) -> Result<Vec<CacheSubnetGroup>, Fault> {
    let call = aws.elasticache.describe_cache_subnet_groups().set_cache_subnet_group_name(name);
    let found: Result<_, _> = call.into_paginator().items().send().collect().await;
    found.map_err(fault("elasticache:DescribeCacheSubnetGroups"))
}

/// Those of these, by name and ARN, that have one of these names, with the tags that AWS tells of them.
pub async fn namesakes(
    aws: &Aws,
    all: impl Iterator<Item = (String, String)>,
    names: &BTreeSet<Name>,
) -> Result<Namesakes, Fault> {
    let held = all.map(|(id, arn)| (vec![id.clone()], id, arn));
    let told = held.filter(|(name, ..)| names.contains(name)).map(|(name, id, arn)| async move {
        match told_tags(aws, &arn).await {
            Err(fault) if !matches!(fault.class, Class::NotYet | Class::NotFound) => Err(fault),
            told => Ok(Namesake { name, id, tags: told.unwrap_or_default() }),
        }
    });
    try_join_all(told).await
}

/// The tags of what bears this ARN; none if it is gone.
async fn tags(aws: &Aws, arn: &str) -> Result<Tags, Fault> {
    match told_tags(aws, arn).await {
        Err(fault) if fault.class == Class::NotFound => Ok(Tags::new()),
        tags => tags,
    }
}

/// The tags of what bears this ARN and stands in this subnet group. AWS does not tell them of what is not available: then
/// it is ours if its subnet group is, and its name tells its `address`.
pub async fn tags_of(
    read: &Reading<'_>,
    arn: Option<&str>,
    subnet_group: Option<&str>,
    address: Option<Address>,
) -> Result<Tags, Fault> {
    let Some(arn) = arn else { return Ok(Tags::new()) };
    let told = async {
        match told_tags(read.aws, arn).await {
            Err(fault) if matches!(fault.class, Class::NotYet | Class::NotFound) => Ok(None),
            tags => tags.map(Some),
        }
    };
    let (told, groups) = try_join(told, read.elasticache.tags(read)).await?;
    if let Some(tags) = told {
        return Ok(tags);
    }
    let ours = subnet_group.is_some_and(|name| groups.contains_key(name));
    Ok(match address.filter(|_| ours) {
        Some(address) => Tags::from([
            (TOPOLOGY.to_owned(), read.topology.to_owned()),
            (ADDRESS.to_owned(), address.to_string()),
        ]),
        None => Tags::new(),
    })
}

/// The tags of what bears this ARN, or AWS's refusal to tell.
async fn told_tags(aws: &Aws, arn: &str) -> Result<Tags, Fault> {
    let answer = aws.elasticache.list_tags_for_resource().resource_name(arn).send().await;
    let tags = answer.map_err(fault("elasticache:ListTagsForResource"))?.tag_list;
    let tags = tags.unwrap_or_default().into_iter();
    Ok(tags.filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect())
}

/// Sets tags on the resource whose outputs these are.
pub async fn tag(aws: &Aws, outputs: &Outputs, tags: &Tags) -> Result<(), Fault> {
    let arn = outputs.get("arn").map_or("", String::as_str);
    let call = aws.elasticache.add_tags_to_resource().resource_name(arn);
    let call = call.set_tags(Some(to_sdk(tags)));
    call.send().await.map_err(fault("elasticache:AddTagsToResource"))?;
    Ok(())
}

pub fn to_sdk(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
