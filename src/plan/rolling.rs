//! How machines go into service and out of it, and how requests are switched to them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::step::Verb;
use super::steps::{Graph, Target, kept_target, live_target, schema_of};
use crate::desired::Rolling;
use crate::diff::{Action, Change};
use crate::kinds::{instance, listener, listener_rule};
use crate::model::{Address, Field, Late, Need, Serving, late, reference};
use crate::snapshot::Resource;

/// The rolling of all services, by their keys.
pub(super) type Services = BTreeMap<String, Rolling>;

/// The kinds that send requests to target groups.
pub(super) const SENDERS: [&str; 2] = [listener::SCHEMA.kind, listener_rule::SCHEMA.kind];

impl Graph<'_> {
    /// What puts machines into service and takes them out, and in which order.
    pub(super) fn roll(&mut self, services: &Services) {
        let changes = self.changes;
        let machines = || changes.iter().filter_map(|c| Some((c, instance::service(&c.address)?)));
        for (change, service) in machines() {
            if let Some(rolling) = services.get(service) {
                self.serve(change, rolling);
            }
        }
        for change in changes {
            self.switch(change, services);
        }
        let mut all: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
        for (change, service) in machines() {
            if let Some(rolling) = services.get(service) {
                self.succeed(change, rolling);
            }
            all.entry(service).or_default().push(change);
        }
        for (service, machines) in all {
            let abreast = services.get(service).map_or(1, |rolling| rolling.max_parallel.max(1));
            self.take_turns(&machines, abreast);
        }
    }

    /// Adds the step that waits until a machine is healthy, and says of the one that takes it out what it waits for.
    fn serve(&mut self, change: &Change, rolling: &Rolling) {
        let Some(schema) = schema_of(&change.address) else { return };
        let serves = |graph: &Self, step: usize| {
            let mut fields = graph.steps[step].fields.iter().filter_map(|name| schema.field(name));
            fields.find(|field| field.serves)
        };
        let detach = live_target(change).and_then(|live| self.place(&live, Verb::Detach));
        if let Some(detach) = detach.filter(|detach| serves(self, *detach).is_some()) {
            // A group that goes is taken out of use before.
            let goes = self.leaves(change);
            let min_healthy = if goes { 0 } else { rolling.serving.min_healthy };
            self.steps[detach].serving = Some(Serving { min_healthy, ..rolling.serving });
        }
        if change.after.is_none() {
            return;
        }
        let kept = kept_target(change);
        let puts_in = [Verb::Attach, Verb::Update].into_iter().find_map(|verb| {
            let step = self.place(&kept, verb)?;
            Some((step, serves(self, step)?))
        });
        let Some((attach, field)) = puts_in.filter(|_| self.is_sent_to(rolling)) else { return };
        let serve = self.push_wait(change, Verb::Serve, vec![field]);
        self.steps[serve].serving = Some(rolling.serving);
        self.wait(serve, attach, Need::Ready);
        if let (Action::Replace, Some(detach)) = (change.action, detach) {
            self.wait(detach, serve, Need::Ready);
        }
        let needs: Vec<&Change> =
            rolling.needs.iter().flat_map(|need| self.changes_at(need)).collect();
        for need in needs {
            // A rule that is there already may itself wait until there is somebody to send requests to.
            let verbs: &[Verb] = if SENDERS.contains(&need.address.kind()) {
                &[Verb::Create]
            } else {
                &[Verb::Create, Verb::Update, Verb::Attach]
            };
            for verb in verbs {
                if let Some(step) = self.place(&kept_target(need), *verb) {
                    self.wait(serve, step, Need::Ready);
                }
            }
        }
    }

    /// Whether anything sends requests to the service, or will: in a part of a plan there may be nothing yet.
    pub(super) fn is_sent_to(&self, rolling: &Rolling) -> bool {
        let mut senders = rolling.needs.iter().filter(|need| SENDERS.contains(&need.kind()));
        senders.any(|sender| {
            self.changes_at(sender).any(|change| change.after.is_some()) || self.is_live(sender)
        })
    }

    /// Whether what the machine is registered with goes.
    fn leaves(&self, change: &Change) -> bool {
        let Some(schema) = schema_of(&change.address) else { return false };
        let live = change.id.as_deref().and_then(|id| self.live(change.address.kind(), id));
        let mut serving = schema.fields.iter().filter(|field| field.serves);
        serving.any(|field| {
            let id = live.and_then(|live| live.live.body.get(field.name)).and_then(Value::as_str);
            let kind = field.named_kind().unwrap_or_default();
            id.is_some_and(|id| self.is_leaving(kind, id))
        })
    }

    /// What sends requests is switched in three steps: the next target group stands ready beside the old one; its
    /// machines get healthy; then it gets the requests, and after that the old ones are taken out.
    fn switch(&mut self, change: &Change, services: &Services) {
        let (Some(schema), Action::Update) = (schema_of(&change.address), change.action) else {
            return;
        };
        let switched = |moved: &crate::diff::FieldChange| {
            let field = schema.field(&moved.field)?;
            let standby = schema.field(field.standby?)?;
            let Some(Late::Ref { address, .. }) = late(&moved.after) else { return None };
            let before = moved.before.as_ref().filter(|before| !before.is_null())?;
            Some((field, standby, address, before.clone()))
        };
        let Some((field, standby, group, _)) = change.fields.iter().find_map(switched) else {
            return;
        };
        let kept = kept_target(change);
        let Some(update) = self.place(&kept, Verb::Update) else { return };
        self.steps[update].serving = services.get(group.name()).map(|rolling| rolling.serving);
        let prepare = self.prepare(change, standby, update, &group);
        for index in 0..self.steps.len() {
            let step = &self.steps[index];
            let Some(other) = self.changes_at(&step.address).next() else {
                continue;
            };
            match step.verb {
                Verb::Serve if names(other, &group) => {
                    if let Some(prepare) = prepare {
                        self.wait(index, prepare, Need::Ready);
                    }
                    self.wait(update, index, Need::Ready);
                }
                Verb::Detach
                    if step.serving.is_some()
                        && self.is_up(index)
                        && self.registered_with(index, change, field) =>
                {
                    self.wait(index, update, Need::Ready);
                }
                _ => {}
            }
        }
    }

    /// The step that puts the group beside the old one, unless an earlier run did.
    fn prepare(
        &mut self,
        change: &Change,
        standby: &'static Field,
        update: usize,
        group: &Address,
    ) -> Option<usize> {
        let now = change.before.as_ref().and_then(|before| before.get(standby.name));
        let created = self.place(&Target::New(group.clone()), Verb::Create);
        // Another one may stand there, of a change that was cut short.
        if created.is_none() && now == Some(&reference(group)) {
            return None;
        }
        let prepare = self.push_wait(change, Verb::Prepare, vec![standby]);
        if let Some(created) = created {
            self.wait(prepare, created, Need::Exists);
        }
        self.wait(update, prepare, Need::Ready);
        // It stands ready no longer then.
        let fields = &mut self.steps[update].fields;
        if !fields.iter().any(|field| field == standby.name) {
            fields.push(standby.name.to_owned());
        }
        Some(prepare)
    }

    /// Whether the step is about what may get requests: what is stopped leaves nobody behind.
    pub(super) fn is_up(&self, step: usize) -> bool {
        let of = &self.steps[step];
        let live = of.id.as_deref().and_then(|id| self.live(of.address.kind(), id));
        live.is_some_and(Resource::is_in_service)
    }

    /// Whether the step takes a machine out of the group that the live field sends requests to.
    fn registered_with(&self, detach: usize, change: &Change, field: &Field) -> bool {
        let live = |step: usize| {
            self.live(self.steps[step].address.kind(), self.steps[step].id.as_deref()?)
        };
        let sender = change.id.as_deref().and_then(|id| self.live(change.address.kind(), id));
        let to = sender.and_then(|sender| sender.live.body.get(field.name));
        let from =
            self.steps[detach].fields.iter().filter_map(|name| live(detach)?.live.body.get(name));
        from.into_iter().any(|from| Some(from) == to)
    }
}

/// Whether the machine will be registered with the group.
pub(super) fn names(change: &Change, group: &Address) -> bool {
    let Some(after) = &change.after else { return false };
    after
        .values()
        .any(|value| matches!(late(value), Some(Late::Ref { address, .. }) if address == *group))
}
