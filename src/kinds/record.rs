//! A name in Route 53 that leads to the load balancer.
//!
//! Records bear no tags. For each of ours there is a TXT record in the zone that says whose it is, much as external-dns
//! does it; both are made in one batch, which Route 53 does as a whole or not at all. A record without one is never
//! touched.
//!
//! These marks stand together below `_ecdeploy.ZONE`, since Route 53 lists a zone from its last labels on: a zone may
//! have ten thousand records, and only the marks and what they name are of interest.

mod place;
mod terraform;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};
use aws_smithy_types::error::operation::BuildError;
use futures_util::future::{try_join, try_join_all};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use place::{MARKS, Place};

use super::terraform::Terraform;
use super::{Kind, Live, form};
use crate::aws::absent::unless_gone;
use crate::aws::route53::{self, AT_ONCE, LIST, PAGE, Start, Zone, plain};
use crate::aws::{Aws, Reading, fault, marks};
use crate::model::question::{Name, Namesake, Namesakes};
use crate::model::{
    ADDRESS, ANYWHERE, Body, Calls, Class, Created, Fault, Field, Grant, Observed, Operation,
    Schema, Standing, Status, TOPOLOGY, Tags, Timing,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The hosted zone's id, or late by its name: `Lookup::Zone`.
    pub zone: Value,
    /// The zone's name, without a dot at its end.
    pub zone_name: String,
    /// Without a dot at its end.
    pub name: String,
    /// `A` or `AAAA`.
    pub r#type: String,
    /// The load balancer's output `dns_name`.
    pub alias_dns_name: Value,
    /// The load balancer's output `zone_id`.
    pub alias_zone_id: Value,
}

pub static SCHEMA: Schema = Schema {
    kind: "record",
    fields: &[
        Field::replace("zone"),
        Field::replace("zone_name"),
        Field::replace("name"),
        Field::replace("type"),
        Field::in_place("alias_dns_name").names_outputs(),
        Field::in_place("alias_zone_id").names_outputs(),
    ],
    outputs: &[],
    id: "{zone}_{name}_{type}",
    unique: &["zone", "name", "type"],
    timing: Timing { create: 2, update: 2, delete: 2, poll: 2 },
    calls: Calls::ROUTE53,
};

const CHANGE: &str = "route53:ChangeResourceRecordSets";
/// AWS's code for a batch of which a change can't be made.
const REFUSED: &str = "InvalidChangeBatch";
/// Seconds for which the world may remember our TXT record.
const TTL: i64 = 300;

static OPERATIONS: &[Operation] = &[
    Operation::plan("route53:ListHostedZones", ANYWHERE),
    Operation::plan("route53:ListResourceRecordSets", &[Grant::named(route53::ZONES)]),
    Operation::creation("route53:ChangeResourceRecordSets", &[route53::RECORDS]),
];

pub struct Wire;

