//! What a plan makes of the monthly costs, for people and for machines.

use schemars::JsonSchema;
use serde::Serialize;

use super::style::{BOLD, paint};
use super::value::printable;
use crate::cost::{Costs, Estimate, List, Money};

/// Never in it, wherever it is shown: nobody knows it beforehand.
pub const BEYOND: &str = "Not in it: what depends on use (the load balancer's capacity units, traffic, backups beyond the \
                          databases' size, CPU credits), tax and discounts.";

/// So many names of what has no price are enough for a line.
const NAMED: usize = 5;

/// The costs and their change in one sentence; nothing where the plan leaves them as they are.
pub fn line(costs: &Costs, region: &str) -> String {
    match costs.change() {
        true => format!("{}\n", sentence(costs, region, &|text| paint(BOLD, text))),
        false => String::new(),
    }
}

/// `Costs about $612 a month, $38 more than now. An estimate; prices of 2026-10-04.`
pub fn sentence(costs: &Costs, region: &str, bold: &dyn Fn(&str) -> String) -> String {
    let unpriced = unpriced([&costs.then, &costs.now]);
    let Some(dates) = dates(costs) else {
        return format!(
            "{} there is no price here for {unpriced} in {region}; --price-file FILE gives some.",
            bold("Costs not estimated:"),
        );
    };
    let without = match unpriced.is_empty() {
        true => String::new(),
        false => format!(", without {unpriced}: of that there is no price (--price-file FILE)"),
    };
    format!(
        "{} {} a month, {}{without}. An estimate; prices of {dates}.",
        bold("Costs about"),
        bold(&costs.then.total().about()),
        change(costs.more()),
    )
}

/// `$38 more than now`.
pub fn change(more: Money) -> String {
    match more {
        more if more.is_zero() => "as now".to_owned(),
        more if more.is_negative() => format!("{} less than now", more.abs().about()),
        more => format!("{} more than now", more.about()),
    }
}

/// How old the prices are: `2026-10-04`, or `2021-08-03 to 2026-10-04`.
pub fn dates(costs: &Costs) -> Option<String> {
    let (oldest, newest) = costs.dates()?;
    Some(match oldest == newest {
        true => newest.to_string(),
        false => format!("{oldest} to {newest}"),
    })
}

/// The names of what has no price in any of these.
pub fn unpriced<'a>(estimates: impl IntoIterator<Item = &'a Estimate>) -> String {
    let mut names: Vec<String> = estimates
        .into_iter()
        .flat_map(Estimate::unpriced)
        .map(|(list, name, _)| label(list, name))
        .collect();
    names.sort_unstable();
    names.dedup();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let names = names.join(", ");
    if more == 0 { names } else { format!("{names} and {more} more") }
}

/// What a line is for: `db.t3.micro Multi-AZ`, `gp3 of RDS`.
pub fn label(list: List, name: &str) -> String {
    let name = printable(name);
    match list {
        List::Ec2Hour | List::RdsPostgresHour | List::ElasticacheRedisHour | List::EbsGbMonth => {
            name
        }
        List::RdsPostgresMultiAzHour => format!("{name} Multi-AZ"),
        List::RdsGbMonth => format!("{name} storage"),
        List::RdsMultiAzGbMonth => format!("{name} storage Multi-AZ"),
        List::LoadBalancerHour => "Application Load Balancer".to_owned(),
        List::PublicIpv4Hour => "addresses".to_owned(),
        List::SecretMonth => "secrets".to_owned(),
    }
}

/// `14 x t3.small`, `280 GB gp3 storage`, `16 addresses`.
pub fn so_much(list: List, name: &str, quantity: u64) -> String {
    match list {
        List::PublicIpv4Hour if quantity == 1 => "1 address".to_owned(),
        List::SecretMonth if quantity == 1 => "1 secret".to_owned(),
        List::PublicIpv4Hour | List::SecretMonth => format!("{quantity} {}", label(list, name)),
        _ if list.gigabytes() => format!("{quantity} GB {}", label(list, name)),
        _ => format!("{quantity} x {}", label(list, name)),
    }
}

/// The costs, for machines. They are no part of a plan: the same plan has the same bytes, whatever the prices are.
#[derive(Serialize, JsonSchema)]
pub struct Report {
    estimate: bool,
    currency: &'static str,
    /// From the oldest to the newest; nothing where there were none.
    prices_of: Option<[String; 2]>,
    monthly_now: Money,
    monthly_then: Money,
    more: Money,
    lines: Vec<ReportLine>,
    not_priced: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct ReportLine {
    service: &'static str,
    list: List,
    name: String,
    quantity_now: u64,
    quantity_then: u64,
    /// Nothing where there is no price.
    monthly_now: Option<Money>,
    monthly_then: Option<Money>,
}

impl Report {
    pub fn of(costs: &Costs) -> Self {
        let lines = costs.lines().map(|(list, name, now, then)| {
            // What is not there costs nothing, but what has no price has none.
            let monthly = |line: Option<crate::cost::Line>| {
                line.map_or(Some(Money::default()), |line| line.monthly)
            };
            ReportLine {
                service: list.service(),
                list,
                name: name.to_owned(),
                quantity_now: now.map_or(0, |line| line.quantity),
                quantity_then: then.map_or(0, |line| line.quantity),
                monthly_now: monthly(now),
                monthly_then: monthly(then),
            }
        });
        let lines: Vec<ReportLine> = lines.collect();
        let unpriced = lines.iter().filter(|l| l.monthly_now.is_none() || l.monthly_then.is_none());
        Self {
            estimate: true,
            currency: "USD",
            prices_of: costs.dates().map(|(old, new)| [old.to_string(), new.to_string()]),
            monthly_now: costs.now.total(),
            monthly_then: costs.then.total(),
            more: costs.more(),
            not_priced: unpriced.map(|line| label(line.list, &line.name)).collect(),
            lines,
        }
    }
}
