//! The end of a run: listings show what it made, so that whoever reads the account next neither makes it again nor leaves
//! it behind.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;

use super::Run;
use super::creation::SETTLED;
use super::stop::Halt;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// What a step has made just now, by its id; or may have made, where the answer was lost.
pub(super) struct Newborn {
    at: Duration,
    id: Option<String>,
}

impl Run<'_> {
    /// Notes what a step has made, or may have.
    pub(super) fn born(&self, step: usize, id: Option<&str>) {
        let newborn = Newborn { at: self.door.now(), id: id.map(str::to_owned) };
        let mut newborns = self.newborns.lock().unwrap_or_else(PoisonError::into_inner);
        newborns.insert(step, newborn);
    }

    /// Waits until the listings show all of that, or as long as they lag. What was made long ago, as before the wait for
    /// a database, takes no call.
    pub(super) async fn settle(&self) {
        // Who has taken the lock has read the account already.
        while self.stop.halt() != Some(Halt::LockLost) {
            let now = self.door.now();
            let young = self.retain(|newborn| newborn.at + SETTLED > now);
            if young == 0 {
                return;
            }
            if let Ok(seen) = self.door.read(&self.plan.topology).await {
                let seen: BTreeSet<&str> = seen.iter().map(|one| one.id.as_str()).collect();
                if self.retain(|one| one.id.as_deref().is_none_or(|id| !seen.contains(id))) == 0 {
                    return;
                }
            }
            self.door.sleep(PAUSE).await;
        }
    }

    fn retain(&self, keep: impl Fn(&Newborn) -> bool) -> usize {
        let mut newborns = self.newborns.lock().unwrap_or_else(PoisonError::into_inner);
        newborns.retain(|_, newborn| keep(newborn));
        newborns.len()
    }
}
