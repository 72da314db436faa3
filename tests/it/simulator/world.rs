//! A simulated account with a stopped clock, and the drawn topology to try on it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use ecdeploy::cloud::sim::{Account, SimCloud};
use ecdeploy::cloud::{Cloud, Found};
use ecdeploy::desired::{Desired, desired};
use ecdeploy::kinds::{self, Kind, Live};
use ecdeploy::model::{
    Body, Class, Created, Fault, Holder, Lease, Lookup, Observed, Question, Standing, TOPOLOGY,
    Tags, TargetHealth,
};
use ecdeploy::plan::{Origin, Parting, Plan, Step};
use ecdeploy::reconcile::{self, Event, Halt, Observer, Outcome, Stop, What};
use ecdeploy::snapshot::{self, Snapshot};
use ecdeploy::topology;
use serde_json::Value;
use tokio::sync::OnceCell;

pub const DRAWN: &str = include_str!("../../../topology.toml");

/// What the topology asks for, with texts of the drawn file replaced.
pub fn drawn(edits: &[(&str, &str)]) -> Desired {
    let mut text = DRAWN.to_owned();
    for (old, new) in edits {
        assert!(text.contains(old), "topology.toml has no `{old}`");
        text = text.replace(old, new);
    }
    let topology = topology::parse("topology.toml", &text, &[])
        .unwrap_or_else(|errors| panic!("the topology is wrong: {errors:?}"));
    desired(&topology)
}

pub fn empty_account() -> SimCloud {
    SimCloud::in_memory(Account::new("123456789012", "ap-southeast-1"), 1.0)
}

/// An account in which the drawn system is in service: made once, and copied for each who asks.
pub async fn drawn_account() -> SimCloud {
    static DRAWN: OnceCell<Account> = OnceCell::const_new();
    let account = DRAWN.get_or_init(|| async {
        let cloud = empty_account();
        apply_fully(&cloud, &drawn(&[])).await;
        cloud.account().clone()
    });
    SimCloud::in_memory(account.await.clone(), 1.0)
}

pub async fn read(cloud: &dyn Cloud, desired: &Desired) -> Snapshot {
    snapshot::read(cloud, desired).await.expect("the account can be read")
}

pub async fn plan(cloud: &dyn Cloud, desired: &Desired) -> Plan {
    let snapshot = read(cloud, desired).await;
    Plan::to_reach(desired, &snapshot, &parting(), Origin::default()).expect("there is a plan")
}

/// Carries out what `desired` asks for, and says what was done.
pub async fn apply(cloud: &dyn Cloud, desired: &Desired) -> (Plan, Outcome) {
    let snapshot = read(cloud, desired).await;
    let plan = Plan::to_reach(desired, &snapshot, &parting(), Origin::default()).expect("a plan");
    let outcome = carry_out(&plan, &snapshot, cloud, &Stop::default(), &Silent).await;
    (plan, outcome)
}

/// As [`apply`], and it must succeed and leave nothing to do.
pub async fn apply_fully(cloud: &dyn Cloud, desired: &Desired) -> (Plan, Outcome) {
    let (plan, outcome) = apply(cloud, desired).await;
    assert!(outcome.is_complete(), "{:#?}", failures(&plan, &outcome));
    let again = self::plan(cloud, desired).await;
    assert!(again.is_empty(), "a second plan is not empty: {:#?}", again.changes);
    (plan, outcome)
}

pub async fn destroy(cloud: &dyn Cloud, desired: &Desired) -> (Plan, Outcome) {
    let snapshot = read(cloud, desired).await;
    let plan = Plan::to_destroy(desired, &snapshot, &parting(), Origin::default()).expect("a plan");
    let outcome = carry_out(&plan, &snapshot, cloud, &Stop::default(), &Silent).await;
    assert!(outcome.is_complete(), "{:#?}", failures(&plan, &outcome));
    (plan, outcome)
}

pub async fn carry_out(
    plan: &Plan,
    snapshot: &Snapshot,
    cloud: &dyn Cloud,
    stop: &Stop,
    observer: &dyn Observer,
) -> Outcome {
    reconcile::run(plan, snapshot, cloud, 16, stop, observer).await
}

pub fn parting() -> Parting {
    Parting { stamp: "20261122150405".into(), ..Parting::default() }
}

pub fn failures<'a>(plan: &'a Plan, outcome: &Outcome) -> Vec<(&'a Step, String)> {
    plan.steps
        .iter()
        .zip(&outcome.states)
        .filter(|(_, state)| !matches!(state, reconcile::State::Done))
        .map(|(step, state)| (step, format!("{state:?}")))
        .collect()
}

