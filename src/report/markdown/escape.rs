//! Text of others in Markdown: so that it stands there as it is, and nothing in it is markup, a link or a mention.

use crate::report::printable;

/// A span of code: in it nothing is markup. <https://spec.commonmark.org/0.31.2/#code-spans>
pub fn span(text: &str) -> String {
    let text = printable(text);
    if text.trim().is_empty() {
        return "` `".to_owned();
    }
    let ticks = "`".repeat(longest_run(&text) + 1);
    // A tick at its edge would belong to the fence, and a blank on both sides is taken off.
    let edge = |c: char| c == '`' || c == ' ';
    let blank = if text.starts_with(edge) || text.ends_with(edge) { " " } else { "" };
    format!("{ticks}{blank}{text}{blank}{ticks}")
}

/// Text within HTML, where Markdown does not reach.
pub fn html(text: &str) -> String {
    printable(text)
        .chars()
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            '\'' => "&#39;".to_owned(),
            c => c.to_string(),
        })
        .collect()
}

/// The fence for a block of code that has these texts in it.
pub fn fence<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let longest = texts.into_iter().map(longest_run).max().unwrap_or(0);
    "`".repeat((longest + 1).max(3))
}

/// How many ticks follow each other at most.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_stays_code_whatever_is_in_it() {
        for (text, code) in [
            ("instance.user-1", "`instance.user-1`"),
            ("a`b", "``a`b``"),
            ("``", "``` `` ```"),
            (" x ", "`  x  `"),
            ("", "` `"),
            ("a\nb", "`a\\nb`"),
        ] {
            assert_eq!(span(text), code);
        }
        assert_eq!(fence(["no ticks"]), "```");
        assert_eq!(fence(["", "````x```"]), "`````");
        assert_eq!(html("<b> & \"'"), "&lt;b&gt; &amp; &quot;&#39;");
    }
}
