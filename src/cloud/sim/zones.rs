//! The zones that stores of the simulated account run in, and the subnets that they hold by that.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Account;
use super::object::Object;
use super::rules::{Refusal, of_kind};
use crate::model::Body;

const STORES: [&str; 3] = ["db_instance", "cache_cluster", "replication_group"];

impl Account {
    /// The zone of a store, and of its standby or its replicas: the first of its subnets', where it asks for none.
    pub(super) fn zones_of(&self, store: &Object) -> Vec<String> {
        let own = store.text("availability_zone");
        if !own.is_empty() {
            return vec![own.to_owned()];
        }
        let kind =
            if store.kind == "db_instance" { "db_subnet_group" } else { "cache_subnet_group" };
        let group = self.get(kind, store.text("subnet_group"));
        let subnets = group.into_iter().flat_map(|group| ids(&group.body));
        let subnets = subnets.filter_map(|id| self.get("subnet", id));
        let zones: BTreeSet<&str> = subnets.map(|one| one.text("availability_zone")).collect();
        let count = match store.body.get("num_cache_clusters").and_then(Value::as_u64) {
            Some(count) => usize::try_from(count).unwrap_or(usize::MAX),
            None if store.body.get("multi_az") == Some(&Value::Bool(true)) => 2,
            None => 1,
        };
        zones.into_iter().take(count).map(str::to_owned).collect()
    }

    /// No subnet leaves its group while a store is in it.
    pub(super) fn check_subnets(&self, group: &Object, after: &Body) -> Result<(), Refusal> {
        let kept: BTreeSet<&str> = ids(after).collect();
        let lost = ids(&group.body).filter(|id| !kept.contains(id));
        let lost: Vec<&Object> = lost.filter_map(|id| self.get("subnet", id)).collect();
        let stores = STORES.iter().flat_map(|kind| of_kind(self, kind));
        for store in stores.filter(|store| store.names(&group.kind, &group.id)) {
            let zones = self.zones_of(store);
            let held = lost
                .iter()
                .find(|one| zones.iter().any(|zone| *zone == one.text("availability_zone")));
            if let Some(held) = held {
                let message = format!("{} is currently in use by {}", held.id, store.id);
                return Err(Refusal::fatal("SubnetAlreadyInUse", message));
            }
        }
        Ok(())
    }
}

fn ids(group: &Body) -> impl Iterator<Item = &str> {
    let subnets = group.get("subnets").and_then(Value::as_array);
    subnets.into_iter().flatten().filter_map(Value::as_str)
}
