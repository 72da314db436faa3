//! What belongs where: zones and their subnets side by side, and a row for each service and for what several share.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::picture::Picture;
use crate::kinds::{
    self, instance, internet_gateway, listener, listener_rule, load_balancer, record, route_table,
    security_group, subnet, target_group, vpc,
};
use crate::model::{Address, Body, Late, Reference, walk_late};
use crate::trace::{Named, link, links, number, text, texts};

/// Everything there is, by its place.
#[derive(Clone, Debug, Default)]
pub struct Scene<'a> {
    /// Names in DNS that lead to a load balancer.
    pub records: Vec<&'a Address>,
    pub balancers: Vec<Balancer<'a>>,
    pub vpc: Option<&'a Address>,
    pub zones: Vec<Zone<'a>>,
    /// Services in the order of their rules; then what several share, and what nobody uses.
    pub rows: Vec<Row<'a>>,
    pub firewalls: Vec<Firewall<'a>>,
    /// What has no place of its own, by kind.
    pub others: BTreeMap<&'a str, Vec<&'a Address>>,
}

#[derive(Clone, Debug)]
pub struct Balancer<'a> {
    pub address: &'a Address,
    pub internal: bool,
    pub listeners: Vec<Listener<'a>>,
}

#[derive(Clone, Debug)]
pub struct Listener<'a> {
    pub address: &'a Address,
    /// It only sends people to the one that serves.
    pub redirects: bool,
    /// In the order in which they are asked; the default last.
    pub rules: Vec<Rule<'a>>,
}

#[derive(Clone, Debug)]
pub struct Rule<'a> {
    /// The rule, or of a default the listener.
    pub address: &'a Address,
    /// None: the default.
    pub priority: Option<u64>,
    pub patterns: Vec<String>,
    pub target: Target<'a>,
}

/// Where a rule sends requests.
#[derive(Clone, Debug, PartialEq)]
pub enum Target<'a> {
    Group(&'a Address),
    /// By its name: what is not of the topology, or not there.
    Elsewhere(String),
    Nowhere,
}

#[derive(Clone, Debug)]
pub struct Zone<'a> {
    pub name: &'a str,
    /// The public ones first.
    pub subnets: Vec<Subnet<'a>>,
}

#[derive(Clone, Debug)]
pub struct Subnet<'a> {
    pub address: &'a Address,
    /// Whether its routes lead to the internet.
    pub public: bool,
}

/// A service, with what is its own; or what is nobody's own.
#[derive(Clone, Debug, Default)]
pub struct Row<'a> {
    pub name: &'a str,
    pub groups: Vec<&'a Address>,
    pub fleets: Vec<Fleet<'a>>,
    pub stores: Vec<Store<'a>>,
    /// Every database and cache that it speaks to.
    pub uses: Vec<&'a Address>,
}

/// The machines of a service in a subnet.
#[derive(Clone, Debug)]
pub struct Fleet<'a> {
    pub subnet: &'a Address,
    pub machines: Vec<&'a Address>,
}

/// A database or a cache.
#[derive(Clone, Debug)]
pub struct Store<'a> {
    pub address: &'a Address,
    pub subnet: &'a Address,
    /// The subnets of its standby, or of its replicas that are no things of their own.
    pub copies: Vec<&'a Address>,
}

#[derive(Clone, Debug)]
pub struct Firewall<'a> {
    pub address: &'a Address,
    /// How many lie before it: what comes from none of ours is 0.
    pub depth: usize,
    pub doors: Vec<Door<'a>>,
}

/// What one peer may come in by.
#[derive(Clone, Debug)]
pub struct Door<'a> {
    pub peer: String,
    /// The peer, where it is a security group of ours.
    pub group: Option<&'a Address>,
    /// `tcp 80, 443`, `udp 53`, `all`.
    pub ports: String,
}

/// The field by which databases and caches name their subnets.
const SUBNET_GROUP: &str = "subnet_group";

impl<'a> Scene<'a> {
    pub fn of(picture: &'a Picture) -> Self {
        let bodies = Bodies(&picture.bodies);
        let mut scene = Self {
            records: bodies.of_kind(record::SCHEMA.kind).map(|(one, _)| one).collect(),
            balancers: balancers(bodies),
            vpc: bodies.of_kind(vpc::SCHEMA.kind).map(|(one, _)| one).next(),
            zones: zones(bodies),
            rows: Vec::new(),
            firewalls: super::firewalls::firewalls(bodies),
            others: BTreeMap::new(),
        };
        scene.rows = super::rows::rows(bodies, &scene);
        let placed = scene.placed();
        for one in picture.bodies.keys().filter(|one| !placed.contains(one)) {
            scene.others.entry(one.kind()).or_default().push(one);
        }
        scene
    }

