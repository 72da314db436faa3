//! The drawn system comes out exactly as it is drawn; and what the drawing has no need of.

use std::fmt::Write;

use super::*;
use crate::model::{late, walk_late};
use crate::topology::{Lines, parse};

fn read(file: &str, text: &str) -> Desired {
    match parse(file, text, &[]) {
        Ok(topology) => desired(&topology),
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

const DRAWN: &str = include_str!("../../topology.toml");

fn drawn() -> Desired {
    desired_of(DRAWN)
}

fn desired_of(text: &str) -> Desired {
    read("topology.toml", text)
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
    for kind in ["iam_role", "instance_profile"] {
        assert_eq!(names(&desired, kind), services);
    }
    // Port and region of each; four of a database, two of a cache.
    assert_eq!(names(&desired, "ssm_parameter").len(), 7 * 2 + 5 * 4 + 2 * 2);
    assert_eq!(desired.resources.len(), 51 + 7 + 7 + 38);
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
fn its_roles_may_read_what_is_theirs_and_nothing_else() {
    let desired = drawn();
    let mut shown = String::new();
    for name in names(&desired, "iam_role") {
        let address = format!("iam_role.{name}");
        for policy in ["policy", "secret_policy"] {
            let statements = field(&desired, &address, policy)["Statement"].as_array();
            for statement in statements.into_iter().flatten() {
                let (action, resource) = (&statement["Action"], &statement["Resource"]);
                assert_eq!(statement["Effect"], "Allow");
                assert!(!format!("{action}{resource}").contains('*'), "{statement}");
                writeln!(shown, "{name}: {action} {resource}").unwrap();
            }
        }
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn an_artifact_in_s3_is_opened_to_the_service_that_runs_it() {
    let sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let artifact =
        format!("artifact = {{ s3 = \"s3://builds/${{service}}.tar.gz\", sha256 = \"{sum}\" }}");
    let text =
        DRAWN.lines().map(|line| if line.starts_with("artifact ") { &artifact } else { line });
    let desired = desired_of(&text.collect::<Vec<_>>().join("\n"));
    let statements = &field(&desired, "iam_role.order", "policy")["Statement"];
    assert_eq!(statements[1]["Action"], "s3:GetObject");
    assert_eq!(statements[1]["Resource"], "arn:aws:s3:::builds/order.tar.gz");
    assert_eq!(statements.as_array().unwrap().len(), 2);
}

#[test]
fn with_a_certificate_the_way_in_is_https() {
    let certified = |more: &str| {
        let line = format!(
            "default_service = \"frontend\"\ncertificate = {{ domain = \"shop.example.com\" }}\n{more}"
        );
        desired_of(&DRAWN.replace("default_service = \"frontend\"", &line))
    };
    let desired = certified("[dns]\nzone = \"example.com\"\nname = \"shop.example.com\"");
    let https = |name| field(&desired, "listener.https", name);
    assert_eq!(https("port"), 443);
    assert_eq!(https("protocol"), "HTTPS");
    assert_eq!(https("certificate")["$certificate"], "shop.example.com");
    assert_eq!(https("default_target_group")["$ref"], "target_group.frontend");
    assert!(https("ssl_policy").as_str().unwrap().contains("TLS13"));
    assert_eq!(field(&desired, "listener.http", "redirect_to_https"), true);
    assert_eq!(field(&desired, "listener.http", "default_target_group"), &Value::Null);
    assert_eq!(names(&desired, "listener_rule").len(), 8);
    assert_eq!(field(&desired, "listener_rule.api", "listener")["$ref"], "listener.https");
    let record = |name| field(&desired, "record.main", name);
    assert_eq!(record("zone")["$zone"], "example.com");
    assert_eq!(record("name"), "shop.example.com");
    assert_eq!(record("type"), "A");
    assert_eq!(record("alias_dns_name")["output"], "dns_name");
    assert_eq!(desired.lookups.len(), 3);

    let desired = certified("redirect = false");
    assert_eq!(field(&desired, "listener.http", "redirect_to_https"), false);
    assert_eq!(
        field(&desired, "listener.http", "default_target_group")["$ref"],
        "target_group.frontend"
    );
    assert_eq!(names(&desired, "listener_rule").len(), 16);
    assert_eq!(field(&desired, "listener_rule.api.http", "listener")["$ref"], "listener.http");
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
        let mut body = desired.resources[&address.parse().unwrap()].clone();
        body.entry("user_data".into()).and_modify(|script| {
            let Some(Late::Text(digest)) = late(script) else { return };
            *script = desired.texts[&digest].lines().next().into();
        });
        writeln!(shown, "{address} {}", serde_json::to_string_pretty(&body).unwrap()).unwrap();
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn every_reference_leads_to_a_resource() {
    for desired in [drawn(), workers()] {
        for (address, body) in &desired.resources {
            assert!(desired.spans.contains_key(address));
            for value in body.values() {
                walk_late(value, &mut |late| match late {
                    Late::Ref { address, .. } => {
                        assert!(desired.resources.contains_key(&address), "{address}")
                    }
                    Late::Lookup(lookup) => assert!(desired.lookups.contains_key(&lookup)),
                    Late::Text(digest) => assert!(desired.texts.contains_key(&digest)),
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
        let line = Lines::of(&desired.text).line(desired.spans[address].start);
        writeln!(shown, "{line}: {address} {}", serde_json::to_string(body).unwrap()).unwrap();
    }
    insta::assert_snapshot!(shown);
    assert_eq!(field(&desired, "instance.printer-1", "target_group"), &Value::Null);
    let kept: Vec<bool> = desired.final_snapshot.values().copied().collect();
    assert_eq!(kept, [true, true, false]);
}

#[test]
fn instances_spread_evenly_and_the_last_one_stands_in_a_fullest_zone() {
    // Subnets and their zones: one, two, three; and some zones with more subnets than others.
    let layouts: &[&[(&str, char)]] = &[
        &[("public-1", 'a')],
        &[("public-1", 'a'), ("public-2", 'b')],
        &[("public-1", 'a'), ("public-2", 'b'), ("public-3", 'c')],
        &[("public-1", 'a'), ("public-2", 'a'), ("public-3", 'b')],
        &[("public-1", 'a'), ("public-2", 'b'), ("public-3", 'b')],
    ];
    for layout in layouts {
        let mut fewer: Vec<Value> = Vec::new();
        for count in 2..=10 {
            let placed = placed(layout, count);
            let zone = |subnet: &Value| {
                let key = subnet["$ref"].as_str().unwrap().trim_start_matches("subnet.");
                layout.iter().find(|(own, _)| *own == key).unwrap().1
            };
            let in_zone = |zone_of: char| placed.iter().filter(|s| zone(s) == zone_of).count();
            let filled: Vec<usize> = layout
                .iter()
                .map(|(_, zone)| *zone)
                .collect::<BTreeSet<_>>()
                .into_iter()
                .map(in_zone)
                .collect();
            let (least, most) = (filled.iter().min().unwrap(), filled.iter().max().unwrap());
            assert!(most - least <= 1, "{count} in {layout:?}: {filled:?}");
            let last = placed.last().unwrap();
            assert_eq!(in_zone(zone(last)), *most, "{count} in {layout:?}");
            assert!(placed.starts_with(&fewer), "one moves on the way to {count} in {layout:?}");
            fewer = placed;
        }
    }
}

/// The subnets of the user service's instances, the first first.
fn placed(layout: &[(&str, char)], count: u32) -> Vec<Value> {
    let subnets: String = layout
        .iter()
        .enumerate()
        .map(|(n, (key, zone))| {
            format!(
                "{key} = {{ cidr_block = \"10.0.{n}.0/24\", zone = \"{zone}\", public = true }}\n"
            )
        })
        .collect();
    let keys: Vec<String> = layout.iter().map(|(key, _)| format!("\"{key}\"")).collect();
    let desired = desired_of(&format!(
        "name = \"shop\"\naccount = \"123456789012\"\nregion = \"ap-southeast-1\"\n\
         [vpc]\ncidr_block = \"10.0.0.0/16\"\n[subnet]\n{subnets}[security_group.ec2]\n\
         [service.user]\nport = 3001\ncount = {count}\nami = \"ami-0123456789abcdef0\"\n\
         instance_type = \"t3.small\"\nsubnets = [{}]\nsecurity_groups = [\"ec2\"]\n",
        keys.join(", ")
    ));
    (1..=count).map(|n| field(&desired, &format!("instance.user-{n}"), "subnet").clone()).collect()
}
