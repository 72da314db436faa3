//! A plan for people: each address with its fields, old -> new, and a line that counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use anstyle::Style;
use serde_json::Value;

use super::pending::{self, window};
use super::rounds;
use super::style::{BOLD, CHANGE, CREATE, DELETE, DIM, DRIFT, paint};
use super::value::{line, lines_of, lines_without, opening, padded, printable, short};
use crate::diff::{self, Action, Cause, Change, FieldChange};
use crate::kinds::{self, replication_group};
use crate::model::{Address, Field, Late, Lookup, OnChange, Texts, late};
use crate::plan::{Goal, Plan, Summary};
use crate::snapshot::Snapshot;

/// The whole plan. `of` says which account it is for.
pub fn text(plan: &Plan, of: &str) -> String {
    let mut text = format!("{}\n\n", paint(BOLD, &printable(of)));
    if let Some(part) = part(plan) {
        text.push_str(&part);
    }
    if plan.is_empty() && plan.left_out > 0 {
        text.push_str("No changes in this part.\n");
        return text;
    }
    if plan.is_empty() {
        pending::write(&mut text, &plan.pending);
        text.push_str(match plan.goal {
            Goal::Reach if !plan.pending.is_empty() => {
                "No changes. The account is what the topology says, or will be by itself.\n"
            }
            Goal::Reach => "No changes. The account is what the topology says.\n",
            Goal::Destroy => {
                "Nothing to delete. Nothing in the account bears the topology's tags.\n"
            }
        });
        return text;
    }
    let shown = Shown::new(plan);
    let mut changes: Vec<&Change> = plan.changes.iter().collect();
    changes.sort_by_key(|change| (place(&change.address), &change.address, &change.id));
    for change in changes {
        shown.change(&mut text, change);
        text.push('\n');
    }
    emptied(&mut text, plan);
    another_password(&mut text, plan);
    pending::write(&mut text, &plan.pending);
    for (address, snapshot) in plan.final_snapshots() {
        let _ = writeln!(
            text,
            "{address}: a final snapshot {} is kept.",
            paint(BOLD, &printable(snapshot))
        );
        if plan.change(address).is_some_and(|change| change.after.is_some()) {
            let _ = writeln!(text, "  {}", paint(DELETE, "The new database begins empty."));
        }
    }
    if plan.final_snapshots().next().is_some() {
        text.push('\n');
    }
    let _ = writeln!(text, "{}", summary(&plan.summary));
    rounds::write(&mut text, plan);
    text
}

/// A cache that gets replicas, or loses them all, is another one.
fn emptied(text: &mut String, plan: &Plan) {
    let caches = |action| {
        let of_action = plan.changes.iter().filter(move |change| change.action == action);
        of_action.filter(|change| replication_group::is_cache(change.address.kind()))
    };
    for new in caches(Action::Create) {
        let old = caches(Action::Delete).find(|old| old.address.name() == new.address.name());
        if let Some(old) = old {
            let _ = writeln!(
                text,
                "{}  takes over from {}.",
                paint(BOLD, &new.address.to_string()),
                old.address
            );
            let lost = "It begins empty; what the other one holds is lost. Machines change over within 3 minutes.";
            let _ = writeln!(text, "  {}\n", paint(DELETE, lost));
        }
    }
}

/// A database that gets replicas, or loses them all, has another password.
fn another_password(text: &mut String, plan: &Plan) {
    let moved = |change: &&Change| {
        let mut fields = change.fields.iter();
        change.action == Action::Update && fields.any(|field| field.field == "master_user_secret")
    };
    for change in plan.changes.iter().filter(moved) {
        let _ =
            writeln!(text, "{}  gets another password.", paint(BOLD, &change.address.to_string()));
        let refused = "It refuses new connections with the old one; machines have the new one within 3 minutes.";
        let _ = writeln!(text, "  {}\n", paint(DELETE, refused));
    }
}

