//! What the kinds of ElastiCache share: the subnet groups, which alone tell the VPC of a cluster, and tags.

use std::collections::BTreeMap;

use aws_sdk_elasticache::types::{CacheSubnetGroup, Tag};
use futures_util::future::{try_join, try_join_all};
use tokio::sync::OnceCell;

use super::{Aws, Reading, fault};
use crate::model::{Class, Fault, Tags};

type Outputs = BTreeMap<String, String>;

/// What several kinds read, asked for once a reading.
#[derive(Default)]
pub struct Shared {
    groups: OnceCell<Vec<CacheSubnetGroup>>,
    tags: OnceCell<BTreeMap<String, Tags>>,
}

impl Shared {
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

/// The subnet group of this name, or all.
pub async fn groups(aws: &Aws, name: Option<String>) -> Result<Vec<CacheSubnetGroup>, Fault> {
    let call = aws.elasticache.describe_cache_subnet_groups().set_cache_subnet_group_name(name);
    let found: Result<_, _> = call.into_paginator().items().send().collect().await;
    found.map_err(fault("elasticache:DescribeCacheSubnetGroups"))
}

/// The tags of what bears this ARN; none if it is gone.
async fn tags(aws: &Aws, arn: &str) -> Result<Tags, Fault> {
    match told_tags(aws, arn).await {
        Err(fault) if fault.class == Class::NotFound => Ok(Tags::new()),
        tags => tags,
    }
}

/// The tags of what bears this ARN, or AWS's refusal to tell.
pub async fn told_tags(aws: &Aws, arn: &str) -> Result<Tags, Fault> {
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
