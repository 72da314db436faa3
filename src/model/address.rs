//! `instance.user-1`: the name under which a resource stands in the topology, in tags and in output.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::steers;

/// A resource's address: its kind, a dot, and its name within the kind.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = r"^[^.]+\..+$"))]
pub struct Address {
    kind: String,
    name: String,
}

impl Address {
    pub fn new(kind: &str, name: &str) -> Self {
        Self { kind: kind.to_owned(), name: name.to_owned() }
    }

    pub fn kind(&self) -> &str {
        &self.kind
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{}", self.kind, self.name))
    }
}

/// It comes from tags, too, which anybody may have written: with characters in it that steer a terminal it is none.
impl FromStr for Address {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        match s.split_once('.') {
            Some((kind, name)) if !kind.is_empty() && !name.is_empty() && !s.contains(steers) => {
                Ok(Self::new(kind, name))
            }
            _ => Err(format!("`{s}` is not an address; one looks like `instance.user-1`")),
        }
    }
}

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(s: String) -> Result<Self, String> {
        s.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}
