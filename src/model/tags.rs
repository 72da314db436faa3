//! The tags by which a resource is known as ours.

use std::collections::BTreeMap;

/// A resource's tags by key.
pub type Tags = BTreeMap<String, String>;

/// The topology's name. A resource without it is never changed or deleted.
pub const TOPOLOGY: &str = "ecdeploy:topology";
/// The resource's address, `instance.user-1`.
pub const ADDRESS: &str = "ecdeploy:address";
/// The addresses of all that one call made, for as long as each has no tag of its own yet.
pub const LAUNCH: &str = "ecdeploy:launch";
/// The fingerprint of what was last applied.
pub const APPLIED: &str = "ecdeploy:applied";
/// `true` on what may be neither deleted nor replaced; it holds when the file no longer says so, too.
pub const PROTECTED: &str = "ecdeploy:protected";
/// What AWS's console shows.
pub const NAME: &str = "Name";
