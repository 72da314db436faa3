//! A plan as a comment on a pull request: what it comes to in a line, then the changes, folded, the dangerous ones first.

mod escape;
mod fit;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Write;

use self::escape::{fence, html, span};
use self::fit::{Block, fit};
use super::plan::{Group, Mark, Reviewed, Row, Told, Tone, What, groups, remarks};
use super::value::{blanks, padded};
use super::{cost, count, pending, rehearsal, rounds};
use crate::cost::{Costs, Line, List, Money};
use crate::diff::Action;
use crate::plan::Plan;
use crate::policy::Violation;
use crate::rehearsal::Rehearsal;

/// What a comment on GitHub may have at most.
pub const LIMIT: usize = 65_536;
/// So many of one sort are named before the folded part.
const NAMED: usize = 15;
/// So long is one of them at most.
const LONGEST: usize = 300;
const WARNING: &str = "⚠️";

/// What a reviewer is told of.
pub struct Review<'a> {
    pub plan: &'a Plan,
    pub rehearsal: Option<&'a Rehearsal>,
    pub costs: &'a Costs,
    pub violations: &'a [Violation],
    /// Which account it is for.
    pub of: &'a str,
}

/// The comment, in at most `limit` bytes.
pub fn text(review: &Review<'_>, limit: usize) -> String {
    let Review { plan, .. } = review;
    let head = head(review);
    let groups = groups(plan);
    let blocks: Vec<Vec<Block>> = groups.iter().map(|group| blocks(group)).collect();
    let frames: Vec<(String, String)> =
        groups.iter().zip(&blocks).map(|(group, blocks)| frame(group, blocks)).collect();
    let sizes: Vec<usize> = frames.iter().map(|(begin, end)| begin.len() + end.len()).collect();
    let costs = costs(review);
    let room = limit.saturating_sub(head.len() + costs.len() + left_out(plan.changes.len()).len());
    let kept = fit(&blocks, &sizes, room);
    let mut text = head;
    for ((blocks, kept), (begin, end)) in blocks.iter().zip(&kept).zip(&frames) {
        if kept.contains(&true) {
            text.push_str(begin);
            let kept = blocks.iter().zip(kept).filter(|(_, kept)| **kept);
            kept.for_each(|(block, _)| text.push_str(&block.text));
            text.push_str(end);
        }
    }
    let lost = kept.iter().flatten().filter(|kept| !**kept).count();
    if lost > 0 {
        text.push_str(&left_out(lost));
    }
    text.push_str(&costs);
    text
}

/// What a job finds its own comment by.
pub fn marker(plan: &Plan) -> String {
    let Plan { topology, account, region, .. } = plan;
    let safe = |text: &str| -> String {
        text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
    };
    let (topology, account, region) = (safe(topology), safe(account), safe(region));
    format!("<!-- ecdeploy plan: {topology} {account} {region} -->")
}

fn left_out(number: usize) -> String {
    format!(
        "**{} left out here**, for a comment has no room for more. `ecdeploy plan` shows all.\n\n",
        if number == 1 { "1 change is".to_owned() } else { format!("{number} changes are") }
    )
}

fn head(review: &Review<'_>) -> String {
    let Review { plan, rehearsal, violations, of, .. } = review;
    let mut text = format!("{}\n### Plan for {}\n\n", marker(plan), span(of));
    if let Some(part) = remarks::part(plan) {
        let _ = writeln!(text, "**Partial plan:** {}\n", span(&short(&part)));
    }
    let _ = writeln!(text, "{}\n", verdict(review));
    let (against, warned): (Vec<_>, Vec<_>) =
        in_turns(violations).into_iter().partition(|one| one.refuses());
    list(&mut text, &format!("{WARNING} **It is against the policy:**"), &against, violation);
    list(&mut text, "**The policy warns:**", &warned, violation);
    let failures = rehearsal.map(|rehearsal| &rehearsal.failures[..]).unwrap_or_default();
    list(&mut text, &format!("{WARNING} **It would fail:**"), failures, |one| span(&short(one)));
    let groups = groups(plan);
    let all = groups.iter().flat_map(|group| &group.changes);
    let mut dangerous: Vec<&Reviewed<'_>> = all.filter(|one| !one.dangers.is_empty()).collect();
    dangerous.sort_by_key(|change| change.rank());
    list(&mut text, &format!("{WARNING} **Look twice at:**"), &dangerous, |change| {
        format!("{} {}", span(&short(&change.told.address.to_string())), change.warning())
    });
    let remarks = remarks::remarks(plan);
    list(&mut text, &format!("{WARNING} **What comes of it:**"), &remarks, |remark| {
        format!("{} {}", span(&short(&format!("{} {}", remark.subject, remark.says))), remark.lost)
    });
    list(&mut text, "**Final snapshots that are kept:**", &remarks::snapshots(plan), |kept| {
        let (address, snapshot, begins_empty) = kept;
        let empty = if *begins_empty { "; the new database begins empty" } else { "" };
        format!("{} of {}{empty}", span(&short(snapshot)), span(&short(address)))
    });
    list(&mut text, "**Waiting in AWS:**", &plan.pending, |waiting| {
        span(&short(&format!("{} {}", waiting.address, pending::says(waiting))))
    });
    list(&mut text, "**Rolls**", &rounds::lines(plan), |line| span(&short(line)));
    text
}

