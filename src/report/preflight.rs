//! What was found beside a plan that passes: what may not be meant, and what could not be checked.

use std::fmt::Write;

use super::style::{CHANGE, DIM, HINT, paint};
use super::value::printable;
use crate::preflight::Preflight;

pub fn text(preflight: &Preflight) -> String {
    let mut text = String::new();
    for found in preflight.doubtful.iter() {
        for doubt in found.errors() {
            let place = match (doubt.line, doubt.column) {
                (Some(line), Some(column)) => format!("{}:{line}:{column}: ", found.file()),
                _ => String::new(),
            };
            let (message, label) = (&doubt.message, &doubt.label);
            // In a line, nothing has to be said twice.
            let label = match message.ends_with(label) {
                true => String::new(),
                false => format!(": {label}"),
            };
            let said = printable(&format!("{place}{message}{label}"));
            let _ = writeln!(text, "{} {said}", paint(CHANGE, "warning:"));
            if let Some(hint) = &doubt.hint {
                let _ = writeln!(text, " {} {}", paint(HINT, "help:"), printable(hint));
            }
        }
    }
    for why in &preflight.unknown {
        let _ = writeln!(text, "{} {}", paint(DIM, "not checked:"), printable(why));
    }
    text
}
