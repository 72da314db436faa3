//! The least IAM policies for a topology, from the table of operations that the clients are made of.

mod document;
mod fill;
mod leaves;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

pub use document::{Document, LIMIT, Statement, pack};
pub use leaves::leaves;

use crate::aws;
use crate::desired::Desired;
use crate::kinds::REGISTRY;
use crate::model::{Grant, Operation, Scope, Side};
use fill::Fill;

/// Who the policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// `plan`, `rehearse`, `trace`: whatever only looks.
    Plan,
    /// `apply`, `destroy`, `scale`, `unlock`, `export`, and what they look at.
    Apply,
    /// `adopt`, beside that: whoever may set our tag on what bears none may then change it.
    Adopt,
}

impl Purpose {
    pub fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Adopt => "adopt",
        }
    }

    /// Whether it takes in what is sent on this side.
    fn has(self, side: Side) -> bool {
        self != Self::Plan || side == Side::Plan
    }
}

/// The statements for `purpose`. A plan looks for every kind there is, since the file may have had it before; changed is
/// what this file has.
pub fn statements(desired: &Desired, purpose: Purpose) -> Vec<Statement> {
    let kept: BTreeSet<&str> = desired.resources.keys().map(|address| address.kind()).collect();
    let kinds = REGISTRY.iter().flat_map(|kind| {
        let known = kept.contains(kind.schema().kind);
        kind.operations().iter().filter(move |row| known || row.side == Side::Plan)
    });
    let rows = kinds.chain(aws::operations()).map(|row| (row, ""));
    let rows = rows.chain(desired.lookups.keys().map(aws::lookup::operation));
    let mut leaves = Leaves::default();
    for (row, lookup) in rows.filter(|(row, _)| purpose.has(row.side)) {
        let grants = row.grants.iter();
        for grant in grants.filter(|grant| purpose == Purpose::Adopt || !grant.scope.adopts) {
            leaves.add(row, grant, &Fill { desired, lookup });
        }
    }
    leaves.statements(desired)
}

/// What belongs in one statement, but for the resources: service, whether it looks only, and the scope's words.
type Key = (String, bool, &'static str);

/// Each action with its resources.
type Actions = BTreeMap<String, BTreeSet<String>>;

/// Leaves by what they have in common.
#[derive(Default)]
struct Leaves(BTreeMap<Key, (Option<&'static Scope>, Actions)>);

impl Leaves {
    fn add(&mut self, row: &Operation, grant: &Grant, fill: &Fill<'_>) {
        let action = grant.action.unwrap_or(row.name);
        let service = action.split(':').next().unwrap_or_default();
        let resources: BTreeSet<String> =
            grant.resources.iter().flat_map(|resource| fill.arns(service, resource)).collect();
        if resources.is_empty() {
            return;
        }
        // What AWS narrows to no resource needs one statement for all services, but for those that know no regions.
        let service = match (resources.contains("*"), fill::is_global(service)) {
            (true, true) => "account",
            (true, false) => "region",
            (false, _) => service,
        };
        let looks = row.side != Side::Change;
        let key = (service.to_owned(), looks, grant.scope.words);
        let (scope, actions) = self.0.entry(key).or_default();
        *scope = Some(grant.scope);
        actions.entry(action.to_owned()).or_default().extend(resources);
    }

    fn statements(self, desired: &Desired) -> Vec<Statement> {
        let fill = Fill { desired, lookup: "" };
        let mut all = Vec::new();
        for ((service, looks, words), (scope, actions)) in self.0 {
            let mut alike: BTreeMap<BTreeSet<String>, BTreeSet<String>> = BTreeMap::new();
            let whole: BTreeSet<String> = actions.values().flatten().cloned().collect();
            for (action, resources) in actions {
                // Each action takes resources of its own types: beside others' it gains none but of ours, or to look at.
                let merges = looks || scope.is_some_and(Scope::is_of_ours);
                let resources = if merges { whole.clone() } else { resources };
                alike.entry(resources).or_default().insert(action);
            }
            let one = alike.len() == 1;
            for (resources, actions) in alike {
                let types = if one { String::new() } else { fill::types(&resources) };
                let sid = match service.as_str() {
                    "region" => "ReadsThatKnowNoResourceInTheRegion".to_owned(),
                    "account" => "ReadsThatKnowNoResource".to_owned(),
                    service if looks => format!("{}{types}Reads{words}", fill::camel(service)),
                    service => format!("{}{types}{words}", fill::camel(service)),
                };
                let mut condition = fill.conditions(scope);
                if service == "region" {
                    let here = BTreeSet::from([desired.region.clone()]);
                    let key = ("aws:RequestedRegion".to_owned(), here);
                    condition.entry("StringEquals".to_owned()).or_default().extend([key]);
                }
                all.push(Statement::allow(sid, actions, resources, condition));
            }
        }
        all
    }
}

/// The policies for `purpose`, each within what IAM takes.
pub fn documents(desired: &Desired, purpose: Purpose) -> Vec<Document> {
    pack(statements(desired, purpose))
}
