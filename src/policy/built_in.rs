//! The rules that have keys of their own in `[policy]`.

use super::{Facts, Finding, blame, healthy, hours};
use crate::cost::Money;
use crate::diff::{Action, Change};
use crate::kinds::{db_instance, security_group, target_group};
use crate::model::Address;
use crate::plan::Goal;
use crate::report::{cost, count};
use crate::topology::policy::{
    MAX_DELETIONS, MAX_MONTHLY_COST, MAX_REPLACEMENTS, MIN_HEALTHY, OPEN_PORTS, PROTECT_DATABASES,
    WORKING_HOURS,
};
use crate::topology::{Level, Peer, Policy, Span, Topology};

/// A shorter prefix than that lets in more than any one network.
const WORLD: u8 = 8;
/// Of more resources than that, so many are named.
const NAMED: usize = 3;

/// Those that the policy sets, with their levels.
pub fn levels(policy: &Policy) -> impl Iterator<Item = (&str, Level)> {
    let set = [
        (PROTECT_DATABASES, policy.protect_databases.is_some()),
        (OPEN_PORTS, policy.open_ports.is_some()),
        (MAX_REPLACEMENTS, policy.max_replacements.is_some()),
        (MAX_DELETIONS, policy.max_deletions.is_some()),
        (MIN_HEALTHY, policy.min_healthy.is_some()),
        (MAX_MONTHLY_COST, policy.max_monthly_cost.is_some()),
        (WORKING_HOURS, policy.working_hours.is_some()),
    ];
    let set = set.into_iter().filter(|(_, set)| *set);
    set.map(|(rule, _)| (rule, policy.levels.get(rule).copied().unwrap_or_default()))
}

/// Where rules come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// They hold for every plan, also for one that mends.
    File,
    /// Of one run, and so of this plan: they stand nowhere, and nobody overrides them.
    Flags,
}

pub fn judge(
    policy: &Policy,
    origin: Origin,
    topology: &Topology,
    facts: &Facts<'_>,
) -> Vec<Finding> {
    let mut judge = Judge { policy, origin, topology, facts, found: Vec::new() };
    judge.databases();
    judge.ports();
    judge.numbers();
    judge.healthy();
    judge.cost();
    judge.hours();
    judge.found
}

struct Judge<'a> {
    policy: &'a Policy,
    origin: Origin,
    topology: &'a Topology,
    facts: &'a Facts<'a>,
    found: Vec<Finding>,
}

