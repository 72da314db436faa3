//! What is drawn: bodies, and what is marked in them.

use std::collections::{BTreeMap, BTreeSet};

use super::mark::{Mark, Sign};
use crate::desired::Desired;
use crate::model::{Address, Body};
use crate::plan::Plan;
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
        shown: Shown::Plain,
        bodies: desired.resources.clone(),
        marks: BTreeMap::new(),
    }
}

/// The system as the account has it, and how it is: what target groups find, where the snapshot was made with that, and
/// the state of everything else. What the file has and the account has not stands there as missing.
pub fn of_account(snapshot: &Snapshot, desired: &Desired) -> Picture {
    let mut picture = Picture { shown: Shown::Health, ..of_desired(desired) };
    let missing = desired.resources.keys().filter(|one| !snapshot.resources.contains_key(one));
    picture.marks = missing.map(|one| (one.clone(), Mark::missing(desired))).collect();
    let health: BTreeMap<&str, Vec<Mark>> =
        snapshot.health.iter().flatten().fold(BTreeMap::new(), |mut all, one| {
            let of_target: &mut Vec<Mark> = all.entry(one.target.as_str()).or_default();
            of_target.push(Mark::of_health(one));
            all
        });
    // What bears an address a second time is on its way out; it stands there if nothing else does.
    for seen in snapshot.extras.iter().chain(snapshot.resources.values()) {
        let found = health.get(seen.live.id.as_str());
        let gravest = found.and_then(|marks| marks.iter().max_by_key(|mark| mark.sign)).cloned();
        let mark = Mark::of_status(seen).or(gravest).or_else(|| Mark::of_ready(seen));
        picture.marks.remove(&seen.address);
        picture.marks.extend(mark.map(|mark| (seen.address.clone(), mark)));
        picture.bodies.insert(seen.address.clone(), seen.body.clone());
    }
    picture
}

impl Picture {
    /// The same, with what the plan would change; what it deletes is drawn, too.
    pub fn with_plan(mut self, plan: &Plan) -> Self {
        self.shown = Shown::Plan;
        self.marks.clear();
        for change in plan.by_address().into_values() {
            if let (None, Some(before)) = (&change.after, &change.before) {
                self.bodies.entry(change.address.clone()).or_insert_with(|| before.clone());
            }
            self.marks.insert(change.address.clone(), Mark::of_change(change));
        }
        self
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
        let count = |sign| all.iter().filter(|one| self.sign(one) == Some(sign)).count();
        let each = Sign::ALL.map(|sign| (sign, count(sign)));
        let each = each.iter().filter(|(_, count)| *count > 0);
        each.map(|(sign, count)| format!("{count} {}", sign.glyph())).collect::<Vec<_>>().join(" ")
    }

    /// What is drawn by its number alone, and how many of it bear each sign: `7 iam_role (1 ~ 1 −)`.
    pub fn counted(&self, kind: &str, things: &[&Address]) -> String {
        let signs = self.signs(things);
        let signs = if signs.is_empty() { signs } else { format!(" ({signs})") };
        format!("{} {kind}{signs}", things.len())
    }

    /// How many things bear each sign, in the order of a legend.
    pub fn counts(&self) -> Vec<(Sign, usize)> {
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
    fn a_target_bears_what_its_gravest_group_finds_and_what_is_not_there_is_missing() {
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
        let there = there.map(|one| (one.clone(), seen(one, &Body::new(), status(one))));
        let snapshot = Snapshot {
            resources: there.collect(),
            health: Some(vec![
                found("well", "healthy", None),
                found("sick", "unhealthy", Some("Target.FailedHealthChecks")),
                found("sick", "healthy", None),
                found("new", "initial", Some("Elb.RegistrationInProgress")),
            ]),
            ..Snapshot::default()
        };
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
        assert_eq!(mark("gone").0, Sign::Unhealthy);
        assert!(mark("gone").1.starts_with("not in the account"));
        assert_eq!(
            picture.counts(),
            [(Sign::Healthy, 1), (Sign::Waiting, 2), (Sign::Unhealthy, 2)]
        );
    }
}
