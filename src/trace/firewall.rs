//! Whether security groups let a connection through: the sender's egress and the receiver's ingress.

use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::Serialize;

use super::party::{Party, Place, list};
use super::scene::{Named, Scene};
use crate::kinds::security_group::Rule;
use crate::model::Address;

/// What lets a connection through at one point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Ground {
    pub side: Side,
    pub address: Address,
    pub rule: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Egress,
    Ingress,
    Route,
}

impl Side {
    pub fn word(self) -> &'static str {
        match self {
            Self::Egress => "egress",
            Self::Ingress => "ingress",
            Self::Route => "route",
        }
    }

    fn toward(self) -> &'static str {
        if self == Self::Egress { "to" } else { "from" }
    }
}

/// What one side's groups say.
pub struct Passage {
    pub grounds: Vec<Ground>,
    /// Of anybody who might come, those who are let through; empty where that is everybody asked about.
    pub only: Vec<Ipv4Net>,
}

/// Not for the internet to come from.
const PRIVATE: [[u8; 5]; 6] = [
    [10, 0, 0, 0, 8],
    [100, 64, 0, 0, 10],
    [127, 0, 0, 0, 8],
    [169, 254, 0, 0, 16],
    [172, 16, 0, 0, 12],
    [192, 168, 0, 0, 16],
];

/// Asks the groups of `guard` on its `side` about a TCP connection with `other`.
///
/// # Errors
/// The rule that is missing.
pub fn pass(
    scene: &Scene<'_>,
    side: Side,
    guard: &Party,
    other: &Party,
    port: u16,
) -> Result<Passage, String> {
    let mut blocks: Vec<(Ipv4Net, Ground)> = Vec::new();
    let mut unknown = Vec::new();
    for named in &guard.groups {
        let rules = named.ours().and_then(|address| Some((address, scene.rules(address, side)?)));
        let Some((address, rules)) = rules else {
            unknown.push(named.to_string());
            continue;
        };
        for (rule, peer) in rules.iter().filter(|(rule, _)| admits(rule, port)) {
            let ground = Ground { side, address: address.clone(), rule: shown(rule, side, peer) };
            if other.groups.contains(peer) {
                return Ok(Passage { grounds: vec![ground], only: Vec::new() });
            }
            if let Named::Foreign(text) = peer
                && let Ok(block) = text.parse()
            {
                blocks.push((block, ground));
            }
        }
    }
    by_blocks(blocks, other).ok_or_else(|| missing(side, guard, other, port, &unknown))
}

/// Whether blocks let all of `other` through, one alone or several together; or some of anybody.
fn by_blocks(blocks: Vec<(Ipv4Net, Ground)>, other: &Party) -> Option<Passage> {
    let holds = |block: &Ipv4Net| other.blocks.iter().all(|own| block.contains(own));
    if other.blocks.is_empty() {
        return None;
    }
    if let Some((_, ground)) = blocks.iter().find(|(block, _)| holds(block)) {
        return Some(Passage { grounds: vec![ground.clone()], only: Vec::new() });
    }
    let touches =
        |block: &Ipv4Net| other.blocks.iter().any(|own| block.contains(own) || own.contains(block));
    let (some, grounds): (Vec<Ipv4Net>, Vec<Ground>) =
        blocks.into_iter().filter(|(block, _)| touches(block)).unzip();
    if cover(&some, &other.blocks) {
        return Some(Passage { grounds, only: Vec::new() });
    }
    if other.place != Place::Anybody {
        return None;
    }
    // A private block says nothing of the internet, unless it is from there that anybody comes.
    let inside = other.blocks.iter().any(private);
    let (only, grounds): (Vec<Ipv4Net>, Vec<Ground>) =
        some.into_iter().zip(grounds).filter(|(block, _)| inside || !private(block)).unzip();
    (!only.is_empty()).then(|| Passage { grounds, only: Ipv4Net::aggregate(&only) })
}

/// Whether `blocks` together hold each of `wanted`.
pub fn cover(blocks: &[Ipv4Net], wanted: &[Ipv4Net]) -> bool {
    let joined = Ipv4Net::aggregate(&blocks.to_vec());
    wanted.iter().all(|own| joined.iter().any(|block| block.contains(own)))
}

fn private(block: &Ipv4Net) -> bool {
    PRIVATE.iter().any(|[a, b, c, d, length]| {
        Ipv4Net::new([*a, *b, *c, *d].into(), *length).is_ok_and(|range| range.contains(block))
    })
}

fn missing(side: Side, guard: &Party, other: &Party, port: u16, unknown: &[String]) -> String {
    let known: Vec<String> =
        guard.groups.iter().map(Named::to_string).filter(|name| !unknown.contains(name)).collect();
    let (word, toward, peer) = (side.word(), side.toward(), other.as_peer());
    let verb = if known.len() == 1 { "has" } else { "have" };
    let rule = format!("no {word} tcp {port} {toward} {peer}");
    let unknown = list(unknown.iter().cloned(), "and");
    match (known.is_empty(), unknown.is_empty()) {
        (true, true) => format!("{} has no security group, so {rule}", guard.name),
        (true, false) => format!(
            "the rules of {unknown} are not known, nor whether there is {word} tcp {port} {toward} {peer}"
        ),
        (false, true) => format!("{} {verb} {rule}", list(known.into_iter(), "and")),
        (false, false) => {
            format!(
                "{} {verb} {rule}; the rules of {unknown} are not known",
                list(known.into_iter(), "and")
            )
        }
    }
}

/// Whether the rule speaks of TCP (6, by its number) on this port.
fn admits(rule: &Rule, port: u16) -> bool {
    let port = i32::from(port);
    let ports = rule.ports.is_none_or(|(first, last)| (first..=last).contains(&port));
    match rule.protocol.as_str() {
        "all" | "-1" => true,
        "tcp" | "6" => ports,
        _ => false,
    }
}

fn shown(rule: &Rule, side: Side, peer: &Named) -> String {
    let ports = match rule.ports {
        Some((first, last)) if first == last => format!(" {first}"),
        Some((first, last)) => format!(" {first}-{last}"),
        None => String::new(),
    };
    format!("{}{ports} {} {peer}", rule.protocol, side.toward())
}
