//! What AWS does not get done with: it ends in bounded time, says what to do, and the next run goes on.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use anstream::adapter::strip_str;
use async_trait::async_trait;
use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::desired::Desired;
use ecdeploy::kinds::{Kind, Live};
use ecdeploy::model::{Body, Class, Created, Fault, Tags};
use ecdeploy::plan::{Origin, Plan};
use ecdeploy::reconcile::{Outcome, Stop};
use ecdeploy::report;

use super::world::*;

const MINUTE: Duration = Duration::from_secs(60);
/// So long nothing takes AWS.
const DAY: u64 = 24 * 3600;

/// Databases that never get done with what they are told.
struct Hanging<'a>(&'a SimCloud);

#[async_trait]
impl Spoiled for Hanging<'_> {
    fn sound(&self) -> &SimCloud {
        self.0
    }

    async fn ended(&self, _: &'static str) {
        self.0.account().hang("db_instance", DAY);
    }

    async fn spoil(
        &self,
        kind: &'static dyn Kind,
        body: &Body,
        all: &[Tags],
        token: &str,
    ) -> Result<Vec<Created>, Fault> {
        self.0.create(kind, body, all, token).await
    }
}

/// A deleted load balancer's network interfaces, which hold on to its subnets and groups for as long.
struct Lingering<'a> {
    cloud: &'a SimCloud,
    longer: Duration,
    left: Mutex<Option<Duration>>,
    refused: Mutex<BTreeSet<String>>,
}

impl<'a> Lingering<'a> {
    fn new(cloud: &'a SimCloud, longer: Duration) -> Self {
        Self { cloud, longer, left: Mutex::default(), refused: Mutex::default() }
    }
}

#[async_trait]
impl Spoiled for Lingering<'_> {
    fn sound(&self) -> &SimCloud {
        self.cloud
    }

    fn refuses(&self, kind: &'static dyn Kind, all: &[Live]) -> Result<(), Fault> {
        let kind = kind.schema().kind;
        let mut left = self.left.lock().unwrap();
        if kind == "load_balancer" {
            left.get_or_insert(self.cloud.now());
        }
        let held = ["security_group", "subnet"].contains(&kind)
            && left.is_some_and(|left| self.cloud.now() < left + self.longer);
        if !held {
            return Ok(());
        }
        self.refused.lock().unwrap().insert(kind.to_owned());
        let message = format!("resource {} has a dependent object", all[0].id);
        Err(Fault::new(Class::NotYet, "ec2:Delete", "DependencyViolation", message))
    }

    async fn spoil(
        &self,
        kind: &'static dyn Kind,
        body: &Body,
        all: &[Tags],
        token: &str,
    ) -> Result<Vec<Created>, Fault> {
        self.cloud.create(kind, body, all, token).await
    }
}

/// Takes everything down, with databases' last snapshots of this name.
async fn take_down(cloud: &dyn Cloud, desired: &Desired, stamp: &str) -> (Plan, Outcome) {
    let snapshot = ecdeploy::snapshot::read_to_destroy(cloud, desired).await.unwrap();
    let parting = ecdeploy::plan::Parting { stamp: stamp.to_owned(), ..parting() };
    let plan = Plan::to_destroy(desired, &snapshot, &parting, Origin::default()).unwrap();
    let outcome = carry_out(&plan, &snapshot, cloud, &Stop::default(), &Silent).await;
    (plan, outcome)
}

fn told(plan: &Plan, outcome: &Outcome) -> String {
    assert!(!outcome.is_complete());
    strip_str(&report::outcome::text(plan, outcome)).to_string()
}

fn larger() -> Desired {
    let at_once = "instance_class    = \"db.t3.small\"\napply_immediately = true\n";
    drawn(&[("instance_class    = \"db.t3.micro\"\n", at_once)])
}

