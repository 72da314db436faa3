//! Fields that one call sets in many resources: one step for all of them, so that nobody sees them half changed.

use std::collections::BTreeMap;

use super::step::{Member, Verb};
use super::steps::{Graph, schema_of};
use crate::diff::{Action, Change};
use crate::model::{Body, Field, Need, Schema};

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
}

/// What the resources have in common in which the field is set together.
fn shared(field: &Field, body: Option<&Body>) -> Option<String> {
    Some(body?.get(field.together?)?.to_string())
}
