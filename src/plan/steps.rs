//! Changes -> steps: what is called for each change, and what each call must wait for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::leaving::leaves_service;
use super::openings::Ids;
use super::order::{Circle, order};
use super::step::{Dependency, Step, Verb};
use super::together;
use super::users::Users;
use crate::desired::Rolling;
use crate::diff::{Action, Change};
use crate::kinds;
use crate::model::{Address, Body, Field, Late, Need, OnChange, Phase, Schema, Status, walk_late};
use crate::snapshot::{Resource, Snapshot};

/// The steps of these changes, in order.
///
/// # Errors
/// When steps would wait for each other in a circle.
pub fn steps(
    changes: &[Change],
    snapshot: &Snapshot,
    rolling: &BTreeMap<String, Rolling>,
    parting: &dyn Fn(&Change) -> Body,
) -> Result<Vec<Step>, Circle> {
    let mut graph = Graph::new(changes, snapshot);
    for change in changes {
        graph.add(change, parting(change));
    }
    for change in changes {
        graph.wait_for_references(change);
        graph.wait_for_users(change);
        graph.wait_for_changes(change);
        graph.wait_for_leaving(change);
        graph.wait_for_names(change);
    }
    graph.place_openings();
    graph.drain(rolling);
    graph.roll(rolling);
    graph.hand_over(rolling);
    graph.join();
    order(graph.steps)
}

pub(super) struct Graph<'a> {
    pub(super) changes: &'a [Change],
    /// The same by address.
    by_address: BTreeMap<&'a Address, Vec<&'a Change>>,
    /// Every live resource, by kind and id.
    live: BTreeMap<(&'a str, &'a str), &'a Resource>,
    live_by_address: BTreeMap<&'a Address, Vec<&'a Resource>>,
    pub(super) users: Users<'a>,
    /// Kind and id of what will be gone.
    leaving: BTreeSet<(&'a str, &'a str)>,
    pub(super) steps: Vec<Step>,
    /// A step by what it does: to the live resource of this id, or to the one made at this address.
    places: BTreeMap<(Target, Verb), usize>,
    /// The groups that some resource leaves.
    pub(super) left: Ids,
    /// Whether anything that sends requests goes on doing so.
    serves_on: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    New(Address),
    /// By kind and id.
    Live(String, String),
}

pub(super) fn schema_of(address: &Address) -> Option<&'static Schema> {
    kinds::by_name(address.kind()).map(|kind| kind.schema())
}

pub(super) fn live(address: &Address, id: &str) -> Target {
    Target::Live(address.kind().to_owned(), id.to_owned())
}

pub(super) fn live_target(change: &Change) -> Option<Target> {
    change.id.as_deref().map(|id| live(&change.address, id))
}

/// The resource as it will be.
pub(super) fn kept_target(change: &Change) -> Target {
    match (&change.id, change.action) {
        (Some(id), Action::Update) => live(&change.address, id),
        _ => Target::New(change.address.clone()),
    }
}

impl<'a> Graph<'a> {
    fn new(changes: &'a [Change], snapshot: &'a Snapshot) -> Self {
        let leaving = changes
            .iter()
            .filter(|change| matches!(change.action, Action::Delete | Action::Replace))
            .filter_map(|change| Some((change.address.kind(), change.id.as_deref()?)))
            .collect();
        let live = snapshot
            .resources
            .values()
            .chain(&snapshot.extras)
            .map(|r| ((r.address.kind(), r.live.id.as_str()), r))
            .collect();
        let mut by_address: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for change in changes {
            by_address.entry(&change.address).or_default().push(change);
        }
        let mut live_by_address: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for resource in snapshot.resources.values().chain(&snapshot.extras) {
            live_by_address.entry(&resource.address).or_default().push(resource);
        }
        let users = Users::of(snapshot.resources.values().chain(&snapshot.extras));
        let mut graph = Self {
            changes,
            by_address,
            live,
            live_by_address,
            users,
            leaving,
            steps: Vec::new(),
            places: BTreeMap::new(),
            left: Ids::new(),
            serves_on: false,
        };
        graph.left = graph.groups_left();
        graph.serves_on = graph.anybody_sends();
        graph
    }

