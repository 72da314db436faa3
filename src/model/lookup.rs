//! What the account holds that no topology manages, named in a body and looked up when the plan is made.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A question to the account, whose answer stands in for a value.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub enum Lookup {
    /// A public SSM parameter: its value.
    Parameter(String),
    /// A certificate of ACM by its domain, or by its ARN to have it checked: its ARN.
    Certificate(String),
    /// A public hosted zone of Route 53 by its name: its id.
    Zone(String),
}

const PARAMETER: &str = "$ssm";
const CERTIFICATE: &str = "$certificate";
const ZONE: &str = "$zone";

impl Lookup {
    /// As it stands in a body.
    pub fn to_value(&self) -> Value {
        let (key, name) = self.parts();
        json!({ key: name })
    }

    pub(super) fn from_map(map: &Map<String, Value>) -> Option<Self> {
        [PARAMETER, CERTIFICATE, ZONE]
            .into_iter()
            .find_map(|key| Self::from_parts(key, map.get(key)?.as_str()?))
    }

    fn parts(&self) -> (&'static str, &str) {
        match self {
            Lookup::Parameter(path) => (PARAMETER, path),
            Lookup::Certificate(domain) => (CERTIFICATE, domain),
            Lookup::Zone(name) => (ZONE, name),
        }
    }

    fn from_parts(key: &str, name: &str) -> Option<Self> {
        let name = name.to_owned();
        match key {
            PARAMETER => Some(Lookup::Parameter(name)),
            CERTIFICATE => Some(Lookup::Certificate(name)),
            ZONE => Some(Lookup::Zone(name)),
            _ => None,
        }
    }
}

impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, name) = self.parts();
        write!(f, "{} {name}", key.trim_start_matches('$'))
    }
}

impl FromStr for Lookup {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split_once(' ')
            .and_then(|(key, name)| Self::from_parts(&format!("${key}"), name))
            .ok_or_else(|| format!("`{text}` is no lookup; one looks like `zone example.com`"))
    }
}

impl TryFrom<String> for Lookup {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Lookup> for String {
    fn from(lookup: Lookup) -> Self {
        lookup.to_string()
    }
}

/// Whether a certificate's name is for the domain: a wildcard stands for one label.
pub fn covers(name: &str, domain: &str) -> bool {
    let wild = name
        .strip_prefix("*.")
        .zip(domain.split_once('.'))
        .is_some_and(|(parent, (_, rest))| parent.eq_ignore_ascii_case(rest));
    wild || name.eq_ignore_ascii_case(domain)
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_wildcard_stands_for_one_label() {
        for (name, domain, expected) in [
            ("shop.example.com", "shop.example.com", true),
            ("Shop.Example.com", "shop.example.com", true),
            ("*.example.com", "shop.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "a.shop.example.com", false),
            ("*.example.com", "shop.example.org", false),
            ("example.com", "shop.example.com", false),
        ] {
            assert_eq!(covers(name, domain), expected, "{name} for {domain}");
        }
    }
}
