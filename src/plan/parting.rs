//! What is said to a database before it goes: its final snapshot, and its protection.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::desired::Desired;
use crate::diff::{Action, Change};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Body;

pub const FINAL_SNAPSHOT: &str = "final_snapshot";
const LIFT_PROTECTION: &str = "lift_protection";
const PROTECTION: &str = "deletion_protection";

/// What the person asked for, as to deletions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parting {
    /// Take no final snapshots.
    pub skip_final_snapshots: bool,
    /// Delete what is protected, too.
    pub lift_protection: bool,
    /// The time in a final snapshot's name, `20261122150405`.
    pub stamp: String,
}

impl Parting {
    /// # Errors
    /// When something protected would be deleted.
    pub fn check(&self, changes: &[Change]) -> Result<()> {
        let protected: Vec<String> = changes
            .iter()
            .filter(|change| deletes(change) && is_protected(change))
            .map(|change| change.address.to_string())
            .collect();
        if protected.is_empty() || self.lift_protection {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Refused,
            format!(
                "deletion protection is on, so these can't be deleted: {}",
                protected.join(", ")
            ),
        )
        .hint("set `deletion_protection = false` and apply, or pass --lift-protection"))
    }

    /// How the resource of this change is to be deleted.
    pub fn of(&self, change: &Change, desired: &Desired) -> Body {
        let mut parting = Body::new();
        if change.address.kind() != "db_instance" || !deletes(change) {
            return parting;
        }
        let wanted = desired.final_snapshot.get(&change.address).copied().unwrap_or(true);
        if let (true, false, Some(id)) = (wanted, self.skip_final_snapshots, &change.id) {
            // An identifier has at most 63 characters, the snapshot's name 255.
            parting.insert(FINAL_SNAPSHOT.into(), json!(format!("{id}-final-{}", self.stamp)));
        }
        if is_protected(change) {
            parting.insert(LIFT_PROTECTION.into(), json!(true));
        }
        parting
    }
}

fn deletes(change: &Change) -> bool {
    matches!(change.action, Action::Delete | Action::Replace)
}

fn is_protected(change: &Change) -> bool {
    change.before.as_ref().and_then(|body| body.get(PROTECTION)) == Some(&Value::Bool(true))
}
