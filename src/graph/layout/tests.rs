//! Whatever the size: nothing overlaps, everything is inside what holds it, and everything is there.

use std::collections::BTreeSet;
use std::fmt::Write;

use proptest::prelude::*;

use super::*;
use crate::desired::desired;
use crate::graph::of_desired;
use crate::topology::parse;

/// A shop of so many services, each with so many machines in its subnets; each second one with a database.
fn shop(zones: usize, services: &[usize], caches: usize) -> Picture {
    let mut text = String::from(
        "name = \"shop\"\naccount = \"123456789012\"\nregion = \"eu-central-1\"\nvpc = { cidr_block = \"10.0.0.0/16\" }\n",
    );
    let of = |kind: &str| {
        let names: Vec<String> = (0..zones).map(|n| format!("\"{kind}-{n}\"")).collect();
        names.join(", ")
    };
    text.push_str("[subnet]\n");
    for zone in 0..zones {
        let letter = ["a", "b", "c"][zone % 3];
        let _ = writeln!(
            text,
            "out-{zone} = {{ cidr_block = \"10.0.{}.0/20\", zone = \"{letter}\", public = true }}",
            zone * 16
        );
        let _ = writeln!(
            text,
            "in-{zone} = {{ cidr_block = \"10.0.{}.0/20\", zone = \"{letter}\" }}",
            128 + zone * 16
        );
    }
    text.push_str("[security_group.all]\ningress = [{ port = 80, from = \"0.0.0.0/0\" }]\n");
    let _ = writeln!(
        text,
        "[load_balancer]\nname = \"alb\"\nsubnets = [{}]\nsecurity_groups = [\"all\"]\ndefault_service = \"s0\"",
        of("out")
    );
    for (n, count) in services.iter().enumerate() {
        let caches = (0..caches).map(|n| format!("\"cache.c{n}\""));
        let database = (n % 2 == 0).then(|| format!("\"database.d{n}\""));
        let uses: Vec<String> = caches.chain(database).collect();
        let _ = writeln!(
            text,
            "[service.s{n}]\nport = {}\ncount = {count}\ninstance_type = \"t3.small\"\nami = \"ami-0123456789abcdef0\"\n\
             subnets = [{}]\nsecurity_groups = [\"all\"]\nuses = [{}]\n\
             routes = [{{ priority = {}, path = \"/s{n}/*\" }}, {{ priority = {}, path = \"/a-rather-long-path/of/{n}/*\" }}]",
            3000 + n,
            of("out"),
            uses.join(", "),
            2 * n + 1,
            2 * n + 2,
        );
    }
    for n in (0..services.len()).step_by(2) {
        let _ = writeln!(
            text,
            "[database.d{n}]\nengine_version = \"16\"\ninstance_class = \"db.t3.micro\"\nallocated_storage = 20\n\
             multi_az = true\nsubnets = [{}]\nsecurity_groups = [\"all\"]",
            of("in")
        );
    }
    for n in 0..caches {
        let _ = writeln!(
            text,
            "[cache.c{n}]\nengine_version = \"7.1\"\nnode_type = \"cache.t3.micro\"\nzone = \"a\"\nreplicas = {}\nsubnets = [{}]\n\
             security_groups = [\"all\"]",
            n % 3,
            of("in")
        );
    }
    match parse("shop.toml", &text, &[]) {
        Ok(topology) => of_desired(&desired(&topology)),
        Err(diagnostics) => panic!("{diagnostics}\n{text}"),
    }
}

