//! What a part of a plan leaves open: whoever is not in the part goes on needing what the account grants now.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::choice::{goes, grown, named_in};
use super::openings::opens;
use super::steps::schema_of;
use crate::diff::{Action, Cause, Change, FieldChange};
use crate::model::{Address, Field, sort_set};
use crate::snapshot::Snapshot;

/// Takes out of the part what it would close to those that it leaves out.
pub(super) fn keep_open(
    part: Vec<Change>,
    left_out: &[Change],
    snapshot: &Snapshot,
) -> Vec<Change> {
    if left_out.iter().all(|change| change.before.is_none()) {
        return part;
    }
    let gone: BTreeSet<Address> =
        part.iter().filter(|change| goes(change)).map(|change| change.address.clone()).collect();
    let needed: BTreeSet<Address> =
        left_out.iter().flat_map(|change| needs(change, snapshot)).collect();
    let kept = part.into_iter().map(|change| kept(change, &needed, &gone));
    kept.filter(|change| !is_nothing(change)).collect()
}

/// The groups by which the live resource is reached, or what it is reached through.
fn needs(change: &Change, snapshot: &Snapshot) -> BTreeSet<Address> {
    let mut named = grown(named_in(change.before.as_ref()), |address| {
        let live = snapshot.resources.get(address).filter(|_| !opens(address.kind()));
        named_in(live.map(|live| &live.body))
    });
    named.retain(|address| opens(address.kind()));
    named
}

fn kept(mut change: Change, needed: &BTreeSet<Address>, gone: &BTreeSet<Address>) -> Change {
    let (Action::Update, Some(schema)) = (change.action, schema_of(&change.address)) else {
        return change;
    };
    let own = needed.contains(&change.address);
    let mut after = change.after.take().unwrap_or_default();
    for moved in &mut change.fields {
        let field = schema.field(&moved.field).filter(|field| field.grants);
        let (Some(field), Some(Value::Array(then))) = (field, after.get_mut(&moved.field)) else {
            continue;
        };
        // What somebody opened by hand nobody needs.
        if moved.cause == Cause::Drift {
            continue;
        }
        moved.keeps = stays(field, moved, then, |peers| {
            peers.is_disjoint(gone) && (own || !peers.is_disjoint(needed))
        });
        then.extend(moved.keeps.iter().cloned());
        after.get_mut(&moved.field).into_iter().for_each(sort_set);
        moved.after = after.get(&moved.field).cloned().unwrap_or_default();
    }
    change.after = Some(after);
    change
}

/// The live items that would go and that are needed, as their other sides say.
fn stays(
    field: &Field,
    moved: &FieldChange,
    then: &[Value],
    needed: impl Fn(&BTreeSet<Address>) -> bool,
) -> Vec<Value> {
    let now = moved.before.as_ref().and_then(Value::as_array).into_iter().flatten();
    let going = now.filter(|item| !then.contains(item));
    let stays = going.filter(|item| {
        let links: Vec<Value> = field.links(item).into_iter().cloned().collect();
        needed(&named_in(Some(&BTreeMap::from([(field.name.to_owned(), Value::Array(links))]))))
    });
    stays.cloned().collect()
}

/// Whether keeping it open is all that is left of the change.
fn is_nothing(change: &Change) -> bool {
    let same = |moved: &FieldChange| {
        !moved.keeps.is_empty() && moved.before.as_ref() == Some(&moved.after)
    };
    change.action == Action::Update
        && change.moved_from.is_none()
        && !change.fields.is_empty()
        && change.fields.iter().all(same)
}
