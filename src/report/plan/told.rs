//! What a plan says of a change, in the words of every report: the terminal's, Markdown's, a page's.

use serde_json::Value;

use super::shown::Shown;
use crate::diff::{self, Action, Cause, Change, FieldChange};
use crate::kinds::{self, replication_group};
use crate::model::{Address, Field, Late, OnChange, Schema, late};
use crate::plan::Plan;
use crate::report::pending::window;
use crate::report::value::{lines_of, lines_without, printable, short};

/// What a word is about, which gives it its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Aside,
    Create,
    Change,
    Delete,
    Drift,
}

/// A change as it is told.
#[derive(Debug)]
pub struct Told<'a> {
    pub address: &'a Address,
    pub action: Action,
    pub sign: &'static str,
    pub tone: Tone,
    /// What is done, like `change in place, by rolling`.
    pub remark: String,
    pub id: Option<String>,
    pub rows: Vec<Row>,
    /// How wide the names of rows are at most.
    pub width: usize,
}

/// One field of it.
#[derive(Debug)]
pub struct Row {
    pub name: String,
    pub what: What,
    pub notes: Vec<Note>,
}

#[derive(Debug)]
pub enum What {
    Is(String),
    /// AWS tells it when it is there.
    Later,
    Moves {
        before: String,
        after: String,
    },
    Items(Vec<(Mark, String)>),
}

/// What becomes of an item of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Goes,
    Comes,
    Stays,
}

/// What is to be known of a field's change.
#[derive(Debug)]
pub struct Note {
    pub tone: Tone,
    pub text: String,
}

impl Mark {
    pub fn sign(self) -> &'static str {
        match self {
            Mark::Goes => "-",
            Mark::Comes => "+",
            Mark::Stays => "=",
        }
    }
}

/// Why people look twice at a change; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Danger {
    LosesData,
    KeepsSnapshot,
    LiftsProtection,
    Deletes,
    Replaces,
    ChangesPassword,
    Interrupts,
}

impl Danger {
    pub fn words(self) -> &'static str {
        match self {
            Danger::LosesData => "loses what it holds",
            Danger::KeepsSnapshot => "keeps what it holds in a final snapshot alone",
            Danger::LiftsProtection => "lifts its protection",
            Danger::Deletes => "deletes",
            Danger::Replaces => "replaces",
            Danger::ChangesPassword => "changes its password",
            Danger::Interrupts => "interrupts",
        }
    }
}

/// Every change of the plan, in the order in which people think of resources.
pub fn changes(plan: &Plan) -> Vec<&Change> {
    let mut changes: Vec<&Change> = plan.changes.iter().collect();
    changes.sort_by_key(|change| (place(&change.address), &change.address, &change.id));
    changes
}

/// The order of kinds in the registry is the order in which people think of them: the network first.
fn place(address: &Address) -> usize {
    kinds::REGISTRY
        .iter()
        .position(|kind| kind.schema().kind == address.kind())
        .unwrap_or(usize::MAX)
}

fn schema(change: &Change) -> Option<&'static Schema> {
    kinds::by_name(change.address.kind()).map(|kind| kind.schema())
}

/// Whether something sends it requests.
fn serves(change: &Change) -> bool {
    schema(change).is_some_and(|schema| schema.fields.iter().any(|field| field.serves))
}

/// Whether it is taken out of service meanwhile.
fn rolls(change: &Change) -> bool {
    let field = |moved: &FieldChange| schema(change)?.field(&moved.field);
    let rolling = |field: &Field| field.on_change == OnChange::Rolling;
    serves(change) && change.fields.iter().filter_map(field).any(rolling)
}

fn goes(change: &Change) -> bool {
    matches!(change.action, Action::Delete | Action::Replace)
}

/// Whether a database gets its password from another place.
pub fn changes_password(change: &Change) -> bool {
    let mut fields = change.fields.iter();
    change.action == Action::Update && fields.any(|field| field.field == "master_user_secret")
}

/// What is dangerous about a change; the worst first.
pub fn dangers(change: &Change, plan: &Plan) -> Vec<Danger> {
    let kind = change.address.kind();
    let replica = || {
        let source = change.before.as_ref().and_then(|body| body.get("source"));
        source.is_some_and(|source| !source.is_null() && source != "")
    };
    let kept = || plan.final_snapshots().any(|(address, _)| *address == change.address);
    let holds = replication_group::is_cache(kind)
        || (kind == kinds::db_instance::SCHEMA.kind && !replica());
    let unprotects =
        |moved: &FieldChange| moved.field == diff::PROTECT && moved.after == Value::Bool(false);
    let interrupts = |moved: &FieldChange| {
        let field = schema(change).and_then(|schema| schema.field(&moved.field));
        field.is_some_and(|field| field.interrupts) && !moved.replaces
    };
    let any = |test: &dyn Fn(&FieldChange) -> bool| change.fields.iter().any(test);
    let found = [
        (Danger::LosesData, goes(change) && holds && !kept()),
        (Danger::KeepsSnapshot, goes(change) && holds && kept()),
        (Danger::LiftsProtection, (goes(change) && change.protected) || any(&unprotects)),
        (Danger::Deletes, change.action == Action::Delete),
        (Danger::Replaces, change.action == Action::Replace),
        (Danger::ChangesPassword, changes_password(change)),
        (Danger::Interrupts, any(&interrupts)),
    ];
    found.into_iter().filter_map(|(danger, is)| is.then_some(danger)).collect()
}

