//! What a step does, in words, and which part of the system it is of.

use std::collections::BTreeSet;

use crate::kinds::{self, instance, replication_group, target_group};
use crate::model::Address;
use crate::plan::{Step, Verb};

/// While it is done.
pub fn doing(step: &Step) -> String {
    let verb = match step.verb {
        Verb::Create => "creating",
        Verb::Update => "changing",
        Verb::Prepare => "preparing",
        Verb::Attach => "attaching",
        Verb::Serve => "waiting until healthy",
        Verb::Revoke => "revoking rules of",
        Verb::Detach if serves(&step.address) => "draining",
        Verb::Detach => "detaching",
        Verb::Delete => "deleting",
    };
    format!("{verb} {}", step.target())
}

/// When it is done.
pub fn done(step: &Step) -> String {
    let verb = match step.verb {
        Verb::Create => "created",
        Verb::Update => "changed",
        Verb::Prepare => "prepared",
        Verb::Attach => "attached",
        Verb::Serve => "healthy",
        Verb::Revoke => "rules revoked",
        Verb::Detach if serves(&step.address) => "drained",
        Verb::Detach => "detached",
        Verb::Delete => "deleted",
    };
    format!("{} {verb}", step.target())
}

/// Whether it is put into service and taken out.
fn serves(address: &Address) -> bool {
    let kind = kinds::by_name(address.kind());
    kind.is_some_and(|kind| kind.schema().fields.iter().any(|field| field.serves))
}

/// The services that these steps are of, by their machines and target groups.
pub fn services(steps: &[Step]) -> BTreeSet<&str> {
    steps.iter().filter_map(|step| service(&step.address)).collect()
}

fn service(address: &Address) -> Option<&str> {
    let group = (address.kind() == target_group::SCHEMA.kind).then(|| address.name());
    instance::service(address).or(group)
}

/// A part of the system: a service, or what services share. They are ordered as requests pass them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    place: u8,
    pub name: String,
}

/// The part that a resource belongs to.
pub fn part(address: &Address, services: &BTreeSet<&str>) -> Part {
    let key = address.name().split('/').next().unwrap_or_default();
    let (place, name) = match address.kind() {
        "vpc" | "internet_gateway" | "route_table" | "subnet" | "security_group" => (0, "network"),
        "load_balancer" | "listener" | "listener_rule" | "record" => (1, "way in"),
        "instance" => (2, instance::service(address).unwrap_or(address.name())),
        "target_group" | "iam_role" | "instance_profile" | "ssm_parameter"
            if services.contains(key) =>
        {
            (2, key)
        }
        "db_subnet_group" | "db_instance" | "secret" => (3, "databases"),
        kind if kind == "cache_subnet_group" || replication_group::is_cache(kind) => (4, "caches"),
        kind => (5, kind),
    };
    Part { place, name: name.to_owned() }
}
