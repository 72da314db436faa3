//! The simulated account behind the door: the same words as AWS, no network, time at any scale.

mod account;
mod rules;
mod store;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

pub use account::{Account, Object};
use store::Store;

use super::Cloud;
use crate::error::Result;
use crate::kinds::{Kind, Live};
use crate::model::{Body, Created, Fault, Lookup, Observed, Standing, Tags};

/// How long one call takes.
const ROUND_TRIP: Duration = Duration::from_millis(80);

/// A simulated account with a clock. `scale` is how many of its seconds pass in one of ours.
pub struct SimCloud {
    account: Mutex<Account>,
    store: Option<Store>,
    scale: f64,
    /// The account's clock when this process began.
    opened: Duration,
    started: Instant,
}

impl SimCloud {
    /// An account that lives in memory.
    pub fn in_memory(account: Account, scale: f64) -> Self {
        let opened = account.clock();
        Self { account: Mutex::new(account), store: None, scale, opened, started: Instant::now() }
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

    /// One call: time passes, the account answers, and what it did is kept.
    async fn call<T>(
        &self,
        work: impl FnOnce(&mut Account) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.sleep(ROUND_TRIP).await;
        let mut account = self.account();
        let answer = work(&mut account)?;
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

    async fn list(&self, topology: &str) -> Result<Vec<Observed>, Fault> {
        self.sleep(ROUND_TRIP).await;
        Ok(SimCloud::account(self).list(topology))
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

    async fn lookup(&self, lookup: &Lookup) -> Result<String, Fault> {
        self.sleep(ROUND_TRIP).await;
        SimCloud::account(self).lookup(lookup)
    }

    async fn health(&self, groups: &[String]) -> Result<BTreeMap<String, String>, Fault> {
        self.sleep(ROUND_TRIP).await;
        let account = SimCloud::account(self);
        let targets = account.objects().filter(|object| object.kind == "instance");
        let targets = targets.filter(|one| groups.iter().any(|id| id == one.text("target_group")));
        // One that runs is healthy.
        let ready = crate::model::Status::Ready;
        let word = |status| if status == ready { "healthy" } else { "unused" };
        Ok(targets.map(|one| (one.id.clone(), word(one.status()).to_owned())).collect())
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
        self.call(|account| account.update(kind.schema(), &live.id, after, changed)).await
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