/// The first of each rule before the second of any: however many there are of one, no rule goes unsaid.
fn in_turns(violations: &[Violation]) -> Vec<&Violation> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut turns: Vec<(usize, &Violation)> = violations
        .iter()
        .map(|one| {
            let turn = seen.entry(&one.rule).or_default();
            *turn += 1;
            (*turn, one)
        })
        .collect();
    turns.sort_by_key(|(turn, _)| *turn);
    turns.into_iter().map(|(_, one)| one).collect()
}

/// What the plan does against a rule, where that stands, and the block to blame.
fn violation(violation: &&Violation) -> String {
    let Violation { rule, address, message, overridden, .. } = violation;
    let address = address.as_ref().map(|address| span(&short(&address.to_string())));
    let places: Vec<String> = violation.places().map(|place| span(&place)).collect();
    let places =
        if places.is_empty() { String::new() } else { format!(" ({})", places.join(", ")) };
    format!(
        "{}{} {}{}{}",
        span(rule),
        address.map(|address| format!(" {address}")).unwrap_or_default(),
        span(&short(message)),
        places,
        if *overridden { ", overridden" } else { "" }
    )
}

/// The line that says it all.
fn verdict(review: &Review<'_>) -> String {
    let Review { plan, rehearsal, costs, .. } = review;
    if plan.is_empty() {
        return format!("**{}**{}", remarks::nothing(plan), monthly(costs));
    }
    let counts = Group::counts_of(plan.changes.iter().map(|change| change.action));
    let mut text = format!("**{counts}**");
    if plan.summary.drift > 0 {
        let _ = write!(text, ", {} because of **drift**", plan.summary.drift);
    }
    if let Some(rehearsal) = rehearsal {
        let _ = write!(text, " · takes about {}", rehearsal::time(rehearsal.seconds));
        let fewest = rehearsal::fewest(rehearsal);
        let parts: Vec<String> = fewest
            .iter()
            .map(|some| {
                let warning = if some.healthy == 0 { format!("{WARNING} ") } else { String::new() };
                let whom = short(&some.whom);
                let whom = if some.named { span(&whom) } else { whom };
                format!("{warning}{} of {} in {whom}", some.healthy, some.now)
            })
            .collect();
        if !parts.is_empty() {
            let _ = write!(text, " · fewest healthy {}", some_of(&parts).join(", "));
        }
    } else {
        let _ = write!(text, " · not rehearsed, {}", rehearsal::why_not(plan, &|one| span(one)));
    }
    text + &monthly(costs)
}

fn monthly(costs: &Costs) -> String {
    match costs.dates() {
        Some(_) => format!(
            " · about {} a month, {}{}",
            costs.then.total().about(),
            cost::change(costs.more()),
            if cost::unpriced([&costs.then, &costs.now]).is_empty() {
                ""
            } else {
                " (not all has a price)"
            },
        ),
        None if costs.then.lines().next().is_none() => String::new(),
        None => " · costs not estimated".to_owned(),
    }
}

/// A heading and what it is the heading of, where there is any.
fn list<T>(text: &mut String, heading: &str, all: &[T], line: impl Fn(&T) -> String) {
    if all.is_empty() {
        return;
    }
    let _ = writeln!(text, "{heading}\n");
    for one in all.iter().take(NAMED) {
        let _ = writeln!(text, "- {}", line(one));
    }
    if all.len() > NAMED {
        let _ = writeln!(text, "- and {} more", all.len() - NAMED);
    }
    text.push('\n');
}

fn some_of(all: &[String]) -> Vec<String> {
    let more = all.len().saturating_sub(NAMED);
    let more = (more > 0).then(|| format!("and {more} more"));
    all.iter().take(NAMED).cloned().chain(more).collect()
}

