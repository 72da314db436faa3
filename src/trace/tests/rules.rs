//! Paths, patterns, and which rule wins.

use proptest::prelude::*;

use super::*;
use crate::error::{Error, ErrorKind};
use crate::trace::{Choice, Rule, choose, covers, matches};

fn wrong(path: &str) -> Error {
    path.parse::<Request>().expect_err(path)
}

#[test]
fn a_pattern_takes_what_aws_says_it_takes() {
    let takes = [
        ("/api/users/*", "/api/users/1"),
        ("/api/users/*", "/api/users/"),
        ("/api/users/*", "/api/users/1/orders"),
        ("/api/*/orders", "/api/users/1/orders"),
        ("/img/*.jpg", "/img/a.b.jpg"),
        ("/v?/x", "/v1/x"),
        ("/v?/x", "/v//x"),
        ("*", "/"),
        ("/*", "/"),
        ("/a*b*c", "/abbbcabc"),
        ("/", "/"),
    ];
    for (pattern, path) in takes {
        assert!(matches(pattern, path), "{pattern} takes {path}");
    }
    let refuses = [
        ("/api/users/*", "/api/users"),
        ("/api/users/*", "/API/users/1"),
        ("/api/users/*", "/v1/api/users/1"),
        ("/v?/x", "/v/x"),
        ("/v?/x", "/v12/x"),
        ("/a*b*c", "/abbb"),
        ("/", "/index.html"),
        ("", "/"),
    ];
    for (pattern, path) in refuses {
        assert!(!matches(pattern, path), "{pattern} does not take {path}");
    }
}

#[test]
fn a_pattern_covers_another_that_it_takes_all_of() {
    for (wider, narrower) in [
        ("/api/*", "/api/users/*"),
        ("*", "/a?b"),
        ("/a?", "/ab"),
        ("/a?", "/a?"),
        ("/x/*", "/x/*"),
    ] {
        assert!(covers(wider, narrower), "{wider} covers {narrower}");
    }
    for (pattern, other) in
        [("/api/users/*", "/api/*"), ("/a?", "/a*"), ("/a", "/a?"), ("/api/*", "/api*")]
    {
        assert!(!covers(pattern, other), "{pattern} does not cover {other}");
    }
}

#[test]
fn the_query_and_the_fragment_are_no_part_of_the_path() {
    let request: Request = "/api/users/1?q=/x/*#top".parse().unwrap();
    assert_eq!(request, Request { path: "/api/users/1".into(), query: Some("q=/x/*".into()) });
}

#[test]
fn what_is_no_path_is_a_usage_error_with_a_hint() {
    let cases = [
        ("api/users", "no leading slash", "did you mean /api/users"),
        ("", "no leading slash", "did you mean /"),
        (
            "https://shop.example/api/users?x=1",
            "an address, not a path",
            "the path alone: /api/users",
        ),
        ("https://shop.example", "an address, not a path", "the path alone: /"),
        ("/a b", "` `", "%20"),
        ("/caf\u{e9}", "\\u{e9}", "%C3%A9"),
        ("/a\u{1b}[2J", "\\u{1b}", "%1B"),
        ("/100%", "`%`", "%25"),
        ("/%g1", "`%g1`", "%25"),
        ("/%\u{e9}", "\\u{e9}", "%C3%A9"),
    ];
    for (path, message, hint) in cases {
        let error = wrong(path);
        assert_eq!(error.kind, ErrorKind::Usage);
        assert!(error.message.contains(message), "{path}: {}", error.message);
        let found = error.hint.unwrap_or_default();
        assert!(found.contains(hint), "{path}: {found}");
    }
}

fn listed(list: &[(u64, &str)]) -> Vec<Rule> {
    list.iter()
        .map(|(priority, pattern)| Rule {
            address: Address::new("listener_rule", &format!("r{priority}")),
            priority: *priority,
            patterns: pattern.split(' ').map(str::to_owned).collect(),
            target_group: None,
        })
        .collect()
}

fn priorities<'a>(rules: impl IntoIterator<Item = &'a Rule>) -> Vec<u64> {
    rules.into_iter().map(|rule| rule.priority).collect()
}

#[test]
fn the_lowest_priority_that_matches_wins_however_general_it_is() {
    let rules = listed(&[(30, "/api/users/1"), (20, "/api/*"), (10, "/img/*"), (40, "/web/*")]);
    let Choice { winner, passed, beaten } = choose(&rules, "/api/users/1");
    assert_eq!(winner.map(|(rule, pattern)| (rule.priority, pattern)), Some((20, "/api/*")));
    assert_eq!(priorities(passed), [10]);
    assert_eq!(priorities(beaten.into_iter().map(|(rule, _)| rule)), [30]);
}

#[test]
fn any_of_a_rules_patterns_will_do() {
    let rules = listed(&[(1, "/a /b /c")]);
    assert_eq!(choose(&rules, "/b").winner.map(|(_, pattern)| pattern), Some("/b"));
    assert_eq!(choose(&rules, "/d").winner, None);
}

#[test]
fn a_rule_without_a_path_takes_nothing() {
    let mut rules = listed(&[(1, "*")]);
    rules[0].patterns.clear();
    assert_eq!(choose(&rules, "/").winner, None);
}

fn pattern() -> impl Strategy<Value = String> {
    "/[ab*?/]{0,5}"
}

/// The definition, without cleverness.
fn plainly(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        [] => path.is_empty(),
        [b'*', rest @ ..] => (0..=path.len()).any(|at| plainly(rest, &path[at..])),
        [first, rest @ ..] => {
            !path.is_empty() && (*first == b'?' || *first == path[0]) && plainly(rest, &path[1..])
        }
    }
}

proptest! {
    #[test]
    fn matching_is_what_its_definition_says(pattern in pattern(), path in "/[ab/]{0,7}") {
        prop_assert_eq!(matches(&pattern, &path), plainly(pattern.as_bytes(), path.as_bytes()));
    }

    #[test]
    fn what_is_covered_is_never_more(wider in pattern(), narrower in pattern(), path in "/[ab/]{0,6}") {
        if covers(&wider, &narrower) && matches(&narrower, &path) {
            prop_assert!(matches(&wider, &path));
        }
    }

    #[test]
    fn the_winner_is_the_matching_rule_of_lowest_priority(
        list in prop::collection::btree_map(1..50u64, pattern(), 0..8)
            .prop_map(|map| map.into_iter().collect::<Vec<_>>())
            .prop_shuffle(),
        path in "/[ab/]{0,5}",
    ) {
        let pairs: Vec<(u64, &str)> = list.iter().map(|(n, pattern)| (*n, pattern.as_str())).collect();
        let rules = listed(&pairs);
        let choice = choose(&rules, &path);
        let taking = || rules.iter().filter(|rule| matches(&rule.patterns[0], &path));
        let best = taking().map(|rule| rule.priority).min();
        prop_assert_eq!(choice.winner.map(|(rule, _)| rule.priority), best);
        // Each rule that matches is accounted for, and so is each that was asked.
        prop_assert_eq!(taking().count(), choice.beaten.len() + usize::from(best.is_some()));
        let asked = rules.iter().filter(|rule| best.is_none_or(|best| rule.priority < best)).count();
        prop_assert_eq!(choice.passed.len(), asked);
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = text.parse::<Request>();
        let _ = matches(&text, &text);
    }
}
