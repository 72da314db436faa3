//! What befalls one run: a bad day at AWS, a death, a Ctrl-C, credentials that end, other people.

use std::time::Duration;

use ecdeploy::cloud::sim::{Death, Rates};
use fastrand::Rng;

#[derive(Debug, Default)]
pub struct Mishaps {
    pub rates: Rates,
    pub death: Option<Death>,
    /// When it is asked to stop.
    pub stopped: Option<Duration>,
    /// After how many calls that change something the credentials are over.
    pub expiry: Option<usize>,
    /// The pauses after which somebody else does something.
    pub others: Vec<Duration>,
}

impl Mishaps {
    /// It gets better: a `bad` day ends.
    pub fn random(rng: &mut Rng, bad: bool) -> Self {
        if !bad {
            return Self { rates: rates(rng, 0.0), ..Self::default() };
        }
        let rates = rates(rng, 1.0);
        let death = rng.bool().then(|| {
            let at = 1 + rng.usize(..60);
            if rng.bool() { Death::Before(at) } else { Death::After(at) }
        });
        let stopped = (rng.u8(..4) == 0).then(|| instant(rng));
        let expiry = (rng.u8(..10) == 0).then(|| rng.usize(..60));
        let others = match rng.u8(..6) {
            0 => (0..rng.usize(1..=3)).map(|_| instant(rng)).collect(),
            _ => Vec::new(),
        };
        Self { rates, death, stopped, expiry, others }
    }
}

/// Most calls come in the first seconds, most of the time is waiting.
fn instant(rng: &mut Rng) -> Duration {
    Duration::from_millis(if rng.bool() { rng.u64(..15_000) } else { rng.u64(..900_000) })
}

fn rates(rng: &mut Rng, bad: f64) -> Rates {
    match rng.u8(..3) {
        0 => Rates::default(),
        1 => Rates { throttled: 0.02 * bad, failed: 0.02 * bad, lost: 0.02 * bad, lagging: 0.0 },
        _ => {
            Rates { throttled: 0.1 * bad, failed: 0.05 * bad, lost: 0.05 * bad, lagging: 0.3 * bad }
        }
    }
}
