//! Whether what is to stand in the subnets has addresses there: what is certain by the file alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::topology::addresses::{FOR_LOAD_BALANCER, KEPT, LOAD_BALANCER_PREFIX, usable};
use crate::topology::diagnostic::{Diagnostic, Sink, Span};
use crate::topology::types::{Names, Subnet, Topology};

pub fn check(topology: &Topology, sink: &mut Sink) {
    let too_small = too_small(topology, sink);
    let standing = Standing::of(topology);
    // Where AWS puts a store among several subnets is known when it stands: it takes addresses of them all together.
    let single = topology.subnets.iter().map(|one| (vec![one], one.cidr_block.span));
    let several = standing.stores.iter().map(|(names, _)| (known(topology, names), names.span));
    let mut full: BTreeSet<&str> = too_small;
    for (subnets, place) in single.chain(several.filter(|(subnets, _)| subnets.len() > 1)) {
        if subnets.iter().any(|one| full.contains(one.key.as_str())) {
            continue;
        }
        if let Some(error) = standing.crowded(&subnets, place) {
            sink.push_unless_spoilt(error);
            full.extend(subnets.iter().map(|one| one.key.as_str()));
        }
    }
}

/// The load balancer's subnets that it can't be in.
fn too_small<'a>(topology: &'a Topology, sink: &mut Sink) -> BTreeSet<&'a str> {
    let Some(balancer) = &topology.load_balancer else { return BTreeSet::new() };
    let subnets = balancer.subnets.iter().filter_map(|key| Some((key, topology.subnet(key)?)));
    let small = subnets.filter(|(_, subnet)| subnet.cidr_block.prefix_len() > LOAD_BALANCER_PREFIX);
    small
        .map(|(key, subnet)| {
            let block = &subnet.cidr_block;
            sink.push_unless_spoilt(
                Diagnostic::at(
                    block.span,
                    format!("{} is too small for the load balancer", block.value),
                )
                .label(format!("a /{LOAD_BALANCER_PREFIX} is the least that it takes"))
                .also(key.span, "it stands there")
                .hint("choose a larger block, or another subnet for it".to_owned()),
            );
            subnet.key.as_str()
        })
        .collect()
}

/// What takes addresses, and where.
struct Standing<'a> {
    /// How many machines stand in each subnet.
    machines: BTreeMap<&'a str, u64>,
    balancer: BTreeSet<&'a str>,
    /// How many nodes stand somewhere in these.
    stores: Vec<(&'a Names, u64)>,
}

impl<'a> Standing<'a> {
    fn of(topology: &'a Topology) -> Self {
        let mut machines: BTreeMap<&str, u64> = BTreeMap::new();
        for service in &topology.services {
            for subnet in topology.spread(&service.subnets).take(*service.count as usize) {
                *machines.entry(subnet.key.as_str()).or_default() += 1;
            }
        }
        let databases = topology.databases.iter().map(|one| {
            let nodes = 1 + u64::from(one.multi_az) + u64::from(*one.replicas);
            (&one.subnets, nodes)
        });
        let caches = topology.caches.iter().map(|one| (&one.subnets, 1 + u64::from(*one.replicas)));
        let balancer = topology.load_balancer.iter().flat_map(|one| one.subnets.iter());
        Self {
            machines,
            balancer: balancer.map(|key| key.as_str()).collect(),
            stores: databases.chain(caches).collect(),
        }
    }

    /// An error, if what can stand nowhere else does not fit into these.
    fn crowded(&self, subnets: &[&Subnet], place: Span) -> Option<Diagnostic> {
        let keys: BTreeSet<&str> = subnets.iter().map(|one| one.key.as_str()).collect();
        let machines: u64 = keys.iter().filter_map(|key| self.machines.get(key)).sum();
        let balancer = self.balancer.intersection(&keys).count() as u64 * FOR_LOAD_BALANCER;
        let within = |names: &Names| {
            !names.is_empty() && names.iter().all(|key| keys.contains(key.as_str()))
        };
        let stores = self.stores.iter().filter(|(names, _)| within(names));
        let stores: u64 = stores.map(|(_, nodes)| nodes).sum();
        let needed = machines + balancer + stores;
        let usable: u64 = subnets.iter().map(|one| usable(&one.cidr_block)).sum();
        let parts = [
            (machines, "machines"),
            (balancer, "the load balancer"),
            (stores, "databases and caches"),
        ];
        let parts = parts.into_iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts.map(|(count, what)| format!("{what} ({count})")).collect();
        let (has, label) = match subnets {
            [one] => (format!("{} has {usable}", one.cidr_block.value), "AWS keeps"),
            _ => (format!("these subnets have {usable}"), "in each AWS keeps"),
        };
        (needed > usable).then(|| {
            Diagnostic::at(place, format!("{needed} addresses are needed, and {has}"))
                .label(format!("{label} {KEPT}"))
                .hint(format!("for {}; choose a larger block, or more subnets", parts.join(", ")))
        })
    }
}

fn known<'a>(topology: &'a Topology, names: &Names) -> Vec<&'a Subnet> {
    names.iter().filter_map(|key| topology.subnet(key)).collect()
}
