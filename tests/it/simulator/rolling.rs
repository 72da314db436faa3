//! The shop stays up through every change: the healthy targets of each service are counted throughout.

use std::collections::BTreeMap;
use std::time::Duration;

use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::desired::Desired;
use ecdeploy::plan::Verb;
use ecdeploy::reconcile::State;
use serde_json::json;

use super::world::*;

const SERVICES: [&str; 7] =
    ["frontend", "gateway", "notification", "order", "payment", "product", "user"];
const IMAGE: &str =
    "{ ssm = \"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64\" }";

/// The drawn system, applied and in service, its healthy targets counted from here on.
async fn serving(edits: &[(&str, &str)]) -> SimCloud {
    let cloud = drawn_account().await;
    if !edits.is_empty() {
        apply_fully(&cloud, &drawn(edits)).await;
    }
    cloud.count_healthy();
    assert_eq!(cloud.fewest_healthy(), all(2));
    cloud
}

fn all(count: usize) -> BTreeMap<String, usize> {
    SERVICES.map(|service| (format!("target_group.{service}"), count)).into()
}

async fn fewest(cloud: &SimCloud, desired: &Desired) -> BTreeMap<String, usize> {
    apply_fully(cloud, desired).await;
    cloud.fewest_healthy()
}

#[tokio::test(start_paused = true)]
async fn a_type_change_of_all_leaves_one_of_two_healthy_throughout() {
    let cloud = serving(&[]).await;
    let before = ids(&cloud);
    let larger = drawn(&[("t3.small", "t3.large")]);
    let (plan, _) = apply_fully(&cloud, &larger).await;
    assert_eq!(cloud.fewest_healthy(), all(1));
    assert_eq!(ids(&cloud), before);
    let verbs: Vec<Verb> = plan
        .steps
        .iter()
        .filter(|step| step.address.to_string() == "instance.user-1")
        .map(|step| step.verb)
        .collect();
    assert_eq!(verbs, [Verb::Detach, Verb::Update, Verb::Attach, Verb::Serve]);
}

#[tokio::test(start_paused = true)]
async fn services_are_rolled_beside_each_other() {
    let cloud = serving(&[]).await;
    let (_, outcome) = apply_fully(&cloud, &drawn(&[("t3.small", "t3.large")])).await;
    // Drained, stopped and started, healthy: twice, not fourteen times.
    let round = Duration::from_secs(30 + 75 + 30 + 30 + 15);
    assert!(outcome.elapsed < 2 * round, "{:?}", outcome.elapsed);
}

#[tokio::test(start_paused = true)]
async fn another_image_never_leaves_fewer_healthy_than_there_are() {
    let cloud = serving(&[]).await;
    let image = drawn(&[(IMAGE, "\"ami-0123456789abcdef0\"")]);
    assert_eq!(fewest(&cloud, &image).await, all(2));
}

#[tokio::test(start_paused = true)]
async fn all_that_changes_in_place_is_rolled() {
    for edit in [
        ("security_groups = [\"ec2\"]", "security_groups = [\"ec2\", \"redis\"]"),
        ("t3.small", "t3.xlarge"),
    ] {
        let cloud = serving(&[]).await;
        assert_eq!(fewest(&cloud, &drawn(&[edit])).await, all(1), "{edit:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_port_gets_no_requests_before_its_machines_are_healthy() {
    for port in [("port      = 3001", "port      = 3101"), ("port         = 3000", "port = 3100")] {
        let cloud = serving(&[]).await;
        let old = id_of(&cloud, "target_group.user");
        let (plan, _) = apply_fully(&cloud, &drawn(&[port])).await;
        assert_eq!(cloud.fewest_healthy(), all(2), "{port:?}");
        assert!(plan.steps.iter().any(|step| step.verb == Verb::Prepare));
        assert_eq!(ids(&cloud).contains(&old), port.0.contains("3000"));
    }
}

#[tokio::test(start_paused = true)]
async fn machines_that_stay_move_to_another_group_after_their_successor_serves() {
    let image = "artifact = { git = \"https://git.example.com/ecommerce/services.git\", commit = \"${var.release}\", directory = \"${service}\" }\n";
    let brought = ("node            = 22\n", "");
    let without = [(image, ""), brought];
    let cloud = serving(&without).await;
    let before: Vec<String> = ids(&cloud).into_iter().filter(|id| id.starts_with("i-")).collect();
    let moved = drawn(&[without[0], without[1], ("port      = 3001", "port      = 3101")]);
    apply_fully(&cloud, &moved).await;
    assert_eq!(cloud.fewest_healthy(), all(2));
    let after: Vec<String> = ids(&cloud).into_iter().filter(|id| id.starts_with("i-")).collect();
    assert_eq!(after, before);
}

#[tokio::test(start_paused = true)]
async fn more_may_be_changed_at_a_time_where_the_file_says_so() {
    let four = ("count           = 2", "count = 4");
    let two = ("count           = 2", "count = 4\nrolling = { max_parallel = 2, min_healthy = 2 }");
    let larger = ("t3.small", "t3.large");
    for (edit, healthy) in [(four, 3), (two, 2)] {
        let cloud = empty_account();
        apply_fully(&cloud, &drawn(&[edit])).await;
        cloud.count_healthy();
        assert_eq!(fewest(&cloud, &drawn(&[edit, larger])).await, all(healthy));
    }
}

#[tokio::test(start_paused = true)]
async fn scaling_out_and_in_never_leaves_fewer_healthy_than_the_smaller_count() {
    let four = drawn(&[("count           = 2", "count = 4")]);
    let cloud = serving(&[]).await;
    assert_eq!(fewest(&cloud, &four).await, all(2));
    cloud.count_healthy();
    assert_eq!(cloud.fewest_healthy(), all(4), "new ones are waited for");
    assert_eq!(fewest(&cloud, &drawn(&[])).await, all(2));
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_does_not_become_healthy_stops_the_roll_of_its_service() {
    let cloud = serving(&[]).await;
    cloud.account().fail_checks("instance_type", json!("t3.large"));
    let larger = drawn(&[("[service.user]\n", "[service.user]\ninstance_type = \"t3.large\"\n")]);
    let (plan, outcome) = apply(&cloud, &larger).await;
    let ended = |address: &str, verb: Verb| {
        let mut steps = plan.steps.iter().zip(&outcome.states);
        let found =
            steps.find(|(step, _)| step.address.to_string() == address && step.verb == verb);
        found.expect("the step").1.clone()
    };
    let State::Failed(fault) = ended("instance.user-1", Verb::Serve) else {
        panic!("{:?}", ended("instance.user-1", Verb::Serve))
    };
    assert!(fault.message.contains("unhealthy: Target.FailedHealthChecks"), "{fault}");
    assert!(fault.message.contains("user-err.log") || fault.message.contains("SERVICE-err.log"));
    assert!(matches!(ended("instance.user-2", Verb::Detach), State::Blocked(_)));
    let mut expected = all(2);
    expected.insert("target_group.user".into(), 1);
    assert_eq!(cloud.fewest_healthy(), expected, "the rest is untouched, and serves");

    // It is not taken further while that one is sick, and goes on once it is mended.
    let (_, again) = apply(&cloud, &larger).await;
    assert!(!again.is_complete());
    assert_eq!(cloud.fewest_healthy(), expected);
    cloud.account().pass_checks();
    apply_fully(&cloud, &larger).await;
    assert_eq!(cloud.fewest_healthy(), expected);
}
