//! ecdeploy provisions the classic AWS web shop from one `topology.toml`, by diffing it against the live account.

pub mod aws;
pub mod boot;
pub mod cli;
pub mod cloud;
pub mod cost;
pub mod desired;
pub mod diff;
pub mod error;
pub mod export;
pub mod graph;
pub mod iam;
pub mod kinds;
pub mod lock;
pub mod model;
pub mod plan;
pub mod policy;
pub mod preflight;
pub mod private;
mod process;
pub mod reconcile;
pub mod rehearsal;
pub mod report;
pub mod schema;
pub mod snapshot;
pub mod status;
pub mod topology;
pub mod trace;
