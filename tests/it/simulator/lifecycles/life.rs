//! One life: random topologies applied, edited, applied and destroyed, with faults, deaths and other people's edits.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::{Death, FaultyCloud, Rates, SimCloud};
use ecdeploy::desired::{self, Desired};
use ecdeploy::error::ErrorKind;
use ecdeploy::model::{ADDRESS, Status, TOPOLOGY};
use ecdeploy::plan::{Origin, Parting, Plan};
use ecdeploy::reconcile::{Halt, Stop};
use ecdeploy::{snapshot, topology};
use fastrand::Rng;

use super::super::world::*;
use super::generate::Shape;

/// How often the same is run until it must have ended well.
const RUNS: usize = 12;

struct Life<'a> {
    cloud: &'a SimCloud,
    rng: Rng,
    tells: bool,
    /// Of last snapshots, so that each has a name of its own.
    turn: usize,
}

/// # Panics
/// When a promise is broken.
pub fn live(seed: u64, tells: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let cloud = empty_account();
        let mut life = Life { cloud: &cloud, rng: Rng::with_seed(seed), tells, turn: 0 };
        life.run().await;
    });
}

/// What the file asks for; with a mark for the machines' long script, which has tests of its own.
fn wanted(shape: &Shape) -> Option<Desired> {
    let text = shape.text();
    let topology = topology::parse("topology.toml", &text, &[])
        .unwrap_or_else(|errors| panic!("the topology is wrong: {errors:?}\n{text}"));
    let desired = desired::desired(&topology);
    desired::check(&topology, &desired).ok().map(|()| desired)
}

