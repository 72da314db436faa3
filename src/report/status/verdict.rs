//! What it comes to, what differs from the file, and who holds the lock.

use std::collections::BTreeMap;

use anstream::adapter::strip_str;
use anstyle::Style;

use super::super::count;
use super::super::fold::fold;
use super::super::style::{BOLD, CHANGE, CREATE, DELETE, DIM, DRIFT, ERROR, paint};
use super::super::table::wrapped;
use super::super::value::{printable, width};
use super::{Frame, SHOWN};
use crate::status::{Difference, How, Overview, Verdict};

pub fn lines(overview: &Overview, frame: &Frame<'_>) -> Vec<String> {
    let all = count(overview.resources, "resource");
    let differ = format!("{} of {all} otherwise than the file says", overview.differences.len());
    let (style, word) = match overview.verdict {
        Verdict::Nothing => (BOLD, "Nothing"),
        Verdict::Unhealthy => (ERROR, "Unhealthy"),
        Verdict::Healthy | Verdict::Differs => (CREATE, "Healthy"),
    };
    let rest = match overview.verdict {
        Verdict::Nothing => format!(" of it is there. To make its {all}: {}", frame.apply),
        _ if overview.not_compared.is_some() => ".".to_owned(),
        Verdict::Healthy => format!(", and as the file says: {all}."),
        Verdict::Differs => format!(", but {differ}."),
        Verdict::Unhealthy if overview.differences.is_empty() => {
            format!(", but as the file says: {all}.")
        }
        Verdict::Unhealthy => format!(", and {differ}."),
    };
    let words = format!("{word}{rest}");
    let words: Vec<&str> = words.split(' ').collect();
    let mut lines = flush(wrapped("", &words, " ", Style::new(), frame.columns));
    lines[0] = lines[0].replacen(word, &paint(style, word), 1);
    if let Some(why) = &overview.not_compared {
        let why = printable(&format!("Not held against the file: {why}"));
        let words: Vec<&str> = why.split(' ').collect();
        lines.extend(wrapped("", &words, " ", CHANGE, frame.columns));
    }
    if overview.verdict != Verdict::Nothing {
        lines.extend(differences(&overview.differences, frame.columns));
    }
    if let Some(why) = frame.failed {
        let why = printable(&format!("Not reached since {}: {why}", overview.at));
        let words: Vec<&str> = why.split(' ').collect();
        lines.extend(wrapped("", &words, " ", ERROR, frame.columns));
    }
    let lock = lock(overview);
    let fits = |line: &String| width(&strip_str(line).to_string()) + width(&lock) < frame.columns;
    match &mut lines[..] {
        [only] if overview.lock.holders.is_empty() && fits(only) => {
            only.push_str(&format!(" {lock}"));
        }
        _ => {
            let words: Vec<&str> = lock.split(' ').collect();
            let style = if overview.lock.holders.is_empty() { Style::new() } else { CHANGE };
            let lock = wrapped("", &words, " ", style, frame.columns);
            lines.extend(flush(lock));
        }
    }
    lines
}

/// Lines that belong to nothing above them.
fn flush(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| line.trim_start().to_owned()).collect()
}

fn differences(all: &[Difference], columns: usize) -> Vec<String> {
    // Those of a kind that differ alike are counted.
    let mut alike: BTreeMap<(How, &str, &[String]), Vec<String>> = BTreeMap::new();
    for one in all {
        let fields = match one.how {
            How::Drift | How::Change => &one.fields[..],
            _ => &[],
        };
        let key = (one.how, one.address.kind(), fields);
        alike.entry(key).or_default().push(one.address.to_string());
    }
    let mut groups: BTreeMap<How, Vec<String>> = BTreeMap::new();
    for ((how, _, fields), names) in alike {
        let fields = match fields {
            [] => String::new(),
            fields => format!(" ({})", fields.join(", ")),
        };
        let told = match &names[..] {
            [first, _, _, ..] => vec![format!("{first} and {} more{fields}", names.len() - 1)],
            few => few.iter().map(|name| format!("{name}{fields}")).collect(),
        };
        let told = told.into_iter().map(|text| printable(&text));
        groups.entry(how).or_default().extend(told);
    }
    let mut lines = Vec::new();
    for (how, mut names) in groups {
        let (word, style) = match how {
            How::Missing => ("missing", CREATE),
            How::Drift => ("drift", DRIFT),
            How::Change => ("change", CHANGE),
            How::Unwanted => ("unwanted", DELETE),
            How::Second => ("second", DELETE),
            How::Leaving => ("leaving", DIM),
        };
        let more = names.len().saturating_sub(SHOWN);
        if more > 1 {
            names.truncate(SHOWN);
            names.push(format!("{more} more"));
        }
        let lead = paint(style, &format!("{word:<9}"));
        let wide = wrapped(&format!("{word:<9}"), &names, ", ", Style::new(), columns);
        let wide = wide.iter().map(|line| fold(line, columns));
        let wide = wide.map(|line| line.replacen(&format!("{word:<9}"), &lead, 1));
        lines.extend(wide.flat_map(|line| line.lines().map(str::to_owned).collect::<Vec<_>>()));
    }
    lines
}

fn lock(overview: &Overview) -> String {
    let lock = &overview.lock;
    if let Some(why) = &lock.unknown {
        return printable(&format!("Who holds the lock is not known: {why}"));
    }
    if lock.holders.is_empty() {
        return "Nobody holds the lock.".to_owned();
    }
    let held = lock.holders.iter().map(|one| {
        let ago = format!("{} s", one.renewed_seconds_ago);
        let end = match one.left_over {
            true => format!("left over, last heard of {ago} ago: ecdeploy unlock"),
            false => format!("renewed {ago} ago"),
        };
        format!(
            "Locked by `ecdeploy {}` of {} on {} (process {}) since {}, {end}.",
            one.command, one.user, one.host, one.process, one.since
        )
    });
    printable(&held.collect::<Vec<_>>().join(" "))
}
