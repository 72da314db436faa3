//! What a plan adds and changes, held against what AWS offers, how much of it it gives, and whose leave there is: before
//! anything is changed, and each refusal at its line of the file. A check is what it wants to know, and a verdict on the
//! answers, which is pure. To add one, write its file and give it a line in `CHECKS`.

mod answers;
mod caches;
mod databases;
mod machines;
mod memory;
mod names;
mod network;
mod peak;
mod permissions;
mod planned;
mod quotas;
mod snapshots;
mod version;

use std::collections::BTreeSet;

use answers::Answers;
pub use memory::Memory;
use planned::Planned;

use crate::cloud::Cloud;
use crate::desired::Desired;
use crate::error::Result;
use crate::model::Question;
use crate::plan::Plan;
use crate::snapshot::Snapshot;
use crate::topology::{Diagnostic, Diagnostics};

/// What the plan is for: who only looks need not be allowed to change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Look,
    Change,
}

/// What a check finds.
#[derive(Clone, Debug, PartialEq)]
enum Finding {
    /// AWS would refuse it.
    Refused(Diagnostic),
    /// AWS takes it, and yet it may not be what is meant.
    Doubtful(Diagnostic),
}

/// A finding, and the check that has it.
type Found = (&'static str, Finding);

struct Check {
    /// By which it can be ignored.
    name: &'static str,
    /// What it is about, for people.
    about: &'static str,
    /// What it wants to know, by what is known by now: more than once.
    wants: fn(&Planned<'_>, &Answers) -> Vec<Question>,
    verdict: fn(&Planned<'_>, &Answers) -> Vec<Finding>,
}

static CHECKS: &[Check] = &[
    Check {
        name: machines::NAME,
        about: "machines and images",
        wants: machines::wants,
        verdict: machines::verdict,
    },
    Check {
        name: "databases",
        about: "versions and classes of databases",
        wants: databases::wants,
        verdict: databases::verdict,
    },
    Check {
        name: caches::NAME,
        about: "versions and nodes of caches",
        wants: caches::wants,
        verdict: caches::verdict,
    },
    Check { name: "quotas", about: "quotas", wants: quotas::wants, verdict: quotas::verdict },
    Check {
        name: "networks",
        about: "other networks",
        wants: network::wants,
        verdict: network::verdict,
    },
    Check { name: "names", about: "names", wants: names::wants, verdict: names::verdict },
    Check {
        name: "snapshots",
        about: "names of snapshots",
        wants: snapshots::wants,
        verdict: snapshots::verdict,
    },
    Check {
        name: "permissions",
        about: "permissions",
        wants: permissions::wants,
        verdict: permissions::verdict,
    },
];

/// The names of the checks, by which they can be ignored.
pub fn names() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|check| check.name)
}

/// What came of all checks.
#[derive(Debug)]
pub struct Preflight {
    /// What AWS would refuse.
    refused: Option<Diagnostics>,
    /// What may not be meant.
    pub doubtful: Option<Diagnostics>,
    /// What could not be checked, and why.
    pub unknown: Vec<String>,
}

/// Makes all checks of a plan. One with nothing to change asks nothing. What the `ignored` ones refuse is only doubtful.
///
/// # Errors
/// When the credentials are not taken any more. Whatever else a question meets only leaves it unanswered.
pub async fn check(
    plan: &Plan,
    desired: &Desired,
    snapshot: &Snapshot,
    purpose: Purpose,
    ignored: &[String],
    cloud: &dyn Cloud,
    memory: &Memory,
) -> Result<Preflight> {
    let planned = Planned { plan, desired, snapshot, purpose };
    let mut answers = Answers::default();
    let mut findings = all(&planned, &mut answers, cloud, memory).await?;
    let refuses = |(_, finding): &Found| matches!(finding, Finding::Refused(_));
    // What is offered by now, a memory of this morning need not know.
    if findings.iter().any(refuses) && answers.forget_remembered() {
        findings = all(&planned, &mut answers, cloud, &Memory::none()).await?;
    }
    memory.keep(&answers);
    let weighed = findings.into_iter().map(|(name, finding)| match finding {
        Finding::Refused(said) if ignored.iter().any(|one| one == name) => {
            let hint = format!("--ignore-check {name} lets it pass; AWS may refuse it");
            (name, Finding::Doubtful(said.hint(hint)))
        }
        finding => (name, finding),
    });
    let (refused, doubtful): (Vec<_>, Vec<_>) = weighed.partition(refuses);
    let complaint = |findings: Vec<Found>| {
        let said = findings.into_iter().map(|(_, finding)| match finding {
            Finding::Refused(diagnostic) | Finding::Doubtful(diagnostic) => diagnostic,
        });
        let said: Vec<Diagnostic> = said.collect();
        (!said.is_empty()).then(|| desired.complaint(said))
    };
    let unknown = CHECKS.iter().flat_map(|check| {
        let asked = (check.wants)(&planned, &answers);
        let whys: BTreeSet<String> =
            asked.iter().filter_map(|question| answers.why_not(question)).collect();
        whys.into_iter().map(|why| format!("{}: {why}", check.about))
    });
    Ok(Preflight {
        unknown: unknown.collect(),
        refused: complaint(refused),
        doubtful: complaint(doubtful),
    })
}

/// Asks what the checks want to know, all of it at once, until they want no more.
async fn all(
    planned: &Planned<'_>,
    answers: &mut Answers,
    cloud: &dyn Cloud,
    memory: &Memory,
) -> Result<Vec<Found>> {
    loop {
        let wanted = CHECKS.iter().flat_map(|check| (check.wants)(planned, answers));
        let open: BTreeSet<Question> = wanted.filter(|one| !answers.has(one)).collect();
        if open.is_empty() {
            let found = CHECKS.iter().flat_map(|check| {
                let findings = (check.verdict)(planned, answers).into_iter();
                findings.map(|finding| (check.name, finding))
            });
            return Ok(found.collect());
        }
        answers.ask(open, cloud, memory).await?;
    }
}

impl Preflight {
    /// # Errors
    /// What AWS would refuse, at its places in the file.
    pub fn passes(self) -> Result<()> {
        self.refused.map_or(Ok(()), |refused| Err(refused.refused()))
    }
}
