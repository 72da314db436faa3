//! An error, for people: what happened, where, and what to do next.

use std::io::IsTerminal;

use super::style::{ERROR, HINT, paint};
use super::value::printable;
use crate::error::Error;
use crate::topology::Diagnostics;

const WIDTH: usize = 100;

/// Prints the error on stderr.
pub fn print(error: &Error) {
    let text = text(error);
    match diagnostics(error) {
        // Marks below a line of a file stand where they belong.
        Some(_) => super::screen::say(text.trim_end()),
        None => super::say(text.trim_end()),
    }
}

/// What the topology file is to blame for, if it is.
pub fn diagnostics(error: &Error) -> Option<&Diagnostics> {
    std::error::Error::source(error)?.downcast_ref()
}

/// The error as it is printed.
pub fn text(error: &Error) -> String {
    if let Some(diagnostics) = diagnostics(error) {
        return super::diagnostics::render(diagnostics, std::io::stderr().is_terminal(), WIDTH);
    }
    let mut text = format!("{} {}\n", paint(ERROR, "error:"), printable(&error.message));
    if let Some(hint) = &error.hint {
        text.push_str(&format!(" {} {}\n", paint(HINT, "help:"), printable(hint)));
    }
    text
}
