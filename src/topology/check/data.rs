//! Databases and caches.

use super::{derived, unique, unlike, zones};
use crate::topology::diagnostic::{Diagnostic, Sink};
use crate::topology::sizes;
use crate::topology::suggest;
use crate::topology::types::{Cache, Database, Topology};

pub fn check(topology: &Topology, sink: &mut Sink) {
    unlike("databases", topology.databases.iter().map(|database| &database.name), sink);
    unlike("caches", topology.caches.iter().map(|cache| &cache.name), sink);
    for database in &topology.databases {
        derived(
            &database.identifier,
            &database.key,
            sizes::db_identifier,
            "identifier",
            Some(&topology.name),
            sink,
        );
        derived(&database.db_name, &database.key, sizes::db_name, "db_name", None, sink);
        in_two_zones(database, topology, sink);
        if *database.replicas > 0 {
            with_replicas(database, sink);
        }
    }
    let ids = topology.databases.iter().map(|db| (db.identifier.value.clone(), db.identifier.span));
    let twice = |span, id: &String| {
        Diagnostic::at(span, format!("two databases are called `{id}`"))
            .label("taken")
            .hint("give one of them another `identifier`".to_owned())
    };
    unique(ids, "first here", twice, sink);
    for cache in &topology.caches {
        derived(
            &cache.cluster_id,
            &cache.key,
            sizes::cache_id,
            "cluster_id",
            Some(&topology.name),
            sink,
        );
        in_its_zone(cache, topology, sink);
        if *cache.replicas > 0 {
            replicated(cache, topology, sink);
        }
    }
    let ids =
        topology.caches.iter().map(|cache| (cache.cluster_id.value.clone(), cache.cluster_id.span));
    let twice = |span, id: &String| {
        Diagnostic::at(span, format!("two caches are called `{id}`"))
            .label("taken")
            .hint("give one of them another `cluster_id`".to_owned())
    };
    unique(ids, "first here", twice, sink);
}

/// `CreateDBSubnetGroup`: <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html>
fn in_two_zones(database: &Database, topology: &Topology, sink: &mut Sink) {
    if zones(topology, &database.subnets).len() < 2 {
        sink.push_unless_spoilt(
            Diagnostic::at(database.subnets.span, "a database needs subnets in two zones")
                .label("these are all in one")
                .hint(
                    "RDS wants it even without multi_az, so that there is a zone to move to"
                        .to_owned(),
                ),
        );
    }
}

/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html>
fn with_replicas(database: &Database, sink: &mut Sink) {
    let replicas = database.replicas.span;
    if *database.backup_retention_period == 0 {
        sink.push_unless_spoilt(
            Diagnostic::at(replicas, "replicas need backups of their database")
                .label("RDS makes none without")
                .also(database.backup_retention_period.span, "these are turned off")
                .hint(
                    "set `backup_retention_period` to 1 or more, or leave out `replicas`"
                        .to_owned(),
                ),
        );
    }
    // Too long for AWS by itself, it has been told already.
    if let (Ok(()), Err(flaw)) = (
        sizes::db_identifier(&database.identifier),
        sizes::replicated_db_identifier(&database.identifier),
    ) {
        sink.push_unless_spoilt(
            Diagnostic::at(database.identifier.span, flaw.message)
                .label(flaw.wanted)
                .also(replicas, "with these")
                .hint("write a shorter `identifier`".to_owned()),
        );
    }
}

/// A replica that is to take over has to be where the primary is not:
/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoFailover.html>
fn replicated(cache: &Cache, topology: &Topology, sink: &mut Sink) {
    if zones(topology, &cache.subnets).len() < 2 {
        sink.push_unless_spoilt(
            Diagnostic::at(cache.replicas.span, "replicas need subnets in two zones")
                .label("they take over when the primary's zone fails")
                .also(cache.subnets.span, "these are all in one")
                .hint("add a subnet in another zone, or leave out `replicas`".to_owned()),
        );
    }
    // Too long for AWS by itself, it has been told already.
    if let (Ok(()), Err(flaw)) =
        (sizes::cache_id(&cache.cluster_id), sizes::replicated_cache_id(&cache.cluster_id))
    {
        sink.push_unless_spoilt(
            Diagnostic::at(cache.cluster_id.span, flaw.message)
                .label(flaw.wanted)
                .also(cache.replicas.span, "with these")
                .hint("write a shorter `cluster_id`".to_owned()),
        );
    }
}

fn in_its_zone(cache: &Cache, topology: &Topology, sink: &mut Sink) {
    let there = zones(topology, &cache.subnets);
    if !there.contains_key(cache.zone.as_str()) {
        sink.push_unless_spoilt(
            Diagnostic::at(cache.zone.span, format!("the cache has no subnet in {}", *cache.zone))
                .label("none of its subnets is here")
                .also(cache.subnets.span, "its subnets")
                .hint(format!("its subnets are in {}", suggest::list(there.into_keys()))),
        );
    }
}
