//! A row for each service: its target group, its machines by subnet, and what it alone uses.

use std::collections::{BTreeMap, BTreeSet};

use super::scene::{Bodies, Fleet, Row, Scene, Store, Target, service};
use crate::kinds::{instance, subnet, target_group};
use crate::model::{Address, Body};
use crate::trace::{number, text};

pub(super) fn rows<'a>(bodies: Bodies<'a>, scene: &Scene<'a>) -> Vec<Row<'a>> {
    let mut services: BTreeMap<&'a str, Row<'a>> = BTreeMap::new();
    for (address, _) in bodies.of_kind(target_group::SCHEMA.kind) {
        row(&mut services, address.name()).groups.push(address);
    }
    let mut fleets: BTreeMap<(&str, &Address), Vec<&'a Address>> = BTreeMap::new();
    for (address, body) in bodies.of_kind(instance::SCHEMA.kind) {
        if let Some(subnet) = bodies.named(body, subnet::SCHEMA.kind) {
            fleets.entry((service(bodies, address, body), subnet)).or_default().push(address);
        }
    }
    for ((service, subnet), mut machines) in fleets {
        machines.sort_by_key(|one| numbered(one));
        row(&mut services, service).fleets.push(Fleet { subnet, machines });
    }
    for (service, used) in bodies.told() {
        let stores = bodies.stores().map(|(address, _)| address).filter(|one| used.contains(one));
        if let Some(row) = services.get_mut(service) {
            row.uses.extend(stores);
        }
    }
    let mut rows: Vec<Row<'a>> = services.into_values().collect();
    let order = order(scene);
    rows.sort_by_key(|row| {
        let first = row.groups.iter().filter_map(|group| order.get(group)).min().copied();
        (first.unwrap_or(usize::MAX), row.name)
    });
    for (address, body) in bodies.stores() {
        let Some(store) = store(bodies, scene, address, body) else { continue };
        let mut users = rows.iter_mut().filter(|row| row.uses.contains(&address));
        match (users.next(), users.next()) {
            (Some(only), None) => only.stores.push(store),
            _ => rows.push(Row { name: address.name(), stores: vec![store], ..Row::default() }),
        }
    }
    rows
}

fn row<'r, 'a>(rows: &'r mut BTreeMap<&'a str, Row<'a>>, name: &'a str) -> &'r mut Row<'a> {
    rows.entry(name).or_insert_with(|| Row { name, ..Row::default() })
}

/// The place of each target group in the order in which rules are asked.
fn order<'a>(scene: &Scene<'a>) -> BTreeMap<&'a Address, usize> {
    let mut order = BTreeMap::new();
    for (at, rule) in scene.rules().enumerate() {
        if let Target::Group(group) = rule.target {
            order.entry(group).or_insert(at);
        }
    }
    order
}

/// `user-2` before `user-10`.
fn numbered(address: &Address) -> (String, u64, String) {
    let name = address.name();
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = name.get(stem.len()..).and_then(|digits| digits.parse().ok());
    (stem.to_owned(), number.unwrap_or_default(), name.to_owned())
}

/// Where a database or cache stands. AWS chooses the zone where the body names none: it is drawn in the first.
fn store<'a>(
    bodies: Bodies<'a>,
    scene: &Scene<'a>,
    address: &'a Address,
    body: &'a Body,
) -> Option<Store<'a>> {
    let among: BTreeSet<&Address> = bodies.grounds(body).into_iter().collect();
    let drawn = scene.subnets().map(|subnet| subnet.address);
    let grounds: Vec<&Address> = drawn.filter(|subnet| among.contains(subnet)).collect();
    let zone = text(body, "availability_zone");
    let chosen = grounds.iter().position(|subnet| !zone.is_empty() && bodies.zone(subnet) == zone);
    // Replicas that are things of their own stand one after the other from where their source is.
    let turn = bodies.named(body, "source").map(|source| {
        let siblings =
            bodies.stores().filter(|(_, other)| bodies.named(other, "source") == Some(source));
        1 + siblings.take_while(|(other, _)| *other != address).count()
    });
    let first = chosen.or(turn).unwrap_or_default();
    let at = |n: usize| grounds.get((first + n) % grounds.len().max(1)).copied();
    let copies = match body.get("num_cache_clusters") {
        Some(_) => number(body, "num_cache_clusters").unwrap_or_default().saturating_sub(1),
        None => u64::from(body.get("multi_az") == Some(&true.into())),
    };
    // A standby is in another zone than its primary.
    let copies = if grounds.len() < 2 { 0 } else { usize::try_from(copies).unwrap_or_default() };
    Some(Store { address, subnet: at(0)?, copies: (1..=copies).filter_map(at).collect() })
}
