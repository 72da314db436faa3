//! Another load balancer: the old one serves until the new one does.

use std::time::Duration;

use ecdeploy::plan::{Origin, Plan, Verb};

use super::world::*;

const NAME: (&str, &str) = ("\"ecommerce-alb\"", "\"ecommerce-web\"");

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

#[tokio::test(start_paused = true)]
async fn its_machines_can_not_be_stopped_in_the_same_apply() {
    let cloud = drawn_account().await;
    let desired = drawn(&[NAME, ("t3.small", "t3.large")]);
    let snapshot = read(&cloud, &desired).await;
    let refused = Plan::to_reach(&desired, &snapshot, &parting(), Origin::default()).unwrap_err();
    assert!(refused.to_string().contains("wait for each other"), "{refused}");
    assert!(refused.hint.as_ref().is_some_and(|hint| hint.contains("two applies")), "{refused:?}");
}
