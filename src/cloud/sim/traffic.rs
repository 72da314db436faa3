//! What the simulated AWS makes of the calls that reach it: it counts them, and refuses those for which their bucket has
//! no token.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{Bucket, Class, Fault};

/// The calls that have come, by what they are.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    pub calls: BTreeMap<String, usize>,
    /// How many were refused for their rate.
    pub throttled: usize,
    levels: BTreeMap<&'static str, (f64, Duration)>,
}

impl Traffic {
    /// Counts a call, and lets it through where there are tokens for it.
    pub fn admit(
        &mut self,
        call: &str,
        costs: &[(Option<&'static Bucket>, usize)],
        now: Duration,
    ) -> Result<(), Fault> {
        *self.calls.entry(call.to_owned()).or_default() += 1;
        let costs = costs.iter().filter_map(|(bucket, tokens)| Some(((*bucket)?, *tokens)));
        let mut after = Vec::new();
        for (bucket, tokens) in costs {
            let full = (f64::from(bucket.burst), now);
            let (left, at) = self.levels.get(bucket.name).copied().unwrap_or(full);
            let back = now.saturating_sub(at).as_secs_f64() * bucket.per_second;
            let level = (left + back).min(f64::from(bucket.burst));
            let asked = f64::from(u32::try_from(tokens).unwrap_or(u32::MAX));
            if level < asked {
                self.throttled += 1;
                let message = format!("Request limit exceeded: {}", bucket.name);
                return Err(Fault::new(Class::Throttled, call, "RequestLimitExceeded", message));
            }
            after.push((bucket.name, (level - asked, now)));
        }
        self.levels.extend(after);
        Ok(())
    }
}
