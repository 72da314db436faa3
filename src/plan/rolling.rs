//! The order in which the machines of a service are changed, so that it serves throughout.

use std::collections::BTreeMap;

use super::step::Verb;
use super::steps::{Graph, Target, kept_target, live_target, schema_of};
use crate::desired::Rolling;
use crate::diff::{Action, Change};
use crate::kinds::instance;
use crate::model::{Need, OnChange};

impl Graph<'_> {
    /// Of each service so many machines at a time, the next when one of them is healthy again.
    pub(super) fn roll(&mut self, services: &BTreeMap<String, Rolling>) {
        let mut rounds: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
        for change in self.changes {
            let Some(service) = instance::service(&change.address) else { continue };
            if let Some(round) = self.round(change) {
                rounds.entry(service).or_default().push(round);
            }
            if let Some(rolling) = services.get(service) {
                self.serve(change, rolling);
            }
            self.succeed(change);
        }
        for (service, rounds) in rounds {
            let abreast = services.get(service).map_or(1, |rolling| rolling.max_parallel.max(1));
            for (earlier, later) in rounds.iter().zip(rounds.iter().skip(abreast)) {
                self.wait(later.0, earlier.1, Need::Ready);
            }
        }
    }

    /// The steps with which a change that takes a machine away begins, and with which one is back.
    fn round(&self, change: &Change) -> Option<(usize, usize)> {
        let kept = kept_target(change);
        let schema = schema_of(&change.address)?;
        match change.action {
            Action::Update => {
                let rolls = change.fields.iter().any(|moved| {
                    let field = schema.field(&moved.field);
                    field.is_some_and(|field| field.on_change == OnChange::Rolling)
                });
                let update = self.place(&kept, Verb::Update).filter(|_| rolls)?;
                let first = self.place(&kept, Verb::Detach).unwrap_or(update);
                Some((first, self.place(&kept, Verb::Attach).unwrap_or(update)))
            }
            Action::Replace => {
                let create = self.place(&kept, Verb::Create)?;
                Some((create, self.place(&kept, Verb::Attach).unwrap_or(create)))
            }
            Action::Create | Action::Delete => None,
        }
    }

    /// Says of the steps that put a machine into service or take it out what they wait for.
    fn serve(&mut self, change: &Change, rolling: &Rolling) {
        let attach = self.place(&kept_target(change), Verb::Attach);
        let detach = live_target(change).and_then(|live| self.place(&live, Verb::Detach));
        let Some(schema) = schema_of(&change.address) else { return };
        for step in [attach, detach].into_iter().flatten() {
            let mut fields = self.steps[step].fields.iter().filter_map(|name| schema.field(name));
            if fields.any(|field| field.serves) {
                self.steps[step].serving = Some(rolling.serving);
            }
        }
        let Some(attach) = attach else { return };
        for need in self.changes.iter().filter(|change| rolling.needs.contains(&change.address)) {
            // A rule that is there already may itself wait until there is somebody to send requests to.
            let verbs: &[Verb] = match need.address.kind() {
                "listener" | "listener_rule" => &[Verb::Create],
                _ => &[Verb::Create, Verb::Update, Verb::Attach],
            };
            for verb in verbs {
                if let Some(step) = self.place(&kept_target(need), *verb) {
                    self.wait(attach, step, Need::Ready);
                }
            }
        }
    }

    /// A second machine at one address is left of a round that was cut short: it goes when its successor serves.
    fn succeed(&mut self, change: &Change) {
        let leaves = change.action == Action::Delete && change.after.is_none();
        let Some(old) = live_target(change).filter(|_| leaves) else { return };
        let Some(detach) = self.place(&old, Verb::Detach) else { return };
        let others = self
            .changes
            .iter()
            .filter(|other| other.address == change.address && other.after.is_some());
        let kept: Vec<Target> = others.map(kept_target).collect();
        let attaches: Vec<usize> =
            kept.iter().filter_map(|kept| self.place(kept, Verb::Attach)).collect();
        for attach in attaches {
            self.wait(detach, attach, Need::Ready);
        }
    }
}
