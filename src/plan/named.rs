//! What waits for changes of what it names, where that stands already; and what waits until nobody names it any more.

use serde_json::Value;

use super::step::Verb;
use super::steps::{Graph, Target, kept_target, live, live_target, schema_of};
use crate::diff::{Action, Change};
use crate::model::{Address, Body, Field, Late, Need, Schema, walk_late};

impl Graph<'_> {
    pub(super) fn wait_for_changes(&mut self, change: &Change) {
        let (Some(schema), Some(after)) = (schema_of(&change.address), &change.after) else {
            return;
        };
        let kept = kept_target(change);
        for verb in [Verb::Create, Verb::Update, Verb::Attach] {
            let Some(step) = self.place(&kept, verb) else { continue };
            for name in self.steps[step].fields.clone() {
                let (Some(field), Some(value)) = (schema.field(&name), after.get(&name)) else {
                    continue;
                };
                let mut named = Vec::new();
                walk_late(value, &mut |late| {
                    if let Late::Ref { address, output } = late {
                        named.push((address, output));
                    }
                });
                for (address, output) in named {
                    let changed = self.changed(&address, output.as_deref(), field);
                    for other in changed.into_iter().chain(self.validated(&address, &output)) {
                        if other != step {
                            self.wait(step, other, Need::Ready);
                        }
                    }
                }
            }
        }
    }

    /// The change after which what stands at the address is ready for who names it, or has the output.
    fn changed(&self, address: &Address, output: Option<&str>, field: &Field) -> Option<usize> {
        let change = self.changes_at(address).next()?;
        let target = live_target(change)?;
        let Target::Live(kind, id) = &target else { return None };
        let awaited = match output {
            None => field.need == Need::Ready,
            Some(output) => !self.live(kind, id)?.live.outputs.contains_key(output),
        };
        self.place(&target, Verb::Update).filter(|_| awaited)
    }

    /// The steps without which an output of what stands at the address holds nothing.
    fn validated(&self, address: &Address, output: &Option<String>) -> Vec<usize> {
        if output.is_none() {
            return Vec::new();
        }
        let sets = |change: &Change| {
            let (schema, after) = (schema_of(&change.address)?, change.after.as_ref()?);
            let fields = schema.fields.iter().filter(|field| field.validates);
            let named = fields.filter(|field| names(after.get(field.name), address, false));
            let set: Vec<&str> = named.map(|field| field.name).collect();
            let kept = kept_target(change);
            let steps = [Verb::Create, Verb::Update].into_iter();
            steps.filter_map(|verb| self.place(&kept, verb)).find(|step| {
                self.steps[*step].fields.iter().any(|field| set.contains(&field.as_str()))
            })
        };
        self.changes.iter().filter_map(sets).collect()
    }

    /// What is needed ready by others is changed when those of them that leave are gone, and those that change are changed:
    /// RDS refuses some changes of a source as long as it has replicas, and wants a new minor version on these first.
    pub(super) fn wait_for_leaving(&mut self, change: &Change) {
        let Some(target) = live_target(change) else { return };
        let (Some(update), Target::Live(kind, id)) = (self.place(&target, Verb::Update), &target)
        else {
            return;
        };
        let users = self.users.by_id(kind, id).into_iter();
        let users = users.filter(|(_, field)| field.need == Need::Ready);
        let first = users.filter_map(|(user, _)| {
            let user = live(&user.address, &user.live.id);
            self.place(&user, Verb::Delete).or(self.place(&user, Verb::Update))
        });
        for step in first.collect::<Vec<_>>() {
            self.wait(update, step, Need::Ready);
        }
    }
}

/// Whether the one change can't be made without the other, beyond what it names being there.
pub(super) fn hangs_on(one: &Change, other: &Change) -> bool {
    if one.address == other.address {
        return false;
    }
    let (Some(schema), Some(other_schema)) = (schema_of(&one.address), schema_of(&other.address))
    else {
        return false;
    };
    let needs = |schema: &Schema, body: Option<&Body>, address: &Address| {
        let mut fields = schema.fields.iter().filter(|field| field.need == Need::Ready);
        fields.any(|field| body.is_some_and(|body| names(body.get(field.name), address, false)))
    };
    let (updates, goes) = (other.action == Action::Update, other.after.is_none());
    if updates && needs(schema, one.after.as_ref(), &other.address) {
        return true;
    }
    if one.action == Action::Update
        && goes
        && needs(other_schema, other.before.as_ref(), &one.address)
    {
        return true;
    }
    // What is told of a secret holds by the change that makes it valid, whether it comes or goes.
    let told = |address: &Address| {
        one.after.iter().flat_map(Body::values).any(|value| names(Some(value), address, true))
    };
    let mut validating = other_schema.fields.iter().filter(|field| {
        let changed = other.fields.iter().any(|moved| moved.field == field.name);
        field.validates && (changed || other.action == Action::Create)
    });
    validating.any(|field| {
        let mut found = updates && told(&other.address);
        let value = other.after.as_ref().and_then(|after| after.get(field.name));
        value.into_iter().for_each(|value| {
            walk_late(value, &mut |late| {
                found |= matches!(late, Late::Ref { address, .. } if told(&address));
            });
        });
        found
    })
}

/// Whether the value holds the id of what stands at the address, or an output of it.
fn names(value: Option<&Value>, named: &Address, by_output: bool) -> bool {
    let mut found = false;
    value.into_iter().for_each(|value| {
        walk_late(value, &mut |late| {
            found |= matches!(late, Late::Ref { address, output }
                if address == *named && output.is_some() == by_output);
        });
    });
    found
}
