//! What may stand only once: the order of what goes and what comes.

use serde_json::Value;

use super::step::Verb;
use super::steps::{Graph, Target, live_target, schema_of};
use crate::diff::Change;
use crate::model::{Late, Need, Schema, walk_late};

impl Graph<'_> {
    /// Of two that may not stand at once, the old one goes first; otherwise what comes is there before whatever bears
    /// its address goes.
    pub(super) fn wait_for_names(&mut self, change: &Change) {
        if change.after.is_none() {
            return;
        }
        let kept = Target::New(change.address.clone());
        let (Some(create), Some(schema)) =
            (self.place(&kept, Verb::Create), schema_of(&change.address))
        else {
            return;
        };
        // Only its like may stand where it is to stand.
        let alike = match schema.unique {
            [] => self.changes_at(&change.address).collect(),
            _ => {
                self.changes.iter().filter(|o| o.address.kind() == schema.kind).collect::<Vec<_>>()
            }
        };
        for other in alike {
            let Some(target) = live_target(other) else { continue };
            let Some(delete) = self.place(&target, Verb::Delete) else { continue };
            if self.conflicts(schema, change, other) {
                self.wait(create, delete, Need::Ready);
            } else if other.address == change.address {
                let last = self.place(&kept, Verb::Attach).unwrap_or(create);
                self.wait(delete, last, Need::Ready);
            }
        }
    }

    fn conflicts(&self, schema: &Schema, new: &Change, old: &Change) -> bool {
        let (Some(after), Some(before)) = (&new.after, &old.before) else { return false };
        if old.address.kind() != schema.kind {
            return false;
        }
        let stays = |field: &&str| {
            let (after, before) = (after.get(*field), before.get(*field));
            after == before && !after.is_some_and(|value| self.names_new(value))
        };
        !schema.unique.is_empty() && schema.unique.iter().all(stays)
    }

    /// Whether the value names a resource that this plan makes: an id that no live one can have.
    fn names_new(&self, value: &Value) -> bool {
        let mut found = false;
        walk_late(value, &mut |late| {
            found |= matches!(late, Late::Ref { address, .. }
                if self.place(&Target::New(address.clone()), Verb::Create).is_some());
        });
        found
    }
}
