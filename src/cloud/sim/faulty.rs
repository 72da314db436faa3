//! The simulated account with faults: what AWS does on a bad day, and what becomes of a process that dies.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::Notify;

use super::{Death, Faults, Rates, SimCloud, Unseen};
use crate::cloud::{Cloud, Found};
use crate::kinds::{Kind, Live};
use crate::model::{
    Body, Class, Created, Fault, Holder, Lease, Lookup, Observed, Question, Standing, Tags,
    TargetHealth,
};

/// One process's way to the account, which is somebody else's as well.
pub struct FaultyCloud<'a> {
    cloud: &'a SimCloud,
    faults: Mutex<Faults>,
    died: Notify,
}

impl<'a> FaultyCloud<'a> {
    /// The same seed gives the same faults, where the calls are the same.
    pub fn new(cloud: &'a SimCloud, seed: u64, rates: Rates, death: Option<Death>) -> Self {
        Self { cloud, faults: Mutex::new(Faults::new(seed, rates, death)), died: Notify::new() }
    }

    /// The process's credentials are over after so many calls that change something.
    #[must_use]
    pub fn expiring(self, changes: usize) -> Self {
        self.faults().expire_after(changes);
        self
    }

    /// Listings don't show these yet, which the process before it has made.
    #[must_use]
    pub fn after(self, unseen: Unseen) -> Self {
        self.faults().hide(unseen);
        self
    }

    /// What listings don't show yet, for whoever comes next.
    pub fn unseen(&self) -> Unseen {
        self.faults().unseen()
    }

    /// How many calls came with credentials that were over.
    pub fn refused(&self) -> usize {
        self.faults().refused()
    }

    /// Returns when the process has died: whoever runs it drops it then, as a kill would.
    pub async fn died(&self) {
        self.died.notified().await;
    }

    /// How many calls that change something were made.
    pub fn changes(&self) -> usize {
        self.faults().changes()
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The dead make no calls and get no answers.
    async fn unless_dead(&self) {
        if self.faults().dead {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }

    async fn looks<T>(
        &self,
        kind: &str,
        call: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        self.unless_dead().await;
        let let_in = self.faults().before(&format!("{kind}:Describe"), false);
        let_in?;
        let answer = call.await;
        self.unless_dead().await;
        answer
    }

    async fn changes_by<T>(
        &self,
        call: String,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        self.unless_dead().await;
        let let_in = self.faults().before(&call, true);
        self.unless_dead().await;
        let_in?;
        let answer = work.await?;
        let heard = self.faults().after(&call);
        self.unless_dead().await;
        heard.map(|()| answer)
    }

    /// Whether everything that a call names is known by now.
    fn known(&self, kind: &'static dyn Kind, ids: &[&str], body: &Body) -> Result<(), Fault> {
        let now = self.cloud.now();
        let faults = self.faults();
        let own = ids.iter().find(|id| faults.is_unseen(kind.schema().kind, id, now));
        let named = kind.schema().fields.iter().find_map(|field| {
            let links = field.links(body.get(field.name)?);
            let mut ids = links.into_iter().filter_map(Value::as_str);
            ids.find(|id| faults.is_unseen(field.named_kind().unwrap_or_default(), id, now))
        });
        match own.copied().or(named) {
            None => Ok(()),
            Some(id) => {
                let message = format!("{id} does not exist");
                Err(Fault::new(Class::NotFound, "sim:Call", "NotFound", message))
            }
        }
    }

    /// Before these are changed: how they look.
    fn note(&self, kind: &'static dyn Kind, ids: &[&str]) {
        let kind = kind.schema().kind;
        for id in ids {
            let before = self.cloud.account().get(kind, id).map(super::Object::observed);
            self.faults().changed(before, self.cloud.now());
        }
    }
}

fn ids<'a>(all: impl IntoIterator<Item = &'a Live>) -> Vec<&'a str> {
    all.into_iter().map(|live| live.id.as_str()).collect()
}

