//! Whole lives of the drawn system on the simulator, where AWS's own rules and times hold.

mod data;
mod lifecycle;
mod locking;
mod moved;
mod output;
mod partly;
mod protect;
mod random;
mod rehearsal;
mod replicas;
mod rolling;
mod rules;
mod scale;
mod scaling;
mod services;
mod trouble;
pub mod world;
