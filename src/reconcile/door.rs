//! The way to the account while a plan is carried out: no faster than AWS allows, not more calls at once than wished,
//! and one call for what one call can do.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::gather::Gather;
use super::pacer::Pacer;
use super::{Halt, Stop};
use crate::cloud::Cloud;
use crate::kinds::{Kind, Live, target_group};
use crate::model::{
    ADDRESS, Address, Body, Bucket, Class, Created, Fault, INTERRUPTED, NOT_SENT, Observed,
    Standing, Tags, TargetHealth, Texts, digest, launch, with_texts,
};

/// How long a call waits for others to join it.
const WINDOW: Duration = Duration::from_millis(10);
/// How often a call with a token is repeated whose answer was lost.
const TRIES: u32 = 8;
/// So long after a signal it is still tried to write down what was done. CI kills 2.5 to 10 s after it.
const LAST_NOTES: Duration = Duration::from_secs(5);
/// How many targets' ids one status call is counted for.
const STATUS_IDS: usize = 200;

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Look,
    /// Changes something, or announces a change that is to follow.
    Change,
    /// Writes down what was done.
    Note,
}

pub(super) struct Door<'a> {
    cloud: &'a dyn Cloud,
    stop: &'a Stop,
    texts: &'a Texts,
    /// As many calls are under way at once.
    calls: Semaphore,
    pacer: Pacer,
    creations: Gather<(Tags, String), Created>,
    changes: Gather<(Live, Body), ()>,
    deletions: Gather<Live, ()>,
    taggings: Gather<(Live, Tags), ()>,
}

impl<'a> Door<'a> {
    pub fn new(cloud: &'a dyn Cloud, parallelism: usize, stop: &'a Stop, texts: &'a Texts) -> Self {
        Self {
            cloud,
            stop,
            texts,
            calls: Semaphore::new(parallelism.max(1)),
            pacer: Pacer::default(),
            creations: Gather::default(),
            changes: Gather::default(),
            deletions: Gather::default(),
            taggings: Gather::default(),
        }
    }

    pub fn now(&self) -> Duration {
        self.cloud.now()
    }

    pub async fn sleep(&self, duration: Duration) {
        self.cloud.sleep(duration).await;
    }

    pub async fn read(&self, topology: &str) -> Result<Vec<Observed>, Fault> {
        Ok(self.cloud.read(topology, &BTreeSet::new()).await.map_err(unheard)?.observed)
    }

    pub async fn status(
        &self,
        kind: &'static dyn Kind,
        ids: &[String],
    ) -> Result<BTreeMap<String, Standing>, Fault> {
        let calls = ids.len().div_ceil(STATUS_IDS);
        self.call(Sort::Look, kind.schema().calls.read, calls, self.cloud.status(kind, ids)).await
    }

    pub async fn health(&self, group: &str) -> Result<Vec<TargetHealth>, Fault> {
        let groups = [group.to_owned()];
        self.call(Sort::Look, target_group::SCHEMA.calls.read, 1, self.cloud.health(&groups)).await
    }

    pub async fn protect(
        &self,
        kind: &'static dyn Kind,
        live: &Live,
        on: bool,
    ) -> Result<(), Fault> {
        self.call(Sort::Change, kind.schema().calls.change, 1, self.cloud.protect(kind, live, on))
            .await
    }

    /// Creates it. `token` is the same for as long as the same is meant.
    pub async fn create(
        &self,
        kind: &'static dyn Kind,
        body: &Body,
        tags: &Tags,
        token: &str,
    ) -> Result<Created, Fault> {
        let calls = &kind.schema().calls;
        let make = |all: Vec<(Tags, String)>| async move {
            let (tags, tokens): (Vec<Tags>, Vec<String>) = all.into_iter().unzip();
            if let Some(bucket) = calls.made {
                self.wait(Sort::Change, bucket, tags.len()).await?;
            }
            // One call for these is another one than for some of them.
            let token = digest(tokens.join(" ").as_bytes());
            let body = with_texts(body, self.texts).map_err(|late| {
                Fault::new(Class::Fatal, "create", "", format!("the plan lacks {late:?}"))
            })?;
            let mut tries = 0;
            let mut lost = None;
            loop {
                let made = self.cloud.create(kind, &body, &tags, &token);
                let fault = match self.send(Sort::Change, calls.create, made).await {
                    // Nothing of it went out; of an earlier try something may have.
                    Err(fault) if is_unsent(&fault) => return Err(lost.unwrap_or(fault)),
                    Err(fault) if is_hopeless(&fault) => return Err(fault),
                    Err(fault) if calls.token && (tries > 0 || fault.class == Class::Transient) => {
                        fault
                    }
                    answer => return answer,
                };
                // The same call again: it tells what it did the first time. With others among them it would be another.
                let fault = Fault { class: Class::Transient, ..fault };
                if tries == TRIES {
                    return Err(fault);
                }
                lost = Some(fault);
                tries += 1;
                self.sleep(WINDOW * 20 * tries).await;
            }
        };
        let item = (tags.clone(), token.to_owned());
        if calls.create_many == 1 {
            self.turn(Sort::Change, calls.create).await?;
            return only(make(vec![item]).await?);
        }
        let fits = |known: &[&(Tags, String)], more: &(Tags, String)| {
            let all: Option<Vec<Address>> =
                known.iter().chain([&more]).map(|(tags, _)| address(tags)).collect();
            known.len() < calls.create_many
                && all.is_some_and(|all| launch::to_text(&all).is_some())
        };
        // Machines of two services are never alike.
        let service =
            address(tags).map(|address| address.name().rsplit_once('-').map(|(s, _)| s.to_owned()));
        let like = digest(format!("{service:?} {body:?}").as_bytes());
        let key = format!("{} {like}", kind.schema().kind);
        self.creations
            .ask(key, item, fits, self.turn_to_share(Sort::Change, calls.create), make)
            .await
    }

