//! One end of a hop: who it is to security groups, and where it is in the network.

use ipnet::Ipv4Net;

use super::scene::{Named, Scene, link, links, text};
use crate::kinds::{instance, load_balancer};
use crate::model::{Address, Body};

#[derive(Clone, Debug)]
pub struct Party {
    pub name: String,
    pub groups: Vec<Named>,
    /// Where its packets come from or go to: its address if that is known, or its subnets' blocks.
    pub blocks: Vec<Ipv4Net>,
    pub subnets: Vec<Named>,
    pub place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Anybody: a listener that admits only some is still open to those.
    Anybody,
    /// One sender, whose groups are not ours.
    Outside,
    Within,
}

impl Party {
    /// Who sends the request: anybody, or these addresses. To an internal load balancer it comes from within the VPC.
    pub fn sender(
        scene: &Scene<'_>,
        balancer: &Self,
        internal: bool,
        from: Option<Ipv4Net>,
    ) -> Self {
        let vpc = balancer.subnets.iter().find_map(|subnet| {
            let subnet = scene.body(subnet.ours()?)?;
            scene.named(subnet, "vpc")
        });
        let (name, block) = match vpc.filter(|_| internal) {
            Some((address, body)) => (address.to_string(), text(body, "cidr_block").parse().ok()),
            None => ("internet".to_owned(), Some(Ipv4Net::default())),
        };
        Self {
            name: from.map_or(name, |from| from.to_string()),
            groups: Vec::new(),
            blocks: from.or(block).into_iter().collect(),
            subnets: if internal { balancer.subnets.clone() } else { Vec::new() },
            place: if from.is_some() { Place::Outside } else { Place::Anybody },
        }
    }

    pub fn of(scene: &Scene<'_>, address: &Address, body: &Body) -> Self {
        let subnets = match address.kind() {
            kind if kind == instance::SCHEMA.kind => link(body, "subnet").into_iter().collect(),
            kind if kind == load_balancer::SCHEMA.kind => links(body, "subnets"),
            _ => scene
                .named(body, "subnet_group")
                .map(|(_, group)| links(group, "subnets"))
                .unwrap_or_default(),
        };
        let known = scene.sight(address).private_ip.map(Ipv4Net::from);
        let blocks = match known {
            Some(own) => vec![own],
            None => subnets.iter().filter_map(|subnet| block(scene, subnet)).collect(),
        };
        Self {
            name: address.to_string(),
            groups: links(body, "security_groups"),
            blocks,
            subnets,
            place: Place::Within,
        }
    }

    /// Its name in a rule that is missing.
    pub fn as_peer(&self) -> String {
        if self.groups.is_empty() {
            list(self.blocks.iter().map(Ipv4Net::to_string), "and")
        } else {
            list(self.groups.iter().map(Named::to_string), "or")
        }
    }
}

fn block(scene: &Scene<'_>, subnet: &Named) -> Option<Ipv4Net> {
    text(scene.body(subnet.ours()?)?, "cidr_block").parse().ok()
}

/// `a`, `a or b`, `a, b or c`.
pub fn list(items: impl Iterator<Item = String>, last: &str) -> String {
    let mut items: Vec<String> = items.collect();
    match (items.pop(), items.is_empty()) {
        (None, _) => String::new(),
        (Some(only), true) => only,
        (Some(end), false) => format!("{} {last} {end}", items.join(", ")),
    }
}
