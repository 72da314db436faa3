//! The door -> Snapshot: what bears our tags in the account, live ids turned back into addresses.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use naming::{Addresses, Outputs, name_links, name_outputs, name_texts};

use crate::cloud::Cloud;
use crate::desired::Desired;
use crate::error::{Error, ErrorKind, Result};
use crate::kinds::{self, Live};
use crate::model::{
    ADDRESS, APPLIED, Address, Body, Class, Duty, Field, Fingerprint, Late, Lookup, Maintenance,
    Observed, OnChange, PROTECTED, Schema, Status, Tags, TargetHealth, Texts, Vitals, reference,
    sort_set,
};

mod details;
mod naming;
mod pulse;
mod takeover;
#[cfg(test)]
mod tests;
mod unmet;
mod whole;

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
    pub maintenance: Option<Maintenance>,
    pub duty: Duty,
    pub vitals: Vitals,
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
    /// When what was looked up expires, in seconds since 1970, by the answer.
    pub expires: BTreeMap<String, i64>,
    /// The long texts that bodies name, there or in the topology.
    pub texts: Texts,
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
    .hint(
        "choose the right profile (AWS_PROFILE; `aws sts get-caller-identity` says who you are), or correct `account` in \
         the topology",
    ))
}

/// Reads what is there, of a topology that is to go: nothing it names has to be there any more.
///
/// # Errors
/// When the account is not the topology's, or a call fails.
pub async fn read_to_destroy(cloud: &dyn Cloud, desired: &Desired) -> Result<Snapshot> {
    guard(cloud, desired).await?;
    let found = cloud.read(&desired.topology, &BTreeSet::new()).await?;
    Ok(assemble(found.observed, desired))
}

/// The account as it would be if this one bore the tags of `address`.
pub fn with(
    snapshot: &Snapshot,
    found: &Observed,
    address: &Address,
    desired: &Desired,
) -> Snapshot {
    let mut adopted = found.clone();
    adopted.tags.insert(ADDRESS.to_owned(), address.to_string());
    let known = snapshot.resources.values().chain(&snapshot.extras).map(Resource::observed);
    let observed = known.chain([adopted]).collect();
    Snapshot { lookups: snapshot.lookups.clone(), ..assemble(observed, desired) }
}

/// Reads what is there, and what the topology names of the account.
///
/// # Errors
/// When the account is not the topology's, a call fails, or something named is not there.
pub async fn read(cloud: &dyn Cloud, desired: &Desired) -> Result<Snapshot> {
    let (snapshot, unknown) = look(cloud, desired).await?;
    if let Some(error) = unknown {
        return Err(error);
    }
    Ok(snapshot)
}

/// Reads what is there for who only wants to see it. Beside it, what the topology names and nobody knows, if anything: a
/// plan can't be made then.
///
/// # Errors
/// When the account is not the topology's, or a call fails.
pub async fn look(cloud: &dyn Cloud, desired: &Desired) -> Result<(Snapshot, Option<Error>)> {
    guard(cloud, desired).await?;
    let wanted = desired.lookups.keys().cloned().collect();
    let found = cloud.read(&desired.topology, &wanted).await?;
    let mut lookups = BTreeMap::new();
    let mut unknown = Vec::new();
    for (lookup, answer) in found.answers {
        match answer {
            Ok(value) => drop(lookups.insert(lookup, value)),
            Err(fault) if fault.class == Class::NotFound => {
                unknown.push(unmet::missing(&lookup, &fault, desired));
            }
            Err(fault) => return Err(fault.into()),
        }
    }
    let assembled = assemble(found.observed, desired);
    let unknown = desired.refuse(unknown).err();
    Ok((Snapshot { lookups, expires: found.expires, ..assembled }, unknown))
}

