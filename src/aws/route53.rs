//! What Route 53 tells the records' kind and the lookups: the zones, and records by their place in a zone.

use aws_sdk_route53::types::{ResourceRecordSet, RrType};
use tokio::sync::OnceCell;

use super::{Aws, Reading, fault};
use crate::model::{Condition, Fault, Grant, Scope};

pub const LIST: &str = "route53:ListResourceRecordSets";

/// How many calls to have under way at once: Route 53 takes five a second of an account, whoever makes them.
/// Source: <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html>
pub const AT_ONCE: usize = 5;

/// How many records a page holds at most.
/// Source: <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html>
pub const PAGE: i32 = 300;

pub const ZONES: &[&str] = &["arn:{partition}:route53:::hostedzone/*"];
/// Records of the topology's zone, of the types that we make:
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html>
static OF_ZONE: Scope = Scope::new(
    "RecordsOfTheZone",
    &[
        Condition::new(
            "ForAllValues:StringLike",
            "route53:ChangeResourceRecordSetsNormalizedRecordNames",
            &["{record.zone_name}", "*.{record.zone_name}"],
        ),
        Condition::new(
            "ForAllValues:StringEquals",
            "route53:ChangeResourceRecordSetsRecordTypes",
            &["A", "AAAA", "TXT"],
        ),
    ],
);

/// Leave to change them.
pub const RECORDS: Grant = Grant::within(&OF_ZONE, ZONES);

/// What several rooms read, asked for once a reading.
#[derive(Default)]
pub struct Shared {
    zones: OnceCell<Vec<Zone>>,
}

/// A public hosted zone.
#[derive(Debug)]
pub struct Zone {
    pub id: String,
    /// Without a dot at its end.
    pub name: String,
    /// How many records it has.
    pub records: i64,
}

impl Shared {
    /// Every public zone of the account.
    pub async fn public_zones(&self, read: &Reading<'_>) -> Result<&Vec<Zone>, Fault> {
        self.zones
            .get_or_try_init(|| async {
                let pages = read.aws.route53.list_hosted_zones().into_paginator().items().send();
                let all: Vec<_> = pages
                    .collect::<Result<_, _>>()
                    .await
                    .map_err(fault("route53:ListHostedZones"))?;
                let public = all
                    .into_iter()
                    .filter(|zone| !zone.config().is_some_and(|config| config.private_zone()));
                let zones = public.map(|zone| Zone {
                    id: zone.id().trim_start_matches("/hostedzone/").to_owned(),
                    name: plain(zone.name()),
                    // One that does not say is taken for a large one.
                    records: zone.resource_record_set_count().unwrap_or(i64::MAX),
                });
                Ok(zones.collect())
            })
            .await
    }
}

/// Where to begin to read in a zone.
pub struct Start {
    name: Option<String>,
    kind: Option<RrType>,
    id: Option<String>,
}

impl Start {
    pub fn of_zone() -> Self {
        Self { name: None, kind: None, id: None }
    }

    pub fn name(name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..Self::of_zone() }
    }
}

/// At most so many of a zone's records, and where those that follow begin. They come ordered by their labels from the
/// last to the first, and by type.
pub async fn page(
    aws: &Aws,
    zone: &str,
    from: Start,
    most: i32,
) -> Result<(Vec<ResourceRecordSet>, Option<Start>), Fault> {
    let call = aws.route53.list_resource_record_sets().hosted_zone_id(zone).max_items(most);
    let call = call.set_start_record_name(from.name).set_start_record_type(from.kind);
    let answer = call.set_start_record_identifier(from.id).send().await.map_err(fault(LIST))?;
    let next = answer.is_truncated.then_some(Start {
        name: answer.next_record_name,
        kind: answer.next_record_type,
        id: answer.next_record_identifier,
    });
    Ok((answer.resource_record_sets, next))
}

/// The record of this name and type.
pub async fn at(
    aws: &Aws,
    zone: &str,
    name: &str,
    kind: &str,
) -> Result<Option<ResourceRecordSet>, Fault> {
    let from = Start { kind: Some(RrType::from(kind)), ..Start::name(name) };
    let (found, _) = page(aws, zone, from, 1).await?;
    Ok(found.into_iter().find(|set| is_at(set, name, kind)))
}

pub fn is_at(set: &ResourceRecordSet, name: &str, kind: &str) -> bool {
    plain(set.name()) == name.to_lowercase() && set.r#type().as_str() == kind
}

/// A name without the dot at its end and the escapes that Route 53 puts in.
pub fn plain(name: &str) -> String {
    name.trim_end_matches('.').replace("\\052", "*").to_lowercase()
}
