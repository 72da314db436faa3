//! Bodies as AWS's answers give them and as its calls want them.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::{
    Body, Class, Duty, Fault, Link, Observed, Schema, Status, Tags, Vitals, from_body, sort_set,
};

/// A resource that is ready and has nothing beyond its id.
pub fn observed(schema: &Schema, id: String, tags: Tags, body: Body) -> Observed {
    Observed {
        kind: schema.kind.to_owned(),
        id,
        tags,
        body,
        outputs: BTreeMap::new(),
        status: Status::Ready,
        maintenance: None,
        place: 0,
        duty: Duty::default(),
        vitals: Vitals::default(),
    }
}

/// The fields that AWS reported; `None` is a field that it did not.
pub fn reported<const N: usize>(fields: [(&str, Option<Value>); N]) -> Body {
    let known = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    known.collect()
}

/// A list whose order means nothing.
pub fn set(items: impl IntoIterator<Item = Value>) -> Value {
    let mut list = Value::Array(items.into_iter().collect());
    sort_set(&mut list);
    list
}

/// A body as typed fields. What it lacks is as AWS gives it at creation.
pub fn spec<T: DeserializeOwned>(schema: &Schema, body: &Body) -> Result<T, Fault> {
    let mut whole: Body =
        schema.fields.iter().map(|field| (field.name.to_owned(), field.start())).collect();
    whole.extend(body.clone());
    from_body(&whole).map_err(|error| misfit(schema, error))
}

/// One field of a body, or as AWS gives it at creation.
pub fn field<T: DeserializeOwned>(schema: &Schema, body: &Body, name: &str) -> Result<T, Fault> {
    let start = || schema.field(name).map(|field| field.start()).unwrap_or_default();
    let value = body.get(name).cloned().unwrap_or_else(start);
    serde_json::from_value(value).map_err(|error| misfit(schema, format!("{name}: {error}")))
}

fn misfit(schema: &Schema, error: impl ToString) -> Fault {
    Fault::new(Class::Fatal, schema.kind, "InvalidBody", error.to_string())
}

/// The ids that the links hold at the door.
pub fn ids(links: &[Link]) -> Vec<String> {
    links.iter().map(|link| link.id().to_owned()).collect()
}
