//! One request from DNS to the last thing its service speaks to.

use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::Serialize;

use super::choice::{Rule, choose, rules};
use super::hop::Hop;
use super::path::Request;
use super::scene::Scene;
use super::stops;
use crate::model::Address;

/// The way of one request.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Walk {
    pub path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    pub open: bool,
    pub stops: Vec<Stop>,
}

/// What the request comes by, how it gets there, and what stands in its way.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Stop {
    #[serde(flatten)]
    pub what: What,
    pub hops: Vec<Hop>,
    /// What is wrong with the stop itself.
    pub gaps: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "stop", rename_all = "snake_case")]
pub enum What {
    Dns {
        names: Vec<DnsName>,
        /// The load balancer's own name, where it is known.
        own: Option<String>,
    },
    LoadBalancer {
        address: Address,
        name: String,
        scheme: String,
        state: Option<String>,
    },
    /// A listener that only sends requests to another.
    Redirect {
        address: Address,
        port: u16,
        to_port: u16,
    },
    Listener {
        address: Address,
        port: u16,
        protocol: String,
    },
    Rule {
        winner: Candidate,
        /// The pattern that matches; none where nothing but the default is left.
        pattern: Option<String>,
        /// Asked before it, without a match.
        passed: Vec<Candidate>,
        /// Asked after it, so not asked at all.
        beaten: Vec<Candidate>,
    },
    TargetGroup {
        address: Address,
        protocol: String,
        port: u16,
        health_check: String,
    },
    Targets {
        targets: Vec<Target>,
    },
    /// A cache or a database.
    Store {
        address: Address,
        service: String,
        engine: String,
        port: Option<u16>,
        zones: Vec<String>,
        state: Option<String>,
    },
    /// It is not there.
    Absent {
        what: String,
    },
}

/// A rule of the listener, or what it does by default.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Candidate {
    /// None: the default.
    pub address: Option<Address>,
    pub priority: Option<u64>,
    pub patterns: Vec<String>,
    pub target_group: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DnsName {
    pub name: String,
    pub record: Address,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Target {
    pub address: Address,
    pub zone: String,
    pub subnet: String,
    /// What its target group finds; only of the account.
    pub health: Option<String>,
}

impl Stop {
    pub(super) fn new(what: What) -> Self {
        Self { what, hops: Vec::new(), gaps: Vec::new() }
    }

    pub(super) fn hops(mut self, hops: Vec<Hop>) -> Self {
        self.hops = hops;
        self
    }

    pub(super) fn gaps(mut self, gaps: impl IntoIterator<Item = String>) -> Self {
        self.gaps.extend(gaps);
        self
    }

    pub fn is_open(&self) -> bool {
        self.gaps.is_empty() && self.hops.iter().all(|hop| hop.open)
    }

    /// Everything that is missing at it.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        let hops = self.hops.iter().flat_map(|hop| &hop.missing);
        self.gaps.iter().chain(hops).map(String::as_str)
    }
}

impl Candidate {
    pub(super) fn rule(rule: &Rule) -> Self {
        Self {
            address: Some(rule.address.clone()),
            priority: Some(rule.priority),
            patterns: rule.patterns.clone(),
            target_group: rule.target_group.as_ref().map(ToString::to_string),
        }
    }

    pub(super) fn default(target_group: Option<String>) -> Self {
        Self { address: None, priority: None, patterns: Vec::new(), target_group }
    }
}

/// Follows a request, from anybody or from these addresses. It goes on behind what is closed, to find all of it.
pub fn trace(scene: &Scene<'_>, request: &Request, from: Option<Ipv4Net>) -> Walk {
    let stops = stops_of(scene, request, from);
    Walk {
        path: request.path.clone(),
        query: request.query.clone(),
        open: stops.iter().all(Stop::is_open),
        stops,
    }
}

fn stops_of(scene: &Scene<'_>, request: &Request, from: Option<Ipv4Net>) -> Vec<Stop> {
    let Some(entrance) = stops::Entrance::find(scene, from) else {
        return vec![stops::absent(scene, "load balancer")];
    };
    let mut stops = vec![entrance.dns(scene), entrance.balancer(scene)];
    stops.extend(entrance.redirects(scene));
    let Some(listener) = entrance.serving.first() else {
        stops.push(stops::absent(scene, "listener that serves"));
        return stops;
    };
    stops.push(entrance.listener(scene, listener));
    let rules = rules(scene, &listener.address);
    let choice = choose(&rules, &request.path);
    let default = || Candidate::default(listener.default.as_ref().map(ToString::to_string));
    let mut beaten: Vec<Candidate> =
        choice.beaten.iter().map(|(rule, pattern)| Candidate::matching(rule, pattern)).collect();
    let (winner, pattern, group) = match choice.winner {
        Some((rule, pattern)) => {
            beaten.push(default());
            (Candidate::rule(rule), Some(pattern.to_owned()), rule.target_group.as_ref())
        }
        None => (default(), None, listener.default.as_ref()),
    };
    let passed = choice.passed.iter().map(|rule| Candidate::rule(rule)).collect();
    let name = winner
        .address
        .as_ref()
        .map_or_else(|| format!("the default of {}", listener.address), ToString::to_string);
    stops.push(Stop::new(What::Rule { winner, pattern, passed, beaten }));
    let Some(group) = stops::group(scene, group) else {
        let gap = stops::no_group(scene, &name, group);
        stops.push(Stop::new(What::Absent { what: "target group".to_owned() }).gaps([gap]));
        return stops;
    };
    stops.push(group.stop());
    stops.push(entrance.targets(scene, &group));
    stops.extend(stops::stores(scene, &group));
    stops
}

impl Candidate {
    /// Of a rule's patterns, the one that matches.
    fn matching(rule: &Rule, pattern: &str) -> Self {
        Self { patterns: vec![pattern.to_owned()], ..Self::rule(rule) }
    }
}
