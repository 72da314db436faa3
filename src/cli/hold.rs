//! What a command that changes the account holds while it is under way: the lock on the topology, and an ear for signals.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};

use super::signals::Signals;
use crate::cloud::Cloud;
use crate::desired::Desired;
use crate::error::{Error, ErrorKind, Result};
use crate::lock::{Claim, Lock};
use crate::reconcile::{Halt, Observer, Outcome, Stop};
use crate::{report, snapshot};

/// Held from before the account is read until after it is changed.
#[derive(Default)]
pub struct Hold {
    stop: Stop,
    /// Whether anything is being changed; until then, the command can end at any time.
    changing: AtomicBool,
}

/// Does the work with the lock held, and gives the lock back however it ends. The first signal, or the loss of the lock,
/// ends it: at once while nothing is being changed, else when what is in flight has ended. The second signal leaves at
/// once.
///
/// # Errors
/// When somebody else holds the lock, and those of the work.
pub async fn hold(
    cloud: &dyn Cloud,
    desired: &Desired,
    command: &str,
    work: impl AsyncFnOnce(&Hold) -> Result<u8>,
) -> Result<u8> {
    snapshot::guard(cloud, desired).await?;
    let topology = &desired.topology;
    let mut signals = Signals::listen();
    let waiting = |lease: &crate::model::Lease| {
        let holder = report::printable(&lease.holder.to_string());
        report::say(&format!("The lock of {holder} seems to be left over: watching it for 30 s."));
    };
    let hold = Hold::default();
    let claim = tokio::select! {
        claim = Claim::look(cloud, topology, command, waiting) => claim?,
        // Nothing stands in the account yet.
        signal = signals.next() => return Err(interrupted(signal)),
    };
    let lock = {
        // A signal must not come between the lock and who would give it back.
        let mut taking = std::pin::pin!(claim.take());
        loop {
            tokio::select! {
                lock = &mut taking => break lock?,
                signal = signals.next() => {
                    hold.first(signal);
                    report::say("Stopping: the lock is on its way, and is given back first.");
                }
            }
        }
    };
    let settled_work = async |hold: &Hold| {
        if let Some(left) = lock.unsettled() {
            report::say(&format!(
                "An ecdeploy died here lately: waiting {} s, what it had sent may still come to pass.",
                left.as_secs().max(1)
            ));
            cloud.sleep(left).await;
        }
        work(hold).await
    };
    let result = match hold.stop.halt() {
        Some(Halt::Signal(signal)) => Err(interrupted(signal)),
        _ => hold.work(&lock, &mut signals, settled_work).await,
    };
    let released = hold.give_back(lock, &mut signals).await;
    if let (Err(error), Ok(_)) = (&released, &result) {
        let why = report::printable(&error.message);
        report::say(&format!("The lock could not be given back, and will end by itself: {why}"));
    }
    result
}

impl Hold {
    async fn work(
        &self,
        lock: &Lock<'_>,
        signals: &mut Signals,
        work: impl AsyncFnOnce(&Hold) -> Result<u8>,
    ) -> Result<u8> {
        let mut work = std::pin::pin!(work(self));
        let mut keep = std::pin::pin!(lock.keep());
        let mut lost = None;
        let result = loop {
            tokio::select! {
                result = &mut work => break result,
                signal = signals.next() => {
                    self.first(signal);
                    if !self.is_changing() {
                        break Err(interrupted(signal));
                    }
                }
                why = &mut keep, if lost.is_none() => {
                    self.stop.request(Halt::LockLost);
                    lost = Some(why);
                    if !self.is_changing() {
                        break Ok(0);
                    }
                }
            }
        };
        match (lost, result) {
            (Some(why), result) if result.is_err() || !self.is_changing() => {
                Err(Error::new(ErrorKind::Locked, why)
                    .hint("nothing was begun after that; run the same command again"))
            }
            (_, result) => result,
        }
    }

    /// Gives the lock back. AWS may be slow, or out of reach: the second signal is heard here too.
    async fn give_back(&self, lock: Lock<'_>, signals: &mut Signals) -> Result<()> {
        let mut releasing = std::pin::pin!(lock.release());
        loop {
            tokio::select! {
                released = &mut releasing => return released,
                signal = signals.next() => self.first(signal),
            }
        }
    }

    /// Notes the first signal; leaves at the second, or where it is stopping already for another reason. The lock is left
    /// to end by itself then: what is in flight AWS may do yet, and until it has, nobody else should read the account and
    /// begin.
    fn first(&self, signal: u8) {
        if self.stop.halt().is_some() {
            report::screen::clear();
            report::say(
                "left at once: AWS may still do what was in flight, and the lock ends 90 s after it was last renewed \
                 (on this machine, at once); run the same command again: it goes on from here",
            );
            std::process::exit(i32::from(128 + signal));
        }
        self.stop.request(Halt::Signal(signal));
    }

    fn is_changing(&self) -> bool {
        self.changing.load(Ordering::Relaxed)
    }

    /// Makes one call that changes something: a signal waits for its end.
    pub async fn change<T>(&self, call: impl Future<Output = T>) -> T {
        self.changing.store(true, Ordering::Relaxed);
        call.await
    }

    /// Carries something out: from here on, the first signal is a wish.
    pub async fn carry_out(
        &self,
        observer: &dyn Observer,
        run: impl AsyncFnOnce(&Stop) -> Outcome,
    ) -> Outcome {
        self.changing.store(true, Ordering::Relaxed);
        let mut run = std::pin::pin!(run(&self.stop));
        tokio::select! {
            // It is said even where the run ends at the same moment.
            biased;
            () = self.stop.requested() => observer.stopping(),
            outcome = &mut run => return outcome,
        }
        run.await
    }
}

/// Where the command ended at a signal.
pub fn interrupted(signal: u8) -> Error {
    Error::new(ErrorKind::Interrupted(signal), "interrupted")
        .hint("run the same command again: it goes on from here")
}
