//! What a topology costs a month, and what a plan changes of it: bodies x prices -> an estimate. Pure.

mod billed;
mod estimate;
mod money;
mod prices;
#[cfg(test)]
mod tests;

pub use billed::{Item, List, items};
pub use estimate::{Costs, Estimate, Line, costs, estimate};
pub use money::Money;
pub use prices::Prices;
