//! What happens, for machines: one JSON object a line.

use std::io::Write;

use serde::Serialize;
use serde_json::json;

use super::cost::Report;
use crate::cost::Costs;
use crate::error::Result;
use crate::plan::Plan;
use crate::reconcile::{Event, Observer, Outcome, State};

/// A plan, and beside it what it makes of the costs. Who reads it as a plan finds the plan.
#[derive(Serialize)]
pub struct Planned<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    cost: Report,
}

/// The plan and its costs as one document.
pub fn planned<'a>(plan: &'a Plan, costs: &Costs) -> Planned<'a> {
    Planned { plan, cost: Report::of(costs) }
}

/// Prints each event as it comes.
pub struct JsonLines(());

impl JsonLines {
    /// Begins with a line on the plan.
    pub fn begin(plan: &Plan) -> Self {
        line(&json!({
            "event": "plan",
            "topology": plan.topology,
            "account": plan.account,
            "region": plan.region,
            "summary": plan.summary,
            "steps": plan.steps.len(),
        }));
        Self(())
    }
}

impl Observer for JsonLines {
    fn event(&self, event: &Event) {
        line(event);
    }

    fn stopping(&self) {
        line(&json!({ "event": "stopping" }));
    }
}

/// The last line.
///
/// # Errors
/// When stdout can't be written to.
pub fn end(plan: &Plan, outcome: &Outcome) -> Result<()> {
    let number = |test: fn(&State) -> bool| outcome.states.iter().filter(|s| test(s)).count();
    line(&json!({
        "event": "end",
        "complete": outcome.is_complete(),
        "seconds": outcome.elapsed.as_secs_f64(),
        "steps": plan.steps.len(),
        "done": number(|state| matches!(state, State::Done)),
        "failed": number(|state| matches!(state, State::Failed(_))),
        "blocked": number(|state| matches!(state, State::Blocked(_))),
        "pending": plan.pending_after(),
        "left": number(|state| matches!(state, State::Waiting | State::Left)),
    }));
    Ok(())
}

/// A reader that has gone away must not stop an apply.
fn line(value: &impl Serialize) {
    if let Ok(mut text) = serde_json::to_string(value) {
        text.push('\n');
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    }
}
