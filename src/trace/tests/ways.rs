//! Whole ways: the drawn system's walk of a registration, DNS and HTTPS, and the gate that checks everything.

use super::*;
use crate::trace::Candidate;

fn drawn() -> World {
    World::of(include_str!("../../../topology.toml"))
}

fn rule_of(walk: &Walk) -> (&Candidate, Option<&str>, &[Candidate], &[Candidate]) {
    let found = walk.stops.iter().find_map(|stop| match &stop.what {
        What::Rule { winner, pattern, passed, beaten } => {
            Some((winner, pattern.as_deref(), &passed[..], &beaten[..]))
        }
        _ => None,
    });
    found.expect("a rule")
}

fn names(candidates: &[Candidate]) -> Vec<String> {
    let name = |one: &Candidate| one.address.as_ref().map_or("default".into(), Address::to_string);
    candidates.iter().map(name).collect()
}

/// Browser -> ALB /api/auth/register -> rule /api/auth/* -> User TG -> user instances :3001 -> Redis -> User DB.
#[test]
fn a_user_registers_as_it_is_drawn() {
    let walk = drawn().walk("/api/auth/register");
    assert_eq!(missing(&walk), [] as [&str; 0]);
    let (winner, pattern, passed, beaten) = rule_of(&walk);
    assert_eq!((winner.priority, pattern), (Some(2), Some("/api/auth/*")));
    assert_eq!(winner.target_group.as_deref(), Some("target_group.user"));
    assert_eq!(names(passed), ["listener_rule.api-users"]);
    assert_eq!(names(beaten), ["listener_rule.api", "default"]);
    let ways: Vec<(String, String, u16)> = hops(&walk)
        .into_iter()
        .filter(|hop| hop.from != ["internet"])
        .map(|hop| (hop.from.join(" "), hop.to.join(" "), hop.port))
        .collect();
    let users = "instance.user-1 instance.user-2";
    let expected = [
        ("load_balancer.main", users, 3001),
        (users, "cache_cluster.redis", 6379),
        (users, "db_instance.user", 5432),
    ];
    assert_eq!(ways, expected.map(|(from, to, port)| (from.to_owned(), to.to_owned(), port)));
    let targets = walk.stops.iter().find_map(|stop| match &stop.what {
        What::Targets { targets } => Some(targets.iter().map(|one| one.zone.as_str()).collect()),
        _ => None,
    });
    assert_eq!(targets, Some(vec!["ap-southeast-1a", "ap-southeast-1b"]));
}

#[test]
fn every_drawn_way_is_open() {
    let audit = drawn().audit();
    assert!(audit.open);
    assert!(!audit.entrances.is_empty());
    assert_eq!(audit.routes.len(), 9, "eight rules and the default");
    assert_eq!(audit.uses.len(), 7, "five databases, and the cache for two services");
}

#[test]
fn a_databases_replicas_are_ways_of_their_own() {
    let text = include_str!("../../../topology.toml");
    let world = World::of(&text.replace("[database.user]", "[database.user]\nreplicas = 2"));
    let audit = world.audit();
    assert!(audit.open);
    assert_eq!(audit.uses.len(), 9);
}

#[test]
fn an_unknown_path_falls_to_the_default() {
    let walk = World::shop().walk("/nowhere");
    let (winner, pattern, passed, beaten) = rule_of(&walk);
    assert_eq!((winner.address.as_ref(), pattern), (None, None));
    assert_eq!(winner.target_group.as_deref(), Some("target_group.front"));
    assert_eq!(names(passed), ["listener_rule.api-users", "listener_rule.api"]);
    assert!(beaten.is_empty() && walk.open);
}

#[test]
fn rules_of_another_listener_have_no_say() {
    let world = World::shop().with("listener_rule.api-users", "listener", link("listener.other"));
    let walk = world.walk("/api/users/1");
    assert_eq!(rule_of(&walk).0.target_group.as_deref(), Some("target_group.gateway"));
}

#[test]
fn the_walk_goes_on_behind_what_is_closed() {
    let world = World::shop().with("security_group.alb", "ingress", rules([])).with(
        "security_group.rds",
        "ingress",
        rules([]),
    );
    assert_eq!(world.missing().len(), 2);
}

/// The shop with a certificate: 443 serves, and 80 redirects there.
fn https() -> World {
    let mut world = World::shop()
        .with("listener.http", "redirect_to_https", json!(true))
        .with("listener.http", "default_target_group", Value::Null)
        .with("listener.https", "load_balancer", link("load_balancer.main"))
        .with("listener.https", "port", json!(443))
        .with("listener.https", "protocol", json!("HTTPS"))
        .with("listener.https", "default_target_group", link("target_group.front"));
    for rule in ["listener_rule.api-users", "listener_rule.api"] {
        world = world.with(rule, "listener", link("listener.https"));
    }
    world.with("security_group.alb", "ingress", rules(["tcp 80 0.0.0.0/0", "tcp 443 0.0.0.0/0"]))
}

