//! What goes wrong in the simulated account, by a seed: calls refused, failed, lost; listings that lag; death.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;

use crate::model::{Class, Fault, Observed};

/// How likely each fault is, of one call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rates {
    /// Refused for its rate, though it kept to the buckets.
    pub throttled: f64,
    /// Failed before anything was done.
    pub failed: f64,
    /// Done, and the answer lost.
    pub lost: f64,
    /// Made or changed, and for some seconds not seen so by who lists or asks.
    pub lagging: f64,
}

/// Which call is the last that the process makes, by its number among those that change something: as they begin, or as
/// they end, since many are under way at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// It never reached AWS.
    Before(usize),
    /// AWS has done it; the answer reached nobody.
    After(usize),
}

/// The longest that a listing lags behind. "Some seconds", say AWS's documents and everybody's trackers.
const LAG: Duration = Duration::from_secs(8);

/// What was made and is not shown yet, by kind and id; and until when.
pub type Unseen = BTreeMap<(String, String), Duration>;

#[derive(Debug)]
pub struct Faults {
    rates: Rates,
    rng: Rng,
    death: Option<Death>,
    /// How many calls that change something have come.
    changes: usize,
    /// How many of them were done.
    done: usize,
    pub dead: bool,
    /// After how many calls that change something the credentials are over.
    expiry: Option<usize>,
    /// How many calls came with credentials that were over.
    refused: usize,
    /// What was made lately is unknown until then, by kind and id.
    unseen: Unseen,
    /// How what was changed lately looked before, and until when it looks so.
    stale: BTreeMap<(String, String), (Duration, Observed)>,
}

impl Faults {
    pub fn new(seed: u64, rates: Rates, death: Option<Death>) -> Self {
        Self {
            rates,
            rng: Rng::with_seed(seed),
            death,
            changes: 0,
            done: 0,
            dead: false,
            expiry: None,
            refused: 0,
            unseen: Unseen::new(),
            stale: BTreeMap::new(),
        }
    }

    /// What listings don't show yet.
    pub fn unseen(&self) -> Unseen {
        self.unseen.clone()
    }

    /// Listings don't show these yet, which an earlier process has made.
    pub fn hide(&mut self, unseen: Unseen) {
        self.unseen.extend(unseen);
    }

    /// How many calls that change something have come.
    pub fn changes(&self) -> usize {
        self.changes
    }

    /// The credentials are over after so many calls that change something.
    pub fn expire_after(&mut self, changes: usize) {
        self.expiry = Some(changes);
    }

    /// How many calls came with credentials that were over.
    pub fn refused(&self) -> usize {
        self.refused
    }

    fn strikes(&mut self, rate: f64) -> bool {
        rate > 0.0 && self.rng.f64() < rate
    }

    /// Before a call: whether it reaches AWS. One that changes something is counted.
    pub fn before(&mut self, call: &str, changes: bool) -> Result<(), Fault> {
        if changes {
            self.changes += 1;
            if self.death == Some(Death::Before(self.changes)) {
                self.dead = true;
            }
        }
        if self.expiry.is_some_and(|last| self.changes > last || (!changes && self.changes == last))
        {
            self.refused += 1;
            let message = "Request has expired.";
            return Err(Fault::new(Class::Credentials, call, "RequestExpired", message));
        }
        if self.strikes(self.rates.throttled) {
            return Err(Fault::new(Class::Throttled, call, "Throttling", "Rate exceeded"));
        }
        if self.strikes(self.rates.failed) {
            return Err(Fault::new(Class::Transient, call, "InternalError", "an internal error"));
        }
        Ok(())
    }

    /// After a call that changed something: whether its answer arrives.
    pub fn after(&mut self, call: &str) -> Result<(), Fault> {
        self.done += 1;
        if self.death == Some(Death::After(self.done)) {
            self.dead = true;
        }
        if self.strikes(self.rates.lost) {
            return Err(Fault::new(Class::Unreachable, call, "", "the connection was closed"));
        }
        Ok(())
    }

    /// Something was made: it may be unknown for a while.
    pub fn made(&mut self, kind: &str, ids: impl IntoIterator<Item = String>, now: Duration) {
        if self.strikes(self.rates.lagging) {
            // What one call makes is seen at one instant.
            let until = now + LAG.mul_f64(self.rng.f64());
            self.unseen.extend(ids.into_iter().map(|id| ((kind.to_owned(), id), until)));
        }
    }

    /// Something is about to be changed: it may look as before for a while.
    pub fn changed(&mut self, before: Option<Observed>, now: Duration) {
        if let Some(before) = before
            && self.strikes(self.rates.lagging)
        {
            let until = now + LAG.mul_f64(self.rng.f64());
            self.stale.insert((before.kind.clone(), before.id.clone()), (until, before));
        }
    }

    /// Whether it is not known yet to who asks for it.
    pub fn is_unseen(&self, kind: &str, id: &str, now: Duration) -> bool {
        let key = (kind.to_owned(), id.to_owned());
        self.unseen.get(&key).is_some_and(|until| now < *until)
    }

    /// What a listing tells in place of what is there.
    pub fn distort(&self, mut all: Vec<Observed>, now: Duration) -> Vec<Observed> {
        all.retain(|seen| !self.is_unseen(&seen.kind, &seen.id, now));
        for seen in &mut all {
            if let Some((until, before)) = self.stale.get(&(seen.kind.clone(), seen.id.clone()))
                && now < *until
            {
                *seen = before.clone();
            }
        }
        all
    }
}
