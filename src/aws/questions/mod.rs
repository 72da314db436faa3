//! Questions that are asked before anything is changed: what AWS offers, how much it gives, whose leave there is.

mod caches;
mod databases;
mod leave;
mod machines;
mod room;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::{Aws, Caller};
use crate::model::{ANYWHERE, Class, Fault, Grant, Operation, Question};

/// Every operation that a question may send.
pub static OPERATIONS: &[Operation] = &[
    Operation::plan(machines::OFFERINGS, ANYWHERE),
    Operation::plan(machines::TYPES, ANYWHERE),
    Operation::plan(machines::IMAGES, ANYWHERE),
    Operation::plan(machines::KEYS, ANYWHERE),
    Operation::plan(machines::INSTANCES, ANYWHERE),
    Operation::plan(machines::VPCS, ANYWHERE),
    Operation::plan(databases::VERSIONS, ANYWHERE),
    Operation::plan(databases::ORDERS, ANYWHERE),
    Operation::plan(databases::SNAPSHOTS, &[Grant::named(&["db:*", "snapshot:*"])]),
    Operation::plan(databases::ATTRIBUTES, ANYWHERE),
    Operation::plan(caches::VERSIONS, ANYWHERE),
    Operation::plan(caches::OFFERINGS, ANYWHERE),
    Operation::plan(room::QUOTA, &[Grant::named(room::QUOTAS)]),
    Operation::plan(room::LIMITS, ANYWHERE),
    Operation::plan(room::BALANCERS, ANYWHERE),
    Operation::plan(room::GROUPS, ANYWHERE),
    Operation::plan(leave::ROLE, &[Grant::named(&["role/*"])]),
    Operation::plan(leave::SIMULATE, &[Grant::named(&["user/*", "role/*"])]),
];

/// The answer, in the form that the question has.
pub async fn answer(aws: &Aws, caller: &Caller, question: &Question) -> Result<Value, Fault> {
    match question {
        Question::Offered(types) => told(machines::offered(aws, types).await),
        Question::Machines(types) => told(machines::types(aws, types).await),
        Question::Images(images) => told(machines::images(aws, images).await),
        Question::KeyPairs(names) => told(machines::key_pairs(aws, names).await),
        Question::RunningVcpus => told(machines::running_vcpus(aws).await),
        Question::Vpcs => told(machines::vpcs(aws).await),
        Question::DatabaseVersions { engine } => told(databases::versions(aws, engine).await),
        Question::DatabaseUpgrades { engine, version } => {
            told(databases::upgrades(aws, engine, version).await)
        }
        Question::DatabaseOrders { engine, version, class } => {
            told(databases::orders(aws, engine, version, class).await)
        }
        Question::Snapshots(names) => told(databases::snapshots(aws, names).await),
        Question::DatabaseRoom => told(databases::room(aws).await),
        Question::CacheVersions { engine } => told(caches::versions(aws, engine).await),
        Question::CacheNodes => told(caches::nodes(aws).await),
        Question::Quota(quota) => told(room::quota(aws, *quota).await),
        Question::BalancingRoom => told(room::balancing(aws).await),
        // Each kind knows where its names stand.
        Question::Names { kind, .. } => Err(Fault::new(Class::Fatal, "ask", "", kind)),
        Question::Denied(leaves) => told(leave::denied(aws, caller, leaves).await),
    }
}

fn told(answer: Result<impl Serialize, Fault>) -> Result<Value, Fault> {
    serde_json::to_value(answer?)
        .map_err(|error| Fault::new(Class::Fatal, "ask", "InvalidAnswer", error.to_string()))
}

/// What lists nothing at all tells nothing.
fn unless_silent<T>(found: BTreeSet<T>, operation: &str) -> Result<BTreeSet<T>, Fault> {
    match found.is_empty() {
        true => Err(silent(operation)),
        false => Ok(found),
    }
}

fn silent(operation: &str) -> Fault {
    Fault::new(Class::NotFound, operation, "", "it lists nothing")
}
