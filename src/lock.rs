//! One change at a time: a lease in the account, which its holder renews, and which ends when its holder dies.
//!
//! It is kept as an SSM parameter, made without overwriting: of two that try, AWS lets one. That needs no table or bucket
//! beside the shop, and no permission that apply does not have anyway. SSM can't replace a value on condition; so who
//! takes over from a dead holder makes the parameter of the next number, which again only one can, and takes the old one
//! away.

use std::cell::Cell;
use std::time::Duration;

use jiff::Timestamp;

use crate::cloud::Cloud;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Class, Fault, Holder, Lease, digest};

/// How often the holder renews its lease.
const RENEWAL: Duration = Duration::from_secs(20);
/// A lease that was not renewed for so long is over.
const TERM: Duration = Duration::from_secs(90);
/// Clocks differ: before a lease is taken over, it is watched for longer than a living holder lets it be.
const WATCH: Duration = Duration::from_secs(30);
/// A holder that could not renew its lease for so long gives it up, well before it is over for others.
const GIVEN_UP: Duration = Duration::from_secs(60);

/// The lock, held.
pub struct Lock<'a> {
    cloud: &'a dyn Cloud,
    topology: &'a str,
    holder: Holder,
    number: u64,
    lost: Cell<bool>,
}

impl<'a> Lock<'a> {
    /// Takes the lock of the topology. `waiting` is told of a holder that seems to be dead, and is watched.
    ///
    /// # Errors
    /// When somebody else holds it, or the account can't be asked.
    pub async fn acquire(
        cloud: &'a dyn Cloud,
        topology: &'a str,
        command: &str,
        waiting: impl Fn(&Lease),
    ) -> Result<Self> {
        let holder = holder(command);
        let seen = cloud.leases(topology).await?;
        let mut watched = Vec::new();
        for lease in &seen {
            if died_here(&lease.holder, &holder) {
                continue;
            }
            if lease.age < TERM {
                return Err(held(lease));
            }
            waiting(lease);
            watched.push(lease);
        }
        if !watched.is_empty() {
            tokio::time::sleep(WATCH).await;
            let now = cloud.leases(topology).await?;
            if let Some(moved) = now.iter().find(|lease| !seen.iter().any(|old| same(old, lease))) {
                return Err(held(moved));
            }
        }
        let number = seen.iter().map(|lease| lease.number).max().unwrap_or(0).saturating_add(1);
        let lock = Self { cloud, topology, holder, number, lost: Cell::new(false) };
        match cloud.put_lease(topology, number, &lock.holder, true).await {
            Ok(()) => {}
            Err(fault) if fault.class == Class::Exists => return Err(lock.faster().await),
            Err(fault) => return Err(fault.into()),
        }
        if seen.is_empty() {
            return Ok(lock);
        }
        // Who was slow to read may have taken over from one that was gone, beside a new one.
        let now = cloud.leases(topology).await?;
        let own = |lease: &&Lease| lease.holder.id == lock.holder.id;
        let known = |lease: &&Lease| seen.iter().any(|old| same(old, lease));
        if let Some(other) = now.iter().find(|lease| !own(lease) && !known(lease)) {
            cloud.drop_lease(topology, number).await?;
            return Err(held(other));
        }
        for dead in &seen {
            cloud.drop_lease(topology, dead.number).await?;
        }
        Ok(lock)
    }

    /// Renews the lease until it is lost; says why.
    pub async fn keep(&self) -> String {
        let mut renewed = tokio::time::Instant::now();
        loop {
            tokio::time::sleep(RENEWAL).await;
            match self.renew().await {
                Ok(None) => renewed = tokio::time::Instant::now(),
                Ok(Some(why)) => {
                    self.lost.set(true);
                    return why;
                }
                Err(fault) if renewed.elapsed() > GIVEN_UP => {
                    self.lost.set(true);
                    return format!("the lock could not be renewed: {fault}");
                }
                Err(fault) => tracing::debug!(%fault, "the lock could not be renewed yet"),
            }
        }
    }

    /// Why it is lost, if it is.
    async fn renew(&self) -> Result<Option<String>, Fault> {
        let now = self.cloud.leases(self.topology).await?;
        if let Some(other) = now.iter().find(|lease| lease.holder.id != self.holder.id) {
            return Ok(Some(format!("the lock was taken by {}", other.holder)));
        }
        if now.is_empty() {
            return Ok(Some("the lock was taken away, by `ecdeploy unlock`".to_owned()));
        }
        self.cloud.put_lease(self.topology, self.number, &self.holder, false).await?;
        Ok(None)
    }

    /// Gives it back.
    ///
    /// # Errors
    /// When the account can't be asked; the lease then ends by itself.
    pub async fn release(self) -> Result<()> {
        if self.lost.get() {
            return Ok(());
        }
        Ok(self.cloud.drop_lease(self.topology, self.number).await?)
    }

    /// Somebody else was faster.
    async fn faster(&self) -> Error {
        match self.cloud.leases(self.topology).await {
            Ok(now) => match now.iter().find(|lease| lease.number == self.number) {
                Some(other) => held(other),
                None => {
                    Error::new(ErrorKind::Locked, "somebody else has just changed this topology")
                        .hint("run it again")
                }
            },
            Err(fault) => fault.into(),
        }
    }
}

fn same(one: &Lease, other: &Lease) -> bool {
    (one.number, &one.holder.id, one.version) == (other.number, &other.holder.id, other.version)
}

fn held(lease: &Lease) -> Error {
    let (holder, age) = (&lease.holder, lease.age.as_secs());
    Error::new(
        ErrorKind::Locked,
        format!("this topology is being changed by {holder}; it was last heard of {age} s ago"),
    )
    .hint(format!(
        "wait until it is done. If it is dead, its lock ends {} s after it was last heard of; \
         or look for yourself, and run `ecdeploy unlock`",
        TERM.as_secs()
    ))
}

/// Who we are.
fn holder(command: &str) -> Holder {
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let user = ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "LOGNAME", "USERNAME"];
    let user =
        user.iter().find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()));
    let process = std::process::id();
    let since = Timestamp::now();
    let unique =
        format!("{host} {process} {} {:?}", since.as_nanosecond(), std::thread::current().id());
    Holder {
        id: digest(unique.as_bytes())[..16].to_owned(),
        command: command.to_owned(),
        user: user.unwrap_or_else(|| "somebody".to_owned()),
        place: place(&host),
        host,
        process,
        since: since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }
}

/// Where process numbers mean the same: on Linux, one boot of a machine and one namespace of process numbers.
fn place(host: &str) -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let space = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    match boot.trim() {
        "" => String::new(),
        boot => digest(format!("{host} {boot} {}", space.display()).as_bytes())[..16].to_owned(),
    }
}

/// Whether its process was on this very machine, and is no more.
fn died_here(other: &Holder, us: &Holder) -> bool {
    let here = !us.place.is_empty() && other.place == us.place;
    here && !std::path::Path::new(&format!("/proc/{}", other.process)).exists()
}
