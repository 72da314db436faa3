//! Which characters steer a terminal instead of standing in a text: what others wrote is shown without them.

/// Control characters, and those that turn the direction of writing.
pub fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text from AWS or a file with what would steer a terminal made visible.
pub fn printable(text: &str) -> String {
    if !text.contains(steers) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| if steers(c) { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}
