//! The databases and caches: their states, and what each is.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{MISSING, state};
use crate::desired::Desired;
use crate::kinds::{db_instance, replication_group};
use crate::model::{Address, Body, Late, Node, Status, late};
use crate::snapshot::{Resource, Snapshot};

/// One database, or a read replica of one.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Database {
    pub address: Address,
    pub id: Option<String>,
    /// AWS's word: `available`; or `missing`.
    pub state: String,
    pub healthy: bool,
    pub instance_class: Option<String>,
    pub engine: Option<String>,
    pub engine_version: Option<String>,
    pub allocated_storage: Option<u64>,
    pub multi_az: bool,
    /// Where it runs, then where its standby does.
    pub zones: Vec<String>,
    /// The database that it is a read replica of.
    pub source: Option<Address>,
    pub endpoint: Option<String>,
    pub port: Option<u64>,
}

/// One cache, of one node or of several.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Cache {
    pub address: Address,
    pub id: Option<String>,
    /// AWS's word: `available`; or `missing`.
    pub state: String,
    pub healthy: bool,
    pub node_type: Option<String>,
    pub engine: Option<String>,
    pub engine_version: Option<String>,
    pub nodes: Vec<Node>,
    pub endpoint: Option<String>,
    pub port: Option<u64>,
}

pub fn databases(desired: &Desired, snapshot: &Snapshot) -> Vec<Database> {
    let addresses = addresses(|kind| kind == db_instance::SCHEMA.kind, desired, snapshot);
    addresses.into_iter().map(|address| database(address, desired, snapshot)).collect()
}

pub fn caches(desired: &Desired, snapshot: &Snapshot) -> Vec<Cache> {
    let addresses = addresses(replication_group::is_cache, desired, snapshot);
    addresses.into_iter().map(|address| cache(address, desired, snapshot)).collect()
}

/// What the file has, in its order; then what only the account has.
fn addresses<'a>(
    is_one: impl Fn(&str) -> bool,
    desired: &'a Desired,
    snapshot: &'a Snapshot,
) -> Vec<&'a Address> {
    let all = desired.resources.keys().chain(snapshot.resources.keys());
    let all: BTreeSet<&Address> = all.filter(|address| is_one(address.kind())).collect();
    let mut all: Vec<&Address> = all.into_iter().collect();
    all.sort_by_key(|address| desired.spans.get(*address).map_or(usize::MAX, |span| span.start));
    all
}

fn database(address: &Address, desired: &Desired, snapshot: &Snapshot) -> Database {
    let store = Store::at(address, desired, snapshot);
    let source = store.body.and_then(|body| late(body.get("source")?));
    Database {
        address: address.clone(),
        id: store.id(),
        state: store.state(),
        healthy: store.is_well(),
        instance_class: store.text("instance_class"),
        engine: store.text("engine"),
        engine_version: store.text("engine_version"),
        allocated_storage: store.number("allocated_storage"),
        multi_az: store.value("multi_az") == Some(&Value::Bool(true)),
        zones: store.seen.map(|seen| seen.vitals.zones.clone()).unwrap_or_default(),
        source: source.and_then(|source| match source {
            Late::Ref { address, .. } => Some(address),
            _ => None,
        }),
        endpoint: store.endpoint(),
        port: store.number("port"),
    }
}

fn cache(address: &Address, desired: &Desired, snapshot: &Snapshot) -> Cache {
    let store = Store::at(address, desired, snapshot);
    Cache {
        address: address.clone(),
        id: store.id(),
        state: store.state(),
        healthy: store.is_well(),
        node_type: store.text("node_type"),
        engine: store.text("engine"),
        engine_version: store.text("engine_version"),
        nodes: store.seen.map(|seen| seen.vitals.nodes.clone()).unwrap_or_default(),
        endpoint: store.endpoint(),
        port: store.number("port"),
    }
}

/// What is at an address, or would be.
struct Store<'a> {
    seen: Option<&'a Resource>,
    body: Option<&'a Body>,
}

impl<'a> Store<'a> {
    fn at(address: &Address, desired: &'a Desired, snapshot: &'a Snapshot) -> Self {
        let seen = snapshot.resources.get(address);
        let body = seen.map(|seen| &seen.body).or_else(|| desired.resources.get(address));
        Self { seen, body }
    }

    fn id(&self) -> Option<String> {
        self.seen.map(|seen| seen.live.id.clone())
    }

    fn state(&self) -> String {
        match self.seen {
            Some(seen) => state(&seen.vitals.state, &seen.status),
            None => MISSING.to_owned(),
        }
    }

    fn is_well(&self) -> bool {
        self.seen.is_some_and(|seen| seen.status == Status::Ready)
    }

    /// As it is: of what waits for a maintenance window, what holds until then.
    fn value(&self, field: &str) -> Option<&Value> {
        let maintenance = self.seen.and_then(|seen| seen.maintenance.as_ref());
        let now = maintenance.and_then(|maintenance| maintenance.until_then.get(field));
        now.or_else(|| self.body?.get(field))
    }

    fn text(&self, field: &str) -> Option<String> {
        self.value(field)?.as_str().map(str::to_owned)
    }

    fn number(&self, field: &str) -> Option<u64> {
        self.value(field)?.as_u64()
    }

    fn endpoint(&self) -> Option<String> {
        self.seen?.live.outputs.get("endpoint").cloned()
    }
}
