//! How much a plan takes at its peak, old machines and new ones at once, against what there is.

use ecdeploy::model::Question;
use ecdeploy::model::question::Quota;
use ecdeploy::preflight::Purpose;
use serde_json::json;

use super::preflight::{answers, checked, drawn_in, passes, refusal};
use super::world::*;

/// The services roll side by side, and the last old machine of one may drain for longer than all new ones take to start.
#[tokio::test(start_paused = true)]
async fn machines_that_are_replaced_may_all_run_beside_their_successors() {
    let cloud = drawn_account().await;
    let bigger = [("root_volume     = { size = 8", "root_volume     = { size = 20")];
    answers(&cloud, Question::Quota(Quota::Vcpus), 56);
    passes(checked(&cloud, &bigger, Purpose::Look).await);
    answers(&cloud, Question::Quota(Quota::Vcpus), 55);
    let said = refusal(checked(&cloud, &bigger, Purpose::Look).await);
    insta::assert_snapshot!(said);

    let one = [("[service.user]\n", "[service.user]\nroot_volume = { size = 20 }\n")];
    answers(&cloud, Question::Quota(Quota::Vcpus), 32);
    passes(checked(&cloud, &one, Purpose::Look).await);
    answers(&cloud, Question::Quota(Quota::Vcpus), 31);
    let said = refusal(checked(&cloud, &one, Purpose::Look).await);
    assert!(said.contains("32 vCPUs of standard instances would run at once"), "{said}");
}

/// A machine that changes its type is stopped before it starts: only what it grows by is more.
#[tokio::test(start_paused = true)]
async fn machines_that_get_another_type_count_for_what_they_grow_by() {
    let cloud = drawn_account().await;
    let larger = [("\"t3.small\"", "\"t3.xlarge\"")];
    answers(&cloud, Question::Quota(Quota::Vcpus), 56);
    passes(checked(&cloud, &larger, Purpose::Look).await);
    answers(&cloud, Question::Quota(Quota::Vcpus), 55);
    let said = refusal(checked(&cloud, &larger, Purpose::Look).await);
    assert!(said.contains("56 vCPUs of standard instances would run at once"), "{said}");

    // A quota that was exceeded already is no reason to refuse what needs no more.
    let smaller = [("\"t3.small\"", "\"t3.micro\"")];
    answers(&cloud, Question::Quota(Quota::Vcpus), 20);
    passes(checked(&cloud, &smaller, Purpose::Look).await);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_somebody_stopped_counts_when_it_is_started() {
    let cloud = drawn_account().await;
    edit(&cloud, "instance.user-2", "running", json!(false));
    answers(&cloud, Question::Quota(Quota::Vcpus), 28);
    passes(checked(&cloud, &[], Purpose::Look).await);
    answers(&cloud, Question::Quota(Quota::Vcpus), 27);
    let said = refusal(checked(&cloud, &[], Purpose::Look).await);
    assert!(said.contains("28 vCPUs of standard instances would run at once"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn old_and_new_machines_are_targets_at_once() {
    let cloud = drawn_account().await;
    let bigger = [("root_volume     = { size = 8", "root_volume     = { size = 20")];
    let room = |group, balancer| {
        json!({
            "targets-per-target-group": {"most": group, "used": 0},
            "targets-per-application-load-balancer": {"most": balancer, "used": 0},
        })
    };
    answers(&cloud, Question::BalancingRoom, room(4, 28));
    passes(checked(&cloud, &bigger, Purpose::Look).await);
    answers(&cloud, Question::BalancingRoom, room(4, 27));
    let said = refusal(checked(&cloud, &bigger, Purpose::Look).await);
    insta::assert_snapshot!(said);
    let one = [("[service.user]\n", "[service.user]\nroot_volume = { size = 20 }\n")];
    answers(&cloud, Question::BalancingRoom, room(3, 28));
    let said = refusal(checked(&cloud, &one, Purpose::Look).await);
    assert!(said.contains("target_group.user would have 4 targets at once"), "{said}");
}

/// A /27 has 27 addresses, of which the load balancer wants eight.
#[tokio::test(start_paused = true)]
async fn a_subnet_has_to_have_addresses_for_old_and_new_machines_at_once() {
    let small = [
        ("10.0.1.0/24", "10.0.1.0/27"),
        ("10.0.2.0/24", "10.0.2.0/27"),
        ("count           = 2", "count           = 3"),
    ];
    let cloud = drawn_in(&small).await;
    let one = ("[service.user]\n", "[service.user]\nroot_volume = { size = 20 }\n");
    let edits: Vec<_> = small.into_iter().chain([one]).collect();
    passes(checked(&cloud, &edits, Purpose::Look).await);
    let all = ("root_volume     = { size = 8", "root_volume     = { size = 20");
    let edits: Vec<_> = small.into_iter().chain([all]).collect();
    let said = refusal(checked(&cloud, &edits, Purpose::Look).await);
    insta::assert_snapshot!(said);
}
