//! The schema of a topology file, from the keys that its reader knows.

use serde_json::{Map, Value, json};

use super::DIALECT;
use crate::topology::shape::{Key, Shape};

/// The table whose blocks say what others have in common.
const DEFAULTS: &str = "defaults";

/// Where a string names a variable, anything may come of it.
const VARIABLE: &str = r"\$\{";
/// A variable and nothing else: it may stand for a number or a boolean.
const SOLE_VARIABLE: &str = r"^\$\{var\.[A-Za-z][A-Za-z0-9_]*\}$";

/// The schema of a file with these keys.
pub fn schema(file: &'static [Key], id: &str) -> Value {
    let format = Format { file };
    let mut schema = Map::new();
    schema.insert("$schema".into(), json!(DIALECT));
    schema.insert("$id".into(), json!(id));
    schema.insert("title".into(), json!("a topology of ecdeploy"));
    schema.extend(format.table(file, Required::Here));
    schema.insert("allOf".into(), format.required_somewhere());
    schema.insert("$defs".into(), format.blocks());
    Value::Object(schema)
}

struct Format {
    file: &'static [Key],
}

/// Where the keys that a table needs have to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Required {
    /// In the table itself.
    Here,
    /// In it or in the defaults.
    Elsewhere,
}

impl Format {
    /// The defaults that the file can give, by the kinds of blocks.
    fn defaults(&self) -> &'static [Key] {
        let key = self.file.iter().find(|key| key.name == DEFAULTS);
        match key.map(|key| &key.shape) {
            Some(Shape::Table(kinds)) => kinds,
            _ => &[],
        }
    }

    fn has_defaults(&self, kind: &str) -> bool {
        self.defaults().iter().any(|key| key.name == kind)
    }

    /// A block of each kind that has defaults, which are such a block, too.
    fn blocks(&self) -> Value {
        let mut blocks = Map::new();
        for key in self.file.iter().filter(|key| self.has_defaults(key.name)) {
            if let Shape::Named(_, keys) = &key.shape {
                blocks.insert(key.name.into(), self.table(keys, Required::Elsewhere).into());
            }
        }
        Value::Object(blocks)
    }

    /// What every block of a kind has to have, unless the defaults of the kind have it.
    fn required_somewhere(&self) -> Value {
        let mut rules = Vec::new();
        for key in self.file {
            let Shape::Named(_, keys) = &key.shape else { continue };
            if !self.has_defaults(key.name) {
                continue;
            }
            for needed in keys.iter().filter(|key| key.required) {
                let in_defaults = json!({
                    "required": [DEFAULTS],
                    "properties": { DEFAULTS: {
                        "required": [key.name],
                        "properties": { key.name: { "required": [needed.name] } },
                    } },
                });
                let in_each = json!({
                    "properties": { key.name: {
                        "additionalProperties": { "required": [needed.name] },
                    } },
                });
                rules.push(json!({ "if": in_defaults, "else": in_each }));
            }
        }
        Value::Array(rules)
    }

    fn table(&self, keys: &'static [Key], required: Required) -> Map<String, Value> {
        let properties: Map<String, Value> =
            keys.iter().map(|key| (key.name.to_owned(), self.key(key))).collect();
        let needed = keys.iter().filter(|key| key.required && required == Required::Here);
        let needed: Vec<&str> = needed.map(|key| key.name).collect();
        let mut table = Map::new();
        table.insert("type".into(), json!("object"));
        table.insert("properties".into(), properties.into());
        if !needed.is_empty() {
            table.insert("required".into(), json!(needed));
        }
        table.insert("additionalProperties".into(), json!(false));
        table
    }

    fn key(&self, key: &'static Key) -> Value {
        let mut schema = match &key.shape {
            Shape::Named(_, keys) => self.named(key, keys),
            // Defaults are a block of their kind.
            Shape::Partly(_) => block(key.name),
            shape => self.shape(shape, key.form),
        };
        schema.insert("description".into(), json!(key.about));
        if let Some(default) = key.default {
            schema.insert("default".into(), typed(default, &key.shape));
        }
        Value::Object(schema)
    }

    /// Blocks by their keys.
    fn named(&self, key: &Key, keys: &'static [Key]) -> Map<String, Value> {
        let each = match self.has_defaults(key.name) {
            true => block(key.name),
            false => self.table(keys, Required::Here),
        };
        let mut schema = object(json!({ "type": "object" }));
        if let Some(form) = key.form {
            schema.insert("propertyNames".into(), json!({ "pattern": form }));
        }
        schema.insert("additionalProperties".into(), each.into());
        schema
    }

    fn shape(&self, shape: &'static Shape, form: Option<&str>) -> Map<String, Value> {
        let either = |one: Value, other: Value| object(json!({ "anyOf": [one, other] }));
        match shape {
            Shape::Text(_) => object(match form {
                Some(form) => json!({ "type": "string", "pattern": format!("{form}|{VARIABLE}") }),
                None => json!({ "type": "string" }),
            }),
            Shape::Word(words) => {
                either(json!({ "enum": words }), json!({ "type": "string", "pattern": VARIABLE }))
            }
            // Of these, each looks at what is of its type.
            Shape::Integer(from, to) => object(json!({
                "type": ["integer", "string"],
                "minimum": from,
                "maximum": to,
                "pattern": SOLE_VARIABLE,
            })),
            Shape::OneOf(numbers) => either(
                json!({ "enum": numbers }),
                json!({ "type": "string", "pattern": SOLE_VARIABLE }),
            ),
            Shape::Flag => {
                object(json!({ "type": ["boolean", "string"], "pattern": SOLE_VARIABLE }))
            }
            Shape::Scalar => object(json!({ "type": ["string", "integer", "boolean"] })),
            Shape::List(item) => {
                object(json!({ "type": "array", "items": self.shape(item, form) }))
            }
            Shape::Either(shape, keys) => {
                either(self.shape(shape, form).into(), self.table(keys, Required::Here).into())
            }
            Shape::Table(keys) | Shape::Named(_, keys) => self.table(keys, Required::Here),
            Shape::Partly(keys) => self.table(keys, Required::Elsewhere),
        }
    }
}

/// A block of a kind that has defaults.
fn block(kind: &str) -> Map<String, Value> {
    object(json!({ "$ref": format!("#/$defs/{kind}") }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// A default as the shape has it.
pub fn typed(default: &str, shape: &Shape) -> Value {
    let text = || Value::String(default.to_owned());
    match shape {
        Shape::Integer(..) | Shape::OneOf(_) | Shape::Flag => {
            serde_json::from_str(default).unwrap_or_else(|_| text())
        }
        _ => text(),
    }
}
