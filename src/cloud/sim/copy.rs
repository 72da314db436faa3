//! A copy of a live account, to rehearse on: what the snapshot knows of it, as if it had stood for a while.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Account;
use super::health::{self, Targets};
use super::maintenance::Upkeep;
use super::object::Object;
use crate::kinds;
use crate::model::Body;

/// The clock of a copy when it begins, in milliseconds: long after everything in it was made.
const BEGIN: u64 = 24 * 60 * 60 * 1000;

/// One thing to copy.
pub struct Original<'a> {
    pub kind: &'static str,
    pub id: &'a str,
    pub tags: &'a BTreeMap<String, String>,
    pub body: &'a Body,
    pub outputs: &'a BTreeMap<String, String>,
}

impl Account {
    /// An account that holds these. Ids of what it doesn't hold may be named: there is more in a live one.
    pub fn copy_of<'a>(
        id: &str,
        region: &str,
        originals: impl IntoIterator<Item = Original<'a>>,
    ) -> Self {
        let mut account = Self::new(id, region);
        account.set_clock(BEGIN);
        account.open = true;
        let mut targets = Targets::default();
        let mut used = std::collections::BTreeSet::new();
        for original in originals {
            let Some(kind) = kinds::by_name(original.kind) else { continue };
            let mut body = original.body.clone();
            for field in kind.schema().fields {
                body.entry(field.name.to_owned()).or_insert_with(|| field.start());
            }
            let group = body.get("target_group").and_then(Value::as_str).unwrap_or_default();
            match original.kind {
                "instance" => targets.shift(original.id, "", group, 0, 0),
                "listener" | "listener_rule" => used.extend(health::used(&body).map(str::to_owned)),
                _ => {}
            }
            account.hold(Object {
                kind: original.kind.to_owned(),
                id: original.id.to_owned(),
                tags: original.tags.clone(),
                upkeep: Upkeep::new(kind.schema(), BEGIN),
                body,
                outputs: original.outputs.clone(),
                protected: false,
                passing: None,
                ready_since: 0,
                place: 0,
            });
        }
        targets.use_only(&used, 0);
        account.targets = targets;
        account
    }
}
