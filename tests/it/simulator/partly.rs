//! --only and --except: a part of the changes, whole enough to be carried out; the rest stays for another day.

use std::collections::BTreeSet;

use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::desired::Desired;
use ecdeploy::error::{ErrorKind, Result};
use ecdeploy::plan::{Choice, Origin, Plan};
use ecdeploy::reconcile::Stop;
use ecdeploy::report;

use super::world::*;

fn choice(only: &[&str], except: &[&str]) -> Origin {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Origin { choice: Choice { only: texts(only), except: texts(except) }, ..Origin::default() }
}

async fn part(cloud: &SimCloud, desired: &Desired, origin: Origin) -> Result<Plan> {
    Plan::to_reach(desired, &read(cloud, desired).await, &parting(), origin)
}

/// Carries out the part; what is left is the rest of the plan, no more and no less.
async fn carry_out_part(cloud: &SimCloud, desired: &Desired, origin: Origin) -> BTreeSet<String> {
    let whole = addresses(&plan(cloud, desired).await);
    let snapshot = read(cloud, desired).await;
    let plan = Plan::to_reach(desired, &snapshot, &parting(), origin).expect("a plan");
    let outcome = carry_out(&plan, &snapshot, cloud, &Stop::default(), &Silent).await;
    assert!(outcome.is_complete(), "{:#?}", failures(&plan, &outcome));
    let done = addresses(&plan);
    let left = addresses(&self::plan(cloud, desired).await);
    assert!(done.is_disjoint(&left), "done, and still to do: {:?}", done.intersection(&left));
    assert!(left.is_subset(&whole), "the part made new work: {:?}", left.difference(&whole));
    assert_eq!(plan.left_out, whole.len() - done.len());
    done
}

fn addresses(plan: &Plan) -> BTreeSet<String> {
    plan.changes.iter().map(|change| change.address.to_string()).collect()
}

fn set(addresses: &[&str]) -> BTreeSet<String> {
    addresses.iter().map(|address| (*address).to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn only_brings_along_what_the_chosen_one_needs() {
    let cloud = empty_account();
    let done = carry_out_part(&cloud, &drawn(&[]), choice(&["instance.user-1"], &[])).await;
    assert!(done.contains("vpc.main") && done.contains("internet_gateway.main"), "{done:?}");
    assert!(done.contains("target_group.user") && done.contains("db_instance.user"), "{done:?}");
    let other =
        ["instance.user-2", "load_balancer.main", "db_instance.order", "cache_cluster.redis"];
    assert!(other.iter().all(|other| !done.contains(*other)), "{done:?}");
    apply_fully(&cloud, &drawn(&[])).await;
}

#[tokio::test(start_paused = true)]
async fn a_key_stands_for_all_that_its_block_makes() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let changed = drawn(&[
        ("interval = 30", "interval = 15"),
        ("max_count = 10", "count = 3\nmax_count = 10"),
    ]);
    let done = carry_out_part(&cloud, &changed, choice(&["service.user"], &[])).await;
    // The listener, which its rules need, sends the rest to the frontend.
    assert_eq!(done, set(&["instance.user-3", "target_group.frontend", "target_group.user"]));
    let rest =
        carry_out_part(&cloud, &changed, choice(&[], &["service.order", "target_group.payment"]))
            .await;
    let others = ["gateway", "notification", "product"];
    assert_eq!(rest, others.iter().map(|key| format!("target_group.{key}")).collect());
}

#[tokio::test(start_paused = true)]
async fn except_leaves_out_what_needs_it_too() {
    let cloud = empty_account();
    let done =
        carry_out_part(&cloud, &drawn(&[]), choice(&[], &["load_balancer", "database.user"])).await;
    assert!(done.contains("instance.order-1") && done.contains("target_group.order"), "{done:?}");
    let without = [
        "load_balancer.main",
        "listener.http",
        "db_instance.user",
        "iam_role.user",
        "instance.user-1",
    ];
    assert!(without.iter().all(|without| !done.contains(*without)), "{done:?}");
    assert!(!done.iter().any(|address| address.starts_with("listener_rule.")), "{done:?}");
    apply_fully(&cloud, &drawn(&[])).await;
}

#[tokio::test(start_paused = true)]
async fn what_goes_takes_along_what_names_it() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    // Another port is another target group: rules, instances and the listener move over to it.
    let ported =
        drawn(&[("port      = 3002", "port      = 3102"), ("interval = 30", "interval = 15")]);
    let done = carry_out_part(&cloud, &ported, choice(&["target_group.product"], &[])).await;
    assert!(done.contains("listener_rule.api-products"), "{done:?}");
    assert!(!done.contains("target_group.user"), "{done:?}");
    apply_fully(&cloud, &ported).await;
}

#[tokio::test(start_paused = true)]
async fn what_stays_keeps_what_it_names() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let gone = drawn(&[
        ("[database.notification]\n", ""),
        ("uses      = [\"database.notification\"]\n", ""),
    ]);
    let done = carry_out_part(&cloud, &gone, choice(&[], &["iam_role.notification"])).await;
    assert!(!done.contains("db_instance.notification"), "its secret is still named: {done:?}");
    apply_fully(&cloud, &gone).await;
}

#[tokio::test(start_paused = true)]
async fn a_part_of_destruction_is_no_orphan_either() {
    let cloud = empty_account();
    let desired = drawn(&[]);
    apply_fully(&cloud, &desired).await;
    let snapshot = read(&cloud, &desired).await;
    let plan =
        Plan::to_destroy(&desired, &snapshot, &parting(), choice(&["load_balancer"], &[])).unwrap();
    let outcome = carry_out(&plan, &snapshot, &cloud, &Stop::default(), &Silent).await;
    assert!(outcome.is_complete(), "{:#?}", failures(&plan, &outcome));
    assert!(!ids(&cloud).iter().any(|id| id.contains("loadbalancer")));
    assert!(ids(&cloud).contains(&id_of(&cloud, "vpc.main")));
}

#[tokio::test(start_paused = true)]
async fn the_plan_says_that_it_is_partial_and_a_saved_one_stays_so() {
    let cloud = empty_account();
    let desired = drawn(&[]);
    let plan = part(&cloud, &desired, choice(&["vpc", "subnet.public-1"], &[])).await.unwrap();
    let text = anstream::adapter::strip_str(&report::plan::text(&plan, "")).to_string();
    let left_out = plan.left_out;
    let says =
        format!("Partial plan: only vpc, subnet.public-1; {left_out} other changes are left out.");
    assert!(left_out > 90 && text.contains(&says), "{text}");
    let saved: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    saved.check_fresh(&desired, &read(&cloud, &desired).await).unwrap();
    apply_fully(&cloud, &desired).await;
    let changed = drawn(&[("interval = 30", "interval = 15")]);
    let nothing = part(&cloud, &changed, choice(&["vpc"], &[])).await.unwrap();
    let text = anstream::adapter::strip_str(&report::plan::text(&nothing, "")).to_string();
    assert!(nothing.is_empty() && text.contains("No changes in this part."), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_means_nothing_is_an_error_with_a_suggestion() {
    let cloud = empty_account();
    for (name, hint) in [
        ("service.usr", "did you mean `service.user`?"),
        ("instance.user-9", "did you mean `instance.user-"),
        ("nothing", "looks like"),
    ] {
        for origin in [choice(&[name], &[]), choice(&[], &[name])] {
            let error = part(&cloud, &drawn(&[]), origin).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Usage);
            assert!(error.message.contains(name), "{}", error.message);
            assert!(error.hint.as_deref().unwrap().contains(hint), "{:?}", error.hint);
        }
    }
}
