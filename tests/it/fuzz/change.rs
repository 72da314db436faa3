//! Changes to documents: to their trees, which keep them documents, and to their text, which may not.

use serde_json::{Map, Value, json};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Toml,
    Json,
    Text,
}

/// Pieces of text with a meaning somewhere, or none anywhere.
const PIECES: &[&str] = &[
    "",
    " ",
    "\n",
    "\r\n",
    "\0",
    "\t",
    "\u{1b}[45m",
    "\u{1b}]0;owned\u{7}",
    "\u{9b}45m",
    "\u{202e}",
    "\u{feff}",
    "\u{2028}",
    "ü",
    "🦀",
    "e\u{301}",
    "%",
    "%4",
    "%zz",
    "/",
    "//",
    "\\",
    "\"",
    "'",
    "'''",
    "`",
    "-",
    "--",
    ".",
    "..",
    "*",
    "?",
    "*a*a*a",
    "[",
    "]",
    "[[",
    "{",
    "}",
    "{}",
    "${",
    "${var.account}",
    "${service}",
    "$ref",
    "=",
    ",",
    ":",
    "#",
    "@",
    "0",
    "-1",
    "1e309",
    "99999999999999999999",
    "0x",
    "true",
    "null",
    "10.0.0.0/16",
    "0.0.0.0/0",
    "::/0",
    "10.0.0.0/33",
    "vpc.main",
    "instance.user-1",
    "target_group.user",
    "security_group.ec2",
    "db_instance.user",
    "arn:",
    "internal-",
    "ecommerce",
    "count = 3",
    "[service.user]",
    "[defaults.service]",
    "[[moved]]",
    "min_count = 2",
    "ready",
    "deleting",
    "sun:17:00-sun:17:30",
    "1:abcdefghijkl",
    "instance.user-1 3 5",
    "heritage=ecdeploy,",
];

/// What stands in for values: of every type, and at the ends of each.
fn value(number: u64) -> Value {
    let all = [
        Value::Null,
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(1),
        json!(65_536),
        json!(u32::MAX),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e308),
        json!(0.5),
        json!(""),
        json!([]),
        json!({}),
        json!([[[]]]),
        json!({ "$ref": "vpc.main" }),
        json!({ "$ref": "instance.user-1", "output": "arn" }),
        json!({ "$ref": "\u{1b}.\n" }),
        json!({ "$ssm": "/a" }),
        json!({ "$zone": 1 }),
    ];
    all[choose(number, all.len())].clone()
}

pub fn choose(number: u64, among: usize) -> usize {
    usize::try_from(number % among.max(1) as u64).unwrap_or(0)
}

/// The document with these changes: each a place, and what happens there.
pub fn changed(text: &str, form: Form, changes: &[(u64, u64)]) -> String {
    let in_tree = |what: &u64| form != Form::Text && !what.is_multiple_of(4);
    let tree: Vec<_> = changes.iter().filter(|(_, what)| in_tree(what)).collect();
    let mut text = text.to_owned();
    if !tree.is_empty()
        && let Some(mut root) = parsed(&text, form)
    {
        tree.iter().for_each(|(place, what)| change(&mut root, *place, what / 4));
        text = written(&root, form).unwrap_or(text);
    }
    for (place, what) in changes.iter().filter(|(_, what)| !in_tree(what)) {
        respell(&mut text, *place, what / 4);
    }
    text
}

fn parsed(text: &str, form: Form) -> Option<Value> {
    match form {
        Form::Toml => toml::from_str(text).ok(),
        Form::Json => serde_json::from_str(text).ok(),
        Form::Text => None,
    }
}

fn written(root: &Value, form: Form) -> Option<String> {
    match form {
        Form::Json => Some(root.to_string()),
        _ => toml::to_string(&without_null(root)).ok(),
    }
}

/// TOML has no null.
fn without_null(value: &Value) -> Value {
    match value {
        Value::Null => json!(""),
        Value::Array(items) => items.iter().map(without_null).collect(),
        Value::Object(map) => {
            map.iter().map(|(key, item)| (key.clone(), without_null(item))).collect()
        }
        other => other.clone(),
    }
}

fn change(root: &mut Value, place: u64, what: u64) {
    let size = size(root);
    let (what, how) = (what % 12, what / 12);
    let other = nth(root, &mut choose(how, size)).cloned();
    let Some(at) = nth(root, &mut choose(place, size)) else { return };
    match (what, &mut *at) {
        (0 | 1, _) => *at = value(how),
        (2, Value::Object(map)) => drop(take(map, how)),
        (2, Value::Array(items)) if !items.is_empty() => {
            items.remove(choose(how, items.len()));
        }
        (3, Value::Array(items)) if !items.is_empty() => {
            let again = items[choose(how, items.len())].clone();
            let times = [1, 2, 100][choose(how / 7, 3)];
            items.extend(std::iter::repeat_n(again, times));
        }
        (3 | 4, Value::Object(map)) => {
            if let Some((key, item)) = take(map, how) {
                let new = spelt(&key, how);
                if what == 3 {
                    map.insert(key, item.clone());
                }
                map.insert(new, item);
            }
        }
        (5, _) => {
            let deep = std::mem::take(at);
            let nest = |inner, n| if n % 2 == 0 { json!([inner]) } else { json!({ "a": inner }) };
            *at = (0..how % 120).fold(deep, nest);
        }
        (6, Value::String(text)) => *text = "a".repeat([300, 5_000, 70_000][choose(how, 3)]),
        (7 | 8, _) => *at = other.unwrap_or_default(),
        (9, Value::Number(number)) => {
            let near = number.as_i64().unwrap_or(0);
            *at = json!(near.wrapping_add([1, -1, 10, 1000][choose(how, 4)]));
        }
        (_, Value::String(text)) => *text = spelt(text, how),
        _ => *at = value(how),
    }
}

fn take(map: &mut Map<String, Value>, which: u64) -> Option<(String, Value)> {
    let key = map.keys().nth(choose(which, map.len()))?.clone();
    map.remove_entry(&key)
}

fn spelt(text: &str, how: u64) -> String {
    let mut text = text.to_owned();
    respell(&mut text, how, how / 3);
    text
}

fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(map) => map.values().map(size).sum(),
        _ => 0,
    }
}

fn nth<'a>(value: &'a mut Value, at: &mut usize) -> Option<&'a mut Value> {
    if *at == 0 {
        return Some(value);
    }
    *at -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, at)),
        Value::Object(map) => map.values_mut().find_map(|item| nth(item, at)),
        _ => None,
    }
}

fn respell(text: &mut String, place: u64, what: u64) {
    let near = |text: &str, at: usize| text.floor_char_boundary(at.min(text.len()));
    let at = near(text, choose(place, text.len() + 1));
    let (what, how) = (what % 8, what / 8);
    let end = near(text, at + choose(how, 40));
    match what {
        0..=2 => text.insert_str(at, PIECES[choose(how, PIECES.len())]),
        3 => text.replace_range(at..end, ""),
        4 => text.replace_range(at..end, PIECES[choose(how, PIECES.len())]),
        5 => {
            let from = near(text, choose(how, text.len() + 1));
            let piece = text[from..near(text, from + choose(place, 200))].to_owned();
            text.insert_str(at, &piece);
        }
        6 => *text = text.replace('\n', "\r\n"),
        _ => text.insert_str(at, &PIECES[choose(how, PIECES.len())].repeat(200)),
    }
}
