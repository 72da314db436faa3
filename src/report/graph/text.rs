//! The picture for a terminal: the way in, the zones side by side, who may come in.

use std::fmt::Write;

use anstyle::Style;

use super::details;
use crate::graph::{Fleet, Picture, Row, Rule, Scene, Sign, Store, Subnet, Target, Zone};
use crate::kinds::replication_group;
use crate::model::{Address, printable};
use crate::report::style::{BOLD, CHANGE, CREATE, DELETE, DIM, DRIFT, paint};
use crate::report::value::{blanks, cut, padded};
use crate::trace::{number, text as field};

/// Wider, a line is hard to follow.
const WIDEST: usize = 132;
/// Narrower, a zone stands below the other one.
const NARROWEST: usize = 34;
/// More machines of a service in a subnet than this stand in one line.
const SHOWN: usize = 3;
/// Of many machines, so many that are not well are named.
const NAMED: usize = 6;

/// A line and how it is painted.
type Line = (String, Option<Style>);

/// The whole picture, `columns` wide.
pub fn text(picture: &Picture, of: &str, columns: usize) -> String {
    let scene = Scene::of(picture);
    let columns = columns.clamp(NARROWEST + 4, WIDEST);
    let mut out = format!("{}\n", paint(BOLD, &cut(&printable(of), columns)));
    legend(&mut out, picture, columns);
    front(&mut out, picture, &scene, columns);
    zones(&mut out, picture, &scene, columns);
    uses(&mut out, picture, &scene, columns);
    firewalls(&mut out, picture, &scene, columns);
    if !scene.others.is_empty() {
        let each = scene.others.iter().map(|(kind, things)| picture.counted(kind, things));
        let _ = writeln!(out, "\n{}", paint(DIM, "beside these"));
        wrapped(&mut out, &each.collect::<Vec<_>>(), columns);
    }
    out
}

fn legend(out: &mut String, picture: &Picture, columns: usize) {
    if let Some(note) = &picture.note {
        let _ = writeln!(out, "{}", cut(&printable(note), columns));
    }
    let (mut lines, mut room) = (Vec::new(), 0);
    for (sign, text) in picture.legend() {
        let shown = match sign {
            Some(sign) => paint(style(sign), &format!("{} {text}", sign.glyph())),
            None => text.clone(),
        };
        let wide = text.chars().count() + 2;
        match lines.last_mut() {
            Some(line) if room >= wide + 3 => {
                *line = format!("{line}   {shown}");
                room -= wide + 3;
            }
            _ => {
                lines.push(shown);
                room = columns.saturating_sub(wide);
            }
        }
    }
    lines.iter().for_each(|line| {
        let _ = writeln!(out, "{line}");
    });
}

fn front(out: &mut String, picture: &Picture, scene: &Scene<'_>, columns: usize) {
    if scene.balancers.is_empty() {
        return;
    }
    out.push('\n');
    if scene.balancers.iter().any(|balancer| !balancer.internal) {
        out.push_str("Internet\n   \u{2502}\n");
    }
    for record in &scene.records {
        let line = format!("{}  Route 53 {}", picture.title(record), picture.subtitle(record));
        thing(out, picture, record, &line);
        out.push_str("   \u{2502}\n");
    }
    for balancer in &scene.balancers {
        let line = format!(
            "{}  load balancer, {}",
            picture.title(balancer.address),
            picture.subtitle(balancer.address)
        );
        thing(out, picture, balancer.address, &line);
        for listener in &balancer.listeners {
            let body = picture.body(listener.address);
            let port = body.and_then(|body| number(body, "port")).unwrap_or_default();
            let protocol = body.map(|body| field(body, "protocol")).unwrap_or_default();
            let more = if listener.redirects { "  redirects to HTTPS" } else { "" };
            thing(
                out,
                picture,
                listener.address,
                &printable(&format!("  {protocol} :{port}{more}")),
            );
            rules(out, picture, &listener.rules, columns);
        }
    }
}

