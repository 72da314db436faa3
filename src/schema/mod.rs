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
use crate::report::{document, json};
use crate::status::{self, Overview};
use crate::topology::FILE;

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// What there is a schema of. To add one: a line here, and one in `schema`.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Document {
    /// The topology file
    #[default]
    Topology,
    /// What `plan --format json` prints, and a saved plan
    Plan,
    /// A line of `apply --format json` and `destroy --format json`
    Events,
    /// What `status --format json` prints
    Status,
    /// What `validate --format json` prints
    Validate,
    /// What `rehearse --format json` prints
    Rehearse,
    /// What `trace --format json` prints
    Trace,
    /// What `iam-policy --format json` prints
    IamPolicy,
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
        Document::Status => {
            written::<Overview>(&id("status", status::FORMAT), "how a topology of ecdeploy is")
        }
        Document::Validate => {
            let id = id("validate", document::VALIDATE);
            written::<document::Validate<'_>>(&id, "whether a topology of ecdeploy is one")
        }
        Document::Rehearse => {
            let id = id("rehearse", document::REHEARSE);
            written::<document::Rehearse<'_>>(&id, "how a plan of ecdeploy would go")
        }
        Document::Trace => {
            let id = id("trace", document::TRACE);
            written::<document::Trace<'_>>(&id, "ways through a topology of ecdeploy")
        }
        Document::IamPolicy => {
            let id = id("iam-policy", document::IAM_POLICY);
            written::<Vec<document::IamPolicy<'_>>>(&id, "policies that ecdeploy needs")
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
        if schema.get("properties").is_none() {
            return transform_subschemas(self, schema);
        }
        // What the object has besides what it always has stands in one of the branches: these stay open.
        let branches = ["oneOf", "anyOf"].map(|keyword| (keyword, schema.remove(keyword)));
        let branches = branches.into_iter().filter_map(|(keyword, there)| Some((keyword, there?)));
        let mut closing = "additionalProperties";
        transform_subschemas(self, schema);
        for (keyword, mut branches) in branches {
            for branch in branches.as_array_mut().into_iter().flatten() {
                if let Ok(branch) = branch.try_into() {
                    transform_subschemas(self, branch);
                }
            }
            schema.insert(keyword.into(), branches);
            closing = "unevaluatedProperties";
        }
        schema.insert(closing.into(), json!(false));
    }
}
