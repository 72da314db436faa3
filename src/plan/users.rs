//! Who uses what is there: a deletion waits until nobody does.

use std::collections::BTreeMap;

use super::step::Verb;
use super::steps::{Graph, live, live_target, schema_of};
use crate::diff::Change;
use crate::model::{Address, Field, Late, Need, Phase, Reference, Status, walk_late};
use crate::snapshot::Resource;

/// A live resource, and the field by which it uses another.
type Use<'a> = (&'a Resource, &'static Field);

/// Every use, by what is used: looked up for each of thousands of deletions.
#[derive(Default)]
pub(super) struct Users<'a> {
    by_id: BTreeMap<(&'a str, &'a str), Vec<Use<'a>>>,
    by_output: BTreeMap<Address, Vec<Use<'a>>>,
}

impl<'a> Users<'a> {
    pub fn of(all: impl Iterator<Item = &'a Resource>) -> Self {
        let mut users = Self::default();
        for user in all {
            let Some(schema) = schema_of(&user.address) else { continue };
            for field in schema.fields {
                if let (Some(kind), Some(value)) =
                    (field.named_kind(), user.live.body.get(field.name))
                {
                    for id in field.links(value).into_iter().filter_map(|link| link.as_str()) {
                        users.by_id.entry((kind, id)).or_default().push((user, field));
                    }
                }
                if let (Reference::Outputs, Some(value)) =
                    (field.reference, user.body.get(field.name))
                {
                    walk_late(value, &mut |late| {
                        if let Late::Ref { address, .. } = late {
                            users.by_output.entry(address).or_default().push((user, field));
                        }
                    });
                }
            }
        }
        users
    }

    /// Those whose fields hold this id.
    pub fn by_id(&self, kind: &str, id: &str) -> Vec<Use<'a>> {
        self.by_id.get(&(kind, id)).cloned().unwrap_or_default()
    }

    /// Those of this resource, but for itself.
    fn users_of(&self, address: &Address, id: &str) -> Vec<Use<'a>> {
        let told = self.by_output.get(address).into_iter().flatten().copied();
        let all = self.by_id(address.kind(), id).into_iter().chain(told);
        let own =
            |user: &Resource| (user.address.kind(), user.live.id.as_str()) == (address.kind(), id);
        all.filter(|(user, _)| !own(user)).collect()
    }
}

impl Graph<'_> {
    /// A deletion waits until nobody uses the resource. One that is under way waits for nobody.
    pub(super) fn wait_for_users(&mut self, change: &Change) {
        let Some(target) = live_target(change) else { return };
        let (Some(delete), Some(id)) = (self.place(&target, Verb::Delete), &change.id) else {
            return;
        };
        let going = self.live(change.address.kind(), id);
        if going.is_some_and(|live| matches!(live.status, Status::Deleting | Status::Gone)) {
            return;
        }
        for (user, field) in self.users.users_of(&change.address, id) {
            let target = live(&user.address, &user.live.id);
            let sets = |verb| {
                self.place(&target, verb)
                    .filter(|step| self.steps[*step].fields.iter().any(|f| f == field.name))
            };
            let free = match self.place(&target, Verb::Delete) {
                Some(gone) if field.phase != Phase::Attach => Some(gone),
                _ => sets(Verb::Detach)
                    .or(sets(Verb::Revoke))
                    .or(sets(Verb::Update))
                    .or(sets(Verb::Attach)),
            };
            if let Some(free) = free {
                self.wait(delete, free, Need::Ready);
            }
        }
    }
}
