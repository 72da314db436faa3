//! A resource's fields as data. What is not known before apply stands in it as a late value.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Address, Lookup, digest};

/// The fields of one resource by name. Ordered, so its bytes are stable.
pub type Body = BTreeMap<String, Value>;

const REF: &str = "$ref";
const OUTPUT: &str = "output";
const TEXT: &str = "$text";

/// Long texts by their digests: many bodies name the same one.
pub type Texts = BTreeMap<String, String>;

/// A value that apply fills in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Late {
    /// The id (or another output) of another resource. It is the edge of the graph.
    Ref { address: Address, output: Option<String> },
    /// What is looked up when the plan is made.
    Lookup(Lookup),
    /// A long text that stands beside the bodies, by its digest.
    Text(String),
}

/// A reference to the id of `address`, as it stands in a body.
pub fn reference(address: &Address) -> Value {
    json!({ REF: address.to_string() })
}

/// Reads a value as late, where it is one.
pub fn late(value: &Value) -> Option<Late> {
    let map = value.as_object()?;
    if let Some(found) = Lookup::from_map(map) {
        return Some(Late::Lookup(found));
    }
    if let Some(digest) = map.get(TEXT).and_then(Value::as_str) {
        return Some(Late::Text(digest.to_owned()));
    }
    let address = map.get(REF)?.as_str()?.parse().ok()?;
    let output = map.get(OUTPUT).and_then(Value::as_str).map(str::to_owned);
    Some(Late::Ref { address, output })
}

impl Late {
    pub fn to_value(&self) -> Value {
        match self {
            Late::Ref { address, output: None } => reference(address),
            Late::Ref { address, output: Some(output) } => {
                json!({ REF: address.to_string(), OUTPUT: output })
            }
            Late::Lookup(lookup) => lookup.to_value(),
            Late::Text(digest) => json!({ TEXT: digest }),
        }
    }
}

/// Puts a text beside the bodies; what stands in a body for it.
pub fn set_aside(text: &str, texts: &mut Texts) -> Value {
    let digest = digest(text.as_bytes());
    let named = Late::Text(digest.clone()).to_value();
    texts.entry(digest).or_insert_with(|| text.to_owned());
    named
}

/// A copy of the body with its texts in it; the first that isn't there is the error.
pub fn with_texts(body: &Body, texts: &Texts) -> Result<Body, Late> {
    let filled = |value: &Value| match late(value) {
        Some(Late::Text(digest)) => match texts.get(&digest) {
            Some(text) => Ok(text.as_str().into()),
            None => Err(Late::Text(digest)),
        },
        _ => Ok(value.clone()),
    };
    body.iter().map(|(field, value)| Ok((field.clone(), filled(value)?))).collect()
}

/// Calls `visit` for each late value inside `value`.
pub fn walk_late(value: &Value, visit: &mut impl FnMut(Late)) {
    if let Some(found) = late(value) {
        visit(found);
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk_late(item, visit)),
        Value::Object(map) => map.values().for_each(|item| walk_late(item, visit)),
        _ => {}
    }
}

/// A copy of `value` with each late value but texts replaced by what `lookup` gives; the first it can't give is the
/// error.
pub fn resolve(value: &Value, lookup: &impl Fn(&Late) -> Option<String>) -> Result<Value, Late> {
    if let Some(found) = late(value) {
        if matches!(found, Late::Text(_)) {
            return Ok(value.clone());
        }
        return lookup(&found).map(Value::String).ok_or(found);
    }
    Ok(match value {
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| resolve(item, lookup)).collect::<Result<_, _>>()?)
        }
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, item)| Ok((key.clone(), resolve(item, lookup)?)))
                .collect::<Result<_, Late>>()?,
        ),
        other => other.clone(),
    })
}

/// A field that names another resource: late in a desired body, an id at the door to AWS.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Link(Value);

impl Link {
    pub fn to(address: &Address) -> Self {
        Self(reference(address))
    }

    /// The id, once resolved; empty before.
    pub fn id(&self) -> &str {
        self.0.as_str().unwrap_or_default()
    }
}

/// A kind's typed fields as a body.
pub fn to_body(spec: &impl Serialize) -> Body {
    match serde_json::to_value(spec) {
        Ok(Value::Object(map)) => map.into_iter().collect(),
        _ => Body::new(),
    }
}

/// A body as a kind's typed fields. The error names the field that doesn't fit.
pub fn from_body<T: DeserializeOwned>(body: &Body) -> Result<T, serde_json::Error> {
    serde_json::from_value(Value::Object(body.clone().into_iter().collect()))
}

/// Sorts a list whose order means nothing, so that equal sets are equal values.
pub fn sort_set(value: &mut Value) {
    if let Value::Array(items) = value {
        items.sort_by_cached_key(Value::to_string);
        items.dedup();
    }
}
