//! Which of a listener's rules takes a request. Rules are asked by ascending priority; the first that matches wins.

use super::path::matches;
use super::scene::{Named, Scene, link, number, texts};
use crate::kinds::listener_rule;
use crate::model::Address;

/// A rule of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub address: Address,
    pub priority: u64,
    pub patterns: Vec<String>,
    pub target_group: Option<Named>,
}

/// How the rules fare with one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice<'a> {
    /// The rule, and the pattern of it that matches; none where the listener's default takes it.
    pub winner: Option<(&'a Rule, &'a str)>,
    /// Those asked before it, none of which match.
    pub passed: Vec<&'a Rule>,
    /// Those that would match too, but are asked later.
    pub beaten: Vec<(&'a Rule, &'a str)>,
}

/// The rules of one listener in the order in which they are asked.
pub fn rules(scene: &Scene<'_>, listener: &Address) -> Vec<Rule> {
    let own = scene
        .of_kind(listener_rule::SCHEMA.kind)
        .filter(|(_, body)| link(body, "listener").is_some_and(|named| named.is(listener)));
    let mut rules: Vec<Rule> = own
        .map(|(address, body)| Rule {
            address: address.clone(),
            priority: number(body, "priority").unwrap_or(u64::MAX),
            patterns: texts(body, "paths"),
            target_group: link(body, "target_group"),
        })
        .collect();
    rules.sort_by(|a, b| (a.priority, &a.address).cmp(&(b.priority, &b.address)));
    rules
}

/// Decides on a path, whatever the order in which the rules come.
pub fn choose<'a>(rules: &'a [Rule], path: &str) -> Choice<'a> {
    let mut order: Vec<&Rule> = rules.iter().collect();
    order.sort_by_key(|rule| rule.priority);
    let mut choice = Choice { winner: None, passed: Vec::new(), beaten: Vec::new() };
    for rule in order {
        let matched = rule.patterns.iter().find(|pattern| matches(pattern, path));
        match (matched, &choice.winner) {
            (Some(pattern), None) => choice.winner = Some((rule, pattern)),
            (Some(pattern), Some(_)) => choice.beaten.push((rule, pattern)),
            (None, None) => choice.passed.push(rule),
            (None, Some(_)) => {}
        }
    }
    choice
}
