//! Desired x Snapshot -> Changes. Pure: it knows neither ids nor the network.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::desired::Desired;
use crate::kinds;
use crate::model::{
    APPLY_IMMEDIATELY, Address, Body, Field, Late, Lookup, OnChange, Phase, Reference, Schema,
    late, resolve, walk_late,
};
use crate::snapshot::{Resource, Snapshot};

/// What happens to one resource.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Create,
    Update,
    Replace,
    Delete,
}

/// Who moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The file.
    Change,
    /// The account.
    Drift,
    /// The file and the account, to different values.
    Both,
    /// A resource that this one names is replaced.
    Replaced,
}

/// One field's way from live to desired.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldChange {
    pub field: String,
    /// The live value; absent where AWS does not report it, and `null` where it reports that there is none.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "there")]
    pub before: Option<Value>,
    pub after: Value,
    pub cause: Cause,
    /// The maintenance window in which AWS makes this change, in its words: `sun:17:00-sun:17:30`, UTC.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub waits: Option<String>,
    /// The items that a part of a plan leaves, because what it leaves out needs them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub keeps: Vec<Value>,
    /// Whether this field can only be had by another resource.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub replaces: bool,
}

/// A value that is there, be it `null`.
fn there<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// One resource's change, complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub address: Address,
    pub action: Action,
    /// The live resource.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// The address that it bears in the account, where the topology has moved it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub moved_from: Option<Address>,
    /// Whether it is to be protected.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub protect: bool,
    /// Whether it is protected now.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub protected: bool,
    /// Why a deletion.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fields: Vec<FieldChange>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<Body>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<Body>,
}

impl Change {
    /// Whether the account moved, not only the file.
    pub fn drifted(&self) -> bool {
        self.fields.iter().any(|field| matches!(field.cause, Cause::Drift | Cause::Both))
    }
}

/// Protection is compared like a field. In the account it is a tag, and AWS's own where there is one.
pub const PROTECT: &str = "protect";

/// Every difference between what is desired and what is there, by address. What bears an address a second time is
/// a deletion of its own.
pub fn diff(desired: &Desired, snapshot: &Snapshot) -> Vec<Change> {
    let mut changes: BTreeMap<Address, Change> = BTreeMap::new();
    for (address, after) in &desired.resources {
        let Some(schema) = schema(address) else { continue };
        let change = match snapshot.resources.get(address) {
            None => Some(creation(address, after, desired)),
            Some(live) => difference(schema, live, after, desired, snapshot),
        };
        changes.extend(change.map(|change| (address.clone(), change)));
    }
    for (address, live) in &snapshot.resources {
        if !desired.resources.contains_key(address) {
            changes.insert(address.clone(), deletion(live, "no longer in the topology"));
        }
    }
    spread_replacement(desired, snapshot, &mut changes);

    let extras = snapshot.extras.iter().map(|live| {
        let leaving = live.status == crate::model::Status::Deleting;
        deletion(live, if leaving { "is being deleted already" } else { "a second one of it" })
    });
    changes.into_values().chain(extras).collect()
}

/// The changes that take down everything.
pub fn teardown(snapshot: &Snapshot) -> Vec<Change> {
    let resources = snapshot.resources.values().chain(&snapshot.extras);
    resources.map(|live| deletion(live, "destroy")).collect()
}

fn schema(address: &Address) -> Option<&'static Schema> {
    kinds::by_name(address.kind()).map(|kind| kind.schema())
}

fn creation(address: &Address, after: &Body, desired: &Desired) -> Change {
    Change {
        address: address.clone(),
        action: Action::Create,
        id: None,
        moved_from: None,
        protect: desired.protected.contains(address),
        protected: false,
        reason: None,
        fields: Vec::new(),
        before: None,
        after: Some(after.clone()),
    }
}

fn deletion(live: &Resource, reason: &str) -> Change {
    Change {
        address: live.address.clone(),
        action: Action::Delete,
        id: Some(live.live.id.clone()),
        moved_from: None,
        protect: false,
        protected: live.is_protected(),
        reason: Some(reason.to_owned()),
        fields: Vec::new(),
        before: Some(live.body.clone()),
        after: None,
    }
}

fn difference(
    schema: &Schema,
    live: &Resource,
    after: &Body,
    desired: &Desired,
    snapshot: &Snapshot,
) -> Option<Change> {
    let fields: Vec<FieldChange> = schema
        .fields
        .iter()
        .filter_map(|field| compare(field, live, after.get(field.name)?, snapshot))
        .map(|moved| FieldChange { waits: waits(schema, live, after, &moved), ..moved })
        .chain(protection(live, desired.protected.contains(&live.address)))
        .collect();
    (!fields.is_empty() || live.moved_from().is_some())
        .then(|| change_of(live, after, desired, fields))
}

fn protection(live: &Resource, wanted: bool) -> Option<FieldChange> {
    let now = live.is_protected();
    let applied = live.applied.holds(PROTECT, &true.into());
    (now != wanted).then(|| FieldChange {
        field: PROTECT.to_owned(),
        before: Some(now.into()),
        after: wanted.into(),
        cause: if applied == wanted { Cause::Drift } else { Cause::Change },
        replaces: false,
        waits: None,
        keeps: Vec::new(),
    })
}

fn change_of(live: &Resource, after: &Body, desired: &Desired, fields: Vec<FieldChange>) -> Change {
    let replaces = fields.iter().any(|field| field.replaces);
    Change {
        address: live.address.clone(),
        action: if replaces { Action::Replace } else { Action::Update },
        id: Some(live.live.id.clone()),
        moved_from: live.moved_from(),
        protect: desired.protected.contains(&live.address),
        protected: live.is_protected(),
        reason: None,
        fields,
        before: Some(live.body.clone()),
        after: Some(after.clone()),
    }
}

