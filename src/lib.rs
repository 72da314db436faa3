//! ecdeploy provisions the classic AWS web shop from one `topology.toml`, by diffing it against the live account.

pub mod aws;
pub mod boot;
pub mod cli;
pub mod cloud;
pub mod desired;
pub mod diff;
pub mod error;
pub mod graph;
pub mod kinds;
pub mod lock;
pub mod model;
pub mod plan;
pub mod policy;
pub mod private;
mod process;
pub mod reconcile;
pub mod rehearsal;
pub mod report;
pub mod snapshot;
pub mod topology;
pub mod trace;