#[tokio::test(start_paused = true)]
async fn a_database_that_stays_in_modifying_is_given_up_with_a_hint_and_is_taken_up_later() {
    let cloud = drawn_account().await;
    let desired = larger();
    let (plan, outcome) = apply(&Faulty(Hanging(&cloud)), &desired).await;
    assert!(outcome.elapsed < 90 * MINUTE, "{:?}", outcome.elapsed);
    let text = told(&plan, &outcome);
    assert!(text.contains("is still `modifying` after"), "{text}");
    assert!(text.contains("hint: AWS goes on with it"), "{text}");

    tokio::time::sleep(Duration::from_secs(DAY)).await;
    apply_fully(&cloud, &desired).await;
}

#[tokio::test(start_paused = true)]
async fn a_change_of_a_database_that_somebody_left_in_modifying_is_given_up_and_taken_up_later() {
    let cloud = drawn_account().await;
    edit(&cloud, "db_instance.user", "backup_retention_period", 8.into());
    assert_eq!(cloud.account().hang("db_instance", DAY), 1, "it is busy");
    let desired = larger();
    let (plan, outcome) = apply(&cloud, &desired).await;
    assert!(outcome.elapsed < 90 * MINUTE, "{:?}", outcome.elapsed);
    let text = told(&plan, &outcome);
    assert!(text.contains("is not in available state"), "{text}");
    assert!(text.contains("hint: something else is still under way"), "{text}");

    tokio::time::sleep(Duration::from_secs(DAY)).await;
    apply_fully(&cloud, &desired).await;
}

#[tokio::test(start_paused = true)]
async fn a_database_that_stays_in_deleting_holds_up_only_what_it_uses_and_goes_later() {
    let cloud = drawn_account().await;
    let desired = drawn(&[]);
    let (plan, outcome) = take_down(&Faulty(Hanging(&cloud)), &desired, "first").await;
    assert!(outcome.elapsed < 90 * MINUTE, "{:?}", outcome.elapsed);
    let text = told(&plan, &outcome);
    assert!(text.contains("is still `deleting` after"), "{text}");
    assert!(text.contains("hint: AWS goes on with it"), "{text}");
    let left: BTreeSet<String> =
        cloud.account().objects().map(|object| object.kind.clone()).collect();
    assert!(!left.contains("instance") && !left.contains("load_balancer"), "{left:?}");

    // Who comes while it lasts waits as long, and no longer.
    let (plan, outcome) = take_down(&cloud, &desired, "second").await;
    assert!(outcome.elapsed < 90 * MINUTE, "{:?}", outcome.elapsed);
    assert!(told(&plan, &outcome).contains("is still `deleting` after"));

    tokio::time::sleep(Duration::from_secs(DAY)).await;
    let (plan, outcome) = take_down(&cloud, &desired, "third").await;
    assert!(outcome.is_complete(), "{:#?}", failures(&plan, &outcome));
    assert_eq!(ids(&cloud), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_a_load_balancer_leaves_behind_for_minutes_is_waited_for() {
    let cloud = drawn_account().await;
    let lingering = Faulty(Lingering::new(&cloud, 12 * MINUTE));
    let (plan, outcome) = take_down(&lingering, &drawn(&[]), "first").await;
    assert!(outcome.is_complete(), "{:#?}", failures(&plan, &outcome));
    assert_eq!(lingering.0.refused.lock().unwrap().len(), 2, "a group and a subnet were held");
    assert_eq!(ids(&cloud), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_it_never_lets_go_is_given_up_with_a_hint_and_goes_later() {
    let cloud = drawn_account().await;
    let lingering = Faulty(Lingering::new(&cloud, 120 * MINUTE));
    let (plan, outcome) = take_down(&lingering, &drawn(&[]), "first").await;
    assert!(outcome.elapsed < 60 * MINUTE, "{:?}", outcome.elapsed);
    let text = told(&plan, &outcome);
    assert!(text.contains("DependencyViolation"), "{text}");
    assert!(text.contains("hint: something else still uses it"), "{text}");

    tokio::time::sleep(120 * MINUTE).await;
    let (plan, outcome) = take_down(&cloud, &drawn(&[]), "second").await;
    assert!(outcome.is_complete(), "{:#?}", failures(&plan, &outcome));
    assert_eq!(ids(&cloud), Vec::<String>::new());
}
