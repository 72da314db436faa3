//! Which characters steer a terminal instead of standing in a text: what others wrote is shown without them.

/// Control characters, and those that turn the direction of writing.
pub fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