/// Puts each resource under the address that its tag gives; what has no such tag is not managed by us.
///
/// Kind by kind, in the registry's order, so that what a resource names has been decided on before. Only what stays at
/// an address is named by it: who still names another one that bears it is to be moved over.
fn assemble(observed: Vec<Observed>, desired: &Desired) -> Snapshot {
    let users = users(&observed);
    let mut by_kind: BTreeMap<&'static str, Vec<Resource>> = BTreeMap::new();
    for seen in observed {
        let address = seen.address();
        let address = address.map(|tag| desired.moved.get(&tag).cloned().unwrap_or(tag));
        let kind = kinds::by_name(&seen.kind);
        if let (Some(address), Some(kind)) = (address, kind)
            && address.kind() == seen.kind
        {
            by_kind.entry(kind.schema().kind).or_default().push(resource(address, seen));
        }
    }
    let mut snapshot = Snapshot { texts: desired.texts.clone(), ..Snapshot::default() };
    let mut kept = Addresses::new();
    for kind in kinds::REGISTRY {
        let schema = kind.schema();
        let mut all = by_kind.remove(schema.kind).unwrap_or_default();
        for resource in &mut all {
            name_links(resource, schema, &kept);
            name_texts(resource, schema, &mut snapshot.texts);
        }
        takeover::take_over(schema, &mut all, desired);
        // Of two that bear one address, that stays which is more what is wanted, then the one that did not move there,
        // then the one that serves, then the one that more of ours stands on, then the readier; ids decide between equals, so that every run agrees.
        all.sort_by_cached_key(|resource| {
            let wanted = desired.resources.get(&resource.address);
            let misfits = wanted.map_or(0, |wanted| misfits(schema, resource, wanted));
            let status = rank(&resource.status);
            let moved = resource.moved_from().is_some();
            let idle = (!resource.is_in_service(), resource.duty.sick);
            let id = resource.live.id.clone();
            let unused = Reverse(users.get(&(schema.kind, id.clone())).copied().unwrap_or(0));
            (status == LEAVING, misfits, moved, idle, unused, status, id)
        });
        for resource in all {
            if rank(&resource.status) == LEAVING
                || snapshot.resources.contains_key(&resource.address)
            {
                snapshot.extras.push(resource);
            } else {
                let key = (schema.kind.to_owned(), resource.live.id.clone());
                kept.insert(key, resource.address.clone());
                snapshot.resources.insert(resource.address.clone(), resource);
            }
        }
    }
    let mut outputs = Outputs::new();
    for (address, resource) in &snapshot.resources {
        for (name, text) in &resource.live.outputs {
            let output = Late::Ref { address: address.clone(), output: Some(name.clone()) };
            outputs.entry(text.clone()).or_default().push(output.to_value());
        }
    }
    // Resources may name their like, too.
    for resource in snapshot.resources.values_mut().chain(&mut snapshot.extras) {
        if let Some(kind) = kinds::by_name(resource.address.kind()) {
            name_links(resource, kind.schema(), &kept);
            name_outputs(resource, kind.schema(), &outputs);
        }
    }
    snapshot
}

/// How many others name each thing, by its kind and id.
fn users(observed: &[Observed]) -> BTreeMap<(&'static str, String), usize> {
    let mut users = BTreeMap::new();
    for seen in observed {
        let fields = kinds::by_name(&seen.kind).map_or(&[][..], |kind| kind.schema().fields);
        for field in fields {
            let (Some(kind), Some(value)) = (field.named_kind(), seen.body.get(field.name)) else {
                continue;
            };
            for id in field.links(value).into_iter().filter_map(Value::as_str) {
                *users.entry((kind, id.to_owned())).or_default() += 1;
            }
        }
    }
    users
}

fn resource(address: Address, seen: Observed) -> Resource {
    Resource {
        applied: Fingerprint::parse(seen.tags.get(APPLIED).map_or("", String::as_str)),
        address,
        body: seen.body.clone(),
        tags: seen.tags.clone(),
        status: seen.status,
        maintenance: seen.maintenance,
        duty: seen.duty,
        vitals: seen.vitals,
        live: Live { id: seen.id, outputs: seen.outputs, body: seen.body, tags: seen.tags },
    }
}

