//! What is drawn: bodies, and what is marked in them.

use std::collections::{BTreeMap, BTreeSet};

use super::mark::{Mark, Sign};
use crate::desired::Desired;
use crate::model::{Address, Body};
use crate::plan::{Goal, Plan};
use crate::snapshot::Snapshot;

/// What the marks tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// There are none.
    Plain,
    /// What a plan would do.
    Plan,
    /// How things are.
    Health,
}

/// The system, to be drawn.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The topology's name.
    pub name: String,
    pub account: String,
    pub region: String,
    /// What else there is to say of all of it.
    pub note: Option<String>,
    pub shown: Shown,
    pub bodies: BTreeMap<Address, Body>,
    pub marks: BTreeMap<Address, Mark>,
}

/// The system as the file has it.
pub fn of_desired(desired: &Desired) -> Picture {
    Picture {
        name: desired.topology.clone(),
        account: desired.account.clone(),
        region: desired.region.clone(),
        note: None,
        shown: Shown::Plain,
        bodies: desired.resources.clone(),
        marks: BTreeMap::new(),
    }
}

/// The system as the account has it, and how it is: what target groups find, and the state of everything else. What the
/// file has and the account has not stands there, too.
pub fn of_account(snapshot: &Snapshot, desired: &Desired) -> Picture {
    let mut picture = Picture { shown: Shown::Health, ..of_desired(desired) };
    let missing = desired.resources.keys().filter(|one| !snapshot.resources.contains_key(one));
    picture.marks = missing.map(|one| (one.clone(), Mark::absent())).collect();
    // What bears an address a second time is on its way out; it stands there if nothing else does.
    for seen in snapshot.extras.iter().chain(snapshot.resources.values()) {
        let found = seen.vitals.health.iter().map(Mark::of_health);
        let gravest = found.max_by_key(|mark| mark.sign);
        let mark = Mark::of_status(seen).or(gravest).or_else(|| Mark::of_ready(seen));
        picture.marks.remove(&seen.address);
        picture.marks.extend(mark.map(|mark| (seen.address.clone(), mark)));
        picture.bodies.insert(seen.address.clone(), seen.body.clone());
    }
    picture
}

/// The system as a plan would leave it, and what it changes; what it deletes is drawn, too. Of a plan for a part,
/// `seen`, the account that it was made from, tells how the rest is.
pub fn of_plan(plan: &Plan, desired: &Desired, seen: Option<&Snapshot>) -> Picture {
    let mut picture = Picture { shown: Shown::Plan, ..of_desired(desired) };
    if plan.goal == Goal::Destroy {
        picture.bodies.clear();
    }
    let changes = plan.by_address();
    if let Some(seen) = seen.filter(|_| plan.left_out > 0) {
        let rest = seen.resources.iter().filter(|(address, _)| !changes.contains_key(address));
        let rest = rest.map(|(address, resource)| (address.clone(), resource.body.clone()));
        picture.bodies.extend(rest);
        let absent = picture.bodies.keys().filter(|one| !seen.resources.contains_key(one));
        picture.marks = absent.map(|one| (one.clone(), Mark::absent())).collect();
    }
    for change in changes.into_values() {
        if let (None, Some(before)) = (&change.after, &change.before) {
            picture.bodies.entry(change.address.clone()).or_insert_with(|| before.clone());
        }
        picture.marks.insert(change.address.clone(), Mark::of_change(change));
    }
    picture
}

impl Picture {
    /// The same, with this said of it.
    pub fn noted(self, note: Option<String>) -> Self {
        Self { note, ..self }
    }

    pub fn body(&self, address: &Address) -> Option<&Body> {
        self.bodies.get(address)
    }

    pub fn mark(&self, address: &Address) -> Option<&Mark> {
        self.marks.get(address)
    }

    pub fn sign(&self, address: &Address) -> Option<Sign> {
        self.mark(address).map(|mark| mark.sign)
    }

