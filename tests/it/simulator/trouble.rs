//! What happens when not everything goes well.

use std::collections::BTreeSet;
use std::time::Duration;

use ecdeploy::error::ErrorKind;
use ecdeploy::kinds;
use ecdeploy::model::Address;
use ecdeploy::model::Body;
use ecdeploy::plan::{Origin, Parting, Plan, Verb};
use ecdeploy::reconcile::{Halt, State, Stop};
use serde_json::json;

use super::killed::{Kill, apply_killed};
use super::world::*;

#[tokio::test(start_paused = true)]
async fn a_failed_step_holds_up_only_what_depends_on_it() {
    let cloud = empty_account();
    let desired = drawn(&[]);
    let (plan, outcome) =
        apply(&Faulty(Refusing { cloud: &cloud, kind: "load_balancer" }), &desired).await;
    for (step, state) in plan.steps.iter().zip(&outcome.states) {
        match step.address.kind() {
            "load_balancer" => assert!(matches!(state, State::Failed(_)), "{step}: {state:?}"),
            "listener" | "listener_rule" => match state {
                State::Blocked(by) => assert_eq!(plan.steps[*by].address.kind(), "load_balancer"),
                other => panic!("{step}: {other:?}"),
            },
            // Nobody sends it requests.
            "instance" if step.verb == Verb::Serve => assert!(matches!(state, State::Blocked(_))),
            _ => assert!(matches!(state, State::Done), "{step}: {state:?}"),
        }
    }
    apply_fully(&cloud, &desired).await;
    assert_eq!(cloud.account().objects().count(), desired.resources.len());
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_apply_is_taken_up_where_it_was_left() {
    let desired = drawn(&[]);
    for steps in [1, 5, 20, 40, 60, 90] {
        let cloud = empty_account();
        let snapshot = read(&cloud, &desired).await;
        let plan = Plan::to_reach(&desired, &snapshot, &parting(), Origin::default()).unwrap();
        let stop = Stop::default();
        let observer = StopAfter { steps, stop: &stop, done: Default::default() };
        let outcome = carry_out(&plan, &snapshot, &cloud, &stop, &observer).await;
        assert_eq!(outcome.interrupted, Some(Halt::Signal(2)));
        assert!(!outcome.is_complete());
        let rest = self::plan(&cloud, &desired).await;
        assert_eq!(rest.summary.drift, 0, "what was not done yet is no drift: {:#?}", rest.changes);
        apply_fully(&cloud, &desired).await;
        let made = cloud.account().objects().count();
        assert_eq!(made, desired.resources.len(), "interrupted after {steps} steps");
    }
}

/// Kills the way from the drawn system to the edited one at every third call, by turns before and after AWS has done it, and
/// goes on from there.
async fn killed_anywhere(edits: &[(&str, &str)]) {
    let edited = drawn(edits);
    let whole = edited.resources.len();
    for call in (1..).step_by(3) {
        let kill = if call % 2 == 0 { Kill::Before(call) } else { Kill::After(call) };
        let told = format!("{edits:?}, {kill:?}");
        let cloud = drawn_account().await;
        cloud.count_healthy();
        let first = apply_killed(&cloud, &edited, kill).await;
        let rest = self::plan(&cloud, &edited).await;
        let drift: Vec<_> = rest.changes.iter().filter(|change| change.drifted()).collect();
        assert!(drift.is_empty(), "{told} is taken for drift: {drift:#?}");
        let (_, again) = apply(&cloud, &edited).await;
        assert!(again.is_complete(), "{told}: {:#?}", failures(&rest, &again));
        let left = self::plan(&cloud, &edited).await;
        assert!(left.is_empty(), "{told}: {:#?}", left.changes);
        assert_eq!(cloud.account().objects().count(), whole, "{told}");
        // How a renamed group is succeeded is the work of others.
        if edits.iter().all(|(old, _)| !old.ends_with("-SG")) {
            let fewest = cloud.fewest_healthy();
            assert!(fewest.values().all(|healthy| *healthy >= 1), "{told}: {fewest:?}");
        }
        if first.is_some() {
            assert!(call > 1, "there was nothing to kill");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_type_change_killed_anywhere_is_taken_up() {
    killed_anywhere(&[("t3.small", "t3.large")]).await;
}

#[tokio::test(start_paused = true)]
async fn a_replacement_of_instances_killed_anywhere_is_taken_up() {
    killed_anywhere(&[("size = 8", "size = 9")]).await;
}

#[tokio::test(start_paused = true)]
async fn a_change_of_a_port_killed_anywhere_is_taken_up() {
    killed_anywhere(&[("port      = 3001", "port      = 3101")]).await;
}

#[tokio::test(start_paused = true)]
async fn a_renamed_security_group_killed_anywhere_is_taken_up() {
    killed_anywhere(&[("EC2-SG", "EC2b-SG")]).await;
}

#[tokio::test(start_paused = true)]
async fn a_renamed_load_balancer_killed_anywhere_is_taken_up() {
    killed_anywhere(&[("\"ecommerce-alb\"", "\"ecommerce-alb2\"")]).await;
}

#[tokio::test(start_paused = true)]
async fn a_moved_subnet_killed_anywhere_is_taken_up() {
    killed_anywhere(&[("10.0.2.0/24", "10.0.3.0/24")]).await;
}

#[tokio::test(start_paused = true)]
async fn a_change_of_databases_killed_anywhere_is_taken_up() {
    // Beside something that takes several steps.
    let port = ("port      = 3001", "port      = 3101");
    killed_anywhere(&[("db.t3.micro", "db.t3.small"), port]).await;
    let at_once = "multi_az = false\napply_immediately = true";
    killed_anywhere(&[("multi_az          = true", at_once), port]).await;
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_gets_replicas_killed_anywhere_is_taken_up() {
    killed_anywhere(&[("zone            = \"a\"", "zone = \"a\"\nreplicas = 2")]).await;
}

#[tokio::test(start_paused = true)]
async fn a_creation_whose_answer_was_lost_is_not_made_twice() {
    let cloud = empty_account();
    let desired = drawn(&[]);
    let losing = Faulty(Losing { cloud: &cloud, lost: Default::default() });
    let (plan, outcome) = apply(&losing, &desired).await;
    assert!(outcome.is_complete(), "{:#?}", failures(&plan, &outcome));
    let kinds: BTreeSet<_> = desired.resources.keys().map(Address::kind).collect();
    assert_eq!(losing.0.lost.lock().unwrap().len(), kinds.len(), "each kind lost an answer");
    assert_eq!(cloud.account().objects().count(), desired.resources.len());
    assert!(self::plan(&cloud, &desired).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_plan_whose_basis_moved_is_refused() {
    let cloud = empty_account();
    let desired = drawn(&[]);
    apply_fully(&cloud, &desired).await;
    let larger = drawn(&[("t3.small", "t3.medium")]);
    let plan = plan(&cloud, &larger).await;
    assert!(plan.check_fresh(&larger, &read(&cloud, &larger).await).is_ok());

    let mut elsewhere = read(&cloud, &larger).await;
    elsewhere.lookups.values_mut().for_each(|found| *found = "ami-another".to_owned());
    let error = plan.check_fresh(&larger, &elsewhere).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stale);
    assert!(error.message.contains("looked up has moved"), "{error}");

    let error = plan.check_fresh(&desired, &read(&cloud, &desired).await).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stale);
    assert!(error.message.contains("topology file"), "{error}");

    edit(&cloud, "target_group.user", "health_check_interval", json!(60));
    let error = plan.check_fresh(&larger, &read(&cloud, &larger).await).unwrap_err();
    assert!(error.message.contains("target_group.user"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_wrong_account_is_refused_before_anything_else_is_read() {
    let cloud = empty_account();
    let other = drawn(&[("123456789012", "210987654321")]);
    let refused = ecdeploy::snapshot::read(&cloud, &other).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Access);
    assert!(refused.message.contains("123456789012") && refused.message.contains("210987654321"));
}

#[tokio::test(start_paused = true)]
async fn deletion_protection_stands_until_it_is_lifted() {
    let cloud = empty_account();
    let desired =
        drawn(&[("multi_az          = true", "multi_az = true\ndeletion_protection = true")]);
    apply_fully(&cloud, &desired).await;
    let snapshot = read(&cloud, &desired).await;
    let refused = Plan::to_destroy(&desired, &snapshot, &parting(), Origin::default()).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Refused);
    assert!(refused.message.contains("db_instance.user"), "{refused}");

    let lifted = Parting { lift_protection: true, skip_final_snapshots: true, ..parting() };
    let plan = Plan::to_destroy(&desired, &snapshot, &lifted, Origin::default()).unwrap();
    let outcome = carry_out(&plan, &snapshot, &cloud, &Stop::default(), &Silent).await;
    assert!(outcome.is_complete(), "{:#?}", failures(&plan, &outcome));
    assert!(cloud.account().snapshots().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_name_that_stands_once_and_is_in_use_cannot_be_replaced_under_it() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let described = drawn(&[("name = \"RDS-SG\"", "name = \"RDS-SG\"\ndescription = \"another\"")]);
    let snapshot = read(&cloud, &described).await;
    let refused = Plan::to_reach(&described, &snapshot, &parting(), Origin::default()).unwrap_err();
    assert!(refused.message.contains("security_group.rds"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_second_resource_at_one_address_is_removed() {
    let cloud = empty_account();
    let desired = drawn(&[]);
    apply_fully(&cloud, &desired).await;
    let twin = {
        let mut account = cloud.account();
        let first = account
            .get("instance", &id_in(&account, "instance.user-1"))
            .expect("it is there")
            .clone();
        let schema = ecdeploy::kinds::by_name("instance").unwrap().schema();
        let mut body = first.body.clone();
        body.insert("target_group".into(), json!(null));
        account.create(schema, &body, &first.tags).expect("a twin").id
    };
    let (plan, _) = apply_fully(&cloud, &desired).await;
    assert_eq!((plan.summary.delete, plan.changes.len()), (1, 1));
    assert!(!ids(&cloud).contains(&twin), "the younger of the two stayed");
}

fn id_in(account: &ecdeploy::cloud::sim::Account, address: &str) -> String {
    let mut objects = account.objects();
    objects.find(|o| o.tags["ecdeploy:address"] == address).expect("it is there").id.clone()
}

/// A token leads to what was made with it first: EC2 says nothing of its being gone.
#[tokio::test(start_paused = true)]
async fn a_route_table_that_somebody_deleted_is_made_again_each_time() {
    let cloud = drawn_account().await;
    let schema = kinds::by_name("route_table").unwrap().schema();
    let desired = drawn(&[]);
    let users = ["subnet.public-1", "subnet.public-2"];
    let mut known = Vec::new();
    for _ in 0..3 {
        let id = id_of(&cloud, "route_table.public");
        assert!(!known.contains(&id), "{id} is back");
        for subnet in users {
            edit(&cloud, subnet, "route_table", serde_json::Value::Null);
        }
        cloud.account().delete(schema, &id, &Body::new()).unwrap();
        known.push(id);
        let (_, outcome) = apply_fully(&cloud, &desired).await;
        assert!(outcome.elapsed < Duration::from_secs(5 * 60), "{:?}", outcome.elapsed);
    }
    let tables = cloud.account().objects().filter(|object| object.kind == "route_table").count();
    let wanted = desired.resources.keys().filter(|address| address.kind() == "route_table").count();
    assert_eq!(tables, wanted);
}
