//! A service runs more instances, or fewer: nothing else moves, and none leaves with requests under way.

use std::collections::BTreeMap;

use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::diff::Action;
use ecdeploy::plan::{Plan, Verb};

use super::world::*;

const TWO: &str = "max_count = 10";
const FOUR: &str = "count = 4\nmax_count = 10";
const THREE: &str = "count = 3\nmax_count = 10";

#[tokio::test(start_paused = true)]
async fn scaling_out_makes_just_the_new_instances_evenly_over_the_zones() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let (plan, _) = apply_fully(&cloud, &drawn(&[(TWO, FOUR)])).await;
    let made = ["instance.user-3", "instance.user-4"];
    assert_eq!(changes(&plan), made.map(|address| (address.into(), Action::Create)));
    assert_eq!(zones(&cloud), [2, 2]);
}

#[tokio::test(start_paused = true)]
async fn scaling_in_takes_the_last_one_out_of_its_target_group_and_then_away() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[(TWO, FOUR)])).await;
    for (to, gone, left) in [(THREE, "instance.user-4", [2, 1]), (TWO, "instance.user-3", [1, 1])] {
        let (plan, _) = apply_fully(&cloud, &drawn(&[(TWO, to)])).await;
        assert_eq!(changes(&plan), [(gone.to_owned(), Action::Delete)]);
        let verbs: Vec<Verb> = plan.steps.iter().map(|step| step.verb).collect();
        assert_eq!(verbs, [Verb::Detach, Verb::Delete]);
        assert_eq!(plan.steps[1].after[0].step, 0, "it goes before it is out of the target group");
        assert_eq!(zones(&cloud), left);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_was_terminated_by_hand_comes_back_in_its_own_zone() {
    let cloud = empty_account();
    let four = drawn(&[(TWO, FOUR)]);
    apply_fully(&cloud, &four).await;
    let id = id_of(&cloud, "instance.user-2");
    let kind = ecdeploy::kinds::by_name("instance").unwrap();
    cloud.account().delete(kind.schema(), &id, &Default::default()).unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(120)).await;
    assert_eq!(zones(&cloud), [2, 1]);
    // Scaling in takes the last address, whatever happened to the others: the zones are even again.
    let (plan, _) = apply_fully(&cloud, &drawn(&[(TWO, THREE)])).await;
    let expected = [("instance.user-2", Action::Create), ("instance.user-4", Action::Delete)];
    assert_eq!(changes(&plan), expected.map(|(address, action)| (address.into(), action)));
    assert_eq!(zones(&cloud), [2, 1]);
}

fn changes(plan: &Plan) -> Vec<(String, Action)> {
    plan.changes.iter().map(|change| (change.address.to_string(), change.action)).collect()
}

/// How many instances of the user service stand in each zone.
fn zones(cloud: &SimCloud) -> Vec<usize> {
    let account = cloud.account();
    let zone: BTreeMap<&str, &str> = account
        .objects()
        .filter(|object| object.kind == "subnet")
        .map(|subnet| (subnet.id.as_str(), subnet.text("availability_zone")))
        .collect();
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for instance in account.objects().filter(|object| {
        object.tags.get("ecdeploy:address").is_some_and(|a| a.starts_with("instance.user-"))
    }) {
        *count.entry(zone[instance.text("subnet")]).or_default() += 1;
    }
    count.into_values().collect()
}
