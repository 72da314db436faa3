//! Who is left with too few healthy targets while a plan is carried out, and what helps.

use crate::desired::Desired;
use crate::rehearsal::{Healthy, Rehearsal};

/// The services that have fewer than so many at some moment.
pub fn too_few(
    rehearsal: &Rehearsal,
    least: usize,
) -> impl Iterator<Item = (&str, Healthy)> + use<'_> {
    let services = rehearsal.services.iter().map(|(name, healthy)| (name.as_str(), *healthy));
    services.filter(move |(_, healthy)| healthy.fewest < least)
}

/// What is to be done about all of these.
pub fn hint(low: &[(&str, Healthy)], least: usize, desired: &Desired) -> String {
    let whom = match low {
        [(name, _)] => (*name).to_owned(),
        _ => "these services".to_owned(),
    };
    let abreast = |name: &str| desired.rolling.get(name).map_or(1, |rolling| rolling.max_parallel);
    if low.iter().any(|(_, healthy)| healthy.now < least) {
        "there are fewer before anything is changed: see to the machines that are missing or not healthy first \
         (`ecdeploy trace PATH --live` shows them)"
            .to_owned()
    } else if low.iter().any(|(name, _)| abreast(name) > 1) {
        format!(
            "raise `count` of {whom}, or lower `rolling.max_parallel`; `ecdeploy rehearse` shows when"
        )
    } else {
        format!("raise `count` of {whom}: one machine at a time is changed (rolling.max_parallel)")
    }
}
