//! A field's value as people read it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::{Late, late};

pub use crate::model::printable;

/// One line for a value. `note` says of a late value what is known of it.
pub fn line(value: &Value, note: &dyn Fn(&Late) -> Option<String>) -> String {
    if let Some(late) = late(value) {
        let name = match &late {
            Late::Ref { address, output: None } => address.to_string(),
            Late::Ref { address, output: Some(output) } => format!("{address}.{output}"),
            Late::Lookup(lookup) => lookup.to_string(),
            Late::Text(digest) => {
                let short = || format!("text {}", digest.chars().take(12).collect::<String>());
                return note(&late).unwrap_or_else(short);
            }
        };
        return match note(&late) {
            Some(note) => format!("{name} ({note})"),
            None => name,
        };
    }
    match value {
        Value::Null => "(none)".to_owned(),
        Value::String(text) => printable(text),
        Value::Array(items) if items.is_empty() => "(none)".to_owned(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| line(item, note)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let fields: Vec<String> =
                map.iter().map(|(key, value)| format!("{key} {}", line(value, note))).collect();
            fields.join(", ")
        }
        other => other.to_string(),
    }
}

/// Of a text of many lines, like user data, the first, and how much there is: the whole stands in `--format json`.
pub fn opening(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    format!("{} ... ({} KB)", printable(first), text.len().div_ceil(1024))
}

/// The first of the lines of a text that another one, like the same user data with other values, has not; and how many
/// more there are.
pub fn lines_without<'a>(text: &'a str, other: &str) -> (Vec<&'a str>, usize) {
    const SHOWN: usize = 8;
    let known: BTreeSet<&str> = other.lines().collect();
    let mut lines: Vec<&str> = text.lines().filter(|line| !known.contains(line)).collect();
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    (lines.into_iter().map(str::trim_start).collect(), more)
}

/// The elements of a list that is shown one a line: a list of tables.
pub fn lines_of(value: &Value) -> Option<&[Value]> {
    let items = value.as_array()?;
    let tables = items.iter().any(|item| item.is_object() && late(item).is_none());
    (tables && !items.is_empty()).then_some(items)
}

/// The text with blanks behind it, up to this width.
pub fn padded(text: &str, width: usize) -> String {
    // A width of a format, like `{text:width$}`, panics beyond 65535, which texts of others may be.
    text.to_owned() + &blanks(text, width)
}

/// The blanks that the text lacks to this width.
pub fn blanks(text: &str, width: usize) -> String {
    " ".repeat(width.saturating_sub(text.chars().count()))
}

/// An id as people read it: of an ARN, the last part says enough.
pub fn short(id: &str) -> String {
    printable(if id.starts_with("arn:") { id.splitn(6, ':').last().unwrap_or(id) } else { id })
}