    /// Brings the `changed` fields to what `after` has for them.
    pub async fn update(
        &self,
        kind: &'static dyn Kind,
        live: &Live,
        after: &Body,
        changed: &[&str],
    ) -> Result<(), Fault> {
        let schema = kind.schema();
        let item = (live.clone(), after.clone());
        let serves = |name: &str| schema.field(name).is_some_and(|field| field.serves);
        let shared = schema.calls.serve_many > 1 && changed.iter().all(|name| serves(name));
        if !shared {
            return self.update_all(kind, &[item], changed).await;
        }
        let way =
            |body: &Body| changed.iter().map(|name| format!("{:?}", body.get(*name))).collect();
        let (from, to): (String, String) = (way(&live.body), way(after));
        let key = format!("{} {changed:?} {from} {to}", schema.kind);
        let fits =
            |known: &[&(Live, Body)], _: &(Live, Body)| known.len() < schema.calls.serve_many;
        let change = |all: Vec<(Live, Body)>| async move {
            self.send(Sort::Change, schema.calls.change, self.cloud.update(kind, &all, changed))
                .await?;
            Ok(vec![(); all.len()])
        };
        let turn = self.turn_to_share(Sort::Change, schema.calls.change);
        self.changes.ask(key, item, fits, turn, change).await
    }

    /// Brings the `changed` fields of all of these to their bodies, by one call.
    pub async fn update_all(
        &self,
        kind: &'static dyn Kind,
        all: &[(Live, Body)],
        changed: &[&str],
    ) -> Result<(), Fault> {
        let bucket = kind.schema().calls.change;
        self.call(Sort::Change, bucket, 1, self.cloud.update(kind, all, changed)).await
    }

    pub async fn delete(
        &self,
        kind: &'static dyn Kind,
        live: &Live,
        parting: &Body,
    ) -> Result<(), Fault> {
        let calls = &kind.schema().calls;
        if calls.delete_many == 1 {
            let all = std::slice::from_ref(live);
            return self
                .call(Sort::Change, calls.delete, 1, self.cloud.delete(kind, all, parting))
                .await;
        }
        let key = format!("{} {parting:?}", kind.schema().kind);
        let fits = |known: &[&Live], _: &Live| known.len() < calls.delete_many;
        let delete = |all: Vec<Live>| async move {
            self.send(Sort::Change, calls.delete, self.cloud.delete(kind, &all, parting)).await?;
            Ok(vec![(); all.len()])
        };
        let turn = self.turn_to_share(Sort::Change, calls.delete);
        self.deletions.ask(key, live.clone(), fits, turn, delete).await
    }

    /// `sort` says whether it tells of what was done, or of what is to be.
    pub async fn tag(
        &self,
        sort: Sort,
        kind: &'static dyn Kind,
        live: &Live,
        tags: &Tags,
    ) -> Result<(), Fault> {
        let calls = &kind.schema().calls;
        let item = (live.clone(), tags.clone());
        if calls.tag_many == 1 {
            return self.call(sort, calls.tag, 1, self.cloud.tag(kind, &[item])).await;
        }
        // Those that are to get the same; what it has already is not written again.
        let mut new = tags.clone();
        new.retain(|key, value| live.tags.get(key) != Some(value));
        let key = format!("{} {sort:?} {new:?}", kind.schema().kind);
        let item = (live.clone(), new);
        let fits = |known: &[&(Live, Tags)], _: &(Live, Tags)| known.len() < calls.tag_many;
        let write = |all: Vec<(Live, Tags)>| async move {
            self.send(sort, calls.tag, self.cloud.tag(kind, &all)).await?;
            Ok(vec![(); all.len()])
        };
        self.taggings.ask(key, item, fits, self.turn_to_share(sort, calls.tag), write).await
    }