fn rules(out: &mut String, picture: &Picture, rules: &[Rule<'_>], columns: usize) {
    let rows: Vec<[String; 3]> = rules
        .iter()
        .map(|rule| {
            let paths = match rule.priority {
                Some(_) => printable(&rule.patterns.join(", ")),
                None => "default".to_owned(),
            };
            let target = match &rule.target {
                Target::Group(group) => {
                    let sign = picture.sign(group).map(|sign| format!("{} ", sign.glyph()));
                    let sign = sign.unwrap_or_default();
                    format!("{sign}{}  {}", picture.title(group), picture.subtitle(group))
                }
                Target::Elsewhere(name) => printable(name),
                Target::Nowhere => "nowhere".to_owned(),
            };
            [rule.priority.map(|one| one.to_string()).unwrap_or_default(), paths, target]
        })
        .collect();
    let widest = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let (first, second) = (widest(0), widest(1).min(columns / 2));
    for (rule, [priority, paths, target]) in rules.iter().zip(&rows) {
        let paths = cut(paths, second);
        let line = format!(
            "    {}{priority}  {}  \u{2500}\u{25b6} {target}",
            blanks(priority, first),
            padded(&paths, second)
        );
        // The default is the listener's own, which has its line already.
        match rule.priority {
            Some(_) => thing(out, picture, rule.address, &cut(&line, columns)),
            None => {
                let _ = writeln!(out, "  {}", cut(&line, columns - 2));
            }
        }
    }
}

/// A line for a thing, its sign in front.
fn thing(out: &mut String, picture: &Picture, address: &Address, line: &str) {
    let (line, style) = signed(picture, address, line.to_owned());
    let _ = writeln!(out, "{}", style.map_or_else(|| line.clone(), |style| paint(style, &line)));
}

fn signed(picture: &Picture, address: &Address, line: String) -> Line {
    match picture.sign(address) {
        Some(sign) => (format!("{} {line}", sign.glyph()), Some(style(sign))),
        None => (format!("  {line}"), None),
    }
}

fn zones(out: &mut String, picture: &Picture, scene: &Scene<'_>, columns: usize) {
    if let Some(vpc) = scene.vpc {
        out.push('\n');
        thing(out, picture, vpc, &format!("VPC {}", picture.subtitle(vpc)));
    }
    let side_by_side = (columns.saturating_sub(1) / (NARROWEST + 1)).max(1);
    for zones in scene.zones.chunks(side_by_side) {
        let wide = (columns - 1) / zones.len() - 1;
        table(out, picture, scene, zones, wide);
    }
}

/// Zones side by side, each this wide; their subnets below one another.
fn table(out: &mut String, picture: &Picture, scene: &Scene<'_>, zones: &[Zone<'_>], wide: usize) {
    let rule = |left: &str, between: &str, right: &str| {
        let lines = vec!["\u{2500}".repeat(wide); zones.len()];
        format!("{left}{}{right}\n", lines.join(between))
    };
    let heads: Vec<String> = zones
        .iter()
        .map(|zone| {
            let name = cut(&printable(zone.name), wide.saturating_sub(4));
            let rest = wide.saturating_sub(name.chars().count() + 3);
            format!("\u{2500} {} {}", paint(BOLD, &name), "\u{2500}".repeat(rest))
        })
        .collect();
    let _ = writeln!(out, "\u{250c}{}\u{2510}", heads.join("\u{252c}"));
    let most = zones.iter().map(|zone| zone.subnets.len()).max().unwrap_or(0);
    for at in 0..most {
        if at > 0 {
            out.push_str(&rule("\u{251c}", "\u{253c}", "\u{2524}"));
        }
        let cells: Vec<Vec<Line>> = zones
            .iter()
            .map(|zone| {
                zone.subnets
                    .get(at)
                    .map_or_else(Vec::new, |one| subnet(picture, scene, one, wide - 2))
            })
            .collect();
        for row in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
            out.push('\u{2502}');
            for cell in &cells {
                let (line, style) = cell.get(row).cloned().unwrap_or_default();
                let line = padded(&cut(&line, wide - 2), wide - 2);
                let line = style.map_or_else(|| line.clone(), |style| paint(style, &line));
                let _ = write!(out, " {line} \u{2502}");
            }
            out.push('\n');
        }
    }
    out.push_str(&rule("\u{2514}", "\u{2534}", "\u{2518}"));
}

