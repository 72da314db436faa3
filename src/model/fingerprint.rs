//! What was last applied, field by field, small enough for a tag.
//!
//! A tag value holds 256 characters, too few for a body. It holds six characters for each field: a hash of the
//! field's name and value. So for every field we can ask "is this what we last applied?" of the file's value and of
//! the live one, and tell a change of the file from drift of the account.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

const VERSION: &str = "1:";
const CHARS: usize = 6;

/// The set of field values that were last applied to a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint(BTreeSet<String>);

impl Fingerprint {
    pub fn insert(&mut self, field: &str, value: &Value) {
        self.0.insert(hash(field, value));
    }

    /// Whether `value` is what was last applied to `field`.
    pub fn holds(&self, field: &str, value: &Value) -> bool {
        self.0.contains(&hash(field, value))
    }

    /// Reads a tag's value. A tag that we did not write reads as "nothing applied".
    pub fn parse(tag: &str) -> Self {
        let hashes = tag.strip_prefix(VERSION).unwrap_or_default();
        Self(
            hashes
                .as_bytes()
                .chunks_exact(CHARS)
                .filter_map(|chunk| std::str::from_utf8(chunk).ok())
                .map(str::to_owned)
                .collect(),
        )
    }

    /// The tag's value.
    pub fn to_tag(&self) -> String {
        let mut tag = String::from(VERSION);
        tag.extend(self.0.iter().map(String::as_str));
        tag
    }
}

impl<'a> FromIterator<(&'a str, &'a Value)> for Fingerprint {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a Value)>>(fields: I) -> Self {
        let mut fingerprint = Self::default();
        for (field, value) in fields {
            fingerprint.insert(field, value);
        }
        fingerprint
    }
}

fn hash(field: &str, value: &Value) -> String {
    let mut sha = Sha256::new();
    sha.update(field.as_bytes());
    sha.update([0]);
    sha.update(value.to_string().as_bytes());
    let mut encoded = URL_SAFE_NO_PAD.encode(sha.finalize());
    encoded.truncate(CHARS);
    encoded
}

/// A hash of some bytes, in hexadecimal digits.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
