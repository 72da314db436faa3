//! The log for those who look inside: `ECDEPLOY_LOG=ecdeploy=debug`, on stderr.

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt, registry};

/// Begins to log what ECDEPLOY_LOG asks for; without it, nothing.
pub fn start() {
    let Ok(asked) = EnvFilter::try_from_env("ECDEPLOY_LOG") else { return };
    let lines = fmt::layer().with_writer(std::io::stderr);
    registry().with(lines.with_filter(asked.and(filter_fn(may_be_told)))).init();
}

/// At its finest, the SDK tells what requests hold, and one that changes a password holds it.
fn may_be_told(what: &Metadata<'_>) -> bool {
    *what.level() != Level::TRACE || what.target().starts_with("ecdeploy")
}