    pub fn subnets(&self) -> impl Iterator<Item = &Subnet<'a>> {
        self.zones.iter().flat_map(|zone| &zone.subnets)
    }

    pub fn rules(&self) -> impl Iterator<Item = &Rule<'a>> {
        self.listeners().flat_map(|listener| &listener.rules)
    }

    pub fn listeners(&self) -> impl Iterator<Item = &Listener<'a>> {
        self.balancers.iter().flat_map(|balancer| &balancer.listeners)
    }

    fn placed(&self) -> BTreeSet<&'a Address> {
        let mut placed: BTreeSet<&Address> = self.records.iter().copied().chain(self.vpc).collect();
        placed.extend(self.balancers.iter().map(|one| one.address));
        placed.extend(self.listeners().map(|one| one.address));
        placed.extend(self.rules().map(|one| one.address));
        placed.extend(self.subnets().map(|one| one.address));
        placed.extend(self.firewalls.iter().map(|one| one.address));
        for row in &self.rows {
            placed.extend(row.groups.iter().copied());
            placed.extend(row.fleets.iter().flat_map(|fleet| fleet.machines.iter().copied()));
            placed.extend(row.stores.iter().map(|store| store.address));
        }
        placed
    }
}

/// The bodies, to be asked.
#[derive(Clone, Copy)]
pub(super) struct Bodies<'a>(pub &'a BTreeMap<Address, Body>);

impl<'a> Bodies<'a> {
    pub fn of_kind(self, kind: &str) -> impl Iterator<Item = (&'a Address, &'a Body)> {
        self.0.iter().filter(move |(address, _)| address.kind() == kind)
    }

    /// What a field names, as the address under which it is here.
    pub fn named(self, body: &Body, field: &str) -> Option<&'a Address> {
        self.here(&link(body, field)?)
    }

    pub fn here(self, named: &Named) -> Option<&'a Address> {
        self.0.get_key_value(named.ours()?).map(|(address, _)| address)
    }

    pub fn get(self, address: &Address) -> Option<&'a Body> {
        self.0.get(address)
    }

    /// Databases and caches.
    pub fn stores(self) -> impl Iterator<Item = (&'a Address, &'a Body)> {
        let stands = |address: &Address| {
            let schema = kinds::by_name(address.kind()).map(|kind| kind.schema());
            schema.is_some_and(|schema| schema.field(SUBNET_GROUP).is_some())
        };
        self.0.iter().filter(move |(address, _)| stands(address))
    }

    /// The subnets in which a database or cache may stand.
    pub fn grounds(self, store: &Body) -> Vec<&'a Address> {
        let group = self.named(store, SUBNET_GROUP).and_then(|group| self.get(group));
        let named = group.map(|group| links(group, "subnets")).unwrap_or_default();
        named.iter().filter_map(|one| self.here(one)).collect()
    }

    pub fn zone(self, subnet: &Address) -> &'a str {
        self.get(subnet).map_or("", |body| text(body, "availability_zone"))
    }

    /// What each service is told outputs of: `ssm_parameter.user/DATABASE_HOST` is for `user`, and so is `iam_role.user`.
    pub fn told(self) -> BTreeMap<&'a str, BTreeSet<&'a Address>> {
        let mut told: BTreeMap<&str, BTreeSet<&Address>> = BTreeMap::new();
        for (address, body) in self.0 {
            let fields =
                kinds::by_name(address.kind()).map_or(&[][..], |kind| kind.schema().fields);
            let outputs = fields.iter().filter(|field| field.reference == Reference::Outputs);
            let owner = address.name().split('/').next().unwrap_or_default();
            for value in outputs.filter_map(|field| body.get(field.name)) {
                walk_late(value, &mut |late| {
                    if let Late::Ref { address, .. } = late {
                        let here = self.0.get_key_value(&address).map(|(address, _)| address);
                        told.entry(owner).or_default().extend(here);
                    }
                });
            }
        }
        told
    }
}