impl Resource {
    /// The address that its tag still gives, where the topology has moved it to another.
    pub fn moved_from(&self) -> Option<Address> {
        let tag: Address = self.tags.get(ADDRESS)?.parse().ok()?;
        (tag != self.address).then_some(tag)
    }

    /// Whether it may get requests: it is up, and registered where its kind is.
    pub fn is_in_service(&self) -> bool {
        let fields = kinds::by_name(self.address.kind()).map_or(&[][..], |k| k.schema().fields);
        let mut serving = fields.iter().filter(|field| field.serves);
        self.status == Status::Ready
            && serving.all(|field| {
                self.live.body.get(field.name).is_some_and(|value| *value != field.start())
            })
    }

    /// As the account told of it.
    fn observed(&self) -> Observed {
        Observed {
            kind: self.address.kind().to_owned(),
            id: self.live.id.clone(),
            tags: self.tags.clone(),
            body: self.live.body.clone(),
            outputs: self.live.outputs.clone(),
            status: self.status.clone(),
            maintenance: self.maintenance.clone(),
            place: 0,
            duty: self.duty.clone(),
            vitals: self.vitals.clone(),
        }
    }

    /// Whether it may be neither deleted nor replaced. What is on its way out can't be protected any more.
    pub fn is_protected(&self) -> bool {
        let tagged = self.tags.get(PROTECTED).is_some_and(|tag| tag == "true");
        tagged && rank(&self.status) != LEAVING
    }
}

/// How many fields would take another resource in its stead.
fn misfits(schema: &Schema, resource: &Resource, wanted: &Body) -> usize {
    let misfit = |field: &&Field| match (resource.body.get(field.name), wanted.get(field.name)) {
        // The old one and its successor were both applied with the same reference: only what it leads to tells them
        // apart.
        (Some(live), Some(wanted)) => {
            let applied = || resource.applied.holds(field.name, wanted);
            live != wanted && (field.named_kind().is_some() || !applied())
        }
        _ => false,
    };
    let replacing = schema.fields.iter().filter(|field| field.on_change == OnChange::Replace);
    replacing.filter(misfit).count()
}

impl Snapshot {
    /// What the target groups find of the machines.
    pub fn health(&self) -> impl Iterator<Item = &TargetHealth> {
        let all = self.resources.values().chain(&self.extras);
        all.flat_map(|one| &one.vitals.health)
    }

    /// All that bears the address, what stays first.
    pub fn at(&self, address: &Address) -> impl Iterator<Item = &Resource> {
        let extras = self.extras.iter().filter(move |resource| resource.address == *address);
        self.resources.get(address).into_iter().chain(extras)
    }

    /// The live resource of this address and id, kept or leaving.
    pub fn find(&self, address: &Address, id: &str) -> Option<&Resource> {
        self.at(address).find(|resource| resource.live.id == id)
    }

    /// Whether a live value is the desired one but for naming a resource that leaves where one that stays, or comes,
    /// is meant.
    pub fn names_leaving(&self, field: &Field, live: &Value, desired: &Value) -> bool {
        let mut value = live.clone();
        let mut found = false;
        for link in field.links_mut(&mut value) {
            let id = link.as_str().unwrap_or_default();
            let leaving = self.extras.iter().find(|extra| {
                field.named_kind() == Some(extra.address.kind()) && extra.live.id == id
            });
            if let Some(extra) = leaving {
                *link = reference(&extra.address);
                found = true;
            }
        }
        if field.set {
            sort_set(&mut value);
        }
        found && value == *desired
    }
}

/// The rank of what is on its way out.
const LEAVING: u8 = 3;

fn rank(status: &Status) -> u8 {
    match status {
        Status::Ready => 0,
        Status::Pending(_) => 1,
        Status::Failed(_) => 2,
        Status::Deleting | Status::Gone => LEAVING,
    }
}
