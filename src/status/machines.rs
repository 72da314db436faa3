//! The services: their machines by zone, what target groups find of each, and what it runs.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::state;
use crate::desired::Desired;
use crate::kinds::instance;
use crate::model::{Address, Body, Late, Status, late};
use crate::snapshot::{Resource, Snapshot};
use crate::topology::{Source, Topology};

/// One service and all its machines.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Service {
    pub name: String,
    /// How many machines the file asks for.
    pub wanted: usize,
    /// How many of them serve.
    pub healthy: usize,
    /// What the file has them run: a commit, or a checksum.
    pub release: Option<String>,
    pub machines: Vec<Machine>,
}

/// One machine.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Machine {
    pub address: Address,
    pub id: String,
    pub zone: Option<String>,
    /// AWS's word: `running`.
    pub state: String,
    /// What its target group finds; absent where it is in none.
    pub health: Option<Health>,
    /// Whether it serves; a worker does when it runs.
    pub healthy: bool,
    /// Whether another one stays at its address, and it goes.
    pub leaving: bool,
    pub instance_type: Option<String>,
    pub ami: Option<String>,
    /// What it runs; absent where it was set up as an earlier file said.
    pub release: Option<String>,
}

/// What a target group finds, in AWS's words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Health {
    pub state: String,
    pub reason: Option<String>,
    pub description: Option<String>,
}

impl Service {
    /// Whether as many serve as the file asks for, and nobody who stays is sick.
    pub fn is_well(&self) -> bool {
        self.healthy >= self.wanted && self.staying().all(|machine| machine.healthy)
    }

    pub fn staying(&self) -> impl Iterator<Item = &Machine> {
        self.machines.iter().filter(|machine| !machine.leaving)
    }

    pub fn leaving(&self) -> impl Iterator<Item = &Machine> {
        self.machines.iter().filter(|machine| machine.leaving)
    }
}

/// In the file's order; then those that it has no more.
pub fn services(topology: &Topology, desired: &Desired, snapshot: &Snapshot) -> Vec<Service> {
    let in_file = topology.services.iter().map(|service| service.key.value.as_str());
    let in_file: Vec<&str> = in_file.collect();
    let there = snapshot.resources.keys().filter_map(instance::service);
    let gone: BTreeSet<&str> = there.filter(|name| !in_file.contains(name)).collect();
    let names = in_file.iter().copied().chain(gone);
    names.map(|name| service(name, topology, desired, snapshot)).collect()
}

fn service(name: &str, topology: &Topology, desired: &Desired, snapshot: &Snapshot) -> Service {
    let release = release(topology, name);
    let is_own = |address: &&Address| instance::service(address) == Some(name);
    let wanted = desired.resources.keys().filter(is_own).count();
    let kept = snapshot.resources.values().map(|one| (one, false));
    let all = kept.chain(snapshot.extras.iter().map(|one| (one, true)));
    let own = all.filter(|(one, _)| is_own(&&one.address));
    let mut machines: Vec<Machine> = own
        .map(|(seen, leaving)| machine(seen, leaving, release.as_deref(), desired, snapshot))
        .collect();
    // `user-10` comes after `user-9`.
    let number = |machine: &Machine| {
        let number = machine.address.name().rsplit_once('-')?.1;
        number.parse::<u32>().ok()
    };
    machines.sort_by_cached_key(|one| (one.leaving, number(one), one.id.clone()));
    let healthy = machines.iter().filter(|machine| machine.healthy && !machine.leaving).count();
    Service { name: name.to_owned(), wanted, healthy, release, machines }
}

/// What the file has its machines run.
fn release(topology: &Topology, service: &str) -> Option<String> {
    let artifact = topology.service(service)?.artifact.as_ref()?;
    Some(match &artifact.source {
        Source::S3 { sha256, .. } => sha256.clone(),
        Source::Git { commit, .. } => commit.clone(),
    })
}

fn machine(
    seen: &Resource,
    leaving: bool,
    release: Option<&str>,
    desired: &Desired,
    snapshot: &Snapshot,
) -> Machine {
    let wanted = desired.resources.get(&seen.address);
    let text = |field: &str| seen.body.get(field).and_then(Value::as_str).map(str::to_owned);
    let group = seen.live.body.get("target_group").and_then(Value::as_str);
    let found = seen.vitals.health.iter();
    // Of one that was taken out, what the group that it leaves finds.
    let mut found = found.filter(|found| group.is_none_or(|group| found.group == group));
    let found = found.next_back();
    let health = found.map(|found| Health {
        state: found.state.clone(),
        reason: found.reason.clone(),
        description: found.description.clone(),
    });
    let balanced = wanted
        .or(Some(&seen.body))
        .is_some_and(|body| body.get("target_group").is_some_and(|group| !group.is_null()));
    let runs = seen.status == Status::Ready;
    let set_up = wanted.and_then(|body| body.get("user_data"));
    let as_file = set_up.is_some_and(|script| seen.applied.holds("user_data", script));
    Machine {
        address: seen.address.clone(),
        id: seen.live.id.clone(),
        zone: zone(&seen.body, snapshot),
        state: state(&seen.vitals.state, &seen.status),
        healthy: match balanced {
            true => runs && found.is_some_and(|found| found.is_healthy()),
            false => runs,
        },
        health,
        leaving,
        instance_type: text("instance_type"),
        ami: text("ami"),
        release: release.filter(|_| as_file).map(str::to_owned),
    }
}

/// The zone of the subnet that it stands in.
fn zone(body: &Body, snapshot: &Snapshot) -> Option<String> {
    let Late::Ref { address, .. } = late(body.get("subnet")?)? else { return None };
    let subnet = snapshot.resources.get(&address)?;
    subnet.body.get("availability_zone")?.as_str().map(str::to_owned)
}
