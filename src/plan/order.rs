//! Steps in an order in which each comes after what it needs.

use std::collections::BTreeSet;

use super::step::{Step, Verb};
use crate::model::Address;
use crate::topology::{Diagnostic, Span};

/// Sorts the steps, and renumbers what they name. The order is the same for the same steps.
///
/// # Errors
/// When steps wait for each other in a circle.
pub fn order(steps: Vec<Step>) -> Result<Vec<Step>, Circle> {
    let mut waiting: Vec<BTreeSet<usize>> =
        steps.iter().map(|step| step.after.iter().map(|after| after.step).collect()).collect();
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
    for (index, before) in waiting.iter().enumerate() {
        before.iter().for_each(|step| followers[*step].push(index));
    }
    let key = |index: usize| (steps[index].address.clone(), steps[index].verb, index);
    let mut ready: BTreeSet<_> =
        (0..steps.len()).filter(|index| waiting[*index].is_empty()).map(key).collect();
    let mut sorted = Vec::with_capacity(steps.len());
    while let Some((_, _, index)) = ready.pop_first() {
        sorted.push(index);
        for follower in &followers[index] {
            waiting[*follower].remove(&index);
            if waiting[*follower].is_empty() {
                ready.insert(key(*follower));
            }
        }
    }
    if sorted.len() < steps.len() {
        return Err(circle(&steps, &waiting));
    }
    let mut place = vec![0; steps.len()];
    sorted.iter().enumerate().for_each(|(new, old)| place[*old] = new);
    let mut steps: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
    let taken = sorted.into_iter().filter_map(|old| steps[old].take());
    Ok(taken
        .map(|mut step| {
            for after in &mut step.after {
                after.step = place[after.step];
            }
            step.after.sort();
            step.after.dedup();
            step
        })
        .collect())
}

/// Steps that wait for each other.
pub struct Circle {
    message: String,
    hint: String,
    /// What would have to go before its successor comes, and is in use until then.
    pub replaced: Option<Address>,
}

impl Circle {
    /// As it is told: at the field to blame, where that is known.
    pub fn at(self, blamed: Option<(Span, &str)>) -> Diagnostic {
        let Self { message, hint, replaced } = self;
        let error = match (blamed, replaced) {
            (Some((span, field)), Some(address)) => {
                let why = format!("{address} can't be replaced, which {field} asks for: {message}");
                Diagnostic::at(span, why)
            }
            _ => Diagnostic::nowhere(message),
        };
        error.hint(hint)
    }
}

/// Follows what waits for what until a step comes again.
fn circle(steps: &[Step], waiting: &[BTreeSet<usize>]) -> Circle {
    let mut path: Vec<usize> = Vec::new();
    let mut at = waiting.iter().position(|before| !before.is_empty());
    while let Some(index) = at {
        if let Some(start) = path.iter().position(|seen| *seen == index) {
            path.drain(..start);
            break;
        }
        path.push(index);
        at = waiting[index].first().copied();
    }
    path.reverse();
    let names: Vec<String> = path.iter().map(|index| steps[*index].to_string()).collect();
    let message = format!("these changes wait for each other: {}", names.join(" -> "));
    // What makes room for another of its kind.
    let next = path.iter().skip(1).chain(path.first());
    let named = path.iter().zip(next).find(|(one, next)| {
        let (one, next) = (&steps[**one], &steps[**next]);
        (one.verb, next.verb) == (Verb::Delete, Verb::Create)
            && one.address.kind() == next.address.kind()
    });
    let replaced = named.map(|(one, _)| steps[*one].address.clone());
    let hint = match &replaced {
        Some(address) => format!(
            "{address} is in use and must be replaced, but AWS allows its name only once: give it another name as well, \
             or make the change in two applies"
        ),
        None => "make the change in two applies: leave out of the first what the last step is for"
            .to_owned(),
    };
    Circle { message, hint, replaced }
}
