//! The wish to stop: begin nothing new, finish the calls that are under way, leave the waiting to the next run.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

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
    halt: Mutex<Option<Halt>>,
    wake: Notify,
}

impl Stop {
    pub fn request(&self, halt: Halt) {
        self.halt.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(halt);
        self.wake.notify_waiters();
    }

    /// Why stopping is wished, if it is.
    pub fn halt(&self) -> Option<Halt> {
        *self.halt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when stopping is wished.
    pub async fn requested(&self) {
        let woken = self.wake.notified();
        if self.halt().is_none() {
            woken.await;
        }
    }
}
