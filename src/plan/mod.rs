//! A plan is data: every change with complete bodies, and the steps in order. Applying it makes no decisions.

mod choice;
mod handover;
mod kept;
mod leaving;
mod named;
mod names;
mod occupied;
mod openings;
mod order;
mod parting;
mod pending;
mod refused;
mod rolling;
mod rounds;
mod saved;
mod step;
mod steps;
mod together;
mod users;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use choice::Choice;
pub use parting::Parting;
pub use pending::{Pending, PendingField, pending};
pub use saved::{load, save};
pub use step::{Dependency, Member, Step, Verb};

use crate::desired::Desired;
use crate::diff::{self, Action, Change};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Address, Body, Late, Lookup, Texts, late};
use crate::snapshot::{Resource, Snapshot};

/// The version of the plan's form.
pub const FORMAT: u32 = 1;

/// What a plan was made from, so that a saved one can be carried out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The topology file.
    pub file: PathBuf,
    /// The variables given with --var.
    pub variables: Vec<(String, String)>,
    pub sandbox: bool,
    /// The part that it is for, where that is not everything.
    #[serde(skip_serializing_if = "Choice::is_everything", default)]
    pub choice: Choice,
    /// The checks that it need not pass.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub ignored_checks: Vec<String>,
}

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// The account as the topology says.
    Reach,
    /// Nothing left of it.
    Destroy,
}

/// What would be done, and in which order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    #[schemars(extend("const" = FORMAT))]
    pub format: u32,
    pub goal: Goal,
    pub origin: Origin,
    pub parting: Parting,
    pub topology: String,
    pub account: String,
    pub region: String,
    /// Hash of the topology file and its variables.
    pub source_hash: String,
    /// A hash of each live resource that the plan was made from, by address and id.
    pub basis: BTreeMap<String, String>,
    /// What was looked up, as it was found.
    pub lookups: BTreeMap<Lookup, String>,
    /// The long texts that the changes name.
    #[serde(skip_serializing_if = "Texts::is_empty", default)]
    pub texts: Texts,
    /// How many changes lie beyond the part that was chosen.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub left_out: usize,
    pub summary: Summary,
    pub changes: Vec<Change>,
    pub steps: Vec<Step>,
    /// What AWS will change in a maintenance window, and nobody has to do.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub pending: Vec<Pending>,
}

/// How many resources change, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    pub create: usize,
    pub update: usize,
    pub replace: usize,
    pub delete: usize,
    /// Of these, how many answer to an edit of the account.
    pub drift: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Summary {
    fn of(changes: &[Change]) -> Self {
        let count = |action| changes.iter().filter(|change| change.action == action).count();
        Self {
            create: count(Action::Create),
            update: count(Action::Update),
            replace: count(Action::Replace),
            delete: count(Action::Delete),
            drift: changes.iter().filter(|change| change.drifted()).count(),
        }
    }
}

impl Plan {
    /// The plan that brings the account to the topology.
    ///
    /// # Errors
    /// When something to be deleted is protected, AWS would refuse a change, or no order of them is possible.
    pub fn to_reach(
        desired: &Desired,
        snapshot: &Snapshot,
        parting: &Parting,
        origin: Origin,
    ) -> Result<Self> {
        Self::of(Goal::Reach, desired, snapshot, parting, origin)
    }

    /// The plan that takes everything down.
    ///
    /// # Errors
    /// When something is protected.
    pub fn to_destroy(
        desired: &Desired,
        snapshot: &Snapshot,
        parting: &Parting,
        origin: Origin,
    ) -> Result<Self> {
        Self::of(Goal::Destroy, desired, snapshot, parting, origin)
    }

    fn of(
        goal: Goal,
        desired: &Desired,
        snapshot: &Snapshot,
        parting: &Parting,
        origin: Origin,
    ) -> Result<Self> {
        let changes = match goal {
            Goal::Reach => diff::diff(desired, snapshot),
            Goal::Destroy => diff::teardown(snapshot),
        };
        let all = changes.len();
        let changes = origin.choice.of(changes, desired, snapshot)?;
        parting.check(&changes)?;
        refused::check(&changes, desired, snapshot)?;
        let steps = steps::steps(&changes, snapshot, &desired.rolling, &|change| {
            parting.of(change, desired)
        });
        let steps = steps.map_err(|circle| {
            let blamed = refused::replacing(&circle, &changes, desired);
            desired.complaint(vec![circle.at(blamed)]).refused()
        })?;
        Ok(Self {
            format: FORMAT,
            goal,
            origin,
            parting: parting.clone(),
            topology: desired.topology.clone(),
            account: desired.account.clone(),
            region: desired.region.clone(),
            source_hash: desired.source_hash.clone(),
            basis: basis(snapshot),
            lookups: snapshot.lookups.clone(),
            texts: texts(&changes, desired, snapshot),
            left_out: all - changes.len(),
            summary: Summary::of(&changes),
            pending: pending::pending(&changes, snapshot),
            changes,
            steps,
        })
    }

    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The change of the resource that stays or comes at `address`.
    pub fn change(&self, address: &Address) -> Option<&Change> {
        let mut of_address = self.changes.iter().filter(|change| change.address == *address);
        let first = of_address.next()?;
        Some(
            of_address
                .find(|change| change.after.is_some())
                .filter(|_| first.after.is_none())
                .unwrap_or(first),
        )
    }

