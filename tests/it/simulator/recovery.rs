//! After a roll that failed or was killed: the way on is open, and no healthy machine goes before its successor serves.

use std::time::Duration;

use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::plan::{Plan, Verb};
use serde_json::json;

use super::killed::{Kill, apply_killed};
use super::world::*;

const USER: &str = "[service.user]\n";
const GROUP: &str = "target_group.user";

/// The drawn system with these lines in its service `user`.
fn with(lines: &str) -> String {
    format!("{USER}{lines}\n")
}

fn volume(size: u32) -> String {
    with(&format!("root_volume = {{ size = {size}, type = \"gp3\" }}"))
}

async fn serving(lines: &str) -> SimCloud {
    let cloud = drawn_account().await;
    if lines != USER {
        apply_fully(&cloud, &drawn(&[(USER, lines)])).await;
    }
    cloud.count_healthy();
    cloud
}

/// The drawn system after a roll of `user` to another root volume whose machines are sick.
async fn failed_roll() -> SimCloud {
    let cloud = serving(USER).await;
    cloud.account().fail_checks("root_volume_size", json!(9));
    let (_, outcome) = apply(&cloud, &drawn(&[(USER, &volume(9))])).await;
    assert!(!outcome.is_complete());
    cloud
}

fn healthy(cloud: &SimCloud) -> usize {
    cloud.account().serving()[GROUP]
}

fn place(plan: &Plan, verb: Verb, address: &str, id: Option<&str>) -> usize {
    let found = plan.steps.iter().position(|step| {
        step.verb == verb && step.address.to_string() == address && step.id.as_deref() == id
    });
    found.unwrap_or_else(|| panic!("no {verb:?} {address} {id:?} in {:#?}", plan.steps))
}

fn machines(cloud: &SimCloud) -> usize {
    let account = cloud.account();
    let of_user = account.objects().filter(|object| {
        object.tags.get("ecdeploy:address").is_some_and(|a| a.starts_with("instance.user-"))
    });
    of_user.count()
}

