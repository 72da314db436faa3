//! What people and machines read. stdout is for the result, stderr for everything on the way.

pub mod cost;
pub mod diagnostics;
pub mod document;
pub mod edit;
pub mod error;
mod fold;
pub mod graph;
pub mod json;
pub mod log;
pub mod markdown;
pub mod outcome;
pub mod page;
mod pending;
pub mod plan;
pub mod policy;
pub mod preflight;
pub mod progress;
pub mod rehearsal;
mod rounds;
pub mod screen;
pub mod status;
mod style;
mod table;
pub mod trace;
mod value;

pub use value::printable;

use std::io::{self, Write};

use anstream::adapter::strip_str;
use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::model::steers;

/// Prints a result. Colours are left out where stdout is no terminal or NO_COLOR is set. A reader that has gone away
/// is no error.
///
/// # Errors
/// When stdout can't be written to.
pub fn print(text: &str) -> Result<()> {
    offer(text).map(drop)
}

/// As [`print`], and says whether there still is a reader.
///
/// # Errors
/// When stdout can't be written to.
pub fn offer(text: &str) -> Result<bool> {
    let mut stdout = io::stdout();
    // In one piece: the stream that strips as it goes hands on a great plan word by word.
    let without = anstream::AutoStream::choice(&stdout) == anstream::ColorChoice::Never;
    let written = match without {
        true => stdout.write_all(plain(text).as_bytes()),
        false => stdout.write_all(text.as_bytes()),
    };
    finish(written.and_then(|()| stdout.flush()))
}

/// A text without its colours.
pub fn plain(text: &str) -> String {
    strip_str(text).to_string()
}

/// Prints a result as one JSON document.
///
/// # Errors
/// When stdout can't be written to.
pub fn print_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Error::new(ErrorKind::File, "can't write JSON").source(error))?;
    finish(io::stdout().write_all((escaped(&text) + "\n").as_bytes())).map(drop)
}

/// Prints a value as JSON on a line of its own, and says whether there still is a reader.
///
/// # Errors
/// When stdout can't be written to.
pub fn offer_line(value: &impl Serialize) -> Result<bool> {
    let text = serde_json::to_string(value)
        .map_err(|error| Error::new(ErrorKind::File, "can't write JSON").source(error))?;
    let mut stdout = io::stdout();
    finish(stdout.write_all((escaped(&text) + "\n").as_bytes()).and_then(|()| stdout.flush()))
}

/// A JSON text in which nothing steers a terminal: what JSON leaves as it is stands in its strings alone.
fn escaped(text: &str) -> String {
    let mut units = [0; 2];
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        if c != '\n' && steers(c) {
            let units = c.encode_utf16(&mut units);
            units.iter().for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}")));
        } else {
            escaped.push(c);
        }
        escaped
    })
}

/// How wide the terminal is that results go to; where they go to none, what most are.
pub fn columns() -> usize {
    terminal_size::terminal_size_of(io::stdout()).map_or(80, |(width, _)| width.0.into())
}

/// The text as it fits the terminal that results go to; where they go to none, as it is.
pub fn folded(text: &str) -> String {
    match terminal_size::terminal_size_of(io::stdout()) {
        Some((width, _)) => fold::fold(text, width.0.into()),
        None => text.to_owned(),
    }
}

/// Says something on the way.
pub fn say(text: &str) {
    match terminal_size::terminal_size_of(io::stderr()) {
        Some((width, _)) => screen::say(&fold::fold(text, width.0.into())),
        None => screen::say(text),
    }
}

/// Whether there still is a reader.
fn finish(written: io::Result<()>) -> Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => {
            Err(Error::new(ErrorKind::File, format!("can't write to stdout: {error}"))
                .source(error))
        }
    }
}

/// A duration as people say it: `4.2s`, `35s`, `10m20s`, `1h02m`.
pub fn duration(duration: std::time::Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1}s", duration.as_secs_f64()),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// `1 resource`, `2 resources`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::escaped;

    #[test]
    fn json_steers_no_terminal_and_is_the_same() {
        let value = json!({"na\u{9b}me": "a\u{202e}b\u{1b}[31m\nc\u{e000}"});
        let text = escaped(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!text.chars().any(|c| c != '\n' && crate::model::steers(c)), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
