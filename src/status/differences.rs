//! What is otherwise than the file says, without how it gets there: that is a plan.

use schemars::JsonSchema;
use serde::Serialize;

use crate::diff::{Action, Change};
use crate::model::{Address, Status};
use crate::snapshot::Snapshot;

/// One resource that is not as the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Difference {
    pub address: Address,
    pub id: Option<String>,
    pub how: How,
    /// The fields that differ.
    pub fields: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The file has it, the account has not.
    Missing,
    /// Somebody changed the account.
    Drift,
    /// The file was changed, and not applied.
    Change,
    /// The file has it no more.
    Unwanted,
    /// Two bear the same address: this one goes.
    Second,
    /// AWS is deleting it.
    Leaving,
}

pub fn of(change: &Change, snapshot: &Snapshot) -> Difference {
    let seen = change.id.as_deref().and_then(|id| snapshot.find(&change.address, id));
    let how = match change.action {
        Action::Create => How::Missing,
        Action::Update | Action::Replace if change.drifted() => How::Drift,
        Action::Update | Action::Replace => How::Change,
        Action::Delete if seen.is_some_and(|one| one.status == Status::Deleting) => How::Leaving,
        Action::Delete if snapshot.at(&change.address).count() > 1 => How::Second,
        Action::Delete => How::Unwanted,
    };
    Difference {
        address: change.address.clone(),
        id: change.id.clone(),
        how,
        fields: change.fields.iter().map(|moved| moved.field.clone()).collect(),
    }
}