#[tokio::test(start_paused = true)]
async fn the_fix_of_a_failed_roll_is_taken() {
    let cloud = failed_roll().await;
    assert_eq!(machines(&cloud), 3);
    apply_fully(&cloud, &drawn(&[(USER, &volume(10))])).await;
    assert_eq!(cloud.fewest_healthy()[GROUP], 2);
    assert_eq!(machines(&cloud), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_roll_can_be_taken_back() {
    let cloud = failed_roll().await;
    let (plan, _) = apply_fully(&cloud, &drawn(&[])).await;
    assert_eq!(cloud.fewest_healthy()[GROUP], 2);
    assert_eq!((plan.summary.create, plan.summary.delete), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn the_same_failed_roll_again_takes_no_healthy_machine() {
    for lines in [volume(9), volume(9) + "rolling = { min_healthy = 0 }\n"] {
        let cloud = failed_roll().await;
        let again = drawn(&[(USER, &lines)]);
        for _ in 0..2 {
            let (_, outcome) = apply(&cloud, &again).await;
            assert!(!outcome.is_complete());
            assert_eq!(cloud.fewest_healthy()[GROUP], 2);
            assert_eq!(healthy(&cloud), 2);
        }
        cloud.account().pass_checks();
        apply_fully(&cloud, &again).await;
        assert_eq!(cloud.fewest_healthy()[GROUP], 2);
    }
}

#[tokio::test(start_paused = true)]
async fn another_file_takes_the_sick_successor_away_first() {
    let cloud = failed_roll().await;
    let fixed = drawn(&[(USER, &volume(10))]);
    let snapshot = read(&cloud, &fixed).await;
    let [sick] = &snapshot.extras[..] else { panic!("{:#?}", snapshot.extras) };
    assert!(sick.duty.sick);
    let plan = plan(&cloud, &fixed).await;
    let detach = place(&plan, Verb::Detach, "instance.user-1", Some(&sick.live.id));
    assert!(plan.steps[detach].after.is_empty(), "it waits for nobody");
}

#[tokio::test(start_paused = true)]
async fn a_second_edit_after_a_killed_one_is_taken() {
    for (one, other) in [
        (("size = 8", "size = 9"), ("size = 8", "size = 10")),
        (("port      = 3001", "port      = 3101"), ("port      = 3001", "port      = 3201")),
        (("t3.small", "t3.medium"), ("t3.small", "t3.large")),
        (("port      = 3001", "port      = 3101"), ("size = 8", "size = 10")),
    ] {
        for calls in [2, 10, 20, 30, 45, 60, 80] {
            for next in [drawn(&[other]), drawn(&[])] {
                let cloud = serving(USER).await;
                apply_killed(&cloud, &drawn(&[one]), Kill::After(calls)).await;
                let least = cloud.account().serving();
                apply_fully(&cloud, &next).await;
                for (service, fewest) in cloud.fewest_healthy() {
                    let floor = least[&service].min(1);
                    assert!(fewest >= floor, "{one:?}, killed after {calls}: {service}: {fewest}");
                }
                assert_eq!(cloud.account().objects().count(), next.resources.len());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_round_does_not_wait_for_machines_that_come_in_a_later_one() {
    let four = with("count = 4");
    for calls in 1..12 {
        let cloud = serving(USER).await;
        let killed = apply_killed(&cloud, &drawn(&[(USER, &four)]), Kill::After(calls)).await;
        if killed.is_some() {
            break;
        }
        let larger = with("count = 4\ninstance_type = \"t3.medium\"");
        apply_fully(&cloud, &drawn(&[(USER, &larger)])).await;
        assert!(cloud.fewest_healthy()[GROUP] >= 2, "killed after {calls}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_round_begins_with_the_machine_that_is_stopped() {
    let cloud = serving(USER).await;
    edit(&cloud, "instance.user-2", "running", json!(false));
    assert_eq!(healthy(&cloud), 1);
    cloud.count_healthy();
    apply_fully(&cloud, &drawn(&[("t3.small", "t3.medium")])).await;
    assert_eq!(cloud.fewest_healthy()[GROUP], 1);
}

#[tokio::test(start_paused = true)]
async fn a_round_begins_with_the_machine_that_is_sick() {
    let cloud = serving(USER).await;
    edit(&cloud, "instance.user-2", "metadata_http_tokens", json!("optional"));
    cloud.account().fail_checks("metadata_http_tokens", json!("optional"));
    assert_eq!(healthy(&cloud), 1);
    cloud.count_healthy();
    apply_fully(&cloud, &drawn(&[("t3.small", "t3.medium")])).await;
    assert_eq!(cloud.fewest_healthy()[GROUP], 1);
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_was_cut_short_is_finished_before_the_machine_is_touched() {
    let slow = with("deregistration_delay = 300");
    for change in ["instance_type = \"t3.medium\"", "root_volume = { size = 9, type = \"gp3\" }"] {
        let cloud = serving(&slow).await;
        let changed = drawn(&[(USER, &with(&format!("deregistration_delay = 300\n{change}")))]);
        let begun = cloud.account().clock();
        // The first drains by then: at once where it is changed in place, when its successor serves otherwise.
        let seconds = if change.starts_with("root") { 150 } else { 20 };
        let killed = apply_killed(&cloud, &changed, Kill::At(Duration::from_secs(seconds))).await;
        assert!(killed.is_none());
        let snapshot = read(&cloud, &changed).await;
        let mut all = snapshot.resources.values().chain(&snapshot.extras);
        let draining = all.find(|machine| !machine.duty.draining.is_empty()).expect("it drains");
        let plan = plan(&cloud, &changed).await;
        let (address, id) = (draining.address.to_string(), Some(draining.live.id.as_str()));
        let detach = place(&plan, Verb::Detach, &address, id);
        let touched = [Verb::Update, Verb::Delete].into_iter().find_map(|verb| {
            plan.steps.iter().find(|step| step.verb == verb && step.id.as_deref() == id)
        });
        let waits = &touched.expect("it is changed").after;
        assert!(waits.iter().any(|after| after.step == detach), "{change}: {waits:?}");

        let watch = Watch { cloud: &cloud, id: draining.live.id.clone() };
        let early = watch.touched_while_draining(&plan, &snapshot).await;
        assert!(!early, "{change}: touched while it drains");
        assert!(cloud.account().clock() - begun > Duration::from_secs(300));
        apply_fully(&cloud, &changed).await;
        assert!(cloud.fewest_healthy()[GROUP] >= 1);
    }
}

/// Looks every second at a machine while a plan is carried out.
struct Watch<'a> {
    cloud: &'a SimCloud,
    id: String,
}

impl Watch<'_> {
    async fn touched_while_draining(
        &self,
        plan: &Plan,
        snapshot: &ecdeploy::snapshot::Snapshot,
    ) -> bool {
        let stop = ecdeploy::reconcile::Stop::default();
        let run = carry_out(plan, snapshot, self.cloud, &stop, &Silent);
        tokio::pin!(run);
        let mut early = false;
        loop {
            tokio::select! {
                outcome = &mut run => {
                    assert!(outcome.is_complete(), "{:#?}", failures(plan, &outcome));
                    return early;
                }
                () = tokio::time::sleep(Duration::from_secs(1)) => early |= self.is_early(),
            }
        }
    }

    fn is_early(&self) -> bool {
        let account = self.cloud.account();
        let Some(machine) = account.get("instance", &self.id) else { return false };
        let drains = !account.observed([machine])[0].duty.draining.is_empty();
        drains && machine.status() != ecdeploy::model::Status::Ready
    }
}

#[tokio::test(start_paused = true)]
async fn machines_that_go_for_good_go_after_the_rolling() {
    let cloud = serving(&with("count = 4")).await;
    assert_eq!(healthy(&cloud), 4);
    apply_fully(&cloud, &drawn(&[("t3.small", "t3.medium")])).await;
    assert_eq!(cloud.fewest_healthy()[GROUP], 2, "three of four while they are rolled, then two");
}
