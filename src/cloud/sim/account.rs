//! The simulated account: objects by id, what AWS would refuse, and states that pass with time. Pure: time is told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::health::{Targets, delay};
use super::lease::Kept;
use super::maintenance::Upkeep;
use super::object::{CREATING, MODIFYING, Object, Passing, fields, names};
use super::questions::Told;
use super::rules;
use super::senders::used;
use crate::kinds::{self, Live};
use crate::model::{
    Body, Class, Created, Fault, Observed, Schema, Standing, Status, TOPOLOGY, Tags, Texts,
};

/// What takes AWS no longer than this, in seconds, is done when the call is answered.
const AT_ONCE: u32 = 5;
/// The field by which machines are registered, and by which rules send requests; and the kind it names.
const TARGET_GROUP: &str = "target_group";

/// An account in one region.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    id: String,
    region: String,
    /// Milliseconds of its life.
    clock: u64,
    /// How many ids it has given out.
    pub(super) given: u64,
    /// By kind and id.
    pub(super) objects: BTreeMap<String, Object>,
    /// Final snapshots of databases; they outlive everything.
    pub(super) snapshots: BTreeSet<String>,
    /// Network interfaces of deleted load balancers, which hold on to subnets and groups for a while.
    lingering: Vec<Lingering>,
    /// Whether ids may be named that it doesn't know.
    #[serde(default)]
    pub(super) open: bool,
    #[serde(default)]
    pub(super) targets: Targets,
    #[serde(default)]
    pub(super) locks: Vec<Kept>,
    /// Until then nothing comes to pass by itself.
    #[serde(skip)]
    quiet_until: u64,
    /// What was made with each client token.
    #[serde(default)]
    pub(super) tokens: BTreeMap<String, Vec<String>>,
    /// The long texts that bodies name.
    #[serde(default)]
    pub(super) texts: Texts,
    #[serde(skip)]
    pub(super) told: Told,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Lingering {
    kind: String,
    body: Body,
    until: u64,
}

impl Account {
    pub fn new(id: &str, region: &str) -> Self {
        Self {
            id: id.to_owned(),
            region: region.to_owned(),
            clock: 0,
            given: 0,
            objects: BTreeMap::new(),
            snapshots: BTreeSet::new(),
            lingering: Vec::new(),
            open: false,
            targets: Targets::default(),
            locks: Vec::new(),
            quiet_until: 0,
            tokens: BTreeMap::new(),
            texts: Texts::new(),
            told: Told::default(),
        }
    }

    pub(super) fn region(&self) -> &str {
        &self.region
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn clock(&self) -> Duration {
        Duration::from_millis(self.clock)
    }

    pub(super) fn set_clock(&mut self, clock: u64) {
        self.clock = clock;
    }

    /// Puts a thing into it that was made elsewhere.
    pub(super) fn hold(&mut self, object: Object) {
        self.quiet_until = self.quiet_until.min(object.due());
        self.objects.insert(key(&object.kind, &object.id), object);
    }

    pub(super) fn clock_millis(&self) -> u64 {
        self.clock
    }

    /// From now on, machines with this in this field pass no health check.
    pub fn fail_checks(&mut self, field: &str, value: Value) {
        self.targets.fail(field, value);
    }

    /// From now on, all machines pass their health checks.
    pub fn pass_checks(&mut self) {
        self.targets.mend();
    }

    /// Everything in it, ours or not.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.values()
    }

    /// Everything of one kind.
    pub(super) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Object> {
        let kind = key(kind, "");
        let begin = self.objects.range(kind.clone()..);
        begin.take_while(move |(key, _)| key.starts_with(&kind)).map(|(_, object)| object)
    }

    pub fn get(&self, kind: &str, id: &str) -> Option<&Object> {
        self.objects.get(&key(kind, id))
    }

    pub fn snapshots(&self) -> &BTreeSet<String> {
        &self.snapshots
    }

