//! States that last: what AWS does to a database that it can't get on with, by a test's wish.

use super::Account;

impl Account {
    /// What of this kind passes through a state goes on doing so for as many seconds more at least. How many did so.
    pub fn hang(&mut self, kind: &str, seconds: u64) -> usize {
        let until = self.clock_millis().saturating_add(seconds.saturating_mul(1000));
        let passing = self.objects.values_mut().filter(|object| object.kind == kind);
        let passing = passing.filter_map(|object| object.passing.as_mut());
        passing.map(|passing| passing.until = passing.until.max(until)).count()
    }
}
