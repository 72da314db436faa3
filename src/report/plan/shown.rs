//! The values of a plan as people read them: with what is known by now of each id.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::diff::{Action, Change};
use crate::model::{Address, Field, Late, Lookup, Texts, late};
use crate::plan::Plan;
use crate::report::value::{line, opening, printable, short};
use crate::snapshot::Snapshot;

pub struct Shown<'a> {
    lookups: &'a BTreeMap<Lookup, String>,
    pub texts: &'a Texts,
    /// What has no id yet.
    unknown: BTreeSet<&'a Address>,
    /// The ids of what gets a successor.
    replaced: BTreeMap<&'a Address, &'a str>,
}

impl<'a> Shown<'a> {
    pub fn new(plan: &'a Plan) -> Self {
        let made = |change: &&Change| matches!(change.action, Action::Create | Action::Replace);
        let unknown = plan.changes.iter().filter(made).map(|change| &change.address).collect();
        let replaced = plan.changes.iter().filter(|change| change.action == Action::Replace);
        let replaced = replaced.filter_map(|change| Some((&change.address, change.id.as_deref()?)));
        Self { lookups: &plan.lookups, texts: &plan.texts, unknown, replaced: replaced.collect() }
    }

    /// Of what there is now.
    pub fn of(snapshot: &'a Snapshot) -> Self {
        let (unknown, replaced) = Default::default();
        Self { lookups: &snapshot.lookups, texts: &snapshot.texts, unknown, replaced }
    }

    /// Whether it names something that gets a successor.
    pub fn names_replaced(&self, field: &Field, item: &Value) -> bool {
        let late = |link: &&Value| {
            matches!(late(link), Some(Late::Ref { address, .. })
            if self.replaced.contains_key(&address))
        };
        field.links(item).iter().any(late)
    }

    /// An item as it is now, with the ids of what it names and what gets a successor.
    pub fn before(&self, field: &Field, item: &Value) -> String {
        let now = Shown {
            lookups: self.lookups,
            texts: self.texts,
            unknown: BTreeSet::new(),
            replaced: self.replaced.clone(),
        };
        now.item(field, item)
    }

    /// An item of a list, in the form that its field gives.
    pub fn item(&self, field: &Field, item: &Value) -> String {
        let (Some(form), Some(map)) = (field.item, item.as_object()) else {
            return self.value(item);
        };
        let filled = map.iter().fold(form.to_owned(), |text, (key, value)| {
            text.replace(&format!("{{{key}}}"), &self.value(value))
        });
        // What the item has no value for leaves no trace.
        filled.split(' ').filter(|word| !word.starts_with('{')).collect::<Vec<_>>().join(" ")
    }

    pub fn value(&self, value: &Value) -> String {
        line(value, &|late| match late {
            Late::Ref { address, output } if self.unknown.contains(address) => {
                Some(format!("{} known after apply", output.as_deref().unwrap_or("id")))
            }
            Late::Ref { address, .. } => self.replaced.get(address).map(|id| short(id)),
            Late::Lookup(lookup) => self.lookups.get(lookup).map(|value| printable(value)),
            Late::Text(digest) => self.texts.get(digest).map(|text| opening(text)),
        })
    }
}
