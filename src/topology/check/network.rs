//! Addresses, zones, security groups, and where the load balancer stands.

use super::{derived, unique, zones};
use crate::topology::diagnostic::{Diagnostic, Placed, Sink};
use crate::topology::regions;
use crate::topology::suggest;
use crate::topology::text;
use crate::topology::types::{LoadBalancer, Rule, Topology};

pub fn check(topology: &Topology, sink: &mut Sink) {
    blocks(topology, sink);
    for subnet in &topology.subnets {
        zone(&subnet.zone, topology, sink);
    }
    for cache in &topology.caches {
        zone(&cache.zone, topology, sink);
    }
    for group in &topology.security_groups {
        derived(
            &group.name,
            &group.key,
            text::security_group_name,
            "name",
            Some(&topology.name),
            sink,
        );
    }
    // Names of groups are compared without regard to case (`CreateSecurityGroup`, `GroupName`).
    let names =
        topology.security_groups.iter().map(|group| (group.name.to_lowercase(), group.name.span));
    let twice = |span, name: &String| {
        Diagnostic::at(span, format!("two security groups are called `{name}`"))
            .label("a VPC takes each name once, upper or lower case")
            .hint("give one of them another name".to_owned())
    };
    unique(names, "first here", twice, sink);
    for rule in
        topology.security_groups.iter().flat_map(|group| group.ingress.iter().chain(&group.egress))
    {
        ports(rule, sink);
    }
    if let Some(balancer) = &topology.load_balancer {
        load_balancer(balancer, topology, sink);
    }
}

fn blocks(topology: &Topology, sink: &mut Sink) {
    let vpc = &topology.vpc.cidr_block;
    for (n, subnet) in topology.subnets.iter().enumerate() {
        let block = &subnet.cidr_block;
        if !vpc.contains(&block.value) {
            sink.push_unless_spoilt(
                Diagnostic::at(block.span, format!("{} is outside the VPC", block.value))
                    .label("not within the VPC's block")
                    .hint(format!("choose a block within {}", vpc.value))
                    .also(vpc.span, "the VPC's block"),
            );
        }
        let clash = topology.subnets[..n]
            .iter()
            .map(|before| &before.cidr_block)
            .find(|before| before.contains(&block.value) || block.contains(&before.value));
        if let Some(before) = clash {
            sink.push_unless_spoilt(
                Diagnostic::at(block.span, format!("{} overlaps {}", block.value, before.value))
                    .label("these addresses are taken")
                    .hint("choose a block that no other subnet has".to_owned())
                    .also(before.span, "by this subnet"),
            );
        }
    }
}

fn zone(zone: &Placed<String>, topology: &Topology, sink: &mut Sink) {
    let region = &topology.region;
    let known = regions::zones(region);
    if !known.contains(&zone.value) {
        let known = known.iter().map(String::as_str);
        sink.push_and_spoil(
            Diagnostic::at(
                zone.span,
                format!("`{}` is not a zone of {}", zone.value, region.value),
            )
            .label("not in this region")
            .also(region.span, "the region")
            .hint(format!("the region has {}", suggest::list(known))),
        );
    }
}

fn ports(rule: &Rule, sink: &mut Sink) {
    let wants = matches!(rule.protocol.as_str(), "tcp" | "udp");
    let message = match (wants, rule.ports) {
        (true, None) => format!("a rule for {} needs `port` or `ports`", rule.protocol),
        (false, Some(_)) => format!("a rule for {} has no ports", rule.protocol),
        _ => return,
    };
    let label = if wants { "which port?" } else { "it opens them all" };
    sink.push_unless_spoilt(Diagnostic::at(rule.span, message).label(label));
}

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html>: subnets from
/// at least two zones, one of each.
fn load_balancer(balancer: &LoadBalancer, topology: &Topology, sink: &mut Sink) {
    let subnets = balancer.subnets.iter().filter_map(|key| Some((key, topology.subnet(key)?)));
    let in_zones = subnets.clone().map(|(key, subnet)| (subnet.zone.value.clone(), key.span));
    let twice = |span, zone: &String| {
        Diagnostic::at(span, format!("two subnets of the load balancer are in {zone}"))
            .label("AWS takes one subnet of each zone")
    };
    unique(in_zones, "first here", twice, sink);
    if zones(topology, &balancer.subnets).len() < 2 {
        sink.push_unless_spoilt(
            Diagnostic::at(balancer.subnets.span, "a load balancer needs subnets in two zones")
                .label("these are all in one")
                .hint("add a public subnet of another zone".to_owned()),
        );
    }
    let private =
        subnets.filter(|(_, subnet)| !subnet.public && *balancer.scheme == "internet-facing");
    for (key, subnet) in private {
        sink.push_unless_spoilt(
            Diagnostic::at(
                key.span,
                format!("the load balancer can't be reached in `{}`", key.value),
            )
            .label("a private subnet")
            .also(subnet.key.span, "has no way from the internet")
            .hint(
                "name a subnet that is `public = true`, or set `scheme = \"internal\"`".to_owned(),
            ),
        );
    }
}