#[test]
fn https_serves_where_it_is_and_the_redirect_is_shown() {
    let walk = https().walk("/api/users/1");
    assert!(walk.open);
    let ports: Vec<(&str, u16)> = walk
        .stops
        .iter()
        .filter_map(|stop| match &stop.what {
            What::Redirect { port, .. } => Some(("redirect", *port)),
            What::Listener { port, .. } => Some(("listener", *port)),
            _ => None,
        })
        .collect();
    assert_eq!(ports, [("redirect", 80), ("listener", 443)]);
    assert_eq!(rule_of(&walk).0.target_group.as_deref(), Some("target_group.user"));
}

#[test]
fn both_ports_of_https_have_to_be_open() {
    let half = https().with("security_group.alb", "ingress", rules(["tcp 443 0.0.0.0/0"]));
    assert_eq!(half.missing(), ["security_group.alb has no ingress tcp 80 from 0.0.0.0/0"]);
    let half = https().with("security_group.alb", "ingress", rules(["tcp 80 0.0.0.0/0"]));
    assert_eq!(half.missing(), ["security_group.alb has no ingress tcp 443 from 0.0.0.0/0"]);
    let audit = half.audit();
    let open: Vec<bool> = audit.entrances.iter().map(Stop::is_open).collect();
    assert_eq!((audit.open, open), (false, vec![true, false]));
}

#[test]
fn a_redirect_to_nowhere_is_closed() {
    let world = https().without("listener.https");
    assert_eq!(
        world.missing(),
        [
            "listener.http redirects to port 443, where nothing listens",
            "there is no listener that serves in the topology",
        ]
    );
}

#[test]
fn records_that_lead_to_the_load_balancer_are_its_names() {
    let alias = json!({ "$ref": "load_balancer.main", "output": "dns_name" });
    let world = World::shop()
        .with("record.a", "name", json!("shop.example.com"))
        .with("record.a", "alias_dns_name", alias.clone())
        .with("record.aaaa", "name", json!("shop.example.com"))
        .with("record.aaaa", "alias_dns_name", alias)
        .with("record.mail", "name", json!("mail.example.com"))
        .with("record.mail", "alias_dns_name", json!("elsewhere.example.com"));
    let walk = world.walk("/");
    let What::Dns { names, .. } = &walk.stops[0].what else { panic!("DNS comes first") };
    let names: Vec<&str> = names.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["shop.example.com"]);
}

#[test]
fn the_gate_finds_what_one_walk_does_not_meet() {
    let world = World::shop().with(
        "instance.worker-1",
        "security_groups",
        json!([link("security_group.redis")]),
    );
    assert!(world.walk("/api/users/1").open);
    let audit = world.audit();
    let closed: Vec<&str> = audit.ways().flat_map(Stop::missing).collect();
    assert_eq!(closed, ["security_group.rds has no ingress tcp 5432 from security_group.redis"]);
    assert!(!audit.open);
}

#[test]
fn a_route_that_never_gets_a_request_is_closed() {
    let world = World::shop().with("listener_rule.api", "priority", json!(0));
    let audit = world.audit();
    let gaps: Vec<&str> = audit.ways().flat_map(Stop::missing).collect();
    assert_eq!(
        gaps,
        [
            "listener_rule.api-users never gets a request: listener_rule.api has priority 0 and takes all of /api/users/*"
        ]
    );
    // With one path of its own left, it is of use.
    let paths = json!(["/api/users/*", "/users/*"]);
    let world = World::shop().with("listener_rule.api", "priority", json!(0)).with(
        "listener_rule.api-users",
        "paths",
        paths,
    );
    assert!(world.audit().open);
}

#[test]
fn workers_and_an_internal_load_balancer() {
    let audit = World::of(include_str!("../../../tests/topologies/workers.toml")).audit();
    let closed: Vec<&str> = audit.ways().flat_map(Stop::missing).collect();
    let way_in = "security_group.balancer and security_group.machines have no ingress tcp 8080 from 172.16.0.0/20";
    assert_eq!(closed, [way_in]);
    assert_eq!(audit.uses.len(), 3);
}

#[test]
fn without_a_load_balancer_the_uses_are_checked_all_the_same() {
    let audit = World::shop().without("load_balancer.main").audit();
    assert!(audit.open && audit.entrances.is_empty() && audit.routes.is_empty());
    assert_eq!(audit.uses.len(), 3);
}

#[test]
fn a_walk_is_the_same_every_time_and_reads_as_json() {
    let walk = |()| serde_json::to_value(drawn().walk("/api/auth/register")).unwrap();
    let first = walk(());
    assert_eq!(first, walk(()));
    assert_eq!(first["open"], json!(true));
    let stops: Vec<&str> = first["stops"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|stop| stop["stop"].as_str())
        .collect();
    assert_eq!(stops.first(), Some(&"dns"));
    assert_eq!(stops.last(), Some(&"store"));
}
