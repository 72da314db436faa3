//! The way of a request by example: what is open, what is closed, and the word for what is missing.

mod hops;
mod rules;
mod ways;

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use serde_json::{Value, json};

use super::{Audit, Hop, Request, Scene, Stop, Uses, Walk, What, audit, trace, uses};
use crate::desired::desired;
use crate::model::{Address, Body};
use crate::topology::parse;

/// A small shop, all of it open.
const SHOP: &str = include_str!("shop.toml");

/// The bodies of a topology, to be changed, and walked.
struct World {
    bodies: BTreeMap<Address, Body>,
    uses: Uses,
}

impl World {
    fn of(text: &str) -> Self {
        let topology =
            parse("topology.toml", text, &[]).unwrap_or_else(|errors| panic!("{errors}"));
        Self { bodies: desired(&topology).resources, uses: uses(&topology) }
    }

    fn shop() -> Self {
        Self::of(SHOP)
    }

    /// With a field at an address as it is given.
    fn with(mut self, address: &str, field: &str, value: Value) -> Self {
        let address: Address = address.parse().unwrap();
        self.bodies.entry(address).or_default().insert(field.to_owned(), value);
        self
    }

    fn without(mut self, address: &str) -> Self {
        assert!(self.bodies.remove(&address.parse().unwrap()).is_some(), "there is a {address}");
        self
    }

    fn walk(&self, path: &str) -> Walk {
        self.walk_from(path, None)
    }

    fn walk_from(&self, path: &str, from: Option<&str>) -> Walk {
        let from = from.map(|block| block.parse::<Ipv4Net>().unwrap());
        trace(&self.scene(), &path.parse::<Request>().unwrap(), from)
    }

    fn audit(&self) -> Audit {
        audit(&self.scene(), None)
    }

    fn scene(&self) -> Scene<'_> {
        Scene::of_bodies(&self.bodies, &self.uses)
    }

    /// What is missing on the way of a request to the service that uses everything.
    fn missing(&self) -> Vec<String> {
        missing(&self.walk("/api/users/1"))
    }
}

fn missing(walk: &Walk) -> Vec<String> {
    let missing: Vec<String> =
        walk.stops.iter().flat_map(Stop::missing).map(str::to_owned).collect();
    assert_eq!(walk.open, missing.is_empty());
    missing
}

fn hops(walk: &Walk) -> Vec<&Hop> {
    walk.stops.iter().flat_map(|stop| &stop.hops).collect()
}

fn link(address: &str) -> Value {
    json!({ "$ref": address })
}

/// `tcp 443 security_group.alb` as a rule.
fn rule(text: &str) -> Value {
    let words: Vec<&str> = text.split(' ').collect();
    let peer = |peer: &str| {
        if peer.contains('.') && !peer.contains('/') { link(peer) } else { json!(peer) }
    };
    match words[..] {
        [protocol, ports, other] => {
            json!({ "protocol": protocol, "ports": ports, "peer": peer(other) })
        }
        [protocol, other] => json!({ "protocol": protocol, "peer": peer(other) }),
        _ => panic!("`{text}` is no rule"),
    }
}

fn rules<const N: usize>(texts: [&str; N]) -> Value {
    texts.map(rule).into_iter().collect()
}
