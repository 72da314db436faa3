//! The log for those who look inside: `ECDEPLOY_LOG=ecdeploy=debug`, on stderr.

use tracing_subscriber::EnvFilter;

/// Begins to log what ECDEPLOY_LOG asks for; without it, nothing.
pub fn start() {
    let Ok(filter) = EnvFilter::try_from_env("ECDEPLOY_LOG") else { return };
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
