//! What there is to say of a thing, for who looks at it closer.

use serde_json::Value;

use crate::diff::Cause;
use crate::graph::Picture;
use crate::model::{Address, late};
use crate::report::value::{line, opening};

/// No value takes more room than this.
const LONGEST: usize = 160;

/// The sign's word and its reason, one line for each field that a plan changes.
pub fn news(picture: &Picture, address: &Address) -> Vec<String> {
    let Some(mark) = picture.mark(address) else { return Vec::new() };
    let reason = mark.reason.as_deref().filter(|reason| *reason != mark.sign.word());
    let first = match reason {
        Some(reason) if reason.starts_with(mark.sign.word()) => shown(&reason.into()),
        Some(reason) => format!("{}: {}", mark.sign.word(), shown(&reason.into())),
        None => mark.sign.word().to_owned(),
    };
    let fields = mark.change.iter().flat_map(|change| &change.fields).map(|field| {
        let before = field.before.as_ref().map_or_else(|| "(unknown)".to_owned(), shown);
        let why = match field.cause {
            Cause::Change => "",
            Cause::Drift | Cause::Both => "  (drift: the account was changed)",
            Cause::Replaced => "  (what it names is replaced)",
        };
        let after = shown(&field.after);
        // Of long values, the opening may be all the same.
        match before == after {
            true => format!("{}: {after}, changed{why}", field.field),
            false => format!("{}: {before} \u{2192} {after}{why}", field.field),
        }
    });
    [first].into_iter().chain(fields).collect()
}

/// Every field with its value.
pub fn fields(picture: &Picture, address: &Address) -> Vec<(String, String)> {
    let body = picture.body(address).into_iter().flatten();
    body.filter(|(_, value)| !value.is_null())
        .map(|(field, value)| (field.clone(), shown(value)))
        .collect()
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) if text.contains('\n') => opening(text),
        value if late(value).is_none() && value.is_object() => value.to_string(),
        value => line(value, &|_| None),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST).chain(['\u{2026}']).collect()
}
