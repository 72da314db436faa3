//! Versions of engines, as AWS writes them: `16.8`, `7.1.0`; and shorter ones that stand for all of theirs: `16`, `6.x`.

use std::collections::BTreeSet;

/// Whether a version is one of those that another, shorter one stands for: `16.8` of `16`.
pub fn is_of(version: &str, short: &str) -> bool {
    let short = short.trim_end_matches(".x");
    version.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// By which versions are ordered.
pub fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map_while(|part| part.parse().ok()).collect()
}

/// Whether it is surely older: `7.0` than `7.1.0`, but not `7`, which may be either.
pub fn is_older(version: &str, than: &str) -> bool {
    let pairs = numbers(version).into_iter().zip(numbers(than));
    pairs.into_iter().find(|(one, other)| one != other).is_some_and(|(one, other)| one < other)
}

pub fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or_default()
}

/// In their order.
pub fn sorted(versions: BTreeSet<String>) -> Vec<String> {
    let mut versions: Vec<String> = versions.into_iter().collect();
    versions.sort_by_key(|version| numbers(version));
    versions
}

#[cfg(test)]
mod tests {
    use super::{is_of, is_older};

    #[test]
    fn a_short_version_stands_for_all_of_its_own() {
        for (version, short, expected) in [
            ("16.8", "16", true),
            ("16.8", "16.8", true),
            ("16.10", "16.1", false),
            ("6.2", "6.x", true),
            ("17.1", "16", false),
        ] {
            assert_eq!(is_of(version, short), expected, "{version} of {short}");
        }
    }

    #[test]
    fn what_may_be_as_new_is_not_older() {
        for (version, than, expected) in [
            ("16.8", "17.1", true),
            ("16.8", "16.10", true),
            ("16.10", "16.8", false),
            ("16", "16.8", false),
            ("7.0", "7.1.0", true),
            ("7.1", "7.1.0", false),
            ("6.x", "6.2.6", false),
            ("6.x", "7.1.0", true),
            ("5.0.5", "5.0.6", true),
        ] {
            assert_eq!(is_older(version, than), expected, "{version} than {than}");
        }
    }
}
