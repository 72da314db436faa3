//! How wide a text is, about: the picture does not know the fonts it is drawn with.

/// The widths of an average character, in hundredths of the font's size.
const NARROW: i32 = 58;
const WIDE: i32 = 110;

fn hundredths(c: char) -> i32 {
    // Hangul, CJK and the like fill a square.
    if c >= '\u{1100}' { WIDE } else { NARROW }
}

/// The width of a text in a font of this size.
pub fn width(text: &str, size: i32) -> i32 {
    let all = text.chars().fold(0i32, |sum, c| sum.saturating_add(hundredths(c)));
    all.saturating_mul(size) / 100
}

/// The text, cut where it would be wider than this.
pub fn fit(text: &str, size: i32, wide: i32) -> String {
    if width(text, size) <= wide {
        return text.to_owned();
    }
    let mut left = wide * 100 / size.max(1) - NARROW;
    let kept = text.chars().take_while(|c| {
        left -= hundredths(*c);
        left >= 0
    });
    let mut kept: String = kept.collect();
    kept.push('\u{2026}');
    kept
}
