//! The role by which a service's machines read what is theirs: settings, artifact, database secret.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Kind, Live};
use crate::aws::{Aws, Reading};
use crate::model::{Body, Created, Fault, Field, Observed, Schema, Standing, Tags, Timing};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IamRole {
    pub name: String,
    /// `/ecdeploy/TOPOLOGY/`.
    pub path: String,
    pub assume_role_policy: Value,
    /// What it may do from the start.
    pub policy: Value,
    /// What it may do with what RDS makes late: a policy of its own, so that no machine waits for a database. Null for
    /// a service without one.
    pub secret_policy: Value,
}

pub static SCHEMA: Schema = Schema {
    kind: "iam_role",
    fields: &[
        Field::replace("name"),
        Field::replace("path"),
        Field::in_place("assume_role_policy"),
        Field::in_place("policy").names_outputs().configured("null"),
        Field::in_place("secret_policy").names_outputs().attached("null"),
    ],
    outputs: &[("arn", "arn:aws:iam::{account}:role{path}{name}")],
    id: "{name}",
    unique: &[&["name"]],
    timing: Timing { create: 2, update: 1, delete: 1, poll: 2 },
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
