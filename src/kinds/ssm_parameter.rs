//! A setting that apply publishes and a machine reads at its start. Never a secret.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Kind, Live};
use crate::aws::{Aws, Reading};
use crate::model::{Body, Created, Fault, Field, Observed, Schema, Standing, Tags, Timing};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SsmParameter {
    /// `/TOPOLOGY/SERVICE/NAME`.
    pub name: String,
    /// Text, or late by another resource's output.
    pub value: Value,
    /// `String`.
    pub r#type: String,
}

pub static SCHEMA: Schema = Schema {
    kind: "ssm_parameter",
    fields: &[
        Field::replace("name"),
        Field::in_place("value").names_outputs(),
        Field::replace("type"),
    ],
    outputs: &[],
    id: "{name}",
    unique: &[&["name"]],
    timing: Timing { create: 1, update: 1, delete: 1, poll: 2 },
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