/// The window that the change waits for. What is put back to what still holds waits for nothing.
fn waits(schema: &Schema, live: &Resource, after: &Body, moved: &FieldChange) -> Option<String> {
    let maintenance = live.maintenance.as_ref()?;
    let immediately = after.get(APPLY_IMMEDIATELY) == Some(&Value::Bool(true));
    let before = moved.before.as_ref().unwrap_or(&Value::Null);
    let field = schema.field(&moved.field);
    let waits = field.is_some_and(|field| field.waits(before, &moved.after))
        && !immediately
        && maintenance.until_then.get(&moved.field) != Some(&moved.after);
    waits.then(|| maintenance.window.clone())
}

/// The three-way comparison of one field: file, last applied, live.
fn compare(
    field: &Field,
    live: &Resource,
    desired: &Value,
    snapshot: &Snapshot,
) -> Option<FieldChange> {
    let applied = |value: &Value| live.applied.holds(field.name, value);
    let before = live.body.get(field.name);
    let same = match (before, late(desired)) {
        // What AWS does not report, and what named an image that a newer one has replaced since, is as it was
        // applied.
        (None, _) => applied(desired),
        (Some(before), Some(Late::Lookup(lookup))) => {
            let parameter = matches!(lookup, Lookup::Parameter(_));
            (parameter && applied(desired))
                || before.as_str() == snapshot.lookups.get(&lookup).map(String::as_str)
        }
        (Some(before), _) if field.reference == Reference::Outputs => {
            before == desired
                || as_text(before, snapshot)
                    .is_some_and(|text| Some(text) == as_text(desired, snapshot))
        }
        (Some(before), _) => before == desired || (field.version && extends(before, desired)),
    };
    if same {
        return None;
    }
    let as_applied = |before: &Value| match field.version {
        // AWS says `16.8` where `16` was applied.
        true => majors(before).any(|version| applied(&version)),
        false => applied(before),
    };
    let cause = match (applied(desired), before.is_none_or(as_applied)) {
        _ if before.is_some_and(|before| snapshot.names_leaving(field, before, desired)) => {
            Cause::Replaced
        }
        // A run that was killed in between had announced the one, and the file was taken back to the other.
        (true, true) => Cause::Change,
        (true, false) => Cause::Drift,
        (false, true) => Cause::Change,
        (false, false) if live.applied == Default::default() => Cause::Change,
        // A run that was killed right after it had set it, before it could write that down.
        (false, false) if field.phase != Phase::Create && applied(&field.start()) => Cause::Change,
        // What only another resource can have, nobody can have changed.
        (false, false) if field.on_change == OnChange::Replace => Cause::Change,
        (false, false) => Cause::Both,
    };
    Some(FieldChange {
        field: field.name.to_owned(),
        before: before.cloned(),
        after: desired.clone(),
        cause,
        waits: None,
        keeps: Vec::new(),
        replaces: field.on_change == OnChange::Replace,
    })
}

/// A version and what it belongs to: `16.8.1`, `16.8`, `16`.
fn majors(version: &Value) -> impl Iterator<Item = Value> {
    let text = version.as_str().unwrap_or_default();
    let parents = text.rmatch_indices('.').map(move |(at, _)| &text[..at]);
    std::iter::once(text).chain(parents).map(Value::from)
}

/// The value as the account would hold it: outputs as they are now. Nothing where one is not there yet.
fn as_text(value: &Value, snapshot: &Snapshot) -> Option<Value> {
    let output = |late: &Late| match late {
        Late::Ref { address, output: Some(output) } => {
            snapshot.resources.get(address)?.live.outputs.get(output).cloned()
        }
        _ => None,
    };
    resolve(value, &output).ok()
}

/// Whether the live version `16.8` is a `16`.
fn extends(live: &Value, desired: &Value) -> bool {
    match (live.as_str(), desired.as_str()) {
        (Some(live), Some(desired)) => {
            live.strip_prefix(desired).is_some_and(|rest| rest.starts_with('.'))
        }
        _ => false,
    }
}

/// What names a replaced resource gets the new one's id: by another replacement where the field allows nothing else.
fn spread_replacement(
    desired: &Desired,
    snapshot: &Snapshot,
    changes: &mut BTreeMap<Address, Change>,
) {
    loop {
        let replaced: BTreeSet<Address> = changes
            .values()
            .filter(|change| change.action == Action::Replace)
            .map(|change| change.address.clone())
            .collect();
        let mut spread = false;
        for (address, after) in &desired.resources {
            let (Some(schema), Some(live)) = (schema(address), snapshot.resources.get(address))
            else {
                continue;
            };
            for field in schema.fields {
                let Some(value) = after.get(field.name) else { continue };
                let known = changes
                    .get(address)
                    .is_some_and(|change| change.fields.iter().any(|f| f.field == field.name));
                if known || !names_any(value, &replaced) {
                    continue;
                }
                let fields =
                    changes.remove(address).map(|change| change.fields).unwrap_or_default();
                let moved = FieldChange {
                    field: field.name.to_owned(),
                    before: live.body.get(field.name).cloned(),
                    after: value.clone(),
                    cause: Cause::Replaced,
                    waits: None,
                    keeps: Vec::new(),
                    replaces: field.on_change == OnChange::Replace,
                };
                let fields = fields.into_iter().chain([moved]).collect();
                changes.insert(address.clone(), change_of(live, after, desired, fields));
                spread = true;
            }
        }
        if !spread {
            return;
        }
    }
}

fn names_any(value: &Value, addresses: &BTreeSet<Address>) -> bool {
    let mut found = false;
    walk_late(value, &mut |late| {
        found |= matches!(late, Late::Ref { address, .. } if addresses.contains(&address));
    });
    found
}