    /// Lets time pass until `now`: what is done being created is ready, what is done being deleted is gone.
    pub fn advance(&mut self, now: Duration) {
        self.clock = self.clock.max(u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
        let clock = self.clock;
        self.targets.advance(clock);
        self.lingering.retain(|lingering| lingering.until > clock);
        if clock < self.quiet_until {
            return;
        }
        let lingering = &mut self.lingering;
        self.objects.retain(|_, object| {
            object.maintain(clock);
            let Some(passing) = object.passing.as_ref().filter(|passing| passing.until <= clock)
            else {
                return true;
            };
            if passing.status != Status::Deleting {
                object.ready_since = passing.until;
                object.passing = None;
                return true;
            }
            let until = passing.until.saturating_add(rules::linger(&object.kind));
            let body = std::mem::take(&mut object.body);
            lingering.push(Lingering { kind: object.kind.clone(), body, until });
            false
        });
        self.quiet_until = self.objects.values().map(Object::due).min().unwrap_or(u64::MAX);
    }

    pub fn list(&self, topology: &str) -> Vec<Observed> {
        let is_asked =
            |object: &&Object| object.tags.get(TOPOLOGY).is_some_and(|name| name == topology);
        let mut told = self.observed(self.objects.values().filter(is_asked));
        for observed in &mut told {
            // AWS tells it of one machine a call, so a listing never has it.
            observed.body.remove("user_data");
        }
        told
    }

    pub fn status(&self, kind: &str, ids: &[String]) -> BTreeMap<String, Standing> {
        let told = |id: &String| {
            let object = self.get(kind, id)?;
            Some((id.clone(), Standing { status: object.status(), outputs: object.told() }))
        };
        ids.iter().filter_map(told).collect()
    }

    pub fn create(&mut self, schema: &Schema, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        let mut full = body.clone();
        for field in schema.fields {
            full.entry(field.name.to_owned()).or_insert_with(|| field.start());
        }
        let operation = format!("{}:Create", schema.kind);
        self.check_references(schema, &full, &operation)?;
        self.check_unique(schema, None, &full, &operation)?;
        rules::create(self, schema.kind, &full).map_err(|refusal| refusal.fault(&operation))?;

        self.given = self.given.wrapping_add(1);
        let digits = hex(format!("{} {} {}", self.id, self.region, self.given).as_bytes());
        let id = self.fill(schema.id, &digits, "", &full);
        let outputs: BTreeMap<_, _> = schema
            .outputs
            .iter()
            .map(|(name, form)| ((*name).to_owned(), self.fill(form, &digits, &id, &full)))
            .collect();
        self.put_aside(schema, &mut full);
        let object = Object {
            kind: schema.kind.to_owned(),
            id: id.clone(),
            tags: tags.clone(),
            body: full,
            outputs,
            protected: false,
            passing: self.passing(Status::Pending(CREATING.into()), schema.timing.create),
            ready_since: self.clock,
            place: 0,
            upkeep: Upkeep::new(schema, self.clock),
        };
        let outputs = object.told();
        let group = object.text(TARGET_GROUP).to_owned();
        self.hold(object);
        self.route(schema.kind, &id, "", &group);
        Ok(Created { id, outputs, born: None })
    }

    pub fn update(
        &mut self,
        schema: &Schema,
        live: &Live,
        after: &Body,
        changed: &[&str],
    ) -> Result<(), Fault> {
        let id = live.id.as_str();
        let operation = format!("{}:Modify", schema.kind);
        let object = self.present(schema.kind, id, &operation)?.clone();
        let mut asked: Body = after.clone();
        asked.retain(|name, _| changed.contains(&name.as_str()));
        let mut upkeep = object.upkeep.clone();
        if let Some(upkeep) = &mut upkeep {
            let answer = upkeep.ask(schema, &object.body, &asked, self.clock);
            asked = answer.map_err(|refusal| refusal.fault(&operation))?;
        }
        let mut body = object.body.clone();
        let set: Vec<String> = asked.keys().cloned().collect();
        body.extend(asked);
        self.check_references(schema, &body, &operation)?;
        self.check_unique(schema, Some(id), &body, &operation)?;
        rules::update(self, &object, &body, changed)
            .map_err(|refusal| refusal.fault(&operation))?;
        let interrupts = set.iter().any(|name| rules::interrupts(schema, name));
        let passing = interrupts
            .then(|| self.passing(Status::Pending(MODIFYING.into()), schema.timing.update))
            .flatten();
        if schema.kind == TARGET_GROUP {
            self.settle(id);
        }
        if passing.is_some() {
            self.targets.restart(id);
        }
        let text = |body: &Body| {
            body.get(TARGET_GROUP).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        // It is taken out of what the caller takes it out of: it may be in two groups for a while.
        let from = if text(&live.body).is_empty() { String::new() } else { text(&object.body) };
        let to = text(&body);
        if let Some(object) = self.objects.get_mut(&key(schema.kind, id)) {
            object.body = body;
            object.upkeep = upkeep;
            object.passing = passing.or(object.passing.take());
            self.quiet_until = self.quiet_until.min(object.due());
        }
        self.route(schema.kind, id, &from, &to);
        Ok(())
    }

    /// Changes all of these at one instant, or none of them, where the field says so: each may take what another of them
    /// leaves.
    pub fn update_all(
        &mut self,
        schema: &Schema,
        all: &[(Live, Body)],
        changed: &[&str],
    ) -> Result<(), Fault> {
        let together =
            |name: &&str| schema.field(name).is_some_and(|field| field.together.is_some());
        if !changed.iter().all(together) {
            let mut all = all.iter();
            return all.try_for_each(|(live, after)| self.update(schema, live, after, changed));
        }
        let mut then = self.clone();
        for (live, _) in all {
            if let Some(object) = then.objects.get_mut(&key(schema.kind, &live.id)) {
                object.body.retain(|field, _| !changed.contains(&field.as_str()));
            }
        }
        for (live, after) in all {
            then.update(schema, live, after, changed)?;
        }
        *self = then;
        Ok(())
    }

    pub fn delete(&mut self, schema: &Schema, id: &str, parting: &Body) -> Result<(), Fault> {
        let operation = format!("{}:Delete", schema.kind);
        let Some(object) = self.get(schema.kind, id) else { return Ok(()) };
        if object.status() == Status::Deleting {
            return Ok(());
        }
        let naming = naming(schema.kind);
        let others = naming.iter().flat_map(|kind| self.of_kind(kind));
        let user = others
            .filter(|other| (other.kind.as_str(), other.id.as_str()) != (schema.kind, id))
            .find(|other| other.names(schema.kind, id) && rules::holds(&other.kind, schema.kind));
        if let Some(user) = user {
            let message = format!("{id} is used by {}", user.id);
            return Err(Fault::new(Class::NotYet, &operation, "DependencyViolation", message));
        }
        if self.lingering.iter().any(|gone| names(&gone.kind, &gone.body, schema.kind, id)) {
            let message = format!("{id} is used by a network interface");
            return Err(Fault::new(Class::NotYet, &operation, "DependencyViolation", message));
        }
        let snapshot =
            rules::delete(self, object, parting).map_err(|refusal| refusal.fault(&operation))?;
        self.snapshots.extend(snapshot);
        // What named it without holding on to it lets go: a target group's targets are no targets any more.
        let others = self.objects.values_mut().filter(|_| !naming.is_empty());
        for other in others.filter(|other| other.names(schema.kind, id)) {
            for field in fields(&other.kind) {
                let Some(value) = other.body.get_mut(field.name) else { continue };
                if field.links_to(value, schema.kind, id) {
                    *value = field.start();
                }
            }
        }
        match self.passing(Status::Deleting, schema.timing.delete) {
            None => {
                self.objects.remove(&key(schema.kind, id));
            }
            leaving => {
                if let Some(object) = self.objects.get_mut(&key(schema.kind, id)) {
                    object.passing = leaving;
                    self.quiet_until = self.quiet_until.min(object.due());
                }
            }
        }
        self.targets.forget(id);
        self.route(schema.kind, id, "", "");
        Ok(())
    }

    /// After a change: who is registered where, and which groups get requests.
    fn route(&mut self, kind: &str, id: &str, from: &str, to: &str) {
        match kind {
            "instance" => {
                let delay = delay(self.get(TARGET_GROUP, from));
                self.targets.shift(id, from, to, self.clock, delay);
            }
            "listener" | "listener_rule" => {
                let senders = self.objects.values().filter(|object| {
                    matches!(object.kind.as_str(), "listener" | "listener_rule")
                        && object.status() != Status::Deleting
                });
                let groups =
                    senders.flat_map(|sender| used(&sender.body)).map(str::to_owned).collect();
                self.targets.use_only(&groups, self.clock);
            }
            _ => {}
        }
    }

    pub fn tag(&mut self, kind: &str, id: &str, tags: &Tags) -> Result<(), Fault> {
        self.present(kind, id, "tag:Tag")?;
        if let Some(object) = self.objects.get_mut(&key(kind, id)) {
            object.tags.extend(tags.clone());
        }
        Ok(())
    }

    pub fn protect(&mut self, kind: &str, id: &str, on: bool) -> Result<(), Fault> {
        self.present(kind, id, "sim:Protect")?;
        if let Some(object) = self.objects.get_mut(&key(kind, id)) {
            object.protected = on && rules::can_protect(kind);
        }
        Ok(())
    }

    pub(super) fn present(&self, kind: &str, id: &str, operation: &str) -> Result<&Object, Fault> {
        self.get(kind, id).filter(|object| object.status() != Status::Deleting).ok_or_else(|| {
            Fault::new(Class::NotFound, operation, "NotFound", format!("{id} does not exist"))
        })
    }

    fn passing(&self, status: Status, seconds: u32) -> Option<Passing> {
        (seconds > AT_ONCE).then(|| Passing {
            status,
            until: self.clock.saturating_add(u64::from(seconds) * 1000),
        })
    }

    pub(super) fn fill(&self, form: &str, digits: &str, id: &str, body: &Body) -> String {
        let mut text = form
            .replace("{hex}", digits)
            .replace("{id}", id)
            .replace("{region}", &self.region)
            .replace("{account}", &self.id);
        for (name, value) in body {
            if let Some(value) = value.as_str() {
                text = text.replace(&format!("{{{name}}}"), value);
            }
        }
        text
    }
}

/// The kinds with a field that may name things of this one.
fn naming(kind: &str) -> Vec<&'static str> {
    let schemas = kinds::REGISTRY.iter().map(|kind| kind.schema());
    let names = |schema: &&Schema| schema.fields.iter().any(|f| f.named_kind() == Some(kind));
    schemas.filter(names).map(|schema| schema.kind).collect()
}

pub(super) fn key(kind: &str, id: &str) -> String {
    format!("{kind} {id}")
}

/// 17 hexadecimal digits, as AWS's ids have.
pub fn hex(seed: &[u8]) -> String {
    let mut digits: String =
        Sha256::digest(seed).iter().map(|byte| format!("{byte:02x}")).collect();
    digits.truncate(17);
    digits
}
