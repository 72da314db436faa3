//! What people read steers no terminal: of control characters it has the ends of lines, and our own colours.

use anstyle::{AnsiColor, Style};

/// Expects nothing else in it.
#[track_caller]
pub fn neat(text: &str) {
    let colours =
        [AnsiColor::Green, AnsiColor::Yellow, AnsiColor::Red, AnsiColor::Magenta, AnsiColor::Cyan];
    let styles = [Style::new().bold(), Style::new().dimmed()].into_iter();
    let plain = colours.map(|colour| colour.on_default());
    let styles = styles.chain(plain).chain(plain.map(Style::bold));
    let marks = styles.flat_map(|style| [format!("{style}"), format!("{style:#}")]);
    let rest = marks.fold(text.to_owned(), |text, mark| text.replace(&mark, ""));
    if let Some(bad) = rest.chars().find(|c| steers(*c)) {
        let at = rest.find(bad).unwrap_or_default();
        let begin = rest.floor_char_boundary(at.saturating_sub(80));
        let end = rest.floor_char_boundary(at + 80);
        panic!("{bad:?} is in what people read: {:?}", &rest[begin..end]);
    }
}

fn steers(c: char) -> bool {
    (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
