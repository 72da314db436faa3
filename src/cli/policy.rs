//! The rules that a command holds its plan to: the file's, those of its flags, and what these override.

use clap::Args;
use jiff::Timestamp;

use crate::desired::Desired;
use crate::error::Result;
use crate::plan::Plan;
use crate::policy::{Facts, Rules, Violation};
use crate::rehearsal::Rehearsal;
use crate::topology::{Placed, Policy, Span, Topology};

/// Flags on what a plan may do.
#[derive(Args)]
pub struct Policies {
    /// Refuse a plan that deletes more than this
    #[arg(long, value_name = "N")]
    max_deletions: Option<usize>,
    /// Refuse a plan that replaces more than this
    #[arg(long, value_name = "N")]
    max_replacements: Option<usize>,
    /// Refuse a plan that deletes or replaces a database
    #[arg(long)]
    protect_databases: bool,
    /// Go ahead though this soft-mandatory rule of the topology's [policy] is violated; may be repeated
    #[arg(long, value_name = "RULE")]
    override_policy: Vec<String>,
}

impl Policies {
    pub fn rules<'a>(&'a self, topology: &'a Topology) -> Result<Rules<'a>> {
        // A flag has no place in the file.
        let said = |number: usize| Placed::new(number, Span::default());
        let flags = Policy {
            protect_databases: self.protect_databases.then(|| Placed::new(true, Span::default())),
            max_replacements: self.max_replacements.map(said),
            max_deletions: self.max_deletions.map(said),
            ..Policy::default()
        };
        Rules::of(topology, flags, &self.override_policy)
    }
}

/// What the plan does against the rules at this moment.
pub fn judge(
    rules: &Rules<'_>,
    plan: &Plan,
    desired: &Desired,
    rehearsal: Option<&Rehearsal>,
) -> Result<Vec<Violation>> {
    rules.judge(&Facts { plan, desired, rehearsal, now: Timestamp::now() })
}