#[async_trait]
impl Kind for Wire {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    fn terraform(&self) -> &'static Terraform {
        &terraform::TERRAFORM
    }

    /// Looks into every public zone: the file may have named another one before.
    async fn list(&self, read: &Reading<'_>) -> Result<Vec<Observed>, Fault> {
        let zones = read.route53.public_zones(read).await?;
        let mut found = Vec::new();
        for some in zones.chunks(AT_ONCE) {
            found.extend(try_join_all(some.iter().map(|zone| look(zone, read))).await?);
        }
        Ok(found.into_iter().flatten().collect())
    }

    async fn namesakes(
        &self,
        read: &Reading<'_>,
        names: &BTreeSet<Name>,
    ) -> Result<Namesakes, Fault> {
        let zones = read.route53.public_zones(read).await?;
        let asked = names.iter().filter_map(|name| {
            let [zone, record, kind] = &name[..] else { return None };
            let zone_name = zones.iter().find(|one| one.id == *zone)?.name.clone();
            let (zone, record, kind) = (zone.clone(), record.clone(), kind.clone());
            let place = Place { zone, zone_name, name: record, kind };
            Some(async move {
                let mark = place.mark();
                let mark = route53::at(read.aws, &place.zone, &mark, "TXT");
                // A handful of types may stand at one name.
                let sets = route53::page(read.aws, &place.zone, Start::name(&place.name), 10);
                let (mark, (sets, _)) = try_join(mark, sets).await?;
                let tags = mark.and_then(|mark| text(&mark)).unwrap_or_default();
                let mut held = sets.into_iter().filter(|set| {
                    [&*place.kind, "CNAME"]
                        .iter()
                        .any(|kind| route53::is_at(set, &place.name, kind))
                });
                let id = |set: ResourceRecordSet| format!("{} {}", set.r#type(), place.name);
                Ok::<_, Fault>(held.next().map(|set| Namesake {
                    name: name.clone(),
                    id: id(set),
                    tags,
                }))
            })
        });
        Ok(try_join_all(asked).await?.into_iter().flatten().collect())
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        let spec: Record = form::spec(&SCHEMA, body)?;
        let place = Place::of(&spec);
        let marks = marks::to_text(&told(aws, tags.clone()));
        let changes = [
            (ChangeAction::Create, alias(&spec)),
            (ChangeAction::Create, txt(&place.mark(), &marks)),
        ];
        match change(aws, &place.zone, changes).await {
            Err(refusal) if refusal.code == REFUSED => {
                taken(aws, &place, tags, refusal).await?;
            }
            outcome => outcome?,
        }
        Ok(Created::id(place.id()))
    }

    async fn update(&self, aws: &Aws, live: &Live, after: &Body, _: &[&str]) -> Result<(), Fault> {
        let spec: Record = form::spec(&SCHEMA, after)?;
        let place = Place::of(&spec);
        let Some((_, _)) = ours(aws, &place).await? else { return Err(gone(&live.id)) };
        change(aws, &place.zone, [(ChangeAction::Upsert, alias(&spec))]).await
    }

    async fn delete(&self, aws: &Aws, live: &Live, _: &Body) -> Result<(), Fault> {
        let place = Place::of(&form::spec::<Record>(&SCHEMA, &live.body)?);
        let Some((mark, set)) = ours(aws, &place).await? else { return Ok(()) };
        // What somebody put in its place is theirs, mark or no mark.
        let led = live.body.get("alias_dns_name").and_then(Value::as_str);
        let set =
            set.filter(|set| set.alias_target().is_some_and(|alias| Some(&*leads(alias)) == led));
        let leaving = [Some(mark), set].into_iter().flatten();
        change(aws, &place.zone, leaving.map(|set| (ChangeAction::Delete, Ok(set)))).await
    }

    async fn status(&self, _: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        Ok(ids.iter().map(|id| (id.clone(), Status::Ready.into())).collect())
    }

    async fn tag(&self, aws: &Aws, live: &Live, tags: &Tags) -> Result<(), Fault> {
        let place = Place::of(&form::spec::<Record>(&SCHEMA, &live.body)?);
        let Some(_) = ours(aws, &place).await? else { return Err(gone(&live.id)) };
        let marks = marks::to_text(&told(aws, tags.clone()));
        change(aws, &place.zone, [(ChangeAction::Upsert, txt(&place.mark(), &marks))]).await
    }
}

fn told(aws: &Aws, mut tags: Tags) -> Tags {
    tags.insert(marks::REGION.to_owned(), aws.region.clone());
    tags
}

/// The TXT record that makes the place ours, and the record in it; nothing where there is no such TXT record.
async fn ours(
    aws: &Aws,
    place: &Place,
) -> Result<Option<(ResourceRecordSet, Option<ResourceRecordSet>)>, Fault> {
    let mark = place.mark();
    let (mark, set) = try_join(
        route53::at(aws, &place.zone, &mark, "TXT"),
        route53::at(aws, &place.zone, &place.name, &place.kind),
    )
    .await?;
    let mark = mark.filter(|set| text(set).is_some_and(|tags| tags.contains_key(TOPOLOGY)));
    Ok(mark.map(|mark| (mark, set)))
}

/// What a creation comes to that is refused: done, if its answer was lost and the record is this very one.
async fn taken(aws: &Aws, place: &Place, tags: &Tags, refusal: Fault) -> Result<(), Fault> {
    let owner = |tags: &Tags| [TOPOLOGY, ADDRESS].map(|key| tags.get(key).cloned());
    match ours(aws, place).await? {
        Some((mark, Some(_))) if text(&mark).is_some_and(|told| owner(&told) == owner(tags)) => {
            Ok(())
        }
        _ => Err(refusal),
    }
}

fn gone(id: &str) -> Fault {
    let message = format!("no TXT record of ecdeploy stands beside {id}: it is not ours");
    Fault::new(Class::Fatal, LIST, "NotOurs", message)
}

/// The tags in a TXT record.
fn text(set: &ResourceRecordSet) -> Option<Tags> {
    let [record] = set.resource_records() else { return None };
    marks::from_text(record.value().trim_matches('"'))
}

