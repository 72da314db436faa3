//! A plan as a page of its own: what it comes to, the system as it would be, and every change.

use askama::Template;

use super::markdown::Review;
use super::plan::{Group, Mark, Reviewed, Row, Told, Tone, What, groups, remarks};
use super::{cost, pending, printable, rehearsal, rounds};
use crate::cost::{Line, Money};
use crate::diff::Action;
use crate::error::{Error, ErrorKind, Result};
use crate::policy::Violation;

/// Everything that comes from elsewhere is escaped where the template puts it.
#[derive(Template)]
#[template(path = "plan.html")]
struct Page<'a> {
    of: &'a str,
    part: Option<String>,
    /// What is said where nothing changes.
    nothing: Option<&'static str>,
    /// How many are created, changed, replaced and deleted, and by drift.
    counts: Vec<(usize, &'static str)>,
    takes: Option<String>,
    not_rehearsed: Option<String>,
    fewest: Vec<(&'static str, String, String)>,
    cost: String,
    against: Vec<&'a Violation>,
    warned: Vec<&'a Violation>,
    failures: &'a [String],
    remarks: Vec<(String, &'static str)>,
    snapshots: Vec<(String, String, bool)>,
    pending: Vec<(String, String)>,
    rolls: Vec<String>,
    /// The system's picture, as markup.
    picture: Option<&'a str>,
    groups: Vec<Group<'a>>,
    costs: Vec<CostRow>,
    beyond: &'static str,
    version: &'static str,
}

struct CostRow {
    service: &'static str,
    what: String,
    now: String,
    then: String,
    moved: bool,
}

/// The page. `picture` is the system's, as markup that may stand in a page.
///
/// # Errors
/// When the page can't be written.
pub fn text(review: &Review<'_>, picture: Option<&str>) -> Result<String> {
    let Review { plan, rehearsal, costs, violations, of } = review;
    let (against, warned) = violations.iter().partition(|one| one.refuses());
    let summary = plan.summary;
    let counts = [
        (summary.create, "create"),
        (summary.update, "change"),
        (summary.replace, "replace"),
        (summary.delete, "delete"),
        (summary.drift, "drift"),
    ];
    let fewest = rehearsal.map(rehearsal::fewest).unwrap_or_default();
    let fewest = fewest.into_iter().map(|some| {
        let class = match some.healthy {
            0 => "delete",
            healthy if healthy < some.now => "change",
            _ => "create",
        };
        (class, format!("{} of {}", some.healthy, some.now), some.whom)
    });
    let remarks = remarks::remarks(plan).into_iter();
    let waiting = plan.pending.iter();
    let page = Page {
        of,
        part: remarks::part(plan),
        nothing: plan.is_empty().then(|| remarks::nothing(plan)),
        counts: counts.into_iter().filter(|(number, _)| *number > 0).collect(),
        takes: rehearsal.map(rehearsal::takes),
        not_rehearsed: (rehearsal.is_none() && !plan.is_empty())
            .then(|| rehearsal::why_not(plan, &str::to_owned)),
        fewest: fewest.collect(),
        cost: cost::sentence(costs, &plan.region, &str::to_owned),
        against,
        warned,
        failures: rehearsal.map(|rehearsal| &rehearsal.failures[..]).unwrap_or_default(),
        remarks: remarks.map(|one| (format!("{} {}", one.subject, one.says), one.lost)).collect(),
        snapshots: remarks::snapshots(plan),
        pending: waiting.map(|one| (one.address.to_string(), pending::says(one))).collect(),
        rolls: rounds::lines(plan),
        picture,
        groups: groups(plan),
        costs: costs.lines().map(cost_row).collect(),
        beyond: cost::BEYOND,
        version: env!("CARGO_PKG_VERSION"),
    };
    page.render()
        .map_err(|error| Error::new(ErrorKind::File, "the page can't be written").source(error))
}

fn cost_row(
    (list, name, now, then): (crate::cost::List, &str, Option<Line>, Option<Line>),
) -> CostRow {
    let amount = |line: Option<Line>| match line.map(|line| line.monthly) {
        None => Money::default().exact(),
        Some(None) => "no price".to_owned(),
        Some(Some(money)) => money.exact(),
    };
    let quantity = then.map_or(0, |line| line.quantity);
    CostRow {
        service: list.service(),
        what: cost::so_much(list, name, quantity),
        now: amount(now),
        then: amount(then),
        moved: now != then,
    }
}

/// What a violation is, where its rule stands, and the block to blame.
fn violation(one: &Violation) -> String {
    let address = one.address.as_ref().map(|address| format!("{address}: ")).unwrap_or_default();
    let places = one.places().collect::<Vec<_>>().join(", ");
    let places = if places.is_empty() { places } else { format!(" ({places})") };
    printable(&format!("{}: {address}{}{places}", one.rule, one.message))
}

fn action(told: &Told<'_>) -> &'static str {
    match told.action {
        Action::Create => "create",
        Action::Update => "change",
        Action::Replace => "replace",
        Action::Delete => "delete",
    }
}

fn tone(tone: &Tone) -> &'static str {
    match tone {
        Tone::Aside => "aside",
        Tone::Create => "create",
        Tone::Change => "change",
        Tone::Delete => "delete",
        Tone::Drift => "drift",
    }
}

fn mark(mark: &Mark) -> &'static str {
    match mark {
        Mark::Goes => "delete",
        Mark::Comes => "create",
        Mark::Stays => "aside",
    }
}

fn shown(text: &str) -> String {
    printable(text)
}

/// What nobody knows yet is no news to a reviewer.
fn known<'a>(change: &'a Reviewed<'_>) -> Vec<&'a Row> {
    change.told.rows.iter().filter(|row| !matches!(row.what, What::Later)).collect()
}
