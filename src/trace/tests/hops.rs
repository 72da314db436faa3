//! Hops that are open, and hops that are closed, each named by what is missing.

use super::*;
use crate::kinds::Live;
use crate::model::{Fingerprint, Status, Tags};
use crate::snapshot::{Resource, Snapshot};

#[test]
fn the_shop_is_open() {
    assert_eq!(World::shop().missing(), [] as [&str; 0]);
}

/// Takes one thing away and expects exactly this to be missing.
#[track_caller]
fn lacks(world: World, expected: &[&str]) {
    assert_eq!(world.missing(), expected);
}

#[test]
fn internet_to_load_balancer_wants_ingress() {
    lacks(
        World::shop().with("security_group.alb", "ingress", rules([])),
        &["security_group.alb has no ingress tcp 80 from 0.0.0.0/0"],
    );
}

#[test]
fn internet_to_load_balancer_wants_a_route_to_the_gateway() {
    lacks(
        World::shop().with("route_table.public", "routes", json!([])),
        &["route_table.public has no route 0.0.0.0/0 by internet_gateway.main"],
    );
}

#[test]
fn the_gateway_is_attached_to_the_same_vpc() {
    lacks(
        World::shop().with("internet_gateway.main", "vpc", Value::Null),
        &["internet_gateway.main is not attached to vpc.main"],
    );
}

#[test]
fn without_a_gateway_no_route_leads_to_one() {
    lacks(
        World::shop().without("internet_gateway.main"),
        &["there is no internet_gateway.main in the topology"],
    );
    lacks(
        World::shop().without("internet_gateway.main").with(
            "route_table.public",
            "routes",
            json!([]),
        ),
        &["there is no internet gateway, and route_table.public has no route to one"],
    );
}

#[test]
fn each_subnet_of_the_load_balancer_wants_its_route() {
    lacks(
        World::shop().with("subnet.public-2", "route_table", link("route_table.private")),
        &["route_table.private has no route 0.0.0.0/0 by internet_gateway.main"],
    );
    lacks(
        World::shop().with("subnet.public-2", "route_table", Value::Null),
        &["subnet.public-2 has no route table"],
    );
    lacks(
        World::shop().with("subnet.public-2", "route_table", json!("rtb-9")),
        &["subnet.public-2 goes by rtb-9, whose routes are not known"],
    );
}

#[test]
fn load_balancer_to_instance_wants_egress_and_ingress() {
    lacks(
        World::shop().with("security_group.alb", "egress", rules([])),
        &["security_group.alb has no egress tcp 3001 to security_group.web"],
    );
    lacks(
        World::shop().with("security_group.web", "ingress", rules(["tcp 8080 security_group.alb"])),
        &["security_group.web has no ingress tcp 3001 from security_group.alb"],
    );
}

#[test]
fn instance_to_cache_and_database_want_egress_and_ingress() {
    lacks(
        World::shop().with("security_group.redis", "ingress", rules([])),
        &["security_group.redis has no ingress tcp 6379 from security_group.web"],
    );
    lacks(
        World::shop().with("security_group.rds", "ingress", rules([])),
        &["security_group.rds has no ingress tcp 5432 from security_group.web"],
    );
    lacks(
        World::shop().with("security_group.web", "egress", rules([])),
        &[
            "security_group.web has no egress tcp 6379 to security_group.redis",
            "security_group.web has no egress tcp 5432 to security_group.rds",
        ],
    );
}

#[test]
fn both_ends_are_in_one_vpc() {
    lacks(
        World::shop().with("subnet.private-2", "vpc", link("vpc.other")),
        &[
            "subnet.public-1 is in vpc.main, but subnet.private-2 in vpc.other",
            "subnet.public-2 is in vpc.main, but subnet.private-2 in vpc.other",
            "subnet.public-1 is in vpc.main, but subnet.private-2 in vpc.other",
            "subnet.public-2 is in vpc.main, but subnet.private-2 in vpc.other",
        ],
    );
}

#[test]
fn the_load_balancer_has_to_be_in_the_zones_of_its_targets() {
    lacks(
        World::shop().with("load_balancer.main", "subnets", json!([link("subnet.public-1")])),
        &["load_balancer.main has no subnet in eu-west-1b, where instance.user-2 is"],
    );
}

#[test]
fn a_target_group_without_targets_serves_nothing() {
    let world = World::shop().with("instance.user-1", "target_group", Value::Null).with(
        "instance.user-2",
        "target_group",
        Value::Null,
    );
    lacks(world, &["no instance is registered with target_group.user"]);
}