/// What a plan is for that is not for everything, and how much it leaves out.
fn part(plan: &Plan) -> Option<String> {
    let choice = &plan.origin.choice;
    let of = |word: &str, names: &[String]| match names {
        [] => None,
        names => Some(format!("{word} {}", printable(&names.join(", ")))),
    };
    let parts: Vec<String> =
        [of("only", &choice.only), of("except", &choice.except)].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| {
        let left_out = match plan.left_out {
            0 => "nothing is left out".to_owned(),
            1 => "1 other change is left out".to_owned(),
            n => format!("{n} other changes are left out"),
        };
        format!("{} {}; {left_out}.\n\n", paint(BOLD, "Partial plan:"), parts.join(", "))
    })
}

/// `Plan: 46 to create, 0 to change, …`
pub fn summary(summary: &Summary) -> String {
    let part = |style: Style, number: usize, what: &str| {
        let text = format!("{number} to {what}");
        if number == 0 { text } else { paint(style, &text) }
    };
    let drift = match summary.drift {
        0 => String::new(),
        drift => format!("; {} because of drift", paint(DRIFT, &drift.to_string())),
    };
    format!(
        "{} {}, {}, {}, {}{drift}.",
        paint(BOLD, "Plan:"),
        part(CREATE, summary.create, "create"),
        part(CHANGE, summary.update, "change"),
        part(DELETE, summary.replace, "replace"),
        part(DELETE, summary.delete, "delete"),
    )
}

/// The order of kinds in the registry is the order in which people think of them: the network first.
fn place(address: &Address) -> usize {
    kinds::REGISTRY
        .iter()
        .position(|kind| kind.schema().kind == address.kind())
        .unwrap_or(usize::MAX)
}

/// How a resource that is there differs from what the topology wants at its address.
pub fn adoption(change: Option<&Change>, snapshot: &Snapshot) -> String {
    let Some(change) = change else { return "    as the topology says\n".to_owned() };
    let (unknown, replaced) = Default::default();
    let Snapshot { lookups, texts, .. } = snapshot;
    let shown = Shown { lookups, texts, unknown, replaced };
    let mut text = String::new();
    shown.fields(&mut text, change);
    let forces: Vec<&str> =
        change.fields.iter().filter(|f| f.replaces).map(|f| f.field.as_str()).collect();
    let remark = match &forces[..] {
        [] => "The next apply changes this in place.".to_owned(),
        forces => paint(
            DELETE,
            &format!(
                "The next apply would put another in its stead, because of {}.",
                forces.join(", ")
            ),
        ),
    };
    let _ = writeln!(text, "\n{remark}");
    text
}

/// Whether something sends it requests.
fn serves(change: &Change) -> bool {
    let kind = kinds::by_name(change.address.kind());
    kind.is_some_and(|kind| kind.schema().fields.iter().any(|field| field.serves))
}

/// Whether it is taken out of service meanwhile.
fn rolls(change: &Change) -> bool {
    let schema = kinds::by_name(change.address.kind()).map(|kind| kind.schema());
    let field = |moved: &FieldChange| schema?.field(&moved.field);
    let rolling = |field: &Field| field.on_change == OnChange::Rolling;
    serves(change) && change.fields.iter().filter_map(field).any(rolling)
}

struct Shown<'a> {
    lookups: &'a BTreeMap<Lookup, String>,
    texts: &'a Texts,
    /// What has no id yet.
    unknown: BTreeSet<&'a Address>,
    /// The ids of what gets a successor.
    replaced: BTreeMap<&'a Address, &'a str>,
}

impl<'a> Shown<'a> {
    fn new(plan: &'a Plan) -> Self {
        let made = |change: &&Change| matches!(change.action, Action::Create | Action::Replace);
        let unknown = plan.changes.iter().filter(made).map(|change| &change.address).collect();
        let replaced = plan.changes.iter().filter(|change| change.action == Action::Replace);
        let replaced = replaced.filter_map(|change| Some((&change.address, change.id.as_deref()?)));
        Self { lookups: &plan.lookups, texts: &plan.texts, unknown, replaced: replaced.collect() }
    }

