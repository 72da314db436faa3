//! The order in which the machines of a service are changed, so that enough of them serve throughout.

use std::collections::BTreeSet;

use super::step::Verb;
use super::steps::{Graph, Target, kept_target, live, live_target, schema_of};
use crate::desired::Rolling;
use crate::diff::{Action, Change};
use crate::model::{Field, Need, OnChange, Status};
use crate::snapshot::Resource;

/// The steps with which a change that takes a machine away begins, and with which one is back.
type Round = (usize, usize);

impl Graph<'_> {
    /// Orders the changes of one service's machines. First come those that serve nobody, since the others may be spared
    /// only once these serve; then the rest, so many at a time, the next when one of them is healthy again; and what
    /// goes for good goes last, since until then there are more.
    pub(super) fn take_turns(&mut self, machines: &[&Change], abreast: usize) {
        let mut newcomers = Vec::new();
        let mut rounds: Vec<(bool, Round)> = Vec::new();
        for change in machines {
            let old = self.old(change);
            let comes = change.after.is_some() && old.is_none_or(|old| is_idle(change, old));
            match self.round(change) {
                Some(round) if !comes => {
                    rounds.push((!old.is_some_and(|old| old.duty.sick), round));
                }
                _ if comes => newcomers.extend(self.place(&kept_target(change), Verb::Serve)),
                _ => {}
            }
        }
        // The sick first, otherwise by their addresses.
        rounds.sort_by_key(|(well, _)| *well);
        let rounds: Vec<Round> = rounds.into_iter().map(|(_, round)| round).collect();
        for (begin, _) in rounds.iter().take(abreast) {
            for newcomer in &newcomers {
                self.wait(*begin, *newcomer, Need::Ready);
            }
        }
        for (earlier, later) in rounds.iter().zip(rounds.iter().skip(abreast)) {
            self.wait(later.0, earlier.1, Need::Ready);
        }
        let last: Vec<usize> = match rounds.is_empty() {
            true => newcomers,
            false => rounds.iter().rev().take(abreast).map(|round| round.1).collect(),
        };
        self.shrink(machines, &last);
    }

    /// Those that go without a successor go after `last`, unless something before it waits for their going.
    fn shrink(&mut self, machines: &[&Change], last: &[usize]) {
        let leaving = machines.iter().filter(|change| change.action == Action::Delete);
        let serving =
            leaving.filter(|change| self.old(change).is_some_and(Resource::is_in_service));
        let steps: Vec<(usize, usize)> = serving
            .filter(|change| self.successor(change).is_none())
            .filter_map(|change| {
                let old = live_target(change)?;
                let delete = self.place(&old, Verb::Delete)?;
                Some((self.place(&old, Verb::Detach).unwrap_or(delete), delete))
            })
            .collect();
        if steps.is_empty() || last.is_empty() {
            return;
        }
        let before = self.all_before(last);
        for (first, delete) in steps {
            if before.contains(&first) || before.contains(&delete) {
                continue;
            }
            for last in last {
                self.wait(first, *last, Need::Ready);
            }
        }
    }

    /// All steps that these wait for, however far back.
    pub(super) fn all_before(&self, steps: &[usize]) -> BTreeSet<usize> {
        let mut seen = BTreeSet::new();
        let mut open = steps.to_vec();
        while let Some(step) = open.pop() {
            if seen.insert(step) {
                open.extend(self.steps[step].after.iter().map(|after| after.step));
            }
        }
        seen
    }

    /// A second machine at one address is left of a round that was cut short: it goes when the one that stays serves,
    /// or at once where it serves nobody itself.
    pub(super) fn succeed(&mut self, change: &Change, rolling: &Rolling) {
        let leaves = change.action == Action::Delete && change.after.is_none();
        let Some(old) = live_target(change).filter(|_| leaves) else { return };
        let Some(detach) = self.place(&old, Verb::Detach) else { return };
        if !self.old(change).is_some_and(|old| old.is_in_service() && !old.duty.sick) {
            return;
        }
        let Some(kept) = self.successor(change) else { return };
        let serve =
            self.place(&kept, Verb::Serve).or_else(|| self.look_after(&kept, change, rolling));
        if let Some(serve) = serve {
            self.wait(detach, serve, Need::Ready);
        }
    }

    /// The machine that will stand where this one goes.
    fn successor(&self, change: &Change) -> Option<Target> {
        let mut changed = self.changes_at(&change.address);
        let unchanged = || {
            let kept = self.kept(&change.address)?;
            Some(live(&kept.address, &kept.live.id))
        };
        changed.find(|other| other.after.is_some()).map(kept_target).or_else(unchanged)
    }

    /// The step that waits until a machine serves that this plan doesn't put into service.
    fn look_after(&mut self, kept: &Target, change: &Change, rolling: &Rolling) -> Option<usize> {
        let schema = schema_of(&change.address)?;
        let Target::Live(kind, id) = kept else { return None };
        let body = &self.live(kind, id)?.live.body;
        let registered = |field: &&Field| {
            field.serves && body.get(field.name).is_some_and(|value| *value != field.start())
        };
        let field = schema.fields.iter().find(registered).filter(|_| self.is_sent_to(rolling))?;
        let serve = self.push(kept, change, Verb::Serve, vec![field]);
        self.steps[serve].serving = Some(rolling.serving);
        Some(serve)
    }

    fn round(&self, change: &Change) -> Option<Round> {
        let kept = kept_target(change);
        let schema = schema_of(&change.address)?;
        let back = |first| {
            self.place(&kept, Verb::Serve).or(self.place(&kept, Verb::Attach)).unwrap_or(first)
        };
        match change.action {
            Action::Update => {
                let rolls = change.fields.iter().any(|moved| {
                    let field = schema.field(&moved.field);
                    field.is_some_and(|field| field.on_change == OnChange::Rolling)
                });
                let update = self.place(&kept, Verb::Update).filter(|_| rolls)?;
                Some((self.place(&kept, Verb::Detach).unwrap_or(update), back(update)))
            }
            Action::Replace => {
                let create = self.place(&kept, Verb::Create)?;
                Some((create, back(create)))
            }
            Action::Create | Action::Delete => None,
        }
    }

    /// The live machine that the change is about.
    fn old(&self, change: &Change) -> Option<&Resource> {
        self.live(change.address.kind(), change.id.as_deref()?)
    }
}

/// Whether it serves nobody now, and will.
fn is_idle(change: &Change, old: &Resource) -> bool {
    let fields = schema_of(&change.address).map_or(&[][..], |schema| schema.fields);
    let after = change.after.as_ref();
    let comes = |field: &Field| {
        let starts = Some(field.start());
        field.serves
            && old.live.body.get(field.name) == starts.as_ref()
            && after.is_some_and(|after| after.get(field.name) != starts.as_ref())
    };
    old.status != Status::Ready || fields.iter().any(comes)
}
