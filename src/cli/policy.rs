//! The rules that a command holds its plan to: the file's, those of its flags, and what these override.

use clap::Args;

use super::rehearse::sound;
use super::{next, number};
use crate::error::Result;
use crate::policy::{self, Rules, Violation};
use crate::rehearsal::Rehearsal;
use crate::topology::{Placed, Policy, Span, Topology, WorkingHours};

/// That no port may be open to the world.
const NONE: &str = "none";

/// Flags on what a plan may do.
#[derive(Args)]
pub struct Policies {
    /// Refuse a plan that deletes more than this
    #[arg(long, value_name = "N", value_parser = number)]
    max_deletions: Option<usize>,
    /// Refuse a plan that replaces more than this
    #[arg(long, value_name = "N", value_parser = number)]
    max_replacements: Option<usize>,
    /// Refuse a plan that would fail, or leaves any service fewer healthy targets than this at any moment
    #[arg(long, value_name = "N", value_parser = number)]
    min_healthy: Option<usize>,
    /// Refuse a plan by which the topology costs more than this a month, in US dollars
    #[arg(long, value_name = "USD", value_parser = dollars)]
    max_monthly_cost: Option<usize>,
    /// Refuse a plan that deletes or replaces a database
    #[arg(long)]
    protect_databases: bool,
    /// Refuse a topology that opens another port than these to the world: 80,443, or none
    #[arg(long, value_name = "PORTS", value_parser = ports)]
    open_ports: Option<Ports>,
    /// Refuse to change anything at another time, like "mon-fri 09:00-17:00 Asia/Singapore"
    #[arg(long, value_name = "HOURS", value_parser = hours)]
    working_hours: Option<WorkingHours>,
    /// Go ahead though this soft-mandatory rule of the topology's [policy] is violated; may be repeated
    #[arg(long, value_name = "RULE")]
    override_policy: Vec<String>,
}

/// Ports, as one value.
#[derive(Clone)]
struct Ports(Vec<u16>);

impl Policies {
    /// What was overridden, as it was given: who carries out the plan has to say so again.
    pub fn overrides(&self) -> impl Iterator<Item = String> {
        next::each("--override-policy", &self.override_policy)
    }

    pub fn rules<'a>(&'a self, topology: &'a Topology) -> Result<Rules<'a>> {
        // A flag has no place in the file.
        let said = |number: usize| Placed::new(number, Span::default());
        let flags = Policy {
            protect_databases: self.protect_databases.then(|| Placed::new(true, Span::default())),
            open_ports: self
                .open_ports
                .as_ref()
                .map(|ports| Placed::new(ports.0.clone(), Span::default())),
            working_hours: self.working_hours.clone(),
            max_replacements: self.max_replacements.map(said),
            max_deletions: self.max_deletions.map(said),
            min_healthy: self.min_healthy.map(said),
            max_monthly_cost: self.max_monthly_cost.map(said),
            ..Policy::default()
        };
        Rules::of(topology, flags, &self.override_policy)
    }

    /// Refuses a plan for what it does against the rules; and one that would fail, where who serves meanwhile matters.
    ///
    /// # Errors
    /// [`ErrorKind::Policy`](crate::error::ErrorKind::Policy), or what the rehearsal met.
    pub fn refuse(&self, violations: &[Violation], rehearsal: Option<&Rehearsal>) -> Result<()> {
        policy::refuse(violations)?;
        match rehearsal {
            Some(rehearsal) if self.min_healthy.is_some() => sound(rehearsal),
            _ => Ok(()),
        }
    }
}

fn dollars(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "whole US dollars are wanted, such as 800".to_owned())
}

fn ports(text: &str) -> Result<Ports, String> {
    if text == NONE {
        return Ok(Ports(Vec::new()));
    }
    let all = text.split(',').map(|port| match port.trim().parse() {
        Ok(0) | Err(_) => Err(format!("`{port}` is not a port: give some like 80,443, or {NONE}")),
        Ok(port) => Ok(port),
    });
    all.collect::<Result<_, _>>().map(Ports)
}

fn hours(text: &str) -> Result<WorkingHours, String> {
    text.parse()
}
