//! A name in Route 53 that leads to the load balancer.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Kind, Live};
use crate::aws::{Aws, Reading};
use crate::model::{Body, Created, Fault, Field, Observed, Schema, Standing, Tags, Timing};

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
    timing: Timing { create: 45, update: 45, delete: 2, poll: 10 },
};

pub struct Wire;

#[async_trait]
impl Kind for Wire {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn list(&self, _: &Reading<'_>) -> Result<Vec<Observed>, Fault> {
        Ok(Vec::new())
    }

    async fn create(&self, _: &Aws, _: &Body, _: &Tags) -> Result<Created, Fault> {
        Err(super::unwritten())
    }

    async fn update(&self, _: &Aws, _: &Live, _: &Body, _: &[&str]) -> Result<(), Fault> {
        Err(super::unwritten())
    }

    async fn delete(&self, _: &Aws, _: &Live, _: &Body) -> Result<(), Fault> {
        Err(super::unwritten())
    }

    async fn status(&self, _: &Aws, _: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        Err(super::unwritten())
    }

    async fn tag(&self, _: &Aws, _: &Live, _: &Tags) -> Result<(), Fault> {
        Err(super::unwritten())
    }
}
