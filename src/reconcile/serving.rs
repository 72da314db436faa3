//! Machines in service: put in until they are healthy, taken out when enough others are, and then until they have
//! finished what they began.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Mutex as Turns;

use super::Run;
use super::door::Sort;
use super::sick::{LOOK, not_spared, too_few, unhealthy};
use crate::kinds::{Kind, Live};
use crate::model::{Body, Class, Fault, Field, INTERRUPTED, Schema, Serving, TargetHealth};
use crate::plan::{Step, Verb};

const FIRST_LOOK: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Beyond a group's delay, for the word to get round.
const GRACE: u32 = 60;
/// What AWS allows a group: <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html>
const LONGEST_DELAY: u32 = 3600;

/// What was last seen of each target group, for all that wait for some of its targets.
#[derive(Default)]
pub(super) struct Groups {
    seen: Mutex<BTreeMap<String, Arc<Group>>>,
}

#[derive(Default)]
struct Group {
    last: Turns<Option<(Duration, Arc<[TargetHealth]>)>>,
    /// Whoever takes a target out first looks whether enough others are healthy; one after the other.
    leaving: Turns<()>,
}

impl Groups {
    fn of(&self, id: &str) -> Arc<Group> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.entry(id.to_owned()).or_default().clone()
    }
}

/// The target group that the body names, by the field that puts it into service.
pub(super) fn group(schema: &Schema, fields: &[&str], body: &Body) -> Option<String> {
    let mut serving = schema.fields.iter().filter(|field| field.serves);
    let field: &Field = serving.find(|field| fields.contains(&field.name))?;
    body.get(field.name)?.as_str().map(str::to_owned)
}

