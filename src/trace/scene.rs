//! What a walk goes through: the bodies of the file, or of the account, and what is known beyond them.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

use serde_json::Value;

use super::firewall::Side;
use crate::desired::Desired;
use crate::kinds::{
    db_instance, instance, load_balancer, replication_group, security_group, target_group,
};
use crate::model::{Address, Body, Late, Status, late};
use crate::snapshot::{Resource, Snapshot};
use crate::topology::{Topology, Use};

/// What each service speaks to.
pub type Uses = BTreeMap<String, Vec<Address>>;

/// What the topology says the services use.
pub fn uses(topology: &Topology) -> Uses {
    let named = |used: &Use| match used {
        Use::Database(key) => {
            let replicas = topology.database(key).map_or(0, |database| *database.replicas);
            let replicas = (1..=replicas).map(|n| db_instance::replica_address(key, n));
            [Address::new(db_instance::SCHEMA.kind, key)].into_iter().chain(replicas).collect()
        }
        Use::Cache(key) => {
            let replicas = topology.cache(key).map_or(0, |cache| *cache.replicas);
            vec![Address::new(replication_group::schema_of_cache(replicas).kind, key)]
        }
    };
    let of = |service: &crate::topology::Service| {
        let used = service.uses.iter().flat_map(|used| -> Vec<Address> { named(&used.value) });
        (service.key.value.clone(), used.collect())
    };
    topology.services.iter().map(of).collect()
}

/// A rule, and its other side.
pub(super) type Peered = (security_group::Rule, Named);

/// What the account alone knows of a resource.
#[derive(Clone, Debug, Default)]
pub(super) struct Sight {
    /// Its state or health, where there is something to say.
    pub state: Option<String>,
    pub private_ip: Option<Ipv4Addr>,
    pub dns_name: Option<String>,
}

/// The bodies by address, from the file or the account.
#[derive(Clone, Debug)]
pub struct Scene<'a> {
    resources: BTreeMap<&'a Address, &'a Body>,
    sights: BTreeMap<&'a Address, Sight>,
    /// The rules of security groups, read once: each hop asks them.
    rules: BTreeMap<&'a Address, [Vec<Peered>; 2]>,
    uses: &'a Uses,
    /// `the topology` or `the account`.
    pub(super) place: &'static str,
}

impl<'a> Scene<'a> {
    pub fn of_bodies(bodies: &'a BTreeMap<Address, Body>, uses: &'a Uses) -> Self {
        Self::new(bodies.iter().collect(), uses, "the topology")
    }

    pub fn of_file(desired: &'a Desired, uses: &'a Uses) -> Self {
        Self::of_bodies(&desired.resources, uses)
    }

    /// The account, and what target groups find of the machines.
    pub fn of_account(snapshot: &'a Snapshot, uses: &'a Uses) -> Self {
        let seen = &snapshot.resources;
        let resources = seen.iter().map(|(address, seen)| (address, &seen.body)).collect();
        let sights = seen.iter().map(|(address, seen)| (address, sight(seen))).collect();
        Self { sights, ..Self::new(resources, uses, "the account") }
    }

    fn new(
        resources: BTreeMap<&'a Address, &'a Body>,
        uses: &'a Uses,
        place: &'static str,
    ) -> Self {
        let groups = resources.iter().filter(|(a, _)| a.kind() == security_group::SCHEMA.kind);
        let read = |body: &Body| ["ingress", "egress"].map(|field| peered(body, field));
        let rules = groups.map(|(address, body)| (*address, read(body))).collect();
        Self { resources, sights: BTreeMap::new(), rules, uses, place }
    }

    /// The rules of a security group, where they are known.
    pub(super) fn rules(&self, group: &Address, side: Side) -> Option<&[Peered]> {
        let [ingress, egress] = self.rules.get(group)?;
        Some(if side == Side::Egress { egress } else { ingress })
    }

