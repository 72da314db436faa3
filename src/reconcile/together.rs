//! A step that changes many resources by one call, and then writes down with each of them what was applied.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use futures_util::future::try_join_all;

use super::Run;
use super::door::Sort;
use super::execute::{bad_plan, key};
use crate::diff::PROTECT;
use crate::kinds::{Kind, Live};
use crate::model::{Body, Fault, Fingerprint};
use crate::plan::{Member, Step};
use crate::snapshot::Resource;

impl Run<'_> {
    pub(super) async fn update_all(
        &self,
        index: usize,
        step: &Step,
        kind: &'static dyn Kind,
    ) -> Result<String, Fault> {
        let fields: Vec<&str> = step.fields.iter().map(String::as_str).collect();
        let mut members = Vec::new();
        let mut asked: Vec<(Live, Body)> = Vec::new();
        for member in &step.batch {
            // The step as it were for this one alone.
            let one = Step {
                address: member.address.clone(),
                id: Some(member.id.clone()),
                batch: Vec::new(),
                ..step.clone()
            };
            let live = self.live(&one)?;
            let after = self.body_after(&one, &live, &fields, self.after(&one)?)?;
            asked.push((live, after));
            members.push(one);
        }
        let announced = members.iter().zip(&asked).map(|(one, (live, _))| async move {
            self.announce(index, one, kind, live, self.after(one)?).await
        });
        try_join_all(announced).await?;
        self.calling(index, Sort::Change, || self.door.update_all(kind, &asked, &fields)).await?;
        let recorded = members.iter().zip(asked).map(|(one, (mut live, after))| async move {
            let set = after.into_iter().filter(|(name, _)| one.fields.contains(name));
            live.body.extend(set);
            let applied = self.applied_by(index, one, kind, &live.id)?;
            self.record(index, one, kind, &live, &applied, Sort::Note).await?;
            self.keep(one, live);
            Ok::<_, Fault>(())
        });
        try_join_all(recorded).await?;
        step.id.clone().ok_or_else(|| bad_plan(step, "it names no resource"))
    }

    /// The fields that a later step sets in this resource and others.
    pub(super) fn together_later(
        &self,
        index: usize,
        step: &Step,
        kind: &'static dyn Kind,
    ) -> Vec<&str> {
        if kind.schema().fields.iter().all(|field| field.together.is_none()) {
            return Vec::new();
        }
        let later = self.plan.steps.iter().skip(index + 1).filter(|other| {
            let member =
                |one: &Member| one.address == step.address && Some(&one.id) == step.id.as_ref();
            other.batch.iter().any(member)
        });
        later.flat_map(|other| other.fields.iter().map(String::as_str)).collect()
    }

    /// What the tags of a resource say now.
    pub(super) fn applied(&self, step: &Step, resource: &Resource) -> Fingerprint {
        let lives = self.lives.lock().unwrap_or_else(PoisonError::into_inner);
        let written = lives.applied.get(&key(step, &resource.live.id));
        written.unwrap_or(&resource.applied).clone()
    }

    /// What is applied to a member by now. What other steps set in it is as it was: they come later.
    fn applied_by(
        &self,
        index: usize,
        one: &Step,
        kind: &'static dyn Kind,
        id: &str,
    ) -> Result<Fingerprint, Fault> {
        let (change, after) = (self.change(one)?, self.after(one)?);
        let resource = self
            .snapshot
            .find(&one.address, id)
            .ok_or_else(|| bad_plan(one, "its resource is not in the account"))?;
        let earlier = self.applied(one, resource);
        let others = self.plan.steps.iter().enumerate().filter(|(other, step)| {
            *other != index && (&step.address, &step.id) == (&one.address, &one.id)
        });
        // Steps stand in the order in which they are done.
        let others = others.filter(|(other, _)| *other > index);
        let later: BTreeSet<&String> = others.flat_map(|(_, step)| &step.fields).collect();
        let mut applied = Fingerprint::default();
        for field in kind.schema().fields {
            let value = match later.iter().any(|name| *name == field.name) {
                true => {
                    resource.body.get(field.name).filter(|value| earlier.holds(field.name, value))
                }
                false => after.get(field.name),
            };
            if let Some(value) = value {
                applied.insert(field.name, value);
            }
        }
        let protected = match change.fields.iter().any(|moved| moved.field == PROTECT) {
            true => earlier.holds(PROTECT, &true.into()),
            false => change.protect,
        };
        if protected {
            applied.insert(PROTECT, &true.into());
        }
        Ok(applied)
    }
}
