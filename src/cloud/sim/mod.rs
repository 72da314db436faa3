//! The simulated account behind the door: the same words as AWS, no network, time at any scale.

mod account;
mod changes;
mod checks;
mod copy;
mod details;
mod faults;
mod faulty;
mod hang;
mod health;
mod lease;
mod lookup;
mod maintenance;
mod object;
mod offers;
mod questions;
mod reach;
mod replicas;
mod rules;
mod senders;
mod store;
mod texts;
mod tokens;
mod traffic;
mod zones;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio::time::Instant;

pub use account::Account;
pub use copy::Original;
pub use faults::{Death, Faults, Rates, Unseen};
pub use faulty::FaultyCloud;
pub use object::Object;
use store::{Store, Turn};
pub use traffic::Traffic;

use super::{Cloud, Found};
use crate::error::Result;
use crate::kinds::{Detail, Kind, Live, instance, ssm_parameter};
use crate::model::{
    Body, Bucket, Created, Fault, Holder, Lease, Lookup, Observed, Question, Schema, Standing,
    Tags, TargetHealth,
};

/// How long one call takes.
const ROUND_TRIP: Duration = Duration::from_millis(80);

/// A simulated account with a clock. `scale` is how many of its seconds pass in one of ours.
pub struct SimCloud {
    account: Mutex<Account>,
    store: Option<Store>,
    scale: f64,
    traffic: Mutex<Traffic>,
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
            traffic: Mutex::default(),
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

    /// The account as it is now, whoever else works on it. Until the turn ends, nobody else does.
    fn current(&self) -> Result<(MutexGuard<'_, Account>, Option<Turn>), Fault> {
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = self.store.as_ref().map(|store| store.turn(&mut account)).transpose()?;
        account.advance(self.now());
        Ok((account, turn))
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

    /// A call on its way, until it is let in.
    async fn arrive(
        &self,
        schema: &Schema,
        verb: &str,
        costs: &[(Option<&'static Bucket>, usize)],
    ) -> Result<(), Fault> {
        self.sleep(ROUND_TRIP).await;
        let call = format!("{}:{verb}", schema.kind);
        let mut traffic = self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        traffic.admit(&call, costs, self.now())
    }

    /// What has come since the account was opened.
    pub fn traffic(&self) -> Traffic {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One call: time passes, the account answers, and what it did is kept.
    async fn call<T>(
        &self,
        schema: &Schema,
        verb: &str,
        costs: &[(Option<&'static Bucket>, usize)],
        work: impl FnOnce(&mut Account) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.arrive(schema, verb, costs).await?;
        let (mut account, turn) = self.current()?;
        let answer = work(&mut account)?;
        // Healthy targets get fewer by calls alone, or by failing checks, which a look comes upon.
        let new = (schema.kind, verb) == (instance::SCHEMA.kind, "Create");
        if !new && verb != "Tag" {
            self.count(&account);
        }
        if let (Some(store), Some(mut turn)) = (&self.store, turn) {
            store.save(&account, &mut turn)?;
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
        let (account, _turn) = self.current()?;
        Ok(account.find(kind.schema().kind, id))
    }

    async fn read(&self, topology: &str, lookups: &BTreeSet<Lookup>) -> Result<Found, Fault> {
        self.sleep(ROUND_TRIP).await;
        let (mut account, _turn) = self.current()?;
        let answers = lookups.iter().map(|asked| (asked.clone(), account.lookup(asked)));
        let answers = answers.collect();
        Ok(Found { observed: account.list(topology), answers, expires: BTreeMap::new() })
    }

    async fn details(
        &self,
        kind: &'static dyn Kind,
        all: &[Live],
    ) -> Result<BTreeMap<String, Detail>, Fault> {
        self.sleep(ROUND_TRIP).await;
        Ok(details::of(&self.current()?.0, kind.schema(), all))
    }

    async fn health(&self, groups: &[String]) -> Result<Vec<TargetHealth>, Fault> {
        self.sleep(ROUND_TRIP).await;
        let (account, _turn) = self.current()?;
        self.count(&account);
        Ok(account.health(groups))
    }

    async fn ask(&self, question: &Question) -> Result<Value, Fault> {
        self.sleep(ROUND_TRIP).await;
        self.current()?.0.ask(question)
    }

    async fn create(
        &self,
        kind: &'static dyn Kind,
        body: &Body,
        all: &[Tags],
        token: &str,
    ) -> Result<Vec<Created>, Fault> {
        let (schema, calls) = (kind.schema(), &kind.schema().calls);
        let costs = [(calls.create, 1), (calls.made, all.len())];
        self.call(schema, "Create", &costs, |account| account.create_all(schema, body, all, token))
            .await
    }

    async fn update(
        &self,
        kind: &'static dyn Kind,
        all: &[(Live, Body)],
        changed: &[&str],
    ) -> Result<(), Fault> {
        let schema = kind.schema();
        self.call(schema, "Modify", &[(schema.calls.change, 1)], |account| match all {
            [(live, after)] => account.update(schema, live, after, changed),
            all => account.update_all(schema, all, changed),
        })
        .await
    }

    async fn delete(
        &self,
        kind: &'static dyn Kind,
        all: &[Live],
        parting: &Body,
    ) -> Result<(), Fault> {
        let schema = kind.schema();
        self.call(schema, "Delete", &[(schema.calls.delete, 1)], |account| {
            all.iter().try_for_each(|live| account.delete(schema, &live.id, parting))
        })
        .await
    }

    async fn status(
        &self,
        kind: &'static dyn Kind,
        ids: &[String],
    ) -> Result<BTreeMap<String, Standing>, Fault> {
        let schema = kind.schema();
        self.arrive(schema, "Describe", &[(schema.calls.read, 1)]).await?;
        Ok(self.current()?.0.status(schema.kind, ids))
    }

    async fn protect(&self, kind: &'static dyn Kind, live: &Live, on: bool) -> Result<(), Fault> {
        let schema = kind.schema();
        self.call(schema, "Protect", &[(schema.calls.change, 1)], |account| {
            account.protect(schema.kind, &live.id, on)
        })
        .await
    }

    async fn tag(&self, kind: &'static dyn Kind, all: &[(Live, Tags)]) -> Result<(), Fault> {
        let schema = kind.schema();
        self.call(schema, "Tag", &[(schema.calls.tag, 1)], |account| {
            all.iter().try_for_each(|(live, tags)| account.tag(schema.kind, &live.id, tags))
        })
        .await
    }

    /// Ages are those of our own time: whoever renews does it by that.
    async fn leases(&self, topology: &str) -> Result<Vec<Lease>, Fault> {
        self.sleep(ROUND_TRIP).await;
        let leases = self.current()?.0.leases(topology).into_iter();
        Ok(leases.map(|lease| Lease { age: lease.age.div_f64(self.scale), ..lease }).collect())
    }

    async fn put_lease(
        &self,
        topology: &str,
        number: u64,
        holder: &Holder,
        new: bool,
    ) -> Result<i64, Fault> {
        let schema = &ssm_parameter::SCHEMA;
        self.call(schema, "Lock", &[], |account| account.put_lease(topology, number, holder, new))
            .await
    }

    async fn drop_lease(&self, topology: &str, number: u64) -> Result<(), Fault> {
        let schema = &ssm_parameter::SCHEMA;
        self.call(schema, "Unlock", &[], |account| {
            account.drop_lease(topology, number);
            Ok(())
        })
        .await
    }

    fn now(&self) -> Duration {
        self.opened + self.started.elapsed().mul_f64(self.scale)
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration.div_f64(self.scale)).await;
    }
}
