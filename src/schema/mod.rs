//! JSON Schemas of what ecdeploy reads and writes, each made from what reads or writes it.

#[cfg(test)]
mod tests;
mod topology;

use clap::ValueEnum;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use crate::plan;
use crate::report::json;
use crate::topology::FILE;

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// What there is a schema of. To add one: a line here, and one in `schema`.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Document {
    /// The topology file
    #[default]
    Topology,
    /// A saved plan, which is what `plan --format json` prints
    Plan,
    /// A line of `apply --format json` and `destroy --format json`
    Events,
}

/// The schema of a document. It takes what this version of ecdeploy takes, and has what this version writes.
pub fn schema(of: Document) -> Value {
    match of {
        Document::Topology => {
            let id = id("topology", env!("CARGO_PKG_VERSION"));
            topology::schema(FILE, &id)
        }
        Document::Plan => {
            written::<json::Planned<'_>>(&id("plan", plan::FORMAT), "a plan of ecdeploy")
        }
        Document::Events => {
            written::<json::Line<'_>>(&id("events", json::FORMAT), "an event of ecdeploy")
        }
    }
}

fn id(document: &str, version: impl std::fmt::Display) -> String {
    format!("urn:ecdeploy:{document}:{version}")
}

/// The schema of what is written as this type.
fn written<T: JsonSchema>(id: &str, title: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with_transform(Closed);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("$id".into(), id.into());
    schema.insert("title".into(), title.into());
    schema.to_value()
}

/// Nothing is written that the schema doesn't name.
#[derive(Clone)]
struct Closed;

impl Transform for Closed {
    fn transform(&mut self, schema: &mut Schema) {
        let has = |keyword| schema.get(keyword).is_some();
        match (has("properties"), has("oneOf") || has("anyOf")) {
            // What the object always has stands here, and what it has besides in one of the branches.
            (true, true) => schema.insert("unevaluatedProperties".into(), json!(false)),
            (true, false) => {
                transform_subschemas(self, schema);
                schema.insert("additionalProperties".into(), json!(false))
            }
            (false, _) => {
                transform_subschemas(self, schema);
                None
            }
        };
    }
}
