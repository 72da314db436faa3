//! AWS behind the door: each kind's calls over the SDK.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::future::{join, join_all, try_join_all};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::{Cloud, Found};
use crate::aws::{self, Aws, Caller, Clients, Reading, elb, lease, lookup, questions};
use crate::kinds::{self, Detail, Kind, Live, REGISTRY};
use crate::model::{
    Body, Created, Fault, Holder, Lease, Lookup, Observed, Question, Standing, Tags, TargetHealth,
};

pub struct LiveCloud {
    /// For what only looks, and for what changes: these leave it to the plan's steps to try again.
    reads: Aws,
    changes: Aws,
    /// For what a plan can do without: it is not tried for long.
    asks: Aws,
    /// Whose the credentials are does not change.
    caller: OnceCell<Caller>,
    started: Instant,
}

impl LiveCloud {
    /// Makes clients for `region`, of the table that `iam-policy` prints; no call is made yet.
    pub async fn connect(region: &str) -> Self {
        let clients = Aws::connect(region, aws::table(kinds::operations())).await;
        let Clients { reads, changes, asks } = clients;
        Self { reads, changes, asks, caller: OnceCell::new(), started: Instant::now() }
    }

    async fn caller(&self) -> Result<&Caller, Fault> {
        self.caller.get_or_try_init(|| self.reads.caller()).await
    }
}

#[async_trait]
impl Cloud for LiveCloud {
    async fn account(&self) -> Result<String, Fault> {
        Ok(self.caller().await?.account.clone())
    }

    async fn read(&self, topology: &str, lookups: &BTreeSet<Lookup>) -> Result<Found, Fault> {
        let reading = Reading::new(&self.reads, topology, lookups);
        let lists = try_join_all(REGISTRY.iter().map(|kind| kind.list(&reading)));
        let answers = join_all(lookups.iter().map(|asked| lookup::of(&reading, asked)));
        let (lists, answers) = join(lists, answers).await;
        let known = answers.iter().flatten();
        let expires = known.filter_map(|one| Some((one.value.clone(), one.expires?))).collect();
        let answers = answers.into_iter().map(|answer| answer.map(|found| found.value));
        Ok(Found {
            observed: lists?.into_iter().flatten().collect(),
            answers: lookups.iter().cloned().zip(answers).collect(),
            expires,
        })
    }

    async fn find(
        &self,
        kind: &'static dyn Kind,
        id: &str,
        topology: &str,
    ) -> Result<Option<Observed>, Fault> {
        let found = kind.list(&Reading::of_one(&self.reads, topology, id)).await?;
        Ok(found.into_iter().find(|found| found.id == id))
    }

    async fn details(
        &self,
        kind: &'static dyn Kind,
        all: &[Live],
    ) -> Result<BTreeMap<String, Detail>, Fault> {
        kind.details(&self.reads, all).await
    }

    async fn health(&self, groups: &[String]) -> Result<Vec<TargetHealth>, Fault> {
        elb::findings(&self.reads, groups).await
    }

    async fn ask(&self, question: &Question) -> Result<Value, Fault> {
        if let Question::Names { kind, topology, names } = question {
            return kinds::namesakes(&self.asks, kind, topology, names).await;
        }
        questions::answer(&self.asks, self.caller().await?, question).await
    }

    async fn create(
        &self,
        kind: &'static dyn Kind,
        body: &Body,
        all: &[Tags],
        token: &str,
    ) -> Result<Vec<Created>, Fault> {
        kind.create_all(&self.changes, body, all, token).await
    }

    async fn update(
        &self,
        kind: &'static dyn Kind,
        all: &[(Live, Body)],
        changed: &[&str],
    ) -> Result<(), Fault> {
        kind.update_all(&self.changes, all, changed).await
    }

    async fn delete(
        &self,
        kind: &'static dyn Kind,
        all: &[Live],
        parting: &Body,
    ) -> Result<(), Fault> {
        kind.delete_all(&self.changes, all, parting).await
    }

    async fn status(
        &self,
        kind: &'static dyn Kind,
        ids: &[String],
    ) -> Result<BTreeMap<String, Standing>, Fault> {
        kind.status(&self.reads, ids).await
    }

    async fn protect(&self, kind: &'static dyn Kind, live: &Live, on: bool) -> Result<(), Fault> {
        kind.protect(&self.changes, live, on).await
    }

    async fn tag(&self, kind: &'static dyn Kind, all: &[(Live, Tags)]) -> Result<(), Fault> {
        kind.tag_all(&self.changes, all).await
    }

    async fn leases(&self, topology: &str) -> Result<Vec<Lease>, Fault> {
        lease::all(&self.reads, topology).await
    }

    async fn put_lease(
        &self,
        topology: &str,
        number: u64,
        holder: &Holder,
        new: bool,
    ) -> Result<i64, Fault> {
        lease::put(&self.changes, topology, number, holder, new).await
    }

    async fn drop_lease(&self, topology: &str, number: u64) -> Result<(), Fault> {
        lease::remove(&self.changes, topology, number).await
    }

    /// An endpoint of one's own has no buckets of AWS's.
    fn is_limited(&self) -> bool {
        std::env::var_os("AWS_ENDPOINT_URL").is_none_or(|url| url.is_empty())
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
