//! The door -> Snapshot: what bears our tags in the account, live ids turned back into addresses.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{try_join, try_join_all};

use crate::cloud::Cloud;
use crate::desired::Desired;
use crate::error::{Error, ErrorKind, Result};
use crate::kinds::{self, Live};
use crate::model::{
    ADDRESS, APPLIED, Address, Body, Fault, Fingerprint, Lookup, Observed, Schema, Status, Tags, reference,
    sort_set,
};

/// One live resource under its address.
#[derive(Clone, Debug)]
pub struct Resource {
    pub address: Address,
    /// The fields, references as addresses where they name something of ours.
    pub body: Body,
    /// What was last applied.
    pub applied: Fingerprint,
    pub tags: Tags,
    pub status: Status,
    /// As AWS has it, ids and all.
    pub live: Live,
}

/// What the account holds of the topology.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub resources: BTreeMap<Address, Resource>,
    /// What bears an address a second time, or is on its way out.
    pub extras: Vec<Resource>,
    /// What the topology has looked up.
    pub lookups: BTreeMap<Lookup, String>,
}

/// Checks that the account is the one the topology names, before anything else is read.
///
/// # Errors
/// When it is another, or can't be asked.
pub async fn guard(cloud: &dyn Cloud, desired: &Desired) -> Result<()> {
    let account = cloud.account().await?;
    if account == desired.account {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Access,
        format!(
            "these credentials belong to account {account}, but the topology is for account {}",
            desired.account
        ),
    )
    .hint("choose the right profile (AWS_PROFILE), or correct `account` in the topology"))
}

/// Reads the account.
///
/// # Errors
/// When the account is not the topology's, or a call fails.
pub async fn read(cloud: &dyn Cloud, desired: &Desired) -> Result<Snapshot> {
    guard(cloud, desired).await?;
    let (observed, lookups) =
        try_join(cloud.list(&desired.topology), lookups(cloud, &desired.lookups)).await?;
    Ok(Snapshot { lookups, ..assemble(observed) })
}

async fn lookups(
    cloud: &dyn Cloud,
    asked: &BTreeSet<Lookup>,
) -> Result<BTreeMap<Lookup, String>, Fault> {
    let ask = |lookup: &Lookup| {
        let lookup = lookup.clone();
        async move { cloud.lookup(&lookup).await.map(|value| (lookup, value)) }
    };
    Ok(try_join_all(asked.iter().map(ask)).await?.into_iter().collect())
}

/// Addresses by kind and id: two kinds may well give things the same name.
type Addresses = BTreeMap<(String, String), Address>;

/// Puts each resource under the address that its tag gives; what has no such tag is not managed by us.
fn assemble(observed: Vec<Observed>) -> Snapshot {
    let named: Vec<(Address, Observed)> = observed
        .into_iter()
        .filter_map(|seen| {
            let address: Address = seen.tags.get(ADDRESS)?.parse().ok()?;
            (address.kind() == seen.kind).then_some((address, seen))
        })
        .collect();
    let addresses: Addresses = named
        .iter()
        .map(|(address, seen)| ((seen.kind.clone(), seen.id.clone()), address.clone()))
        .collect();

    let mut snapshot = Snapshot::default();
    let mut all: Vec<Resource> = named
        .into_iter()
        .filter_map(|(address, seen)| {
            let schema = kinds::by_name(address.kind())?.schema();
            Some(resource(address, seen, schema, &addresses))
        })
        .collect();
    // Of two that bear one address, the readier stays; their ids decide between equals, so that every run agrees.
    all.sort_by_cached_key(|resource| (rank(&resource.status), resource.live.id.clone()));
    for resource in all {
        if resource.status == Status::Deleting || snapshot.resources.contains_key(&resource.address)
        {
            snapshot.extras.push(resource);
        } else {
            snapshot.resources.insert(resource.address.clone(), resource);
        }
    }
    snapshot
}

fn resource(address: Address, seen: Observed, schema: &Schema, addresses: &Addresses) -> Resource {
    let mut body = seen.body.clone();
    for field in schema.fields {
        let Some(value) = body.get_mut(field.name) else { continue };
        let kind = field.named_kind().unwrap_or_default();
        for link in field.links_mut(value) {
            let id = link.as_str().unwrap_or_default();
            if let Some(address) = addresses.get(&(kind.to_owned(), id.to_owned())) {
                *link = reference(address);
            }
        }
        if field.set {
            sort_set(value);
        }
    }
    Resource {
        applied: Fingerprint::parse(seen.tags.get(APPLIED).map_or("", String::as_str)),
        address,
        body,
        tags: seen.tags,
        status: seen.status,
        live: Live { id: seen.id, outputs: seen.outputs, body: seen.body },
    }
}

fn rank(status: &Status) -> u8 {
    match status {
        Status::Ready => 0,
        Status::Pending(_) => 1,
        Status::Failed(_) => 2,
        Status::Deleting | Status::Gone => 3,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::TOPOLOGY;

    fn seen(kind: &str, address: &str, id: &str, body: Value) -> Observed {
        let tags = [(TOPOLOGY, "shop"), (ADDRESS, address)];
        Observed {
            kind: kind.into(),
            id: id.into(),
            tags: tags.map(|(key, value)| (key.into(), value.into())).into(),
            body: serde_json::from_value(body).unwrap(),
            outputs: BTreeMap::new(),
            status: Status::Ready,
        }
    }

    #[test]
    fn ids_of_ours_become_addresses_and_others_stay() {
        let snapshot = assemble(vec![
            seen("vpc", "vpc.main", "vpc-1", json!({})),
            seen("subnet", "subnet.a", "subnet-1", json!({"vpc": "vpc-1", "route_table": "rtb-9"})),
        ]);
        let subnet = &snapshot.resources[&Address::new("subnet", "a")];
        assert_eq!(subnet.body["vpc"], json!({"$ref": "vpc.main"}));
        assert_eq!(subnet.body["route_table"], json!("rtb-9"));
        assert_eq!(subnet.live.body["vpc"], json!("vpc-1"));
    }

    #[test]
    fn of_two_at_one_address_the_ready_one_stays() {
        let mut young = seen("instance", "instance.a-1", "i-1", json!({}));
        young.status = Status::Pending("pending".into());
        let snapshot = assemble(vec![young, seen("instance", "instance.a-1", "i-2", json!({}))]);
        assert_eq!(snapshot.resources[&Address::new("instance", "a-1")].live.id, "i-2");
        assert_eq!(snapshot.extras[0].live.id, "i-1");
    }

    #[test]
    fn what_has_no_address_of_its_kind_is_not_managed() {
        let snapshot = assemble(vec![
            seen("vpc", "subnet.main", "vpc-1", json!({})),
            seen("vpc", "", "vpc-2", json!({})),
            seen("volume", "volume.a", "vol-1", json!({})),
        ]);
        assert!(snapshot.resources.is_empty() && snapshot.extras.is_empty());
    }
}