    /// Adds a change's own steps, in their own order.
    fn add(&mut self, change: &Change, parting: Body) {
        let Some(schema) = schema_of(&change.address) else { return };
        let after = change.after.clone().unwrap_or_default();
        let phase = |attach: bool| move |field: &&Field| (field.phase == Phase::Attach) == attach;
        let attached: Vec<&Field> = schema
            .fields
            .iter()
            .filter(phase(true))
            .filter(|field| after.get(field.name).is_some_and(|value| *value != field.start()))
            .collect();
        let kept = kept_target(change);
        if matches!(change.action, Action::Create | Action::Replace) {
            let fields = schema.fields.iter().filter(phase(false)).collect();
            let create = self.push(&kept, change, Verb::Create, fields);
            if !attached.is_empty() {
                let attach = self.push(&kept, change, Verb::Attach, attached.clone());
                self.wait(attach, create, Need::Ready);
            }
        }
        if change.action == Action::Update {
            self.add_update(change, schema, &attached);
        }
        if let (Action::Delete | Action::Replace, Some(target)) =
            (change.action, live_target(change))
        {
            let detached = self.to_detach(change, schema);
            let delete = self.push(&target, change, Verb::Delete, Vec::new());
            self.steps[delete].parting = parting;
            if !detached.is_empty() {
                let detach = self.push(&target, change, Verb::Detach, detached);
                self.wait(delete, detach, Need::Ready);
                // The successor serves before the old one stops.
                let attach = self.place(&kept, Verb::Attach);
                if let (Some(attach), Action::Replace) = (attach, change.action) {
                    self.wait(detach, attach, Need::Ready);
                }
            }
        }
    }

    fn add_update(&mut self, change: &Change, schema: &Schema, attached: &[&'static Field]) {
        let kept = kept_target(change);
        if together::entirely(change, schema) {
            return;
        }
        let changed = change.fields.iter().filter_map(|moved| schema.field(&moved.field));
        let changed: Vec<&Field> = changed.filter(|field| field.together.is_none()).collect();
        let rolls = changed.iter().any(|field| field.on_change == OnChange::Rolling);
        if !rolls {
            let (out, changed) =
                changed.into_iter().partition(|field| leaves_service(change, field));
            self.add_in_place(change, changed, out);
            return;
        }
        let before = change.before.clone().unwrap_or_default();
        // One that an earlier run has taken out may still be busy there.
        let own = change.id.as_deref().and_then(|id| self.live(schema.kind, id));
        let draining = own.map_or(&[][..], |own| &own.duty.draining);
        let held: Vec<&Field> = schema
            .fields
            .iter()
            .filter(|field| field.phase == Phase::Attach)
            .filter(|field| {
                let held = before.get(field.name).is_some_and(|value| *value != field.start());
                held || (field.serves && !draining.is_empty())
            })
            .collect();
        let changed = changed.into_iter().filter(|field| field.phase != Phase::Attach).collect();
        let update = self.push(&kept, change, Verb::Update, changed);
        if !held.is_empty() {
            let detach = self.push(&kept, change, Verb::Detach, held);
            self.wait(update, detach, Need::Ready);
        }
        if !attached.is_empty() {
            let attach = self.push(&kept, change, Verb::Attach, attached.to_vec());
            self.wait(attach, update, Need::Ready);
        }
    }

    /// What a leaving resource must let go of first: what serves on without it, and its like, since those may refer
    /// to each other in a circle.
    fn to_detach(&self, change: &Change, schema: &Schema) -> Vec<&'static Field> {
        let own = change.id.as_deref().map(|id| (change.address.kind(), id));
        let Some(live) = own.and_then(|own| self.live.get(&own)) else {
            return Vec::new();
        };
        if live.status == Status::Deleting {
            return Vec::new();
        }
        // A machine with a successor finishes what it has begun, though its group may go as well.
        let comes = |other: &'a Change| other.after.is_some();
        let succeeded =
            self.kept(&change.address).is_some() || self.changes_at(&change.address).any(comes);
        let lets_go = |other: (&str, &str), serves: bool| {
            self.live.contains_key(&other)
                && Some(other) != own
                && (!self.leaving.contains(&other)
                    || other.0 == schema.kind
                    || (serves && (succeeded || self.serves_on)))
        };
        schema
            .fields
            .iter()
            .filter(|field| field.phase == Phase::Attach)
            .filter(|field| {
                let kind = field.named_kind().unwrap_or_default();
                let links = live.live.body.get(field.name).map(|value| field.links(value));
                let held = links.into_iter().flatten().filter_map(Value::as_str);
                let draining = live.duty.draining.iter().filter(|_| field.serves);
                held.chain(draining.map(String::as_str)).any(|id| lets_go((kind, id), field.serves))
            })
            .collect()
    }

