//! ElastiCache: versions, and types of nodes.

use std::collections::BTreeSet;

use super::unless_silent;
use crate::aws::{Aws, fault};
use crate::model::Fault;

pub const VERSIONS: &str = "elasticache:DescribeCacheEngineVersions";
pub const OFFERINGS: &str = "elasticache:DescribeReservedCacheNodesOfferings";

pub async fn versions(aws: &Aws, engine: &str) -> Result<BTreeSet<String>, Fault> {
    let pages = aws.elasticache.describe_cache_engine_versions().engine(engine).into_paginator();
    let found: Vec<_> =
        pages.items().send().collect::<Result<_, _>>().await.map_err(fault(VERSIONS))?;
    unless_silent(found.into_iter().filter_map(|one| one.engine_version).collect(), VERSIONS)
}

/// ElastiCache has no listing of its types; those that it reserves in the region it has there.
pub async fn nodes(aws: &Aws) -> Result<BTreeSet<String>, Fault> {
    let pages = aws.elasticache.describe_reserved_cache_nodes_offerings().into_paginator();
    let found: Vec<_> =
        pages.items().send().collect::<Result<_, _>>().await.map_err(fault(OFFERINGS))?;
    unless_silent(found.into_iter().filter_map(|one| one.cache_node_type).collect(), OFFERINGS)
}
