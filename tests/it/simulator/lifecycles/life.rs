//! One life: random topologies applied, edited, applied and destroyed, with faults, deaths and other people's edits.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::time::Duration;

use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::{FaultyCloud, Object, SimCloud, Unseen};
use ecdeploy::desired::{self, Desired};
use ecdeploy::error::{Error, ErrorKind};
use ecdeploy::model::{ADDRESS, PROTECTED, Status, TOPOLOGY};
use ecdeploy::plan::{Origin, Parting, Plan};
use ecdeploy::reconcile::{Halt, Stop};
use ecdeploy::snapshot::Snapshot;
use ecdeploy::{report, snapshot, topology};
use fastrand::Rng;

use super::super::world::*;
use super::ears::{Ears, Secrets};
use super::generate::Shape;
use super::meddle::{Deed, meddle};
use super::mishaps::Mishaps;

/// How often the same is run until it must have ended well.
const RUNS: usize = 12;

struct Life<'a> {
    cloud: &'a SimCloud,
    rng: Rng,
    tells: bool,
    /// Of last snapshots, so that each has a name of its own.
    turn: usize,
    secrets: Secrets,
    /// What is not ours, as it must stay.
    foreign: String,
    /// The ids of what is not ours.
    theirs: BTreeSet<String>,
    /// Whether other people have ever changed what is ours.
    meddled: bool,
    /// What the last run has made, and listings don't show yet.
    unseen: Unseen,
}

