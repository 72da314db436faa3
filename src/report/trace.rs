//! A walk for people, stop by stop, like a traceroute; and the table of all ways.

use std::fmt::Write;

use super::count;
use super::style::{BOLD, CHANGE, CREATE, DIM, ERROR, paint};
use super::value::{blanks, padded, printable};
use crate::kinds::replication_group;
use crate::trace::{Audit, Candidate, Hop, Route, Stop, Target, Walk, What};

/// Of a long list, so many are shown.
const SHOWN: usize = 5;
/// A target group's word for a target that gets requests.
const HEALTHY: &str = "healthy";

/// The walk. `of` says through what.
pub fn text(walk: &Walk, of: &str) -> String {
    let mut text = format!("{}\n{}\n", paint(BOLD, &printable(of)), walk.path);
    if let Some(query) = &walk.query {
        let note = format!("The query is no matter of the rules: ?{}", printable(query));
        let _ = writeln!(text, "{}", paint(DIM, &note));
    }
    text.push('\n');
    for (number, stop) in (1..).zip(&walk.stops) {
        let mut lines = lines(&stop.what).into_iter();
        let first = lines.next().map(|(_, line)| line).unwrap_or_default();
        let _ = writeln!(text, "{number:>2}  {:<13}  {first}", label(&stop.what));
        for (word, line) in lines {
            aside(&mut text, word, &line);
        }
        for hop in &stop.hops {
            self::hop(&mut text, hop, stop.hops.len() == 1);
        }
        for gap in &stop.gaps {
            let _ = writeln!(text, "    {}         {}", paint(ERROR, "CLOSED"), printable(gap));
        }
    }
    text.push('\n');
    let hops = walk.stops.iter().map(|stop| stop.hops.len()).sum();
    if walk.open {
        let _ = writeln!(text, "{} {} checked.", paint(CREATE, "Open:"), count(hops, "hop"));
    } else {
        let missing = once(walk.stops.iter().flat_map(Stop::missing));
        let _ = writeln!(text, "{}", paint(ERROR, "Closed:"));
        for gap in missing {
            let _ = writeln!(text, "  {}", printable(gap));
        }
    }
    let targets = walk.stops.iter().filter_map(|stop| health(&stop.what));
    for (healthy, all) in targets.filter(|(healthy, all)| healthy < all) {
        let note = format!("{healthy} of {} healthy.", count(all, "target"));
        let _ = writeln!(text, "{}", paint(CHANGE, &note));
    }
    text
}

/// All ways, one a line, and under each that is closed what is missing.
pub fn table(audit: &Audit, of: &str) -> String {
    let mut text = format!("{}\n", paint(BOLD, &printable(of)));
    let entrances = audit.entrances.iter().map(|stop| (entrance(stop), stop));
    section(&mut text, "the way in", entrances.collect());
    let routes = audit.routes.iter().map(|route| (self::route(route), &route.targets));
    section(&mut text, "routes", routes.collect());
    section(&mut text, "uses", audit.uses.iter().map(|stop| (used(stop), stop)).collect());
    let closed = audit.ways().filter(|way| !way.is_open()).count();
    let sum = format!("{} checked", count(audit.ways().count(), "way"));
    let _ = match closed {
        0 => writeln!(text, "\n{} {sum}.", paint(CREATE, "Open:")),
        _ => writeln!(text, "\n{} {closed} of {sum}.", paint(ERROR, "Closed:")),
    };
    text
}

fn section(text: &mut String, title: &str, rows: Vec<(Vec<String>, &Stop)>) {
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title}");
    let table = aligned(rows.iter().map(|(row, _)| row.clone()).collect());
    for (line, (_, stop)) in table.iter().zip(&rows) {
        let verdict = if stop.is_open() { paint(CREATE, "open  ") } else { paint(ERROR, "CLOSED") };
        let _ = writeln!(text, "  {verdict}  {line}");
        for only in stop.hops.iter().filter_map(only) {
            let _ = writeln!(text, "          {}", paint(CHANGE, &format!("only {only}")));
        }
        for gap in once(stop.missing()) {
            let _ = writeln!(text, "          {}", printable(gap));
        }
    }
}

fn entrance(stop: &Stop) -> Vec<String> {
    match &stop.what {
        What::Redirect { address, port, to_port } => {
            vec![address.to_string(), format!("HTTP :{port}"), format!("redirects to :{to_port}")]
        }
        What::Listener { address, port, protocol } => {
            vec![address.to_string(), format!("{} :{port}", printable(protocol))]
        }
        what => vec![label(what).to_owned()],
    }
}

