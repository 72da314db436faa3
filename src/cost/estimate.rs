//! The sum of what bodies cost, and of a plan's: as it is now, and as it will be.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Add;

use jiff::civil::Date;

use super::billed::{Item, List, items};
use super::money::Money;
use super::prices::Prices;
use crate::desired::Desired;
use crate::model::{Address, Body, Status};
use crate::plan::Plan;
use crate::snapshot::{Resource, Snapshot};

/// What things cost a month, those that are alike together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    lines: BTreeMap<(List, String), Line>,
    /// From the oldest to the newest of the prices that it is made of.
    dates: Option<(Date, Date)>,
}

/// So much of one thing, and what it costs a month; nothing where there is no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub quantity: u64,
    pub monthly: Option<Money>,
}

/// What a plan makes of the costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    pub now: Estimate,
    pub then: Estimate,
}

/// What these cost.
pub fn estimate<'a>(
    bodies: impl IntoIterator<Item = (&'a Address, &'a Body)>,
    prices: &Prices,
) -> Estimate {
    let items = bodies.into_iter().flat_map(|(address, body)| items(address, body));
    items.map(|item| Estimate::of(item, prices)).fold(Estimate::default(), Add::add)
}

/// What the account costs, and what it costs when the plan is carried out. What AWS has still to make in a maintenance
/// window counts as made, as it does in the plan.
pub fn costs(plan: &Plan, desired: &Desired, snapshot: &Snapshot, prices: &Prices) -> Costs {
    let all = snapshot.resources.values().chain(&snapshot.extras);
    let stand: Vec<&Resource> = all.filter(|one| one.status != Status::Deleting).collect();
    let bodies: Vec<Body> = stand.iter().map(|one| one.whole(desired)).collect();
    let live = || stand.iter().map(|one| &one.address).zip(&bodies);
    let changed: BTreeSet<(&Address, &str)> = plan
        .changes
        .iter()
        .filter_map(|change| Some((&change.address, change.id.as_deref()?)))
        .collect();
    let stays = |one: &&Resource| !changed.contains(&(&one.address, &*one.live.id));
    let staying = stand.iter().zip(live()).filter(|(one, _)| stays(one)).map(|(_, body)| body);
    let made =
        plan.changes.iter().filter_map(|change| Some((&change.address, change.after.as_ref()?)));
    Costs { now: estimate(live(), prices), then: estimate(staying.chain(made), prices) }
}

impl Estimate {
    fn of(item: Item, prices: &Prices) -> Self {
        let Item { list, name, quantity } = item;
        let found = prices.of(list, &name);
        let monthly = found.map(|(price, _)| price.times(quantity).times(list.a_month()));
        let dates = found.map(|(_, date)| (date, date));
        Self { lines: BTreeMap::from([((list, name), Line { quantity, monthly })]), dates }
    }

    /// Every line, by its list and its name in it.
    pub fn lines(&self) -> impl Iterator<Item = (List, &str, Line)> {
        self.lines.iter().map(|((list, name), line)| (*list, name.as_str(), *line))
    }

    pub fn line(&self, list: List, name: &str) -> Option<Line> {
        self.lines.get(&(list, name.to_owned())).copied()
    }

    /// All that has a price.
    pub fn total(&self) -> Money {
        self.lines.values().filter_map(|line| line.monthly).sum()
    }

    /// What has none.
    pub fn unpriced(&self) -> impl Iterator<Item = (List, &str, u64)> {
        let unpriced = self.lines().filter(|(_, _, line)| line.monthly.is_none());
        unpriced.map(|(list, name, line)| (list, name, line.quantity))
    }
}

impl Add for Estimate {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        for (key, line) in other.lines {
            self.lines.entry(key).and_modify(|known| *known = *known + line).or_insert(line);
        }
        let dates = self.dates.into_iter().chain(other.dates);
        self.dates = dates.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        self
    }
}

impl Add for Line {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            quantity: self.quantity.saturating_add(other.quantity),
            monthly: self.monthly.zip(other.monthly).map(|(a, b)| a + b),
        }
    }
}

impl Costs {
    /// What is paid more a month than now; less, where it is negative.
    pub fn more(&self) -> Money {
        self.then.total() - self.now.total()
    }

    pub fn change(&self) -> bool {
        self.now.lines != self.then.lines
    }

    /// How old the prices are: from the oldest to the newest that was taken.
    pub fn dates(&self) -> Option<(Date, Date)> {
        let dates = self.now.dates.into_iter().chain(self.then.dates);
        dates.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// Every line of either, with what it is now and then.
    pub fn lines(&self) -> impl Iterator<Item = (List, &str, Option<Line>, Option<Line>)> {
        let keys: BTreeSet<&(List, String)> =
            self.now.lines.keys().chain(self.then.lines.keys()).collect();
        keys.into_iter().map(|key| {
            let now = self.now.lines.get(key).copied();
            (key.0, key.1.as_str(), now, self.then.lines.get(key).copied())
        })
    }
}