/// The ids of everything in the account.
pub fn ids(cloud: &SimCloud) -> Vec<String> {
    cloud.account().objects().map(|object| object.id.clone()).collect()
}

/// Everything in the account that does not bear the topology's tag, bodies and all.
pub fn foreign(cloud: &SimCloud, topology: &str) -> String {
    let account = cloud.account();
    let objects =
        account.objects().filter(|o| o.tags.get(TOPOLOGY).is_none_or(|name| name != topology));
    format!("{:#?}", objects.collect::<Vec<_>>())
}

/// Changes one field behind the product's back.
pub fn edit(cloud: &SimCloud, address: &str, field: &str, value: Value) {
    let mut account = cloud.account();
    let object = account
        .objects()
        .find(|o| o.tags.get("ecdeploy:address").is_some_and(|tag| tag == address))
        .unwrap_or_else(|| panic!("nothing bears {address}"));
    let kind = object.kind.clone();
    let (id, body) = (object.id.clone(), object.body.clone());
    let schema = kinds::by_name(&kind).expect("a known kind").schema();
    let after = Body::from([(field.to_owned(), value)]);
    let live = Live { id, outputs: BTreeMap::new(), body, tags: Tags::new() };
    account.update(schema, &live, &after, &[field]).expect("the edit is allowed");
}

pub fn id_of(cloud: &SimCloud, address: &str) -> String {
    let account = cloud.account();
    let mut found =
        account.objects().filter(|o| o.tags.get("ecdeploy:address").is_some_and(|a| a == address));
    found.next().map(|o| o.id.clone()).unwrap_or_else(|| panic!("nothing bears {address}"))
}

pub struct Silent;

impl Observer for Silent {
    fn event(&self, _: &Event) {}
}

/// Asks to stop once so many steps are done.
pub struct StopAfter<'a> {
    pub steps: usize,
    pub stop: &'a Stop,
    pub done: Mutex<usize>,
}

impl Observer for StopAfter<'_> {
    fn event(&self, event: &Event) {
        if matches!(event.what, What::Done { .. }) {
            let mut done = self.done.lock().unwrap();
            *done += 1;
            if *done == self.steps {
                self.stop.request(Halt::Signal(2));
            }
        }
    }
}

/// A simulated account of which a test spoils the creations, or watches the calls.
#[async_trait]
pub trait Spoiled: Send + Sync {
    fn sound(&self) -> &SimCloud;
    /// Before each call that changes something: an error is its answer.
    async fn begins(&self) -> Result<(), Fault> {
        Ok(())
    }
    /// After each of them that went well.
    async fn ended(&self, _: &'static str) {}
    /// Before each look at the health of targets: an error is its answer.
    fn looks(&self) -> Result<(), Fault> {
        Ok(())
    }
    /// Before the lock is looked at, put or dropped, and after it was put: an error is the answer.
    async fn lock_is(&self, _: &'static str) -> Result<(), Fault> {
        Ok(())
    }
    /// Before these are deleted: an error is its answer.
    fn refuses(&self, _: &'static dyn Kind, _: &[Live]) -> Result<(), Fault> {
        Ok(())
    }
    /// Before the tags of things of one kind are written: an error is its answer.
    fn tags(&self, _: &'static dyn Kind) -> Result<(), Fault> {
        Ok(())
    }
    /// Before these are deleted.
    fn deletes(&self, _: &'static dyn Kind, _: &[Live]) {}
    async fn spoil(
        &self,
        kind: &'static dyn Kind,
        body: &Body,
        all: &[Tags],
        token: &str,
    ) -> Result<Vec<Created>, Fault>;
}

/// Answers the creation of one kind with an error.
pub struct Refusing<'a> {
    pub cloud: &'a SimCloud,
    pub kind: &'static str,
}

#[async_trait]
impl Spoiled for Refusing<'_> {
    fn sound(&self) -> &SimCloud {
        self.cloud
    }

    async fn spoil(
        &self,
        kind: &'static dyn Kind,
        body: &Body,
        all: &[Tags],
        token: &str,
    ) -> Result<Vec<Created>, Fault> {
        if kind.schema().kind == self.kind {
            let message = "you have reached the limit";
            return Err(Fault::new(Class::Fatal, "sim:Create", "LimitExceeded", message));
        }
        self.cloud.create(kind, body, all, token).await
    }
}

