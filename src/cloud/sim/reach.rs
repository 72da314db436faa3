//! Whether a load balancer's packets come through to a machine: by the security groups' rules as they stand in the account.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use serde_json::Value;

use super::Account;
use super::object::Object;
use super::senders::used;
use crate::kinds::security_group::Rule;

/// Who may send requests to one target group, and to which of its machines they come through.
pub struct Reach<'a> {
    account: &'a Account,
    port: i32,
    senders: Vec<&'a Object>,
    /// By the machine's groups: machines of one service mostly share them.
    known: BTreeMap<Vec<String>, bool>,
}

impl<'a> Reach<'a> {
    pub fn of(account: &'a Account, group: &str) -> Self {
        let names = |object: &&Object| used(&object.body).any(|named| named == group);
        let rules = account.of_kind("listener_rule").filter(names);
        let rules = rules.filter_map(|rule| account.get("listener", rule.text("listener")));
        let listeners = account.of_kind("listener").filter(names).chain(rules);
        let mut senders: Vec<&Object> = listeners
            .filter_map(|listener| account.get("load_balancer", listener.text("load_balancer")))
            .collect();
        senders.sort_by(|a, b| a.id.cmp(&b.id));
        senders.dedup_by(|a, b| a.id == b.id);
        let port = account.get("target_group", group).and_then(|group| {
            group.body.get("port").and_then(Value::as_i64).and_then(|port| port.try_into().ok())
        });
        Self { account, port: port.unwrap_or_default(), senders, known: BTreeMap::new() }
    }

    /// Whether all of them come through. Of what the account does not hold, nothing is known that would be in the way.
    pub fn comes_to(&mut self, machine: &Object) -> bool {
        let groups: Vec<String> = list(machine, "security_groups").map(str::to_owned).collect();
        if let Some(known) = self.known.get(&groups) {
            return *known;
        }
        let open = self.senders.iter().all(|sender| {
            self.open(sender, "egress", machine) && self.open(machine, "ingress", sender)
        });
        self.known.insert(groups, open);
        open
    }

    /// Whether a rule on this side of `guard` speaks of `other`.
    fn open(&self, guard: &Object, side: &str, other: &Object) -> bool {
        let mut groups = list(guard, "security_groups");
        groups.any(|id| match self.account.get("security_group", id) {
            None => self.account.open,
            Some(group) => rules(group, side).any(|rule| self.speaks_of(&rule, other)),
        })
    }

    fn speaks_of(&self, rule: &Rule, other: &Object) -> bool {
        let ports = rule.ports.is_none_or(|(first, last)| (first..=last).contains(&self.port));
        let protocol = match rule.protocol.as_str() {
            "all" => true,
            "tcp" => ports,
            _ => false,
        };
        protocol
            && match rule.peer.id().parse::<Ipv4Net>() {
                Err(_) => list(other, "security_groups").any(|group| group == rule.peer.id()),
                Ok(block) => list(other, "subnets").chain([other.text("subnet")]).any(|id| {
                    let subnet = self.account.get("subnet", id);
                    let range = subnet.and_then(|subnet| subnet.text("cidr_block").parse().ok());
                    range.is_some_and(|range: Ipv4Net| block.contains(&range))
                }),
            }
    }
}

fn rules(group: &Object, side: &str) -> impl Iterator<Item = Rule> {
    let rules = group.body.get(side).and_then(Value::as_array).into_iter().flatten();
    rules.filter_map(|rule| serde_json::from_value(rule.clone()).ok())
}

fn list<'a>(object: &'a Object, field: &str) -> impl Iterator<Item = &'a str> {
    let items = object.body.get(field).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str)
}
