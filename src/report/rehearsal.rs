//! How a plan would go, for people: the timeline, and the two lines that a plan shows of it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use super::style::{BOLD, CHANGE, CREATE, DELETE, DIM, paint};
use super::value::{padded, printable};
use super::{count, duration};
use crate::kinds::{instance, target_group};
use crate::plan::{Plan, Verb};
use crate::rehearsal::{Healthy, Rehearsal, Timed};

/// The width of the bars, at most and at least.
const BARS: (usize, usize) = (32, 8);
/// What stands in a row beside its label and its bar.
const ROOM: usize = 13;
/// Steps that take no longer, in seconds, are counted, not shown.
const BRIEF: f64 = 5.0;

/// The whole timeline, in rows no wider than `columns` where that can be. `of` says which account it is for.
pub fn text(rehearsal: &Rehearsal, of: &str, columns: usize) -> String {
    let mut text = format!("{}\n\n", paint(BOLD, &printable(of)));
    if rehearsal.timeline.is_empty() {
        text.push_str("No changes. There is nothing to rehearse.\n");
        return text;
    }
    let mut groups: BTreeMap<&str, Vec<&Timed>> = BTreeMap::new();
    for step in &rehearsal.timeline {
        groups.entry(service(step)).or_default().push(step);
    }
    let shown = rehearsal.timeline.iter().filter(|step| length(step) > BRIEF);
    let width = shown.map(|step| label(step).chars().count()).max().unwrap_or(0);
    let width = width.min(columns.saturating_sub(ROOM + BARS.1));
    let bars = columns.saturating_sub(ROOM + width).clamp(BARS.1, BARS.0);
    for (name, steps) in groups {
        let title = if name.is_empty() { "what services share" } else { name };
        let _ = writeln!(text, "{}", paint(BOLD, title));
        let shown: Vec<&&Timed> = steps.iter().filter(|step| length(step) > BRIEF).collect();
        for step in &shown {
            let _ = writeln!(
                text,
                "  {}  {}  {:>7}",
                padded(&fitted(&label(step), width), width),
                bar(step, rehearsal.seconds, bars),
                time(length(step)),
            );
        }
        let brief = steps.len() - shown.len();
        if brief > 0 {
            let _ =
                writeln!(text, "  {}", paint(DIM, &format!("and {}", count(brief, "brief step"))));
        }
        text.push('\n');
    }
    text.push_str(&lines(rehearsal));
    text
}

/// What would fail.
pub fn failures(rehearsal: &Rehearsal) -> String {
    let mut text = String::new();
    for failure in &rehearsal.failures {
        let _ = writeln!(text, "{} {}", paint(DELETE, "Would fail:"), printable(failure));
    }
    text
}

/// What a plan shows of its rehearsal, or that it had none.
pub fn outlook(rehearsal: Option<&Rehearsal>, plan: &Plan) -> String {
    match rehearsal {
        Some(rehearsal) => lines(rehearsal),
        None if plan.is_empty() => String::new(),
        None => format!("Not rehearsed, {}.\n", why_not(plan, &str::to_owned)),
    }
}

/// Why a plan has no rehearsal, and how to get one; `code` is how a command is written.
pub fn why_not(plan: &Plan, code: &dyn Fn(&str) -> String) -> String {
    format!(
        "for its {}: {} tells how long it takes, and who serves meanwhile",
        count(plan.steps.len(), "step"),
        code("ecdeploy rehearse")
    )
}

/// What would fail, how long it takes, what decides that, and how many serve throughout.
pub fn lines(rehearsal: &Rehearsal) -> String {
    let mut text = failures(rehearsal);
    let _ = writeln!(text, "{} {}", paint(BOLD, "Takes about"), takes(rehearsal));
    if rehearsal.services.is_empty() {
        return text;
    }
    let parts: Vec<String> = fewest(rehearsal)
        .into_iter()
        .map(|Fewest { healthy, now, whom, .. }| {
            let style = match healthy {
                0 => DELETE,
                _ if healthy < now => CHANGE,
                _ => CREATE,
            };
            format!("{} in {whom}", paint(style, &format!("{healthy} of {now}")))
        })
        .collect();
    let _ = writeln!(text, "{} {}", paint(BOLD, "Fewest healthy at any moment:"), parts.join("; "));
    text
}

/// How long it takes, and what decides that.
pub fn takes(rehearsal: &Rehearsal) -> String {
    let mut text = time(rehearsal.seconds);
    let decisive = rehearsal.decisive.and_then(|step| rehearsal.timeline.get(step));
    if let Some(step) = decisive.filter(|step| length(step) > BRIEF) {
        let _ = write!(
            text,
            "; longest of what the rest waits for: {} ({})",
            label(step),
            time(length(step))
        );
    }
    text
}

/// How many serve in these services at any moment, of how many now.
pub struct Fewest {
    pub healthy: usize,
    pub now: usize,
    pub whom: String,
    /// Whether that is names.
    pub named: bool,
}

/// The fewest healthy, of services that are alike together; the worst first.
pub fn fewest(rehearsal: &Rehearsal) -> Vec<Fewest> {
    let mut alike: BTreeMap<(usize, usize), Vec<&str>> = BTreeMap::new();
    for (name, Healthy { now, fewest }) in &rehearsal.services {
        alike.entry((*fewest, *now)).or_default().push(name);
    }
    let all = alike.len();
    alike
        .into_iter()
        .map(|((healthy, now), names)| {
            let named = all > 1 || names.len() == 1;
            let whom = match named {
                true => names.join(", "),
                false => format!("each of {}", count(names.len(), "service")),
            };
            Fewest { healthy, now, whom, named }
        })
        .collect()
}

/// The service that a step is of; nothing where several share it.
fn service(step: &Timed) -> &str {
    let address = &step.address;
    match instance::service(address) {
        Some(service) => service,
        None if address.kind() == target_group::SCHEMA.kind => address.name(),
        None => "",
    }
}

fn label(step: &Timed) -> String {
    let verb = match step.verb {
        Verb::Detach => "drain",
        Verb::Create => "create",
        Verb::Prepare => "prepare",
        Verb::Update => "change",
        Verb::Attach => "register",
        Verb::Serve => "get healthy",
        Verb::Revoke => "revoke",
        Verb::Delete => "delete",
    };
    format!("{} {verb}", step.address)
}

fn length(step: &Timed) -> f64 {
    step.ends - step.begins
}

pub fn time(seconds: f64) -> String {
    duration(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// When in the whole it is carried out.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "columns of a terminal"
)]
fn bar(step: &Timed, whole: f64, width: usize) -> String {
    let column = |at: f64| ((at / whole.max(1.0)) * width as f64).clamp(0.0, width as f64) as usize;
    let begin = column(step.begins).min(width - 1);
    let end = column(step.ends).max(begin + 1);
    format!("{}{}{}", " ".repeat(begin), "━".repeat(end - begin), " ".repeat(width - end))
}

/// A label that is too long loses its middle: its end says what is done.
fn fitted(label: &str, width: usize) -> String {
    let all: Vec<char> = label.chars().collect();
    if all.len() <= width || width < 3 {
        return label.to_owned();
    }
    let (front, back) = ((width - 1) / 2, width / 2);
    all[..front].iter().chain(&['…']).chain(&all[all.len() - back..]).collect()
}
