//! Every name of another block leads to one.

use crate::topology::diagnostic::{Diagnostic, Placed, Sink, Span};
use crate::topology::suggest;
use crate::topology::types::{Names, Peer, Topology, Use};

pub fn check(topology: &Topology, sink: &mut Sink) {
    let subnets: Vec<&str> = topology.subnets.iter().map(|subnet| subnet.key.as_str()).collect();
    let groups: Vec<&str> =
        topology.security_groups.iter().map(|group| group.key.as_str()).collect();
    let balancer = topology
        .load_balancer
        .iter()
        .map(|balancer| (&balancer.subnets, &balancer.security_groups));
    let services =
        topology.services.iter().map(|service| (&service.subnets, &service.security_groups));
    let databases = topology.databases.iter().map(|db| (&db.subnets, &db.security_groups));
    let caches = topology.caches.iter().map(|cache| (&cache.subnets, &cache.security_groups));
    for (in_subnets, in_groups) in balancer.chain(services).chain(databases).chain(caches) {
        all(in_subnets, "subnet", &subnets, sink);
        all(in_groups, "security_group", &groups, sink);
    }
    for rule in
        topology.security_groups.iter().flat_map(|group| group.ingress.iter().chain(&group.egress))
    {
        if let Peer::Group(key) = &rule.peer.value {
            one(key, rule.peer.span, "security_group", &groups, sink);
        }
    }
    used(topology, sink);
    if let Some(balancer) = &topology.load_balancer {
        let services: Vec<&str> =
            topology.services.iter().map(|service| service.key.as_str()).collect();
        one(&balancer.default_service, balancer.default_service.span, "service", &services, sink);
    }
}

fn used(topology: &Topology, sink: &mut Sink) {
    let databases: Vec<&str> = topology.databases.iter().map(|db| db.key.as_str()).collect();
    let caches: Vec<&str> = topology.caches.iter().map(|cache| cache.key.as_str()).collect();
    for service in &topology.services {
        twice(&service.uses, sink);
        for used in &service.uses {
            match &used.value {
                Use::Database(key) => one(key, used.span, "database", &databases, sink),
                Use::Cache(key) => one(key, used.span, "cache", &caches, sink),
            }
        }
    }
}

fn all(names: &Names, kind: &str, known: &[&str], sink: &mut Sink) {
    if names.is_empty() {
        sink.push_and_spoil(
            Diagnostic::at(names.span, format!("no {} is named", kind.replace('_', " ")))
                .label("at least one is needed"),
        );
    }
    twice(names, sink);
    for name in names.iter() {
        one(name, name.span, kind, known, sink);
    }
}

fn one(name: &str, span: Span, kind: &str, known: &[&str], sink: &mut Sink) {
    if !known.contains(&name) {
        let what = kind.replace('_', " ");
        let hint = suggest::hint(name, known.iter().copied())
            .or_else(|| Some(format!("add one: [{kind}.{name}]")));
        sink.push_and_spoil(
            Diagnostic::at(span, format!("there is no {what} `{name}`"))
                .label(format!("no [{kind}] has this key"))
                .hint(hint),
        );
    }
}

fn twice<T: PartialEq>(names: &[Placed<T>], sink: &mut Sink) {
    for (n, name) in names.iter().enumerate() {
        if let Some(first) = names[..n].iter().find(|first| first.value == name.value) {
            let error = Diagnostic::at(name.span, "named twice").label("once is enough");
            sink.push_and_spoil(error.also(first.span, "first here"));
        }
    }
}