impl Judge<'_> {
    fn find(
        &mut self,
        rule: &str,
        place: Span,
        message: String,
        label: impl Into<String>,
    ) -> &mut Finding {
        let (level, place) = match self.origin {
            Origin::File => {
                (self.policy.levels.get(rule).copied().unwrap_or_default(), Some(place))
            }
            Origin::Flags => (Level::HardMandatory, None),
        };
        let at = self.found.len();
        self.found.push(Finding {
            rule: rule.to_owned(),
            level,
            place,
            address: None,
            message,
            label: label.into(),
            blame: Vec::new(),
            hint: None,
        });
        &mut self.found[at]
    }

    fn blame(&self, address: &Address, what: &str) -> Vec<(Span, String)> {
        let place = blame(self.topology, self.facts.desired, address);
        place.map(|place| (place, what.to_owned())).into_iter().collect()
    }

    fn databases(&mut self) {
        let Some(wanted) = self.policy.protect_databases.as_ref().filter(|wanted| wanted.value)
        else {
            return;
        };
        let facts = self.facts;
        for change in facts.plan.changes.iter().filter(|change| loses_data(change)) {
            let what = match change.action {
                Action::Replace => "it would be replaced",
                _ => "it would be deleted",
            };
            let blame = self.blame(&change.address, what);
            let label = "no database is deleted or replaced";
            let finding = self.find(PROTECT_DATABASES, wanted.span, what.to_owned(), label);
            finding.address = Some(change.address.clone());
            finding.blame = blame;
        }
    }

    /// The rules that the file writes out: those that follow from services let in groups alone.
    fn ports(&mut self) {
        let Some(open) = &self.policy.open_ports else { return };
        if self.facts.plan.goal == Goal::Destroy {
            return;
        }
        let topology = self.topology;
        for group in &topology.security_groups {
            for rule in &group.ingress {
                let Peer::Block(block) = &rule.peer.value else { continue };
                // ICMP has no ports.
                if block.prefix_len() >= WORLD || rule.protocol == "icmp" {
                    continue;
                }
                let (first, last) = rule.ports.unwrap_or((0, u16::MAX));
                if (first..=last).all(|port| open.contains(&port)) {
                    continue;
                }
                let what = match (rule.protocol.as_str(), first == last) {
                    ("all", _) => "every port".to_owned(),
                    (protocol, true) => format!("{protocol} {first}"),
                    (protocol, false) => format!("{protocol} {first}-{last}"),
                };
                let message = format!("{what} is open to {block}");
                let address = Address::new(security_group::SCHEMA.kind, &group.key);
                let finding = self.find(OPEN_PORTS, open.span, message, "these may be");
                finding.address = Some(address);
                finding.blame = vec![(rule.span, "open to the world".to_owned())];
            }
        }
    }

    fn numbers(&mut self) {
        let (policy, facts) = (self.policy, self.facts);
        let bounds = [
            (MAX_REPLACEMENTS, &policy.max_replacements, Action::Replace, "replacement"),
            (MAX_DELETIONS, &policy.max_deletions, Action::Delete, "deletion"),
        ];
        for (rule, most, action, noun) in bounds {
            let Some(most) = most else { continue };
            let changes = facts.plan.changes.iter().filter(|change| change.action == action);
            let changes: Vec<&Address> = changes.map(|change| &change.address).collect();
            if changes.len() <= most.value {
                continue;
            }
            let named = changes.iter().take(NAMED).map(ToString::to_string);
            let more = changes.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let message = format!(
                "{}: {}{more}",
                count(changes.len(), noun),
                named.collect::<Vec<_>>().join(", ")
            );
            let named = changes.iter().take(NAMED);
            let blame =
                named.flat_map(|address| self.blame(address, &address.to_string())).collect();
            let only = <[_; 1]>::try_from(changes.clone()).ok().map(|[only]| only.clone());
            let finding = self.find(rule, most.span, message, format!("at most {}", most.value));
            finding.blame = blame;
            finding.address = only;
        }
    }

    /// By the file, who has fewer before anything is done is no violation unless it gets fewer still: a plan may be what
    /// mends it.
    fn healthy(&mut self) {
        let Some(least) = &self.policy.min_healthy else { return };
        let Some(rehearsal) = self.facts.rehearsal else { return };
        for (name, healthy) in healthy::too_few(rehearsal, least.value) {
            if self.origin == Origin::File && healthy.fewest >= healthy.now {
                continue;
            }
            let message = format!("{} of {} healthy at some moment", healthy.fewest, healthy.now);
            let address = Address::new(target_group::SCHEMA.kind, name);
            let blame = self.blame(&address, "too few of it serve meanwhile");
            let label = format!("at least {}", least.value);
            let hint = healthy::hint(&[(name, healthy)], least.value, self.facts.desired);
            let finding = self.find(MIN_HEALTHY, least.span, message, label);
            finding.hint = Some(hint);
            finding.address = Some(address);
            finding.blame = blame;
        }
    }

    /// A plan that costs less than what there is may be the way to where it is little enough; whether it does can't be told
    /// of what has no price.
    fn cost(&mut self) {
        let Some(most) = &self.policy.max_monthly_cost else { return };
        let costs = self.facts.costs;
        let (then, more) = (costs.then.total(), costs.more());
        let bound = Money::dollars(most.value);
        let unpriced = cost::unpriced([&costs.then]);
        let label = format!("at most {} a month", bound.about());
        if then > bound && !more.is_negative() {
            let message = format!("about {} a month, {}", then.about(), cost::change(more));
            self.find(MAX_MONTHLY_COST, most.span, message, label);
        } else if !unpriced.is_empty() {
            let message = format!("it can't be told: there is no price here for {unpriced}");
            let finding = self.find(MAX_MONTHLY_COST, most.span, message, label);
            finding.hint = Some("give it one: --price-file FILE".to_owned());
        }
    }

    fn hours(&mut self) {
        let Some(wanted) = &self.policy.working_hours else { return };
        let (within, there) = hours::within(wanted, self.facts.now);
        if within || self.facts.plan.is_empty() {
            return;
        }
        let message = format!("it is {there} in {}", wanted.time_zone);
        self.find(WORKING_HOURS, wanted.span, message, "when something may be changed");
    }
}

/// A copy that takes reads holds nothing that its source has not.
fn loses_data(change: &Change) -> bool {
    let source = change.before.as_ref().and_then(|body| body.get("source"));
    change.address.kind() == db_instance::SCHEMA.kind
        && matches!(change.action, Action::Delete | Action::Replace)
        && source.is_none_or(serde_json::Value::is_null)
}
