//! Names of the snapshots that databases leave when they go.

use std::collections::BTreeSet;

use super::Finding;
use super::answers::Answers;
use super::planned::Planned;
use crate::model::Question;

fn names(planned: &Planned<'_>) -> BTreeSet<String> {
    planned.plan.final_snapshots().map(|(_, name)| name.to_owned()).collect()
}

pub fn wants(planned: &Planned<'_>, _: &Answers) -> Vec<Question> {
    let names = names(planned);
    if names.is_empty() { Vec::new() } else { vec![Question::Snapshots(names)] }
}

pub fn verdict(planned: &Planned<'_>, answers: &Answers) -> Vec<Finding> {
    let question = Question::Snapshots(names(planned));
    let taken: BTreeSet<String> = answers.get(&question).unwrap_or_default();
    let clashes = planned.plan.final_snapshots().filter(|(_, name)| taken.contains(*name));
    let refused = clashes.map(|(address, name)| {
        planned
            .blame(address, "identifier", format!("there is a snapshot {name} already"))
            .label("its last snapshot would be called so")
            .hint(
                "delete or rename that one, or make another plan: the name has the time in it"
                    .to_owned(),
            )
    });
    refused.map(Finding::Refused).collect()
}
