//! One change at a time: a lease in the account, which its holder renews, and which ends when its holder dies.
//!
//! It is kept as an SSM parameter, made without overwriting: of two that try, AWS lets one. That needs no table or bucket
//! beside the shop, and no permission that apply does not have anyway. SSM can't replace a value on condition; so who
//! takes over from a dead holder makes the parameter of the next number, which again only one can, and takes the old one
//! away.

mod holder;

use std::cell::Cell;
use std::future::Future;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::cloud::Cloud;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Class, Fault, Holder, Lease};

/// How often the holder renews its lease.
const RENEWAL: Duration = Duration::from_secs(20);
/// A lease that was not renewed for so long is over.
const TERM: Duration = Duration::from_secs(90);
/// Clocks differ: before a lease is taken over, it is watched for longer than a living holder lets it be.
const WATCH: Duration = Duration::from_secs(30);
/// A holder that could not renew its lease for so long gives it up, well before it is over for others.
const GIVEN_UP: Duration = Duration::from_secs(60);
/// What a dead process had sent has come to pass by then, and listings show it.
const SETTLED: Duration = Duration::from_secs(15);
/// How long a call for the lock is tried again, and with what pauses.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often the holder looks at the clock, and how soon a renewal that failed is tried again.
const TICK: Duration = Duration::from_secs(1);

/// The way to the lock: nobody who lives holds it. Until it is taken, nothing stands in the account.
pub struct Claim<'a> {
    cloud: &'a dyn Cloud,
    topology: &'a str,
    holder: Holder,
    /// Those of the dead.
    seen: Vec<Lease>,
    unsettled: Option<Duration>,
}

impl<'a> Claim<'a> {
    /// Looks who holds the lock of the topology. `watching` is told of a holder that seems to be dead, and is watched.
    ///
    /// # Errors
    /// When somebody else holds it, or the account can't be asked.
    pub async fn look(
        cloud: &'a dyn Cloud,
        topology: &'a str,
        command: &str,
        watching: impl Fn(&Lease),
    ) -> Result<Self> {
        let holder = holder::us(command);
        let seen = tried(|| cloud.leases(topology)).await?;
        let mut watched = false;
        let mut unsettled = None;
        for lease in &seen {
            if holder::died_here(&lease.holder, &holder) {
                unsettled = unsettled.max(unsettled_after(lease.age));
                continue;
            }
            if lease.age < TERM {
                return Err(held(lease));
            }
            watching(lease);
            watched = true;
        }
        if watched {
            tokio::time::sleep(WATCH).await;
            let now = tried(|| cloud.leases(topology)).await?;
            if let Some(moved) = now.iter().find(|lease| !seen.iter().any(|old| same(old, lease))) {
                return Err(held(moved));
            }
            unsettled = None;
        }
        Ok(Self { cloud, topology, holder, seen, unsettled })
    }

    /// Takes it. Who drops this on the way does not know whether it has the lock.
    ///
    /// # Errors
    /// When somebody else was faster, or the account can't be asked; nothing of ours is left then.
    pub async fn take(self) -> Result<Lock<'a>> {
        let Self { cloud, topology, holder, seen, unsettled } = self;
        let number = seen.iter().map(|lease| lease.number).max().unwrap_or(0).saturating_add(1);
        let taken = Moment::now();
        let lock = Lock { cloud, topology, holder, number, taken, unsettled, lost: false.into() };
        match lock.put_and_clear(&seen).await {
            Ok(()) => Ok(lock),
            Err(error) => {
                // The answer may be lost of a call that was done. What can't be taken away ends by itself.
                drop(lock.drop_own().await);
                Err(error)
            }
        }
    }
}

/// How long to wait before a lease is taken away by hand: what its holder had sent may still come to pass.
pub fn unsettled(lease: &Lease) -> Duration {
    unsettled_after(lease.age).unwrap_or_default()
}

