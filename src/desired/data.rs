//! Databases and caches, and the groups of subnets that they stand in.

use std::collections::BTreeSet;

use super::{Build, MAIN, link, links};
use crate::kinds::{
    cache_cluster, cache_subnet_group, db_instance, db_subnet_group, replication_group, secret,
    security_group, subnet,
};
use crate::model::{Address, Link, Schema};
use crate::topology::{Cache, Database};

impl Build<'_> {
    pub(super) fn databases(&mut self) {
        // One subnet group for each set of subnets, named by the first database in it.
        let mut groups: Vec<(BTreeSet<&str>, &str)> = Vec::new();
        for database in &self.topology.databases {
            let subnets = subnets(database);
            if !groups.iter().any(|(known, _)| *known == subnets) {
                groups.push((subnets, &database.name));
            }
        }
        if let [(_, name)] = &mut groups[..] {
            *name = MAIN;
        }
        for database in &self.topology.databases {
            // Several databases share a group of subnets: it belongs to none of their blocks.
            self.begin("", "", false);
            let subnets = subnets(database);
            let group = groups.iter().find(|(known, _)| *known == subnets);
            let name = group.map_or(MAIN, |(_, name)| name);
            if !self
                .desired
                .resources
                .contains_key(&Address::new(db_subnet_group::SCHEMA.kind, name))
            {
                let spec = db_subnet_group::DbSubnetGroup {
                    name: self.named(name),
                    description: format!("Databases of {}", *self.topology.name),
                    subnets: links(&subnet::SCHEMA, &database.subnets),
                };
                self.add(&db_subnet_group::SCHEMA, name, &spec, database.key.span);
                let address = Address::new(db_subnet_group::SCHEMA.kind, name);
                self.says(&address, [("subnets", database.subnets.span)]);
            }
            self.begin("database", &database.key, database.protect);
            self.database(database, link(&db_subnet_group::SCHEMA, name));
        }
    }

    fn database(&mut self, database: &Database, subnet_group: Link) {
        let replicated = *database.replicas > 0;
        if replicated {
            self.secret(database);
        }
        let spec = db_instance::DbInstance {
            identifier: database.identifier.value.clone(),
            engine: database.engine.clone(),
            engine_version: database.engine_version.value.clone(),
            instance_class: database.instance_class.value.clone(),
            allocated_storage: *database.allocated_storage,
            storage_type: database.storage_type.value.clone(),
            storage_encrypted: database.storage_encrypted,
            multi_az: database.multi_az,
            publicly_accessible: false,
            port: database.port,
            db_name: database.db_name.value.clone(),
            master_username: database.username.clone(),
            manage_master_user_password: !replicated,
            master_user_secret: match replicated {
                true => link(&secret::SCHEMA, &database.key),
                false => Link::default(),
            },
            backup_retention_period: *database.backup_retention_period,
            deletion_protection: database.deletion_protection,
            source: Link::default(),
            subnet_group,
            security_groups: links(&security_group::SCHEMA, &database.security_groups),
            apply_immediately: database.apply_immediately,
        };
        let address = Address::new(db_instance::SCHEMA.kind, &database.key);
        self.desired.final_snapshot.insert(address.clone(), database.final_snapshot);
        let spans = [
            ("allocated_storage", database.allocated_storage.span),
            ("backup_retention_period", database.backup_retention_period.span),
            ("engine_version", database.engine_version.span),
            ("identifier", database.identifier.span),
            ("instance_class", database.instance_class.span),
            ("security_groups", database.security_groups.span),
            ("storage_type", database.storage_type.span),
            ("subnet_group", database.subnets.span),
        ];
        self.says(&address, spans);
        self.add(&db_instance::SCHEMA, &database.key, &spec, database.key.span);
        if [database.name.span, database.identifier.span] == [database.key.span; 2] {
            self.named_by_key(&db_instance::SCHEMA, &database.key);
        }
        for n in 1..=*database.replicas {
            self.replica(database, &spec, n);
        }
    }

    /// The password of a database with replicas, which RDS does not keep.
    fn secret(&mut self, database: &Database) {
        let spec = secret::Secret {
            name: secret::name(&database.identifier),
            description: format!(
                "Password of database {} of {}",
                *database.key, *self.topology.name
            ),
            username: database.username.clone(),
        };
        self.add(&secret::SCHEMA, &database.key, &spec, database.replicas.span);
    }

    /// As its source, but for what RDS does not give a replica.
    fn replica(&mut self, database: &Database, source: &db_instance::DbInstance, n: u32) {
        let spec = db_instance::DbInstance {
            identifier: db_instance::replica_identifier(&database.identifier, n),
            instance_class: database.replica_instance_class.value.clone(),
            multi_az: false,
            master_user_secret: Link::default(),
            backup_retention_period: 0,
            source: link(&db_instance::SCHEMA, &database.key),
            ..source.clone()
        };
        let address = db_instance::replica_address(&database.key, n);
        self.add(&db_instance::SCHEMA, address.name(), &spec, database.replicas.span);
        let spans = [
            ("engine_version", database.engine_version.span),
            ("instance_class", database.replica_instance_class.span),
            ("security_groups", database.security_groups.span),
            ("storage_type", database.storage_type.span),
            ("subnet_group", database.subnets.span),
        ];
        self.says(&address, spans);
    }

    pub(super) fn caches(&mut self) {
        for cache in &self.topology.caches {
            self.begin("cache", &cache.key, cache.protect);
            let group = cache_subnet_group::CacheSubnetGroup {
                name: self.named(&cache.name),
                description: format!("Cache {} of {}", *cache.name, *self.topology.name),
                subnets: links(&subnet::SCHEMA, &cache.subnets),
            };
            self.add(&cache_subnet_group::SCHEMA, &cache.key, &group, cache.key.span);
            let address = Address::new(cache_subnet_group::SCHEMA.kind, &cache.key);
            self.says(&address, [("subnets", cache.subnets.span)]);
            if cache.name.span == cache.key.span {
                self.named_by_key(&cache_subnet_group::SCHEMA, &cache.key);
            }
            let schema = match *cache.replicas {
                0 => self.one_node(cache),
                replicas => self.replication_group(cache, replicas),
            };
            let spans = [
                ("cluster_id", cache.cluster_id.span),
                ("engine_version", cache.engine_version.span),
                ("node_type", cache.node_type.span),
                ("security_groups", cache.security_groups.span),
            ];
            self.says(&Address::new(schema.kind, &cache.key), spans);
            if [cache.name.span, cache.cluster_id.span] == [cache.key.span; 2] {
                self.named_by_key(schema, &cache.key);
            }
        }
    }

    fn one_node(&mut self, cache: &Cache) -> &'static Schema {
        let spec = cache_cluster::CacheCluster {
            cluster_id: cache.cluster_id.value.clone(),
            engine: cache.engine.clone(),
            engine_version: cache.engine_version.value.clone(),
            node_type: cache.node_type.value.clone(),
            num_cache_nodes: 1,
            availability_zone: cache.zone.value.clone(),
            port: cache.port,
            subnet_group: link(&cache_subnet_group::SCHEMA, &cache.key),
            security_groups: links(&security_group::SCHEMA, &cache.security_groups),
        };
        self.add(&cache_cluster::SCHEMA, &cache.key, &spec, cache.key.span);
        &cache_cluster::SCHEMA
    }

    fn replication_group(&mut self, cache: &Cache, replicas: u32) -> &'static Schema {
        let spec = replication_group::ReplicationGroup {
            replication_group_id: replication_group::id(&cache.cluster_id),
            description: format!("Cache {} of {}", *cache.name, *self.topology.name),
            engine: cache.engine.clone(),
            engine_version: cache.engine_version.value.clone(),
            node_type: cache.node_type.value.clone(),
            num_cache_clusters: replicas.saturating_add(1),
            automatic_failover: true,
            multi_az: true,
            port: cache.port,
            subnet_group: link(&cache_subnet_group::SCHEMA, &cache.key),
            security_groups: links(&security_group::SCHEMA, &cache.security_groups),
        };
        self.add(&replication_group::SCHEMA, &cache.key, &spec, cache.replicas.span);
        &replication_group::SCHEMA
    }
}

fn subnets(database: &Database) -> BTreeSet<&str> {
    database.subnets.iter().map(|key| key.as_str()).collect()
}
