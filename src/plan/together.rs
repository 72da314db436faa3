//! Fields that one call sets in many resources: one step for all of them, so that nobody sees them half changed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::step::{Member, Verb};
use super::steps::{Graph, schema_of};
use crate::diff::{Action, Change};
use crate::model::{Body, Field, Need, Schema};
use crate::trace::covers;

/// The changes of one field that are made together.
type Moves<'a> = Vec<(&'a Change, &'static Field)>;

/// Whether such fields are all that the change is about.
pub(super) fn entirely(change: &Change, schema: &Schema) -> bool {
    let together = |name| schema.field(name).is_some_and(|field| field.together.is_some());
    change.moved_from.is_none() && change.fields.iter().all(|moved| together(&moved.field))
}

impl Graph<'_> {
    /// Adds these steps. It comes last: what they are to precede must be there.
    pub(super) fn join(&mut self) {
        let changes = self.changes;
        // By kind, field, and what the resources have in common.
        let mut groups: BTreeMap<(&str, &str, String), Moves> = BTreeMap::new();
        for change in changes.iter().filter(|change| change.action == Action::Update) {
            let Some(schema) = schema_of(&change.address) else { continue };
            for field in change.fields.iter().filter_map(|moved| schema.field(&moved.field)) {
                if let Some(same) = shared(field, change.after.as_ref()) {
                    let group = groups.entry((schema.kind, field.name, same)).or_default();
                    group.push((change, field));
                }
            }
        }
        for ((kind, _, same), members) in groups {
            let Some((first, field)) = members.first() else { continue };
            let step = self.push_wait(first, Verb::Update, vec![field]);
            let member = |(change, _): &(&Change, _)| {
                Some(Member { address: change.address.clone(), id: change.id.clone()? })
            };
            self.steps[step].batch = members.iter().filter_map(member).collect();
            self.place_between(step, kind, field, &same);
            self.before_it_shows(step, kind, field.name);
        }
    }

    /// What goes is gone before, and what comes is made after: thus it finds every place free that it takes, leaves
    /// every place free that others take, and those that stay are at no time in an order that is not wanted. What else
    /// is done to its members comes after as well: each writes down all that was applied so far.
    fn place_between(&mut self, step: usize, kind: &str, field: &Field, same: &str) {
        for other in (0..self.steps.len()).filter(|other| *other != step) {
            let (address, verb) = (&self.steps[other].address, self.steps[other].verb);
            if address.kind() != kind {
                continue;
            }
            let id = self.steps[other].id.as_deref();
            let is_member = |member: &Member| &member.address == address && Some(&*member.id) == id;
            let of_group = |body: fn(&Change) -> Option<&Body>| {
                let mut own = self.changes.iter().filter(|change| change.address == *address);
                own.any(|change| shared(field, body(change)).as_deref() == Some(same))
            };
            match verb {
                Verb::Delete if of_group(|change| change.before.as_ref()) => {
                    self.wait(step, other, Need::Ready);
                }
                Verb::Delete => {}
                Verb::Create if of_group(|change| change.after.as_ref()) => {
                    self.wait(other, step, Need::Ready);
                }
                _ if self.steps[step].batch.iter().any(is_member) => {
                    self.wait(other, step, Need::Ready);
                }
                _ => {}
            }
        }
    }

    /// What else is done to a rule that the new order brings out of another's shadow is done before, while nobody
    /// sees it.
    fn before_it_shows(&mut self, step: usize, kind: &str, order: &str) {
        let changes = self.changes;
        for change in changes.iter().filter(|change| change.address.kind() == kind) {
            if change.action != Action::Update || !self.comes_to_light(change, order) {
                continue;
            }
            let steps = &self.steps;
            let own = |other: &usize| {
                let of = &steps[*other];
                *other != step && of.address == change.address && of.id == change.id
            };
            let own: Vec<usize> = (0..steps.len()).filter(own).collect();
            // A machine that is to be healthy first may itself wait for the order.
            let all: BTreeSet<usize> = own.iter().copied().collect();
            let circle = own.iter().any(|other| self.needs(*other, step, &all));
            if circle || own.is_empty() {
                continue;
            }
            for other in own {
                self.steps[other].after.retain(|after| after.step != step);
                self.wait(step, other, Need::Ready);
            }
        }
    }

    /// Whether the step comes after `on` by way of others than `but`'s own waiting for it.
    fn needs(&self, step: usize, on: usize, but: &BTreeSet<usize>) -> bool {
        let (mut seen, mut next) = (BTreeSet::new(), vec![step]);
        while let Some(at) = next.pop() {
            for after in self.steps[at].after.iter().map(|after| after.step) {
                if after == on && !but.contains(&at) {
                    return true;
                }
                if after != on && seen.insert(after) {
                    next.push(after);
                }
            }
        }
        false
    }

    /// Whether a rule with some path of this one's stands before it now, and will not.
    fn comes_to_light(&self, change: &Change, order: &str) -> bool {
        let number = |body: Option<&Body>| body.and_then(|body| body.get(order)?.as_u64());
        let (Some(now), Some(then)) =
            (number(change.before.as_ref()), number(change.after.as_ref()))
        else {
            return false;
        };
        let others = self.all_live().filter(|other| {
            other.address.kind() == change.address.kind()
                && Some(&other.live.id) != change.id.as_ref()
                && change.before.as_ref().is_some_and(|own| overlap(own, &other.body))
        });
        others.into_iter().any(|other| {
            let moved = self.changes.iter().find(|moved| moved.id.as_ref() == Some(&other.live.id));
            let after = match moved {
                Some(moved) => number(moved.after.as_ref()),
                None => number(Some(&other.body)),
            };
            number(Some(&other.body)) < Some(now) && after.is_none_or(|after| after > then)
        })
    }
}

/// Whether some path may be taken by both.
fn overlap(one: &Body, other: &Body) -> bool {
    let paths = |body: &Body| -> Vec<String> {
        let paths = body.get("paths").and_then(Value::as_array).into_iter().flatten();
        paths.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let (these, those) = (paths(one), paths(other));
    let pairs = these.iter().flat_map(|a| those.iter().map(move |b| (a, b)));
    pairs.into_iter().any(|(a, b)| a == b || covers(a, b) || covers(b, a))
}

/// What the resources have in common in which the field is set together.
fn shared(field: &Field, body: Option<&Body>) -> Option<String> {
    Some(body?.get(field.together?)?.to_string())
}
