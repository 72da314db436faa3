//! Security groups: who comes in by which ports, and which groups lie behind which.

use std::collections::BTreeMap;

use serde_json::Value;

use super::scene::{Bodies, Door, Firewall, peer};
use crate::kinds::security_group::{Rule, SCHEMA};
use crate::model::{Address, Body};
use crate::trace::Named;

pub(super) fn firewalls(bodies: Bodies<'_>) -> Vec<Firewall<'_>> {
    let mut all: Vec<Firewall<'_>> = bodies
        .of_kind(SCHEMA.kind)
        .map(|(address, body)| Firewall { address, depth: 0, doors: doors(bodies, body) })
        .collect();
    let before: BTreeMap<&Address, Vec<&Address>> = all
        .iter()
        .map(|one| (one.address, one.doors.iter().filter_map(|door| door.group).collect()))
        .collect();
    let mut depths = BTreeMap::new();
    for one in &mut all {
        one.depth = depth(one.address, &before, &mut depths, &mut Vec::new());
    }
    all.sort_by_key(|one| (one.depth, one.address));
    all
}

/// How many groups lie before one. Where they lie in a circle, it is cut where it was entered.
fn depth<'a>(
    group: &'a Address,
    before: &BTreeMap<&'a Address, Vec<&'a Address>>,
    known: &mut BTreeMap<&'a Address, usize>,
    open: &mut Vec<&'a Address>,
) -> usize {
    if let Some(depth) = known.get(group) {
        return *depth;
    }
    open.push(group);
    let mut deepest = 0;
    for one in before.get(group).into_iter().flatten() {
        if !open.contains(one) {
            deepest = deepest.max(1 + depth(one, before, known, open));
        }
    }
    open.pop();
    known.insert(group, deepest);
    deepest
}

fn doors<'a>(bodies: Bodies<'a>, group: &'a Body) -> Vec<Door<'a>> {
    let mut by_peer: BTreeMap<Named, Vec<Rule>> = BTreeMap::new();
    for item in group.get("ingress").and_then(Value::as_array).into_iter().flatten() {
        let peer = item.get("peer").and_then(Named::of);
        if let (Some(peer), Ok(rule)) = (peer, serde_json::from_value(item.clone())) {
            by_peer.entry(peer).or_default().push(rule);
        }
    }
    // Those from outside first.
    let mut doors: Vec<(Named, Vec<Rule>)> = by_peer.into_iter().collect();
    doors.sort_by_key(|(peer, _)| peer.ours().is_some());
    doors
        .into_iter()
        .map(|(named, rules)| Door {
            peer: peer(bodies, &named),
            group: bodies.here(&named).filter(|one| one.kind() == SCHEMA.kind),
            ports: ports(&rules),
        })
        .collect()
}

/// `tcp 80, 443, 3000-3005`: neighbours stand as a range.
fn ports(rules: &[Rule]) -> String {
    let mut by_protocol: BTreeMap<&str, Vec<(i32, i32)>> = BTreeMap::new();
    for rule in rules {
        by_protocol.entry(&rule.protocol).or_default().extend(rule.ports);
    }
    let shown = by_protocol.into_iter().map(|(protocol, mut ranges)| {
        ranges.sort_unstable();
        let mut joined: Vec<(i32, i32)> = Vec::new();
        for (first, last) in ranges {
            match joined.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => joined.push((first, last)),
            }
        }
        let ranges = joined.iter().map(|(first, last)| match (first, last) {
            // ICMP's word for all types.
            (-1, _) => String::new(),
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        });
        let ranges: Vec<String> = ranges.filter(|range| !range.is_empty()).collect();
        format!("{protocol} {}", ranges.join(", ")).trim_end().to_owned()
    });
    shown.collect::<Vec<_>>().join("; ")
}