#[test]
fn what_is_not_there_is_named() {
    lacks(
        World::shop().without("cache_cluster.redis"),
        &["there is no cache_cluster.redis in the topology"],
    );
    lacks(
        World::shop().without("load_balancer.main"),
        &["there is no load balancer in the topology"],
    );
    lacks(
        World::shop().without("listener.http"),
        &["there is no listener that serves in the topology"],
    );
    lacks(
        World::shop().with("listener_rule.api-users", "target_group", Value::Null),
        &["listener_rule.api-users sends to no target group"],
    );
    lacks(
        World::shop().with("listener_rule.api-users", "target_group", json!("arn:x")),
        &["listener_rule.api-users sends to arn:x, which is not the topology's"],
    );
    // AWS does not say a cache's port while it is being made.
    lacks(
        World::shop().with("cache_cluster.redis", "port", Value::Null),
        &["the port of cache_cluster.redis is not known yet"],
    );
}

#[test]
fn groups_that_are_not_ours_have_rules_that_are_not_known() {
    lacks(
        World::shop().with("cache_cluster.redis", "security_groups", json!(["sg-9"])),
        &[
            "the rules of sg-9 are not known, nor whether there is ingress tcp 6379 from security_group.web",
        ],
    );
    let both = json!(["sg-9", link("security_group.redis")]);
    lacks(World::shop().with("cache_cluster.redis", "security_groups", both.clone()), &[]);
    lacks(
        World::shop().with("cache_cluster.redis", "security_groups", both).with(
            "security_group.redis",
            "ingress",
            rules([]),
        ),
        &[
            "security_group.redis has no ingress tcp 6379 from security_group.web; the rules of sg-9 are not known",
        ],
    );
    lacks(
        World::shop().with("cache_cluster.redis", "security_groups", json!([])),
        &[
            "cache_cluster.redis has no security group, so no ingress tcp 6379 from security_group.web",
        ],
    );
}

#[test]
fn one_of_several_groups_is_enough_on_either_side() {
    let two = json!([link("security_group.redis"), link("security_group.extra")]);
    let world = || {
        World::shop().with("cache_cluster.redis", "security_groups", two.clone()).with(
            "security_group.redis",
            "ingress",
            rules([]),
        )
    };
    lacks(
        world().with("security_group.extra", "ingress", rules(["tcp 6379 security_group.web"])),
        &[],
    );
    lacks(
        world().with("security_group.extra", "ingress", rules([])),
        &[
            "security_group.redis and security_group.extra have no ingress tcp 6379 from security_group.web",
        ],
    );
}

/// Whether a database that admits just these is open to the instances, which are in 10.0.1.0/24 and 10.0.2.0/24.
fn admits<const N: usize>(ingress: [&str; N]) -> bool {
    World::shop().with("security_group.rds", "ingress", rules(ingress)).missing().is_empty()
}

#[test]
fn a_block_admits_who_is_within_it() {
    assert!(admits(["tcp 5432 10.0.0.0/16"]));
    assert!(admits(["tcp 5432 0.0.0.0/0"]));
    assert!(!admits(["tcp 5432 10.1.0.0/16"]));
    assert!(!admits(["tcp 5432 10.0.1.0/24"]), "user-2 is in 10.0.2.0/24");
    assert!(!admits(["tcp 5432 10.0.1.0/25", "tcp 5432 10.0.2.0/24"]), "half a subnet");
    assert!(!admits(["tcp 5432 ::/0"]), "instances speak IPv4");
    assert!(!admits(["tcp 5432 pl-1"]), "what a prefix list holds is not known");
}

#[test]
fn blocks_may_admit_together_what_none_admits_alone() {
    assert!(admits(["tcp 5432 10.0.1.0/24", "tcp 5432 10.0.2.0/24"]));
    assert!(admits(["tcp 5432 10.0.1.0/25", "tcp 5432 10.0.1.128/25", "tcp 5432 10.0.2.0/24"]));
}

#[test]
fn a_range_of_ports_holds_both_its_ends() {
    for range in ["5432-5432", "5000-5432", "5432-6000", "0-65535"] {
        assert!(admits([&format!("tcp {range} security_group.web")]), "{range}");
    }
    for range in ["5433-6000", "5000-5431", "1-1"] {
        assert!(!admits([&format!("tcp {range} security_group.web")]), "{range}");
    }
}

#[test]
fn the_protocol_is_tcp_or_all() {
    assert!(admits(["all security_group.web"]));
    assert!(admits(["6 5432 security_group.web"]), "TCP by its number");
    assert!(!admits(["udp 5432 security_group.web"]));
    assert!(!admits(["17 5432 security_group.web"]));
    assert!(!admits(["icmp -1 security_group.web"]));
}

#[test]
fn another_group_of_the_same_ports_is_not_enough() {
    assert!(!admits(["tcp 5432 security_group.alb", "tcp 5432 sg-9"]));
}

#[test]
fn targets_that_fare_differently_stand_apart() {
    let world = World::shop().with(
        "instance.user-2",
        "security_groups",
        json!([link("security_group.rds")]),
    );
    let walk = world.walk("/api/users/1");
    let ends: Vec<(bool, Vec<String>)> = hops(&walk)
        .into_iter()
        .filter(|hop| hop.port == 3001)
        .map(|hop| (hop.open, hop.to.clone()))
        .collect();
    assert_eq!(
        ends,
        [(true, vec!["instance.user-1".into()]), (false, vec!["instance.user-2".into()])]
    );
}