impl Life<'_> {
    async fn run(&mut self) {
        let mut shape = Shape::random(&mut self.rng);
        let Some(mut desired) = wanted(&shape) else { return };
        plant_foreign(self.cloud);
        let foreign = foreign(self.cloud, "shop");
        let before = ids(self.cloud);
        self.reach(&desired, false).await;
        for _ in 0..self.rng.usize(1..=2) {
            let mut next = shape.clone();
            next.edit(&mut self.rng);
            let Some(edited) = wanted(&next) else { continue };
            let disturbed = self.rng.u8(..4) == 0;
            if disturbed {
                self.disturb();
            }
            if self.reach(&edited, !disturbed).await {
                (shape, desired) = (next, edited);
            }
        }
        self.vanish(&desired).await;
        assert_eq!(ids(self.cloud), before, "ids before and after");
        assert_eq!(super::super::world::foreign(self.cloud, "shop"), foreign, "what is not ours");
    }

    fn say(&self, text: impl FnOnce() -> String) {
        if self.tells {
            eprintln!("{:>9.1?} {}", self.cloud.now(), text());
        }
    }

    /// Runs the same until it has ended well, through faults and deaths. False where it is refused beforehand.
    async fn reach(&mut self, desired: &Desired, serves: bool) -> bool {
        let floors = self.floors(desired);
        self.cloud.count_healthy();
        for run in 0..RUNS {
            match self.once(desired, run, false).await {
                Ended::Well => {
                    let again = self.plan(self.cloud, desired).await.unwrap();
                    // What somebody deletes takes its time to go.
                    let going = |change: &ecdeploy::diff::Change| {
                        change.reason.as_deref() == Some("is being deleted already")
                    };
                    if !again.is_empty() && again.changes.iter().all(going) {
                        continue;
                    }
                    assert!(again.is_empty(), "a second plan: {:#?}", again.changes);
                    self.in_order(desired);
                    if serves {
                        self.served(&floors);
                    }
                    return true;
                }
                Ended::Refused if run == 0 => return false,
                Ended::Refused | Ended::Cut => {}
            }
        }
        panic!("not done after {RUNS} runs");
    }

    async fn vanish(&mut self, desired: &Desired) {
        for run in 0..RUNS {
            if let Ended::Well = self.once(desired, run, true).await {
                return;
            }
        }
        panic!("not gone after {RUNS} runs");
    }

    /// One run, from the reading to its end.
    async fn once(&mut self, desired: &Desired, run: usize, destroy: bool) -> Ended {
        self.turn += 1;
        // It gets better: a bad day ends.
        let bad = if run < RUNS / 2 { 1.0 } else { 0.0 };
        let rates = match self.rng.u8(..3) {
            0 => Rates::default(),
            1 => {
                Rates { throttled: 0.02 * bad, failed: 0.02 * bad, lost: 0.02 * bad, lagging: 0.0 }
            }
            _ => Rates {
                throttled: 0.1 * bad,
                failed: 0.05 * bad,
                lost: 0.05 * bad,
                lagging: 0.3 * bad,
            },
        };
        let death = (run < RUNS / 2 && self.rng.bool()).then(|| {
            let at = 1 + self.rng.usize(..60);
            if self.rng.bool() { Death::Before(at) } else { Death::After(at) }
        });
        let stopped = (run < RUNS / 2 && self.rng.u8(..6) == 0)
            .then(|| Duration::from_secs(self.rng.u64(..600)));
        let faulty = FaultyCloud::new(self.cloud, self.rng.u64(..), rates, death);
        let plan = match self.plan_of(&faulty, desired, destroy).await {
            Ok((plan, snapshot)) => Some((plan, snapshot)),
            Err(error) if error.kind == ErrorKind::Refused => {
                self.say(|| format!("refused: {error}"));
                return Ended::Refused;
            }
            Err(error) => panic!("{error}"),
        };
        let Some((plan, snapshot)) = plan else { return Ended::Cut };
        self.say(|| {
            format!("run {run}: {} steps, {rates:?}, {death:?}, {stopped:?}", plan.steps.len())
        });
        let stop = Stop::default();
        let alarm = async {
            match stopped {
                Some(after) => tokio::time::sleep(after).await,
                None => std::future::pending().await,
            }
            stop.request(Halt::Signal(2));
            std::future::pending::<()>().await;
        };
        let outcome = tokio::select! {
            outcome = carry_out(&plan, &snapshot, &faulty, &stop, &Silent) => outcome,
            () = faulty.died() => {
                self.say(|| "died".to_owned());
                // The lock of the dead ends before anybody else begins.
                tokio::time::sleep(Duration::from_secs(90)).await;
                return Ended::Cut;
            }
            () = alarm => unreachable!("it only rings"),
        };
        self.say(|| format!("{:#?}", failures(&plan, &outcome)));
        // A listing lags for some seconds.
        tokio::time::sleep(Duration::from_secs(10)).await;
        if outcome.is_complete() { Ended::Well } else { Ended::Cut }
    }

    async fn plan_of(
        &self,
        cloud: &dyn Cloud,
        desired: &Desired,
        destroy: bool,
    ) -> Result<(Plan, ecdeploy::snapshot::Snapshot), ecdeploy::error::Error> {
        let parting = Parting { stamp: format!("t{}", self.turn), ..Parting::default() };
        let snapshot = match destroy {
            true => snapshot::read_to_destroy(cloud, desired).await?,
            false => snapshot::read(cloud, desired).await?,
        };
        let plan = match destroy {
            true => Plan::to_destroy(desired, &snapshot, &parting, Origin::default())?,
            false => Plan::to_reach(desired, &snapshot, &parting, Origin::default())?,
        };
        Ok((plan, snapshot))
    }

    async fn plan(
        &self,
        cloud: &dyn Cloud,
        desired: &Desired,
    ) -> Result<Plan, ecdeploy::error::Error> {
        Ok(self.plan_of(cloud, desired, false).await?.0)
    }

    /// What of each service must serve throughout: its floor, or what it had where that was less.
    fn floors(&self, desired: &Desired) -> BTreeMap<String, usize> {
        self.cloud.count_healthy();
        let had = self.cloud.fewest_healthy();
        let floor = |(service, rolling): (&String, &desired::Rolling)| {
            let group = format!("target_group.{service}");
            let had = *had.get(&group)?;
            Some((group, had.min(rolling.serving.min_healthy as usize)))
        };
        desired.rolling.iter().filter_map(floor).collect()
    }

    fn served(&self, floors: &BTreeMap<String, usize>) {
        let fewest = self.cloud.fewest_healthy();
        for (group, floor) in floors {
            let seen = fewest.get(group).copied().unwrap_or(0);
            assert!(seen >= *floor, "{group}: {seen} healthy, of at least {floor}");
        }
    }

    /// Every address is there once, and nothing else of ours.
    fn in_order(&self, desired: &Desired) {
        let account = self.cloud.account();
        let mut addresses = BTreeSet::new();
        for object in account.objects() {
            if object.tags.get(TOPOLOGY).is_none_or(|name| name != "shop")
                || object.status() == Status::Deleting
            {
                continue;
            }
            let address = object.observed().address().map(|address| address.to_string());
            let address = address.unwrap_or_else(|| panic!("{} bears no address", object.id));
            assert!(addresses.insert(address.clone()), "{address} is there twice");
        }
        let wanted: BTreeSet<String> = desired.resources.keys().map(ToString::to_string).collect();
        assert_eq!(addresses, wanted);
    }

    /// Somebody else does something to what is ours.
    fn disturb(&mut self) {
        let mut account = self.cloud.account();
        let ours: Vec<_> = account
            .objects()
            .filter(|object| object.tags.contains_key(ADDRESS) && object.kind == "instance")
            .map(|object| object.id.clone())
            .collect();
        let Some(id) = (!ours.is_empty()).then(|| ours[self.rng.usize(..ours.len())].clone())
        else {
            return;
        };
        let schema = ecdeploy::kinds::by_name("instance").unwrap().schema();
        let _ = account.delete(schema, &id, &ecdeploy::model::Body::new());
    }
}

enum Ended {
    Well,
    Cut,
    Refused,
}

/// Things of somebody else's, one of them another topology's.
fn plant_foreign(cloud: &SimCloud) {
    let mut account = cloud.account();
    let schema = ecdeploy::kinds::by_name("vpc").unwrap().schema();
    for tags in [vec![], vec![(TOPOLOGY, "another"), (ADDRESS, "vpc.main")]] {
        let tags =
            tags.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let body = serde_json::from_str(r#"{"cidr_block": "10.9.0.0/16"}"#).unwrap();
        account.create(schema, &body, &tags).unwrap();
    }
}
