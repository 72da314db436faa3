//! The one door out: AWS itself, or the simulated account. Behind it, bodies hold ids; before it, addresses.

mod live;
pub mod sim;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

pub use live::LiveCloud;

use crate::kinds::{Detail, Kind, Live};
use crate::model::{
    Body, Created, Fault, Holder, Lease, Lookup, Observed, Question, Standing, Tags, TargetHealth,
};

/// What one reading of the account finds.
pub struct Found {
    /// Every resource, of every kind, that bears the topology's tag.
    pub observed: Vec<Observed>,
    /// Each lookup's answer, or why there is none.
    pub answers: BTreeMap<Lookup, Result<String, Fault>>,
    /// When what was found expires, in seconds since 1970, by the answer.
    pub expires: BTreeMap<String, i64>,
}

/// An account in one region, with a clock of its own.
#[async_trait]
pub trait Cloud: Send + Sync {
    /// The id of the account the credentials belong to.
    async fn account(&self) -> Result<String, Fault>;

    /// Reads what bears the topology's tag, and looks up what it names: together, since both ask for some of the same.
    async fn read(&self, topology: &str, lookups: &BTreeSet<Lookup>) -> Result<Found, Fault>;

    /// The one of this kind and id, whoever it belongs to; `topology` asks.
    async fn find(
        &self,
        kind: &'static dyn Kind,
        id: &str,
        topology: &str,
    ) -> Result<Option<Observed>, Fault>;

    /// See [`Kind::details`].
    async fn details(
        &self,
        _kind: &'static dyn Kind,
        _all: &[Live],
    ) -> Result<BTreeMap<String, Detail>, Fault> {
        Ok(BTreeMap::new())
    }

    /// What target groups, by id, find of their targets, those that are draining included.
    async fn health(&self, groups: &[String]) -> Result<Vec<TargetHealth>, Fault>;

    /// The answer to a question, in the form that the question has.
    async fn ask(&self, question: &Question) -> Result<Value, Fault>;

    /// See [`Kind::create_all`].
    async fn create(
        &self,
        kind: &'static dyn Kind,
        body: &Body,
        all: &[Tags],
        token: &str,
    ) -> Result<Vec<Created>, Fault>;

    /// See [`Kind::update_all`].
    async fn update(
        &self,
        kind: &'static dyn Kind,
        all: &[(Live, Body)],
        changed: &[&str],
    ) -> Result<(), Fault>;

    /// See [`Kind::delete_all`].
    async fn delete(
        &self,
        kind: &'static dyn Kind,
        all: &[Live],
        parting: &Body,
    ) -> Result<(), Fault>;

    /// See [`Kind::status`].
    async fn status(
        &self,
        kind: &'static dyn Kind,
        ids: &[String],
    ) -> Result<BTreeMap<String, Standing>, Fault>;

    /// See [`Kind::protect`].
    async fn protect(&self, kind: &'static dyn Kind, live: &Live, on: bool) -> Result<(), Fault>;

    /// See [`Kind::tag_all`].
    async fn tag(&self, kind: &'static dyn Kind, all: &[(Live, Tags)]) -> Result<(), Fault>;

    /// The locks on a topology that stand in the account.
    async fn leases(&self, topology: &str) -> Result<Vec<Lease>, Fault>;

    /// Makes a lock, which must not be there when it is to be `new`; or renews it. Its version, which counts up from 1.
    async fn put_lease(
        &self,
        topology: &str,
        number: u64,
        holder: &Holder,
        new: bool,
    ) -> Result<i64, Fault>;

    /// Takes a lock away.
    async fn drop_lease(&self, topology: &str, number: u64) -> Result<(), Fault>;

    /// Whether it takes calls no faster than AWS says.
    fn is_limited(&self) -> bool {
        true
    }

    /// The time on the account's clock, from some start.
    fn now(&self) -> Duration;

    /// Waits, on the account's clock.
    async fn sleep(&self, duration: Duration);
}
