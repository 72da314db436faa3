//! The live snapshot in the words of another tool, so that leaving costs nothing. Pure.

mod hcl;
mod names;
mod terraform;
#[cfg(test)]
mod tests;

pub use terraform::{Export, FILES, File, export};
