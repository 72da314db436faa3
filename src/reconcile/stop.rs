//! The wish to stop: begin nothing new, finish the calls that are under way, leave the waiting to the next run.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Why to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halt {
    /// A signal, by its number.
    Signal(u8),
    /// Somebody else may be changing the same by now.
    LockLost,
    /// AWS takes the credentials no more: every other call would fail as well.
    Credentials,
}

/// Set once, by the first who wishes it.
#[derive(Debug, Default)]
pub struct Stop {
    /// And when it was wished.
    halt: Mutex<Option<(Halt, Instant)>>,
    wake: Notify,
}

impl Stop {
    pub fn request(&self, halt: Halt) {
        let mut first = self.halt.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| (halt, Instant::now()));
        drop(first);
        self.wake.notify_waiters();
    }

    /// Why stopping is wished, if it is.
    pub fn halt(&self) -> Option<Halt> {
        self.wished().map(|(halt, _)| halt)
    }

    fn wished(&self) -> Option<(Halt, Instant)> {
        *self.halt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when stopping is wished.
    pub async fn requested(&self) {
        let woken = self.wake.notified();
        if self.halt().is_none() {
            woken.await;
        }
    }

    /// Returns when stopping has been wished for so long, of our own time.
    pub async fn requested_for(&self, time: Duration) {
        self.requested().await;
        if let Some((_, since)) = self.wished() {
            sleep_until(since + time).await;
        }
    }
}