    /// One call, when the bucket has the tokens.
    async fn call<T>(
        &self,
        sort: Sort,
        bucket: Option<&'static Bucket>,
        tokens: usize,
        call: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        if let Some(bucket) = bucket {
            self.wait(sort, bucket, tokens).await?;
        }
        self.send(sort, bucket, call).await
    }

    /// A call goes out, if not too many are under way. What it says of the bucket is heeded.
    async fn send<T>(
        &self,
        sort: Sort,
        bucket: Option<&'static Bucket>,
        call: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let _permit = self.calls.acquire().await;
        self.let_out(sort)?;
        let answer = call.await.map_err(unheard);
        if let (Err(fault), Some(bucket)) = (&answer, bucket)
            && fault.class == Class::Throttled
        {
            self.pacer.throttled(bucket, self.now());
        }
        answer
    }

    /// Refuses what was waiting for its turn when stopping was wished. What was done is written down all the same,
    /// unless others may be at work by now.
    fn let_out(&self, sort: Sort) -> Result<(), Fault> {
        let (class, why) = match (self.stop.halt(), sort) {
            (Some(Halt::Credentials), _) => (Class::Credentials, "the credentials are over"),
            (Some(Halt::LockLost), Sort::Change | Sort::Note) => {
                (Class::Fatal, "the lock was lost")
            }
            (Some(Halt::Signal(_)), Sort::Change) => (Class::Fatal, "stopping was wished"),
            _ => return Ok(()),
        };
        Err(Fault::new(class, "call", INTERRUPTED, why))
    }

    /// Returns when what waits is not to be tried any more. What was done is still written down for a while: whoever
    /// stops a run of CI kills it soon.
    pub async fn given_up(&self, sort: Sort) {
        self.stop.requested().await;
        if sort == Sort::Note && matches!(self.stop.halt(), Some(Halt::Signal(_))) {
            self.stop.requested_for(LAST_NOTES).await;
        }
    }

    async fn turn(&self, sort: Sort, bucket: Option<&'static Bucket>) -> Result<(), Fault> {
        match bucket {
            Some(bucket) => self.wait(sort, bucket, 1).await,
            None => Ok(()),
        }
    }

    /// As [`Self::turn`], with time for others to join.
    async fn turn_to_share(
        &self,
        sort: Sort,
        bucket: Option<&'static Bucket>,
    ) -> Result<(), Fault> {
        self.sleep(WINDOW).await;
        self.turn(sort, bucket).await
    }

    /// Until the bucket has the tokens; unless stopping is wished meanwhile. What was done is then written down at once:
    /// the tokens before its own were for changes that are not made any more.
    async fn wait(&self, sort: Sort, bucket: &'static Bucket, tokens: usize) -> Result<(), Fault> {
        if !self.cloud.is_limited() {
            return Ok(());
        }
        let pause = self.pacer.take(bucket, tokens, self.now());
        if pause.is_zero() {
            return Ok(());
        }
        tracing::debug!(bucket = bucket.name, ?pause, "waiting for AWS's token bucket");
        tokio::select! {
            () = self.sleep(pause) => Ok(()),
            () = self.stop.requested(), if sort == Sort::Note => Ok(()),
            () = self.stop.requested(), if sort != Sort::Note => {
                let message = format!("stopped waiting for {}", bucket.name);
                Err(Fault::new(Class::Fatal, bucket.name, INTERRUPTED, message))
            }
        }
    }
}

/// While a plan is carried out, AWS was there a moment ago: what got no answer may have been done, and is tried again.
fn unheard(fault: Fault) -> Fault {
    match fault.class {
        Class::Unreachable => Fault { class: Class::Transient, ..fault },
        _ => fault,
    }
}

/// Whether the call never went out: it was held back here, or by the gate before AWS.
pub(super) fn is_unsent(fault: &Fault) -> bool {
    [NOT_SENT, INTERRUPTED].contains(&fault.code.as_str())
}

/// Whether the same call again would fare no better, whatever became of an earlier one.
fn is_hopeless(fault: &Fault) -> bool {
    matches!(fault.class, Class::Fatal | Class::Denied | Class::Credentials)
}

fn address(tags: &Tags) -> Option<Address> {
    tags.get(ADDRESS)?.parse().ok()
}

fn only(created: Vec<Created>) -> Result<Created, Fault> {
    created.into_iter().next().ok_or_else(|| {
        Fault::new(Class::Fatal, "create", "", "AWS's answer names nothing that it made")
    })
}

#[cfg(test)]
mod tests;