fn balancers(bodies: Bodies<'_>) -> Vec<Balancer<'_>> {
    let all = bodies.of_kind(load_balancer::SCHEMA.kind);
    all.map(|(address, body)| {
        let internal = text(body, "scheme") == "internal";
        let own = bodies
            .of_kind(listener::SCHEMA.kind)
            .filter(|(_, body)| bodies.named(body, "load_balancer") == Some(address));
        let mut listeners: Vec<(bool, u64, Listener<'_>)> = own
            .map(|(address, body)| {
                let listener = self::listener(bodies, address, body);
                (listener.redirects, number(body, "port").unwrap_or_default(), listener)
            })
            .collect();
        listeners.sort_by_key(|(redirects, port, _)| (*redirects, *port));
        let listeners = listeners.into_iter().map(|(_, _, listener)| listener).collect();
        Balancer { address, internal, listeners }
    })
    .collect()
}

fn listener<'a>(bodies: Bodies<'a>, address: &'a Address, body: &'a Body) -> Listener<'a> {
    let redirects = body.get("redirect_to_https") == Some(&Value::Bool(true));
    let own = bodies
        .of_kind(listener_rule::SCHEMA.kind)
        .filter(|(_, body)| bodies.named(body, "listener") == Some(address));
    let mut rules: Vec<Rule<'a>> = own
        .map(|(address, body)| Rule {
            address,
            priority: Some(number(body, "priority").unwrap_or(u64::MAX)),
            patterns: texts(body, "paths"),
            target: target(bodies, body, "target_group"),
        })
        .collect();
    rules.sort_by_key(|rule| (rule.priority, rule.address));
    if !redirects {
        let target = target(bodies, body, "default_target_group");
        rules.push(Rule { address, priority: None, patterns: Vec::new(), target });
    }
    Listener { address, redirects, rules }
}

fn target<'a>(bodies: Bodies<'a>, body: &Body, field: &str) -> Target<'a> {
    match link(body, field) {
        None => Target::Nowhere,
        Some(named) => match bodies.here(&named) {
            Some(group) if group.kind() == target_group::SCHEMA.kind => Target::Group(group),
            _ => Target::Elsewhere(named.to_string()),
        },
    }
}

fn zones(bodies: Bodies<'_>) -> Vec<Zone<'_>> {
    let mut zones: BTreeMap<&str, Vec<Subnet<'_>>> = BTreeMap::new();
    for (address, body) in bodies.of_kind(subnet::SCHEMA.kind) {
        let subnet = Subnet { address, public: leads_out(bodies, body) };
        zones.entry(text(body, "availability_zone")).or_default().push(subnet);
    }
    for subnets in zones.values_mut() {
        subnets.sort_by_key(|subnet| (!subnet.public, subnet.address));
    }
    zones.into_iter().map(|(name, subnets)| Zone { name, subnets }).collect()
}

/// Whether a subnet's routes name a gateway to the internet.
fn leads_out(bodies: Bodies<'_>, subnet: &Body) -> bool {
    let table = bodies.named(subnet, route_table::SCHEMA.kind).and_then(|table| bodies.get(table));
    let ways = route_table::SCHEMA.fields.iter();
    let mut ways = ways.filter(|field| field.named_kind() == Some(internet_gateway::SCHEMA.kind));
    let named = |value| {
        ways.any(|field| {
            let routes: Option<&Value> = Body::get(value, field.name);
            routes.is_some_and(|routes| !field.links(routes).is_empty())
        })
    };
    table.is_some_and(named)
}

/// The service that a machine is of, by its target group or its name.
pub(super) fn service<'a>(bodies: Bodies<'a>, address: &'a Address, body: &Body) -> &'a str {
    let group = bodies.named(body, target_group::SCHEMA.kind).map(Address::name);
    group.or_else(|| instance::service(address)).unwrap_or_else(|| address.name())
}

/// The name of a security group, or whatever else a rule's other side is.
pub(super) fn peer(bodies: Bodies<'_>, named: &Named) -> String {
    match bodies.here(named).filter(|one| one.kind() == security_group::SCHEMA.kind) {
        Some(group) => {
            let own = bodies.get(group).map_or("", |body| text(body, "name"));
            if own.is_empty() { group.name().to_owned() } else { own.to_owned() }
        }
        None => named.to_string(),
    }
}
