//! What AWS refuses for all kinds alike, as their schemas say: names of what is not there, and names that are taken.

use std::collections::BTreeSet;

use serde_json::Value;

use super::object::Object;
use super::{Account, rules};
use crate::model::question::{Name, Namesake, Namesakes, named};
use crate::model::{Body, Class, Fault, Schema};

impl Account {
    pub(super) fn check_references(
        &self,
        schema: &Schema,
        body: &Body,
        operation: &str,
    ) -> Result<(), Fault> {
        for field in schema.fields {
            let links = body.get(field.name).map(|value| field.links(value));
            let kind = field.named_kind().unwrap_or_default();
            let ids = links.into_iter().flatten().filter_map(Value::as_str);
            let known = |id: &str| !self.open || self.get(kind, id).is_some();
            for id in ids.filter(|id| rules::is_id(id) && known(id)) {
                self.present(kind, id, operation)?;
            }
        }
        Ok(())
    }

    pub(super) fn check_unique(
        &self,
        schema: &Schema,
        own: Option<&str>,
        body: &Body,
        operation: &str,
    ) -> Result<(), Fault> {
        let mut others = self.of_kind(schema.kind).filter(|other| Some(other.id.as_str()) != own);
        let named_so = |other: &&Object| {
            schema.unique.iter().all(|field| other.body.get(*field) == body.get(*field))
        };
        match others.find(named_so).filter(|_| !schema.unique.is_empty()) {
            None => Ok(()),
            Some(other) => {
                let fields = schema.unique.join(" and ");
                let message = format!("{} has the same {fields} already", other.id);
                let (class, code) = match schema.kind {
                    "listener_rule" => (Class::Fatal, "PriorityInUse"),
                    _ => (Class::Exists, "AlreadyExists"),
                };
                Err(Fault::new(class, operation, code, message))
            }
        }
    }

    /// What has which of these names.
    pub(super) fn namesakes(&self, schema: &Schema, names: &BTreeSet<Name>) -> Namesakes {
        let namesake = |object: &Object| {
            let values = schema.unique.iter().map(|field| named(object.body.get(*field)?));
            let name: Name = values.collect::<Option<_>>()?;
            let (id, tags) = (object.id.clone(), object.tags.clone());
            names.contains(&name).then_some(Namesake { name, id, tags })
        };
        self.of_kind(schema.kind).filter_map(namesake).collect()
    }
}
