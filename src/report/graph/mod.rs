//! The picture in each format. All text in it is from AWS or a file: each format escapes it in its own way.

mod details;
mod dot;
mod html;
mod mermaid;
mod nodes;
mod svg;
#[cfg(test)]
mod tests;
mod text;

pub use dot::dot;
pub use html::{figure, page};
pub use mermaid::mermaid;
pub use svg::svg;
pub use text::text;

use crate::model::printable;

/// Text for XML and HTML, between tags or in double quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Not for XML to hold.
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
