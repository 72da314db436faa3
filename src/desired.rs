//! Topology -> Desired: every resource the topology asks for, every default filled in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

use crate::boot;
use crate::kinds::{
    instance, instance_profile, listener, listener_rule, load_balancer, record, security_group,
    subnet, target_group, vpc,
};
use crate::model::{
    Address, Body, Late, Link, Lookup, Schema, Texts, set_aside, sort_set, to_body,
};
use crate::topology::{
    Ami, Certificate, Diagnostics, Dns, LoadBalancer, Names, Service, Span, Topology,
};

mod data;
mod identity;
mod moved;
mod network;
mod places;
mod rolling;
mod rules;
#[cfg(test)]
mod tests;

pub use rolling::Rolling;

/// What the account should hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Desired {
    /// The topology's file.
    pub path: PathBuf,
    /// The topology's name.
    pub topology: String,
    pub account: String,
    pub region: String,
    /// Hash of the file and its variables.
    pub source_hash: String,
    pub resources: BTreeMap<Address, Body>,
    /// The long texts that bodies name.
    pub texts: Texts,
    /// What bodies name that is looked up in the account, and where the file asks for it.
    pub lookups: BTreeMap<Lookup, Span>,
    /// How the machines of services, by key, are changed while they serve.
    pub rolling: BTreeMap<String, Rolling>,
    /// Where the file asks for each resource.
    pub spans: BTreeMap<Address, Span>,
    /// Where it says a field that AWS may refuse.
    pub field_spans: BTreeMap<(Address, &'static str), Span>,
    /// The file's text, to show what is to blame.
    pub text: Box<str>,
    /// What has a name in AWS that follows from its block's key alone.
    pub named_by_key: BTreeSet<Address>,
    /// What each block of the file makes: `service.user`, `vpc`.
    pub blocks: BTreeMap<String, BTreeSet<Address>>,
    /// Addresses under which the account may still have what is now at another, and which.
    pub moved: BTreeMap<Address, Address>,
    /// What may be neither deleted nor replaced.
    pub protected: BTreeSet<Address>,
    /// Whether a database leaves a snapshot when it goes.
    pub final_snapshot: BTreeMap<Address, bool>,
}

/// The one of its kind.
const MAIN: &str = "main";
const PUBLIC: &str = "public";
const PRIVATE: &str = "private";
/// The listeners, by their protocols.
const HTTP: &str = "http";
const HTTPS: &str = "https";
const ANYWHERE: &str = "0.0.0.0/0";

/// Everything the topology asks for.
pub fn desired(topology: &Topology) -> Desired {
    let desired = Desired {
        path: topology.path.clone(),
        topology: topology.name.value.clone(),
        account: topology.account.value.clone(),
        region: topology.region.value.clone(),
        source_hash: topology.source_hash.clone(),
        text: topology.text().into(),
        ..Desired::default()
    };
    let mut build = Build { topology, desired, block: String::new(), protect: false };
    build.network();
    build.security_groups();
    if let Some(balancer) = &topology.load_balancer {
        build.load_balancer(balancer);
    }
    if let Some(dns) = &topology.dns {
        build.dns(dns);
    }
    for service in &topology.services {
        build.service(service);
    }
    build.databases();
    build.caches();
    let mut desired = build.desired;
    desired.moved = moved::moves(topology, &desired).0;
    desired
}

/// What is wrong with a topology, seen from the resources that it asks for.
///
/// # Errors
/// With the places in the file.
pub fn check(topology: &Topology, desired: &Desired) -> Result<(), Diagnostics> {
    let (_, errors) = moved::moves(topology, desired);
    if errors.is_empty() { Ok(()) } else { Err(topology.complaint(errors)) }
}

struct Build<'a> {
    topology: &'a Topology,
    desired: Desired,
    /// The block whose resources are being added.
    block: String,
    /// Whether that block protects them.
    protect: bool,
}

/// What is made again at no loss, from other things that stand: it is not protected.
pub fn made_again(kind: &str) -> bool {
    MADE_AGAIN.contains(&kind)
}

const MADE_AGAIN: &[&str] = &[
    "iam_role",
    "instance_profile",
    "ssm_parameter",
    "secret",
    "listener_rule",
    "record",
    "db_subnet_group",
    "cache_subnet_group",
];