#[track_caller]
fn check(picture: &Picture) -> Layout {
    let layout = Layout::of(picture, &Scene::of(picture));
    let all = Rect::new(0, 0, layout.width, layout.height);
    let mut families: std::collections::BTreeMap<Option<usize>, Vec<&Item>> = Default::default();
    for item in &layout.items {
        let holder = item.parent.map_or(all, |parent| layout.items[parent].rect);
        assert!(holder.holds(item.rect), "{item:?} is not within {holder:?}");
        assert!(item.rect.w > 0 && item.rect.h > 0, "{item:?} has no size");
        families.entry(item.parent).or_default().push(item);
    }
    for siblings in families.values() {
        // In a row of their own, siblings need only be held against those that begin before they end.
        let mut siblings = siblings.clone();
        siblings.sort_by_key(|item| item.rect.y);
        for (at, one) in siblings.iter().enumerate() {
            let near =
                siblings[at + 1..].iter().take_while(|other| other.rect.y < one.rect.bottom());
            for other in near {
                assert!(!one.rect.overlaps(other.rect), "{one:?} overlaps {other:?}");
            }
        }
    }
    let drawn: BTreeSet<&Address> = layout.items.iter().flat_map(|item| &item.things).collect();
    let missing: Vec<&Address> = picture.bodies.keys().filter(|one| !drawn.contains(one)).collect();
    assert!(missing.is_empty(), "{missing:?} are not in the picture");
    for edge in &layout.edges {
        let ends = edge.points.iter().all(|(x, y)| all.holds(Rect::new(*x, *y, 0, 0)));
        assert!(ends && edge.points.len() >= 2, "{edge:?} leaves the picture");
    }
    layout
}

fn of_file(text: &str) -> Picture {
    match parse("file.toml", text, &[]) {
        Ok(topology) => of_desired(&desired(&topology)),
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

#[test]
fn the_drawn_system_is_laid_out() {
    let picture = of_file(include_str!("../../../topology.toml"));
    let layout = check(&picture);
    let count = |look| layout.items.iter().filter(|item| item.look == look).count();
    assert_eq!(count(Look::Zone), 2);
    assert_eq!((count(Look::Public), count(Look::Private)), (2, 2));
    assert_eq!(count(Look::Machine), 14);
    assert_eq!(count(Look::Rule), 9);
    assert_eq!(count(Look::Database), 10, "five, each with a standby");
    assert_eq!(count(Look::Firewall), 4);
    let firewalls = layout.edges.iter().filter(|edge| edge.way == Way::Firewall);
    let ends = firewalls.map(|edge| {
        let card = layout.items[edge.to].parent.unwrap();
        format!("{} {}", layout.items[edge.from].lines[0], layout.items[card].lines[0])
    });
    let ends: Vec<String> = ends.collect();
    assert_eq!(ends, ["ALB-SG EC2-SG", "EC2-SG RDS-SG", "EC2-SG Redis-SG"]);
}

#[test]
fn so_is_what_the_drawing_has_no_need_of() {
    let layout = check(&of_file(include_str!("../../../tests/topologies/workers.toml")));
    let internet = layout.items.iter().filter(|item| item.look == Look::Internet);
    assert_eq!(internet.count(), 0, "its load balancer is internal");
}

#[test]
fn a_thousand_machines_take_a_picture_no_wider_than_fifteen() {
    let few = check(&shop(2, &[4; 5], 1));
    let many = check(&shop(2, &[200; 5], 1));
    assert!(many.width <= few.width + 250, "{} and {}", many.width, few.width);
    assert!(many.height < 3 * few.height, "{} and {}", many.height, few.height);
    let dots = many.items.iter().filter(|item| item.look == Look::Dot).count();
    assert_eq!(dots, 1000);
}

#[test]
fn an_empty_account_is_a_picture_too() {
    let mut picture = shop(2, &[1], 0);
    picture.bodies.clear();
    check(&picture);
}

#[test]
fn what_lost_its_place_stands_beside() {
    // As of an account from which somebody deleted half.
    let whole = shop(2, &[3, 3], 1);
    for gone in [
        "vpc",
        "subnet",
        "target_group",
        "load_balancer",
        "listener",
        "security_group",
        "db_subnet_group",
    ] {
        let mut picture = whole.clone();
        picture.bodies.retain(|address, _| address.kind() != gone);
        check(&picture);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_overlaps_and_nothing_is_missing(
        zones in 2usize..4,
        services in prop::collection::vec(prop_oneof![1usize..6, 1usize..40, 90usize..160], 1..9),
        caches in 0usize..4,
    ) {
        check(&shop(zones, &services, caches));
    }
}
