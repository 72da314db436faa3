//! The drawn system comes out exactly as it is drawn; and what the drawing has no need of.

use std::fmt::Write;

use super::*;
use crate::model::walk_late;
use crate::topology::parse;

fn read(file: &str, text: &str) -> Desired {
    match parse(file, text, &[]) {
        Ok(topology) => desired(&topology),
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

fn drawn() -> Desired {
    read("topology.toml", include_str!("../../topology.toml"))
}

fn workers() -> Desired {
    read("workers.toml", include_str!("../../tests/topologies/workers.toml"))
}

fn field<'a>(desired: &'a Desired, address: &str, name: &str) -> &'a Value {
    &desired.resources[&address.parse().unwrap()][name]
}

fn names(desired: &Desired, kind: &str) -> Vec<String> {
    let of_kind = desired.resources.keys().filter(|address| address.kind() == kind);
    of_kind.map(|address| address.name().to_owned()).collect()
}

/// A rule of a group, shortly: `tcp 443 <- 0.0.0.0/0`.
fn rules(desired: &Desired, group: &str, direction: &str) -> Vec<String> {
    let rules = field(desired, &format!("security_group.{group}"), direction).as_array().unwrap();
    let mut shown: Vec<String> = rules
        .iter()
        .map(|rule| {
            let peer = &rule["peer"];
            let peer = peer.as_str().or_else(|| peer["$ref"].as_str()).unwrap();
            let ports = rule.get("ports").and_then(Value::as_str).unwrap_or_default();
            format!("{} {ports} {peer}", rule["protocol"].as_str().unwrap())
        })
        .collect();
    shown.sort();
    shown
}

#[test]
fn it_has_exactly_the_drawn_resources() {
    let desired = drawn();
    let services = ["frontend", "gateway", "notification", "order", "payment", "product", "user"];
    let instances: Vec<String> =
        services.iter().flat_map(|key| [format!("{key}-1"), format!("{key}-2")]).collect();
    assert_eq!(names(&desired, "instance"), instances);
    assert_eq!(names(&desired, "target_group"), services);
    assert_eq!(names(&desired, "vpc"), ["main"]);
    assert_eq!(names(&desired, "internet_gateway"), ["main"]);
    assert_eq!(names(&desired, "route_table"), ["private", "public"]);
    assert_eq!(names(&desired, "subnet"), ["private-1", "private-2", "public-1", "public-2"]);
    assert_eq!(names(&desired, "security_group"), ["alb", "ec2", "rds", "redis"]);
    assert_eq!(names(&desired, "load_balancer"), ["main"]);
    assert_eq!(names(&desired, "listener"), ["http"]);
    assert_eq!(names(&desired, "listener_rule").len(), 8);
    assert_eq!(names(&desired, "db_subnet_group"), ["main"]);
    assert_eq!(
        names(&desired, "db_instance"),
        ["notification", "order", "payment", "product", "user"]
    );
    assert_eq!(names(&desired, "cache_subnet_group"), ["redis"]);
    assert_eq!(names(&desired, "cache_cluster"), ["redis"]);
    assert_eq!(desired.resources.len(), 51);
}

#[test]
fn its_groups_open_exactly_the_drawn_ports() {
    let desired = drawn();
    assert_eq!(rules(&desired, "alb", "ingress"), ["tcp 443 0.0.0.0/0", "tcp 80 0.0.0.0/0"]);
    let ports = [3000, 3001, 3002, 3003, 3004, 3005, 8080];
    let mut from_alb: Vec<String> =
        ports.iter().map(|port| format!("tcp {port} security_group.alb")).collect();
    from_alb.insert(0, "tcp 22 203.0.113.10/32".to_owned());
    assert_eq!(rules(&desired, "ec2", "ingress"), from_alb);
    assert_eq!(rules(&desired, "rds", "ingress"), ["tcp 5432 security_group.ec2"]);
    assert_eq!(rules(&desired, "redis", "ingress"), ["tcp 6379 security_group.ec2"]);
    for (group, name) in
        [("alb", "ALB-SG"), ("ec2", "EC2-SG"), ("rds", "RDS-SG"), ("redis", "Redis-SG")]
    {
        assert_eq!(rules(&desired, group, "egress"), ["all  0.0.0.0/0"]);
        assert_eq!(field(&desired, &format!("security_group.{group}"), "name"), name);
    }
}

#[test]
fn its_load_balancer_routes_as_drawn() {
    let desired = drawn();
    let mut routes: Vec<(u64, String, String)> = names(&desired, "listener_rule")
        .iter()
        .map(|name| {
            let rule = format!("listener_rule.{name}");
            let path = field(&desired, &rule, "paths")[0].as_str().unwrap().to_owned();
            let group = field(&desired, &rule, "target_group")["$ref"].as_str().unwrap().to_owned();
            (field(&desired, &rule, "priority").as_u64().unwrap(), path, group)
        })
        .collect();
    routes.sort();
    let drawn = [
        ("users", "user"),
        ("auth", "user"),
        ("products", "product"),
        ("categories", "product"),
        ("orders", "order"),
        ("payments", "payment"),
        ("notifications", "notification"),
    ];
    let mut expected: Vec<(u64, String, String)> = (1..)
        .zip(drawn)
        .map(|(n, (path, group))| (n, format!("/api/{path}/*"), format!("target_group.{group}")))
        .collect();
    expected.push((8, "/api/*".to_owned(), "target_group.gateway".to_owned()));
    assert_eq!(routes, expected);
    assert_eq!(
        field(&desired, "listener.http", "default_target_group")["$ref"],
        "target_group.frontend"
    );
    assert_eq!(field(&desired, "listener.http", "port"), 80);
    assert_eq!(field(&desired, "load_balancer.main", "name"), "ecommerce-alb");
    assert_eq!(field(&desired, "load_balancer.main", "scheme"), "internet-facing");
}

#[test]
fn its_bodies_are_as_drawn() {
    let desired = drawn();
    let mut shown = String::new();
    for address in [
        "vpc.main",
        "subnet.public-1",
        "subnet.private-2",
        "target_group.user",
        "target_group.frontend",
        "instance.user-1",
        "instance.user-2",
        "db_instance.user",
        "db_subnet_group.main",
        "cache_cluster.redis",
    ] {
        let body = &desired.resources[&address.parse().unwrap()];
        writeln!(shown, "{address} {}", serde_json::to_string_pretty(body).unwrap()).unwrap();
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn every_reference_leads_to_a_resource() {
    for desired in [drawn(), workers()] {
        for (address, body) in &desired.resources {
            assert!(desired.lines.contains_key(address));
            for value in body.values() {
                walk_late(value, &mut |late| match late {
                    Late::Ref { address, .. } => {
                        assert!(desired.resources.contains_key(&address), "{address}")
                    }
                    Late::Lookup(lookup) => assert!(desired.lookups.contains(&lookup)),
                });
            }
        }
    }
}

#[test]
fn what_the_drawing_has_no_need_of() {
    let desired = workers();
    let mut shown = String::new();
    for (address, body) in &desired.resources {
        let line = desired.lines[address];
        writeln!(shown, "{line}: {address} {}", serde_json::to_string(body).unwrap()).unwrap();
    }
    insta::assert_snapshot!(shown);
    assert_eq!(field(&desired, "instance.printer-1", "target_group"), &Value::Null);
    let kept: Vec<bool> = desired.final_snapshot.values().copied().collect();
    assert_eq!(kept, [true, true, false]);
}
