//! Whether anything has moved that moves by itself, by few calls: who watches reads all of the account only then.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{try_join, try_join_all};

use super::{LEAVING, Resource, Snapshot, rank};
use crate::cloud::Cloud;
use crate::kinds::{REGISTRY, target_group};
use crate::model::{Fault, TargetHealth};

/// What has states of its own, which AWS may change: the rest moves where somebody changes it.
const ALIVE: &[&str] =
    &["instance", "load_balancer", "db_instance", "cache_cluster", "replication_group"];

impl Snapshot {
    /// Whether any machine, store or load balancer is in another state than when this was read, or any target in other
    /// health. One call a kind, and one a target group.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn has_moved(&self, cloud: &dyn Cloud) -> Result<bool, Fault> {
        let (states, health) = try_join(self.states_moved(cloud), self.health_moved(cloud)).await?;
        Ok(states || health)
    }

    async fn states_moved(&self, cloud: &dyn Cloud) -> Result<bool, Fault> {
        let kinds = REGISTRY.iter().filter(|kind| ALIVE.contains(&kind.schema().kind));
        let asked = kinds.map(|kind| async move {
            let own: BTreeMap<&str, &Resource> = self
                .all()
                .filter(|one| one.address.kind() == kind.schema().kind)
                .map(|one| (one.live.id.as_str(), one))
                .collect();
            if own.is_empty() {
                return Ok::<_, Fault>(false);
            }
            let ids: Vec<String> = own.keys().map(|id| (*id).to_owned()).collect();
            let now = cloud.status(*kind, &ids).await?;
            let same = |(id, seen): (&&str, &&Resource)| match now.get(*id) {
                Some(now) => now.status == seen.status,
                None => rank(&seen.status) == LEAVING,
            };
            Ok(!own.iter().all(same))
        });
        Ok(try_join_all(asked).await?.contains(&true))
    }

    async fn health_moved(&self, cloud: &dyn Cloud) -> Result<bool, Fault> {
        let groups = self.all().filter(|one| one.address.kind() == target_group::SCHEMA.kind);
        let groups: Vec<String> = groups.map(|group| group.live.id.clone()).collect();
        if groups.is_empty() {
            return Ok(false);
        }
        let now = cloud.health(&groups).await?;
        let own: BTreeSet<&str> = self.all().map(|one| one.live.id.as_str()).collect();
        // What is registered by hand is no machine of ours.
        let now = now.iter().filter(|found| own.contains(found.target.as_str()));
        Ok(in_order(now) != in_order(self.all().flat_map(|one| &one.vitals.health)))
    }

    fn all(&self) -> impl Iterator<Item = &Resource> {
        self.resources.values().chain(&self.extras)
    }
}

fn in_order<'a>(health: impl Iterator<Item = &'a TargetHealth>) -> Vec<&'a TargetHealth> {
    let mut all: Vec<&TargetHealth> = health.collect();
    all.sort_by_key(|found| (&found.group, &found.target));
    all
}
