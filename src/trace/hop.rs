//! One connection of a walk, and whether it is open.

use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::Serialize;

use super::firewall::{Ground, Side, pass};
use super::network;
use super::party::{Party, Place};
use super::scene::Scene;

/// A TCP connection that a request needs. Several ends that fare alike stand together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Hop {
    pub from: Vec<String>,
    pub to: Vec<String>,
    pub port: u16,
    pub open: bool,
    /// What lets it through.
    pub grounds: Vec<Ground>,
    /// What would have to be there.
    pub missing: Vec<String>,
    /// Those of anybody who are let through, where that is not everybody.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub only: Vec<Ipv4Net>,
}

impl Hop {
    /// Asks security groups and routes.
    pub(super) fn check(scene: &Scene<'_>, from: &Party, to: &Party, port: u16) -> Self {
        let (mut grounds, mut missing, mut only) = (Vec::new(), Vec::new(), Vec::new());
        let mut asked = vec![(Side::Ingress, to, from)];
        if from.place == Place::Within {
            asked.insert(0, (Side::Egress, from, to));
        }
        for (side, guard, other) in asked {
            match pass(scene, side, guard, other, port) {
                Ok(passage) => {
                    grounds.extend(passage.grounds);
                    only.extend(passage.only);
                }
                Err(gap) => missing.push(gap),
            }
        }
        let routes = if from.subnets.is_empty() && from.place != Place::Within {
            let wanted = if only.is_empty() { &from.blocks } else { &only };
            network::from_internet(scene, to, wanted)
        } else {
            network::within(scene, from, to)
        };
        match routes {
            Ok(found) => grounds.extend(found),
            Err(gaps) => missing.extend(gaps),
        }
        Self {
            from: vec![from.name.clone()],
            to: vec![to.name.clone()],
            port,
            open: missing.is_empty(),
            grounds,
            missing,
            only,
        }
    }

    fn fares_as(&self, other: &Self) -> bool {
        (self.port, &self.grounds, &self.missing, &self.only)
            == (other.port, &other.grounds, &other.missing, &other.only)
    }
}

/// Hops from one end, or to one end, that fare alike, as one.
pub(super) fn merge(hops: impl IntoIterator<Item = Hop>) -> Vec<Hop> {
    let mut merged: Vec<Hop> = Vec::new();
    for hop in hops {
        let alike = merged.iter_mut().find(|known| known.fares_as(&hop));
        match alike {
            Some(known) if known.to == hop.to => known.from.extend(hop.from),
            Some(known) if known.from == hop.from => known.to.extend(hop.to),
            _ => merged.push(hop),
        }
    }
    merged
}
