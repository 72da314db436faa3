//! The stops of a walk, each read from the bodies.

use ipnet::Ipv4Net;
use serde_json::Value;

use super::hop::{Hop, merge};
use super::party::Party;
use super::scene::{Named, Scene, link, port, text};
use super::walk::{DnsName, Stop, Target, What};
use crate::kinds::{listener, record, replication_group, target_group};
use crate::model::{Address, Body, Late, walk_late};

const HTTPS: u16 = 443;

/// The load balancer, and who comes to it.
pub struct Entrance<'a> {
    address: &'a Address,
    body: &'a Body,
    party: Party,
    sender: Party,
    pub redirecting: Vec<Listener>,
    /// Those that serve, the best first: HTTPS where there is one.
    pub serving: Vec<Listener>,
}

pub struct Listener {
    pub address: Address,
    pub port: u16,
    pub protocol: String,
    pub default: Option<Named>,
    to_port: Option<u16>,
}

impl<'a> Entrance<'a> {
    pub fn find(scene: &Scene<'a>, from: Option<Ipv4Net>) -> Option<Self> {
        let (address, body) = scene.balancer()?;
        let party = Party::of(scene, address, body);
        let sender = Party::sender(scene, &party, text(body, "scheme") == "internal", from);
        let own = scene
            .of_kind(listener::SCHEMA.kind)
            .filter(|(_, body)| link(body, "load_balancer").is_some_and(|named| named.is(address)));
        let mut listeners: Vec<Listener> =
            own.map(|(address, body)| Listener::of(address, body)).collect();
        listeners.sort_by_key(|one| (one.port != HTTPS, one.protocol != "HTTPS", one.port));
        let (redirecting, serving) = listeners.into_iter().partition(|one| one.to_port.is_some());
        Some(Self { address, body, party, sender, redirecting, serving })
    }

    pub fn dns(&self, scene: &Scene<'_>) -> Stop {
        let own = scene.sight(self.address).dns_name;
        let leads_here = |(_, body): &(&Address, &Body)| {
            body.values().any(|value| names(value, self.address, own.as_deref()))
        };
        let mut names: Vec<DnsName> = scene
            .of_kind(record::SCHEMA.kind)
            .filter(leads_here)
            .map(|(record, body)| DnsName {
                name: text(body, "name").to_owned(),
                record: record.clone(),
            })
            .collect();
        // One for IPv4 and one for IPv6, in name the same.
        names.dedup_by(|a, b| a.name == b.name);
        Stop::new(What::Dns { names, own })
    }

    pub fn balancer(&self, scene: &Scene<'_>) -> Stop {
        Stop::new(What::LoadBalancer {
            address: self.address.clone(),
            name: text(self.body, "name").to_owned(),
            scheme: text(self.body, "scheme").to_owned(),
            state: scene.sight(self.address).state,
        })
    }

    /// The listeners that only redirect.
    pub fn redirects(&self, scene: &Scene<'_>) -> Vec<Stop> {
        let stop = |one: &Listener| {
            let to_port = one.to_port.unwrap_or(HTTPS);
            let leads = self.serving.iter().any(|other| other.port == to_port);
            let gap = format!("{} redirects to port {to_port}, where nothing listens", one.address);
            let (address, port) = (one.address.clone(), one.port);
            Stop::new(What::Redirect { address, port, to_port })
                .hops(self.reach(scene, port))
                .gaps((!leads).then_some(gap))
        };
        self.redirecting.iter().map(stop).collect()
    }

    pub fn listener(&self, scene: &Scene<'_>, one: &Listener) -> Stop {
        Stop::new(What::Listener {
            address: one.address.clone(),
            port: one.port,
            protocol: one.protocol.clone(),
        })
        .hops(self.reach(scene, one.port))
    }

    fn reach(&self, scene: &Scene<'_>, port: u16) -> Vec<Hop> {
        vec![Hop::check(scene, &self.sender, &self.party, port)]
    }

    /// The group's targets, and whether the load balancer gets to them.
    pub fn targets(&self, scene: &Scene<'_>, group: &Group<'_>) -> Stop {
        let zones = zones(scene, &self.party.subnets);
        let mut gaps = Vec::new();
        if group.targets.is_empty() {
            gaps.push(format!("no instance is registered with {}", group.address));
        }
        let mut hops = Vec::new();
        let mut targets = Vec::new();
        for (address, body) in &group.targets {
            let party = Party::of(scene, address, body);
            hops.push(Hop::check(scene, &self.party, &party, group.port));
            let subnet = party.subnets.first();
            let zone = subnet.and_then(|subnet| zone(scene, subnet)).unwrap_or_default();
            if !zone.is_empty() && !zones.contains(&zone) {
                gaps.push(format!("{} has no subnet in {zone}, where {address} is", self.address));
            }
            targets.push(Target {
                address: address.clone(),
                zone,
                subnet: subnet.map(ToString::to_string).unwrap_or_default(),
                health: scene.sight(address).state,
            });
        }
        Stop::new(What::Targets { targets }).hops(merge(hops)).gaps(gaps)
    }
}

