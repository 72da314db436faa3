//! What the kinds of RDS share: tags.

use std::collections::BTreeMap;

use aws_sdk_rds::types::Tag;

use super::{Aws, fault};
use crate::model::{Class, Fault, Tags};

type Outputs = BTreeMap<String, String>;

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