fn subnet(picture: &Picture, scene: &Scene<'_>, one: &Subnet<'_>, wide: usize) -> Vec<Line> {
    let kind = if one.public { "public" } else { "private" };
    let head = format!("{}  {}  {kind}", picture.title(one.address), picture.subtitle(one.address));
    let (head, style) = signed(picture, one.address, head);
    let mut lines = vec![(head, Some(style.unwrap_or(BOLD)))];
    let names = |row: &Row<'_>| {
        let machines = row.fleets.iter().filter(|fleet| fleet.subnet == one.address);
        // Many stand under the name of their service.
        let machines = machines.filter(|fleet| fleet.machines.len() <= SHOWN);
        let machines =
            machines.flat_map(|fleet| &fleet.machines).map(|one| one.name().chars().count());
        let stores = row.stores.iter().map(|store| store.address.name().chars().count());
        machines.chain(stores).chain([row.name.chars().count()]).max().unwrap_or(0)
    };
    let column = scene.rows.iter().map(names).max().unwrap_or(0).min(wide / 2);
    for row in &scene.rows {
        for fleet in row.fleets.iter().filter(|fleet| fleet.subnet == one.address) {
            lines.extend(machines(picture, row, fleet, column));
        }
        for store in &row.stores {
            let copies = store.copies.iter().filter(|copy| **copy == one.address);
            let here = (store.subnet == one.address).then(|| self::store(picture, store, column));
            lines.extend(here);
            lines.extend(copies.map(|_| copy(picture, store, column)));
        }
    }
    lines
}

fn machines(picture: &Picture, row: &Row<'_>, fleet: &Fleet<'_>, column: usize) -> Vec<Line> {
    let line = |one: &&Address| {
        let line = format!("{}  {}", padded(&picture.title(one), column), picture.subtitle(one));
        let (line, style) = signed(picture, one, line);
        let reason = picture.mark(one).filter(|mark| mark.sign == Sign::Unhealthy);
        let reason = reason
            .and_then(|mark| mark.reason.clone())
            .map(|reason| (format!("    {}", printable(&reason)), style));
        [Some((line, style)), reason].into_iter().flatten()
    };
    if fleet.machines.len() <= SHOWN {
        return fleet.machines.iter().flat_map(line).collect();
    }
    let kind = fleet.machines.first().map(|one| picture.subtitle(one)).unwrap_or_default();
    // Where all are alike, the sign in front says it all.
    let gravest = picture.gravest(fleet.machines.iter().copied());
    let alike = fleet.machines.iter().all(|one| picture.sign(one) == gravest);
    let signs = match alike {
        true => String::new(),
        false => format!(" ({})", picture.signs(&fleet.machines)),
    };
    let number = fleet.machines.len();
    let all = format!("{}  {number}{signs} \u{d7} {kind}", padded(&printable(row.name), column));
    let all = match gravest {
        Some(sign) => (format!("{} {}", sign.glyph(), all.trim_end()), Some(style(sign))),
        None => (format!("  {}", all.trim_end()), None),
    };
    let unwell = |one: &&&Address| {
        let sign = picture.sign(one).filter(|_| !alike);
        sign.is_some_and(|sign| !matches!(sign, Sign::Healthy | Sign::Create))
    };
    let named = fleet.machines.iter().filter(unwell).take(NAMED).flat_map(line);
    let named = named.map(|(line, style)| (format!("  {line}"), style));
    [all].into_iter().chain(named).collect()
}

