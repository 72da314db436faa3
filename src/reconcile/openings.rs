//! What a field grants while it changes: what it will, and what it does until a later step takes that away.

use serde_json::Value;

use super::Run;
use super::door::Sort;
use crate::kinds::{Kind, Live};
use crate::model::{Body, Fault, Field, reference, sort_set};
use crate::plan::{Step, Verb};

impl Run<'_> {
    /// The body that the step aims at: with the live items still in the fields of which a later step revokes some.
    pub(super) fn aim(
        &self,
        step: &Step,
        kind: &'static dyn Kind,
        live: &Live,
        after: &Body,
    ) -> Body {
        let mut aim = after.clone();
        for field in self.revoked_later(step, kind) {
            let now = live.body.get(field.name).and_then(Value::as_array);
            let Some(Value::Array(items)) = aim.get_mut(field.name) else { continue };
            items.extend(now.into_iter().flatten().map(|item| self.named_again(field, item)));
        }
        for field in self.revoked_later(step, kind) {
            aim.get_mut(field.name).into_iter().for_each(sort_set);
        }
        aim
    }

    /// Writes down, before it is done, what the fields will hold beside what they held: a run cut short there is no
    /// drift, though the file be taken back.
    pub(super) async fn announce(
        &self,
        index: usize,
        step: &Step,
        kind: &'static dyn Kind,
        live: &Live,
        aim: &Body,
    ) -> Result<(), Fault> {
        let Some(resource) = self.snapshot.find(&step.address, &live.id) else { return Ok(()) };
        let after = self.after(step)?;
        let before = self.applied(step, resource);
        let mut applied = before.clone();
        for field in &step.fields {
            // What was applied, and what somebody has added by hand: that stays drift.
            let added = after.get(field).is_some_and(|wanted| before.holds(field, wanted));
            // What AWS does not report would look as if it had been done.
            let seen = resource.body.contains_key(field);
            if let Some(value) = aim.get(field).filter(|_| seen && !added) {
                applied.insert(field, value);
            }
        }
        if applied == before {
            return Ok(());
        }
        self.record(index, step, kind, live, &applied, Sort::Change).await
    }

    fn revoked_later<'s>(
        &'s self,
        step: &'s Step,
        kind: &'static dyn Kind,
    ) -> impl Iterator<Item = &'static Field> + 's {
        kind.schema().fields.iter().filter(move |field| {
            step.verb == Verb::Update
                && self.closing.iter().any(|other| {
                    (&other.address, &other.id) == (&step.address, &step.id)
                        && other.fields.iter().any(|name| name == field.name)
                })
        })
    }

    /// A live item as it will be read the next time: ids of what stays are addresses then.
    fn named_again(&self, field: &Field, item: &Value) -> Value {
        let mut item = item.clone();
        let kind = field.named_kind().unwrap_or_default();
        for link in field.links_mut(&mut item) {
            let id = link.as_str().unwrap_or_default();
            let known = self.snapshot.resources.values();
            let mut known =
                known.filter(|known| known.address.kind() == kind && known.live.id == id);
            let leaves = self.plan.steps.iter().any(|step| {
                step.verb == Verb::Delete
                    && step.address.kind() == kind
                    && step.id.as_deref() == Some(id)
            });
            if let Some(known) = known.next().filter(|_| !leaves) {
                *link = reference(&known.address);
            }
        }
        item
    }
}
