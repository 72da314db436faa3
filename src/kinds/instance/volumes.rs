//! The volumes that machines start from, and what else is attached to them.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, Instance as Seen, Volume};
use futures_util::future::try_join_all;

use crate::aws::ec2::FILTER_VALUES;
use crate::aws::{Aws, Reading, fault};
use crate::kinds::Live;
use crate::model::{ADDRESS, Fault, NAME, TOPOLOGY, Tags};

/// The tags of a root volume, of those that its machine is born with.
pub fn tags(all: &Tags) -> Tags {
    let kept = all.iter().filter(|(key, _)| [TOPOLOGY, ADDRESS, NAME].contains(&key.as_str()));
    kept.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The topology's volumes by id, or those of the one that is read.
pub async fn listed(read: &Reading<'_>) -> Result<BTreeMap<String, Volume>, Fault> {
    let call = read.aws.ec2.describe_volumes().filters(read.filter("attachment.instance-id"));
    let pages = call.into_paginator().page_size(500).items().send();
    let seen = pages.collect::<Result<Vec<_>, _>>().await.map_err(fault("ec2:DescribeVolumes"))?;
    Ok(seen.into_iter().filter_map(|volume| Some((volume.volume_id.clone()?, volume))).collect())
}

/// The volume that a machine started from.
pub fn root<'a>(instance: &Seen, volumes: &'a BTreeMap<String, Volume>) -> Option<&'a Volume> {
    let mut mappings = instance.block_device_mappings().iter();
    let root = mappings.find(|mapping| mapping.device_name() == instance.root_device_name())?;
    volumes.get(root.ebs()?.volume_id()?)
}

/// What is attached to these machines.
pub async fn attached(aws: &Aws, all: &[Live]) -> Result<Vec<Volume>, Fault> {
    let asked = all.chunks(FILTER_VALUES).map(|machines| async move {
        let ids = machines.iter().map(|machine| machine.id.clone()).collect();
        let filter = Filter::builder().name("attachment.instance-id").set_values(Some(ids)).build();
        let call = aws.ec2.describe_volumes().filters(filter);
        let pages = call.into_paginator().page_size(500).items().send();
        let found: Result<Vec<_>, _> = pages.collect().await;
        found.map_err(fault("ec2:DescribeVolumes"))
    });
    Ok(try_join_all(asked).await?.into_iter().flatten().collect())
}
