//! A name in Route 53 that leads to the load balancer.
//!
//! Records bear no tags. Beside each of ours stands a TXT record that says whose it is, as external-dns does it; both are
//! made in one batch, which Route 53 does as a whole or not at all. A record without one is never touched.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};
use aws_smithy_types::error::operation::BuildError;
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Kind, Live, form};
use crate::aws::absent::unless_gone;
use crate::aws::{Aws, Reading, fault, marks};
use crate::model::{
    ADDRESS, Body, Class, Created, Fault, Field, Observed, Schema, Standing, Status, TOPOLOGY,
    Tags, Timing,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The hosted zone's id, or late by its name: `Lookup::Zone`.
    pub zone: Value,
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
        Field::replace("name"),
        Field::replace("type"),
        Field::in_place("alias_dns_name").names_outputs(),
        Field::in_place("alias_zone_id").names_outputs(),
    ],
    outputs: &[],
    id: "{zone}_{name}_{type}",
    unique: &[&["zone", "name", "type"]],
    timing: Timing { create: 2, update: 2, delete: 2, poll: 2 },
};

const CHANGE: &str = "route53:ChangeResourceRecordSets";
const LIST: &str = "route53:ListResourceRecordSets";
/// Seconds for which the world may remember our TXT record.
const TTL: i64 = 300;

pub struct Wire;

#[async_trait]
impl Kind for Wire {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    /// Looks into every public zone: the file may have named another one before.
    async fn list(&self, read: &Reading<'_>) -> Result<Vec<Observed>, Fault> {
        let zones = read.aws.route53.list_hosted_zones().into_paginator().items().send();
        let zones: Vec<_> =
            zones.collect::<Result<_, _>>().await.map_err(fault("route53:ListHostedZones"))?;
        let public =
            zones.iter().filter(|zone| !zone.config().is_some_and(|config| config.private_zone()));
        let found = public.map(|zone| async {
            let zone = zone.id().trim_start_matches("/hostedzone/");
            let sets = unless_gone(sets(read.aws, zone, None).await)?;
            Ok::<_, Fault>(observe(zone, &sets, read))
        });
        Ok(try_join_all(found).await?.into_iter().flatten().collect())
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        let spec: Record = form::spec(&SCHEMA, body)?;
        let place = Place::of(&spec);
        let marks = marks::to_text(&told(aws, tags.clone()));
        let changes = [
            (ChangeAction::Create, alias(&spec)),
            (ChangeAction::Create, txt(&place.mark(), &marks)),
        ];
        change(aws, &place.zone, changes).await?;
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

/// Where a record stands.
struct Place {
    zone: String,
    name: String,
    kind: String,
}

impl Place {
    fn of(spec: &Record) -> Self {
        Self {
            zone: spec.zone.as_str().unwrap_or_default().to_owned(),
            name: spec.name.clone(),
            kind: spec.r#type.clone(),
        }
    }

    fn id(&self) -> String {
        format!("{}_{}_{}", self.zone, self.name, self.kind)
    }

    /// The name of the TXT record: its own, since another TXT record may stand at the record's.
    fn mark(&self) -> String {
        format!("{}{}", prefix(&self.kind), self.name)
    }
}

fn prefix(kind: &str) -> String {
    format!("_ecdeploy-{}.", kind.to_lowercase())
}

fn told(aws: &Aws, mut tags: Tags) -> Tags {
    tags.insert(marks::REGION.to_owned(), aws.region.clone());
    tags
}

/// The zone's records, from the name on.
async fn sets(
    aws: &Aws,
    zone: &str,
    from: Option<(&str, i32)>,
) -> Result<Vec<ResourceRecordSet>, Fault> {
    let mut found = Vec::new();
    let (mut name, mut kind, mut id) = (from.map(|(name, _)| name.to_owned()), None, None);
    loop {
        let call = aws.route53.list_resource_record_sets().hosted_zone_id(zone);
        let call = call.set_start_record_name(name).set_start_record_type(kind);
        let call = call.set_start_record_identifier(id);
        let call = call.set_max_items(from.map(|(_, most)| most));
        let answer = call.send().await.map_err(fault(LIST))?;
        found.extend(answer.resource_record_sets);
        if !answer.is_truncated || from.is_some() {
            return Ok(found);
        }
        (name, kind, id) =
            (answer.next_record_name, answer.next_record_type, answer.next_record_identifier);
    }
}

/// The TXT record that makes the place ours, and the record in it; nothing where there is no such TXT record.
async fn ours(
    aws: &Aws,
    place: &Place,
) -> Result<Option<(ResourceRecordSet, Option<ResourceRecordSet>)>, Fault> {
    // A few of one name at most.
    let near = |name: String| async move { sets(aws, &place.zone, Some((&name, 10))).await };
    let (marks, sets) = futures_util::try_join!(near(place.mark()), near(place.name.clone()))?;
    let at = |set: &ResourceRecordSet, name: &str, kind: &str| {
        plain(set.name()) == name.to_lowercase() && set.r#type().as_str() == kind
    };
    let mark = marks.into_iter().find(|set| at(set, &place.mark(), "TXT"));
    let mark = mark.filter(|set| text(set).is_some_and(|tags| tags.contains_key(TOPOLOGY)));
    let set = sets.into_iter().find(|set| at(set, &place.name, &place.kind));
    Ok(mark.map(|mark| (mark, set)))
}

fn gone(id: &str) -> Fault {
    let message = format!("no TXT record of ecdeploy stands beside {id}: it is not ours");
    Fault::new(Class::Fatal, LIST, "NotOurs", message)
}

/// A name without the dot at its end and the escapes that Route 53 puts in.
fn plain(name: &str) -> String {
    name.trim_end_matches('.').replace("\\052", "*").to_lowercase()
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

/// The records that a TXT record of ours stands beside. One whose record somebody took away is there without an alias.
fn observe(zone: &str, sets: &[ResourceRecordSet], read: &Reading<'_>) -> Vec<Observed> {
    let marked = sets.iter().filter(|set| *set.r#type() == RrType::Txt).filter_map(|mark| {
        let tags = text(mark)?;
        let here = tags.get(marks::REGION) == Some(&read.aws.region);
        (here && read.owns(&tags) && tags.contains_key(ADDRESS))
            .then_some((plain(mark.name()), tags))
    });
    let found = marked.filter_map(|(mark, tags)| {
        let kind = ["A", "AAAA"].into_iter().find(|kind| mark.starts_with(&prefix(kind)))?;
        let name = mark.strip_prefix(&prefix(kind))?.to_owned();
        let set =
            sets.iter().find(|set| plain(set.name()) == name && set.r#type().as_str() == kind);
        let alias = set.and_then(|set| set.alias_target());
        // People put "dualstack." before it, which leads to the same.
        let leads = alias.map(|alias| plain(alias.dns_name()));
        let leads = leads.map(|to| to.strip_prefix("dualstack.").unwrap_or(&to).to_owned());
        let place = Place { zone: zone.to_owned(), name, kind: kind.to_owned() };
        let id = place.id();
        let body = form::reported([
            ("zone", Some(place.zone.into())),
            ("name", Some(place.name.into())),
            ("type", Some(place.kind.into())),
            ("alias_dns_name", Some(Value::from(leads))),
            ("alias_zone_id", Some(Value::from(alias.map(|alias| alias.hosted_zone_id())))),
        ]);
        Some(form::observed(&SCHEMA, id, tags, body))
    });
    found.collect()
}