    fn change(&self, text: &mut String, change: &Change) {
        let (style, sign, remark) = match change.action {
            Action::Create => (CREATE, "+", "create".to_owned()),
            Action::Update if rolls(change) => {
                (CHANGE, "~", "change in place, by rolling".to_owned())
            }
            Action::Update => (CHANGE, "~", "change".to_owned()),
            Action::Replace if serves(change) => {
                (DELETE, "±", "replace by a successor, made first".to_owned())
            }
            Action::Replace => (DELETE, "±", "replace".to_owned()),
            Action::Delete => {
                let reason = change.reason.as_deref().unwrap_or_default();
                (DELETE, "-", format!("delete: {}", printable(reason)))
            }
        };
        let goes = matches!(change.action, Action::Delete | Action::Replace);
        let remark = match change.protected && goes {
            true => format!("{remark}, its protection is lifted"),
            false => remark,
        };
        let remark = match &change.moved_from {
            Some(from) if change.fields.is_empty() => format!("moved from {from}"),
            Some(from) => format!("moved from {from}, {remark}"),
            None => remark,
        };
        let id = change.id.as_deref().map(|id| format!("  {}", short(id))).unwrap_or_default();
        let _ = writeln!(
            text,
            "{} {}{}  {}",
            paint(style, sign),
            paint(BOLD, &change.address.to_string()),
            paint(DIM, &id),
            paint(style, &remark),
        );
        match change.action {
            Action::Create => self.created(text, change),
            Action::Update | Action::Replace => self.fields(text, change),
            Action::Delete => {}
        }
    }

    fn fields(&self, text: &mut String, change: &Change) {
        let schema = kinds::by_name(change.address.kind()).map(|kind| kind.schema());
        let width =
            change.fields.iter().map(|f| printable(&f.field).chars().count()).max().unwrap_or(0);
        for moved in &change.fields {
            let field = schema.and_then(|schema| schema.field(&moved.field));
            self.moved(text, moved, field, width);
        }
    }

    fn created(&self, text: &mut String, change: &Change) {
        let (Some(after), Some(kind)) = (&change.after, kinds::by_name(change.address.kind()))
        else {
            return;
        };
        let schema = kind.schema();
        let width = after
            .keys()
            .map(String::len)
            .chain(schema.outputs.iter().map(|(name, _)| name.len()))
            .max()
            .unwrap_or(0);
        for field in schema.fields {
            let Some(value) = after.get(field.name).filter(|value| !value.is_null()) else {
                continue;
            };
            match lines_of(value) {
                None => {
                    let _ =
                        writeln!(text, "    {}  {}", padded(field.name, width), self.value(value));
                }
                Some(items) => {
                    let _ = writeln!(text, "    {}", field.name);
                    for item in items {
                        let _ = writeln!(
                            text,
                            "      {} {}",
                            paint(CREATE, "+"),
                            self.item(field, item)
                        );
                    }
                }
            }
        }
        if change.protect {
            let _ = writeln!(text, "    {}  true", padded(diff::PROTECT, width));
        }
        for (output, _) in schema.outputs {
            let unknown = paint(DIM, "(known after apply)");
            let _ = writeln!(text, "    {}  {unknown}", padded(output, width));
        }
    }

