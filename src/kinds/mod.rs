//! One file a kind of resource: its fields, and how it is listed, created, changed, deleted and known to be ready.
//!
//! To add a kind: write its file, name it in the list below, give it a line in the registry.

pub mod cache_cluster;
pub mod cache_subnet_group;
pub mod db_instance;
pub mod db_subnet_group;
mod form;
pub mod iam_role;
pub mod instance;
pub mod instance_profile;
pub mod internet_gateway;
pub mod listener;
pub mod listener_rule;
pub mod load_balancer;
pub mod record;
pub mod replication_group;
pub mod route_table;
pub mod secret;
pub mod security_group;
pub mod ssm_parameter;
pub mod subnet;
pub mod target_group;
pub mod terraform;
pub mod vpc;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use futures_util::future::try_join_all;
use serde_json::{Value, to_value};

use crate::aws::absent::away;
use crate::aws::{self, Aws, Reading};
use crate::model::question::{Name, Namesakes};
use crate::model::{
    Body, Class, Created, Fault, Observed, Operation, Schema, Standing, Status, Tags,
};
use terraform::Terraform;

/// Every kind there is.
pub static REGISTRY: &[&dyn Kind] = &[
    &vpc::Wire,
    &internet_gateway::Wire,
    &route_table::Wire,
    &subnet::Wire,
    &security_group::Wire,
    &target_group::Wire,
    &load_balancer::Wire,
    &listener::Wire,
    &listener_rule::Wire,
    &iam_role::Wire,
    &instance_profile::Wire,
    &instance::Wire,
    &secret::Wire,
    &db_subnet_group::Wire,
    &db_instance::Wire,
    &cache_subnet_group::Wire,
    &cache_cluster::Wire,
    &replication_group::Wire,
    &ssm_parameter::Wire,
    &record::Wire,
];

/// Every operation that ecdeploy sends.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    let kinds = REGISTRY.iter().flat_map(|kind| kind.operations());
    kinds.chain(aws::operations()).chain(aws::lookup::OPERATIONS.iter().copied())
}

/// The kind of this name.
pub fn by_name(name: &str) -> Option<&'static dyn Kind> {
    REGISTRY.iter().copied().find(|kind| kind.schema().kind == name)
}

/// Whether it is found by path, name or description, which AWS can't change by tagging; it is made again at no loss.
pub fn is_known_by_name(kind: &str) -> bool {
    ["iam_role", "instance_profile", "ssm_parameter", "record"].contains(&kind)
}

/// What has which of these names of a kind, as the answer to [`Question::Names`](crate::model::Question).
pub async fn namesakes(
    aws: &Aws,
    kind: &str,
    topology: &str,
    names: &BTreeSet<Name>,
) -> Result<Value, Fault> {
    let held = match by_name(kind) {
        Some(kind) => kind.namesakes(&Reading::plain(aws, topology), names).await?,
        None => Vec::new(),
    };
    to_value(held)
        .map_err(|error| Fault::new(Class::Fatal, "ask", "InvalidAnswer", error.to_string()))
}

/// A live resource as a call needs it.
#[derive(Clone, Debug)]
pub struct Live {
    pub id: String,
    pub outputs: BTreeMap<String, String>,
    /// The fields as they are now, references as ids.
    pub body: Body,
    /// The tags that it is known to bear.
    pub tags: Tags,
}

/// What a listing leaves out of a live resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detail {
    /// Fields as the schema has them, and what it has no field for.
    pub body: Body,
    /// All its tags, where the listing knows but some.
    pub tags: Option<Tags>,
}

/// Why a change can't be had, and what can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub field: &'static str,
    pub message: String,
    pub hint: String,
}

/// One kind of AWS resource, on the wire. Bodies hold ids where desired bodies hold references.
#[async_trait]
pub trait Kind: Send + Sync {
    fn schema(&self) -> &'static Schema;

    /// The operations that it sends, and what IAM has to allow for them. No others leave.
    fn operations(&self) -> &'static [Operation];

    /// What it is in Terraform.
    fn terraform(&self) -> &'static Terraform;