/// The shop as the account has it: each instance with an address of its own, the first of them healthy.
fn account(world: &World) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for (number, (address, body)) in (1..).zip(&world.bodies) {
        let mut live = Live {
            id: address.to_string(),
            outputs: BTreeMap::new(),
            body: Body::new(),
            tags: Tags::new(),
        };
        if address.kind() == "instance" {
            live.outputs.insert("private_ip".to_owned(), format!("10.0.1.{number}"));
        }
        let resource = Resource {
            address: address.clone(),
            body: body.clone(),
            applied: Fingerprint::default(),
            tags: Tags::new(),
            status: Status::Ready,
            maintenance: None,
            duty: Default::default(),
            vitals: Default::default(),
            live,
        };
        snapshot.resources.insert(address.clone(), resource);
    }
    snapshot
}

#[test]
fn a_known_address_decides_instead_of_its_subnets_block() {
    let world =
        World::shop().with("security_group.rds", "ingress", rules(["tcp 5432 10.0.1.0/25"]));
    assert_eq!(
        world.missing(),
        ["security_group.rds has no ingress tcp 5432 from security_group.web"],
        "half of the subnet is not all of it"
    );
    let snapshot = account(&world);
    let scene = Scene::of_account(&snapshot, &world.uses);
    assert_eq!(missing(&trace(&scene, &"/api/users/1".parse().unwrap(), None)), [] as [&str; 0]);
}

#[test]
fn the_account_tells_the_health_of_targets_and_what_is_under_way() {
    let world = World::shop();
    let mut snapshot = account(&world);
    let database = snapshot.resources.get_mut(&"db_instance.user".parse().unwrap()).unwrap();
    database.status = Status::Pending("backing-up".into());
    let machine = snapshot.resources.get_mut(&"instance.user-1".parse().unwrap()).unwrap();
    let found = json!({"group": "tg", "target": machine.live.id, "state": "healthy"});
    machine.vitals.health.push(serde_json::from_value(found).unwrap());
    let scene = Scene::of_account(&snapshot, &world.uses);
    let walk = trace(&scene, &"/api/users/1".parse().unwrap(), None);
    assert!(walk.open, "health is told, and closes nothing");
    let told: Vec<Option<&str>> = walk
        .stops
        .iter()
        .flat_map(|stop| match &stop.what {
            What::Targets { targets } => targets.iter().map(|one| one.health.as_deref()).collect(),
            What::Store { state, .. } => vec![state.as_deref()],
            _ => Vec::new(),
        })
        .collect();
    assert_eq!(told, [Some("healthy"), None, None, Some("backing-up")]);
}

#[test]
fn a_listener_for_some_is_open_to_these() {
    let world =
        World::shop().with("security_group.alb", "ingress", rules(["tcp 80 203.0.113.0/24"]));
    let walk = world.walk("/");
    assert!(walk.open);
    assert_eq!(hops(&walk)[0].only, ["203.0.113.0/24".parse().unwrap()]);
    // Nobody comes from a private block.
    lacks(
        World::shop().with("security_group.alb", "ingress", rules(["tcp 80 10.0.0.0/8"])),
        &["security_group.alb has no ingress tcp 80 from 0.0.0.0/0"],
    );
}

#[test]
fn a_sender_is_let_in_or_not() {
    let world =
        World::shop().with("security_group.alb", "ingress", rules(["tcp 80 203.0.113.0/24"]));
    assert!(world.walk_from("/", Some("203.0.113.7/32")).open);
    assert_eq!(
        missing(&world.walk_from("/", Some("198.51.100.7/32"))),
        ["security_group.alb has no ingress tcp 80 from 198.51.100.7/32"]
    );
}

#[test]
fn two_halves_of_the_internet_are_all_of_it() {
    let world = World::shop().with(
        "security_group.alb",
        "ingress",
        rules(["tcp 80 0.0.0.0/1", "tcp 80 128.0.0.0/1"]),
    );
    let walk = world.walk("/");
    assert!(walk.open && hops(&walk)[0].only.is_empty());
}

#[test]
fn an_internal_load_balancer_is_asked_from_within() {
    let internal = || World::shop().with("load_balancer.main", "scheme", json!("internal"));
    let closed = internal().with("route_table.public", "routes", json!([]));
    assert!(closed.walk("/").open, "no way to the internet is needed");
    let own = internal().with("security_group.alb", "ingress", rules(["tcp 80 10.0.0.0/16"]));
    let walk = own.walk("/");
    assert!(walk.open);
    assert_eq!(hops(&walk)[0].from, ["vpc.main"]);
    lacks(
        internal().with("security_group.alb", "ingress", rules(["tcp 80 203.0.113.0/24"])),
        &["security_group.alb has no ingress tcp 80 from 10.0.0.0/16"],
    );
}