/// What a run is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim {
    Reach,
    Destroy,
    /// With its protection lifted.
    DestroyAll,
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
        plant_foreign(&cloud);
        let mut life = Life {
            cloud: &cloud,
            rng: Rng::with_seed(seed),
            tells,
            turn: 0,
            secrets: Secrets::default(),
            foreign: foreign(&cloud, "shop"),
            theirs: ids(&cloud).into_iter().collect(),
            meddled: false,
            unseen: Unseen::new(),
        };
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
        assert!(self.reach(&desired, false).await, "the first is refused");
        for _ in 0..self.rng.usize(1..=2) {
            let mut next = shape.clone();
            next.edit(&mut self.rng);
            let Some(edited) = wanted(&next) else { continue };
            let disturbed = self.rng.u8(..3) == 0;
            if disturbed {
                let deed = meddle(self.cloud, &mut self.rng);
                self.note(deed);
            }
            if self.reach(&edited, !disturbed).await {
                (shape, desired) = (next, edited);
            } else {
                // Who wipes what was applied to a protected machine makes it one that nobody knows.
                let back = self.reach(&desired, false).await;
                assert!(back || self.meddled, "taking the edit back is refused");
            }
        }
        self.vanish(&desired).await;
        let left: BTreeSet<String> = ids(self.cloud).into_iter().collect();
        assert_eq!(left, self.theirs, "ids before and after");
    }

    fn say(&self, text: impl FnOnce() -> String) {
        if self.tells {
            eprintln!("{:>9.1?} {}", self.cloud.now(), text());
        }
    }

    /// Somebody else has done something.
    fn note(&mut self, deed: Option<Deed>) {
        let Some(deed) = deed else { return };
        self.say(|| format!("somebody: {deed:?}"));
        if deed.what == "put beside" {
            self.theirs.insert(deed.id);
            self.foreign = foreign(self.cloud, "shop");
        } else {
            self.meddled = true;
        }
    }

    /// Runs the same until it has ended well, through faults and deaths. False where it is refused beforehand.
    async fn reach(&mut self, desired: &Desired, serves: bool) -> bool {
        let floors = self.floors(desired);
        self.cloud.count_healthy();
        let mut alone = true;
        for run in 0..RUNS {
            let ended = self.once(desired, run, Aim::Reach).await;
            alone &= ended.alone;
            match ended.how {
                How::Well => {
                    let again = self.plan(self.cloud, desired).await.unwrap();
                    // What somebody deletes takes its time to go.
                    let going = |change: &ecdeploy::diff::Change| {
                        change.reason.as_deref() == Some("is being deleted already")
                    };
                    if !again.is_empty() && (!ended.alone || again.changes.iter().all(going)) {
                        continue;
                    }
                    assert!(again.is_empty(), "a second plan: {:#?}", again.changes);
                    self.in_order(desired);
                    if serves && alone {
                        self.served(&floors);
                    }
                    return true;
                }
                How::Refused if run == 0 => return false,
                How::Refused | How::Cut => {}
            }
        }
        panic!("not done after {RUNS} runs");
    }

    async fn vanish(&mut self, desired: &Desired) {
        for run in 0..RUNS {
            let protects = !self.protected().is_empty();
            let lifted = run > 0 || protects;
            if run == 0 && protects {
                let ended = self.once(desired, run, Aim::Destroy).await;
                assert!(matches!(ended.how, How::Refused), "what is protected is destroyed");
            }
            let aim = if lifted { Aim::DestroyAll } else { Aim::Destroy };
            if let How::Well = self.once(desired, run, aim).await.how {
                return;
            }
        }
        panic!("not gone after {RUNS} runs");
    }

    /// The ids of what must not go.
    fn protected(&self) -> BTreeSet<String> {
        let account = self.cloud.account();
        let protects = |object: &&Object| {
            object.tags.get(TOPOLOGY).is_some_and(|name| name == "shop")
                && object.status() != Status::Deleting
                && (object.tags.get(PROTECTED).is_some_and(|tag| tag == "true")
                    || object.body.get("deletion_protection") == Some(&true.into()))
        };
        account.objects().filter(protects).map(|object| object.id.clone()).collect()
    }

    /// One run, from the reading to its end; and what holds after each.
    async fn once(&mut self, desired: &Desired, run: usize, aim: Aim) -> Ended {
        let protected = self.protected();
        let ears = Ears::new(self.tells);
        let deeds = RefCell::new(Vec::new());
        let how = self.carried_out(desired, run, aim, &ears, &deeds).await;
        let deeds = deeds.into_inner();
        let taken: BTreeSet<&String> =
            deeds.iter().filter(|deed| deed.what == "deleted").map(|deed| &deed.id).collect();
        if aim != Aim::DestroyAll {
            let stands = self.standing();
            let fallen: Vec<&String> = protected
                .iter()
                .filter(|id| !stands.contains(*id) && !taken.contains(id))
                .collect();
            assert!(fallen.is_empty(), "protected, and gone: {fallen:?}");
        }
        self.secrets.learn(self.cloud);
        self.secrets.are_kept(&ears.said());
        let alone = deeds.is_empty();
        for deed in deeds {
            self.note(Some(deed));
        }
        assert_eq!(foreign(self.cloud, "shop"), self.foreign, "what is not ours");
        Ended { how, alone }
    }

    fn standing(&self) -> BTreeSet<String> {
        let account = self.cloud.account();
        let standing = account.objects().filter(|object| object.status() != Status::Deleting);
        standing.map(|object| object.id.clone()).collect()
    }

    async fn carried_out(
        &mut self,
        desired: &Desired,
        run: usize,
        aim: Aim,
        ears: &Ears,
        deeds: &RefCell<Vec<Deed>>,
    ) -> How {
        self.turn += 1;
        let mishaps = Mishaps::random(&mut self.rng, run < RUNS / 2);
        let mut theirs = self.rng.fork();
        let mut faulty =
            FaultyCloud::new(self.cloud, self.rng.u64(..), mishaps.rates, mishaps.death);
        if let Some(calls) = mishaps.expiry {
            faulty = faulty.expiring(calls);
        }
        let faulty = faulty.after(std::mem::take(&mut self.unseen));
        let (plan, snapshot) = match self.plan_of(&faulty, desired, aim).await {
            Ok(planned) => planned,
            Err(error) if error.kind == ErrorKind::Refused => {
                self.say(|| format!("refused: {error}"));
                ears.hear(&report::error::text(&error));
                return How::Refused;
            }
            Err(error) => panic!("{error}"),
        };
        self.say(|| format!("run {run}: {} steps, {mishaps:?}", plan.steps.len()));
        self.say(|| report::plan::text(&plan, ""));
        ears.plan(&plan, self.turn.is_multiple_of(4));
        if !self.meddled {
            let drifted: Vec<_> = plan.changes.iter().filter(|change| change.drifted()).collect();
            assert!(drifted.is_empty(), "taken for drift: {drifted:#?}");
        }
        let stop = Stop::default();
        let alarm = async {
            match mishaps.stopped {
                Some(after) => tokio::time::sleep(after).await,
                None => pending().await,
            }
            stop.request(Halt::Signal(2));
            pending::<()>().await;
        };
        let others = async {
            for pause in &mishaps.others {
                tokio::time::sleep(*pause).await;
                deeds.borrow_mut().extend(meddle(self.cloud, &mut theirs));
            }
            pending::<()>().await;
        };
        let outcome = tokio::select! {
            outcome = carry_out(&plan, &snapshot, &faulty, &stop, ears) => outcome,
            () = faulty.died() => {
                self.say(|| "died".to_owned());
                // The lock of the dead ends before anybody else begins.
                tokio::time::sleep(Duration::from_secs(90)).await;
                return How::Cut;
            }
            () = alarm => unreachable!("it only rings"),
            () = others => unreachable!("they never have done"),
        };
        self.unseen = faulty.unseen();
        ears.outcome(&plan, &outcome);
        self.say(|| format!("{:#?}", failures(&plan, &outcome)));
        if outcome.is_complete() { How::Well } else { How::Cut }
    }

    async fn plan_of(
        &self,
        cloud: &dyn Cloud,
        desired: &Desired,
        aim: Aim,
    ) -> Result<(Plan, Snapshot), Error> {
        let lift_protection = aim == Aim::DestroyAll;
        let stamp = format!("t{}", self.turn);
        let parting = Parting { stamp, lift_protection, ..Parting::default() };
        if aim == Aim::Reach {
            let snapshot = snapshot::read(cloud, desired).await?;
            let plan = Plan::to_reach(desired, &snapshot, &parting, Origin::default())?;
            return Ok((plan, snapshot));
        }
        let snapshot = snapshot::read_to_destroy(cloud, desired).await?;
        let plan = Plan::to_destroy(desired, &snapshot, &parting, Origin::default())?;
        Ok((plan, snapshot))
    }

    async fn plan(&self, cloud: &dyn Cloud, desired: &Desired) -> Result<Plan, Error> {
        Ok(self.plan_of(cloud, desired, Aim::Reach).await?.0)
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
}

/// How a run went.
struct Ended {
    how: How,
    /// Whether nobody else did anything meanwhile.
    alone: bool,
}

enum How {
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
