//! What a reviewer reads of a plan in a pull request.

use std::time::Duration;

use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::cost::{Prices, costs};
use ecdeploy::desired::Desired;
use ecdeploy::plan::{Origin, Plan};
use ecdeploy::rehearsal::rehearse;
use ecdeploy::report::markdown::{self, Review};
use serde_json::json;

use super::world::*;

/// The review as it is given to `shown`.
pub async fn reviewed<T>(
    cloud: &SimCloud,
    desired: &Desired,
    shown: impl Fn(&Review<'_>) -> T,
) -> T {
    let snapshot = read(cloud, desired).await;
    let plan = Plan::to_reach(desired, &snapshot, &parting(), Origin::default()).unwrap();
    let rehearsal = (!plan.is_empty()).then(|| rehearse(&plan, desired, &snapshot).unwrap());
    let prices = Prices::known(&desired.region).unwrap();
    let costs = costs(&plan, desired, &snapshot, &prices);
    let of = "ecommerce in account 123456789012 (ap-southeast-1)";
    let rehearsal = rehearsal.as_ref();
    shown(&Review { plan: &plan, rehearsal, costs: &costs, violations: &[], of })
}

async fn comment(cloud: &SimCloud, desired: &Desired) -> String {
    reviewed(cloud, desired, |review| markdown::text(review, markdown::LIMIT)).await
}

/// An account and a topology that have moved in every way that there is.
pub async fn moved() -> (SimCloud, Desired) {
    let cloud = drawn_account().await;
    edit(&cloud, "instance.user-1", "instance_type", json!("t3.large"));
    let stranger = json!([
        { "protocol": "tcp", "ports": "5432", "peer": id_of(&cloud, "security_group.ec2") },
        { "protocol": "tcp", "ports": "5432", "peer": "0.0.0.0/0" },
    ]);
    edit(&cloud, "security_group.rds", "ingress", stranger);
    tokio::time::sleep(Duration::from_secs(120)).await;
    let desired = drawn(&[
        ("port      = 3002", "port      = 3102"),
        ("[database.notification]\n", ""),
        ("uses      = [\"database.notification\"]\n", ""),
        ("cache.t3.micro", "cache.m7g.large"),
        ("[database.order]\n", "[database.order]\ninstance_class = \"db.m9.large\"\n"),
    ]);
    (cloud, desired)
}

#[tokio::test(start_paused = true)]
async fn the_comment_on_a_new_system() {
    insta::assert_snapshot!(comment(&empty_account(), &drawn(&[])).await);
}

#[tokio::test(start_paused = true)]
async fn the_comment_on_changes_drift_replacement_and_deletion() {
    let (cloud, desired) = moved().await;
    insta::assert_snapshot!(comment(&cloud, &desired).await);
}

#[tokio::test(start_paused = true)]
async fn the_comment_on_a_plan_without_changes() {
    insta::assert_snapshot!(comment(&drawn_account().await, &drawn(&[])).await);
}

#[tokio::test(start_paused = true)]
async fn the_costs_follow_what_a_plan_does_and_an_empty_plan_changes_none() {
    let more = async |cloud: &SimCloud, desired: &Desired| {
        reviewed(cloud, desired, |review| review.costs.more().exact()).await
    };
    let cloud = drawn_account().await;
    assert_eq!(more(&cloud, &drawn(&[])).await, "$0.00");
    // Seven services with one machine more, a disk of 8 GB and a public address each.
    let larger = drawn(&[("count           = 2", "count = 3")]);
    assert_eq!(more(&cloud, &larger).await, "$165.83");
    let smaller = drawn(&[
        ("[database.notification]\n", ""),
        ("uses      = [\"database.notification\"]\n", ""),
    ]);
    assert_eq!(more(&cloud, &smaller).await, "-$46.80");
    assert_eq!(more(&empty_account(), &drawn(&[])).await, "$609.61");
}
