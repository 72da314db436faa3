//! Every way through the system: each listener, each rule, each declared use.

use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::Serialize;

use super::choice::{Rule, rules};
use super::path::covers;
use super::scene::{Named, Scene};
use super::stops::{self, Entrance, Group};
use super::walk::{Candidate, Stop, What};
use crate::model::Address;

/// What there is to check, and how each fares.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Audit {
    pub open: bool,
    /// The listeners, and those that redirect.
    pub entrances: Vec<Stop>,
    pub routes: Vec<Route>,
    /// What services speak to.
    pub uses: Vec<Stop>,
}

/// A rule, or a listener's default, and the way to its targets.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Route {
    pub listener: Address,
    pub rule: Candidate,
    #[serde(flatten)]
    pub targets: Stop,
}

impl Audit {
    /// Each way checked, in the order of a request.
    pub fn ways(&self) -> impl Iterator<Item = &Stop> {
        let routes = self.routes.iter().map(|route| &route.targets);
        self.entrances.iter().chain(routes).chain(&self.uses)
    }
}

/// Checks every way there is, for requests of anybody or from these addresses.
pub fn audit(scene: &Scene<'_>, from: Option<Ipv4Net>) -> Audit {
    let (mut entrances, mut routes) = (Vec::new(), Vec::new());
    if let Some(entrance) = Entrance::find(scene, from) {
        entrances = entrance.redirects(scene);
        if entrance.serving.is_empty() {
            entrances.push(stops::absent(scene, "listener that serves"));
        }
        for listener in &entrance.serving {
            entrances.push(entrance.listener(scene, listener));
            let rules = rules(scene, &listener.address);
            let mut add =
                |rule: Candidate, name: String, named: Option<&Named>, gap: Option<String>| {
                    let group = stops::group(scene, named);
                    let targets = way(scene, &entrance, group.as_ref(), &name, named).gaps(gap);
                    routes.push(Route { listener: listener.address.clone(), rule, targets });
                };
            for (at, rule) in rules.iter().enumerate() {
                let (name, named) = (rule.address.to_string(), rule.target_group.as_ref());
                add(Candidate::rule(rule), name, named, shadow(rule, &rules[..at]));
            }
            let named = listener.default.as_ref();
            let rule = Candidate::default(named.map(ToString::to_string));
            add(rule, format!("the default of {}", listener.address), named, None);
        }
    }
    let uses = scene.uses().map(|(service, used)| {
        let fleet = scene.fleet(service).into_iter();
        let users: Vec<_> =
            fleet.filter_map(|one| scene.body(&one).map(|body| (one, body))).collect();
        stops::store(scene, service, used, &users)
    });
    let mut audit = Audit { open: false, entrances, routes, uses: uses.collect() };
    let open = audit.ways().all(Stop::is_open);
    audit.open = open;
    audit
}

fn way(
    scene: &Scene<'_>,
    entrance: &Entrance<'_>,
    group: Option<&Group<'_>>,
    rule: &str,
    named: Option<&Named>,
) -> Stop {
    match group {
        Some(group) => entrance.targets(scene, group),
        None => Stop::new(What::Absent { what: "target group".to_owned() })
            .gaps([stops::no_group(scene, rule, named)]),
    }
}

/// What keeps every request from a rule: others, asked before it, take all that it would.
fn shadow(rule: &Rule, before: &[Rule]) -> Option<String> {
    let taker = |pattern: &String| {
        before.iter().find(|other| other.patterns.iter().any(|wider| covers(wider, pattern)))
    };
    let takers: Option<Vec<&Rule>> = rule.patterns.iter().map(taker).collect();
    let first = takers?.into_iter().next()?;
    Some(format!(
        "{} never gets a request: {} has priority {} and takes all of {}",
        rule.address,
        first.address,
        first.priority,
        rule.patterns.first().map(String::as_str).unwrap_or_default(),
    ))
}
