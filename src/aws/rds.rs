//! What RDS tells several kinds: the databases, which of them has which secret, and tags.

use std::collections::BTreeMap;

use aws_sdk_rds::types::{DbInstance, Tag};
use tokio::sync::OnceCell;

use super::{Aws, Reading, fault};
use crate::model::{Class, Fault, Tags};

type Outputs = BTreeMap<String, String>;

/// The tag of a database that says which secret its password is from, by ARN. RDS knows a password, not where it came from;
/// it is written when RDS has taken the password, so that a run cut short before gives it once more.
const SECRET: &str = "ecdeploy:secret";

/// What several kinds read, asked for once a reading.
#[derive(Default)]
pub struct Shared {
    databases: OnceCell<Vec<DbInstance>>,
}

impl Shared {
    /// Every database of the account and region.
    pub async fn databases(&self, read: &Reading<'_>) -> Result<&Vec<DbInstance>, Fault> {
        self.databases.get_or_try_init(|| databases(read.aws, None)).await
    }
}

/// The database of this name, or all.
pub async fn databases(aws: &Aws, name: Option<String>) -> Result<Vec<DbInstance>, Fault> {
    let call = aws.rds.describe_db_instances().set_db_instance_identifier(name);
    let found: Result<_, _> = call.into_paginator().items().send().collect().await;
    found.map_err(fault("rds:DescribeDBInstances"))
}

/// The secret of ours that has the database's password; none where RDS keeps it.
pub fn secret_of(database: &DbInstance) -> Option<String> {
    let tag = database.tag_list().iter().find(|tag| tag.key() == Some(SECRET));
    let arn = tag.and_then(Tag::value).filter(|arn| !arn.is_empty());
    arn.filter(|_| database.master_user_secret.is_none()).map(str::to_owned)
}

/// The tag that says so; without an ARN, that there is none.
pub fn secret_tag(arn: &str) -> Tags {
    Tags::from([(SECRET.to_owned(), arn.to_owned())])
}

/// The tags of what bears this ARN; none if it is gone.
pub async fn tags(aws: &Aws, arn: &str) -> Result<Tags, Fault> {
    let answer = aws.rds.list_tags_for_resource().resource_name(arn).send().await;
    match answer.map_err(fault("rds:ListTagsForResource")) {
        Ok(answer) => Ok(from_sdk(answer.tag_list())),
        Err(fault) if fault.class == Class::NotFound => Ok(Tags::new()),
        Err(fault) => Err(fault),
    }
}

/// Sets tags on the resource whose outputs these are.
pub async fn tag(aws: &Aws, outputs: &Outputs, tags: &Tags) -> Result<(), Fault> {
    let arn = outputs.get("arn").map_or("", String::as_str);
    let call = aws.rds.add_tags_to_resource().resource_name(arn).set_tags(Some(to_sdk(tags)));
    call.send().await.map_err(fault("rds:AddTagsToResource"))?;
    Ok(())
}

pub fn from_sdk(tags: &[Tag]) -> Tags {
    let pairs = tags.iter().filter_map(|tag| Some((tag.key()?, tag.value().unwrap_or_default())));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

pub fn to_sdk(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
