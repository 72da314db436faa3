//! How the system is: who serves, whether its stores and the way in are up, what differs from the file, and who holds the
//! lock. Pure.
//!
//! What is here is the form of `status --format json`: docs/status.md says what each field means.

mod differences;
mod machines;
mod stores;
mod way_in;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

pub use differences::{Difference, How};
pub use machines::{Health, Machine, Service};
pub use stores::{Cache, Database};
pub use way_in::{Balancer, Certificate, Listener};

use crate::desired::Desired;
use crate::diff;
use crate::lock;
use crate::model::{Lease, Status};
use crate::plan::{self, Pending};
use crate::snapshot::Snapshot;
use crate::topology::Topology;

/// The version of the form.
pub const FORMAT: u32 = 1;
/// The state of what the file has and the account has not.
const MISSING: &str = "missing";

/// The system at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Overview {
    #[schemars(extend("const" = FORMAT))]
    pub format: u32,
    pub topology: String,
    pub account: String,
    pub region: String,
    /// When it was looked at: RFC 3339, UTC.
    pub at: String,
    pub verdict: Verdict,
    pub load_balancer: Option<Balancer>,
    pub services: Vec<Service>,
    pub databases: Vec<Database>,
    pub caches: Vec<Cache>,
    /// How many resources the file asks for.
    pub resources: usize,
    /// What is otherwise than the file says.
    pub differences: Vec<Difference>,
    /// Why that is not known.
    pub not_compared: Option<String>,
    /// What AWS was asked for and makes in a maintenance window.
    pub pending: Vec<Pending>,
    pub lock: Lock,
}

/// What it comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All is well, and as the file says.
    Healthy,
    /// Something is missing that serves, or not well.
    Unhealthy,
    /// All is well, but not as the file says.
    Differs,
    /// Nothing of the topology is there.
    Nothing,
}

/// Who changes the system now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Lock {
    pub holders: Vec<Holding>,
    /// Why that is not known.
    pub unknown: Option<String>,
}

/// One who holds the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Holding {
    pub command: String,
    pub user: String,
    pub host: String,
    pub process: u32,
    /// RFC 3339, UTC.
    pub since: String,
    pub renewed_seconds_ago: u64,
    /// Whether the holder seems to be dead.
    pub left_over: bool,
}

/// All that was read.
pub struct Sight<'a> {
    pub topology: &'a Topology,
    pub desired: &'a Desired,
    pub snapshot: &'a Snapshot,
    /// Why the account can't be held against the file.
    pub not_compared: Option<String>,
    pub lock: Lock,
    pub now: Timestamp,
}

/// What all of it says.
pub fn overview(sight: Sight<'_>) -> Overview {
    let Sight { topology, desired, snapshot, not_compared, lock, now } = sight;
    let changes = match not_compared {
        None => diff::diff(desired, snapshot),
        Some(_) => Vec::new(),
    };
    let mut overview = Overview {
        format: FORMAT,
        topology: desired.topology.clone(),
        account: desired.account.clone(),
        region: desired.region.clone(),
        at: rfc3339(now),
        verdict: Verdict::Nothing,
        load_balancer: way_in::balancer(desired, snapshot, now),
        services: machines::services(topology, desired, snapshot),
        databases: stores::databases(desired, snapshot),
        caches: stores::caches(desired, snapshot),
        resources: desired.resources.len(),
        differences: changes.iter().map(|change| differences::of(change, snapshot)).collect(),
        not_compared,
        pending: plan::pending(&changes, snapshot),
        lock,
    };
    if !(snapshot.resources.is_empty() && snapshot.extras.is_empty()) {
        overview.verdict = overview.judged();
    }
    overview
}

impl Overview {
    fn judged(&self) -> Verdict {
        let well = self.load_balancer.iter().all(|one| one.healthy)
            && self.services.iter().all(Service::is_well)
            && self.databases.iter().all(|one| one.healthy)
            && self.caches.iter().all(|one| one.healthy);
        match well {
            false => Verdict::Unhealthy,
            true if self.differences.is_empty() && self.not_compared.is_none() => Verdict::Healthy,
            true => Verdict::Differs,
        }
    }
}

impl Lock {
    /// The lock as these leases say.
    pub fn of(leases: &[Lease]) -> Self {
        let holding = |lease: &Lease| Holding {
            command: lease.holder.command.clone(),
            user: lease.holder.user.clone(),
            host: lease.holder.host.clone(),
            process: lease.holder.process,
            since: lease.holder.since.clone(),
            renewed_seconds_ago: lease.age.as_secs(),
            left_over: lock::is_left_over(lease),
        };
        Self { holders: leases.iter().map(holding).collect(), unknown: None }
    }
}

fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// AWS's word for a state, or ours where it has none.
fn state(told: &str, status: &Status) -> String {
    match (told, status) {
        ("", Status::Ready) => "there".to_owned(),
        ("", Status::Deleting) => "deleting".to_owned(),
        ("", Status::Gone) => "gone".to_owned(),
        ("", Status::Pending(word) | Status::Failed(word)) => word.clone(),
        (told, _) => told.to_owned(),
    }
}