/// How long to wait where a lease of this age is taken over from one that died here. It may have been at work until just
/// now: only that it gave up some time after its last renewal is certain.
fn unsettled_after(age: Duration) -> Option<Duration> {
    let left = (GIVEN_UP + SETTLED).saturating_sub(age).min(SETTLED);
    (!left.is_zero()).then_some(left)
}

/// The lock, held.
pub struct Lock<'a> {
    cloud: &'a dyn Cloud,
    topology: &'a str,
    holder: Holder,
    number: u64,
    taken: Moment,
    unsettled: Option<Duration>,
    lost: Cell<bool>,
}

impl Lock<'_> {
    /// How long to wait before the account is read, because what the last holder had sent may still come to pass.
    pub fn unsettled(&self) -> Option<Duration> {
        self.unsettled
    }

    async fn put_and_clear(&self, seen: &[Lease]) -> Result<()> {
        let put = || self.cloud.put_lease(self.topology, self.number, &self.holder, true);
        match tried(put).await {
            Ok(_) => {}
            // It may be our own, of a call whose answer was lost.
            Err(fault) if fault.class == Class::Exists => {
                let now = self.leases().await?;
                match now.iter().find(|lease| lease.number == self.number) {
                    Some(lease) if self.is_own(lease) => {}
                    Some(other) => return Err(held(other)),
                    None => {
                        let message = "somebody else has just changed this topology";
                        return Err(Error::new(ErrorKind::Locked, message)
                            .hint("run the same command again"));
                    }
                }
            }
            Err(fault) => return Err(fault.into()),
        }
        // Somebody may have taken another number meanwhile: who was slow to read, and took over from one that was gone.
        let now = self.leases().await?;
        let known = |lease: &&Lease| seen.iter().any(|old| same(old, lease));
        if let Some(other) = now.iter().find(|lease| !self.is_own(lease) && !known(lease)) {
            return Err(held(other));
        }
        for dead in now.iter().filter(|lease| !self.is_own(lease)) {
            tried(|| self.cloud.drop_lease(self.topology, dead.number)).await?;
        }
        Ok(())
    }

    /// Renews the lease until it is lost; says why.
    pub async fn keep(&self) -> String {
        let mut renewed = self.taken;
        let mut due = RENEWAL;
        let why = loop {
            // In small steps: while a machine sleeps, nothing here wakes up.
            while renewed.elapsed() < due {
                tokio::time::sleep(TICK).await;
            }
            let left = GIVEN_UP.saturating_sub(renewed.elapsed());
            let unrenewed =
                || format!("the lock could not be renewed for {} s", GIVEN_UP.as_secs());
            if left.is_zero() {
                break unrenewed();
            }
            let begun = Moment::now();
            match tokio::time::timeout(left, self.renew()).await {
                Ok(Ok(None)) => (renewed, due) = (begun, RENEWAL),
                Ok(Ok(Some(why))) => break why,
                Ok(Err(fault)) => {
                    tracing::debug!(%fault, "the lock could not be renewed yet");
                    due = renewed.elapsed() + LONGEST_PAUSE;
                    if due >= GIVEN_UP {
                        break format!("{}: {fault}", unrenewed());
                    }
                }
                Err(_) => break unrenewed(),
            }
        };
        self.lost.set(true);
        why
    }

    /// Why it is lost, if it is.
    async fn renew(&self) -> Result<Option<String>, Fault> {
        let now = self.cloud.leases(self.topology).await?;
        if let Some(other) = now.iter().find(|lease| !self.is_own(lease)) {
            return Ok(Some(format!("the lock was taken by {}", other.holder)));
        }
        let taken_away = || Ok(Some("the lock was taken away, by `ecdeploy unlock`".to_owned()));
        let Some(own) = now.first() else { return taken_away() };
        let put = self.cloud.put_lease(self.topology, self.number, &self.holder, false).await?;
        if put > own.version {
            return Ok(None);
        }
        // Taken away between the look and the call, which has made it anew.
        self.drop_own().await?;
        taken_away()
    }

    /// Gives it back.
    ///
    /// # Errors
    /// When the account can't be asked; the lease then ends by itself.
    pub async fn release(self) -> Result<()> {
        if self.lost.get() {
            return Ok(());
        }
        Ok(self.drop_own().await?)
    }

    async fn drop_own(&self) -> Result<(), Fault> {
        take_away(self.cloud, self.topology, self.number, &self.holder.id).await.map(drop)
    }

    async fn leases(&self) -> Result<Vec<Lease>, Fault> {
        tried(|| self.cloud.leases(self.topology)).await
    }

    fn is_own(&self, lease: &Lease) -> bool {
        lease.holder.id == self.holder.id
    }
}