    pub(super) fn body(&self, address: &Address) -> Option<&'a Body> {
        self.resources.get(address).copied()
    }

    pub(super) fn of_kind(&self, kind: &str) -> impl Iterator<Item = (&'a Address, &'a Body)> {
        let all = self.resources.iter().map(|(address, body)| (*address, *body));
        all.filter(move |(address, _)| address.kind() == kind)
    }

    /// What it names, if that is there.
    pub(super) fn named(&self, body: &Body, field: &str) -> Option<(Address, &'a Body)> {
        let address = link(body, field)?.ours()?.clone();
        let body = self.body(&address)?;
        Some((address, body))
    }

    pub(super) fn sight(&self, address: &Address) -> Sight {
        self.sights.get(address).cloned().unwrap_or_default()
    }

    pub(super) fn uses(&self) -> impl Iterator<Item = (&'a str, &'a Address)> {
        let uses: &'a Uses = self.uses;
        uses.iter().flat_map(|(service, used)| used.iter().map(move |one| (service.as_str(), one)))
    }

    /// The instances of a service, by their names.
    pub(super) fn fleet(&self, service: &str) -> Vec<Address> {
        let of = |address: &Address| {
            let (name, number) = address.name().rsplit_once('-')?;
            Some(name == service && number.chars().all(|c| c.is_ascii_digit()))
        };
        let all = self.of_kind(instance::SCHEMA.kind).map(|(address, _)| address);
        all.filter(|address| of(address).unwrap_or(false)).cloned().collect()
    }

    /// The instances registered with a target group.
    pub(super) fn registered(&self, group: &Address) -> Vec<Address> {
        let all = self.of_kind(instance::SCHEMA.kind);
        let own = all.filter(|(_, body)| {
            link(body, target_group::SCHEMA.kind).is_some_and(|named| named.is(group))
        });
        own.map(|(address, _)| address.clone()).collect()
    }

    /// The load balancer; a topology has one.
    pub(super) fn balancer(&self) -> Option<(&'a Address, &'a Body)> {
        self.of_kind(load_balancer::SCHEMA.kind).next()
    }
}

fn peered(group: &Body, field: &str) -> Vec<Peered> {
    let items = group.get(field).and_then(Value::as_array).into_iter().flatten();
    let read = |item: &Value| {
        Some((serde_json::from_value(item.clone()).ok()?, Named::of(item.get("peer")?)?))
    };
    items.filter_map(read).collect()
}

fn sight(seen: &Resource) -> Sight {
    let output = |name: &str| seen.live.outputs.get(name);
    let state = match &seen.status {
        Status::Ready if seen.address.kind() != instance::SCHEMA.kind => None,
        // A target group has no word for what is not registered with it.
        Status::Ready => {
            let mut serving = seen.vitals.health.iter().filter(|one| !one.is_draining());
            serving.next().map(ToString::to_string)
        }
        Status::Pending(state) | Status::Failed(state) => Some(state.clone()),
        Status::Deleting | Status::Gone => Some("deleting".to_owned()),
    };
    Sight {
        state,
        private_ip: output("private_ip").and_then(|ip| ip.parse().ok()),
        dns_name: output("dns_name").or_else(|| output("endpoint")).cloned(),
    }
}

/// What a field names: something of the topology, or by its id something that is not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    Ours(Address),
    Foreign(String),
}

impl Named {
    pub fn of(value: &Value) -> Option<Self> {
        match late(value) {
            Some(Late::Ref { address, .. }) => Some(Self::Ours(address)),
            _ => value.as_str().filter(|id| !id.is_empty()).map(|id| Self::Foreign(id.to_owned())),
        }
    }

    pub fn ours(&self) -> Option<&Address> {
        match self {
            Self::Ours(address) => Some(address),
            Self::Foreign(_) => None,
        }
    }

    pub fn is(&self, address: &Address) -> bool {
        self.ours() == Some(address)
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(address) => address.fmt(f),
            Self::Foreign(id) => f.write_str(id),
        }
    }
}

pub(crate) fn text<'a>(body: &'a Body, field: &str) -> &'a str {
    body.get(field).and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn number(body: &Body, field: &str) -> Option<u64> {
    body.get(field).and_then(Value::as_u64)
}

pub(super) fn port(body: &Body) -> Option<u16> {
    number(body, "port").and_then(|port| u16::try_from(port).ok())
}

pub(crate) fn texts(body: &Body, field: &str) -> Vec<String> {
    let items = body.get(field).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(crate) fn link(body: &Body, field: &str) -> Option<Named> {
    body.get(field).and_then(Named::of)
}

pub(crate) fn links(body: &Body, field: &str) -> Vec<Named> {
    let items = body.get(field).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Named::of).collect()
}
