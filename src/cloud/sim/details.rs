//! What a listing leaves out: long texts, the ids of rules, the tags of root volumes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Account;
use super::account::hex;
use crate::kinds::{Detail, Live, instance, security_group};
use crate::model::{Body, Field, Schema};

pub fn of(account: &Account, schema: &Schema, all: &[Live]) -> BTreeMap<String, Detail> {
    let told = all.iter().filter_map(|live| {
        let object = account.get(schema.kind, &live.id)?;
        let fields = schema.fields.iter().filter_map(|field| {
            let value = object.body.get(field.name)?;
            Some((field.name.to_owned(), detail(field, value, &live.id)?))
        });
        let mut body: Body = fields.collect();
        if schema.kind == instance::SCHEMA.kind {
            body.insert(
                instance::ROOT_VOLUME_TAGS.to_owned(),
                json!(instance::volume_tags(&live.tags)),
            );
        }
        Some((live.id.clone(), Detail { body, tags: None }))
    });
    told.collect()
}

fn detail(field: &Field, value: &Value, id: &str) -> Option<Value> {
    if field.aside {
        return Some(value.clone());
    }
    let rules = value.as_array().filter(|_| field.grants)?;
    let numbered = rules.iter().map(|rule| {
        let mut rule = rule.clone();
        let digits = hex(format!("{id} {} {rule}", field.name).as_bytes());
        rule[security_group::RULE_ID] = format!("sgr-{digits}").into();
        rule
    });
    Some(numbered.collect())
}
