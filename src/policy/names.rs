//! What expressions may name: the variables with their fields, and functions.

use std::collections::HashMap;

use cel::Value;
use serde::Serialize;
use serde_json::Value as Json;

use super::Facts;
use crate::diff::Change;
use crate::model::{Body, Late, late};

pub const CHANGE: &str = "change";
pub const PLAN: &str = "plan";

/// By the path that leads to them. What stands in `before` and `after` differs from kind to kind.
pub const FIELDS: &[(&str, &[&str])] = &[
    (
        CHANGE,
        &["address", "kind", "name", "action", "drift", "protected", "fields", "before", "after"],
    ),
    (
        PLAN,
        &[
            "goal",
            "topology",
            "account",
            "region",
            "summary",
            "duration",
            "min_healthy",
            "cost",
            "cost_change",
        ],
    ),
    ("plan.summary", &["create", "update", "replace", "delete", "drift"]),
];

/// Of the plan, what is known only where it was rehearsed.
pub const OF_REHEARSAL: &[&str] = &["duration", "min_healthy"];

pub const FUNCTIONS: &[&str] = &["size", "contains", "startsWith", "endsWith", "dyn", "has"];
/// Each of them makes its like of another, too.
pub const TYPES: &[&str] =
    &["type", "int", "uint", "double", "string", "bool", "bytes", "list", "map", "null_type"];

/// What a rule sees of the plan.
pub fn plan(facts: &Facts<'_>) -> Value {
    let (plan, summary) = (facts.plan, &facts.plan.summary);
    let rehearsal = facts.rehearsal;
    let fewest = rehearsal.map(|rehearsal| &rehearsal.services).into_iter().flatten();
    let costs = facts.costs;
    // What lacks a part is no sum to go by.
    let priced = costs.then.unpriced().chain(costs.now.unpriced()).next().is_none();
    let costs = [("cost", costs.then.total()), ("cost_change", costs.more())];
    let costs = costs.into_iter().filter(|_| priced).map(|(name, money)| (name, word(&money)));
    let said = [
        ("goal", word(&plan.goal)),
        ("topology", plan.topology.as_str().into()),
        ("account", plan.account.as_str().into()),
        ("region", plan.region.as_str().into()),
        (
            "summary",
            map([
                ("create", count(summary.create)),
                ("update", count(summary.update)),
                ("replace", count(summary.replace)),
                ("delete", count(summary.delete)),
                ("drift", count(summary.drift)),
            ]),
        ),
        ("duration", Value::Float(rehearsal.map_or(0.0, |rehearsal| rehearsal.seconds))),
        ("min_healthy", map(fewest.map(|(name, healthy)| (name.as_str(), count(healthy.fewest))))),
    ];
    map(said.into_iter().chain(costs))
}

/// What a rule sees of a change.
pub fn change(change: &Change) -> Value {
    let fields = change.fields.iter().map(|field| {
        map([
            ("field", field.field.as_str().into()),
            ("before", field.before.as_ref().map_or(Value::Null, value)),
            ("after", value(&field.after)),
            ("cause", word(&field.cause)),
            ("replaces", field.replaces.into()),
        ])
    });
    map([
        ("address", change.address.to_string().into()),
        ("kind", change.address.kind().into()),
        ("name", change.address.name().into()),
        ("action", word(&change.action)),
        ("drift", change.drifted().into()),
        ("protected", change.protected.into()),
        ("fields", Value::List(fields.collect::<Vec<_>>().into())),
        ("before", body(change.before.as_ref())),
        ("after", body(change.after.as_ref())),
    ])
}

/// The word that the plan's JSON has for it.
fn word(of: &impl Serialize) -> Value {
    serde_json::to_value(of).map_or(Value::Null, |json| value(&json))
}

/// Where there is none it has no fields, so that `has` can be asked of it.
fn body(body: Option<&Body>) -> Value {
    map(body.into_iter().flatten().map(|(field, found)| (field.as_str(), value(found))))
}

/// A field's value. What apply fills in is the text that names it: an address, a lookup.
fn value(json: &Json) -> Value {
    match late(json) {
        Some(Late::Ref { address, output: None }) => return address.to_string().into(),
        Some(Late::Ref { address, output: Some(output) }) => {
            return format!("{address}.{output}").into();
        }
        Some(Late::Lookup(lookup)) => return lookup.to_string().into(),
        Some(Late::Text(digest)) => return digest.into(),
        None => {}
    }
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => (*flag).into(),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Float(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => Value::List(items.iter().map(value).collect::<Vec<_>>().into()),
        Json::Object(fields) => {
            map(fields.iter().map(|(name, field)| (name.as_str(), value(field))))
        }
    }
}

fn map<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
    Value::Map(fields.collect::<HashMap<_, _>>().into())
}

fn count(number: usize) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