    /// Of several things, the gravest sign.
    pub fn gravest<'a>(&self, all: impl IntoIterator<Item = &'a Address>) -> Option<Sign> {
        all.into_iter().filter_map(|one| self.sign(one)).max()
    }

    /// How many of these bear each sign: `6 ✓ 1 !`.
    pub fn signs(&self, all: &[&Address]) -> String {
        let each = self.each(all).map(|(sign, count)| format!("{count} {}", sign.glyph()));
        each.collect::<Vec<_>>().join(" ")
    }

    /// What is drawn by its number alone, and how many of it bear each sign: `7 iam_role (1 ~ 1 −)`.
    pub fn counted(&self, kind: &str, things: &[&Address]) -> String {
        format!("{} {kind}{}", things.len(), self.in_brackets(things))
    }

    /// Machines that stand together: `12 × t3.small :3000 (2 +)`.
    pub fn fleet(&self, machines: &[&Address]) -> String {
        let kind = machines.first().map(|one| self.subtitle(one)).unwrap_or_default();
        format!("{} \u{d7} {kind}{}", machines.len(), self.in_brackets(machines))
    }

    fn in_brackets(&self, things: &[&Address]) -> String {
        let signs = self.signs(things);
        if signs.is_empty() { signs } else { format!(" ({signs})") }
    }

    /// The same in words: `1 to replace, 49 not there yet`.
    pub fn tally(&self, all: &[&Address]) -> String {
        let each = self.each(all).map(|(sign, count)| self.said(sign, count));
        each.collect::<Vec<_>>().join(", ")
    }

    fn each(&self, all: &[&Address]) -> impl Iterator<Item = (Sign, usize)> {
        let count = |sign| all.iter().filter(|one| self.sign(one) == Some(sign)).count();
        let each = Sign::ALL.map(|sign| (sign, count(sign)));
        each.into_iter().filter(|(_, count)| *count > 0)
    }

    /// What the signs mean, and how many bear each; of a plan that changes nothing, that.
    pub fn legend(&self) -> Vec<(Option<Sign>, String)> {
        let counts = self.counts();
        if counts.is_empty() && self.shown == Shown::Plan {
            return vec![(None, "no changes".to_owned())];
        }
        let each = counts.into_iter();
        each.map(|(sign, count)| (Some(sign), self.said(sign, count))).collect()
    }

    fn said(&self, sign: Sign, count: usize) -> String {
        match (self.shown, sign) {
            (_, Sign::Drift) => format!("{count} by drift"),
            (Shown::Health, Sign::Delete) => format!("{count} being deleted"),
            (Shown::Plan, sign) if sign != Sign::Absent => format!("{count} to {}", sign.word()),
            (_, sign) => format!("{count} {}", sign.word()),
        }
    }

    /// How many things bear each sign, in the order of a legend.
    fn counts(&self) -> Vec<(Sign, usize)> {
        let drawn: BTreeSet<&Address> = self.bodies.keys().collect();
        let count = |sign| {
            let marks = self.marks.iter().filter(|(one, _)| drawn.contains(one));
            marks.filter(|(_, mark)| mark.sign == sign).count()
        };
        let all = Sign::ALL.map(|sign| (sign, count(sign)));
        all.into_iter().filter(|(_, count)| *count > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::Live;
    use crate::model::{Status, TargetHealth};
    use crate::snapshot::Resource;

    /// A machine of the account, whose id is its name.
    fn seen(address: &Address, body: &Body, status: Status) -> Resource {
        let live = Live {
            id: address.name().to_owned(),
            outputs: BTreeMap::new(),
            body: body.clone(),
            tags: BTreeMap::new(),
        };
        Resource {
            address: address.clone(),
            body: body.clone(),
            applied: Default::default(),
            tags: BTreeMap::new(),
            status,
            maintenance: None,
            duty: Default::default(),
            vitals: Default::default(),
            live,
        }
    }

    fn found(target: &str, state: &str, reason: Option<&str>) -> TargetHealth {
        let (group, target) = ("tg".to_owned(), target.to_owned());
        let (state, reason) = (state.to_owned(), reason.map(str::to_owned));
        TargetHealth { group, target, state, reason, description: None }
    }

    #[test]
    fn a_target_bears_what_its_gravest_group_finds_and_what_is_not_there_is_not_sick() {
        let names = ["well", "sick", "new", "starting", "gone"];
        let all = names.map(|name| Address::new("instance", name));
        let desired = Desired {
            resources: all.iter().map(|one| (one.clone(), Body::new())).collect(),
            ..Desired::default()
        };
        let status = |one: &Address| match one.name() {
            "starting" => Status::Pending("pending".to_owned()),
            _ => Status::Ready,
        };
        let there = all.iter().filter(|one| one.name() != "gone");
        let finds = [
            found("well", "healthy", None),
            found("sick", "unhealthy", Some("Target.FailedHealthChecks")),
            found("sick", "healthy", None),
            found("new", "initial", Some("Elb.RegistrationInProgress")),
        ];
        let there = there.map(|one| {
            let mut seen = seen(one, &Body::new(), status(one));
            let own = finds.iter().filter(|found| found.target == one.name());
            seen.vitals.health = own.cloned().collect();
            (one.clone(), seen)
        });
        let snapshot = Snapshot { resources: there.collect(), ..Snapshot::default() };
        let picture = of_account(&snapshot, &desired);
        let mark = |name: &str| {
            let mark = picture.mark(&Address::new("instance", name)).unwrap();
            (mark.sign, mark.reason.clone().unwrap_or_default())
        };
        assert_eq!(mark("well"), (Sign::Healthy, "healthy".to_owned()));
        let why = "unhealthy: Target.FailedHealthChecks".to_owned();
        assert_eq!(mark("sick"), (Sign::Unhealthy, why));
        assert_eq!(mark("new").0, Sign::Waiting);
        assert_eq!(mark("starting"), (Sign::Waiting, "pending".to_owned()));
        assert_eq!(mark("gone").0, Sign::Absent);
        assert_eq!(
            picture.counts(),
            [(Sign::Healthy, 1), (Sign::Waiting, 2), (Sign::Unhealthy, 1), (Sign::Absent, 1)]
        );
        let all: Vec<&Address> = all.iter().collect();
        assert_eq!(picture.signs(&all), "1 \u{2713} 2 \u{2026} 1 ! 1 \u{25e6}");
        assert_eq!(picture.tally(&all), "1 healthy, 2 waiting, 1 unhealthy, 1 not there yet");
        assert_eq!(picture.gravest(all), Some(Sign::Unhealthy));
    }
}
