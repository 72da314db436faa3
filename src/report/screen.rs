//! A terminal on which something stands and changes in place, rather than roll by.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};

use super::value::width;

/// Between these a terminal that can shows nothing: what is half drawn is never seen.
const BEGIN: &str = "\x1b[?2026h";
const END: &str = "\x1b[?2026l";
const REST_OF_LINE: &str = "\x1b[K";
const REST_OF_SCREEN: &str = "\x1b[J";

/// The lines that stand below all that is said on stderr. A process has one such place.
static BLOCK: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The size of the terminal that stderr is, in columns and rows; nothing where nothing can stand on it.
pub fn size() -> Option<(usize, usize)> {
    of(&io::stderr())
}

#[cfg(unix)]
fn of(stream: &(impl IsTerminal + std::os::fd::AsFd)) -> Option<(usize, usize)> {
    measured(stream.is_terminal(), terminal_size::terminal_size_of(stream))
}

#[cfg(not(unix))]
fn of(stream: &(impl IsTerminal + std::os::windows::io::AsHandle)) -> Option<(usize, usize)> {
    measured(stream.is_terminal(), terminal_size::terminal_size_of(stream))
}

fn measured(
    terminal: bool,
    size: Option<(terminal_size::Width, terminal_size::Height)>,
) -> Option<(usize, usize)> {
    let dumb = std::env::var_os("TERM").is_some_and(|kind| kind == "dumb");
    let (columns, rows) = size.filter(|_| terminal && !dumb)?;
    (columns.0 > 0 && rows.0 > 0).then(|| (columns.0.into(), rows.0.into()))
}

/// Has these lines stand on stderr, in place of those that stood there. None may be wider than the terminal.
pub fn stand(lines: Vec<String>) {
    let mut block = block();
    if *block != lines {
        let frame = frame(&block, "", &lines, columns());
        write(&mut io::stderr(), &frame);
        *block = lines;
    }
}

/// Says something above what stands on stderr.
pub fn say(text: &str) {
    let block = block();
    if block.is_empty() {
        let _ = writeln!(anstream::stderr(), "{text}");
    } else {
        write(&mut io::stderr(), &frame(&block, &format!("{text}\n"), &block, columns()));
    }
}

/// Takes away what stands on stderr.
pub fn clear() {
    stand(Vec::new());
}

fn block() -> MutexGuard<'static, Vec<String>> {
    BLOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

fn columns() -> usize {
    size().map_or(usize::MAX, |(columns, _)| columns)
}

/// What brings the terminal from the old lines to the new ones, with a text above. The cursor always stands at the begin of
/// the line below: what a terminal echoes there, as it does `^C`, is overwritten.
fn frame(old: &[String], text: &str, new: &[String], columns: usize) -> String {
    // A terminal that got narrower has broken them.
    let height = |line: &String| plain_width(line).div_ceil(columns.max(1)).max(1);
    let up: usize = old.iter().map(height).sum();
    let mut frame = format!("{BEGIN}\r");
    if up > 0 {
        frame.push_str(&format!("\x1b[{up}A"));
    }
    if !text.is_empty() {
        frame.push_str(REST_OF_SCREEN);
        frame.push_str(&shown(text));
    }
    for line in new {
        frame.push_str(&format!("{}{REST_OF_LINE}\n", shown(line)));
    }
    frame.push_str(REST_OF_SCREEN);
    frame.push_str(END);
    frame
}

/// Without its colours, where none are wanted.
fn shown(text: &str) -> String {
    match AutoStream::choice(&io::stderr()) {
        ColorChoice::Never => strip_str(text).to_string(),
        _ => text.to_owned(),
    }
}

fn plain_width(line: &str) -> usize {
    width(&strip_str(line).to_string())
}

/// In one piece, so that no terminal shows half of it.
fn write(to: &mut impl Write, frame: &str) {
    let _ = to.write_all(frame.as_bytes()).and_then(|()| to.flush());
}

/// The whole of the terminal that stdout is, lent for a while: what stood on it comes back.
pub struct Whole(());

impl Whole {
    /// Nothing where stdout is no terminal.
    pub fn open() -> Option<Self> {
        of(&io::stdout())?;
        write(&mut io::stdout(), "\x1b[?1049h\x1b[?25l");
        Some(Self(()))
    }

    pub fn size(&self) -> Option<(usize, usize)> {
        of(&io::stdout())
    }

    /// Draws a text, which fits, over what was drawn before.
    pub fn draw(&self, text: &str) {
        let plain = AutoStream::choice(&io::stdout()) == ColorChoice::Never;
        let text = if plain { strip_str(text).to_string() } else { text.to_owned() };
        let mut frame = format!("{BEGIN}\x1b[H");
        for (number, line) in text.lines().enumerate() {
            frame.push_str(if number > 0 { "\n" } else { "" });
            frame.push_str(&format!("{line}{REST_OF_LINE}"));
        }
        // From the begin of the next line on: in the last column, it would take the last letter.
        frame.push_str(&format!("{REST_OF_SCREEN}{END}"));
        write(&mut io::stdout(), &frame);
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        write(&mut io::stdout(), "\x1b[?25h\x1b[?1049l");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(all: &[&str]) -> Vec<String> {
        all.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn what_stands_is_drawn_over_from_its_first_line() {
        let frame = frame(&lines(&["one", "two"]), "", &lines(&["three"]), 80);
        assert!(frame.contains("\r\x1b[2Athree\x1b[K\n\x1b[J"), "{frame:?}");
    }

    #[test]
    fn a_terminal_that_got_narrower_has_broken_the_lines() {
        let wide = lines(&["123456789", "", "12345"]);
        let frame = frame(&wide, "", &[], 5);
        assert!(frame.contains("\x1b[4A"), "{frame:?}");
    }

    #[test]
    fn what_is_said_stays_above() {
        let standing = lines(&["bar"]);
        let frame = frame(&standing, "failed\n", &standing, 80);
        assert!(frame.contains("\x1b[1A\x1b[Jfailed\nbar\x1b[K\n"), "{frame:?}");
    }
}
