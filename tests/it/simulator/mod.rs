//! Whole lives of the drawn system on the simulator, where AWS's own rules and times hold.

mod blind;
mod data;
mod deaths;
mod expired;
mod ground;
mod handover;
mod killed;
mod lifecycle;
mod lifecycles;
mod locking;
mod moved;
mod output;
mod partly;
mod protect;
mod random;
mod recovery;
mod rehearsal;
mod replicas;
mod rolling;
mod rules;
mod scale;
mod scaling;
mod services;
mod stopping;
mod stuck;
mod trouble;
pub mod world;
