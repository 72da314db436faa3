//! AWS's token buckets, kept on this side: whoever asks is told how long to wait, so that AWS has no call to refuse.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::model::Bucket;

/// The part of AWS's figures that is used: others use the account, too.
const SHARE: f64 = 0.95;
/// The smallest part that throttling brings it down to.
const LEAST: f64 = 1.0 / 16.0;
/// How much of the full share comes back each second after throttling.
const RECOVERY: f64 = 0.01;

/// What is left in each bucket.
#[derive(Debug, Default)]
pub struct Pacer {
    levels: Mutex<BTreeMap<&'static str, Level>>,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    /// Less than nothing where tokens that are yet to come are promised already.
    tokens: f64,
    /// The part of AWS's figures that seems to be left to us.
    share: f64,
    at: Duration,
}

impl Level {
    /// The bucket as it is `now`.
    fn at(self, now: Duration, bucket: &Bucket) -> Self {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        let share = (self.share + passed * RECOVERY).min(SHARE);
        let tokens = (self.tokens + passed * bucket.per_second * self.share)
            .min(f64::from(bucket.burst) * share);
        Self { tokens, share, at: now.max(self.at) }
    }
}

impl Pacer {
    /// Takes tokens; returns how long to wait until they are there.
    pub fn take(&self, bucket: &'static Bucket, tokens: usize, now: Duration) -> Duration {
        self.with(bucket, now, |level| {
            // A lossless conversion as far as anyone asks.
            level.tokens -= f64::from(u32::try_from(tokens).unwrap_or(u32::MAX));
            if level.tokens >= 0.0 {
                return Duration::ZERO;
            }
            Duration::try_from_secs_f64(-level.tokens / (bucket.per_second * level.share))
                .unwrap_or(Duration::MAX)
        })
    }

    /// AWS has refused a call for its rate all the same: somebody else draws on the bucket.
    pub fn throttled(&self, bucket: &'static Bucket, now: Duration) {
        self.with(bucket, now, |level| {
            level.share = (level.share / 2.0).max(LEAST);
            level.tokens = level.tokens.min(0.0);
        });
    }

    fn with<T>(
        &self,
        bucket: &'static Bucket,
        now: Duration,
        work: impl FnOnce(&mut Level) -> T,
    ) -> T {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let full = Level { tokens: f64::from(bucket.burst) * SHARE, share: SHARE, at: now };
        let level = levels.entry(bucket.name).or_insert(full);
        *level = level.at(now, bucket);
        work(level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static BUCKET: Bucket = Bucket { name: "test", burst: 20, per_second: 10.0 };

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let pacer = Pacer::default();
        let waits: Vec<Duration> =
            (0..119).map(|_| pacer.take(&BUCKET, 1, Duration::ZERO)).collect();
        assert!(waits[..19].iter().all(Duration::is_zero));
        let last = waits[118].as_secs_f64();
        assert!((10.4..10.6).contains(&last), "100 at 9.5 a second take {last} s");
    }

    #[test]
    fn an_idle_bucket_fills_no_higher_than_its_brim() {
        let pacer = Pacer::default();
        pacer.take(&BUCKET, 19, Duration::ZERO);
        let waits: Vec<bool> =
            (0..20).map(|_| pacer.take(&BUCKET, 1, seconds(1000.0)).is_zero()).collect();
        assert_eq!(waits.iter().filter(|at_once| **at_once).count(), 19);
    }

    #[test]
    fn throttling_halves_the_rate_and_it_comes_back() {
        let pacer = Pacer::default();
        pacer.throttled(&BUCKET, Duration::ZERO);
        let slow = pacer.take(&BUCKET, 1, Duration::ZERO);
        assert!(slow > seconds(0.2), "{slow:?}");
        for _ in 0..20 {
            pacer.throttled(&BUCKET, Duration::ZERO);
        }
        assert!(pacer.take(&BUCKET, 1, Duration::ZERO) < seconds(10.0), "never quite still");
        let later = seconds(200.0);
        pacer.take(&BUCKET, 19, later);
        let wait = pacer.take(&BUCKET, 19, later);
        assert!((1.9..2.1).contains(&wait.as_secs_f64()), "{wait:?}");
    }
}