/// Loses the answer to the first creation of each kind, after the work was done.
pub struct Losing<'a> {
    pub cloud: &'a SimCloud,
    pub lost: Mutex<BTreeSet<&'static str>>,
}

#[async_trait]
impl Spoiled for Losing<'_> {
    fn sound(&self) -> &SimCloud {
        self.cloud
    }

    async fn spoil(
        &self,
        kind: &'static dyn Kind,
        body: &Body,
        all: &[Tags],
        token: &str,
    ) -> Result<Vec<Created>, Fault> {
        let made = self.cloud.create(kind, body, all, token).await?;
        if self.lost.lock().unwrap().insert(kind.schema().kind) {
            return Err(Fault::new(Class::Transient, "sim:Create", "InternalError", "try again"));
        }
        Ok(made)
    }
}

/// An account with something wrong about it.
pub struct Faulty<S>(pub S);

#[async_trait]
impl<S: Spoiled> Cloud for Faulty<S> {
    async fn account(&self) -> Result<String, Fault> {
        Cloud::account(self.0.sound()).await
    }
    async fn read(&self, topology: &str, lookups: &BTreeSet<Lookup>) -> Result<Found, Fault> {
        self.0.sound().read(topology, lookups).await
    }
    async fn health(&self, groups: &[String]) -> Result<Vec<TargetHealth>, Fault> {
        self.0.looks()?;
        self.0.sound().health(groups).await
    }
    async fn find(
        &self,
        kind: &'static dyn Kind,
        id: &str,
        topology: &str,
    ) -> Result<Option<Observed>, Fault> {
        self.0.sound().find(kind, id, topology).await
    }
    async fn ask(&self, question: &Question) -> Result<Value, Fault> {
        self.0.sound().ask(question).await
    }

    async fn create(
        &self,
        kind: &'static dyn Kind,
        body: &Body,
        all: &[Tags],
        token: &str,
    ) -> Result<Vec<Created>, Fault> {
        self.0.begins().await?;
        let made = self.0.spoil(kind, body, all, token).await?;
        self.0.ended("create").await;
        Ok(made)
    }
    async fn update(
        &self,
        kind: &'static dyn Kind,
        all: &[(Live, Body)],
        changed: &[&str],
    ) -> Result<(), Fault> {
        self.0.begins().await?;
        self.0.sound().update(kind, all, changed).await?;
        self.0.ended(if all.len() > 1 { "update_all" } else { "update" }).await;
        Ok(())
    }
    async fn delete(
        &self,
        kind: &'static dyn Kind,
        all: &[Live],
        parting: &Body,
    ) -> Result<(), Fault> {
        self.0.begins().await?;
        self.0.refuses(kind, all)?;
        self.0.deletes(kind, all);
        self.0.sound().delete(kind, all, parting).await?;
        self.0.ended("delete").await;
        Ok(())
    }
    async fn status(
        &self,
        kind: &'static dyn Kind,
        ids: &[String],
    ) -> Result<BTreeMap<String, Standing>, Fault> {
        self.0.sound().status(kind, ids).await
    }
    async fn protect(&self, kind: &'static dyn Kind, live: &Live, on: bool) -> Result<(), Fault> {
        self.0.begins().await?;
        self.0.sound().protect(kind, live, on).await?;
        self.0.ended("protect").await;
        Ok(())
    }
    async fn tag(&self, kind: &'static dyn Kind, all: &[(Live, Tags)]) -> Result<(), Fault> {
        self.0.begins().await?;
        self.0.tags(kind)?;
        self.0.sound().tag(kind, all).await?;
        self.0.ended("tag").await;
        Ok(())
    }
    async fn leases(&self, topology: &str) -> Result<Vec<Lease>, Fault> {
        self.0.lock_is("looked at").await?;
        self.0.sound().leases(topology).await
    }
    async fn put_lease(
        &self,
        topology: &str,
        number: u64,
        holder: &Holder,
        new: bool,
    ) -> Result<i64, Fault> {
        self.0.lock_is("to be put").await?;
        let version = self.0.sound().put_lease(topology, number, holder, new).await?;
        self.0.lock_is("put").await.map(|()| version)
    }
    async fn drop_lease(&self, topology: &str, number: u64) -> Result<(), Fault> {
        self.0.lock_is("dropped").await?;
        self.0.sound().drop_lease(topology, number).await
    }
    fn now(&self) -> Duration {
        self.0.sound().now()
    }
    async fn sleep(&self, duration: Duration) {
        self.0.sound().sleep(duration).await;
    }
}
