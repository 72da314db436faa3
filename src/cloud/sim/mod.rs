//! The simulated account behind the door: the same words as AWS, no network, time at any scale.

mod account;
mod checks;
mod copy;
mod health;
mod lookup;
mod maintenance;
mod object;
mod replicas;
mod rules;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

pub use account::Account;
pub use copy::Original;
pub use object::Object;
use store::Store;

use super::{Cloud, Found};
use crate::error::Result;
use crate::kinds::{Kind, Live};
use crate::model::{Body, Created, Fault, Lookup, Observed, Standing, Tags, TargetHealth};

/// How long one call takes.
const ROUND_TRIP: Duration = Duration::from_millis(80);

/// A simulated account with a clock. `scale` is how many of its seconds pass in one of ours.
pub struct SimCloud {
    account: Mutex<Account>,
    store: Option<Store>,
    scale: f64,
    /// The fewest healthy targets of each service since they are counted.
    fewest: Mutex<Option<BTreeMap<String, usize>>>,
    /// The account's clock when this process began.
    opened: Duration,
    started: Instant,
}

impl SimCloud {
    /// An account that lives in memory.
    pub fn in_memory(account: Account, scale: f64) -> Self {
        let opened = account.clock();
        Self {
            account: Mutex::new(account),
            store: None,
            scale,
            fewest: Mutex::default(),
            opened,
            started: Instant::now(),
        }
    }

    /// The account kept in `directory`, made there when it is not. Its clock goes on between runs.
    ///
    /// # Errors
    /// When the directory or its file can't be read or written.
    pub fn open(directory: &Path, account: &str, region: &str, scale: f64) -> Result<Self> {
        let (store, account) = Store::open(directory, account, region, scale)?;
        Ok(Self { store: Some(store), ..Self::in_memory(account, scale) })
    }

    /// What the account holds.
    pub fn account(&self) -> MutexGuard<'_, Account> {
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        account.advance(self.now());
        account
    }

    /// Counts from now on the healthy targets of each service, by its target group's address.
    pub fn count_healthy(&self) {
        let serving = self.account().serving();
        *self.fewest.lock().unwrap_or_else(PoisonError::into_inner) = Some(serving);
    }

    /// The fewest healthy targets of each service since they are counted.
    pub fn fewest_healthy(&self) -> BTreeMap<String, usize> {
        self.count(&self.account());
        let fewest = self.fewest.lock().unwrap_or_else(PoisonError::into_inner);
        fewest.clone().unwrap_or_default()
    }

    fn count(&self, account: &Account) {
        let mut counted = self.fewest.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(fewest) = counted.as_mut() else { return };
        for (service, healthy) in account.serving() {
            let known = fewest.entry(service).or_insert(healthy);
            *known = healthy.min(*known);
        }
    }

    /// One call: time passes, the account answers, and what it did is kept.
    async fn call<T>(
        &self,
        work: impl FnOnce(&mut Account) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.sleep(ROUND_TRIP).await;
        let mut account = self.account();
        // Healthy targets get fewer by calls alone, or by failing checks, which a look comes upon.
        let answer = work(&mut account)?;
        self.count(&account);
        if let Some(store) = &self.store {
            store.save(&account)?;
        }
        Ok(answer)
    }
}

#[async_trait]
impl Cloud for SimCloud {
    async fn account(&self) -> Result<String, Fault> {
        self.sleep(ROUND_TRIP).await;
        Ok(SimCloud::account(self).id().to_owned())
    }

    async fn find(
        &self,
        kind: &'static dyn Kind,
        id: &str,
        _: &str,
    ) -> Result<Option<Observed>, Fault> {
        self.sleep(ROUND_TRIP).await;
        Ok(SimCloud::account(self).get(kind.schema().kind, id).map(Object::observed))
    }

    async fn read(&self, topology: &str, lookups: &BTreeSet<Lookup>) -> Result<Found, Fault> {
        self.sleep(ROUND_TRIP).await;
        let account = SimCloud::account(self);
        let answers = lookups.iter().map(|asked| (asked.clone(), account.lookup(asked)));
        Ok(Found { observed: account.list(topology), answers: answers.collect() })
    }

    async fn health(&self, groups: &[String]) -> Result<Vec<TargetHealth>, Fault> {
        self.sleep(ROUND_TRIP).await;
        let account = SimCloud::account(self);
        self.count(&account);
        Ok(account.health(groups))
    }

    async fn obstacle(
        &self,
        kind: &'static dyn Kind,
        topology: &str,
        body: &Body,
    ) -> Result<Option<String>, Fault> {
        Ok(SimCloud::account(self).obstacle(kind.schema(), topology, body))
    }

    async fn create(
        &self,
        kind: &'static dyn Kind,
        body: &Body,
        tags: &Tags,
    ) -> Result<Created, Fault> {
        self.call(|account| account.create(kind.schema(), body, tags)).await
    }

    async fn update(
        &self,
        kind: &'static dyn Kind,
        live: &Live,
        after: &Body,
        changed: &[&str],
    ) -> Result<(), Fault> {
        self.call(|account| account.update(kind.schema(), live, after, changed)).await
    }

    async fn update_all(
        &self,
        kind: &'static dyn Kind,
        all: &[(Live, Body)],
        changed: &[&str],
    ) -> Result<(), Fault> {
        self.call(|account| account.update_all(kind.schema(), all, changed)).await
    }

    async fn delete(
        &self,
        kind: &'static dyn Kind,
        live: &Live,
        parting: &Body,
    ) -> Result<(), Fault> {
        self.call(|account| account.delete(kind.schema(), &live.id, parting)).await
    }

    async fn status(
        &self,
        kind: &'static dyn Kind,
        ids: &[String],
    ) -> Result<BTreeMap<String, Standing>, Fault> {
        self.sleep(ROUND_TRIP).await;
        Ok(SimCloud::account(self).status(kind.schema().kind, ids))
    }

    async fn protect(&self, kind: &'static dyn Kind, live: &Live, on: bool) -> Result<(), Fault> {
        self.call(|account| account.protect(kind.schema().kind, &live.id, on)).await
    }

    async fn tag(&self, kind: &'static dyn Kind, live: &Live, tags: &Tags) -> Result<(), Fault> {
        self.call(|account| account.tag(kind.schema().kind, &live.id, tags)).await
    }

    fn now(&self) -> Duration {
        self.opened + self.started.elapsed().mul_f64(self.scale)
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration.div_f64(self.scale)).await;
    }
}