/// A text that is not longer than is good before the folded part.
fn short(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

/// What stands around the blocks of a group.
fn frame(group: &Group<'_>, blocks: &[Block]) -> (String, String) {
    let warning = if group.dangerous() { format!("{WARNING} ") } else { String::new() };
    let key = match &*group.key {
        "" => String::new(),
        key => format!(" <code>{}</code>", html(&short(key))),
    };
    let fence = fence(blocks.iter().map(|block| &*block.text));
    let (what, counts) = (group.what, group.counts());
    let begin = format!(
        "<details><summary>{warning}<b>{what}{key}</b>: {counts}</summary>\n\n{fence}diff\n"
    );
    (begin, format!("{fence}\n\n</details>\n\n"))
}

/// Each change as lines of a diff, which are coloured by their first sign.
fn blocks(group: &Group<'_>) -> Vec<Block> {
    let block = |change: &Reviewed<'_>| Block { text: change_lines(change), rank: change.rank() };
    group.changes.iter().map(block).collect()
}

fn change_lines(change: &Reviewed<'_>) -> String {
    let Told { address, action, remark, id, rows, width, .. } = &change.told;
    let sign = match action {
        Action::Create => "+",
        Action::Update => "!",
        Action::Replace => "-/+",
        Action::Delete => "-",
    };
    let id = id.as_ref().map(|id| format!("  {id}")).unwrap_or_default();
    let warning = match change.dangers.is_empty() {
        true => String::new(),
        false => format!("  {WARNING} {}", change.warning()),
    };
    let mut text = format!("{sign} {address}{id}  {remark}{warning}\n");
    // What nobody knows yet is no news to a reviewer.
    let known = rows.iter().filter(|row| !matches!(row.what, What::Later));
    known.for_each(|row| row_lines(&mut text, row, *width));
    text
}

fn row_lines(text: &mut String, row: &Row, width: usize) {
    let Row { name, what, notes } = row;
    let loud = notes.iter().any(|note| matches!(note.tone, Tone::Delete | Tone::Drift));
    let sign = if loud { "!" } else { " " };
    let said: Vec<&str> = notes.iter().map(|note| &*note.text).collect();
    let notes = if said.is_empty() { String::new() } else { format!("  ({})", said.join("; ")) };
    let name = match what {
        What::Items(_) => name.clone(),
        _ => padded(name, width) + "  ",
    };
    let value = match what {
        What::Items(_) => String::new(),
        What::Is(value) => value.clone(),
        What::Later => "(known after apply)".to_owned(),
        What::Moves { before, after } => format!("{before} -> {after}"),
    };
    let _ = writeln!(text, "{sign}     {name}{value}{notes}");
    let What::Items(items) = what else { return };
    for (mark, item) in items {
        let sign = if *mark == Mark::Stays { " " } else { mark.sign() };
        let _ = writeln!(text, "{sign}       {item}");
    }
}

/// What is paid for, folded; nothing where nothing is.
fn costs(review: &Review<'_>) -> String {
    let Review { costs, plan, .. } = review;
    let rows: Vec<CostRow> =
        costs.lines().map(|(list, name, now, then)| cost_row(list, name, now, then)).collect();
    if rows.is_empty() {
        return String::new();
    }
    let shown = || rows.iter().take(4 * NAMED);
    let width = |text: fn(&CostRow) -> &str| {
        shown().map(|row| text(row).chars().count()).max().unwrap_or(0)
    };
    let (first, second) = (width(|row| row.service), width(|row| &row.what));
    let third = width(|row| &row.amount);
    let mut lines = String::new();
    for CostRow { service, what, amount, note } in shown() {
        let (service, what) = (padded(service, first), padded(what, second));
        let line = format!("{service}  {what}  {}{amount}  {note}", blanks(amount, third));
        let _ = writeln!(lines, "{}", line.trim_end());
    }
    if rows.len() > 4 * NAMED {
        let _ = writeln!(lines, "and {} more", count(rows.len() - 4 * NAMED, "line"));
    }
    let fence = fence([&*lines]);
    let summary = html(&cost::sentence(costs, &plan.region, &str::to_owned));
    format!(
        "<details><summary>{summary}</summary>\n\n{fence}\n{lines}{fence}\n\n{}\n\n</details>\n",
        cost::BEYOND
    )
}

/// A line of the costs.
struct CostRow {
    service: &'static str,
    what: String,
    amount: String,
    note: String,
}

fn cost_row(list: List, name: &str, now: Option<Line>, then: Option<Line>) -> CostRow {
    let amount = |line: Line| line.monthly.map_or("no price".to_owned(), Money::exact);
    let before = |line: Line| format!("now {}, {}", line.quantity, amount(line));
    let (line, amount, note) = match (now, then) {
        (now, Some(then)) if now == Some(then) => (then, amount(then), String::new()),
        (Some(now), Some(then)) => (then, amount(then), before(now)),
        (None, Some(then)) => (then, amount(then), "new".to_owned()),
        (now, None) => {
            let line = Line { quantity: 0, monthly: Some(Money::default()) };
            (line, amount(line), now.map(before).unwrap_or_default())
        }
    };
    let what = short(&cost::so_much(list, name, line.quantity));
    CostRow { service: list.service(), what, amount, note }
}