fn store(picture: &Picture, store: &Store<'_>, column: usize) -> Line {
    let title = padded(&picture.title(store.address), column);
    signed(picture, store.address, format!("{title}  {}", picture.subtitle(store.address)))
}

fn copy(picture: &Picture, store: &Store<'_>, column: usize) -> Line {
    let cache = replication_group::is_cache(store.address.kind());
    let title = padded(&picture.title(store.address), column);
    let line = format!("{title}  {}", if cache { "replica" } else { "standby" });
    let (line, style) = signed(picture, store.address, line);
    (line, Some(style.unwrap_or(DIM)))
}

fn uses(out: &mut String, picture: &Picture, scene: &Scene<'_>, columns: usize) {
    let users: Vec<&Row<'_>> = scene.rows.iter().filter(|row| !row.uses.is_empty()).collect();
    let column = users.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    if !users.is_empty() {
        let _ = writeln!(out, "\n{}", paint(DIM, "what services speak to"));
    }
    for row in users {
        let used = row.uses.iter().map(|one| {
            let cache = replication_group::is_cache(one.kind());
            format!("{} ({})", picture.title(one), if cache { "cache" } else { "database" })
        });
        let line = format!(
            "  {}  \u{2500}\u{25b6} {}",
            padded(&printable(row.name), column),
            used.collect::<Vec<_>>().join(", ")
        );
        let _ = writeln!(out, "{}", cut(&line, columns));
    }
}

fn firewalls(out: &mut String, picture: &Picture, scene: &Scene<'_>, columns: usize) {
    if scene.firewalls.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", paint(DIM, "who may come in"));
    let names = scene.firewalls.iter().map(|one| picture.title(one.address).chars().count());
    let column = names.max().unwrap_or(0).min(columns / 3);
    let doors = scene.firewalls.iter().flat_map(|one| &one.doors);
    let ports = doors.map(|door| door.ports.chars().count()).max().unwrap_or(0).min(columns / 3);
    for one in &scene.firewalls {
        let title = padded(&cut(&picture.title(one.address), column), column);
        if one.doors.is_empty() {
            thing(out, picture, one.address, &format!("{title}  nobody"));
        }
        for (at, door) in one.doors.iter().enumerate() {
            let own = door.group == Some(one.address);
            let peer = if own { "itself".to_owned() } else { printable(&door.peer) };
            let said =
                format!("{}  from {peer}", padded(&cut(&printable(&door.ports), ports), ports));
            if at == 0 {
                thing(out, picture, one.address, &cut(&format!("{title}  {said}"), columns - 2));
            } else {
                let line = format!("  {}  {said}", blanks("", column));
                let _ = writeln!(out, "{}", cut(&line, columns));
            }
        }
    }
    for one in &scene.firewalls {
        for line in details::news(picture, one.address).iter().skip(1) {
            let _ = writeln!(
                out,
                "      {}",
                cut(&format!("{}: {line}", picture.title(one.address)), columns - 6)
            );
        }
    }
}

fn wrapped(out: &mut String, words: &[String], columns: usize) {
    let mut line = String::from(" ");
    for (at, word) in words.iter().enumerate() {
        let comma = if at + 1 < words.len() { "," } else { "" };
        if line.chars().count() + word.chars().count() + 2 > columns && line.len() > 1 {
            let _ = writeln!(out, "{line}");
            line = String::from(" ");
        }
        let _ = write!(line, " {word}{comma}");
    }
    let _ = writeln!(out, "{line}");
}

fn style(sign: Sign) -> Style {
    match sign {
        Sign::Create | Sign::Healthy => CREATE,
        Sign::Absent => DIM,
        Sign::Change | Sign::Waiting => CHANGE,
        Sign::Drift => DRIFT,
        Sign::Replace | Sign::Delete | Sign::Unhealthy => DELETE,
    }
}