fn route(route: &Route) -> Vec<String> {
    let Candidate { priority, patterns, target_group, .. } = &route.rule;
    let patterns = if priority.is_none() { "default".to_owned() } else { patterns.join(", ") };
    let port = route.targets.hops.first().map(|hop| format!(" :{}", hop.port)).unwrap_or_default();
    let targets = match (&route.targets.what, health(&route.targets.what)) {
        (_, Some((healthy, all))) => format!("{healthy} of {} healthy", count(all, "target")),
        (What::Targets { targets }, None) => count(targets.len(), "target"),
        _ => String::new(),
    };
    vec![
        priority.map(|priority| format!("{priority:>3}")).unwrap_or_default(),
        printable(&patterns),
        printable(target_group.as_deref().unwrap_or("(none)")),
        format!("{targets}{port}"),
    ]
}

fn used(stop: &Stop) -> Vec<String> {
    let What::Store { address, service, port, .. } = &stop.what else { return Vec::new() };
    let port = port.map(|port| format!("tcp {port}")).unwrap_or_default();
    vec![service.clone(), format!("-> {address}"), port]
}

fn label(what: &What) -> &str {
    match what {
        What::Dns { .. } => "dns",
        What::LoadBalancer { .. } => "load balancer",
        What::Redirect { .. } => "redirect",
        What::Listener { .. } => "listener",
        What::Rule { .. } => "rule",
        What::TargetGroup { .. } => "target group",
        What::Targets { .. } => "targets",
        What::Store { address, .. } if replication_group::is_cache(address.kind()) => "cache",
        What::Store { .. } => "database",
        What::Absent { what } => what,
    }
}

/// What there is to say of a stop; each line but the first has a word in front.
fn lines(what: &What) -> Vec<(&'static str, String)> {
    let words = |words: Vec<String>| {
        let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
        vec![("", words.join("  "))]
    };
    match what {
        What::Dns { names, own } if names.is_empty() => {
            let own = own.as_deref().map(printable);
            vec![(
                "",
                own.unwrap_or_else(|| "the load balancer's own name, known after apply".into()),
            )]
        }
        What::Dns { names, .. } => {
            let rows = names.iter().map(|one| vec![printable(&one.name), one.record.to_string()]);
            aligned(rows.collect()).into_iter().map(|line| ("", line)).collect()
        }
        What::LoadBalancer { address, name, scheme, state } => words(vec![
            address.to_string(),
            printable(name),
            printable(scheme),
            self::state(state.as_deref()),
        ]),
        What::Redirect { address, port, to_port } => {
            words(vec![address.to_string(), format!("HTTP :{port} -> :{to_port}")])
        }
        What::Listener { address, port, protocol } => {
            words(vec![address.to_string(), format!("{} :{port}", printable(protocol))])
        }
        What::Rule { winner, passed, beaten, .. } => rule(winner, passed, beaten),
        What::TargetGroup { address, protocol, port, health_check } => words(vec![
            address.to_string(),
            format!("{} :{port}", printable(protocol)),
            format!("health check {}", printable(health_check)),
        ]),
        What::Targets { targets } => self::targets(targets),
        What::Store { address, engine, port, zones, state, .. } => words(vec![
            address.to_string(),
            format!("{}{}", printable(engine), port.map(|p| format!(" :{p}")).unwrap_or_default()),
            self::zones(zones),
            self::state(state.as_deref()),
        ]),
        What::Absent { .. } => words(vec!["none".to_owned()]),
    }
}

fn rule(
    winner: &Candidate,
    passed: &[Candidate],
    beaten: &[Candidate],
) -> Vec<(&'static str, String)> {
    // The place in the order, the pattern and the rule stand under one another.
    let all = [std::slice::from_ref(winner), passed, beaten].concat();
    let width = all.iter().filter_map(|one| one.priority).max().unwrap_or(0).to_string().len();
    let mut rows = aligned(all.iter().map(|one| candidate(one, width)).collect()).into_iter();
    let first = rows.next().unwrap_or_default();
    let mut lines = vec![("", first)];
    let no: Vec<String> = rows.by_ref().take(passed.len()).collect();
    lines.extend(shortened(no).into_iter().map(|line| ("no match", line)));
    let later = beaten.iter().zip(rows).map(|(one, row)| {
        let when = if one.address.is_some() { "matches, asked later" } else { "asked last" };
        format!("{row}  {when}")
    });
    lines.extend(shortened(later.collect()).into_iter().map(|line| ("beats", line)));
    lines
}

