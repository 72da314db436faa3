//! The checks that a plan has to pass, and the flag that lets it pass one that is wrong.

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::{Global, next};
use crate::cloud::Cloud;
use crate::desired::Desired;
use crate::error::Result;
use crate::plan::Plan;
use crate::preflight::{self, Memory, Purpose};
use crate::report;
use crate::snapshot::Snapshot;

#[derive(Args)]
pub struct Checks {
    /// Let what this check refuses pass, with a warning; may be repeated
    #[arg(long, value_name = "CHECK", value_parser = PossibleValuesParser::new(preflight::names()))]
    ignore_check: Vec<String>,
}

impl Checks {
    /// As they were given.
    pub fn flags(&self) -> impl Iterator<Item = String> {
        next::each("--ignore-check", &self.ignore_check)
    }

    /// Has a plan that is saved let pass what is ignored now.
    pub fn keep(&self, plan: &mut Plan) {
        plan.origin.ignored_checks.clone_from(&self.ignore_check);
    }

    /// Holds a plan against what AWS offers, gives and allows; says what is doubtful, and what could not be checked.
    ///
    /// # Errors
    /// What AWS would refuse.
    pub async fn pass(
        &self,
        global: &Global,
        cloud: &dyn Cloud,
        desired: &Desired,
        snapshot: &Snapshot,
        plan: &Plan,
        purpose: Purpose,
    ) -> Result<()> {
        let memory = match global.sandbox {
            true => Memory::none(),
            false => Memory::of(&desired.account, &desired.region),
        };
        let ignored = [&self.ignore_check[..], &plan.origin.ignored_checks].concat();
        let checked =
            preflight::check(plan, desired, snapshot, purpose, &ignored, cloud, &memory).await?;
        let said = report::preflight::text(&checked);
        if !said.is_empty() {
            report::say(said.trim_end());
        }
        checked.passes()
    }
}
