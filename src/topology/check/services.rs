//! Services: ports, counts, routes, health checks, and their place behind the load balancer.

use std::collections::BTreeSet;

use super::{unique, unlike, zones};
use crate::topology::diagnostic::{Diagnostic, Sink};
use crate::topology::text;
use crate::topology::types::{Service, Topology};

/// Target groups of one load balancer, which AWS does not raise:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html>
const MOST_TARGET_GROUPS: usize = 100;

pub fn check(topology: &Topology, sink: &mut Sink) {
    let ports = topology.services.iter().map(|service| (*service.port, service.port.span));
    let twice = |span, port: &u16| {
        Diagnostic::at(span, format!("two services listen on port {port}"))
            .label("taken")
            .hint("give each service a port of its own".to_owned())
    };
    unique(ports, "first here", twice, sink);
    unlike("services", topology.services.iter().map(|service| &service.name), sink);
    routes(topology, sink);
    for service in &topology.services {
        counts(service, sink);
        if topology.is_balanced(service) {
            rolling(service, sink);
            balanced(service, topology, sink);
        }
    }
}

fn counts(service: &Service, sink: &mut Sink) {
    let (count, min) = (&service.count, &service.min_count);
    if **count < **min {
        sink.push_unless_spoilt(
            Diagnostic::at(
                count.span,
                format!("count is below min_count: {} < {}", **count, **min),
            )
            .label("fewer than allowed")
            .hint(format!("set count to {} or more", **min))
            .also(min.span, "min_count"),
        );
    }
    let Some(max) = &service.max_count else { return };
    if **max < **min {
        sink.push_unless_spoilt(
            Diagnostic::at(
                max.span,
                format!("max_count is below min_count: {} < {}", **max, **min),
            )
            .label("below min_count")
            .hint(format!("set max_count to {} or more", **min))
            .also(min.span, "min_count"),
        );
    } else if **count > **max {
        sink.push_unless_spoilt(
            Diagnostic::at(
                count.span,
                format!("count is above max_count: {} > {}", **count, **max),
            )
            .label("more than allowed")
            .hint(format!("set count to {} or less, or raise max_count", **max))
            .also(max.span, "max_count"),
        );
    }
}

/// Machines that are changed in place serve nothing meanwhile.
fn rolling(service: &Service, sink: &mut Sink) {
    let rolling = &service.rolling;
    let (count, abreast) = (*service.count, *rolling.max_parallel);
    let left = count.saturating_sub(abreast);
    let Some(min) = &rolling.min_healthy else {
        if abreast > 1 {
            sink.push_unless_spoilt(
                Diagnostic::at(
                    rolling.max_parallel.span,
                    format!("all but one of {count} have to be healthy throughout, by default"),
                )
                .label(format!("{abreast} are changed at a time"))
                .also(service.count.span, "count")
                .hint(format!("say how many have to be healthy: `min_healthy = {left}`")),
            );
        }
        return;
    };
    if **min > 0 && rolling.healthy_deadline == 0 {
        sink.push_unless_spoilt(
            Diagnostic::at(
                min.span,
                "nobody is kept healthy where healthy_deadline = 0 waits for none".to_owned(),
            )
            .label("can't be held")
            .hint("take healthy_deadline out, or say `min_healthy = 0`".to_owned()),
        );
        return;
    }
    if **min > left {
        sink.push_unless_spoilt(
            Diagnostic::at(min.span, format!("{left} of {count} stay while {abreast} are changed"))
                .label(format!("{} have to be healthy throughout", **min))
                .also(service.count.span, "count")
                .hint("lower min_healthy or max_parallel, or raise count".to_owned()),
        );
    }
}

fn routes(topology: &Topology, sink: &mut Sink) {
    let routes = || topology.services.iter().flat_map(|service| &service.routes);
    let twice = |span, priority: &u32| {
        Diagnostic::at(span, format!("two routes have priority {priority}")).label("taken").hint(
            "the load balancer asks its rules in this order, so each needs a number of its own"
                .to_owned(),
        )
    };
    unique(routes().map(|route| (*route.priority, route.priority.span)), "first here", twice, sink);
    let twice = |span, path: &String| {
        Diagnostic::at(span, format!("two routes claim `{path}`"))
            .label("never gets a request")
            .hint("take one of them away".to_owned())
    };
    unique(
        routes().map(|route| (route.path.value.clone(), route.path.span)),
        "first here",
        twice,
        sink,
    );
    // The same path makes the same name, and was reported for what it is.
    let mut paths = BTreeSet::new();
    let named = routes().filter(|route| paths.insert(&route.path.value));
    let twice = |span, name: &String| {
        Diagnostic::at(span, format!("two routes are called `{name}`"))
            .label("its name follows from its path")
            .hint("name one of them: { priority = ..., path = ..., name = \"...\" }".to_owned())
    };
    unique(
        named.map(|route| (route.name.value.clone(), route.name.span)),
        "first here",
        twice,
        sink,
    );
    if topology.load_balancer.is_none()
        && let Some(route) = routes().next()
    {
        sink.push_unless_spoilt(
            Diagnostic::at(route.path.span, "a route, but no load balancer")
                .label("nothing sends requests here")
                .hint("add a [load_balancer], or take the routes away".to_owned()),
        );
    }
    let mut balanced = topology.services.iter().filter(|service| topology.is_balanced(service));
    if let Some(service) = balanced.nth(MOST_TARGET_GROUPS) {
        let message = format!("more than {MOST_TARGET_GROUPS} services behind one load balancer");
        sink.push_unless_spoilt(
            Diagnostic::at(service.key.span, message).label("AWS takes no more"),
        );
    }
}

fn balanced(service: &Service, topology: &Topology, sink: &mut Sink) {
    let name = topology.target_group_name(service);
    if !text::target_group_name(&name) {
        sink.push_unless_spoilt(
            Diagnostic::at(
                service.name.span,
                format!("AWS does not take `{name}` as a target group's name"),
            )
            .label(format!("makes {} characters, and 32 is the most", name.len()))
            .also(topology.name.span, "begins the name")
            .hint("shorten the name of the service or of the topology".to_owned()),
        );
    }
    let (interval, timeout) = (&service.health_check.interval, &service.health_check.timeout);
    if **timeout >= **interval {
        sink.push_unless_spoilt(
            Diagnostic::at(timeout.span, "a health check has to end before the next begins")
                .label(format!("a timeout of {}s", **timeout))
                .hint("make the interval longer than the timeout".to_owned())
                .also(interval.span, format!("an interval of {}s", **interval)),
        );
    }
    let Some(balancer) = &topology.load_balancer else { return };
    let reached = zones(topology, &balancer.subnets);
    for (key, subnet) in service.subnets.iter().filter_map(|key| Some((key, topology.subnet(key)?)))
    {
        if !reached.contains_key(subnet.zone.as_str()) {
            let message = format!("the load balancer sends nothing to {}", *subnet.zone);
            sink.push_unless_spoilt(
                Diagnostic::at(key.span, message)
                    .label(format!("instances in {} get no requests", *subnet.zone))
                    .hint(
                        "give the load balancer a subnet of that zone, or take this one away"
                            .to_owned(),
                    )
                    .also(balancer.subnets.span, "the load balancer has no subnet in that zone"),
            );
        }
    }
}
