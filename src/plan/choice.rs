//! --only and --except: a part of a plan that can be carried out without the rest.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kept::keep_open;
use super::named::hangs_on;
use super::steps::schema_of;
use crate::desired::Desired;
use crate::diff::{Action, Change};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Address, Body, Late, walk_late};
use crate::snapshot::Snapshot;
use crate::topology::suggest;

/// What a plan is made for: everything, or a part. Addresses, and blocks by their keys: `instance.user-1`,
/// `service.user`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub only: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub except: Vec<String>,
}

impl Choice {
    pub fn is_everything(&self) -> bool {
        self.only.is_empty() && self.except.is_empty()
    }

    /// The changes that are left.
    ///
    /// # Errors
    /// When it names nothing.
    pub fn of(
        &self,
        changes: Vec<Change>,
        desired: &Desired,
        snapshot: &Snapshot,
    ) -> Result<Vec<Change>> {
        if self.is_everything() {
            return Ok(changes);
        }
        let only = named(&self.only, desired, snapshot)?;
        let except = named(&self.except, desired, snapshot)?;
        let part = Part { changes: &changes, desired };
        let all = changes.iter().map(|change| &change.address).cloned().collect();
        let kept = if self.only.is_empty() { all } else { part.with_needs(only) };
        let left_out = part.with_dependents(except);
        let (part, rest): (Vec<Change>, Vec<Change>) = changes.into_iter().partition(|change| {
            kept.contains(&change.address) && !left_out.contains(&change.address)
        });
        Ok(keep_open(part, &rest, snapshot))
    }
}

/// The addresses of everything that is named.
fn named(names: &[String], desired: &Desired, snapshot: &Snapshot) -> Result<BTreeSet<Address>> {
    let live = || snapshot.resources.keys().chain(snapshot.extras.iter().map(|r| &r.address));
    let mut found = BTreeSet::new();
    for name in names {
        let address = name.parse::<Address>().ok();
        let known = |address: &Address| {
            desired.resources.contains_key(address) || live().any(|other| other == address)
        };
        match (desired.blocks.get(name), address.filter(known)) {
            (Some(made), _) => found.extend(made.iter().cloned()),
            (None, Some(address)) => {
                found.insert(address);
            }
            (None, None) => {
                let addresses = desired.resources.keys().chain(live()).map(ToString::to_string);
                let known: Vec<String> = desired.blocks.keys().cloned().chain(addresses).collect();
                let near = suggest::nearest(name, known.iter().map(String::as_str));
                let message = format!("`{name}` is neither a resource nor a block with its key");
                let hint = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "one looks like `instance.user-1` or `service.user`".to_owned(),
                };
                return Err(Error::new(ErrorKind::Usage, message).hint(hint));
            }
        }
    }
    Ok(found)
}

struct Part<'a> {
    changes: &'a [Change],
    desired: &'a Desired,
}

impl Part<'_> {
    /// These, and what they can't do without: what they name, and so on; where one of them goes, what still names it
    /// and is to let go; and where one takes a place that AWS gives only once, what leaves it.
    fn with_needs(&self, chosen: BTreeSet<Address>) -> BTreeSet<Address> {
        grown(chosen, |address| {
            // What only goes needs nothing that it names.
            let leaves = self.change_of(address).any(|change| change.after.is_none());
            let stays = !leaves || self.change_of(address).any(|change| change.after.is_some());
            let body = self.desired.resources.get(address).filter(|_| stays);
            let mut needs = named_in(body);
            if self.change_of(address).any(goes) {
                needs.extend(self.naming(address, |change| change.before.as_ref()));
            }
            let wants = |other: &&Change| {
                self.change_of(address).any(|own| takes(own, other) || hangs_on(own, other))
            };
            needs.extend(self.changes.iter().filter(wants).map(|other| other.address.clone()));
            needs
        })
    }

    /// These, and what can't be done without them: what would name one that is then not made, and what can't go while
    /// one that stays names it, or come while one has its place.
    fn with_dependents(&self, chosen: BTreeSet<Address>) -> BTreeSet<Address> {
        grown(chosen, |address| {
            let mut dependents = BTreeSet::new();
            if self.change_of(address).any(comes) {
                dependents.extend(self.naming(address, |change| change.after.as_ref()));
            }
            for change in self.change_of(address) {
                let held = named_in(change.before.as_ref());
                dependents.extend(held.into_iter().filter(|held| self.change_of(held).any(goes)));
                let waiting = |other: &&Change| takes(other, change) || hangs_on(other, change);
                let waiting = self.changes.iter().filter(waiting);
                dependents.extend(waiting.map(|other| other.address.clone()));
            }
            dependents
        })
    }

    fn change_of<'b>(&'b self, address: &'b Address) -> impl Iterator<Item = &'b Change> {
        self.changes.iter().filter(move |change| change.address == *address)
    }

    /// What has a change whose body names this one.
    fn naming(
        &self,
        named: &Address,
        body: impl Fn(&Change) -> Option<&Body>,
    ) -> BTreeSet<Address> {
        let naming = self.changes.iter().filter(|change| named_in(body(change)).contains(named));
        naming.map(|change| change.address.clone()).collect()
    }
}

/// Whether the one will have what AWS gives only once, and the other has now: a listener's priority.
fn takes(one: &Change, other: &Change) -> bool {
    let (Some(after), Some(before)) = (&one.after, &other.before) else { return false };
    let Some(schema) = schema_of(&one.address) else { return false };
    one.address.kind() == other.address.kind()
        && one.address != other.address
        && !schema.unique.is_empty()
        && schema
            .unique
            .iter()
            .all(|field| after.contains_key(*field) && after.get(*field) == before.get(*field))
}

fn comes(change: &Change) -> bool {
    matches!(change.action, Action::Create | Action::Replace)
}

pub(super) fn goes(change: &Change) -> bool {
    matches!(change.action, Action::Delete | Action::Replace)
}

pub(super) fn named_in(body: Option<&Body>) -> BTreeSet<Address> {
    let mut named = BTreeSet::new();
    for value in body.into_iter().flat_map(Body::values) {
        walk_late(value, &mut |late| {
            if let Late::Ref { address, .. } = late {
                named.insert(address);
            }
        });
    }
    named
}

/// The set with all that follows from each of its members.
pub(super) fn grown(
    mut set: BTreeSet<Address>,
    follows: impl Fn(&Address) -> BTreeSet<Address>,
) -> BTreeSet<Address> {
    let mut new: Vec<Address> = set.iter().cloned().collect();
    while let Some(address) = new.pop() {
        for next in follows(&address) {
            if set.insert(next.clone()) {
                new.push(next);
            }
        }
    }
    set
}
