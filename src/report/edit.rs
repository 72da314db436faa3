//! What an edit of the topology file changes, for people: its lines, old and new.

use std::fmt::Write;

use super::style::{CREATE, DELETE, paint};
use super::value::printable;

/// The lines that differ. The edit takes no line away: it replaces some, and adds others.
pub fn text(file: &str, before: &str, after: &str) -> String {
    let mut text = String::new();
    let mut old = before.lines().peekable();
    let new: Vec<&str> = after.lines().collect();
    for (n, line) in new.iter().enumerate() {
        if old.peek() == Some(line) {
            old.next();
            continue;
        }
        let _ = writeln!(text, "{}:{}", printable(file), n + 1);
        let added = old.peek().is_none_or(|old| new.get(n + 1) == Some(old));
        if let Some(gone) = if added { None } else { old.next() } {
            let _ = writeln!(text, "  {} {}", paint(DELETE, "-"), printable(gone));
        }
        let _ = writeln!(text, "  {} {}", paint(CREATE, "+"), printable(line));
    }
    text
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    #[test]
    fn replaced_and_added_lines_are_shown_with_their_numbers() {
        let before = "[a]\ncount = 2 # two\nport = 1\n[b]\nport = 2\n";
        let after = "[a]\ncount = 4 # two\nport = 1\n[b]\ncount = 3\nport = 2\n";
        let shown = super::text("shop.toml", before, after);
        assert_eq!(
            strip_str(&shown).to_string(),
            "shop.toml:2\n  - count = 2 # two\n  + count = 4 # two\nshop.toml:5\n  + count = 3\n"
        );
        assert_eq!(super::text("shop.toml", after, after), "");
    }
}
