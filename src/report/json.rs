//! What happens, for machines: one JSON object a line.

use std::io::Write;

use schemars::JsonSchema;
use serde::Serialize;

use super::cost::Report;
use crate::cost::Costs;
use crate::error::Result;
use crate::plan::{Pending, Plan, Summary};
use crate::policy::Violation;
use crate::reconcile::{Event, Observer, Outcome, State};

/// The version of the lines' form.
pub const FORMAT: u32 = 1;

/// One line.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Line<'a> {
    Run(Run<'a>),
    Step(&'a Event),
}

/// Something about the run as a whole.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Run<'a> {
    /// The first line: what there is to do.
    Plan {
        /// The version of the lines' form.
        #[schemars(extend("const" = FORMAT))]
        format: u32,
        topology: &'a str,
        account: &'a str,
        region: &'a str,
        summary: Summary,
        steps: usize,
    },
    /// The second line, where there is any: what the plan does against the policy. The last one where it is refused for that.
    Policy { violations: &'a [Violation] },
    /// Stopping was asked for: nothing new is begun, and what is in flight is waited for.
    Stopping,
    /// The last line: how it ended.
    End {
        complete: bool,
        /// On the account's clock.
        seconds: f64,
        steps: usize,
        done: usize,
        failed: usize,
        blocked: usize,
        /// What waits for a maintenance window.
        pending: Vec<Pending>,
        /// Steps that the next run takes up.
        left: usize,
    },
}

/// A plan, and beside it what it makes of the costs. Who reads it as a plan finds the plan. One that is saved has the
/// plan alone, and so the schema asks for no more.
#[derive(Serialize, JsonSchema)]
pub struct Planned<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    #[schemars(skip_serializing_if = "it_is_saved")]
    cost: Report,
    #[schemars(skip_serializing_if = "it_is_saved")]
    violations: &'a [Violation],
}

/// The plan, its costs and what it does against the policy as one document.
pub fn planned<'a>(plan: &'a Plan, costs: &Costs, violations: &'a [Violation]) -> Planned<'a> {
    Planned { plan, cost: Report::of(costs), violations }
}

/// The first line, and what the plan does against the policy.
pub fn begin(plan: &Plan, violations: &[Violation]) {
    line(&Line::Run(Run::Plan {
        format: FORMAT,
        topology: &plan.topology,
        account: &plan.account,
        region: &plan.region,
        summary: plan.summary,
        steps: plan.steps.len(),
    }));
    if !violations.is_empty() {
        line(&Line::Run(Run::Policy { violations }));
    }
}

/// Prints each event as it comes.
pub struct JsonLines;

impl Observer for JsonLines {
    fn event(&self, event: &Event) {
        line(&Line::Step(event));
    }

    fn stopping(&self) {
        line(&Line::Run(Run::Stopping));
    }
}

/// The last line.
///
/// # Errors
/// When stdout can't be written to.
pub fn end(plan: &Plan, outcome: &Outcome) -> Result<()> {
    let number = |test: fn(&State) -> bool| outcome.states.iter().filter(|s| test(s)).count();
    line(&Line::Run(Run::End {
        complete: outcome.is_complete(),
        seconds: outcome.elapsed.as_secs_f64(),
        steps: plan.steps.len(),
        done: number(|state| matches!(state, State::Done)),
        failed: number(|state| matches!(state, State::Failed(_))),
        blocked: number(|state| matches!(state, State::Blocked(_))),
        pending: plan.pending_after(),
        left: number(|state| matches!(state, State::Waiting | State::Left)),
    }));
    Ok(())
}

/// A reader that has gone away must not stop an apply.
fn line(line: &Line<'_>) {
    if let Ok(mut text) = serde_json::to_string(line) {
        text.push('\n');
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    }
}