#[async_trait]
impl Cloud for FaultyCloud<'_> {
    async fn account(&self) -> Result<String, Fault> {
        self.unless_dead().await;
        Cloud::account(self.cloud).await
    }

    /// As the SDK reads: it repeats what was refused or failed.
    async fn read(&self, topology: &str, lookups: &BTreeSet<Lookup>) -> Result<Found, Fault> {
        self.unless_dead().await;
        let found = self.cloud.read(topology, lookups).await?;
        let observed = self.faults().distort(found.observed, self.cloud.now());
        self.unless_dead().await;
        Ok(Found { observed, ..found })
    }

    async fn find(
        &self,
        kind: &'static dyn Kind,
        id: &str,
        topology: &str,
    ) -> Result<Option<Observed>, Fault> {
        self.looks(kind.schema().kind, self.cloud.find(kind, id, topology)).await
    }

    async fn health(&self, groups: &[String]) -> Result<Vec<TargetHealth>, Fault> {
        self.looks("target_group", self.cloud.health(groups)).await
    }

    async fn ask(&self, question: &Question) -> Result<Value, Fault> {
        self.cloud.ask(question).await
    }

    async fn create(
        &self,
        kind: &'static dyn Kind,
        body: &Body,
        all: &[Tags],
        token: &str,
    ) -> Result<Vec<Created>, Fault> {
        let name = kind.schema().kind;
        self.changes_by(format!("{name}:Create"), async {
            self.known(kind, &[], body)?;
            let made = self.cloud.create(kind, body, all, token).await?;
            let new = made.iter().map(|one| one.id.clone());
            self.faults().made(name, new, self.cloud.now());
            Ok(made)
        })
        .await
    }

    async fn update(
        &self,
        kind: &'static dyn Kind,
        all: &[(Live, Body)],
        changed: &[&str],
    ) -> Result<(), Fault> {
        let ids = ids(all.iter().map(|(live, _)| live));
        self.changes_by(format!("{}:Modify", kind.schema().kind), async {
            for (_, after) in all {
                let mut set = after.clone();
                set.retain(|field, _| changed.contains(&field.as_str()));
                self.known(kind, &ids, &set)?;
            }
            self.note(kind, &ids);
            self.cloud.update(kind, all, changed).await
        })
        .await
    }

    async fn delete(
        &self,
        kind: &'static dyn Kind,
        all: &[Live],
        parting: &Body,
    ) -> Result<(), Fault> {
        self.changes_by(format!("{}:Delete", kind.schema().kind), async {
            self.note(kind, &ids(all));
            self.cloud.delete(kind, all, parting).await
        })
        .await
    }

    async fn status(
        &self,
        kind: &'static dyn Kind,
        ids: &[String],
    ) -> Result<BTreeMap<String, Standing>, Fault> {
        let name = kind.schema().kind;
        let mut found = self.looks(name, self.cloud.status(kind, ids)).await?;
        let (faults, now) = (self.faults(), self.cloud.now());
        found.retain(|id, _| !faults.is_unseen(name, id, now));
        Ok(found)
    }

    async fn protect(&self, kind: &'static dyn Kind, live: &Live, on: bool) -> Result<(), Fault> {
        self.changes_by(format!("{}:Protect", kind.schema().kind), async {
            self.known(kind, &[&live.id], &Body::new())?;
            self.cloud.protect(kind, live, on).await
        })
        .await
    }

    async fn tag(&self, kind: &'static dyn Kind, all: &[(Live, Tags)]) -> Result<(), Fault> {
        let ids = ids(all.iter().map(|(live, _)| live));
        self.changes_by(format!("{}:Tag", kind.schema().kind), async {
            self.known(kind, &ids, &Body::new())?;
            self.note(kind, &ids);
            self.cloud.tag(kind, all).await
        })
        .await
    }

    async fn leases(&self, topology: &str) -> Result<Vec<Lease>, Fault> {
        self.looks("lock", self.cloud.leases(topology)).await
    }

    async fn put_lease(
        &self,
        topology: &str,
        number: u64,
        holder: &Holder,
        new: bool,
    ) -> Result<i64, Fault> {
        let put = self.cloud.put_lease(topology, number, holder, new);
        self.changes_by("lock:Put".to_owned(), put).await
    }

    async fn drop_lease(&self, topology: &str, number: u64) -> Result<(), Fault> {
        self.changes_by("lock:Drop".to_owned(), self.cloud.drop_lease(topology, number)).await
    }

    fn now(&self) -> Duration {
        self.cloud.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.cloud.sleep(duration).await;
    }
}