    /// A step that sets fields waits for what they name, where this plan creates it.
    fn wait_for_references(&mut self, change: &Change) {
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
                        // AWS tells some outputs only of what is ready: a database's endpoint.
                        named.push((address, output.map_or(field.need, |_| Need::Ready)));
                    }
                });
                for (address, need) in named {
                    let created = self.place(&Target::New(address), Verb::Create);
                    if let Some(created) = created.filter(|created| *created != step) {
                        self.wait(step, created, need);
                    }
                }
            }
        }
    }

    pub(super) fn live(&self, kind: &str, id: &str) -> Option<&'a Resource> {
        self.live.get(&(kind, id)).copied()
    }

    /// The changes of what bears the address.
    pub(super) fn changes_at(&self, address: &Address) -> impl Iterator<Item = &'a Change> {
        self.by_address.get(address).into_iter().flatten().copied()
    }

    pub(super) fn all_live(&self) -> impl Iterator<Item = &'a Resource> {
        self.live.values().copied()
    }

    /// All that stays.
    pub(super) fn kept_all(&self) -> impl Iterator<Item = &'a Resource> {
        self.all_live().filter(|live| !self.is_leaving(live.address.kind(), &live.live.id))
    }

    /// What stays at the address of what is there.
    pub(super) fn kept(&self, address: &Address) -> Option<&'a Resource> {
        let live = self.live_by_address.get(address).into_iter().flatten().copied();
        live.filter(|live| !self.is_leaving(live.address.kind(), &live.live.id))
            .min_by_key(|live| &live.live.id)
    }

    pub(super) fn is_live(&self, address: &Address) -> bool {
        self.live_by_address.contains_key(address)
    }

    pub(super) fn is_leaving(&self, kind: &str, id: &str) -> bool {
        self.leaving.contains(&(kind, id))
    }

    pub(super) fn push(
        &mut self,
        target: &Target,
        change: &Change,
        verb: Verb,
        fields: Vec<&'static Field>,
    ) -> usize {
        let index = self.steps.len();
        self.steps.push(Step {
            address: change.address.clone(),
            verb,
            id: match target {
                Target::Live(_, id) => Some(id.clone()),
                Target::New(_) => None,
            },
            fields: fields.into_iter().map(|field| field.name.to_owned()).collect(),
            batch: Vec::new(),
            parting: Body::new(),
            serving: None,
            remembered: 0,
            after: Vec::new(),
        });
        self.places.insert((target.clone(), verb), index);
        index
    }

    /// A step of waiting, which changes nothing.
    pub(super) fn push_wait(
        &mut self,
        change: &Change,
        verb: Verb,
        fields: Vec<&'static Field>,
    ) -> usize {
        self.push(&kept_target(change), change, verb, fields)
    }

    pub(super) fn place(&self, target: &Target, verb: Verb) -> Option<usize> {
        self.places.get(&(target.clone(), verb)).copied()
    }

    pub(super) fn wait(&mut self, step: usize, on: usize, need: Need) {
        self.steps[step].after.push(Dependency { step: on, need });
    }
}
