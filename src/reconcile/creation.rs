//! A creation: at most once, whatever becomes of the answer, and what takes calls of its own right after it.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use super::door::Sort;
use super::execute::AT_ONCE;
use super::watch::Goal;
use super::{Run, State, What};
use crate::diff::PROTECT;
use crate::kinds::{Kind, Live};
use crate::model::{
    ADDRESS, APPLIED, Body, Class, Created, Fault, Fingerprint, NAME, Phase, Schema, Status,
    TOPOLOGY, Tags, digest,
};
use crate::plan::Step;

/// A listing shows by then what was made before.
pub(super) const SETTLED: Duration = Duration::from_secs(15);
/// What was just created may be unknown for as long.
const UNKNOWN: Duration = Duration::from_secs(60);
const FIRST_LOOK: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// So many tokens are tried that lead to what is gone. There is an end to it: each may have made one that AWS doesn't show.
const GENERATIONS: u32 = 3;

impl Run<'_> {
    pub(super) async fn create(
        &self,
        index: usize,
        step: &Step,
        kind: &'static dyn Kind,
    ) -> Result<String, Fault> {
        let after = self.after(step)?;
        let schema = kind.schema();
        let mut body = Body::new();
        // What is not set yet is recorded as it is, so that a run cut short is not taken for drift.
        let mut begun = Fingerprint::default();
        let mut starts = Body::new();
        let mut configure = Vec::new();
        for field in schema.fields {
            let Some(value) = after.get(field.name) else { continue };
            if field.phase == Phase::Create {
                body.insert(field.name.to_owned(), self.resolved(step, value)?);
                begun.insert(field.name, value);
                continue;
            }
            begun.insert(field.name, &field.start());
            starts.insert(field.name.to_owned(), field.start());
            if field.phase == Phase::Configure && *value != field.start() {
                configure.push(field.name);
            }
        }
        let tags = Tags::from([
            (TOPOLOGY.to_owned(), self.plan.topology.clone()),
            (ADDRESS.to_owned(), step.address.to_string()),
            (NAME.to_owned(), self.name(step)),
            (APPLIED.to_owned(), begun.to_tag()),
        ]);
        let created = self.creating(index, step, kind, &body, &tags).await?;
        self.born(index, Some(&created.id));
        body.extend(starts);
        let born = created.born.unwrap_or_else(|| tags.clone());
        let live = Live { id: created.id, outputs: created.outputs, body, tags: born };
        let live = self.tagged(index, kind, live, tags).await?;
        let mut live = self.configure(index, step, kind, live, &configure, after).await?;
        let id = live.id.clone();
        self.keep(step, live.clone());
        self.tell(index, What::Exists { id: id.clone() });
        self.set(index, State::Exists);
        if schema.timing.create > AT_ONCE {
            live.outputs.extend(self.watch.wait(kind, &id, Goal::Ready).await?);
            self.keep(step, live);
        }
        Ok(id)
    }

    /// Writes the tags of its own where it was born with those of the call that made it and others.
    async fn tagged(
        &self,
        index: usize,
        kind: &'static dyn Kind,
        mut live: Live,
        tags: Tags,
    ) -> Result<Live, Fault> {
        if tags.iter().any(|(key, value)| live.tags.get(key) != Some(value)) {
            self.calling(index, Sort::Note, || self.door.tag(Sort::Note, kind, &live, &tags))
                .await?;
            live.tags.extend(tags);
        }
        Ok(live)
    }

    /// Creates, at most once: where the answer was lost, it looks for what bears the address before it tries again.
    async fn creating(
        &self,
        index: usize,
        step: &Step,
        kind: &'static dyn Kind,
        body: &Body,
        tags: &Tags,
    ) -> Result<Created, Fault> {
        let lost = Cell::new(None);
        let generation = Cell::new(0);
        self.calling(index, Sort::Change, || async {
            if let Some(at) = lost.get() {
                if let Some(made) = self.made(step).await? {
                    return Ok(made);
                }
                // A listing lags; what neither a name nor a token tells apart would be made twice.
                let schema = kind.schema();
                let told_apart = schema.calls.token || !schema.unique.is_empty();
                if !told_apart && self.door.now().saturating_sub(at) < SETTLED {
                    let message = "the answer was lost, and nothing is to be seen of it yet";
                    return Err(Fault::new(Class::Transient, "create", "Unknown", message));
                }
            }
            loop {
                let token = self.token(step, body, tags, generation.get());
                match self.door.create(kind, body, tags, &token).await {
                    Err(fault) if is_used_up(&fault) => {
                        generation.set(generation.get() + 1);
                    }
                    Err(fault) if fault.class == Class::Transient => {
                        lost.set(Some(self.door.now()));
                        self.born(index, None);
                        return Err(fault);
                    }
                    // An earlier call has made it, of this run or of one that was killed; the listing may lag behind.
                    Err(fault) if fault.class == Class::Exists => {
                        lost.set(Some(self.door.now()));
                        let unseen = Fault { class: Class::NotFound, ..fault };
                        return self.made(step).await?.ok_or(unseen);
                    }
                    Ok(made)
                        if generation.get() < GENERATIONS
                            && is_unwatched_token(kind.schema())
                            && !self.appears(kind, &made.id).await? =>
                    {
                        generation.set(generation.get() + 1);
                    }
                    answer => return answer,
                }
            }
        })
        .await
    }

    /// Whether it is there: a token leads to what was made with it first, also when somebody has deleted that since.
    async fn appears(&self, kind: &'static dyn Kind, id: &str) -> Result<bool, Fault> {
        let begun = self.door.now();
        let mut pause = FIRST_LOOK;
        loop {
            match self.door.status(kind, &[id.to_owned()]).await {
                Ok(found) => {
                    let status = found.get(id).map(|standing| &standing.status);
                    if status.is_some_and(|s| !matches!(s, Status::Deleting | Status::Gone)) {
                        return Ok(true);
                    }
                }
                Err(fault) if matches!(fault.class, Class::Transient | Class::Throttled) => {}
                Err(fault) => return Err(fault),
            }
            if self.door.now().saturating_sub(begun) >= UNKNOWN {
                return Ok(false);
            }
            tokio::select! {
                () = self.door.sleep(pause) => {}
                () = self.stop.requested() => {
                    let message = format!("{id} was made, and is not to be seen yet");
                    return Err(Fault::new(Class::NotFound, "create", "", message));
                }
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The same for whoever means the same: this resource, made so, in the place of these. Not for one that is made
    /// anew when it has gone.
    fn token(&self, step: &Step, body: &Body, tags: &Tags, generation: u32) -> String {
        let before = self.snapshot.at(&step.address);
        let before: BTreeSet<&str> = before.map(|known| known.live.id.as_str()).collect();
        digest(format!("{generation} {before:?} {tags:?} {body:?}").as_bytes())
    }

    /// What bears the step's address, and was not there when it was planned.
    async fn made(&self, step: &Step) -> Result<Option<Created>, Fault> {
        let seen = self.door.read(&self.plan.topology).await?;
        let made = seen.into_iter().find(|seen| {
            seen.kind == step.address.kind()
                && seen.address().as_ref() == Some(&step.address)
                && !matches!(seen.status, Status::Deleting | Status::Gone)
                && self.snapshot.find(&step.address, &seen.id).is_none()
        });
        Ok(made.map(|seen| Created { id: seen.id, outputs: seen.outputs, born: Some(seen.tags) }))
    }

    /// Sets what takes calls of its own right after creation.
    async fn configure(
        &self,
        index: usize,
        step: &Step,
        kind: &'static dyn Kind,
        mut live: Live,
        fields: &[&str],
        after: &Body,
    ) -> Result<Live, Fault> {
        let protect = self.change(step)?.protect;
        if fields.is_empty() && !protect {
            return Ok(live);
        }
        live = self.bring(index, step, kind, live, fields, after).await?;
        let mut applied = Fingerprint::default();
        for field in kind.schema().fields {
            let Some(value) = after.get(field.name) else { continue };
            if field.phase == Phase::Attach {
                applied.insert(field.name, &field.start());
            } else {
                applied.insert(field.name, value);
            }
        }
        if protect {
            self.calling(index, Sort::Change, || self.door.protect(kind, &live, true)).await?;
            applied.insert(PROTECT, &true.into());
        }
        self.record(index, step, kind, &live, &applied, Sort::Note).await?;
        Ok(live)
    }
}

/// Whether a token may lead to what is gone with nobody noticing: AWS says so of machines, and what takes time is
/// watched.
fn is_unwatched_token(schema: &Schema) -> bool {
    schema.calls.token && schema.timing.create <= AT_ONCE
}

/// Whether the token was for something that has gone since, or was asked for otherwise.
/// Source: <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html>
fn is_used_up(fault: &Fault) -> bool {
    matches!(fault.code.as_str(), "IdempotentInstanceTerminated" | "IdempotentParameterMismatch")
}
