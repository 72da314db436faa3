//! The system on one screen.

mod services;
mod stores;
mod verdict;

use anstyle::Style;

use super::count;
use super::style::{BOLD, CHANGE, CREATE, DELETE, DIM, ERROR, paint};
use super::value::{cut, printable};
use crate::status::{Balancer, Certificate, Listener, Overview, Verdict};

/// Of a long list of names, so many are shown.
const SHOWN: usize = 6;
/// So many days before a certificate expires, it is time to look.
const SOON: i64 = 30;

/// What people are told beside what was seen.
pub struct Frame<'a> {
    /// Which account it is.
    pub of: &'a str,
    /// The command that makes it as the file says.
    pub apply: &'a str,
    /// Why this is what was seen before.
    pub failed: Option<&'a str>,
    /// How wide the screen is, and how high, if it is to hold all.
    pub columns: usize,
    pub rows: Option<usize>,
}

/// The screen. Where it is too low for all, what is well is told in fewer lines.
pub fn text(overview: &Overview, frame: &Frame<'_>) -> String {
    let mut lines = lines(overview, frame, Folded::default());
    let Some(rows) = frame.rows else { return lines.join("\n") + "\n" };
    for services in [false, true] {
        if lines.len() > rows {
            lines = self::lines(overview, frame, Folded { stores: true, services });
        }
    }
    // What it comes to stands last, and stays.
    let end = verdict::lines(overview, frame);
    if lines.len() > rows && rows > end.len() {
        let left = lines.len() - rows + 1;
        lines.truncate(rows - end.len() - 1);
        lines.push(paint(DIM, &format!("... {} more", count(left, "line"))));
        lines.extend(end);
    }
    lines.truncate(rows);
    lines.join("\n") + "\n"
}

/// What is told in one line as far as it is well.
#[derive(Clone, Copy, Default)]
struct Folded {
    stores: bool,
    services: bool,
}

fn lines(overview: &Overview, frame: &Frame<'_>, folded: Folded) -> Vec<String> {
    let mut lines = vec![paint(BOLD, &cut(&printable(frame.of), frame.columns))];
    if overview.verdict != Verdict::Nothing {
        if let Some(balancer) = &overview.load_balancer {
            lines.extend(way_in(balancer, frame.columns));
        }
        lines.extend(services::lines(&overview.services, frame.columns, folded.services));
        lines.extend(stores::lines(overview, frame.columns, folded.stores));
        lines.push(String::new());
    }
    lines.extend(verdict::lines(overview, frame));
    lines
}

fn mark(healthy: bool, missing: bool) -> Style {
    match healthy {
        true => CREATE,
        false if missing => DELETE,
        false => CHANGE,
    }
}

fn way_in(balancer: &Balancer, columns: usize) -> Vec<String> {
    let style = mark(balancer.healthy, balancer.id.is_none());
    let mut parts = vec![paint(style, &printable(&balancer.state))];
    parts.extend(balancer.listeners.iter().map(listener));
    let encrypted = balancer.listeners.iter().any(|listener| listener.protocol == "HTTPS");
    let scheme = if encrypted { "https" } else { "http" };
    let names = balancer.names.iter().chain(&balancer.dns_name);
    let addresses = names.map(|name| printable(&format!("{scheme}://{name}")));
    let mut lines = vec![format!("ALB  {}", parts.join("  "))];
    for address in addresses {
        lines
            .extend(broken(&address, columns.saturating_sub(5)).map(|part| format!("     {part}")));
    }
    lines
}

fn listener(listener: &Listener) -> String {
    let Listener { port, protocol, redirects_to_https, certificate, .. } = listener;
    let to = if *redirects_to_https { " -> HTTPS" } else { "" };
    let certificate = certificate.as_ref().map(self::certificate).unwrap_or_default();
    format!("{} :{port}{to}{certificate}", printable(protocol))
}

fn certificate(certificate: &Certificate) -> String {
    let (Some(expires), Some(left)) = (&certificate.expires, certificate.days_left) else {
        return String::new();
    };
    let day = expires.split('T').next().unwrap_or_default();
    let style = match left {
        ..0 => ERROR,
        0..=SOON => CHANGE,
        _ => Style::new(),
    };
    let left = match left {
        ..=-1 => "expired".to_owned(),
        1 => "1 day".to_owned(),
        left => format!("{left} days"),
    };
    paint(style, &format!(", certificate until {day} ({left})"))
}

/// A name in pieces of this many columns: it is of no use where it is cut.
fn broken(name: &str, columns: usize) -> impl Iterator<Item = String> {
    let letters: Vec<char> = name.chars().collect();
    let pieces = letters.chunks(columns.max(1)).map(|piece| piece.iter().collect());
    pieces.collect::<Vec<String>>().into_iter()
}

/// `a` of `ap-southeast-1a`.
fn letter(zone: &str) -> &str {
    let region = zone.trim_end_matches(|c: char| c.is_ascii_lowercase());
    zone.strip_prefix(region).filter(|letter| !letter.is_empty()).unwrap_or(zone)
}