/// Whether its holder seems to be dead: it was not renewed, or its process was here and is gone.
pub fn is_left_over(lease: &Lease) -> bool {
    lease.age >= TERM || holder::died_here(&lease.holder, &holder::us("status"))
}

/// Takes a lease away if it is still this holder's: numbers begin at 1 again, and by now another may have it.
///
/// # Errors
/// When the account can't be asked.
pub async fn take_away(
    cloud: &dyn Cloud,
    topology: &str,
    number: u64,
    holder: &str,
) -> Result<bool, Fault> {
    let now = tried(|| cloud.leases(topology)).await?;
    let stands = now.iter().any(|lease| lease.number == number && lease.holder.id == holder);
    if stands {
        tried(|| cloud.drop_lease(topology, number)).await?;
    }
    Ok(stands)
}

/// Makes a call for the lock, and makes it again where that may help.
async fn tried<T, F>(call: impl Fn() -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    let begun = Instant::now();
    let mut pause = PAUSE;
    loop {
        let fault = match call().await {
            Ok(answer) => return Ok(answer),
            Err(fault) => fault,
        };
        let passes =
            matches!(fault.class, Class::Transient | Class::Throttled | Class::Unreachable);
        if !passes || begun.elapsed() + pause > PATIENCE {
            return Err(fault);
        }
        tracing::debug!(%fault, "a call for the lock is made again");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// A point in time by both clocks: one stands still while a laptop sleeps, the other can be set.
#[derive(Clone, Copy)]
struct Moment(Instant, SystemTime);

impl Moment {
    fn now() -> Self {
        Self(Instant::now(), SystemTime::now())
    }

    fn elapsed(self) -> Duration {
        self.0.elapsed().max(self.1.elapsed().unwrap_or_default())
    }
}

fn same(one: &Lease, other: &Lease) -> bool {
    (one.number, &one.holder.id, one.version) == (other.number, &other.holder.id, other.version)
}

fn held(lease: &Lease) -> Error {
    let (holder, age) = (&lease.holder, lease.age.as_secs());
    // What AWS dates later than our now has no age.
    let slow = match lease.age.is_zero() {
        true => " (if that stays at 0 s, this machine's clock is slow: set it right)",
        false => "",
    };
    Error::new(
        ErrorKind::Locked,
        format!("this topology is being changed by {holder}; it was last heard of {age} s ago"),
    )
    .hint(format!(
        "wait until it is done. If it is dead, its lock ends {} s after it was last heard of{slow}; \
         or look for yourself, and run `ecdeploy unlock`",
        TERM.as_secs()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_passes_by_the_clock_that_went_on() {
        let slept = Moment(Instant::now(), SystemTime::now() - Duration::from_secs(300));
        assert!(slept.elapsed() >= Duration::from_secs(300));
        let set_back = Moment(
            Instant::now() - Duration::from_secs(40),
            SystemTime::now() + Duration::from_secs(300),
        );
        assert!(set_back.elapsed() >= Duration::from_secs(40));
    }

    #[test]
    fn who_died_long_ago_is_not_waited_for() {
        let wait = |age| unsettled_after(Duration::from_secs(age)).map(|wait| wait.as_secs());
        assert_eq!([0, 60, 70, 75, 500].map(wait), [Some(15), Some(15), Some(5), None, None]);
    }
}
