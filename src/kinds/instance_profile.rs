//! What hands a role to a machine.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Kind, Live};
use crate::aws::{Aws, Reading};
use crate::model::{Body, Created, Fault, Field, Link, Observed, Schema, Standing, Tags, Timing};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceProfile {
    /// `TOPOLOGY-` and the name in its address.
    pub name: String,
    /// `/ecdeploy/TOPOLOGY/`.
    pub path: String,
    pub role: Link,
}

pub static SCHEMA: Schema = Schema {
    kind: "instance_profile",
    fields: &[
        Field::replace("name"),
        Field::replace("path"),
        Field::in_place("role").names("iam_role").configured("null"),
    ],
    outputs: &[],
    id: "arn:aws:iam::{account}:instance-profile{path}{name}",
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
