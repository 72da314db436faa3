//! The rules of security groups: those the file writes out, and those that follow from its services.

use serde::Deserialize;
use serde_json::Value;

use super::link;
use crate::kinds::security_group;
use crate::model::Link;
use crate::topology::{Names, Peer, Rule, Topology, Use};

/// The rules that follow from the services for the group of this key: a service's port for the load balancer, and
/// the port of what a service uses for that service.
pub fn opened(topology: &Topology, key: &str) -> Vec<security_group::Rule> {
    let holds = |groups: &Names| groups.iter().any(|group| **group == *key);
    let mut rules = Vec::new();
    let mut open = |port: u16, to: &Names| {
        rules.extend(to.iter().map(|from| security_group::Rule {
            protocol: "tcp".to_owned(),
            ports: Some((port.into(), port.into())),
            peer: link(&security_group::SCHEMA, from),
        }));
    };
    for service in &topology.services {
        if let Some(balancer) = &topology.load_balancer
            && topology.is_balanced(service)
            && holds(&service.security_groups)
        {
            open(*service.port, &balancer.security_groups);
        }
        for used in &service.uses {
            let (port, groups) = match &used.value {
                Use::Database(key) => match topology.database(key) {
                    Some(database) => (database.port, &database.security_groups),
                    None => continue,
                },
                Use::Cache(key) => match topology.cache(key) {
                    Some(cache) => (cache.port, &cache.security_groups),
                    None => continue,
                },
            };
            if holds(groups) {
                open(port, &service.security_groups);
            }
        }
    }
    rules
}

/// A rule that the file writes out.
pub fn written(rule: &Rule) -> security_group::Rule {
    security_group::Rule {
        protocol: rule.protocol.clone(),
        ports: match rule.protocol.as_str() {
            // ICMP has types and codes where others have ports; -1 stands for all of them.
            "icmp" => Some((-1, -1)),
            _ => rule.ports.map(|(first, last)| (first.into(), last.into())),
        },
        peer: match &rule.peer.value {
            Peer::Block(block) => self::block(&block.to_string()),
            Peer::Group(key) => link(&security_group::SCHEMA, key),
        },
    }
}

fn block(cidr: &str) -> Link {
    Link::deserialize(Value::String(cidr.to_owned())).unwrap_or_default()
}
