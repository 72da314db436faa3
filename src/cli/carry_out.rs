//! What apply and destroy do once there is a plan: show it, ask, carry it out, say how it ended.

use std::io::{BufRead, IsTerminal, Write};

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::checks::Checks;
use super::context::Wanted;
use super::hold::{self, Hold};
use super::policy::Policies;
use super::prices::PriceFile;
use super::rehearse::beside;
use super::{Global, SUCCESS, within};
use crate::cloud::Cloud;
use crate::cost::{Prices, costs};
use crate::desired::Desired;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Plan;
use crate::policy::{Facts, Rules};
use crate::reconcile::{self, Halt, Observer};
use crate::rehearsal::Rehearsal;
use crate::report::{self, json::JsonLines, progress::Progress};
use crate::snapshot::Snapshot;

#[derive(Args)]
pub struct CarryOut {
    /// Don't ask
    #[arg(short = 'y', long)]
    auto_approve: bool,
    #[command(flatten)]
    pub checks: Checks,
    #[command(flatten)]
    policies: Policies,
    /// How many calls may be under way at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = within(1..=256))]
    parallelism: u16,
    /// How to tell what happens; json gives one event a line
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(flatten)]
    price_file: PriceFile,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

/// What a plan is held to and priced by.
pub struct Terms<'a> {
    wanted: &'a Wanted,
    rules: Rules<'a>,
    prices: Prices,
}

impl CarryOut {
    /// What there is to be known of it before the account is asked anything.
    pub fn terms<'a>(&'a self, wanted: &'a Wanted) -> Result<Terms<'a>> {
        let rules = self.policies.rules(&wanted.topology)?;
        let prices = self.price_file.prices(&wanted.desired)?;
        Ok(Terms { wanted, rules, prices })
    }

    /// Carries out a plan that was made just now, and has not been seen by anybody.
    pub async fn planned(
        &self,
        global: &Global,
        terms: &Terms<'_>,
        cloud: &dyn Cloud,
        hold: &Hold,
        snapshot: Snapshot,
        plan: &Plan,
    ) -> Result<u8> {
        let rehearsal = self.show(global, terms, &snapshot, plan)?;
        let snapshot = match plan.is_empty() {
            true => snapshot,
            false => self.agreed(global, &terms.wanted.desired, cloud, snapshot, plan).await?,
        };
        self.run(global, cloud, hold, &snapshot, plan, rehearsal.as_ref()).await
    }

    /// Carries out a plan that was saved, to be looked at, before.
    pub async fn reviewed(
        &self,
        global: &Global,
        terms: &Terms<'_>,
        cloud: &dyn Cloud,
        hold: &Hold,
        snapshot: &Snapshot,
        plan: &Plan,
    ) -> Result<u8> {
        let rehearsal = self.show(global, terms, snapshot, plan)?;
        self.run(global, cloud, hold, snapshot, plan, rehearsal.as_ref()).await
    }

    /// Whether people read along.
    pub fn is_human(&self) -> bool {
        self.format == Format::Human
    }

    /// Shows people the plan, and how it would go, where that is known; refuses it where it is against the policy.
    pub fn show(
        &self,
        global: &Global,
        terms: &Terms<'_>,
        snapshot: &Snapshot,
        plan: &Plan,
    ) -> Result<Option<Rehearsal>> {
        let Terms { wanted: Wanted { topology, desired }, rules, prices } = terms;
        let needed = rules.need_rehearsal();
        let rehearsal = match self.is_human() || needed {
            true => beside(plan, desired, snapshot, needed)?,
            false => None,
        };
        let costs = costs(plan, desired, snapshot, prices);
        let violations = rules.judge(&Facts {
            plan,
            desired,
            rehearsal: rehearsal.as_ref(),
            costs: &costs,
            now: Timestamp::now(),
        })?;
        match self.format {
            Format::Human => {
                let mut text = report::plan::text(plan, &global.account_line(desired));
                text.push_str(&report::rehearsal::outlook(rehearsal.as_ref(), plan));
                text.push_str(&report::cost::line(&costs, &desired.region));
                let mut text = report::folded(&text);
                text.push_str(&report::policy::text(
                    &violations,
                    topology,
                    true,
                    report::columns(),
                ));
                report::print(&text)?;
            }
            Format::Json => {
                report::json::begin(plan, &violations);
                let failures = rehearsal.as_ref().map(report::rehearsal::failures);
                if let Some(failures) = failures.filter(|failures| !failures.is_empty()) {
                    report::say(failures.trim_end());
                }
            }
        }
        self.policies.refuse(&violations, rehearsal.as_ref())?;
        Ok(rehearsal)
    }

    /// Asks whether to go ahead, where that was not said before; and gives the account as it is then.
    pub async fn agreed(
        &self,
        global: &Global,
        desired: &Desired,
        cloud: &dyn Cloud,
        snapshot: Snapshot,
        plan: &Plan,
    ) -> Result<Snapshot> {
        if self.auto_approve {
            return Ok(snapshot);
        }
        ask(match plan.summary.delete + plan.summary.replace {
            0 => "Make these changes?",
            _ => "Make these changes, deletions included?",
        })
        .await?;
        // The account may have moved while the plan was looked at.
        let snapshot = global.snapshot(cloud, desired, plan.goal).await?;
        plan.check_fresh(desired, &snapshot)?;
        Ok(snapshot)
    }

    pub async fn run(
        &self,
        global: &Global,
        cloud: &dyn Cloud,
        hold: &Hold,
        snapshot: &Snapshot,
        plan: &Plan,
        rehearsal: Option<&Rehearsal>,
    ) -> Result<u8> {
        let parallelism = usize::from(self.parallelism);
        let carried = async |watched: &dyn Observer| {
            hold.carry_out(watched, async |stop| {
                reconcile::run(plan, snapshot, cloud, parallelism, stop, watched).await
            })
            .await
        };
        let outcome = match self.format {
            Format::Human => {
                let progress = Progress::new(plan, rehearsal, global.speed());
                progress.during(carried(&progress)).await
            }
            Format::Json => carried(&JsonLines).await,
        };
        match self.format {
            Format::Human => {
                report::print(&report::folded(&report::outcome::text(plan, &outcome)))?
            }
            Format::Json => report::json::end(plan, &outcome)?,
        }
        match outcome.interrupted {
            _ if outcome.is_complete() => Ok(SUCCESS),
            Some(Halt::Signal(signal)) => Err(hold::interrupted(signal)),
            Some(Halt::LockLost) => Err(Error::new(ErrorKind::Locked, "the lock was lost")),
            Some(Halt::Credentials) => Err(Error::new(
                ErrorKind::Access,
                "AWS took the credentials no more, so nothing new was begun",
            )
            .hint("log in again (`aws sso login`), and run the same command again: it goes on from here")),
            None => Err(Error::new(ErrorKind::Incomplete, "not everything could be done")
                .hint("mend what the steps above say, and run the same command again: it goes on from here")),
        }
    }
}

/// Asks on the terminal; anything but `yes` is no.
pub async fn ask(question: &str) -> Result<()> {
    if !std::io::stdin().is_terminal() {
        return Err(Error::new(
            ErrorKind::Refused,
            "there is no terminal to ask on, so nothing was changed",
        )
        .hint("pass -y to go ahead without a question"));
    }
    eprint!("{question} Only `yes` is a yes: ");
    let _ = std::io::stderr().flush();
    // Aside: meanwhile the lock is renewed, and signals are heard.
    let read = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).map(|_| answer)
    });
    if matches!(read.await, Ok(Ok(answer)) if answer.trim() == "yes") {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, "nothing was changed"))
}