fn candidate(one: &Candidate, width: usize) -> Vec<String> {
    let group = || one.target_group.as_deref().unwrap_or("(none)");
    let (pattern, name) = match &one.address {
        Some(address) => (one.patterns.join(", "), address.to_string()),
        None => ("default".to_owned(), group().to_owned()),
    };
    let priority = one.priority.map(|priority| priority.to_string()).unwrap_or_default();
    vec![blanks(&priority, width) + &priority, printable(&pattern), printable(&name)]
}

fn targets(targets: &[Target]) -> Vec<(&'static str, String)> {
    let rows = targets.iter().map(|target| {
        let health = target.health.as_deref();
        let style = if health == Some(HEALTHY) { CREATE } else { CHANGE };
        let health = health.map(|health| paint(style, &printable(health))).unwrap_or_default();
        vec![target.address.to_string(), printable(&target.zone), printable(&target.subnet), health]
    });
    let lines = shortened(aligned(rows.collect()));
    let lines = if lines.is_empty() { vec!["none".to_owned()] } else { lines };
    lines.into_iter().map(|line| ("", line)).collect()
}

/// How many of how many targets are healthy, where that is known.
fn health(what: &What) -> Option<(usize, usize)> {
    let What::Targets { targets } = what else { return None };
    let known = targets.iter().any(|target| target.health.is_some());
    let healthy = |target: &&Target| target.health.as_deref() == Some(HEALTHY);
    known.then(|| (targets.iter().filter(healthy).count(), targets.len()))
}

fn hop(text: &mut String, hop: &Hop, alone: bool) {
    let ends = |names: &[String]| match names {
        [name] => name.clone(),
        // They stand in full at the stop itself.
        _ if alone => "each instance".to_owned(),
        names => shortened(names.to_vec()).join(", "),
    };
    let (style, word) = if hop.open { (CREATE, "open  ") } else { (ERROR, "CLOSED") };
    let way = format!("{} -> {}  tcp {}", ends(&hop.from), ends(&hop.to), hop.port);
    let _ = writeln!(text, "    {}         {}", paint(style, word), printable(&way));
    if let Some(only) = only(hop) {
        aside(text, "only", &paint(CHANGE, &only));
    }
    for ground in &hop.grounds {
        let line = format!("{}  {}", ground.address, printable(&ground.rule));
        aside(text, ground.side.word(), &paint(DIM, &line));
    }
    for gap in &hop.missing {
        let _ = writeln!(text, "      {}", paint(ERROR, &printable(gap)));
    }
}

fn only(hop: &Hop) -> Option<String> {
    let blocks: Vec<String> = hop.only.iter().map(ToString::to_string).collect();
    (!blocks.is_empty()).then(|| format!("for {}", blocks.join(", ")))
}

fn aside(text: &mut String, word: &str, line: &str) {
    let _ = writeln!(text, "      {}  {line}", paint(DIM, &format!("{word:<11}")));
}

fn state(state: Option<&str>) -> String {
    state.map(|state| paint(CHANGE, &printable(state))).unwrap_or_default()
}

/// `ap-southeast-1a, b`.
fn zones(zones: &[String]) -> String {
    let Some((first, others)) = zones.split_first() else { return String::new() };
    let region = first.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let short = others.iter().map(|zone| zone.strip_prefix(region).unwrap_or(zone));
    let all: Vec<&str> = std::iter::once(first.as_str()).chain(short).collect();
    printable(&all.join(", "))
}

fn shortened(mut lines: Vec<String>) -> Vec<String> {
    // One left out would take the line of saying so.
    if lines.len() > SHOWN + 1 {
        let more = lines.len() - SHOWN;
        lines.truncate(SHOWN);
        lines.push(paint(DIM, &format!("and {more} more")));
    }
    lines
}

/// Rows as lines, their cells under one another. Only a last cell may be coloured.
fn aligned(rows: Vec<Vec<String>>) -> Vec<String> {
    let widest =
        |column: usize| rows.iter().filter_map(|row| Some(row.get(column)?.chars().count())).max();
    let widths: Vec<usize> = (0..).map_while(widest).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| padded(cell, *width));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn once<'a>(gaps: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut known = Vec::new();
    for gap in gaps {
        if !known.contains(&gap) {
            known.push(gap);
        }
    }
    known
}