impl Build<'_> {
    /// What is added from now on follows from this block.
    fn begin(&mut self, kind: &str, key: &str, protect: bool) {
        self.protect = protect;
        self.block = if key.is_empty() { kind.to_owned() } else { format!("{kind}.{key}") };
    }

    /// Adds a resource; lists whose order means nothing get the one order in which they compare.
    fn add(&mut self, schema: &Schema, name: &str, spec: &impl Serialize, from: Span) {
        let address = Address::new(schema.kind, name);
        let mut body = to_body(spec);
        for field in schema.fields.iter().filter(|field| field.set) {
            body.entry(field.name.to_owned()).and_modify(sort_set);
        }
        self.desired.spans.insert(address.clone(), from);
        if !self.block.is_empty() {
            self.desired.blocks.entry(self.block.clone()).or_default().insert(address.clone());
        }
        if self.protect && !made_again(schema.kind) {
            self.desired.protected.insert(address.clone());
        }
        self.desired.resources.insert(address, body);
    }

    fn named_by_key(&mut self, schema: &Schema, key: &str) {
        self.desired.named_by_key.insert(Address::new(schema.kind, key));
    }

    fn named(&self, name: &str) -> String {
        format!("{}-{name}", *self.topology.name)
    }

    fn load_balancer(&mut self, balancer: &LoadBalancer) {
        self.begin("load_balancer", "", balancer.protect);
        let spec = load_balancer::LoadBalancer {
            name: balancer.name.value.clone(),
            scheme: balancer.scheme.value.clone(),
            subnets: links(&subnet::SCHEMA, &balancer.subnets),
            security_groups: links(&security_group::SCHEMA, &balancer.security_groups),
        };
        self.add(&load_balancer::SCHEMA, MAIN, &spec, balancer.span);
        let main = Address::new(load_balancer::SCHEMA.kind, MAIN);
        let spans =
            [("name", balancer.name.span), ("security_groups", balancer.security_groups.span)];
        self.says(&main, spans);
        let target = link(&target_group::SCHEMA, &balancer.default_service);
        let redirect = balancer.redirects();
        let http = listener::Listener {
            load_balancer: link(&load_balancer::SCHEMA, MAIN),
            port: *balancer.port,
            protocol: "HTTP".to_owned(),
            certificate: Value::Null,
            ssl_policy: None,
            redirect_to_https: redirect,
            standby_target_group: Link::default(),
            default_target_group: if redirect { Link::default() } else { target.clone() },
        };
        if let Some(certificate) = &balancer.certificate {
            let (Certificate::Arn(name) | Certificate::Domain(name)) = &certificate.value;
            let certificate = self.look_up(Lookup::Certificate(name.clone()), certificate.span);
            let https = listener::Listener {
                port: 443,
                protocol: "HTTPS".to_owned(),
                certificate,
                ssl_policy: Some(listener::MODERN_TLS.to_owned()),
                redirect_to_https: false,
                default_target_group: target,
                ..http.clone()
            };
            self.add(&listener::SCHEMA, HTTPS, &https, balancer.span);
        }
        self.add(&listener::SCHEMA, HTTP, &http, balancer.span);
    }

    /// Only A: a load balancer has IPv6 where its subnets have, and this format gives them none.
    fn dns(&mut self, dns: &Dns) {
        self.begin("dns", "", false);
        let balancer = Address::new(load_balancer::SCHEMA.kind, MAIN);
        let output = |output: &str| {
            Late::Ref { address: balancer.clone(), output: Some(output.to_owned()) }.to_value()
        };
        let spec = record::Record {
            zone: self.look_up(Lookup::Zone(dns.zone.value.clone()), dns.zone.span),
            zone_name: dns.zone.value.clone(),
            name: dns.name.value.clone(),
            r#type: "A".to_owned(),
            alias_dns_name: output("dns_name"),
            alias_zone_id: output("zone_id"),
        };
        self.add(&record::SCHEMA, MAIN, &spec, dns.span);
        self.says(&Address::new(record::SCHEMA.kind, MAIN), [("name", dns.name.span)]);
    }

    fn look_up(&mut self, lookup: Lookup, from: Span) -> Value {
        let value = lookup.to_value();
        self.desired.lookups.entry(lookup).or_insert(from);
        value
    }

    /// A route's rule on each listener that serves. The one is called by the route's name alone, whichever it is.
    fn rules(&mut self, service: &Service) {
        let Some(balancer) = &self.topology.load_balancer else { return };
        let mut listeners = vec![("", HTTP)];
        if balancer.certificate.is_some() {
            listeners.insert(0, ("", HTTPS));
            listeners.truncate(if balancer.redirects() { 1 } else { 2 });
        }
        if let [_, plain] = &mut listeners[..] {
            plain.0 = ".http";
        }
        for route in &service.routes {
            for (suffix, listener) in &listeners {
                let spec = listener_rule::ListenerRule {
                    listener: link(&listener::SCHEMA, listener),
                    priority: *route.priority,
                    paths: vec![route.path.value.clone()],
                    target_group: link(&target_group::SCHEMA, &service.key),
                    standby_target_group: Link::default(),
                };
                let name = format!("{}{suffix}", *route.name);
                self.add(&listener_rule::SCHEMA, &name, &spec, route.path.span);
                let address = Address::new(listener_rule::SCHEMA.kind, &name);
                self.says(&address, [("priority", route.priority.span)]);
            }
        }
    }

    fn service(&mut self, service: &Service) {
        self.begin("service", &service.key, service.protect);
        let balanced = self.topology.is_balanced(service);
        if balanced {
            self.target_group(service);
        }
        self.rules(service);
        self.identity(service);
        let ami = match &service.ami.value {
            Ami::Id(id) => Value::String(id.clone()),
            Ami::Ssm(path) => self.look_up(Lookup::Parameter(path.clone()), service.ami.span),
        };
        let target_group =
            if balanced { link(&target_group::SCHEMA, &service.key) } else { Link::default() };
        let user_data = boot::user_data(self.topology, service);
        let user_data =
            user_data.map_or(Value::Null, |text| set_aside(&text, &mut self.desired.texts));
        for (n, subnet) in (1..=*service.count).zip(self.topology.spread(&service.subnets)) {
            let spec = instance::Instance {
                ami: ami.clone(),
                instance_type: service.instance_type.value.clone(),
                subnet: link(&subnet::SCHEMA, &subnet.key),
                security_groups: links(&security_group::SCHEMA, &service.security_groups),
                associate_public_ip_address: service.associate_public_ip.unwrap_or(subnet.public),
                key_name: service.key_name.as_ref().map(|name| name.value.clone()),
                // Version 1 of the metadata service hands credentials to whoever can make the machine fetch a URL.
                metadata_http_tokens: "required".to_owned(),
                instance_profile: link(&instance_profile::SCHEMA, &service.key),
                root_volume_size: *service.root_volume.size,
                root_volume_type: service.root_volume.volume_type.clone(),
                running: true,
                user_data: user_data.clone(),
                root_volume_encrypted: service.root_volume.encrypted,
                target_group: target_group.clone(),
            };
            let name = instance::name(&service.key, n);
            self.add(&instance::SCHEMA, &name, &spec, service.key.span);
            let spans = [
                ("ami", service.ami.span),
                ("instance_type", service.instance_type.span),
                ("subnet", service.subnets.span),
                ("count", service.count.span),
                ("root_volume_size", service.root_volume.size.span),
                ("security_groups", service.security_groups.span),
            ];
            let address = Address::new(instance::SCHEMA.kind, &name);
            self.says(&address, spans);
            if let Some(key) = &service.key_name {
                self.says(&address, [("key_name", key.span)]);
            }
        }
        self.rolling(service);
    }

    fn target_group(&mut self, service: &Service) {
        let health = &service.health_check;
        let spec = target_group::TargetGroup {
            vpc: main_vpc(),
            name: self.topology.target_group_name(service),
            port: *service.port,
            protocol: "HTTP".to_owned(),
            health_check_path: health.path.clone(),
            health_check_interval: *health.interval,
            health_check_timeout: *health.timeout,
            healthy_threshold: health.healthy_threshold,
            unhealthy_threshold: health.unhealthy_threshold,
            health_check_matcher: "200".to_owned(),
            deregistration_delay: service.deregistration_delay,
        };
        self.add(&target_group::SCHEMA, &service.key, &spec, service.key.span);
    }
}

fn main_vpc() -> Link {
    link(&vpc::SCHEMA, MAIN)
}

fn link(schema: &Schema, name: &str) -> Link {
    Link::to(&Address::new(schema.kind, name))
}

fn links(schema: &Schema, names: &Names) -> Vec<Link> {
    names.iter().map(|name| link(schema, name)).collect()
}
