//! The wish to stop: begin nothing new, finish the calls that are under way, leave the waiting to the next run.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

/// Set once, by the first signal.
#[derive(Debug, Default)]
pub struct Stop {
    signal: AtomicU8,
    wake: Notify,
}

impl Stop {
    pub fn request(&self, signal: u8) {
        let _ = self.signal.compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed);
        self.wake.notify_waiters();
    }

    /// The signal, if there was one.
    pub fn signal(&self) -> Option<u8> {
        Some(self.signal.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
    }

    /// Returns when stopping is wished.
    pub async fn requested(&self) {
        let woken = self.wake.notified();
        if self.signal().is_none() {
            woken.await;
        }
    }
}
