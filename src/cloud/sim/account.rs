//! The simulated account: objects by id, and states that pass with time. Pure: time is told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::health::Targets;
use super::lease::Kept;
use super::object::Object;
use super::questions::Told;
use super::rules;
use crate::model::{Body, Class, Fault, Observed, Standing, Status, TOPOLOGY, Texts};

/// An account in one region.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    pub(super) id: String,
    pub(super) region: String,
    /// Milliseconds of its life.
    pub(super) clock: u64,
    /// How many ids it has given out.
    pub(super) given: u64,
    /// By kind and id.
    pub(super) objects: BTreeMap<String, Object>,
    /// Final snapshots of databases; they outlive everything.
    pub(super) snapshots: BTreeSet<String>,
    /// Network interfaces of deleted load balancers, which hold on to subnets and groups for a while.
    pub(super) lingering: Vec<Lingering>,
    /// Whether ids may be named that it doesn't know.
    #[serde(default)]
    pub(super) open: bool,
    #[serde(default)]
    pub(super) targets: Targets,
    #[serde(default)]
    pub(super) locks: Vec<Kept>,
    /// Until then nothing comes to pass by itself.
    #[serde(skip)]
    pub(super) quiet_until: u64,
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
pub(super) struct Lingering {
    pub kind: String,
    pub body: Body,
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

    pub(super) fn present(&self, kind: &str, id: &str, operation: &str) -> Result<&Object, Fault> {
        self.get(kind, id).filter(|object| object.status() != Status::Deleting).ok_or_else(|| {
            Fault::new(Class::NotFound, operation, "NotFound", format!("{id} does not exist"))
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
