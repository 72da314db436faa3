//! Whether IAM would let these credentials do what the plan does, by the rows of the kinds that it changes.

use std::collections::BTreeSet;

use super::answers::Answers;
use super::planned::Planned;
use super::{Finding, Purpose};
use crate::diff::{Action, Change};
use crate::iam;
use crate::kinds::{self, db_instance};
use crate::model::question::Leave;
use crate::model::{Occasion, Operation, Question, Side};
use crate::topology::Diagnostic;

/// Needed only where an account has the role of a service not yet.
const ONCE: &str = "iam:CreateServiceLinkedRole";
/// So many actions are named.
const NAMED: usize = 5;

/// The rows of what the plan does.
fn rows(planned: &Planned<'_>) -> Vec<&'static Operation> {
    let kinds: BTreeSet<&str> =
        planned.plan.changes.iter().map(|change| change.address.kind()).collect();
    let mut rows = Vec::new();
    for kind in kinds {
        let changes = planned.plan.changes.iter().filter(|change| change.address.kind() == kind);
        let changes: Vec<&Change> = changes.collect();
        let does = |actions: &[Action]| changes.iter().any(|one| actions.contains(&one.action));
        let operations = kinds::by_name(kind).map_or(&[][..], |kind| kind.operations());
        let own = operations.iter().filter(|row| row.side == Side::Change);
        rows.extend(own.filter(|row| match row.occasion {
            Occasion::Creation => changes.iter().any(|change| makes(change)),
            Occasion::Deletion => does(&[Action::Delete, Action::Replace]),
            Occasion::Other => does(&[Action::Update]),
        }));
    }
    rows
}

/// Whether it is made by the call of its kind: a read replica of a database has one of its own.
fn makes(change: &Change) -> bool {
    let replica = change.address.kind() == db_instance::SCHEMA.kind
        && change.after.as_ref().and_then(|body| body.get("source")).is_some_and(|s| !s.is_null());
    matches!(change.action, Action::Create | Action::Replace) && !replica
}

fn leaves(planned: &Planned<'_>) -> BTreeSet<Leave> {
    let mut leaves = iam::leaves(planned.desired, rows(planned));
    leaves.retain(|leave| leave.action != ONCE);
    leaves
}

pub fn wants(planned: &Planned<'_>, _: &Answers) -> Vec<Question> {
    let leaves = leaves(planned);
    if leaves.is_empty() { Vec::new() } else { vec![Question::Denied(leaves)] }
}

pub fn verdict(planned: &Planned<'_>, answers: &Answers) -> Vec<Finding> {
    let denied: BTreeSet<String> =
        answers.get(&Question::Denied(leaves(planned))).unwrap_or_default();
    let sure = rows(planned).into_iter().filter(|row| row.occasion != Occasion::Other);
    let sure: BTreeSet<&str> = sure.map(|row| row.name).collect();
    let (sure, likely): (Vec<&str>, Vec<&str>) =
        denied.iter().map(String::as_str).partition(|action| sure.contains(action));
    let mut findings = Vec::new();
    if !sure.is_empty() {
        let error = Diagnostic::nowhere(format!("these credentials may not {}", list(&sure)));
        findings.push(match planned.purpose {
            Purpose::Look => Finding::Doubtful(error.hint(
                "whoever applies this needs leave for it: ecdeploy iam-policy apply".to_owned(),
            )),
            Purpose::Change => Finding::Refused(
                error.hint(
                    "nothing was changed; `ecdeploy iam-policy apply` prints what IAM has to allow"
                        .to_owned(),
                ),
            ),
        });
    }
    if !likely.is_empty() {
        let message = format!("these credentials may lack leave for {}", list(&likely));
        findings.push(Finding::Doubtful(Diagnostic::nowhere(message)));
    }
    findings
}

fn list(actions: &[&str]) -> String {
    let named = actions.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match actions.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
