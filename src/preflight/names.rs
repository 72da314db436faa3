//! Names that may be given only once, and that something has which is not this topology's: AWS would refuse the second,
//! or, of load balancers and target groups, hand out the first as if it had just been made.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Finding;
use super::answers::Answers;
use super::planned::Planned;
use crate::diff::{Action, Change};
use crate::kinds::{self, Kind};
use crate::model::question::{Name, Namesake, Namesakes, named};
use crate::model::{Body, Late, Question, Schema, TOPOLOGY, late};
use crate::topology::Diagnostic;

/// What is given a name, by its kind.
fn given<'a>(planned: &Planned<'a>, kind: &dyn Kind) -> BTreeMap<Name, &'a Change> {
    let schema = kind.schema();
    if schema.unique.is_empty() {
        return BTreeMap::new();
    }
    let own = ours(planned, schema);
    let coming = planned.setting(schema.kind, schema.unique);
    let all = coming.filter_map(|(change, body)| {
        let values = schema.unique.iter().map(|field| part(planned, body.get(*field)?));
        Some((values.collect::<Option<Name>>()?, change))
    });
    all.filter(|(name, _)| !own.contains(name)).collect()
}

/// The names that the topology's own have, those on their way out included: these are waited for.
fn ours(planned: &Planned<'_>, schema: &Schema) -> BTreeSet<Name> {
    let all = planned.snapshot.resources.values().chain(&planned.snapshot.extras);
    let alike = all.filter(|one| one.address.kind() == schema.kind);
    let name = |body: &Body| {
        schema.unique.iter().map(|field| named(body.get(*field)?)).collect::<Option<Name>>()
    };
    alike.filter_map(|one| name(&one.live.body)).collect()
}

/// A value as AWS will have it; nothing of what names something that is yet to come.
fn part(planned: &Planned<'_>, value: &Value) -> Option<String> {
    match late(value) {
        None => named(value),
        Some(Late::Lookup(lookup)) => planned.plan.lookups.get(&lookup).cloned(),
        Some(Late::Ref { address, output: None }) => {
            let stays =
                |change: &Change| change.address != address || change.action == Action::Update;
            let live = planned.snapshot.resources.get(&address)?;
            planned.plan.changes.iter().all(stays).then(|| live.live.id.clone())
        }
        Some(_) => None,
    }
}

fn question(planned: &Planned<'_>, kind: &dyn Kind, names: BTreeSet<Name>) -> Question {
    let topology = planned.desired.topology.clone();
    Question::Names { kind: kind.schema().kind.to_owned(), topology, names }
}

pub fn wants(planned: &Planned<'_>, _: &Answers) -> Vec<Question> {
    let asked = kinds::REGISTRY.iter().filter_map(|kind| {
        let names: BTreeSet<Name> = given(planned, *kind).into_keys().collect();
        (!names.is_empty()).then(|| question(planned, *kind, names))
    });
    asked.collect()
}

pub fn verdict(planned: &Planned<'_>, answers: &Answers) -> Vec<Finding> {
    let taken = kinds::REGISTRY.iter().flat_map(|kind| {
        let given = given(planned, *kind);
        let asked = question(planned, *kind, given.keys().cloned().collect());
        let known: Namesakes = answers.get(&asked).unwrap_or_default();
        let theirs = known
            .into_iter()
            .filter(|one| one.tags.get(TOPOLOGY) != Some(&planned.desired.topology));
        let refused =
            theirs.filter_map(|one| Some(refused(given.get(&one.name)?, &one, *kind, planned)));
        refused.collect::<Vec<_>>()
    });
    taken.map(Finding::Refused).collect()
}

fn refused(change: &Change, one: &Namesake, kind: &dyn Kind, planned: &Planned<'_>) -> Diagnostic {
    let (address, schema) = (&change.address, kind.schema());
    // What is named by its place in something else is told by what is its own.
    let own = schema.unique.iter().zip(&one.name).filter(|(field, _)| {
        let value = change.after.as_ref().and_then(|body| body.get(**field));
        value.is_some_and(|value| late(value).is_none())
    });
    let own: Vec<String> = own.map(|(field, value)| format!("{field} `{value}`")).collect();
    let taken = match one.name.contains(&one.id) {
        true => "it is taken".to_owned(),
        false => format!("{} has it", one.id),
    };
    let message = format!("{address} can't have the {}: {taken}", own.join(" and "));
    let spans = &planned.desired.field_spans;
    let mut told =
        schema.unique.iter().filter(|field| spans.contains_key(&(address.clone(), **field)));
    let field = told.next_back().copied().unwrap_or_default();
    let hint = match one.tags.get(TOPOLOGY) {
        Some(other) => format!("it belongs to the topology `{other}`: choose another here"),
        None if kinds::is_known_by_name(schema.kind) => {
            "no topology manages it: take it away, or choose another".to_owned()
        }
        None => format!(
            "no topology manages it: take it away, choose another, or have it managed here: ecdeploy adopt {address} {}",
            one.id
        ),
    };
    planned.blame(address, field, message).label("taken").hint(hint)
}
