//! A plan as the checks look at it: what comes and what changes, and where the file says so.

use serde_json::Value;

use super::Purpose;
use crate::desired::Desired;
use crate::diff::{Action, Change};
use crate::model::{Address, Body, Late, late};
use crate::plan::{Plan, Verb};
use crate::snapshot::Snapshot;
use crate::topology::{Diagnostic, Span};

pub struct Planned<'a> {
    pub plan: &'a Plan,
    pub desired: &'a Desired,
    pub snapshot: &'a Snapshot,
    pub purpose: Purpose,
}

impl<'a> Planned<'a> {
    /// What is made or changed of a kind, each with how it will be.
    pub fn coming(&self, kind: &str) -> impl Iterator<Item = (&'a Change, &'a Body)> {
        let ours = self.plan.changes.iter().filter(move |change| change.address.kind() == kind);
        ours.filter_map(|change| Some((change, change.after.as_ref()?)))
    }

    /// Those of [`Self::coming`] that are made, and those of which any of these fields changes.
    pub fn setting(
        &self,
        kind: &str,
        fields: &'static [&'static str],
    ) -> impl Iterator<Item = (&'a Change, &'a Body)> {
        self.coming(kind).filter(move |(change, _)| {
            let mut changed = change.fields.iter();
            change.action != Action::Update
                || changed.any(|one| fields.contains(&one.field.as_str()))
        })
    }

    /// Those that stand beside all there is: made anew, or in the place of one that goes only then.
    pub fn added(&self, kind: &'a str) -> impl Iterator<Item = &'a Change> {
        self.coming(kind).map(|(change, _)| change).filter(|change| match change.action {
            Action::Create => true,
            Action::Replace => !self.goes_first(&change.address),
            Action::Update | Action::Delete => false,
        })
    }

    /// Whether what is replaced goes before its successor is made.
    fn goes_first(&self, address: &Address) -> bool {
        let steps =
            || self.plan.steps.iter().enumerate().filter(|(_, one)| one.address == *address);
        let deletes = |at: usize| steps().any(|(n, one)| n == at && one.verb == Verb::Delete);
        let mut made = steps().filter(|(_, one)| one.verb == Verb::Create);
        made.any(|(_, one)| one.after.iter().any(|dependency| deletes(dependency.step)))
    }

    /// What goes or changes of a kind.
    pub fn leaving(&self, kind: &str) -> impl Iterator<Item = &'a Change> {
        let ours = self.plan.changes.iter().filter(move |change| change.address.kind() == kind);
        ours.filter(|change| change.before.is_some())
    }

    /// The text of a field; what is looked up as it was found.
    pub fn text(&self, body: &Body, field: &str) -> Option<String> {
        let value = body.get(field)?;
        match late(value) {
            Some(Late::Lookup(lookup)) => self.plan.lookups.get(&lookup).cloned(),
            Some(_) => None,
            None => value.as_str().map(str::to_owned),
        }
    }

    /// What is there of a field that an update changes; what waits for a maintenance window is not there yet.
    pub fn running(&self, change: &Change, field: &str) -> Option<String> {
        let live = self.snapshot.resources.get(&change.address)?;
        let until_then = live.maintenance.as_ref().and_then(|one| one.until_then.get(field));
        let now = until_then.or_else(|| live.body.get(field)).and_then(Value::as_str);
        now.filter(|_| change.action == Action::Update).map(str::to_owned)
    }

    /// What a field names, as the file wants it.
    pub fn named(&self, value: &Value) -> Option<(Address, &'a Body)> {
        match late(value)? {
            Late::Ref { address, .. } => {
                let body = self.desired.resources.get(&address)?;
                Some((address, body))
            }
            _ => None,
        }
    }

    /// The zone of the subnet that is named so.
    pub fn zone(&self, subnet: &Value) -> Option<String> {
        let (_, body) = self.named(subnet)?;
        self.text(body, "availability_zone")
    }

    /// Where the file says this field of a resource.
    pub fn span(&self, address: &Address, field: &'static str) -> Option<Span> {
        self.desired.span(address, field)
    }

    /// An error about it.
    pub fn blame(&self, address: &Address, field: &'static str, message: String) -> Diagnostic {
        self.desired.blame(address, field, message)
    }
}
