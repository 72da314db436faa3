//! Whole lives of the drawn system on the simulator, where AWS's own rules and times hold.

mod data;
mod lifecycle;
mod output;
mod random;
mod rolling;
mod services;
mod trouble;
mod world;