/// The change, told.
pub fn told<'a>(change: &'a Change, shown: &Shown<'_>) -> Told<'a> {
    let (tone, sign, remark) = match change.action {
        Action::Create => (Tone::Create, "+", "create".to_owned()),
        Action::Update if rolls(change) => {
            (Tone::Change, "~", "change in place, by rolling".to_owned())
        }
        Action::Update => (Tone::Change, "~", "change".to_owned()),
        Action::Replace if serves(change) => {
            (Tone::Delete, "±", "replace by a successor, made first".to_owned())
        }
        Action::Replace => (Tone::Delete, "±", "replace".to_owned()),
        Action::Delete => {
            let reason = change.reason.as_deref().unwrap_or_default();
            (Tone::Delete, "-", format!("delete: {}", printable(reason)))
        }
    };
    let remark = match change.protected && goes(change) {
        true => format!("{remark}, its protection is lifted"),
        false => remark,
    };
    let remark = match &change.moved_from {
        Some(from) if change.fields.is_empty() => format!("moved from {from}"),
        Some(from) => format!("moved from {from}, {remark}"),
        None => remark,
    };
    let (rows, width) = match change.action {
        Action::Create => created(change, shown),
        Action::Update | Action::Replace => moved(change, shown),
        Action::Delete => (Vec::new(), 0),
    };
    let (address, action) = (&change.address, change.action);
    Told { address, action, sign, tone, remark, id: change.id.as_deref().map(short), rows, width }
}

/// The fields of what is made, and how wide their names are.
fn created(change: &Change, shown: &Shown<'_>) -> (Vec<Row>, usize) {
    let (Some(after), Some(schema)) = (&change.after, schema(change)) else {
        return (Vec::new(), 0);
    };
    let outputs = || schema.outputs.iter().map(|(name, _)| *name);
    let row = |name: &str, what| Row { name: name.to_owned(), what, notes: Vec::new() };
    let fields = schema.fields.iter().filter_map(|field| {
        let value = after.get(field.name).filter(|value| !value.is_null())?;
        let comes = |item| (Mark::Comes, shown.item(field, item));
        let what = match lines_of(value) {
            None => What::Is(shown.value(value)),
            Some(items) => What::Items(items.iter().map(comes).collect()),
        };
        Some(row(field.name, what))
    });
    let protect = change.protect.then(|| row(diff::PROTECT, What::Is("true".to_owned())));
    let later = outputs().map(|output| row(output, What::Later));
    let width = after.keys().map(String::len).chain(outputs().map(str::len)).max();
    (fields.chain(protect).chain(later).collect(), width.unwrap_or(0))
}

/// The fields that change, and how wide their names are.
pub fn moved(change: &Change, shown: &Shown<'_>) -> (Vec<Row>, usize) {
    let row = |moved: &FieldChange| {
        let field = schema(change).and_then(|schema| schema.field(&moved.field));
        let (name, what) = (printable(&moved.field), way(moved, field, shown));
        Row { name, what, notes: notes(moved, field) }
    };
    let rows: Vec<Row> = change.fields.iter().map(row).collect();
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    (rows, width)
}

/// Who moved, and what it takes.
fn notes(moved: &FieldChange, field: Option<&Field>) -> Vec<Note> {
    let cause = match moved.cause {
        Cause::Change | Cause::Replaced => None,
        Cause::Drift => Some("drift: the account was changed"),
        Cause::Both => Some("drift: the account was changed, and so was the file"),
    };
    let interrupts = field.is_some_and(|field| field.interrupts);
    let takes = match &moved.waits {
        _ if moved.replaces => Some((Tone::Delete, "forces replacement".to_owned())),
        Some(name) => {
            let then = if interrupts { ", interrupts it then" } else { "" };
            let text = format!("waits for the maintenance window {}{then}", window(name));
            Some((Tone::Aside, text))
        }
        None if interrupts => Some((Tone::Delete, "interrupts it".to_owned())),
        None => None,
    };
    let cause = cause.map(|cause| (Tone::Drift, cause.to_owned()));
    cause.into_iter().chain(takes).map(|(tone, text)| Note { tone, text }).collect()
}

/// From what to what a field goes.
fn way(moved: &FieldChange, field: Option<&Field>, shown: &Shown<'_>) -> What {
    let set = field.filter(|field| field.set);
    if let (Some(field), Some(Value::Array(before)), Value::Array(after)) =
        (set, &moved.before, &moved.after)
    {
        let goes = |item: &&Value| !after.contains(item) || shown.names_replaced(field, item);
        let going = before.iter().filter(goes).map(|item| (Mark::Goes, shown.before(field, item)));
        let comes = |item: &&Value| !before.contains(item) || shown.names_replaced(field, item);
        let coming = after.iter().filter(comes).map(|item| (Mark::Comes, shown.item(field, item)));
        let staying = moved.keeps.iter().map(|item| {
            let item = shown.item(field, item);
            (Mark::Stays, format!("{item}  stays: what is left out needs it"))
        });
        return What::Items(going.chain(coming).chain(staying).collect());
    }
    let aside = |value| match late(value) {
        Some(Late::Text(digest)) => shown.texts.get(&digest),
        _ => None,
    };
    let before = moved.before.as_ref().and_then(aside);
    if let (Some(before), Some(after)) = (before, aside(&moved.after)) {
        let lines = |mark, these, others| {
            let (lines, more) = lines_without(these, others);
            let more = (more > 0).then(|| format!("and {more} more lines"));
            let lines = lines.into_iter().map(printable).chain(more);
            lines.map(|line| (mark, line)).collect::<Vec<_>>()
        };
        let going = lines(Mark::Goes, before, after);
        return What::Items([going, lines(Mark::Comes, after, before)].concat());
    }
    let after = shown.value(&moved.after);
    if moved.cause == Cause::Replaced {
        return What::Is(format!("the new {after}"));
    }
    let before = match &moved.before {
        Some(before) => shown.value(before),
        None => "(not reported by AWS)".to_owned(),
    };
    What::Moves { before, after }
}
