//! Creation with a client token, of many alike by one call: asked again with the same, the account tells what it has made;
//! of machines alone it says when they are gone.

use std::collections::BTreeMap;

use super::Account;
use super::account::key;
use crate::kinds::instance;
use crate::model::{Body, Class, Created, Fault, Schema, Tags, launch};

impl Account {
    /// Creates one for each of these tags by one call. With a token that it knows, it tells what that has made.
    pub fn create_all(
        &mut self,
        schema: &Schema,
        body: &Body,
        all: &[Tags],
        token: &str,
    ) -> Result<Vec<Created>, Fault> {
        let operation = format!("{}:Create", schema.kind);
        let known = self.tokens.get(token).filter(|_| schema.calls.token).cloned();
        if let Some(ids) = known {
            if schema.kind != instance::SCHEMA.kind {
                let first = |id| Created { id, outputs: BTreeMap::new(), born: None };
                return Ok(ids.into_iter().map(first).collect());
            }
            let living = ids.iter().map(|id| {
                let object = self.present(schema.kind, id, &operation).ok()?;
                let born = Some(object.tags.clone());
                Some(Created { id: id.clone(), outputs: object.told(), born })
            });
            return living.collect::<Option<_>>().ok_or_else(|| {
                let message = "what this token has made is gone";
                Fault::new(Class::Fatal, &operation, "IdempotentInstanceTerminated", message)
            });
        }
        let Some(born) = launch::tags(all) else {
            let message = "these have no room in one call";
            return Err(Fault::new(Class::Fatal, &operation, "InvalidParameterValue", message));
        };
        let mut made = Vec::new();
        for place in 0..all.len() {
            let one = self.create(schema, body, &born)?;
            if let Some(object) = self.objects.get_mut(&key(schema.kind, &one.id)) {
                object.place = place;
            }
            made.push(Created { born: Some(born.clone()), ..one });
        }
        if schema.calls.token {
            self.tokens.insert(token.to_owned(), made.iter().map(|one| one.id.clone()).collect());
        }
        Ok(made)
    }
}
