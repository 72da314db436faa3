//! Another load balancer: the old one serves until the new one does.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::time::Duration;

use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::plan::{Origin, Plan, Verb};
use ecdeploy::reconcile::{Event, Observer, Stop, What};

use super::killed::{Kill, apply_killed};
use super::world::*;

const NAME: (&str, &str) = ("\"ecommerce-alb\"", "\"ecommerce-web\"");

const DNS: (&str, &str) = (
    "default_service = \"frontend\"\n",
    "default_service = \"frontend\"\ncertificate = { domain = \"shop.example.com\" }\n\
     [dns]\nzone = \"example.com\"\nname = \"shop.example.com\"\n",
);
const RECORD: &str = "record.main";

fn place(plan: &Plan, address: &str, verb: Verb) -> usize {
    let found = plan.steps.iter().position(|s| s.address.to_string() == address && s.verb == verb);
    found.unwrap_or_else(|| panic!("{verb:?} {address} is a step"))
}

#[tokio::test(start_paused = true)]
async fn a_renamed_load_balancer_takes_over_without_an_outage() {
    let cloud = drawn_account().await;
    // Until everybody is healthy.
    tokio::time::sleep(Duration::from_secs(600)).await;
    cloud.count_healthy();

    let (plan, _) = apply_fully(&cloud, &drawn(&[NAME])).await;

    for (group, fewest) in cloud.fewest_healthy() {
        assert_eq!(fewest, 2, "{group}");
    }
    let gone = place(&plan, "listener_rule.api-users", Verb::Delete);
    assert!(place(&plan, "load_balancer.main", Verb::Create) < gone);
    for machine in ["instance.user-1", "instance.user-2"] {
        assert!(place(&plan, machine, Verb::Serve) < gone, "{machine}");
    }
    let account = cloud.account();
    let mut balancers = account.objects().filter(|object| object.kind == "load_balancer");
    assert_eq!(balancers.next().map(|left| left.text("name")), Some("ecommerce-web"));
    assert_eq!(balancers.count(), 0);
}

/// When each step was done.
#[derive(Default)]
struct Done(Mutex<BTreeMap<usize, u64>>);

impl Observer for Done {
    fn event(&self, event: &Event) {
        if matches!(event.what, What::Done { .. }) {
            self.0.lock().unwrap().insert(event.step, event.at.as_secs());
        }
    }
}

/// Route 53 tells its servers within a minute, and resolvers remember an alias for another.
const REMEMBERED: RangeInclusive<u64> = 120..=125;

/// Renames the load balancer that a name leads to; when each step was done, in seconds.
async fn renamed(cloud: &SimCloud) -> (Plan, BTreeMap<usize, u64>) {
    let desired = drawn(&[DNS, NAME]);
    let snapshot = read(cloud, &desired).await;
    let plan = plan(cloud, &desired).await;
    let done = Done::default();
    let outcome = carry_out(&plan, &snapshot, cloud, &Stop::default(), &done).await;
    assert!(outcome.is_complete(), "{:#?}", failures(&plan, &outcome));
    (plan, done.0.into_inner().unwrap())
}

async fn named_account() -> SimCloud {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[DNS])).await;
    cloud
}

#[tokio::test(start_paused = true)]
async fn its_name_leads_to_the_other_before_the_old_one_goes() {
    let (plan, done) = renamed(&named_account().await).await;
    let named = done[&place(&plan, RECORD, Verb::Update)];
    for gone in ["listener_rule.api-users", "listener.https"] {
        let waited = done[&place(&plan, gone, Verb::Delete)] - named;
        assert!(REMEMBERED.contains(&waited), "{gone}: {waited} s");
    }
}

#[tokio::test(start_paused = true)]
async fn so_it_does_when_the_run_that_changed_the_name_was_killed() {
    let (plan, done) = renamed(&named_account().await).await;
    let named = Duration::from_secs(done[&place(&plan, RECORD, Verb::Update)] + 30);
    let cloud = named_account().await;
    assert!(apply_killed(&cloud, &drawn(&[DNS, NAME]), Kill::At(named)).await.is_none());

    let (plan, done) = renamed(&cloud).await;

    assert!(!plan.steps.iter().any(|step| step.address.to_string() == RECORD), "it leads there");
    let waited = done[&place(&plan, "listener_rule.api-users", Verb::Delete)];
    assert!(REMEMBERED.contains(&waited), "{waited} s");
}

#[tokio::test(start_paused = true)]
async fn a_rule_replaced_on_the_same_one_waits_for_no_name() {
    let path = ("/api/users/*", "/api/people/*");
    let plan = plan(&named_account().await, &drawn(&[DNS, path])).await;
    assert!(plan.steps.iter().any(|step| step.address.kind() == "listener_rule"));
    assert!(plan.steps.iter().all(|step| step.remembered == 0));
}

#[tokio::test(start_paused = true)]
async fn its_machines_can_not_be_stopped_in_the_same_apply() {
    let cloud = drawn_account().await;
    let desired = drawn(&[NAME, ("t3.small", "t3.large")]);
    let snapshot = read(&cloud, &desired).await;
    let refused = Plan::to_reach(&desired, &snapshot, &parting(), Origin::default()).unwrap_err();
    assert!(refused.to_string().contains("wait for each other"), "{refused}");
    assert!(refused.hint.as_ref().is_some_and(|hint| hint.contains("two applies")), "{refused:?}");
}
