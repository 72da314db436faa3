//! What AWS has accepted already and makes in a maintenance window: neither a change nor drift, but not there yet either.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Plan;
use crate::diff::{Action, Change};
use crate::model::{APPLY_IMMEDIATELY, Address};
use crate::snapshot::{Resource, Snapshot};

/// What one resource has still to become.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pending {
    pub address: Address,
    /// The weekly window in AWS's words, UTC: `sun:17:00-sun:17:30`.
    pub window: String,
    pub fields: Vec<PendingField>,
}

/// One field's way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PendingField {
    pub field: String,
    pub before: Value,
    pub after: Value,
}

/// What still waits when these changes have been made.
pub fn pending(changes: &[Change], snapshot: &Snapshot) -> Vec<Pending> {
    snapshot.resources.values().filter_map(|resource| of(resource, changes)).collect()
}

impl Plan {
    /// What waits for a maintenance window once the plan is carried out: what did before, and what it adds.
    pub fn pending_after(&self) -> Vec<Pending> {
        let mut all = self.pending.clone();
        for change in &self.changes {
            for moved in &change.fields {
                let Some(window) = &moved.waits else { continue };
                let field = PendingField {
                    field: moved.field.clone(),
                    before: moved.before.clone().unwrap_or_default(),
                    after: moved.after.clone(),
                };
                match all.iter_mut().find(|pending| pending.address == change.address) {
                    Some(known) => known.fields.push(field),
                    None => all.push(Pending {
                        address: change.address.clone(),
                        window: window.clone(),
                        fields: vec![field],
                    }),
                }
            }
        }
        all
    }
}

fn of(resource: &Resource, changes: &[Change]) -> Option<Pending> {
    let maintenance = resource.maintenance.as_ref()?;
    let change = changes.iter().find(|change| change.address == resource.address);
    if change.is_some_and(ends_waiting) {
        return None;
    }
    let moved = |field: &str| {
        change.is_some_and(|change| change.fields.iter().any(|moved| moved.field == field))
    };
    let fields: Vec<PendingField> = maintenance
        .until_then
        .iter()
        .filter(|(field, _)| !moved(field))
        .filter_map(|(field, before)| {
            let after = resource.body.get(field)?.clone();
            Some(PendingField { field: field.clone(), before: before.clone(), after })
        })
        .collect();
    let address = resource.address.clone();
    let window = maintenance.window.clone();
    (!fields.is_empty()).then_some(Pending { address, window, fields })
}

/// Whether nothing waits any more after it: the resource goes, or all is made at once.
fn ends_waiting(change: &Change) -> bool {
    let immediately = |change: &Change| {
        change.after.as_ref().and_then(|body| body.get(APPLY_IMMEDIATELY))
            == Some(&Value::Bool(true))
    };
    change.action != Action::Update || immediately(change)
}
