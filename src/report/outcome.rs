//! How a run ended: what was done, what failed, what that held up, and what to do.

use std::fmt::Write;

use super::style::{BOLD, CHANGE, CREATE, DELETE, ERROR, paint};
use super::value::printable;
use super::{count, duration};
use crate::diff::Action;
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

/// Where the shop can be reached, when that is new.
fn ways_in(text: &mut String, plan: &Plan, outcome: &Outcome) {
    for change in plan.changes.iter().filter(|change| change.action != Action::Delete) {
        if let Some(name) = outcome.outputs.get(&change.address).and_then(|o| o.get("dns_name")) {
            let _ = writeln!(text, "\nThe way in: http://{}", printable(name));
        }
    }
}
