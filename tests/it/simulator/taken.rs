//! Names that something has which is not the topology's: told by the plan, each at its place, before anything is changed.

use std::collections::BTreeSet;

use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::desired::Desired;
use ecdeploy::error::Error;
use ecdeploy::kinds;
use ecdeploy::model::{ADDRESS, TOPOLOGY, Tags};
use ecdeploy::plan::{Origin, Plan};
use ecdeploy::preflight::{self, Memory, Preflight, Purpose};
use ecdeploy::report;

use super::world::*;

const WAY_IN: (&str, &str) = (
    "default_service = \"frontend\"\n",
    "default_service = \"frontend\"\ncertificate = { domain = \"shop.example.com\" }\n\n\
     [dns]\nzone = \"example.com\"\nname = \"shop.example.com\"\n",
);

/// Makes what is at the address another topology's, or nobody's.
fn hand_over(cloud: &SimCloud, address: &str, topology: &str) {
    let id = id_of(cloud, address);
    let kind = address.split('.').next().expect("a kind");
    let tags = Tags::from([
        (TOPOLOGY.to_owned(), topology.to_owned()),
        (ADDRESS.to_owned(), format!("{address}-of-theirs")),
    ]);
    cloud.account().tag(kind, &id, &tags).expect("it is there");
}

async fn checked(cloud: &dyn Cloud, desired: &Desired) -> Result<(), Error> {
    checked_but(cloud, desired, &[]).await.passes()
}

async fn checked_but(cloud: &dyn Cloud, desired: &Desired, ignored: &[String]) -> Preflight {
    let snapshot = read(cloud, desired).await;
    let plan = Plan::to_reach(desired, &snapshot, &parting(), Origin::default()).expect("a plan");
    let (memory, look) = (Memory::none(), Purpose::Look);
    let checks = preflight::check(&plan, desired, &snapshot, look, ignored, cloud, &memory).await;
    checks.expect("checks")
}

/// What is told of what is another topology's, all of it but these.
async fn told_of_all_but(made: &SimCloud, desired: &Desired, ours: &[&str]) -> BTreeSet<String> {
    let cloud = SimCloud::in_memory(made.account().clone(), 1.0);
    let theirs = desired.resources.keys().map(ToString::to_string);
    let theirs: Vec<String> =
        theirs.filter(|one| !ours.iter().any(|o| one.starts_with(o))).collect();
    theirs.iter().for_each(|address| hand_over(&cloud, address, "theirs"));
    let error = checked(&cloud, desired).await.expect_err("names are taken");
    let hint = error.hint.expect("a hint");
    assert_eq!(hint, "it belongs to the topology `theirs`: choose another here");
    let told = error.message.lines().map(|line| {
        assert!(line.starts_with("topology.toml:"), "{line}");
        let (place, said) = line.split_once(": ").expect("a place");
        assert_eq!(place.split(':').count(), 3, "{line}");
        said.split_once(" can't have the ").expect("an address").0.to_owned()
    });
    told.collect()
}

/// The addresses of what has a name of its own, of these kinds.
fn named(desired: &Desired, kinds: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let unique = |kind: &str| !kinds::by_name(kind).expect("a kind").schema().unique.is_empty();
    let all = desired.resources.keys().filter(|one| unique(one.kind()) && kinds(one.kind()));
    all.map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn whatever_has_a_name_of_its_own_is_looked_for() {
    let cached = ("node_type       = ", "replicas = 1\nnode_type = ");
    for cache in [&[][..], &[cached]] {
        let copied = ("[database.user]\n", "[database.user]\nreplicas = 1\n");
        let desired = drawn(&[&[WAY_IN, copied][..], cache].concat());
        let made = empty_account();
        apply_fully(&made, &desired).await;

        let told = told_of_all_but(&made, &desired, &["vpc."]).await;
        // What is named by its place in something that is to come has its name for itself.
        let within = |kind: &str| kind.starts_with("listener");
        assert_eq!(told, named(&desired, |kind| !within(kind)));

        let standing = desired.resources.keys().map(|one| one.kind()).filter(|kind| !within(kind));
        let standing: Vec<String> = standing.map(|kind| format!("{kind}.")).collect();
        let mut standing: Vec<&str> = standing.iter().map(String::as_str).collect();
        let told = told_of_all_but(&made, &desired, &standing).await;
        assert_eq!(told, named(&desired, |kind| kind == "listener"));
        standing.push("listener.");
        let told = told_of_all_but(&made, &desired, &standing).await;
        assert_eq!(told, named(&desired, |kind| kind == "listener_rule"));
    }
}

#[tokio::test(start_paused = true)]
async fn all_that_is_taken_is_told_at_its_place() {
    let desired = drawn(&[]);
    let cloud = drawn_account().await;
    for address in
        ["target_group.user", "db_instance.order", "subnet.public-1", "listener_rule.api-users"]
    {
        hand_over(&cloud, address, "theirs");
    }
    let error = checked(&cloud, &desired).await.expect_err("they are taken");
    let said = anstream::adapter::strip_str(&report::error::text(&error)).to_string();
    insta::assert_snapshot!(said);
}

#[tokio::test(start_paused = true)]
async fn what_is_the_topologys_own_takes_nothing_from_it() {
    let cloud = drawn_account().await;
    // Another disk takes other machines, another engine's name none: each name is ours before and after.
    let edits = [
        ("cidr_block = \"10.0.1.0/24\"", "cidr_block = \"10.0.3.0/24\""),
        ("\"t3.small\"", "\"t3.medium\""),
    ];
    checked(&cloud, &drawn(&edits)).await.expect("nothing is taken");
}

#[tokio::test(start_paused = true)]
async fn two_routes_that_change_places_take_nothing_from_each_other() {
    let cloud = drawn_account().await;
    let edits = [
        ("priority = 1,", "priority = 91,"),
        ("priority = 2,", "priority = 1,"),
        ("priority = 91,", "priority = 2,"),
    ];
    checked(&cloud, &drawn(&edits)).await.expect("nothing is taken");
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_moves_to_the_priority_of_somebody_elses_is_refused() {
    let cloud = drawn_account().await;
    hand_over(&cloud, "listener_rule.api-users", "theirs");
    let edits =
        [("{ priority = 1, path = \"/api/users/*\" }, ", ""), ("priority = 2,", "priority = 1,")];
    let error = checked(&cloud, &drawn(&edits)).await.expect_err("it is taken");
    assert!(
        error.message.contains("listener_rule.api-auth can't have the priority `1`: "),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_ignored_check_says_once_that_a_name_is_taken() {
    let cloud = drawn_account().await;
    hand_over(&cloud, "db_instance.order", "theirs");
    let checked = checked_but(&cloud, &drawn(&[]), &["names".to_owned()]).await;
    let said = report::preflight::text(&checked);
    let taken = "db_instance.order can't have the identifier `ecommerce-order-db`: it is taken\n";
    assert!(said.contains(taken), "{said}");
    checked.passes().expect("a warning alone");
}
