//! RDS: versions, what can be ordered, snapshots, and how much of it all the account may have.

use std::collections::BTreeSet;

use aws_sdk_rds::types::Filter;

use super::{silent, unless_silent};
use crate::aws::{Aws, fault};
use crate::model::Fault;
use crate::model::question::{Order, Orders, Room, Rooms};

pub const VERSIONS: &str = "rds:DescribeDBEngineVersions";
pub const ORDERS: &str = "rds:DescribeOrderableDBInstanceOptions";
pub const SNAPSHOTS: &str = "rds:DescribeDBSnapshots";
pub const ATTRIBUTES: &str = "rds:DescribeAccountAttributes";

pub async fn versions(aws: &Aws, engine: &str) -> Result<BTreeSet<String>, Fault> {
    let pages = aws.rds.describe_db_engine_versions().engine(engine).into_paginator();
    let found: Vec<_> =
        pages.items().send().collect::<Result<_, _>>().await.map_err(fault(VERSIONS))?;
    unless_silent(found.into_iter().filter_map(|one| one.engine_version).collect(), VERSIONS)
}

/// Also of a version that AWS gives nobody any more, and goes on running.
pub async fn upgrades(aws: &Aws, engine: &str, version: &str) -> Result<BTreeSet<String>, Fault> {
    let call = aws.rds.describe_db_engine_versions().engine(engine).engine_version(version);
    let pages = call.include_all(true).into_paginator().items().send();
    let found: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(fault(VERSIONS))?;
    let targets = found.iter().flat_map(|one| one.valid_upgrade_target());
    Ok(targets.filter_map(|target| target.engine_version().map(str::to_owned)).collect())
}

pub async fn orders(aws: &Aws, engine: &str, version: &str, class: &str) -> Result<Orders, Fault> {
    let call = aws.rds.describe_orderable_db_instance_options().engine(engine);
    let call = call.engine_version(version).db_instance_class(class).vpc(true);
    let pages = call.into_paginator().items().send();
    let found: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(fault(ORDERS))?;
    if found.is_empty() {
        // None of this class: unless there is none of any.
        let call = aws.rds.describe_orderable_db_instance_options().engine(engine);
        let answer = call.engine_version(version).max_records(20).send().await;
        if answer.map_err(fault(ORDERS))?.orderable_db_instance_options().is_empty() {
            return Err(silent(ORDERS));
        }
    }
    let size = |size: Option<i32>| size.and_then(|size| u32::try_from(size).ok());
    let order = |found: aws_sdk_rds::types::OrderableDbInstanceOption| {
        let zones = found.availability_zones().iter().filter_map(|zone| zone.name());
        Some(Order {
            zones: zones.map(str::to_owned).collect(),
            multi_az: found.multi_az_capable.unwrap_or(true),
            replicas: found.read_replica_capable.unwrap_or(true),
            storage: size(found.min_storage_size).zip(size(found.max_storage_size)),
            storage_type: found.storage_type?,
        })
    };
    Ok(found.into_iter().filter_map(order).collect())
}

pub async fn snapshots(aws: &Aws, names: &BTreeSet<String>) -> Result<BTreeSet<String>, Fault> {
    let filter = Filter::builder().name("db-snapshot-id");
    let filter = names.iter().fold(filter, |filter, name| filter.values(name)).build();
    let call = aws.rds.describe_db_snapshots().snapshot_type("manual").filters(filter);
    let pages = call.into_paginator().items().send();
    let found: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(fault(SNAPSHOTS))?;
    let taken = found.into_iter().filter_map(|one| one.db_snapshot_identifier);
    Ok(taken.filter(|name| names.contains(name)).collect())
}

/// By RDS's own names: `DBInstances`, `DBSubnetGroups`.
pub async fn room(aws: &Aws) -> Result<Rooms, Fault> {
    let answer = aws.rds.describe_account_attributes().send().await.map_err(fault(ATTRIBUTES))?;
    let rooms = answer.account_quotas.unwrap_or_default().into_iter().filter_map(|quota| {
        let most = u64::try_from(quota.max?).ok()?;
        Some((quota.account_quota_name?, Room { most, used: u64::try_from(quota.used?).ok()? }))
    });
    Ok(rooms.collect())
}
