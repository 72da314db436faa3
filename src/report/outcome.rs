//! How a run ended: what was done, what failed, what that held up, and what to do.

use std::fmt::Write;

use super::pending;
use super::style::{BOLD, CHANGE, CREATE, DELETE, ERROR, HINT, paint};
use super::value::printable;
use super::{count, duration};
use crate::diff::{Action, Change};
use crate::kinds::record;
use crate::plan::{Plan, Step};
use crate::reconcile::{Outcome, State};

/// The summary.
pub fn text(plan: &Plan, outcome: &Outcome) -> String {
    if plan.is_empty() {
        return String::new();
    }
    let steps = || plan.steps.iter().zip(&outcome.states);
    let mut text = String::from("\n");
    if outcome.is_complete() {
        let summary = plan.summary;
        let done: Vec<String> = [
            (summary.create, "created"),
            (summary.update, "changed"),
            (summary.replace, "replaced"),
            (summary.delete, "deleted"),
        ]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
        let _ = writeln!(
            text,
            "{} {} in {}.",
            paint(CREATE, "Done:"),
            done.join(", "),
            duration(outcome.elapsed)
        );
        let pending = plan.pending_after();
        if !pending.is_empty() {
            text.push('\n');
            pending::write(&mut text, &pending);
        }
        ways_in(&mut text, plan, outcome);
        return text;
    }
    let done = steps().filter(|(_, state)| matches!(state, State::Done)).count();
    let _ = writeln!(
        text,
        "{} {done} of {} done in {}.",
        paint(CHANGE, "Not complete:"),
        count(plan.steps.len(), "step"),
        duration(outcome.elapsed)
    );
    for (index, (step, state)) in steps().enumerate() {
        if let State::Failed(fault) = state {
            let _ =
                writeln!(text, "\n{} {}", paint(ERROR, "failed:"), paint(BOLD, &step.to_string()));
            let _ = writeln!(text, "    {}", printable(&fault.to_string()));
            if let Some(hint) = fault.hint() {
                let _ = writeln!(text, "    {} {hint}", paint(HINT, "hint:"));
            }
            let blocked: Vec<&Step> = steps()
                .filter(|(_, state)| matches!(state, State::Blocked(by) if *by == index))
                .map(|(step, _)| step)
                .collect();
            list(&mut text, "    blocked by it:", &blocked);
        }
    }
    let left: Vec<&Step> = steps()
        .filter(|(_, state)| matches!(state, State::Waiting | State::Left))
        .map(|(step, _)| step)
        .collect();
    if !left.is_empty() {
        text.push('\n');
    }
    list(&mut text, "left for the next run:", &left);
    text
}

fn list(text: &mut String, title: &str, steps: &[&Step]) {
    const SHOWN: usize = 8;
    if steps.is_empty() {
        return;
    }
    let _ = writeln!(text, "{}", paint(DELETE, title));
    let indent = " ".repeat(title.len() - title.trim_start().len() + 2);
    for step in steps.iter().take(SHOWN) {
        let _ = writeln!(text, "{indent}{step}");
    }
    if steps.len() > SHOWN {
        let _ = writeln!(text, "{indent}and {} more", steps.len() - SHOWN);
    }
}

/// Where the shop can be reached, when that is new: by its own name, where it has one.
fn ways_in(text: &mut String, plan: &Plan, outcome: &Outcome) {
    let kept = || plan.changes.iter().filter(|change| change.action != Action::Delete);
    let field =
        |change: &Change, name: &str| change.after.as_ref()?.get(name)?.as_str().map(str::to_owned);
    let done = |change: &Change| {
        let steps = || plan.steps.iter().zip(&outcome.states);
        let mut own = steps().filter(|(step, _)| step.address == change.address);
        own.all(|(_, state)| matches!(state, State::Done))
    };
    let records = kept().filter(|change| change.address.kind() == record::SCHEMA.kind);
    let named: Vec<String> =
        records.filter(|change| done(change)).filter_map(|change| field(change, "name")).collect();
    let given = kept().filter_map(|change| outcome.outputs.get(&change.address)?.get("dns_name"));
    let given: Vec<String> = given.cloned().collect();
    // Where the listener is as it was, port 80 serves or leads on.
    let tls = kept().any(|change| field(change, "protocol").as_deref() == Some("HTTPS"));
    let scheme = if tls { "https" } else { "http" };
    for name in if named.is_empty() { given } else { named } {
        let _ = writeln!(text, "\nThe way in: {scheme}://{}", printable(&name));
    }
}
