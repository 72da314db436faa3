//! What people read, as it is printed, without the colours.

use std::time::Duration;

use anstream::adapter::strip_str;
use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::desired::Desired;
use ecdeploy::plan::{Origin, Plan};
use ecdeploy::reconcile::Stop;
use ecdeploy::report;
use serde_json::json;

use super::world::*;

const OF: &str = "ecommerce in account 123456789012 (ap-southeast-1)";

fn shown(plan: &Plan) -> String {
    strip_str(&report::plan::text(plan, OF)).to_string()
}

#[tokio::test(start_paused = true)]
async fn the_plan_of_the_drawn_system() {
    let plan = plan(&empty_account(), &drawn(&[])).await;
    insta::assert_snapshot!(shown(&plan));
}

#[tokio::test(start_paused = true)]
async fn a_plan_without_changes() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    insta::assert_snapshot!(shown(&plan(&cloud, &drawn(&[])).await));
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_changes_drift_replacement_and_deletion() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let stranger = json!([
        { "protocol": "tcp", "ports": "5432", "peer": id_of(&cloud, "security_group.ec2") },
        { "protocol": "tcp", "ports": "5432", "peer": "0.0.0.0/0" },
    ]);
    edit(&cloud, "security_group.rds", "ingress", stranger);
    edit(&cloud, "instance.user-1", "instance_type", json!("t3.large"));
    edit(&cloud, "instance.order-2", "target_group", json!(null));
    edit(&cloud, "target_group.user", "health_check_interval", json!(60));
    tokio::time::sleep(Duration::from_secs(120)).await;
    let changed = drawn(&[
        ("interval = 30", "interval = 15"),
        ("port      = 3002", "port      = 3102"),
        ("[database.notification]\n", ""),
        ("uses      = [\"database.notification\"]\n", ""),
    ]);
    insta::assert_snapshot!(shown(&plan(&cloud, &changed).await));
}

#[tokio::test(start_paused = true)]
async fn a_plan_to_destroy() {
    let cloud = empty_account();
    let desired = drawn(&[]);
    apply_fully(&cloud, &desired).await;
    let snapshot = read(&cloud, &desired).await;
    let plan = Plan::to_destroy(&desired, &snapshot, &parting(), Origin::default()).unwrap();
    insta::assert_snapshot!(shown(&plan));
}

#[tokio::test(start_paused = true)]
async fn the_summary_of_a_run_that_succeeded() {
    let (plan, outcome) = apply_fully(&empty_account(), &drawn(&[])).await;
    insta::assert_snapshot!(strip_str(&report::outcome::text(&plan, &outcome)).to_string());
}

#[tokio::test(start_paused = true)]
async fn the_way_in_is_told_by_the_name_that_people_use() {
    let way_in = async |cloud: &SimCloud, desired: &Desired| {
        let (plan, outcome) = apply_fully(cloud, desired).await;
        let text = strip_str(&report::outcome::text(&plan, &outcome)).to_string();
        text.lines().find_map(|line| Some(line.strip_prefix("The way in: ")?.to_owned()))
    };
    let cloud = empty_account();
    let given = way_in(&cloud, &drawn(&[])).await.unwrap();
    assert!(given.starts_with("http://ecommerce-alb-"), "{given}");
    assert_eq!(way_in(&cloud, &drawn(&[])).await, None, "it is what it was");
    let named = drawn(&[(
        "default_service = \"frontend\"\n",
        "default_service = \"frontend\"\ncertificate = { domain = \"shop.example.com\" }\n\
         [dns]\nzone = \"example.com\"\nname = \"shop.example.com\"\n",
    )]);
    assert_eq!(way_in(&cloud, &named).await.unwrap(), "https://shop.example.com");
}

#[tokio::test(start_paused = true)]
async fn the_summary_of_a_run_in_which_a_step_failed() {
    let cloud = empty_account();
    let refusing = Faulty(Refusing { cloud: &cloud, kind: "load_balancer" });
    let (plan, outcome) = apply(&refusing, &drawn(&[])).await;
    insta::assert_snapshot!(strip_str(&report::outcome::text(&plan, &outcome)).to_string());
}

#[tokio::test(start_paused = true)]
async fn the_summary_of_a_run_that_was_interrupted() {
    let cloud = empty_account();
    let desired = drawn(&[]);
    let snapshot = read(&cloud, &desired).await;
    let plan = Plan::to_reach(&desired, &snapshot, &parting(), Origin::default()).unwrap();
    let stop = Stop::default();
    let observer = StopAfter { steps: 40, stop: &stop, done: Default::default() };
    let outcome = carry_out(&plan, &snapshot, &cloud, &stop, &observer).await;
    insta::assert_snapshot!(strip_str(&report::outcome::text(&plan, &outcome)).to_string());
}

#[tokio::test(start_paused = true)]
async fn a_plan_has_the_same_bytes_every_time() {
    let bytes = async || {
        let cloud = empty_account();
        apply_fully(&cloud, &drawn(&[])).await;
        let plan = plan(&cloud, &drawn(&[("t3.small", "t3.large")])).await;
        serde_json::to_string(&plan).unwrap()
    };
    assert_eq!(bytes().await, bytes().await);
}

#[tokio::test(start_paused = true)]
async fn control_characters_in_what_aws_says_are_made_visible() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    edit(&cloud, "instance.user-1", "instance_type", json!("t3\u{1b}[2Jlarge"));
    tokio::time::sleep(Duration::from_secs(120)).await;
    let text = report::plan::text(&plan(&cloud, &drawn(&[])).await, OF);
    assert!(text.contains("t3\\u{1b}[2Jlarge"), "{text}");
}
