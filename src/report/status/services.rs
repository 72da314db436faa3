//! The services' rows, and what there is to say of each beyond its numbers.

use std::collections::BTreeMap;

use super::super::count;
use super::super::style::{CHANGE, CREATE, DELETE, DIM, DRIFT, paint};
use super::super::table::{Cell, Row, table};
use super::super::value::printable;
use super::{SHOWN, letter, mark};
use crate::status::{Health, Machine, Service};

/// A commit or checksum is known by so many of its digits.
const DIGITS: usize = 12;

pub fn lines(all: &[Service], columns: usize, folded: bool) -> Vec<String> {
    let plain = |service: &Service| {
        service.is_well() && notes(service).is_empty() && behind(service).is_empty()
    };
    let (few, many): (Vec<&Service>, Vec<&Service>) =
        all.iter().partition(|service| !(folded && plain(service)));
    let rows: Vec<Row> = few.iter().map(|service| row(service)).collect();
    let titles = ["SERVICE", "HEALTHY", "ZONES", "TYPE", "RELEASE"];
    let mut lines = vec![String::new()];
    if !rows.is_empty() {
        lines.extend(table(&titles, &rows, columns));
    }
    if !many.is_empty() {
        let machines = many.iter().map(|service| service.healthy).sum();
        let (services, machines) = (count(many.len(), "service"), count(machines, "machine"));
        lines.push(paint(CREATE, &format!("{services} with {machines}, all healthy")));
    }
    lines
}

fn row(service: &Service) -> Row {
    let (healthy, wanted) = (service.healthy, service.wanted);
    Row {
        cells: vec![
            Cell::new(printable(&service.name)),
            Cell::styled(mark(service.is_well(), healthy == 0), format!("{healthy} of {wanted}")),
            Cell::new(zones(service)),
            Cell::new(
                usual(service, |machine| machine.instance_type.as_deref()).unwrap_or_default(),
            ),
            release(service),
        ],
        more: notes(service),
    }
}

/// What the file has the machines run, or that none of them was set up so yet.
fn release(service: &Service) -> Cell {
    let Some(release) = &service.release else { return Cell::default() };
    let known: String = release.chars().take(DIGITS).collect();
    match service.staying().count() > 0 && behind(service).len() == service.staying().count() {
        true => Cell::styled(DRIFT, format!("not yet {known}")),
        false => Cell::new(known),
    }
}

/// The machines that were set up as an earlier file said.
fn behind(service: &Service) -> Vec<&Machine> {
    let known = service.release.is_some();
    service.staying().filter(|machine| known && machine.release.is_none()).collect()
}

/// `a 1, b 1`: the machines that stay, by zone.
fn zones(service: &Service) -> String {
    let mut zones: BTreeMap<&str, usize> = BTreeMap::new();
    for machine in service.staying() {
        *zones.entry(machine.zone.as_deref().map_or("?", letter)).or_default() += 1;
    }
    let told = zones.iter().map(|(zone, number)| format!("{} {number}", printable(zone)));
    told.collect::<Vec<_>>().join(", ")
}

/// What most of the machines have.
fn usual(service: &Service, of: impl Fn(&Machine) -> Option<&str>) -> Option<String> {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for value in service.staying().filter_map(of) {
        *numbers.entry(value).or_default() += 1;
    }
    let most = numbers.iter().max_by_key(|(value, number)| (**number, **value));
    most.map(|(value, _)| printable(value))
}

/// What there is to say of a service beyond its numbers.
fn notes(service: &Service) -> Vec<Cell> {
    let mut notes = Vec::new();
    let mut sick: BTreeMap<(&str, Option<&Health>), Vec<&Machine>> = BTreeMap::new();
    for machine in service.staying().filter(|machine| !machine.healthy) {
        sick.entry((&machine.state, machine.health.as_ref())).or_default().push(machine);
    }
    for ((state, health), machines) in sick {
        let why = health.filter(|_| state == "running").map(found);
        let why = why.unwrap_or_else(|| match state {
            "running" => "in no target group".to_owned(),
            state => state.to_owned(),
        });
        notes.push(Cell::styled(CHANGE, format!("{}  {}", names(&machines), printable(&why))));
    }
    let there = service.staying().count();
    if there < service.wanted {
        let text = format!("{} of {} missing", service.wanted - there, service.wanted);
        notes.push(Cell::styled(DELETE, text));
    }
    let leaving: Vec<&Machine> = service.leaving().collect();
    if !leaving.is_empty() {
        let states = leaving.iter().map(|machine| match &machine.health {
            Some(health) => health.state.as_str(),
            None => machine.state.as_str(),
        });
        let states: Vec<&str> = states.collect();
        let text =
            format!("{} on the way out: {}", count(leaving.len(), "machine"), listed(states));
        notes.push(Cell::styled(DIM, printable(&text)));
    }
    notes.extend(otherwise(service, "type", |machine| machine.instance_type.as_deref()));
    notes.extend(otherwise(service, "image", |machine| machine.ami.as_deref()));
    let behind = behind(service);
    if !behind.is_empty() && behind.len() < service.staying().count() {
        let text = format!("{}  not yet set up as the file says", names(&behind));
        notes.push(Cell::styled(DRIFT, text));
    }
    notes
}

/// Those machines that have another one of something than most.
fn otherwise(
    service: &Service,
    what: &str,
    of: impl Fn(&Machine) -> Option<&str> + Copy,
) -> Vec<Cell> {
    let Some(usual) = usual(service, of) else { return Vec::new() };
    let mut others: BTreeMap<&str, Vec<&Machine>> = BTreeMap::new();
    for machine in service.staying() {
        if let Some(value) = of(machine).filter(|value| printable(value) != usual) {
            others.entry(value).or_default().push(machine);
        }
    }
    let most = if others.is_empty() { String::new() } else { format!("; most {usual}") };
    let note = |(value, machines): (&str, Vec<&Machine>)| {
        Cell::styled(DRIFT, format!("{}  {what} {}{most}", names(&machines), printable(value)))
    };
    others.into_iter().map(note).collect()
}

/// What a target group finds, as AWS says it.
fn found(health: &Health) -> String {
    let Health { state, reason, description } = health;
    let why: Vec<&str> = [reason, description].into_iter().flatten().map(String::as_str).collect();
    match why[..] {
        [] => state.clone(),
        _ => format!("{state}: {}", why.join(", ")),
    }
}

fn names(machines: &[&Machine]) -> String {
    let names = machines.iter().map(|machine| machine.address.name());
    printable(&listed(names.collect()))
}

/// A list, of which the end is counted.
fn listed(mut names: Vec<&str>) -> String {
    names.dedup();
    let more = names.len().saturating_sub(SHOWN);
    // One left out would take the room of saying so.
    let shown = if more > 1 { SHOWN } else { names.len() };
    let mut text = names[..shown].join(", ");
    if more > 1 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