fn alias(spec: &Record) -> Result<ResourceRecordSet, BuildError> {
    let target = AliasTarget::builder()
        .dns_name(spec.alias_dns_name.as_str().unwrap_or_default())
        .hosted_zone_id(spec.alias_zone_id.as_str().unwrap_or_default())
        .evaluate_target_health(false)
        .build()?;
    let kind = RrType::from(spec.r#type.as_str());
    ResourceRecordSet::builder().name(&spec.name).r#type(kind).alias_target(target).build()
}

fn txt(name: &str, text: &str) -> Result<ResourceRecordSet, BuildError> {
    let record = ResourceRecord::builder().value(format!("\"{text}\"")).build()?;
    let set = ResourceRecordSet::builder().name(name).r#type(RrType::Txt).ttl(TTL);
    set.resource_records(record).build()
}

/// Makes all the changes, or none.
async fn change(
    aws: &Aws,
    zone: &str,
    changes: impl IntoIterator<Item = (ChangeAction, Result<ResourceRecordSet, BuildError>)>,
) -> Result<(), Fault> {
    let mut batch = ChangeBatch::builder();
    for (action, set) in changes {
        let change =
            set.and_then(|set| Change::builder().action(action).resource_record_set(set).build());
        batch = batch.changes(change.map_err(|error| misbuilt(&error))?);
    }
    let batch = batch.build().map_err(|error| misbuilt(&error))?;
    let call = aws.route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch);
    call.send().await.map(drop).map_err(fault(CHANGE))
}

fn misbuilt(error: &BuildError) -> Fault {
    Fault::new(Class::Fatal, CHANGE, "", error.to_string())
}

/// What is ours in a zone. One of a single page is read at once; of a larger one the marks, and what they name.
async fn look(zone: &Zone, read: &Reading<'_>) -> Result<Vec<Observed>, Fault> {
    if zone.records <= PAGE.into() {
        let answer = route53::page(read.aws, &zone.id, Start::of_zone(), PAGE).await;
        let (sets, rest) = match answer {
            Err(fault) if fault.class == Class::NotFound => return Ok(Vec::new()),
            answer => answer?,
        };
        if rest.is_none() {
            let find = |place: &Place| {
                sets.iter().find(|set| route53::is_at(set, &place.name, &place.kind))
            };
            let found = marked(zone, &sets, read).into_iter();
            return Ok(found.map(|(place, tags)| observe(find(&place), place, tags)).collect());
        }
    }
    let marks = unless_gone(marks(zone, read).await)?;
    let found = marked(zone, &marks, read).into_iter().map(|(place, tags)| async {
        let set = route53::at(read.aws, &place.zone, &place.name, &place.kind).await?;
        Ok::<_, Fault>(observe(set.as_ref(), place, tags))
    });
    try_join_all(found).await
}

/// Everybody's marks in a zone, which follow each other there.
async fn marks(zone: &Zone, read: &Reading<'_>) -> Result<Vec<ResourceRecordSet>, Fault> {
    let parent = format!("{MARKS}.{}", zone.name);
    let (mut found, mut next) = (Vec::new(), Some(Start::name(&parent)));
    while let Some(from) = next {
        let (sets, rest) = route53::page(read.aws, &zone.id, from, PAGE).await?;
        let within = |set: &ResourceRecordSet| {
            let name = plain(set.name());
            name.strip_suffix(&parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let past = !sets.iter().all(within);
        found.extend(sets.into_iter().filter(within));
        next = rest.filter(|_| !past);
    }
    Ok(found)
}

/// The places that the marks among these records make ours.
fn marked(zone: &Zone, sets: &[ResourceRecordSet], read: &Reading<'_>) -> Vec<(Place, Tags)> {
    let marks = sets.iter().filter(|set| *set.r#type() == RrType::Txt);
    let marks = marks.filter_map(|mark| Some((text(mark)?, plain(mark.name()))));
    let ours = marks.filter(|(tags, _)| {
        let here = tags.get(marks::REGION) == Some(&read.aws.region);
        here && read.owns(tags) && tags.contains_key(ADDRESS)
    });
    ours.filter_map(|(tags, mark)| Some((Place::marked(zone, &mark)?, tags))).collect()
}

/// People put "dualstack." before it, which leads to the same.
fn leads(alias: &AliasTarget) -> String {
    let to = plain(alias.dns_name());
    to.strip_prefix("dualstack.").unwrap_or(&to).to_owned()
}

/// A record of ours. One that somebody took away is there without an alias, as long as its mark stands.
fn observe(set: Option<&ResourceRecordSet>, place: Place, tags: Tags) -> Observed {
    let alias = set.and_then(|set| set.alias_target());
    let leads = alias.map(leads);
    let id = place.id();
    let body = form::reported([
        ("zone", Some(place.zone.into())),
        ("zone_name", Some(place.zone_name.into())),
        ("name", Some(place.name.into())),
        ("type", Some(place.kind.into())),
        ("alias_dns_name", Some(Value::from(leads))),
        ("alias_zone_id", Some(Value::from(alias.map(|alias| alias.hosted_zone_id())))),
    ]);
    form::observed(&SCHEMA, id, tags, body)
}
