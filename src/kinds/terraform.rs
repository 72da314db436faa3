//! What a kind is in Terraform: its resource there, how that is imported, and which of its arguments the fields are.

use serde_json::{Map, Value, json};

use super::Live;
use crate::model::{Address, Body, PROTECTED, Tags};

/// What a kind says of itself in Terraform's words.
pub struct Terraform {
    /// `aws_subnet`.
    pub resource: &'static str,
    /// The form of the id that it is imported by: `{id}`, or a field's name in braces.
    pub import: &'static str,
    /// The attribute that stands where a body names the resource.
    pub named_by: &'static str,
    /// The attributes that its outputs are.
    pub outputs: &'static [(&'static str, &'static str)],
    pub arguments: &'static [Argument],
    /// What Terraform has as resources of their own.
    pub parts: fn(&One<'_>) -> Vec<Part>,
    /// The fields that the parts speak of, or that Terraform knows nothing of.
    pub beside: &'static [&'static str],
}

/// An argument of a resource, under Terraform's name. One like `health_check.path` stands in a block.
pub enum Argument {
    /// A field as it is: name, field.
    Field(&'static str, &'static str),
    /// A field that is a document of JSON: name, field.
    Document(&'static str, &'static str),
    /// Always the same: name, value.
    Always(&'static str, Fixed),
    /// What follows from these fields: name, fields, value. Tables in it are blocks. Null is no argument.
    Made(&'static str, &'static [&'static str], fn(&One<'_>) -> Value),
    /// Its tags, but for ours.
    Tags,
}

/// A value that doesn't depend on the resource.
#[derive(Clone, Copy)]
pub enum Fixed {
    Text(&'static str),
    Flag(bool),
}

/// A live resource that is to be told to Terraform.
pub struct One<'a> {
    pub address: &'a Address,
    /// Its fields, references as addresses.
    pub body: &'a Body,
    pub tags: &'a Tags,
    /// The same with ids.
    pub live: &'a Live,
}

/// A resource that only Terraform has.
pub struct Part {
    pub resource: &'static str,
    /// What tells it from others of the same resource: its name begins with this one's.
    pub suffix: String,
    /// None where Terraform can't import it.
    pub import: Option<String>,
    pub arguments: Vec<(&'static str, Value)>,
}

/// Begins the keys of tags that are ours alone.
pub const OUR_TAGS: &str = "ecdeploy:";

const CALL: &str = "$call";

/// A call of one of Terraform's functions, as it stands in a value.
pub fn call(function: &str, arguments: &[Value]) -> Value {
    json!({ CALL: function, "arguments": arguments })
}

/// Reads a value as a call, where it is one.
pub fn called(map: &Map<String, Value>) -> Option<(&str, &[Value])> {
    let arguments = map.get("arguments")?.as_array()?;
    Some((map.get(CALL)?.as_str()?, arguments))
}

const WORD: &str = "$word";

/// The name of an argument, as it stands in a value: without quotes.
pub fn word(name: &str) -> Value {
    json!({ WORD: name })
}

/// Reads a value as such a name, where it is one.
pub fn worded(map: &Map<String, Value>) -> Option<&str> {
    map.get(WORD)?.as_str()
}

/// The value as a document of JSON; null where there is none.
pub fn document(value: &Value) -> Value {
    if value.is_null() { Value::Null } else { call("jsonencode", std::slice::from_ref(value)) }
}

/// For kinds that are one resource in Terraform, too.
pub fn whole(_: &One<'_>) -> Vec<Part> {
    Vec::new()
}

impl Fixed {
    pub fn value(self) -> Value {
        match self {
            Fixed::Text(text) => text.into(),
            Fixed::Flag(flag) => flag.into(),
        }
    }
}

impl Argument {
    /// As AWS and Terraform both call it.
    pub const fn same(name: &'static str) -> Self {
        Argument::Field(name, name)
    }
}

impl One<'_> {
    /// A field; null where it is not known.
    pub fn field(&self, name: &str) -> Value {
        self.body.get(name).cloned().unwrap_or_default()
    }

    /// A field's items; none where it is no list.
    pub fn items(&self, name: &str) -> &[Value] {
        self.body.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The text in a field, references as ids; empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        self.live.body.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the field has this value.
    pub fn is(&self, name: &str, value: impl Into<Value>) -> bool {
        self.body.get(name) == Some(&value.into())
    }

    /// True where it may be neither deleted nor replaced, else null.
    pub fn protected(&self) -> Value {
        match self.tags.get(PROTECTED).map(String::as_str) {
            Some("true") => true.into(),
            _ => Value::Null,
        }
    }
}

/// Tags as Terraform is told them, without those that are ours or AWS's own; null where none is left.
pub fn tags<'a>(all: impl IntoIterator<Item = (&'a String, Value)>) -> Value {
    let told = |key: &str| !key.starts_with(OUR_TAGS) && !key.starts_with("aws:");
    let kept = all.into_iter().filter(|(key, _)| told(key));
    let kept: Map<String, Value> = kept.map(|(key, value)| (key.clone(), value)).collect();
    if kept.is_empty() { Value::Null } else { kept.into() }
}
