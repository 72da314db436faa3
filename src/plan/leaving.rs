//! Machines that leave for good: nobody sends them requests any more, then they finish what they have begun, then they go.

use std::collections::BTreeMap;

use serde_json::Value;

use super::step::Verb;
use super::steps::{Graph, schema_of};
use crate::desired::Rolling;
use crate::diff::Change;
use crate::kinds::instance;
use crate::model::{Address, Field, Need, Serving};

/// How long AWS lets a target finish at most, in seconds; of a service that is no longer in the file it's not known.
/// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html>
const LONGEST_DELAY: u32 = 3600;

impl Graph<'_> {
    /// Whether anything that sends requests goes on doing so: otherwise nobody is served any more, and nobody waits.
    pub(super) fn anybody_sends(&self) -> bool {
        let mut senders = self.all_live().filter(|live| sends(&live.address));
        senders.any(|live| !self.is_leaving(live.address.kind(), &live.live.id))
    }

    /// Each machine is taken out after those that send it requests have gone, and drained though its service is gone
    /// from the file.
    pub(super) fn drain(&mut self, services: &BTreeMap<String, Rolling>) {
        let gone = self.gone_senders();
        for index in 0..self.steps.len() {
            let step = &self.steps[index];
            let Some(group) = self.taken_from(index) else { continue };
            let of_file =
                instance::service(&step.address).is_some_and(|s| services.contains_key(s));
            if !of_file {
                self.steps[index].serving = Some(Serving {
                    min_healthy: 0,
                    healthy_deadline: 0,
                    deregistration_delay: LONGEST_DELAY,
                });
            }
            let senders = gone.get(&group).filter(|_| self.is_up(index));
            for sender in senders.into_iter().flatten() {
                self.wait(index, *sender, Need::Ready);
            }
        }
    }

    /// The group that the step takes its machine out of.
    fn taken_from(&self, index: usize) -> Option<(String, String)> {
        let step = &self.steps[index];
        if step.verb != Verb::Detach {
            return None;
        }
        let schema = schema_of(&step.address)?;
        let live = self.live(step.address.kind(), step.id.as_deref()?)?;
        let mut fields = step.fields.iter().filter_map(|name| schema.field(name));
        let field = fields.find(|field| field.serves)?;
        let id = live.live.body.get(field.name)?.as_str()?;
        Some((field.named_kind()?.to_owned(), id.to_owned()))
    }

    /// The deletions of what sends requests, by the groups that it sends them to.
    pub(super) fn gone_senders(&self) -> BTreeMap<(String, String), Vec<usize>> {
        let mut gone: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
        let deletions = self.steps.iter().enumerate();
        for (index, step) in deletions.filter(|(_, step)| step.verb == Verb::Delete) {
            let live = step.id.as_deref().and_then(|id| self.live(step.address.kind(), id));
            let Some((live, schema)) = live.zip(schema_of(&step.address)) else { continue };
            for field in schema.fields.iter().filter(|field| field.standby.is_some()) {
                let links = live.live.body.get(field.name).map(|value| field.links(value));
                let kind = field.named_kind().unwrap_or_default();
                for id in links.into_iter().flatten().filter_map(Value::as_str) {
                    gone.entry((kind.to_owned(), id.to_owned())).or_default().push(index);
                }
            }
        }
        gone
    }
}

/// Whether the change takes its resource out of service by this field, and puts it nowhere else.
pub(super) fn leaves_service(change: &Change, field: &Field) -> bool {
    let value = |body: Option<&crate::model::Body>| body.and_then(|b| b.get(field.name)).cloned();
    let start = field.start();
    field.serves
        && value(change.after.as_ref()).is_none_or(|after| after == start)
        && value(change.before.as_ref()).is_some_and(|before| before != Value::Null)
}

fn sends(address: &Address) -> bool {
    schema_of(address)
        .is_some_and(|schema| schema.fields.iter().any(|field| field.standby.is_some()))
}
