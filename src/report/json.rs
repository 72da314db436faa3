//! What happens, for machines: one JSON object a line.

use std::io::Write;

use serde::Serialize;
use serde_json::json;

use super::cost::Report;
use crate::cost::Costs;
use crate::error::Result;
use crate::plan::Plan;
use crate::policy::Violation;
use crate::reconcile::{Event, Observer, Outcome, State};

/// A plan, and beside it what it makes of the costs. Who reads it as a plan finds the plan.
#[derive(Serialize)]
pub struct Planned<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    cost: Report,
    violations: &'a [Violation],
}

/// The plan, its costs and what it does against the policy as one document.
pub fn planned<'a>(plan: &'a Plan, costs: &Costs, violations: &'a [Violation]) -> Planned<'a> {
    Planned { plan, cost: Report::of(costs), violations }
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

/// What the plan does against the policy.
pub fn violations(violations: &[Violation]) {
    if !violations.is_empty() {
        line(&json!({ "event": "policy", "violations": violations }));
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
