//! Ctrl-C and SIGTERM: the first stops dispatching, the second leaves at once.

use std::future::Future;

use crate::reconcile::{Observer, Stop};

const SIGINT: u8 = 2;
const SIGTERM: u8 = 15;

/// Does the work; a signal meanwhile is a wish to stop.
pub async fn stoppable<T>(
    work: impl Future<Output = T>,
    stop: &Stop,
    observer: &dyn Observer,
) -> T {
    let mut work = std::pin::pin!(work);
    let mut signals = Signals::listen();
    loop {
        tokio::select! {
            done = &mut work => return done,
            signal = signals.next() => {
                if stop.signal().is_some() {
                    std::process::exit(i32::from(128 + signal));
                }
                stop.request(signal);
                observer.stopping();
            }
        }
    }
}

#[cfg(unix)]
struct Signals(Option<[tokio::signal::unix::Signal; 2]>);

#[cfg(unix)]
impl Signals {
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let both = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        Self(if let (Ok(interrupt), Ok(terminate)) = both {
            Some([interrupt, terminate])
        } else {
            None
        })
    }

    async fn next(&mut self) -> u8 {
        let Some([interrupt, terminate]) = &mut self.0 else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => SIGINT,
            _ = terminate.recv() => SIGTERM,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Self {
        Self
    }

    async fn next(&mut self) -> u8 {
        let _ = SIGTERM;
        match tokio::signal::ctrl_c().await {
            Ok(()) => SIGINT,
            Err(_) => std::future::pending().await,
        }
    }
}