impl Run<'_> {
    /// Takes it out of what it was attached to.
    pub(super) async fn detach(
        &self,
        index: usize,
        step: &Step,
        kind: &'static dyn Kind,
    ) -> Result<String, Fault> {
        let fields: Vec<&str> = step.fields.iter().map(String::as_str).collect();
        let detached = kind.schema().fields.iter().filter(|field| fields.contains(&field.name));
        let starts: Body = detached.map(|field| (field.name.to_owned(), field.start())).collect();
        let live = self.live(step)?;
        let id = live.id.clone();
        let from = group(kind.schema(), &fields, &live.body);
        let held = starts.iter().any(|(field, start)| live.body.get(field) != Some(start));
        if held {
            let leave = self.leave(index, step, kind, live, &fields, &starts);
            let live = match (step.serving, &from) {
                (Some(serving), Some(group)) => {
                    self.when_spared(&id, group, serving, leave).await?
                }
                _ => leave.await?,
            };
            self.keep(step, live);
        }
        if let Some(serving) = step.serving {
            // What an earlier run has taken it out of had a delay of its own.
            let found = self.snapshot.find(&step.address, &id);
            let earlier = found.map_or(&[][..], |resource| &resource.duty.draining);
            for group in earlier {
                self.until_drained(&id, group, LONGEST_DELAY).await?;
            }
            if let Some(group) = &from {
                self.until_drained(&id, group, serving.deregistration_delay).await?;
            }
        }
        Ok(id)
    }

    async fn leave(
        &self,
        index: usize,
        step: &Step,
        kind: &'static dyn Kind,
        live: Live,
        fields: &[&str],
        starts: &Body,
    ) -> Result<Live, Fault> {
        // Recorded before it is done, so that a run cut short is not taken for drift.
        if let Some(resource) = self.snapshot.find(&step.address, &live.id) {
            let mut applied = self.applied(step, resource);
            for (field, start) in starts {
                applied.insert(field, start);
            }
            self.record(index, step, kind, &live, &applied, Sort::Change).await?;
        }
        self.bring(index, step, kind, live, fields, starts).await
    }

    /// Puts beside what a field names what it will name.
    pub(super) async fn prepare(
        &self,
        index: usize,
        step: &Step,
        kind: &'static dyn Kind,
    ) -> Result<String, Fault> {
        let live = self.live(step)?;
        let after = self.after(step)?;
        let switched = kind.schema().fields.iter().filter_map(|field| {
            let standby =
                field.standby.filter(|standby| step.fields.iter().any(|f| f == standby))?;
            Some((standby.to_owned(), after.get(field.name)?.clone()))
        });
        let target: Body = switched.collect();
        // Recorded before it is done, so that a run cut short is not taken for drift.
        if let Some(resource) = self.snapshot.find(&step.address, &live.id) {
            let mut applied = self.applied(step, resource);
            for (field, value) in &target {
                applied.insert(field, value);
            }
            self.record(index, step, kind, &live, &applied, Sort::Change).await?;
        }
        let fields: Vec<&str> = target.keys().map(String::as_str).collect();
        let live = self.bring(index, step, kind, live, &fields, &target).await?;
        let id = live.id.clone();
        self.keep(step, live);
        Ok(id)
    }

    /// Waits until it serves.
    pub(super) async fn serve(
        &self,
        step: &Step,
        kind: &'static dyn Kind,
    ) -> Result<String, Fault> {
        let live = self.live(step)?;
        let fields: Vec<&str> = step.fields.iter().map(String::as_str).collect();
        if let (Some(serving), Some(group)) =
            (step.serving, group(kind.schema(), &fields, &live.body))
        {
            self.until_healthy(&live.id, &group, serving).await?;
        }
        Ok(live.id)
    }

    /// A machine that moves from a group that goes is not taken out of it: the group serves until it is gone.
    pub(super) fn let_go(
        &self,
        step: &Step,
        kind: &'static dyn Kind,
        mut live: Live,
    ) -> Result<Live, Fault> {
        for field in kind.schema().fields.iter().filter(|field| field.serves) {
            let goes = |id: &str| {
                field.named_kind().is_some_and(|kind| self.deleted.contains(&(kind, id)))
            };
            let named = live.body.get(field.name).and_then(Value::as_str);
            if step.fields.iter().any(|name| name == field.name) && named.is_some_and(goes) {
                live.body.insert(field.name.to_owned(), field.start());
            }
        }
        Ok(live)
    }

    /// Before requests are switched to a group: waits until enough of it are healthy.
    pub(super) async fn until_enough(
        &self,
        step: &Step,
        kind: &'static dyn Kind,
        after: &Body,
    ) -> Result<(), Fault> {
        let (Some(serving), Verb::Update) = (step.serving, step.verb) else { return Ok(()) };
        let mut switched = kind.schema().fields.iter().filter(|field| field.standby.is_some());
        let group = switched.find_map(|field| {
            let named = step.fields.iter().any(|name| name == field.name);
            after.get(field.name).filter(|_| named)
        });
        let Some(group) = group else { return Ok(()) };
        let group = self.resolved(step, group)?;
        self.until_so_many(&group, serving).await
    }

    /// Before what sends requests goes: waits until enough are healthy of the groups of what stands in its stead, and names
    /// that led to it are forgotten.
    pub(super) async fn until_handed_over(
        &self,
        step: &Step,
        kind: &'static dyn Kind,
    ) -> Result<(), Fault> {
        if let (Some(serving), Some(next)) = (step.serving, self.named(&step.address)) {
            let fields = kind.schema().fields.iter().filter(|field| field.standby.is_some());
            for group in fields.filter_map(|field| next.body.get(field.name)) {
                self.until_so_many(group, serving).await?;
            }
        }
        if step.remembered == 0 {
            return Ok(());
        }
        tokio::select! {
            () = self.door.sleep(Duration::from_secs(step.remembered.into())) => Ok(()),
            () = self.stop.requested() => {
                let message = "stopped waiting until nobody comes by its name's old answer";
                Err(Fault::new(Class::Fatal, LOOK, INTERRUPTED, message))
            }
        }
    }

    async fn until_so_many(&self, group: &Value, serving: Serving) -> Result<(), Fault> {
        let (Some(group), true) = (group.as_str(), serving.healthy_deadline > 0) else {
            return Ok(());
        };
        let enough = |found: &[TargetHealth]| {
            let healthy = found.iter().filter(|one| one.is_healthy()).count();
            healthy >= serving.min_healthy as usize
        };
        match self.until(group, serving.healthy_deadline, enough).await? {
            Ok(()) => Ok(()),
            Err(found) => Err(too_few(group, serving, &found)),
        }
    }

    /// Returns when the target group says that the machine is healthy.
    pub(super) async fn until_healthy(
        &self,
        id: &str,
        group: &str,
        serving: Serving,
    ) -> Result<(), Fault> {
        if serving.healthy_deadline == 0 {
            return Ok(());
        }
        let last = self.until(group, serving.healthy_deadline, |found| {
            found.iter().any(|one| one.target == id && one.is_healthy())
        });
        let Err(found) = last.await? else { return Ok(()) };
        let word = found.iter().find(|one| one.target == id);
        Err(unhealthy(id, serving.healthy_deadline, word))
    }

    /// Takes the machine out as soon as enough others are healthy: `out` does it.
    pub(super) async fn when_spared<T>(
        &self,
        id: &str,
        group: &str,
        serving: Serving,
        out: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let turns = self.groups.of(group);
        let _turn = turns.leaving.lock().await;
        if serving.healthy_deadline > 0 {
            let enough = |found: &[TargetHealth]| {
                let serves = found.iter().any(|one| one.target == id && one.is_healthy());
                let others = found.iter().filter(|one| one.target != id && one.is_healthy());
                !serves || others.count() >= serving.min_healthy as usize
            };
            if let Err(found) = self.until(group, serving.healthy_deadline, enough).await? {
                return Err(not_spared(id, serving, &found));
            }
        }
        let done = out.await?;
        // What was seen before tells of it as if it were there.
        *turns.last.lock().await = None;
        Ok(done)
    }

    /// Returns when the machine has finished what it had begun when it was taken out.
    pub(super) async fn until_drained(
        &self,
        id: &str,
        group: &str,
        delay: u32,
    ) -> Result<(), Fault> {
        let drained = |found: &[TargetHealth]| !found.iter().any(|one| one.target == id);
        let patience = delay.saturating_add(GRACE);
        // A group that never tells has had its time.
        self.until(group, patience, drained).await.map(drop)
    }

    /// Looks at the group until `done` says so. After so many seconds: what was seen last.
    async fn until(
        &self,
        group: &str,
        seconds: u32,
        done: impl Fn(&[TargetHealth]) -> bool,
    ) -> Result<Result<(), Arc<[TargetHealth]>>, Fault> {
        let begun = self.door.now();
        let patience = Duration::from_secs(seconds.into());
        let mut pause = Duration::ZERO;
        let mut found: Arc<[TargetHealth]> = Arc::default();
        loop {
            match self.look(group, pause.max(FIRST_LOOK) / 2).await {
                Ok(seen) => {
                    found = seen;
                    if done(&found) {
                        return Ok(Ok(()));
                    }
                }
                // A look that failed tells nothing: not that nobody is there, either.
                Err(fault) if matches!(fault.class, Class::Transient | Class::Throttled) => {}
                Err(fault) => return Err(fault),
            }
            if self.door.now().saturating_sub(begun) >= patience {
                return Ok(Err(found));
            }
            pause = (pause * 2).clamp(FIRST_LOOK, LONGEST_PAUSE);
            tokio::select! {
                () = self.door.sleep(pause) => {}
                () = self.stop.requested() => {
                    let message = format!("stopped waiting for targets of {group}");
                    return Err(Fault::new(Class::Fatal, LOOK, INTERRUPTED, message));
                }
            }
        }
    }

    /// What the group finds of its targets; a look of another that is not older than `fresh` serves as well.
    async fn look(&self, group: &str, fresh: Duration) -> Result<Arc<[TargetHealth]>, Fault> {
        let looks = self.groups.of(group);
        let mut last = looks.last.lock().await;
        let now = self.door.now();
        if let Some((at, found)) = &*last
            && now.saturating_sub(*at) < fresh
        {
            return Ok(found.clone());
        }
        let found: Arc<[TargetHealth]> = self.door.health(group).await?.into();
        *last = Some((now, found.clone()));
        Ok(found)
    }
}
