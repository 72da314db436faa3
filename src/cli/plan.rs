//! `ecdeploy plan`: what would change.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::checks::Checks;
use super::context::{Making, Wanted};
use super::policy::Policies;
use super::prices::PriceFile;
use super::rehearse::beside;
use super::{Global, SUCCESS};
use crate::cost::costs;
use crate::error::Result;
use crate::policy::Facts;
use crate::preflight::Purpose;
use crate::report::markdown::Review;
use crate::{graph, plan, report};

/// There are changes, and --detailed-exitcode asked to be told.
const CHANGES: u8 = 2;

/// Show what apply would change in the account
#[derive(Args)]
#[command(after_help = "\
Examples:
  See what would change:
    ecdeploy plan
  Save it, and carry out exactly that:
    ecdeploy plan --out shop.plan
    ecdeploy apply shop.plan
  Tell a script whether there is anything to do, and refuse what leaves a service without a healthy machine:
    ecdeploy plan --detailed-exitcode --min-healthy 1
  Look at one service alone:
    ecdeploy plan --only service.user")]
pub struct Plan {
    /// Save the plan, for `ecdeploy apply FILE`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Exit with 0 when there is nothing to change, 1 on an error, 2 when there are changes, 4 when the plan is against a policy
    #[arg(long)]
    detailed_exitcode: bool,
    #[command(flatten)]
    making: Making,
    #[command(flatten)]
    checks: Checks,
    #[command(flatten)]
    policies: Policies,
    #[command(flatten)]
    price_file: PriceFile,
    /// How to print the plan
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
    /// A comment for a pull request
    Markdown,
    /// A page, with all that belongs to it
    Html,
}

impl Plan {
    pub async fn run(&self, global: &Global) -> Result<u8> {
        let Wanted { topology, desired } = global.wanted()?;
        let rules = self.policies.rules(&topology)?;
        let prices = self.price_file.prices(&desired)?;
        let cloud = global.cloud(&desired).await?;
        let (snapshot, mut plan) = self.making.plan(global, cloud.as_ref(), &desired).await?;
        self.checks.keep(&mut plan);
        let look = Purpose::Look;
        self.checks.pass(global, cloud.as_ref(), &desired, &snapshot, &plan, look).await?;
        let rehearsal = beside(&plan, &desired, &snapshot, rules.need_rehearsal())?;
        let costs = costs(&plan, &desired, &snapshot, &prices);
        let facts = Facts {
            plan: &plan,
            desired: &desired,
            rehearsal: rehearsal.as_ref(),
            costs: &costs,
            now: Timestamp::now(),
        };
        let violations = rules.judge(&facts)?;
        let of = global.account_line(&desired);
        let review = Review {
            plan: &plan,
            rehearsal: rehearsal.as_ref(),
            costs: &costs,
            violations: &violations,
            of: &of,
        };
        match self.format {
            Format::Json => {
                report::print_json(&report::json::planned(&plan, &costs, &violations))?;
                rehearsal
                    .iter()
                    .for_each(|one| report::say(report::rehearsal::failures(one).trim_end()));
            }
            Format::Markdown => {
                report::print(&report::markdown::text(&review, report::markdown::LIMIT))?;
            }
            Format::Html => {
                let picture = graph::of_plan(&plan, &desired, Some(&snapshot));
                let picture = report::graph::figure(&picture);
                report::print(&report::page::text(&review, Some(&picture))?)?;
            }
            Format::Human => {
                let mut text = report::plan::text(&plan, &of);
                text.push_str(&report::rehearsal::outlook(rehearsal.as_ref(), &plan));
                text.push_str(&report::cost::line(&costs, &desired.region));
                let mut text = report::folded(&text);
                text.push_str(&report::policy::text(
                    &violations,
                    &topology,
                    true,
                    report::columns(),
                ));
                report::print(&text)?;
            }
        }
        self.policies.refuse(&violations, rehearsal.as_ref())?;
        if let Some(out) = &self.out {
            plan::save(&plan, out)?;
        }
        if self.format == Format::Human && (self.out.is_some() || !plan.is_empty()) {
            report::say(&self.next(global));
        }
        Ok(if self.detailed_exitcode && !plan.is_empty() { CHANGES } else { SUCCESS })
    }

    /// How to carry the plan out.
    fn next(&self, global: &Global) -> String {
        let overrides = self.policies.overrides();
        if let Some(out) = &self.out {
            let command = global.next_on("apply", out, overrides);
            return format!("Saved to {}. To carry out exactly this: {command}", out.display());
        }
        match self.making.next(global, self.checks.flags().chain(overrides)) {
            Some(command) => {
                format!("To carry it out: {command} (or save it first with --out FILE)")
            }
            None => "To carry it out: save it with --out FILE, and apply that".to_owned(),
        }
    }
}
