//! A request's way through the system: bodies in, a walk out. Pure; the file's bodies and the account's are walked alike.

mod audit;
mod choice;
mod firewall;
mod hop;
mod network;
mod party;
mod path;
mod scene;
mod stops;
mod walk;

pub use audit::{Audit, Route, audit};
pub use choice::{Choice, Rule, choose};
pub use firewall::{Ground, Side};
pub use hop::Hop;
pub use path::{Request, covers, matches};
pub use scene::{Named, Scene, Uses, uses};
pub(crate) use scene::{link, links, number, text, texts};
pub use walk::{Candidate, DnsName, Stop, Target, Walk, What, trace};

#[cfg(test)]
mod tests;
