//! What waits for changes of what it names, where that stands already; and what waits until nobody names it any more.

use super::step::Verb;
use super::steps::{Graph, Target, kept_target, live_target, schema_of};
use crate::diff::Change;
use crate::model::{Address, Field, Late, Need, walk_late};

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
        let change = self.changes.iter().find(|change| change.address == *address)?;
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
            let named = fields.filter(|field| {
                let mut found = false;
                after.get(field.name).into_iter().for_each(|value| {
                    walk_late(value, &mut |late| {
                        found |= late == Late::Ref { address: address.clone(), output: None };
                    });
                });
                found
            });
            let names: Vec<&str> = named.map(|field| field.name).collect();
            let kept = kept_target(change);
            let steps = [Verb::Create, Verb::Update].into_iter();
            steps.filter_map(|verb| self.place(&kept, verb)).find(|step| {
                self.steps[*step].fields.iter().any(|field| names.contains(&field.as_str()))
            })
        };
        self.changes.iter().filter_map(sets).collect()
    }

    /// What is needed ready by others is changed when those of them that leave are gone: AWS refuses some changes as long
    /// as they are there.
    pub(super) fn wait_for_leaving(&mut self, change: &Change) {
        let Some(target) = live_target(change) else { return };
        let (Some(update), Target::Live(kind, id)) = (self.place(&target, Verb::Update), &target)
        else {
            return;
        };
        let needs = |user: &Change| {
            let schema = schema_of(&user.address)?;
            let live = live_target(user)?;
            let gone = self.place(&live, Verb::Delete)?;
            let body = &self.live(user.address.kind(), user.id.as_deref()?)?.live.body;
            let mut fields = schema.fields.iter().filter(|field| field.need == Need::Ready);
            let names = |field: &Field| {
                body.get(field.name).is_some_and(|value| field.links_to(value, kind, id))
            };
            fields.any(names).then_some(gone)
        };
        let leaving: Vec<usize> = self.changes.iter().filter_map(needs).collect();
        for gone in leaving {
            self.wait(update, gone, Need::Ready);
        }
    }
}
