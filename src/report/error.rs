//! An error, for people: what happened, where, and what to do next.

use std::io::IsTerminal;

use super::style::{ERROR, HINT, paint};
use crate::error::Error;

const WIDTH: usize = 100;

/// Prints the error on stderr.
pub fn print(error: &Error) {
    super::say(text(error).trim_end());
}

/// The error as it is printed.
pub fn text(error: &Error) -> String {
    if let Some(diagnostics) = &error.diagnostics {
        return super::diagnostics::render(diagnostics, std::io::stderr().is_terminal(), WIDTH);
    }
    let mut text = format!("{} {}\n", paint(ERROR, "error:"), error.message);
    if let Some(hint) = &error.hint {
        text.push_str(&format!(" {} {hint}\n", paint(HINT, "help:")));
    }
    text
}
