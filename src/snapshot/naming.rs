//! Live bodies in the words of the topology: addresses for ids, references for outputs, long texts put aside.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Resource;
use crate::model::{Address, Reference, Schema, Texts, reference, set_aside, sort_set};

/// Addresses by kind and id: two kinds may well give things the same name.
pub type Addresses = BTreeMap<(String, String), Address>;

/// Output references by the text that they stand for now; two outputs may well have the same.
pub type Outputs = BTreeMap<String, Vec<Value>>;

/// Turns the ids of what stays into addresses.
pub fn name_links(resource: &mut Resource, schema: &Schema, kept: &Addresses) {
    for field in schema.fields {
        let Some(value) = resource.body.get_mut(field.name) else { continue };
        let kind = field.named_kind().unwrap_or_default();
        for link in field.links_mut(value) {
            let id = link.as_str().unwrap_or_default();
            if let Some(address) = kept.get(&(kind.to_owned(), id.to_owned())) {
                *link = reference(address);
            }
        }
        if field.set {
            sort_set(value);
        }
    }
}

/// Puts long texts aside.
pub fn name_texts(resource: &mut Resource, schema: &Schema, texts: &mut Texts) {
    for field in schema.fields.iter().filter(|field| field.aside) {
        if let Some(value) = resource.body.get_mut(field.name)
            && let Some(text) = value.as_str()
        {
            *value = set_aside(text, texts);
        }
    }
}

/// Turns texts that are outputs of what stays into references to them.
pub fn name_outputs(resource: &mut Resource, schema: &Schema, outputs: &Outputs) {
    for field in schema.fields.iter().filter(|field| field.reference == Reference::Outputs) {
        let Some(value) = resource.body.get_mut(field.name) else { continue };
        // What was applied as plain text stays so, whatever happens to have the same text by now.
        if !resource.applied.holds(field.name, value) {
            *value = with_outputs(value, outputs);
        }
    }
}

/// A copy of the value with each text that is an output of ours replaced by a reference to it.
fn with_outputs(value: &Value, outputs: &Outputs) -> Value {
    match value {
        // Of two outputs with one text neither is guessed: the diff compares texts.
        Value::String(text) => match outputs.get(text).map(Vec::as_slice) {
            Some([only]) => only.clone(),
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(|item| with_outputs(item, outputs)).collect(),
        Value::Object(map) => {
            map.iter().map(|(key, item)| (key.clone(), with_outputs(item, outputs))).collect()
        }
        other => other.clone(),
    }
}