    fn moved(&self, text: &mut String, moved: &FieldChange, field: Option<&Field>, width: usize) {
        let name = printable(&moved.field);
        let cause = match moved.cause {
            Cause::Change => String::new(),
            Cause::Drift => paint(DRIFT, "  drift: the account was changed"),
            Cause::Both => paint(DRIFT, "  drift: the account was changed, and so was the file"),
            Cause::Replaced => String::new(),
        };
        let interrupts = field.is_some_and(|field| field.interrupts);
        let forces = match &moved.waits {
            _ if moved.replaces => paint(DELETE, "  forces replacement"),
            Some(name) => {
                let then = if interrupts { ", interrupts it then" } else { "" };
                paint(DIM, &format!("  waits for the maintenance window {}{then}", window(name)))
            }
            None if interrupts => paint(DELETE, "  interrupts it"),
            None => String::new(),
        };
        let set = field.filter(|field| field.set);
        if let (Some(field), Some(Value::Array(before)), Value::Array(after)) =
            (set, &moved.before, &moved.after)
        {
            let _ = writeln!(text, "    {name}{cause}{forces}");
            let goes = |item: &&Value| !after.contains(item) || self.names_replaced(field, item);
            for item in before.iter().filter(goes) {
                let item = self.before(field, item);
                let _ = writeln!(text, "      {} {item}", paint(DELETE, "-"));
            }
            let comes = |item: &&Value| !before.contains(item) || self.names_replaced(field, item);
            for item in after.iter().filter(comes) {
                let _ = writeln!(text, "      {} {}", paint(CREATE, "+"), self.item(field, item));
            }
            for item in &moved.keeps {
                let item = self.item(field, item);
                let _ = writeln!(text, "      = {item}  stays: what is left out needs it");
            }
            return;
        }
        let aside = |value| match late(value) {
            Some(Late::Text(digest)) => self.texts.get(&digest),
            _ => None,
        };
        let before = moved.before.as_ref().and_then(aside);
        if let (Some(before), Some(after)) = (before, aside(&moved.after)) {
            let _ = writeln!(text, "    {name}{cause}{forces}");
            for (style, sign, these, others) in
                [(DELETE, "-", before, after), (CREATE, "+", after, before)]
            {
                let (shown, more) = lines_without(these, others);
                for line in shown {
                    let _ = writeln!(text, "      {} {}", paint(style, sign), printable(line));
                }
                if more > 0 {
                    let _ = writeln!(text, "      {} and {more} more lines", paint(style, sign));
                }
            }
            return;
        }
        if moved.cause == Cause::Replaced {
            let new = self.value(&moved.after);
            let _ = writeln!(text, "    {}  the new {new}{forces}", padded(&name, width));
            return;
        }
        let before = match &moved.before {
            Some(before) => self.value(before),
            None => "(not reported by AWS)".to_owned(),
        };
        let _ = writeln!(
            text,
            "    {}  {before} {} {}{cause}{forces}",
            padded(&name, width),
            paint(CHANGE, "->"),
            self.value(&moved.after),
        );
    }

    /// Whether it names something that gets a successor.
    fn names_replaced(&self, field: &Field, item: &Value) -> bool {
        let late = |link: &&Value| {
            matches!(late(link), Some(Late::Ref { address, .. })
            if self.replaced.contains_key(&address))
        };
        field.links(item).iter().any(late)
    }

    /// An item as it is now, with the ids of what it names and what gets a successor.
    fn before(&self, field: &Field, item: &Value) -> String {
        let now = Shown {
            lookups: self.lookups,
            texts: self.texts,
            unknown: BTreeSet::new(),
            replaced: self.replaced.clone(),
        };
        now.item(field, item)
    }

    /// An item of a list, in the form that its field gives.
    fn item(&self, field: &Field, item: &Value) -> String {
        let (Some(form), Some(map)) = (field.item, item.as_object()) else {
            return self.value(item);
        };
        let filled = map.iter().fold(form.to_owned(), |text, (key, value)| {
            text.replace(&format!("{{{key}}}"), &self.value(value))
        });
        // What the item has no value for leaves no trace.
        filled.split(' ').filter(|word| !word.starts_with('{')).collect::<Vec<_>>().join(" ")
    }

    fn value(&self, value: &Value) -> String {
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