    /// Every resource of this kind that bears the topology's tag.
    async fn list(&self, read: &Reading<'_>) -> Result<Vec<Observed>, Fault>;

    /// What the listing leaves out of these, by id: it takes AWS a call or more for each, so only an export asks.
    async fn details(&self, _: &Aws, _: &[Live]) -> Result<BTreeMap<String, Detail>, Fault> {
        Ok(BTreeMap::new())
    }

    /// What has these names already, whoever it belongs to.
    async fn namesakes(&self, _: &Reading<'_>, _: &BTreeSet<Name>) -> Result<Namesakes, Fault> {
        Ok(Vec::new())
    }

    /// Creates it, tagged, with the fields of the create phase. Does not wait until it is ready.
    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault>;

    /// Creates one for each of these tags, all alike, in their order. Asked again with the same token, AWS answers with
    /// what it made the first time, where the kind's schema says so.
    async fn create_all(
        &self,
        aws: &Aws,
        body: &Body,
        all: &[Tags],
        _token: &str,
    ) -> Result<Vec<Created>, Fault> {
        let mut made = Vec::new();
        for tags in all {
            made.push(self.create(aws, body, tags).await?);
        }
        Ok(made)
    }

    /// Brings the `changed` fields from `live.body` to `after`.
    async fn update(
        &self,
        aws: &Aws,
        live: &Live,
        after: &Body,
        changed: &[&str],
    ) -> Result<(), Fault>;

    /// Brings the `changed` fields of each of these to its body; in one call where a field says that it is changed
    /// together.
    async fn update_all(
        &self,
        aws: &Aws,
        all: &[(Live, Body)],
        changed: &[&str],
    ) -> Result<(), Fault> {
        for (live, after) in all {
            self.update(aws, live, after, changed).await?;
        }
        Ok(())
    }

    /// Why AWS would refuse to bring it from `before` to `after`, as far as that can be known without asking.
    fn refuses(&self, _before: &Body, _after: &Body) -> Option<Refusal> {
        None
    }

    /// Deletes it; one that is gone already is no error. `parting` says how, where the kind leaves a choice.
    async fn delete(&self, aws: &Aws, live: &Live, parting: &Body) -> Result<(), Fault>;

    /// Deletes all of these.
    async fn delete_all(&self, aws: &Aws, all: &[Live], parting: &Body) -> Result<(), Fault> {
        for live in all {
            self.delete(aws, live, parting).await?;
        }
        Ok(())
    }

    /// How far these are, by id. One that is missing in the answer is gone.
    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault>;

    /// Turns AWS's own protection against deletion on or off, where there is one that is no field.
    async fn protect(&self, _: &Aws, _: &Live, _: bool) -> Result<(), Fault> {
        Ok(())
    }

    /// Sets tags, leaving other keys alone.
    async fn tag(&self, aws: &Aws, live: &Live, tags: &Tags) -> Result<(), Fault>;

    /// Sets tags on each of these.
    async fn tag_all(&self, aws: &Aws, all: &[(Live, Tags)]) -> Result<(), Fault> {
        for (live, tags) in all {
            self.tag(aws, live, tags).await?;
        }
        Ok(())
    }
}

/// How many details are asked for at once.
const AT_ONCE: usize = 10;

/// What `ask` tells of each of these.
async fn each<'a, T, F>(
    all: &'a [Live],
    ask: impl Fn(&'a Live) -> F,
) -> Result<BTreeMap<String, T>, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    let mut told = BTreeMap::new();
    for some in all.chunks(AT_ONCE) {
        let asked = some.iter().map(|live| {
            let answer = ask(live);
            async move { Ok((live.id.clone(), answer.await?)) }
        });
        told.extend(try_join_all(asked).await?);
    }
    Ok(told)
}

/// What a parting says of what is protected: that it is to go nevertheless.
pub const LIFT_PROTECTION: &str = "lift_protection";

fn lifts(parting: &Body) -> bool {
    parting.get(LIFT_PROTECTION) == Some(&true.into())
}

/// The outcome of a deletion that AWS refuses where an earlier one is under way. That is no error either.
async fn gone_or_going(
    kind: &dyn Kind,
    aws: &Aws,
    id: &str,
    outcome: Result<(), Fault>,
) -> Result<(), Fault> {
    match outcome {
        Err(refusal) if refusal.class == Class::NotYet => {
            match kind.status(aws, &[id.to_owned()]).await?.remove(id).map(|found| found.status) {
                None | Some(Status::Deleting) => Ok(()),
                Some(_) => Err(refusal),
            }
        }
        outcome => away(outcome),
    }
}
