//! One step of a plan: what is done to which resource, and what it waits for.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Address, Body, Need, Serving};

/// What a step does to its resource.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Undoes what was attached.
    Detach,
    Create,
    /// Puts what a field will name beside what it names, where it stands ready without being sent anything.
    Prepare,
    Update,
    /// Sets what may refer to things that themselves wait for the resource.
    Attach,
    /// Waits until what sends requests to the resource finds it healthy.
    Serve,
    /// Takes away what a field grants no longer.
    Revoke,
    Delete,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub address: Address,
    pub verb: Verb,
    /// The live resource it works on; absent where this plan creates it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// The fields it sets.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fields: Vec<String>,
    /// All resources in which one call sets these fields, the step's own among them; empty where it sets its own alone.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub batch: Vec<Member>,
    /// How a deletion is made, where there is a choice.
    #[serde(skip_serializing_if = "Body::is_empty", default)]
    pub parting: Body,
    /// What is waited for when it puts its resource into service, or takes it out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub serving: Option<Serving>,
    /// Seconds for which its resource stays when what it waits for is done: who asked before still comes to it.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub remembered: u32,
    /// The steps it waits for.
    pub after: Vec<Dependency>,
}

fn is_zero(seconds: &u32) -> bool {
    *seconds == 0
}

/// A live resource that a step changes together with others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Member {
    pub address: Address,
    pub id: String,
}

/// A step that another waits for, by its place in the plan.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    pub step: usize,
    pub need: Need,
}

impl Step {
    /// What it works on, for people.
    pub fn target(&self) -> String {
        match self.batch.len() {
            0 | 1 => self.address.to_string(),
            all => format!("{} and {} more", self.address, all - 1),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.verb {
            Verb::Detach => "detach",
            Verb::Create => "create",
            Verb::Prepare => "prepare",
            Verb::Update => "update",
            Verb::Attach => "attach",
            Verb::Serve => "serve",
            Verb::Revoke => "revoke",
            Verb::Delete => "delete",
        };
        write!(f, "{verb} {}", self.target())
    }
}
