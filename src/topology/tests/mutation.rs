//! Whatever stands in the file: errors, never a panic, and each error within the text; or a topology, which the schema
//! takes, too.

use std::sync::LazyLock;

use jsonschema::Validator;
use proptest::prelude::*;

use super::DRAWN;
use crate::report::diagnostics::render;
use crate::schema::{Document, schema};
use crate::topology::parse;

static SCHEMA: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::validator_for(&schema(Document::Topology)).expect("a schema"));

/// Pieces that have a meaning somewhere in the file.
const PIECES: &[&str] = &[
    "",
    "[",
    "]",
    "[[",
    "{",
    "}",
    "=",
    "\"",
    "'''",
    "\"\"\"",
    ",",
    ".",
    "#",
    "\n",
    "\r\n",
    "\t",
    "ü",
    "🦀",
    "\u{0}",
    "\u{feff}",
    "${",
    "${var.",
    "${var.account}",
    "${var.admin_cidr}}",
    "99999999999999999999",
    "-1",
    "0x",
    "1e9",
    "true",
    "1979-05-27",
    "[service.user]",
    "[database]",
    "[defaults]",
    "routes = 1",
    "count = 10000",
    "inf",
    "/",
    "10.0.0.0/16",
    "\\u00e9",
    "\\",
    "a.b.c = 1",
    "--",
    "name",
    "zone",
];

#[derive(Clone, Debug)]
enum Change {
    Insert(usize, &'static str),
    Remove(usize, usize),
    Copy(usize, usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0..DRAWN.len();
    prop_oneof![
        (at.clone(), prop::sample::select(PIECES))
            .prop_map(|(at, piece)| Change::Insert(at, piece)),
        (at.clone(), 1..60usize).prop_map(|(at, length)| Change::Remove(at, length)),
        (at.clone(), 1..200usize, at).prop_map(|(from, length, to)| Change::Copy(from, length, to)),
    ]
}

fn apply(text: &mut String, change: &Change) {
    let near = |text: &str, at: usize| {
        (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
    };
    match *change {
        Change::Insert(at, piece) => text.insert_str(near(text, at), piece),
        Change::Remove(at, length) => {
            let (start, end) = (near(text, at), near(text, at + length));
            text.replace_range(start..end, "");
        }
        Change::Copy(from, length, to) => {
            let piece = text[near(text, from)..near(text, from + length)].to_owned();
            text.insert_str(near(text, to), &piece);
        }
    }
}

fn holds(text: &str) {
    let Err(diagnostics) = parse("topology.toml", text, &[]) else {
        let value = toml::from_str(text).expect("TOML");
        let errors: Vec<String> = SCHEMA.iter_errors(&value).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{}\n{text}", errors.join("\n"));
        return;
    };
    assert!(!diagnostics.errors().is_empty());
    for error in diagnostics.errors() {
        for span in error.span.into_iter().chain(error.also.iter().map(|also| also.span)) {
            assert!(text.get(span.start..span.end).is_some(), "{error:?}");
        }
    }
    assert!(render(&diagnostics, false, 80).contains(" in topology.toml"));
}

proptest! {
    #[test]
    fn a_changed_file_never_panics(changes in prop::collection::vec(change(), 1..6)) {
        let mut text = DRAWN.to_owned();
        changes.iter().for_each(|change| apply(&mut text, change));
        holds(&text);
    }

    #[test]
    fn any_text_never_panics(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        holds(&pieces.concat());
    }
}

#[test]
fn deep_nesting_never_panics() {
    for open in ["[", "{a=", "[{a="] {
        holds(&format!("x = {}", open.repeat(20_000)));
    }
    holds(&format!("[{}a]", "a.".repeat(20_000)));
}
