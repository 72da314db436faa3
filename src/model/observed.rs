//! What the account says of one resource.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ADDRESS, Address, Body, LAUNCH, Tags, TargetHealth, launch};

/// How far a resource is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Ready,
    /// On its way; AWS's own word for the state.
    Pending(String),
    Deleting,
    /// AWS gave up; AWS's own words.
    Failed(String),
    Gone,
}

/// What a look at a resource tells: how far it is, and what AWS has given it by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub status: Status,
    pub outputs: BTreeMap<String, String>,
}

impl From<Status> for Standing {
    fn from(status: Status) -> Self {
        Self { status, outputs: BTreeMap::new() }
    }
}

/// One live resource that bears the topology's tag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    pub kind: String,
    /// The id by which other resources name it: `vpc-…`, an ARN of ELB, an identifier of RDS.
    pub id: String,
    pub tags: Tags,
    /// Live fields, references as ids. A field that AWS doesn't report is absent.
    pub body: Body,
    /// What AWS gave it beyond the id: `arn`, `dns_name`, `endpoint`.
    pub outputs: BTreeMap<String, String>,
    pub status: Status,
    /// For what AWS may change later than it is asked.
    pub maintenance: Option<Maintenance>,
    /// Its place among those that one call made.
    #[serde(default)]
    pub place: usize,
    /// How it stands with what sends it requests.
    #[serde(default)]
    pub duty: Duty,
    #[serde(default)]
    pub vitals: Vitals,
}

/// How it does, for people to read: nothing is planned by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vitals {
    /// AWS's own word for its state: `running`, `available`, `backing-up`; empty for what has none.
    pub state: String,
    /// Where it runs, as far as no subnet says so: the zone of the primary first.
    pub zones: Vec<String>,
    /// What target groups find of it.
    pub health: Vec<TargetHealth>,
    /// What it consists of, where AWS tells of each.
    pub nodes: Vec<Node>,
}

impl Vitals {
    pub fn state(state: &str) -> Self {
        Self { state: state.to_owned(), ..Self::default() }
    }
}

/// One node of a cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Node {
    pub id: String,
    /// `primary` or `replica`; nothing where AWS does not tell.
    pub role: Option<String>,
    pub zone: Option<String>,
    /// AWS's own word for its state.
    pub state: String,
}

/// What those that send requests to a resource find of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty {
    /// It fails its health checks.
    pub sick: bool,
    /// The groups that it was taken out of and in which it still finishes what it had begun.
    pub draining: Vec<String>,
}

impl Observed {
    /// The address that its tags give it, or the tag of the call that made it.
    pub fn address(&self) -> Option<Address> {
        match self.tags.get(ADDRESS) {
            Some(address) => address.parse().ok(),
            None => launch::address(self.tags.get(LAUNCH)?, self.place),
        }
    }
}

/// When AWS makes the changes that it was asked for but not at once, and which these are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// The weekly window in AWS's words, UTC: `sun:17:00-sun:17:30`.
    pub window: String,
    /// The values that hold until then, by field. The observed body has the later ones: what was asked for counts as
    /// made.
    pub until_then: Body,
}

/// What a creation gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    pub id: String,
    pub outputs: BTreeMap<String, String>,
    /// The tags that it bears, where those are not the ones that were given for it.
    pub born: Option<Tags>,
}

impl Created {
    pub fn id(id: impl Into<String>) -> Self {
        Self { id: id.into(), outputs: BTreeMap::new(), born: None }
    }

    pub fn output(mut self, name: &str, value: Option<impl Into<String>>) -> Self {
        if let Some(value) = value {
            self.outputs.insert(name.to_owned(), value.into());
        }
        self
    }
}
