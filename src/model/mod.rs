//! The words every room speaks: addresses, bodies, tags, fingerprints, schemas, faults.

mod address;
mod body;
mod fault;
mod fingerprint;
mod health;
pub mod launch;
mod lease;
mod lookup;
mod observed;
mod pace;
mod permission;
mod schema;
mod steering;
mod tags;

pub use address::Address;
pub use body::{
    Body, Late, Link, Texts, from_body, late, reference, resolve, set_aside, sort_set, to_body,
    walk_late, with_texts,
};
pub use fault::{Class, Fault, INTERRUPTED, NOT_SENT, STILL};
pub use fingerprint::{Fingerprint, digest};
pub use health::{Serving, TargetHealth};
pub use lease::{Holder, Lease};
pub use lookup::{Lookup, covers};
pub use observed::{Created, Duty, Maintenance, Observed, Standing, Status};
pub use pace::{Bucket, Calls};
pub use permission::{ANYWHERE, Condition, Grant, Operation, Scope, Side};
pub use schema::{APPLY_IMMEDIATELY, Field, Need, OnChange, Phase, Reference, Schema, Timing};
pub use steering::{printable, steers};
pub use tags::{ADDRESS, APPLIED, LAUNCH, NAME, PROTECTED, TOPOLOGY, Tags};
