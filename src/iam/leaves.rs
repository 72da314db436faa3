//! What some rows take of IAM, as questions about whose leave there is.

use std::collections::{BTreeMap, BTreeSet};

use super::fill::{Fill, is_global};
use crate::desired::Desired;
use crate::model::question::Leave;
use crate::model::{Operation, Scope};

/// What a request tells, by the key of a condition.
type Context = BTreeMap<String, BTreeSet<String>>;

/// IAM and Route 53 are asked there.
const GLOBAL: &str = "us-east-1";

/// Each action of these rows with its resources, and with what a request of ours tells for conditions.
pub fn leaves(
    desired: &Desired,
    rows: impl IntoIterator<Item = &'static Operation>,
) -> BTreeSet<Leave> {
    let fill = Fill { desired, lookup: "" };
    let mut known: BTreeMap<(String, Context), BTreeSet<String>> = BTreeMap::new();
    for row in rows {
        for grant in row.grants.iter().filter(|grant| !grant.scope.adopts) {
            let action = grant.action.unwrap_or(row.name);
            let service = action.split(':').next().unwrap_or_default();
            let arns = grant.resources.iter().flat_map(|resource| fill.arns(service, resource));
            let resources: BTreeSet<String> = arns.collect();
            if !resources.is_empty() {
                let mut context = context(&fill, grant.scope, row);
                let region = if is_global(service) { GLOBAL } else { &desired.region };
                context.insert("aws:RequestedRegion".to_owned(), [region.to_owned()].into());
                known.entry((action.to_owned(), context)).or_default().extend(resources);
            }
        }
    }
    let leave = |((action, context), resources)| Leave { action, resources, context };
    known.into_iter().map(leave).collect()
}

/// The values that meet a scope's conditions.
fn context(fill: &Fill<'_>, scope: &Scope, row: &Operation) -> Context {
    let mut context = Context::new();
    for (operator, keys) in fill.conditions(Some(scope)) {
        for (key, values) in keys {
            if operator != "Null" {
                context.insert(key, values);
            } else if values.contains("false") {
                let operation = row.name.rsplit(':').next().unwrap_or_default();
                context.entry(key).or_insert_with(|| [operation.to_owned()].into());
            }
        }
    }
    context
}
