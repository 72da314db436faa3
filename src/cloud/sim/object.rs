//! One thing in the simulated account, and the state it passes through.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::account::hex;
use super::maintenance::Upkeep;
use super::rules;
use crate::kinds;
use crate::kinds::instance::{self, STOPPED};
use crate::model::{Body, Duty, Field, Node, Observed, Status, Tags, Vitals};

/// The state of what is not ready for the first time.
pub const CREATING: &str = "creating";
pub const MODIFYING: &str = "modifying";

/// One thing in the account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Object {
    pub kind: String,
    pub id: String,
    pub tags: Tags,
    pub body: Body,
    pub outputs: BTreeMap<String, String>,
    /// AWS's own protection, where it is no field.
    #[serde(default)]
    pub protected: bool,
    /// The state it passes through, and until when.
    pub passing: Option<Passing>,
    /// Where AWS changes some of it in a maintenance window.
    #[serde(default)]
    pub upkeep: Option<Upkeep>,
    /// Since when it is ready, by the account's clock.
    #[serde(default)]
    pub ready_since: u64,
    /// Its place among those that one call made.
    #[serde(default)]
    pub place: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Passing {
    pub status: Status,
    pub until: u64,
}

impl Object {
    /// Begins with what waited for a window that is open by now.
    pub fn maintain(&mut self, clock: u64) {
        let Some(upkeep) = self.upkeep.as_mut().filter(|_| self.passing.is_none()) else { return };
        let due = upkeep.due;
        let set = upkeep.open(&self.body, clock);
        if let (false, Some(kind)) = (set.is_empty(), kinds::by_name(&self.kind)) {
            self.body.extend(set);
            let until = due.saturating_add(u64::from(kind.schema().timing.update) * 1000);
            self.passing = Some(Passing { status: Status::Pending(MODIFYING.into()), until });
        }
    }

    /// When something comes to pass with it by itself.
    pub fn due(&self) -> u64 {
        let window = self.upkeep.iter().filter(|upkeep| !upkeep.coming.is_empty());
        let window = window.map(|upkeep| upkeep.due).min();
        let passing = self.passing.as_ref().map(|passing| passing.until);
        passing.or(window).unwrap_or(u64::MAX)
    }

    /// Its fields, with what was asked for and waits.
    pub fn effective(&self) -> Body {
        let mut body = self.body.clone();
        body.extend(self.upkeep.iter().flat_map(|upkeep| upkeep.coming.clone()));
        body
    }

    pub fn status(&self) -> Status {
        match &self.passing {
            Some(passing) => passing.status.clone(),
            None if self.body.get("running") == Some(&Value::Bool(false)) => {
                Status::Pending(STOPPED.into())
            }
            None => Status::Ready,
        }
    }

    /// AWS's word for its state; none for what has no states.
    fn word(&self) -> &str {
        match self.passing.as_ref().map(|passing| &passing.status) {
            Some(Status::Pending(word)) => word,
            Some(Status::Deleting) if self.kind == instance::SCHEMA.kind => "shutting-down",
            Some(Status::Deleting) => "deleting",
            Some(_) => "failed",
            None if self.body.get("running") == Some(&Value::Bool(false)) => STOPPED,
            None => match self.kind.as_str() {
                "instance" => "running",
                "load_balancer" => "active",
                "db_instance" | "cache_cluster" | "replication_group" => "available",
                _ => "",
            },
        }
    }

    /// What a cache consists of.
    fn nodes(&self) -> Vec<Node> {
        let text =
            |field| Some(self.text(field)).filter(|text| !text.is_empty()).map(str::to_owned);
        let node = |id: String, role: Option<&str>| Node {
            id,
            role: role.map(str::to_owned),
            zone: text("availability_zone"),
            state: self.word().to_owned(),
        };
        match self.kind.as_str() {
            "cache_cluster" => vec![node(self.id.clone(), None)],
            "replication_group" => {
                let all = self.body.get("num_cache_clusters").and_then(Value::as_u64).unwrap_or(0);
                let role = |n| if n == 1 { "primary" } else { "replica" };
                // AWS makes six at most.
                (1..=all.min(6))
                    .map(|n| node(format!("{}-{n:03}", self.id), Some(role(n))))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// Its outputs as far as it has them yet.
    pub fn told(&self) -> BTreeMap<String, String> {
        let creating = self.status() == Status::Pending(CREATING.to_owned());
        let mut outputs = self.outputs.clone();
        outputs.retain(|name, _| !rules::withheld(&self.kind, name, &self.body));
        outputs.retain(|name, _| !(creating && rules::late(&self.kind, name)));
        outputs
    }

    /// What a listing tells of it.
    pub fn observed(&self) -> Observed {
        Observed {
            kind: self.kind.clone(),
            id: self.id.clone(),
            tags: self.tags.clone(),
            body: self.effective(),
            outputs: self.told(),
            status: self.status(),
            maintenance: self.upkeep.as_ref().map(|upkeep| upkeep.told(&self.body)),
            place: self.place,
            duty: Duty::default(),
            vitals: Vitals { nodes: self.nodes(), ..Vitals::state(self.word()) },
        }
    }

    /// The password that AWS keeps for it, which no listing, output or error tells. Tests look for it everywhere else.
    pub fn password(&self) -> Option<String> {
        let managed = self.body.get("manage_master_user_password") == Some(&Value::Bool(true));
        let keeps = self.kind == "secret" || (self.kind == "db_instance" && managed);
        keeps.then(|| hex(format!("password of {} {}", self.kind, self.id).as_bytes()))
    }

    /// Whether any field names the object of this kind and id.
    pub fn names(&self, kind: &str, id: &str) -> bool {
        names(&self.kind, &self.body, kind, id)
    }

    /// A field's text, or nothing.
    pub fn text(&self, field: &str) -> &str {
        self.body.get(field).and_then(Value::as_str).unwrap_or_default()
    }
}

pub fn fields(kind: &str) -> &'static [Field] {
    kinds::by_name(kind).map_or(&[], |kind| kind.schema().fields)
}

/// Whether a body of kind `own` names the object of this kind and id.
pub fn names(own: &str, body: &Body, kind: &str, id: &str) -> bool {
    fields(own)
        .iter()
        .any(|field| body.get(field.name).is_some_and(|value| field.links_to(value, kind, id)))
}