impl Listener {
    fn of(address: &Address, body: &Body) -> Self {
        Self {
            address: address.clone(),
            port: port(body).unwrap_or_default(),
            protocol: text(body, "protocol").to_owned(),
            default: link(body, "default_target_group"),
            to_port: redirect(body),
        }
    }
}

/// The port to which a listener redirects everything.
fn redirect(body: &Body) -> Option<u16> {
    (body.get("redirect_to_https") == Some(&Value::Bool(true))).then_some(HTTPS)
}

/// Whether a value names the load balancer, by its address or its name in DNS.
fn names(value: &Value, balancer: &Address, own: Option<&str>) -> bool {
    let mut found = false;
    walk_late(value, &mut |late| {
        found |= matches!(late, Late::Ref { address, .. } if address == *balancer);
    });
    // Route 53 gives names a dot at the end, and AWS's console a word in front.
    let plain = |name: &str| {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        name.strip_prefix("dualstack.").map(str::to_owned).unwrap_or(name)
    };
    let same = |text: &str| own.is_some_and(|own| plain(own) == plain(text));
    found
        || match value {
            Value::String(text) => same(text),
            Value::Array(items) => items.iter().any(|item| names(item, balancer, own)),
            Value::Object(map) => map.values().any(|item| names(item, balancer, own)),
            _ => false,
        }
}

/// A target group with its targets.
pub struct Group<'a> {
    pub address: Address,
    body: &'a Body,
    pub port: u16,
    pub targets: Vec<(Address, &'a Body)>,
}

impl Group<'_> {
    pub fn stop(&self) -> Stop {
        Stop::new(What::TargetGroup {
            address: self.address.clone(),
            protocol: text(self.body, "protocol").to_owned(),
            port: self.port,
            health_check: text(self.body, "health_check_path").to_owned(),
        })
    }
}

pub fn group<'a>(scene: &Scene<'a>, named: Option<&Named>) -> Option<Group<'a>> {
    let address = named?.ours().filter(|address| address.kind() == target_group::SCHEMA.kind)?;
    let body = scene.body(address)?;
    let registered = scene.registered(address).into_iter();
    Some(Group {
        address: address.clone(),
        body,
        port: port(body).unwrap_or_default(),
        targets: registered.filter_map(|one| scene.body(&one).map(|body| (one, body))).collect(),
    })
}

pub fn no_group(scene: &Scene<'_>, rule: &str, named: Option<&Named>) -> String {
    match named {
        Some(Named::Ours(group)) => {
            format!("{rule} sends to {group}, which is not in {}", scene.place)
        }
        Some(Named::Foreign(id)) => format!("{rule} sends to {id}, which is not the topology's"),
        None => format!("{rule} sends to no target group"),
    }
}

pub fn absent(scene: &Scene<'_>, what: &str) -> Stop {
    Stop::new(What::Absent { what: what.to_owned() })
        .gaps([format!("there is no {what} in {}", scene.place)])
}

/// What the service behind the group uses, caches first, as a request meets them.
pub fn stores(scene: &Scene<'_>, group: &Group<'_>) -> Vec<Stop> {
    let service = group.address.name();
    let mut used: Vec<&Address> =
        scene.uses().filter(|(user, _)| *user == service).map(|(_, used)| used).collect();
    used.sort_by_key(|used| !replication_group::is_cache(used.kind()));
    used.into_iter().map(|used| store(scene, service, used, &group.targets)).collect()
}

/// A thing that a service uses, and whether its instances get to it.
pub fn store(scene: &Scene<'_>, service: &str, used: &Address, users: &[(Address, &Body)]) -> Stop {
    let body = scene.body(used);
    let own_port = body.and_then(port);
    let (mut hops, mut gaps) = (Vec::new(), Vec::new());
    let mut zones = Vec::new();
    match (body, own_port) {
        (None, _) => gaps.push(format!("there is no {used} in {}", scene.place)),
        (Some(_), None) => gaps.push(format!("the port of {used} is not known yet")),
        (Some(body), Some(port)) => {
            let party = Party::of(scene, used, body);
            let one = text(body, "availability_zone");
            zones = if one.is_empty() {
                self::zones(scene, &party.subnets)
            } else {
                vec![one.to_owned()]
            };
            hops = merge(users.iter().map(|(address, instance)| {
                Hop::check(scene, &Party::of(scene, address, instance), &party, port)
            }));
        }
    }
    Stop::new(What::Store {
        address: used.clone(),
        service: service.to_owned(),
        engine: body.map(|body| text(body, "engine").to_owned()).unwrap_or_default(),
        port: own_port,
        zones,
        state: scene.sight(used).state,
    })
    .hops(hops)
    .gaps(gaps)
}

fn zone(scene: &Scene<'_>, subnet: &Named) -> Option<String> {
    Some(text(scene.body(subnet.ours()?)?, "availability_zone").to_owned())
}

fn zones(scene: &Scene<'_>, subnets: &[Named]) -> Vec<String> {
    let mut zones: Vec<String> = subnets.iter().filter_map(|subnet| zone(scene, subnet)).collect();
    zones.sort();
    zones.dedup();
    zones
}
