//! The lock on a topology, as it stands in the account.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Who holds a lock, for people to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Told apart from any other by this.
    pub id: String,
    pub command: String,
    pub user: String,
    pub host: String,
    pub process: u32,
    /// Where the process number means something: one boot of one machine, one container.
    pub place: String,
    /// RFC 3339, UTC.
    pub since: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, user, host, process, since, .. } = self;
        write!(f, "`ecdeploy {command}` of {user} on {host} (process {process}), since {since}")
    }
}

/// One lock in the account. Each that takes over has a higher number than the one that it takes over from, so that of
/// two that try, one succeeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub number: u64,
    pub holder: Holder,
    /// Since it was last renewed.
    pub age: Duration,
    /// It counts up with each renewal.
    pub version: i64,
}
