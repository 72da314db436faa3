//! The rules that a command holds its plan to: the file's, those of its flags, and what these override.

use clap::Args;

use crate::error::Result;
use crate::policy::Rules;
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
    /// Refuse a plan by which the topology costs more than this a month, in US dollars
    #[arg(long, value_name = "USD")]
    max_monthly_cost: Option<usize>,
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
            max_monthly_cost: self.max_monthly_cost.map(said),
            ..Policy::default()
        };
        Rules::of(topology, flags, &self.override_policy)
    }
}
