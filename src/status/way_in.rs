//! The way in: the load balancer, its names, its listeners and their certificates.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{MISSING, rfc3339, state};
use crate::desired::Desired;
use crate::kinds::{listener, load_balancer, record};
use crate::model::{Address, Body, Status};
use crate::snapshot::Snapshot;

/// The load balancer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Balancer {
    pub address: Address,
    pub id: Option<String>,
    /// AWS's word: `active`; or `missing`.
    pub state: String,
    /// Whether it takes requests, by certificates that are valid.
    pub healthy: bool,
    /// The name that AWS gave it.
    pub dns_name: Option<String>,
    /// The names that lead to it.
    pub names: Vec<String>,
    pub listeners: Vec<Listener>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Listener {
    pub address: Address,
    pub port: u64,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    pub redirects_to_https: bool,
    pub certificate: Option<Certificate>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Certificate {
    pub arn: String,
    /// RFC 3339, UTC, where AWS tells it: ACM does of what the file names.
    pub expires: Option<String>,
    /// How many whole days are left until then.
    pub days_left: Option<i64>,
}

pub fn balancer(desired: &Desired, snapshot: &Snapshot, now: Timestamp) -> Option<Balancer> {
    let is_one = |address: &&Address| address.kind() == load_balancer::SCHEMA.kind;
    let mut all = snapshot.resources.keys().chain(desired.resources.keys());
    let address = all.find(is_one)?;
    let seen = snapshot.resources.get(address);
    let of_kind = |kind: &'static str| {
        let all = snapshot.resources.values();
        all.filter(move |one| one.address.kind() == kind)
    };
    let own = of_kind(listener::SCHEMA.kind)
        .filter_map(|one| listener(&one.address, &one.body, snapshot, now));
    let mut listeners: Vec<Listener> = own.collect();
    listeners.sort_by_key(|listener| listener.port);
    let names = of_kind(record::SCHEMA.kind).filter_map(|one| text(&one.body, "name"));
    let expired = |certificate: &Certificate| certificate.days_left.is_some_and(|left| left < 0);
    let valid = listeners.iter().all(|one| !one.certificate.as_ref().is_some_and(expired));
    Some(Balancer {
        address: address.clone(),
        id: seen.map(|seen| seen.live.id.clone()),
        state: match seen {
            Some(seen) => state(&seen.vitals.state, &seen.status),
            None => MISSING.to_owned(),
        },
        healthy: valid
            && !listeners.is_empty()
            && seen.is_some_and(|seen| seen.status == Status::Ready),
        dns_name: seen.and_then(|seen| seen.live.outputs.get("dns_name").cloned()),
        names: names.collect(),
        listeners,
    })
}

fn listener(
    address: &Address,
    body: &Body,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Option<Listener> {
    let certificate = text(body, "certificate").map(|arn| {
        let expires = snapshot.expires.get(&arn).copied();
        let expires = expires.and_then(|seconds| Timestamp::from_second(seconds).ok());
        let left = |at: Timestamp| (at.as_second() - now.as_second()).div_euclid(24 * 60 * 60);
        Certificate { arn, expires: expires.map(rfc3339), days_left: expires.map(left) }
    });
    Some(Listener {
        address: address.clone(),
        port: body.get("port")?.as_u64()?,
        protocol: text(body, "protocol")?,
        redirects_to_https: body.get("redirect_to_https") == Some(&Value::Bool(true)),
        certificate,
    })
}

fn text(body: &Body, field: &str) -> Option<String> {
    body.get(field)?.as_str().map(str::to_owned)
}