    /// The change of what stays or comes at each address.
    pub fn by_address(&self) -> BTreeMap<&Address, &Change> {
        let mut by_address: BTreeMap<&Address, &Change> = BTreeMap::new();
        for change in &self.changes {
            let known = by_address.entry(&change.address).or_insert(change);
            if known.after.is_none() && change.after.is_some() {
                *known = change;
            }
        }
        by_address
    }

    /// The final snapshots that deletions leave behind.
    pub fn final_snapshots(&self) -> impl Iterator<Item = (&Address, &str)> {
        self.steps.iter().filter_map(|step| {
            Some((
                &step.address,
                step.parting.get(parting::FINAL_SNAPSHOT).and_then(Value::as_str)?,
            ))
        })
    }

    /// Refuses when the file is not what the plan was made from.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`], naming what moved.
    pub fn check_file(&self, desired: &Desired) -> Result<()> {
        if (&self.topology, &self.account, &self.region)
            != (&desired.topology, &desired.account, &desired.region)
        {
            return stale(format!(
                "the plan is for `{}` in account {} ({}), the topology for `{}` in account {} ({})",
                self.topology,
                self.account,
                self.region,
                desired.topology,
                desired.account,
                desired.region
            ));
        }
        if self.source_hash != desired.source_hash {
            return stale(
                "the topology file or a variable has changed since the plan was made".into(),
            );
        }
        Ok(())
    }

    /// Refuses when the account or the file is not what the plan was made from, or the plan is not what they give: a
    /// saved plan is a file, and what it shows must be what it does.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`], naming what moved.
    pub fn check_fresh(&self, desired: &Desired, snapshot: &Snapshot) -> Result<()> {
        self.check_file(desired)?;
        let now = basis(snapshot);
        let looked_up = self
            .lookups
            .iter()
            .filter(|(asked, answer)| snapshot.lookups.get(asked) != Some(answer));
        let looked_up: Vec<String> = looked_up.map(|(asked, _)| asked.to_string()).collect();
        if !looked_up.is_empty() || self.lookups.len() != snapshot.lookups.len() {
            let names = looked_up.join(", ");
            return stale(format!("what was looked up has moved since the plan was made: {names}"));
        }
        let moved: Vec<&str> = self
            .basis
            .iter()
            .filter(|(key, hash)| now.get(*key) != Some(hash))
            .map(|(key, _)| key.as_str())
            .chain(now.keys().filter(|key| !self.basis.contains_key(*key)).map(String::as_str))
            .collect();
        if !moved.is_empty() {
            return stale(format!(
                "the account has moved since the plan was made: {}",
                moved.join(", ")
            ));
        }
        let again = Self::of(self.goal, desired, snapshot, &self.parting, self.origin.clone())?;
        let same = (&again.changes, &again.texts, &again.steps, again.summary, again.left_out)
            == (&self.changes, &self.texts, &self.steps, self.summary, self.left_out);
        if !same {
            return stale("the plan was edited, or made by another version of ecdeploy".into());
        }
        Ok(())
    }
}

fn stale(message: String) -> Result<()> {
    Err(Error::new(ErrorKind::Stale, message)
        .hint("nothing was changed; make a new plan and look at it: ecdeploy plan --out FILE"))
}

/// The texts that these changes name.
fn texts(changes: &[Change], desired: &Desired, snapshot: &Snapshot) -> Texts {
    let bodies = changes.iter().flat_map(|change| change.before.iter().chain(&change.after));
    let values = bodies.flat_map(Body::values);
    let named: BTreeSet<String> = values
        .filter_map(|value| match late(value) {
            Some(Late::Text(digest)) => Some(digest),
            _ => None,
        })
        .collect();
    let text = |digest: String| {
        let text = desired.texts.get(&digest).or_else(|| snapshot.texts.get(&digest))?.clone();
        Some((digest, text))
    };
    named.into_iter().filter_map(text).collect()
}

/// What a plan rests on: every live resource, by address and id, with a hash of its fields and tags.
fn basis(snapshot: &Snapshot) -> BTreeMap<String, String> {
    let hash = |resource: &Resource| {
        let body: &Body = &resource.live.body;
        let facts = (body, &resource.tags, &resource.maintenance, &resource.duty);
        crate::model::digest(&serde_json::to_vec(&facts).unwrap_or_default())
    };
    snapshot
        .resources
        .values()
        .chain(&snapshot.extras)
        .map(|resource| (format!("{} ({})", resource.address, resource.live.id), hash(resource)))
        .collect()
}
