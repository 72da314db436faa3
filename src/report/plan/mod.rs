//! A plan for people: each address with its fields, old -> new, and a line that counts.

mod groups;
pub(super) mod remarks;
pub use self::remarks::part;
mod shown;
mod told;

use std::fmt::Write;

use anstyle::Style;

pub(super) use self::groups::{Group, Reviewed, groups};
use self::shown::Shown;
use self::told::Note;
pub(super) use self::told::{Mark, Row, Told, Tone, What};
use super::pending;
use super::rounds;
use super::style::{BOLD, CHANGE, CREATE, DELETE, DIM, DRIFT, paint};
use super::value::{padded, printable};
use crate::diff::Change;
use crate::plan::{Plan, Summary};
use crate::snapshot::Snapshot;

/// The whole plan. `of` says which account it is for.
pub fn text(plan: &Plan, of: &str) -> String {
    let mut text = format!("{}\n\n", paint(BOLD, &printable(of)));
    if let Some(part) = remarks::part(plan) {
        let _ = writeln!(text, "{} {part}\n", paint(BOLD, "Partial plan:"));
    }
    if plan.is_empty() {
        if plan.left_out == 0 {
            pending::write(&mut text, &plan.pending);
        }
        let _ = writeln!(text, "{}", remarks::nothing(plan));
        return text;
    }
    let shown = Shown::new(plan);
    for change in told::changes(plan) {
        write(&mut text, &told::told(change, &shown));
        text.push('\n');
    }
    for remark in remarks::remarks(plan) {
        let _ = writeln!(text, "{}  {}", paint(BOLD, &remark.subject), remark.says);
        let _ = writeln!(text, "  {}\n", paint(DELETE, remark.lost));
    }
    pending::write(&mut text, &plan.pending);
    let snapshots = remarks::snapshots(plan);
    for (address, snapshot, begins_empty) in &snapshots {
        let _ = writeln!(text, "{address}: a final snapshot {} is kept.", paint(BOLD, snapshot));
        if *begins_empty {
            let _ = writeln!(text, "  {}", paint(DELETE, "The new database begins empty."));
        }
    }
    if !snapshots.is_empty() {
        text.push('\n');
    }
    let _ = writeln!(text, "{}", summary(&plan.summary));
    for line in rounds::lines(plan) {
        let _ = writeln!(text, "{} {line}", paint(BOLD, "Rolls"));
    }
    text
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

/// How a resource that is there differs from what the topology wants at its address.
pub fn adoption(change: Option<&Change>, snapshot: &Snapshot) -> String {
    let Some(change) = change else { return "    as the topology says\n".to_owned() };
    let (fields, width) = told::moved(change, &Shown::of(snapshot));
    let mut text = String::new();
    fields.iter().for_each(|field| row(&mut text, field, width));
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

fn write(text: &mut String, told: &Told<'_>) {
    let style = style(told.tone);
    let id = told.id.as_ref().map(|id| format!("  {id}")).unwrap_or_default();
    let _ = writeln!(
        text,
        "{} {}{}  {}",
        paint(style, told.sign),
        paint(BOLD, &told.address.to_string()),
        paint(DIM, &id),
        paint(style, &told.remark),
    );
    told.rows.iter().for_each(|one| row(text, one, told.width));
}

fn row(text: &mut String, row: &Row, width: usize) {
    let Row { name, what, notes } = row;
    let note = |note: &Note| paint(style(note.tone), &format!("  {}", note.text));
    let notes: String = notes.iter().map(note).collect();
    let name = match what {
        What::Items(_) => name.to_owned(),
        _ => padded(name, width) + "  ",
    };
    let value = match what {
        What::Items(_) => String::new(),
        What::Is(value) => value.to_owned(),
        What::Later => paint(DIM, "(known after apply)"),
        What::Moves { before, after } => format!("{before} {} {after}", paint(CHANGE, "->")),
    };
    let _ = writeln!(text, "    {name}{value}{notes}");
    let What::Items(items) = what else { return };
    for (mark, item) in items {
        let sign = match mark {
            Mark::Goes => paint(DELETE, mark.sign()),
            Mark::Comes => paint(CREATE, mark.sign()),
            Mark::Stays => mark.sign().to_owned(),
        };
        let _ = writeln!(text, "      {sign} {item}");
    }
}

fn style(tone: Tone) -> Style {
    match tone {
        Tone::Aside => DIM,
        Tone::Create => CREATE,
        Tone::Change => CHANGE,
        Tone::Delete => DELETE,
        Tone::Drift => DRIFT,
    }
}
