//! What is said to a resource before it goes: a database's final snapshot, and that its protection is lifted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::desired::Desired;
use crate::diff::{Action, Change};
use crate::error::{Error, ErrorKind, Result};
use crate::kinds::LIFT_PROTECTION;
use crate::model::Body;

pub const FINAL_SNAPSHOT: &str = "final_snapshot";
const SOURCE: &str = "source";
const PROTECTION: &str = "deletion_protection";

/// What the person asked for, as to deletions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
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
            .map(|change| {
                let id = change.id.as_deref().unwrap_or_default();
                format!("{} ({id})", change.address)
            })
            .collect();
        if protected.is_empty() || self.lift_protection {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Refused,
            format!(
                "these are protected, so they can be neither deleted nor replaced: {}",
                protected.join(", ")
            ),
        )
        .hint(
            "set `protect = false` (`deletion_protection = false`) in the block and apply that first, putting the \
             block back if it is gone; or pass --lift-protection",
        ))
    }

    /// How the resource of this change is to be deleted.
    pub fn of(&self, change: &Change, desired: &Desired) -> Body {
        let mut parting = Body::new();
        if !deletes(change) {
            return parting;
        }
        if is_protected(change) {
            parting.insert(LIFT_PROTECTION.into(), json!(true));
        }
        // RDS takes no final snapshot of a replica.
        let field = |name: &str| change.before.as_ref().and_then(|body| body.get(name));
        if change.address.kind() != "db_instance" || field(SOURCE).is_some_and(|s| !s.is_null()) {
            return parting;
        }
        let wanted = desired.final_snapshot.get(&change.address).copied().unwrap_or(true);
        if let (true, false, Some(id)) = (wanted, self.skip_final_snapshots, &change.id) {
            // An identifier has at most 63 characters, the snapshot's name 255.
            parting.insert(FINAL_SNAPSHOT.into(), json!(format!("{id}-final-{}", self.stamp)));
        }
        parting
    }
}

fn deletes(change: &Change) -> bool {
    matches!(change.action, Action::Delete | Action::Replace)
}

fn is_protected(change: &Change) -> bool {
    let own = change.before.as_ref().and_then(|body| body.get(PROTECTION));
    change.protected || own == Some(&Value::Bool(true))
}
