//! Rows whose cells stand under one another, on a terminal of any width.

use anstyle::Style;

use super::style::{DIM, paint};
use super::value::{blanks, width};

/// What stands before what belongs to a row.
const INDENT: usize = 2;

/// A text in one style.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::new() }
    }

    pub fn styled(style: Style, text: impl Into<String>) -> Self {
        Self { text: text.into(), style }
    }
}

/// A row, and the lines that say more of it.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub cells: Vec<Cell>,
    pub more: Vec<Cell>,
}

/// The lines of a table. Where it is too wide, columns move together, and then the last ones below the first.
pub fn table(titles: &[&str], rows: &[Row], columns: usize) -> Vec<String> {
    let title = Row {
        cells: titles.iter().map(|title| Cell::styled(DIM, *title)).collect(),
        more: Vec::new(),
    };
    let all = || std::iter::once(&title).chain(rows);
    let widest = |column: usize| {
        all().filter_map(|row| row.cells.get(column)).map(|cell| width(&cell.text)).max()
    };
    let widths: Vec<usize> = (0..).map_while(widest).collect();
    let fits = |many: usize, gap: usize| {
        let gaps = many.saturating_sub(1) * gap;
        widths.iter().take(many).sum::<usize>() + gaps <= columns
    };
    let gap = if fits(widths.len(), 2) { 2 } else { 1 };
    let upper = (1..=widths.len()).rev().find(|many| fits(*many, gap)).unwrap_or(1);
    let mut lines = Vec::new();
    for row in all() {
        lines.push(line(&row.cells, &widths, gap));
        if let Some(lower) = row.cells.get(upper..).filter(|lower| !lower.is_empty()) {
            lines.truncate(lines.len() - 1);
            lines.push(line(&row.cells[..upper], &widths, gap));
            let below = line(lower, &widths[upper..], gap);
            lines.push(format!("{}{below}", " ".repeat(INDENT)));
        }
        for cell in &row.more {
            let words: Vec<&str> = cell.text.split(' ').collect();
            lines.extend(wrapped("", &words, " ", cell.style, columns));
        }
    }
    lines
}

fn line(cells: &[Cell], widths: &[usize], gap: usize) -> String {
    let mut line = String::new();
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        line.push_str(&paint(cell.style, &cell.text));
        if column + 1 < cells.len() {
            line.push_str(&blanks(&cell.text, width + gap));
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Parts one after the other, over as many lines as they take: the first begins with `lead`, which stands in front of
/// the others as blanks. A part alone may be longer than a line.
pub fn wrapped(
    lead: &str,
    parts: &[impl AsRef<str>],
    between: &str,
    style: Style,
    columns: usize,
) -> Vec<String> {
    let indent = INDENT + width(lead);
    let mut lines: Vec<String> = vec![String::new()];
    for (at, part) in parts.iter().enumerate() {
        let part = part.as_ref();
        // What ends a line that goes on needs room, too.
        let end = if at + 1 < parts.len() { width(between.trim_end()) } else { 0 };
        let last = lines.len() - 1;
        let so_far = width(&lines[last]);
        if so_far == 0 {
            lines[last].push_str(part);
        } else if indent + so_far + width(between) + width(part) + end <= columns {
            lines[last].push_str(between);
            lines[last].push_str(part);
        } else {
            lines[last].push_str(between.trim_end());
            lines.push(part.to_owned());
        }
    }
    let lead = |first: bool| if first { lead.to_owned() } else { " ".repeat(width(lead)) };
    let whole = |(number, line): (usize, String)| {
        format!("{}{}{}", " ".repeat(INDENT), lead(number == 0), paint(style, &line))
    };
    lines.into_iter().enumerate().map(whole).collect()
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::*;

    fn shown(columns: usize) -> String {
        let row = |cells: [&str; 3], more: &[&str]| Row {
            cells: cells.map(Cell::new).into(),
            more: more.iter().map(|text| Cell::new(*text)).collect(),
        };
        let rows = [
            row(["user", "2 of 2", "a 1, b 1"], &[]),
            row(["notification", "1 of 2", "a 1, b 1"], &["b is not healthy: it answers with 502"]),
        ];
        let lines = table(&["SERVICE", "HEALTHY", "ZONES"], &rows, columns);
        strip_str(&lines.join("\n")).to_string()
    }

    #[test]
    fn columns_move_together_and_then_below() {
        insta::assert_snapshot!([80, 30, 26, 12].map(shown).join("\n\n"));
    }

    #[test]
    fn what_is_wrapped_is_no_wider_with_its_commas() {
        let parts = ["instance.user-1", "instance.user-2", "instance.user-3"];
        // Two and their commas take 35 columns.
        for columns in [33, 34, 35, 36] {
            let lines = wrapped("", &parts, ", ", Style::new(), columns);
            let widest = lines.iter().map(|line| width(&strip_str(line).to_string())).max();
            assert!(widest <= Some(columns), "{columns}: {lines:#?}");
        }
    }

    #[test]
    fn wide_letters_take_two_columns() {
        let row = |text: &str| Row { cells: vec![Cell::new(text), Cell::new("|")], more: vec![] };
        let lines = table(&["", ""], &[row("日本"), row("abcd")], 80);
        let lines: Vec<String> = lines.iter().map(|line| strip_str(line).to_string()).collect();
        assert_eq!(lines[1..], ["日本  |", "abcd  |"]);
    }
}
