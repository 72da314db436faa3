//! One step: live ids go in, the call goes out, tags say what was applied, and the resource gets ready.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use serde_json::Value;

use super::door::{Sort, is_unsent};
use super::watch::Goal;
use super::{Run, What};
use crate::diff::{Change, PROTECT};
use crate::kinds::{self, Kind, Live};
use crate::model::{
    ADDRESS, APPLIED, Address, Body, Class, Fault, Fingerprint, Late, NAME, PROTECTED, TOPOLOGY,
    Tags, resolve, walk_late,
};
use crate::plan::{Step, Verb};

/// Changes and deletions that AWS completes sooner than this, in seconds, are not waited for.
pub(super) const AT_ONCE: u32 = 5;

impl Run<'_> {
    /// Does the step; returns the id of its resource.
    pub(super) async fn execute(&self, index: usize) -> Result<String, Fault> {
        let step = &self.plan.steps[index];
        let kind = kinds::by_name(step.address.kind())
            .ok_or_else(|| bad_plan(step, "there is no such kind"))?;
        if matches!(step.verb, Verb::Create | Verb::Update | Verb::Attach) {
            self.learn_outputs(step).await?;
        }
        match step.verb {
            Verb::Create => self.create(index, step, kind).await,
            Verb::Update if !step.batch.is_empty() => self.update_all(index, step, kind).await,
            Verb::Update | Verb::Attach | Verb::Revoke => self.update(index, step, kind).await,
            Verb::Detach => self.detach(index, step, kind).await,
            Verb::Prepare => self.prepare(index, step, kind).await,
            Verb::Serve => self.serve(step, kind).await,
            Verb::Delete => self.delete(index, step, kind).await,
        }
    }

    /// Learns the outputs that the step's fields name of what is there but was not ready when the account was read: an
    /// earlier run was cut short.
    async fn learn_outputs(&self, step: &Step) -> Result<(), Fault> {
        let Some(after) = self.change(step)?.after.as_ref() else { return Ok(()) };
        let mut named = BTreeSet::new();
        for value in step.fields.iter().filter_map(|field| after.get(field)) {
            walk_late(value, &mut |late| {
                if let Late::Ref { address, output: Some(output) } = late {
                    named.insert((address, output));
                }
            });
        }
        for (address, output) in named {
            let Some(mut live) = self.named(&address) else { continue };
            let Some(kind) = kinds::by_name(address.kind()) else { continue };
            if live.outputs.contains_key(&output) {
                continue;
            }
            live.outputs.extend(self.watch.wait(kind, &live.id, Goal::Ready).await?);
            let mut lives = self.lives.lock().unwrap_or_else(PoisonError::into_inner);
            lives.outputs.insert(address, live.outputs);
        }
        Ok(())
    }

    /// The resource as it will be: made by this run, or as it was read.
    pub(super) fn named(&self, address: &Address) -> Option<Live> {
        let lives = self.lives.lock().unwrap_or_else(PoisonError::into_inner);
        let read = || self.snapshot.resources.get(address).map(|resource| resource.live.clone());
        let mut live = lives.new.get(address).cloned().or_else(read)?;
        live.outputs.extend(lives.outputs.get(address).cloned().unwrap_or_default());
        Some(live)
    }

    async fn update(
        &self,
        index: usize,
        step: &Step,
        kind: &'static dyn Kind,
    ) -> Result<String, Fault> {
        let after = self.after(step)?;
        let fields: Vec<&str> = step.fields.iter().map(String::as_str).collect();
        let live = self.let_go(step, kind, self.live(step)?)?;
        self.until_enough(step, kind, after).await?;
        let aim = self.aim(step, kind, &live, after);
        self.announce(index, step, kind, &live, &aim).await?;
        let live = self.bring(index, step, kind, live, &fields, &aim).await?;
        let mut applied = self.applied_with(index, step, kind, &live.id, &aim)?;
        let change = self.change(step)?;
        if step.verb == Verb::Update && change.fields.iter().any(|moved| moved.field == PROTECT) {
            self.calling(index, Sort::Change, || self.door.protect(kind, &live, change.protect))
                .await?;
        }
        if change.protect {
            applied.insert(PROTECT, &true.into());
        }
        self.record(index, step, kind, &live, &applied, Sort::Note).await?;
        let id = live.id.clone();
        self.keep(step, live);
        let takes_time = !fields.is_empty() && kind.schema().timing.update > AT_ONCE;
        if matches!(step.verb, Verb::Update | Verb::Revoke) && takes_time {
            self.watch.wait(kind, &id, Goal::Ready).await?;
        }
        Ok(id)
    }

    /// What is applied once the step has set its fields to what it aims at.
    fn applied_with(
        &self,
        index: usize,
        step: &Step,
        kind: &'static dyn Kind,
        id: &str,
        aim: &Body,
    ) -> Result<Fingerprint, Fault> {
        let after = self.after(step)?;
        let (attached, together) =
            (self.attached_later(step), self.together_later(index, step, kind));
        let earlier = self.snapshot.find(&step.address, id);
        let was = |field: &str, value: &Value| {
            earlier.is_some_and(|earlier| earlier.applied.holds(field, value))
        };
        let mut applied = Fingerprint::default();
        for field in kind.schema().fields {
            let Some(value) = aim.get(field.name) else { continue };
            if attached.contains(&field.name) {
                applied.insert(field.name, &field.start());
            } else if together.contains(&field.name) {
                let now = earlier.and_then(|earlier| earlier.body.get(field.name));
                if let Some(now) = now.filter(|now| was(field.name, now)) {
                    applied.insert(field.name, now);
                }
            } else {
                // What is yet to be taken away somebody may have added by hand: it stays drift.
                let wanted = after.get(field.name).filter(|wanted| was(field.name, wanted));
                applied.insert(field.name, wanted.unwrap_or(value));
            }
        }
        Ok(applied)
    }

    async fn delete(
        &self,
        index: usize,
        step: &Step,
        kind: &'static dyn Kind,
    ) -> Result<String, Fault> {
        let live = self.live(step)?;
        self.until_handed_over(step, kind).await?;
        self.calling(index, Sort::Change, || self.door.delete(kind, &live, &step.parting)).await?;
        if kind.schema().timing.delete > AT_ONCE {
            self.watch.wait(kind, &live.id, Goal::Gone).await?;
        }
        Ok(live.id)
    }

    /// The fields that a later step attaches to the same resource again.
    fn attached_later(&self, step: &Step) -> Vec<&str> {
        let own = self.steps_at.get(&step.address).into_iter().flatten();
        let again = own.filter(|other| {
            other.verb == Verb::Attach && step.verb != Verb::Attach && other.id == step.id
        });
        again.flat_map(|other| other.fields.iter().map(String::as_str)).collect()
    }

    /// Brings `fields` to what `target` has for them. The call is given the whole body as it will be.
    pub(super) async fn bring(
        &self,
        index: usize,
        step: &Step,
        kind: &'static dyn Kind,
        mut live: Live,
        fields: &[&str],
        target: &Body,
    ) -> Result<Live, Fault> {
        // One that was moved to another address, and nothing else.
        if fields.is_empty() {
            return Ok(live);
        }
        let after = self.body_after(step, &live, fields, target)?;
        self.calling(index, Sort::Change, || self.door.update(kind, &live, &after, fields)).await?;
        let set = after.into_iter().filter(|(field, _)| fields.contains(&field.as_str()));
        live.body.extend(set);
        Ok(live)
    }

    /// The whole body as it will be when `fields` are as in `target`.
    pub(super) fn body_after(
        &self,
        step: &Step,
        live: &Live,
        fields: &[&str],
        target: &Body,
    ) -> Result<Body, Fault> {
        let mut after = live.body.clone();
        for (field, value) in target {
            match self.resolved(step, value) {
                Ok(value) => {
                    after.insert(field.clone(), value);
                }
                // What this step doesn't set may name what is not there yet.
                Err(_) if !fields.contains(&field.as_str()) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(after)
    }

    /// Writes into the tags what is now applied; or, as part of a change, what is about to be.
    pub(super) async fn record(
        &self,
        index: usize,
        step: &Step,
        kind: &'static dyn Kind,
        live: &Live,
        applied: &Fingerprint,
        sort: Sort,
    ) -> Result<(), Fault> {
        // All that make it ours: some kinds keep them in one text, which can only be written as a whole.
        let mut tags = Tags::from([
            (TOPOLOGY.to_owned(), self.plan.topology.clone()),
            (ADDRESS.to_owned(), step.address.to_string()),
            (APPLIED.to_owned(), applied.to_tag()),
        ]);
        let change = self.change(step)?;
        let protect = applied.holds(PROTECT, &true.into());
        if protect || change.protected {
            tags.insert(PROTECTED.to_owned(), protect.to_string());
        }
        if change.moved_from.is_some() {
            tags.insert(NAME.to_owned(), self.name(step));
        }
        self.calling(index, sort, || self.door.tag(sort, kind, live, &tags)).await?;
        let mut lives = self.lives.lock().unwrap_or_else(PoisonError::into_inner);
        lives.applied.insert(key(step, &live.id), applied.clone());
        Ok(())
    }

    /// What AWS's console shows.
    pub(super) fn name(&self, step: &Step) -> String {
        format!("{}-{}", self.plan.topology, step.address.name())
    }

    /// Makes a call, again where that may help.
    pub(super) async fn calling<T, F>(
        &self,
        index: usize,
        sort: Sort,
        call: impl Fn() -> F,
    ) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let begun = self.door.now();
        let mut tries = 0;
        loop {
            let answer = call().await;
            if !answer.as_ref().is_err_and(is_unsent) {
                self.sent[index].store(true, Ordering::Relaxed);
            }
            let fault = match answer {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            let waited = self.door.now().saturating_sub(begun);
            let Some(pause) = super::retry::pause(&fault, tries, waited, index) else {
                return Err(fault);
            };
            if tries == 0 {
                self.tell(index, What::Retrying { error: fault.to_string() });
            }
            tracing::debug!(%fault, tries, "retrying");
            tries += 1;
            tokio::select! {
                () = self.door.sleep(pause) => {}
                () = self.door.given_up(sort) => return Err(fault),
            }
        }
    }

    pub(super) fn change(&self, step: &Step) -> Result<&Change, Fault> {
        self.changes.get(&step.address).copied().ok_or_else(|| bad_plan(step, "it has no change"))
    }

    pub(super) fn after(&self, step: &Step) -> Result<&Body, Fault> {
        self.change(step)?.after.as_ref().ok_or_else(|| bad_plan(step, "it has no body"))
    }

    /// The value with live ids in it.
    pub(super) fn resolved(&self, step: &Step, value: &Value) -> Result<Value, Fault> {
        let lookup = |late: &Late| match late {
            Late::Lookup(lookup) => self.plan.lookups.get(lookup).cloned(),
            // They go in at the door.
            Late::Text(_) => None,
            Late::Ref { address, output } => {
                let live = self.named(address)?;
                match output {
                    None => Some(live.id),
                    Some(output) => live.outputs.get(output).cloned(),
                }
            }
        };
        resolve(value, &lookup)
            .map_err(|late| bad_plan(step, &format!("it names {late:?}, which is not there")))
    }

    /// The resource that the step works on.
    pub(super) fn live(&self, step: &Step) -> Result<Live, Fault> {
        let lives = self.lives.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match &step.id {
            None => lives.new.get(&step.address).cloned(),
            Some(id) => lives.changed.get(&key(step, id)).cloned().or_else(|| {
                self.snapshot.find(&step.address, id).map(|resource| resource.live.clone())
            }),
        };
        found.ok_or_else(|| bad_plan(step, "its resource is not in the account"))
    }

    pub(super) fn keep(&self, step: &Step, live: Live) {
        let mut lives = self.lives.lock().unwrap_or_else(PoisonError::into_inner);
        match &step.id {
            None => lives.new.insert(step.address.clone(), live),
            Some(id) => lives.changed.insert(key(step, id), live),
        };
    }
}

pub(super) fn key(step: &Step, id: &str) -> (Address, String) {
    (step.address.clone(), id.to_owned())
}

/// A saved plan that was edited can say anything; it must not make us panic.
pub(super) fn bad_plan(step: &Step, why: &str) -> Fault {
    Fault::new(Class::Fatal, "plan", "", format!("{step}: {why}"))
}
