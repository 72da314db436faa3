//! The file as a tree of values with their places, in the order of the file.

use std::collections::BTreeSet;

use toml::de::{DeArray, DeTable, DeValue};

use super::diagnostic::{Diagnostic, Lines, Placed, Sink, Span};

#[derive(Clone, Debug)]
pub enum Value {
    Text(String),
    /// A string that was one variable and nothing else: it may stand for a number or a yes or no.
    Variable(String),
    Integer(i64),
    Flag(bool),
    List(Vec<Item>),
    Table(Table),
    /// Something the format has no use for, by its name.
    Other(&'static str),
    /// Wrong, and said so already.
    Lost,
}

#[derive(Clone, Debug)]
pub struct Item {
    pub value: Value,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub key: Placed<String>,
    pub item: Item,
}

#[derive(Clone, Debug, Default)]
pub struct Table(Vec<Entry>);

impl Table {
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    pub fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.0.iter_mut()
    }

    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| *entry.key == key)
    }

    pub fn get(&self, key: &str) -> Option<&Item> {
        self.entry(key).map(|entry| &entry.item)
    }

    /// The table under this key, where there is one.
    pub fn table(&self, key: &str) -> Option<&Table> {
        self.get(key).and_then(Item::table)
    }
}

impl Item {
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Variable(text) => Some(text),
            _ => None,
        }
    }

    pub fn integer(&self) -> Option<i64> {
        match &self.value {
            Value::Integer(number) => Some(*number),
            Value::Variable(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    pub fn flag(&self) -> Option<bool> {
        match &self.value {
            Value::Flag(flag) => Some(*flag),
            Value::Variable(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    pub fn list(&self) -> Option<&[Item]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub fn table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// What it is, in words.
    pub fn what(&self) -> &'static str {
        match &self.value {
            Value::Text(_) | Value::Variable(_) => "a string",
            Value::Integer(_) => "a number",
            Value::Flag(_) => "a boolean",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Other(what) => what,
            Value::Lost => "a value",
        }
    }
}

/// How much of a file's structure can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    Sound,
    /// Single values are lost.
    Slips,
    /// A header or a bracket is broken: keys may have ended up in the wrong table.
    Broken,
}

/// Reads TOML, reporting every error of its syntax. A value that stands in a line with such an error is lost.
pub fn read(text: &str, sink: &mut Sink) -> (Table, Syntax) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let lines = Lines::of(text);
    let mut syntax = Syntax::Sound;
    let mut broken = BTreeSet::new();
    for error in errors {
        let range = error.span().unwrap_or_default();
        let start = floor(text, range.start);
        let span = Span::new(start, floor(text, range.end).max(start));
        let line = lines.line(span.start);
        let begins = text.get(lines.start(line)..).unwrap_or_default();
        let begins = begins.lines().next().unwrap_or_default();
        let header = begins.trim_start().starts_with('[');
        if header || error.message().contains("unclosed") {
            syntax = Syntax::Broken;
        } else if syntax == Syntax::Sound {
            syntax = Syntax::Slips;
        }
        // The parser stumbles over one slip more than once; its first word is the telling one.
        if broken.insert(line) {
            let (what, expected) =
                error.message().split_once(", ").unwrap_or((error.message(), ""));
            let label = if expected.is_empty() { "here" } else { expected };
            sink.push(Diagnostic::at(span, format!("this is not TOML: {what}")).label(label));
        }
    }
    let lost = |span: Span| broken.contains(&lines.line(span.start));
    (convert(table.get_ref(), &lost), syntax)
}

/// The nearest place at or before `at` where a character starts.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

fn convert(table: &DeTable<'_>, lost: &impl Fn(Span) -> bool) -> Table {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: Placed::new(key.get_ref().to_string(), key.span().into()),
            item: item(value.get_ref(), value.span().into(), lost),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key.span);
    Table(entries)
}

fn item(value: &DeValue<'_>, span: Span, lost: &impl Fn(Span) -> bool) -> Item {
    let value = match value {
        DeValue::Table(table) => Value::Table(convert(table, lost)),
        DeValue::Array(array) => Value::List(items(array, lost)),
        _ if lost(span) => Value::Lost,
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other("a number beyond all bounds"), Value::Integer),
        DeValue::Float(_) => Value::Other("a number with a fraction"),
        DeValue::Datetime(_) => Value::Other("a date"),
    };
    Item { value, span }
}

fn items(array: &DeArray<'_>, lost: &impl Fn(Span) -> bool) -> Vec<Item> {
    array.iter().map(|value| item(value.get_ref(), value.span().into(), lost)).collect()
}
