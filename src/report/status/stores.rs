//! The rows of databases and caches.

use anstyle::Style;

use super::super::count;
use super::super::pending::{fields, window};
use super::super::style::{CHANGE, CREATE, DIM, paint};
use super::super::table::{Cell, Row, table};
use super::super::value::printable;
use super::{broken, letter, mark};
use crate::model::Node;
use crate::status::{Cache, Database, Overview};

pub fn lines(overview: &Overview, columns: usize, folded: bool) -> Vec<String> {
    let waits = |database: &Database| {
        overview.pending.iter().find(|pending| pending.address == database.address)
    };
    let (few, many): (Vec<&Database>, Vec<&Database>) =
        overview.databases.iter().partition(|one| !(folded && one.healthy && waits(one).is_none()));
    let pattern = Pattern::of(&few);
    let rows = few.iter().map(|database| {
        let mut row = database_row(database);
        if let (Some(endpoint), false) = (&database.endpoint, pattern.holds(database)) {
            row.more.push(Cell::styled(DIM, printable(endpoint)));
        }
        if let Some(pending) = waits(database) {
            let text = format!("pending until {}: {}", window(&pending.window), fields(pending));
            row.more.push(Cell::styled(CHANGE, text));
        }
        row
    });
    let rows: Vec<Row> = rows.chain(overview.caches.iter().map(cache_row)).collect();
    let mut lines = Vec::new();
    if !rows.is_empty() {
        lines.push(String::new());
        lines.extend(table(&["STORE", "STATE", "CLASS", "VERSION", "ZONES"], &rows, columns));
    }
    if !many.is_empty() {
        let text = format!("{}, all available", count(many.len(), "database"));
        lines.push(paint(CREATE, &text));
    }
    if let Some((before, after)) = &pattern.0 {
        let text = printable(&format!("endpoints: {before}NAME{after}"));
        lines.extend(broken(&text, columns).map(|piece| paint(DIM, &piece)));
    }
    lines
}

/// What stands before and after the databases' names in their endpoints: said once, it needs no room in their rows.
struct Pattern(Option<(String, String)>);

impl Pattern {
    fn of(databases: &[&Database]) -> Self {
        let parts = databases.iter().find_map(|database| {
            let (before, after) =
                database.endpoint.as_deref()?.split_once(database.address.name())?;
            Some((before.to_owned(), after.to_owned()))
        });
        let known = Self(parts);
        match databases.iter().filter(|database| known.holds(database)).count() {
            0 | 1 => Self(None),
            _ => known,
        }
    }

    fn holds(&self, database: &Database) -> bool {
        self.0.as_ref().zip(database.endpoint.as_ref()).is_some_and(
            |((before, after), endpoint)| {
                *endpoint == format!("{before}{}{after}", database.address.name())
            },
        )
    }
}

fn database_row(database: &Database) -> Row {
    let zones: Vec<&str> = database.zones.iter().map(|zone| letter(zone)).collect();
    let zones = match (database.multi_az, &zones[..]) {
        (true, [first, second, ..]) => format!("{first}, standby {second}"),
        (true, [first]) => format!("{first}, standby"),
        (true, []) => "multi-AZ".to_owned(),
        (false, []) => "single-AZ".to_owned(),
        (false, zones) => zones.join(", "),
    };
    let version = database.engine_version.clone().unwrap_or_default();
    store_row(
        database.address.name(),
        &database.state,
        mark(database.healthy, database.id.is_none()),
        database.instance_class.as_deref(),
        &version,
        zones,
    )
}

fn cache_row(cache: &Cache) -> Row {
    let zone = |node: &Node| node.zone.as_deref().map(|zone| letter(zone).to_owned());
    let mut zones: Vec<String> = cache.nodes.iter().filter_map(zone).collect();
    zones.dedup();
    let version = cache.engine_version.clone().unwrap_or_default();
    let mut row = store_row(
        cache.address.name(),
        &cache.state,
        mark(cache.healthy, cache.id.is_none()),
        cache.node_type.as_deref(),
        &version,
        zones.join(", "),
    );
    if cache.nodes.len() > 1 {
        let node = |node: &Node| {
            let role = node.role.clone().unwrap_or_else(|| "node".to_owned());
            let zone = zone(node).map(|zone| format!(" in {zone}")).unwrap_or_default();
            let state = if node.state == "available" { "" } else { &node.state };
            format!("{role} {}{zone} {state}", node.id).trim_end().to_owned()
        };
        let nodes: Vec<String> = cache.nodes.iter().map(node).collect();
        row.more.push(Cell::styled(DIM, printable(&nodes.join(", "))));
    }
    row
}

fn store_row(
    name: &str,
    state: &str,
    style: Style,
    class: Option<&str>,
    version: &str,
    zones: String,
) -> Row {
    let cells = vec![
        Cell::new(printable(name)),
        Cell::styled(style, printable(state)),
        Cell::new(printable(class.unwrap_or_default())),
        Cell::new(printable(version)),
        Cell::new(printable(&zones)),
    ];
    Row { cells, more: Vec::new() }
}
