//! Subnets that a database or a cache stands in: AWS takes none of them out of its group.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBSubnetGroup.html> (`SubnetAlreadyInUse`),
//! <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyCacheSubnetGroup.html> (`SubnetInUse`)

use std::collections::BTreeSet;

use serde_json::Value;

use crate::diff::{Action, Change};
use crate::kinds::{Refusal, cache_subnet_group, db_subnet_group, subnet};
use crate::model::{Address, Late, late};
use crate::snapshot::{Resource, Snapshot};

const GROUPS: [&str; 2] = [db_subnet_group::SCHEMA.kind, cache_subnet_group::SCHEMA.kind];
const SUBNETS: &str = "subnets";
/// By which a store names its group.
const GROUP: &str = "subnet_group";

/// Why a group of subnets can't lose those that the change takes from it. `changes` are all of the plan.
pub fn refuses(change: &Change, changes: &[Change], snapshot: &Snapshot) -> Option<Refusal> {
    let group = snapshot.resources.get(&change.address)?;
    if change.action != Action::Update || !GROUPS.contains(&change.address.kind()) {
        return None;
    }
    let stays = |address: &Address| {
        let mut own = changes.iter().filter(|other| other.address == *address);
        own.all(|other| other.action == Action::Update)
    };
    let wanted = change.after.as_ref()?.get(SUBNETS)?.as_array()?.iter();
    let kept: BTreeSet<&str> = wanted
        .filter_map(|value| match late(value)? {
            Late::Ref { address, .. } if stays(&address) => snapshot.resources.get(&address),
            _ => None,
        })
        .map(|seen| seen.live.id.as_str())
        .collect();
    let theirs = group.live.body.get(SUBNETS)?.as_array()?.iter().filter_map(Value::as_str);
    let theirs: Vec<&Resource> = theirs.filter_map(|id| of_id(id, snapshot)).collect();
    let mut users = snapshot.resources.values().filter(|store| {
        store.live.body.get(GROUP).and_then(Value::as_str) == Some(group.live.id.as_str())
            && stays(&store.address)
    });
    users.find_map(|store| {
        let zones = zones(store);
        let mut lost = theirs.iter().filter(|one| !kept.contains(one.live.id.as_str()));
        let lost = lost.find(|one| {
            let zone = zone(one);
            // Of two in one zone, nobody tells which it is.
            let alike = theirs.iter().filter(|other| self::zone(other) == zone).count();
            alike == 1 && zone.is_some_and(|zone| zones.contains(zone))
        })?;
        let (store, subnet) = (&store.address, &lost.address);
        Some(Refusal {
            field: SUBNETS,
            message: format!("{store} stands in {subnet}, and AWS takes no subnet that is in use out of its group"),
            hint: format!(
                "keep {subnet} as it is; what has to leave it is made anew under another key, with its data"
            ),
        })
    })
}

fn of_id<'a>(id: &str, snapshot: &'a Snapshot) -> Option<&'a Resource> {
    let mut all = snapshot.resources.values().chain(&snapshot.extras);
    all.find(|one| one.address.kind() == subnet::SCHEMA.kind && one.live.id == id)
}

fn zone(subnet: &Resource) -> Option<&str> {
    subnet.live.body.get("availability_zone")?.as_str()
}

/// Where a store runs, as AWS tells it.
fn zones(store: &Resource) -> BTreeSet<&str> {
    let nodes = store.vitals.nodes.iter().filter_map(|node| node.zone.as_deref());
    store.vitals.zones.iter().map(String::as_str).chain(nodes).collect()
}
