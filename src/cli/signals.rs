//! Ctrl-C and SIGTERM.

const SIGINT: u8 = 2;
const SIGTERM: u8 = 15;

#[cfg(unix)]
pub struct Signals(Option<[tokio::signal::unix::Signal; 2]>);

#[cfg(unix)]
impl Signals {
    pub fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let both = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        Self(if let (Ok(interrupt), Ok(terminate)) = both {
            Some([interrupt, terminate])
        } else {
            None
        })
    }

    pub async fn next(&mut self) -> u8 {
        let Some([interrupt, terminate]) = &mut self.0 else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => SIGINT,
            _ = terminate.recv() => SIGTERM,
        }
    }
}

#[cfg(not(unix))]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub fn listen() -> Self {
        Self
    }

    pub async fn next(&mut self) -> u8 {
        let _ = SIGTERM;
        match tokio::signal::ctrl_c().await {
            Ok(()) => SIGINT,
            Err(_) => std::future::pending().await,
        }
    }
}
