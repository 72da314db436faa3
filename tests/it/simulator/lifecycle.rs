//! From nothing to the drawn system, through changes and drift, and back to nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use ecdeploy::diff::{Action, Cause};
use ecdeploy::plan::Plan;
use serde_json::json;

use super::world::*;

#[tokio::test(start_paused = true)]
async fn apply_makes_the_drawn_system_and_a_second_plan_is_empty() {
    let cloud = empty_account();
    let (plan, _) = apply_fully(&cloud, &drawn(&[])).await;
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for change in &plan.changes {
        *count.entry(change.address.kind()).or_default() += 1;
    }
    let expected = [
        ("cache_cluster", 1),
        ("cache_subnet_group", 1),
        ("db_instance", 5),
        ("db_subnet_group", 1),
        ("iam_role", 7),
        ("instance", 14),
        ("instance_profile", 7),
        ("internet_gateway", 1),
        ("listener", 1),
        ("listener_rule", 8),
        ("load_balancer", 1),
        ("route_table", 2),
        ("security_group", 4),
        ("ssm_parameter", 38),
        ("subnet", 4),
        ("target_group", 7),
        ("vpc", 1),
    ];
    assert_eq!(count, expected.into());
    assert_eq!(cloud.account().objects().count(), 103);
}

#[tokio::test(start_paused = true)]
async fn everything_else_is_done_in_the_shadow_of_rds() {
    let (_, outcome) = apply_fully(&empty_account(), &drawn(&[])).await;
    let rds = Duration::from_secs(620);
    assert!(outcome.elapsed < rds + Duration::from_secs(30), "it took {:?}", outcome.elapsed);
}

#[tokio::test(start_paused = true)]
async fn destroy_leaves_nothing_but_the_final_snapshots() {
    let cloud = empty_account();
    let desired = drawn(&[]);
    apply_fully(&cloud, &desired).await;
    destroy(&cloud, &desired).await;
    assert_eq!(ids(&cloud), Vec::<String>::new());
    let snapshots = cloud.account().snapshots().iter().cloned().collect::<Vec<_>>();
    assert_eq!(
        snapshots,
        ["notification", "order", "payment", "product", "user"]
            .map(|name| format!("ecommerce-{name}-db-final-20261122150405"))
    );
    let (plan, _) = destroy(&cloud, &desired).await;
    assert!(plan.is_empty());
}

#[tokio::test(start_paused = true)]
async fn edits_behind_our_back_are_drift_and_are_repaired() {
    let cloud = empty_account();
    let desired = drawn(&[]);
    apply_fully(&cloud, &desired).await;
    let before = ids(&cloud);
    edit(&cloud, "security_group.rds", "ingress", json!([]));
    edit(&cloud, "instance.user-1", "instance_type", json!("t3.large"));
    edit(&cloud, "instance.order-2", "target_group", json!(null));
    tokio::time::sleep(Duration::from_secs(120)).await;

    let drift = plan(&cloud, &desired).await;
    let found: Vec<(String, &str, Cause)> = drift
        .changes
        .iter()
        .flat_map(|c| c.fields.iter().map(|f| (c.address.to_string(), f.field.as_str(), f.cause)))
        .collect();
    assert_eq!(
        found,
        [
            ("instance.order-2".into(), "target_group", Cause::Drift),
            ("instance.user-1".into(), "instance_type", Cause::Drift),
            ("security_group.rds".into(), "ingress", Cause::Drift),
        ]
    );
    assert_eq!(drift.summary.drift, 3);
    apply_fully(&cloud, &desired).await;
    assert_eq!(ids(&cloud), before, "a repair replaced something");
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_file_is_a_change_not_drift_and_touches_just_that() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let changed = drawn(&[("interval = 30", "interval = 15")]);
    let (plan, _) = apply_fully(&cloud, &changed).await;
    assert_eq!(plan.summary.update, 7);
    assert_eq!(plan.changes.len(), 7);
    for change in &plan.changes {
        assert_eq!(change.address.kind(), "target_group");
        assert_eq!(change.fields.len(), 1);
        assert_eq!(change.fields[0].cause, Cause::Change);
    }
}

#[tokio::test(start_paused = true)]
async fn a_field_that_both_sides_moved_is_named_as_both() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    edit(&cloud, "target_group.user", "health_check_interval", json!(60));
    let changed = drawn(&[("interval = 30", "interval = 15")]);
    let plan = plan(&cloud, &changed).await;
    let user = plan.changes.iter().find(|c| c.address.name() == "user").expect("user changes");
    assert_eq!(user.fields[0].cause, Cause::Both);
}

#[tokio::test(start_paused = true)]
async fn what_lost_its_place_in_the_file_is_deleted() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let without = drawn(&[
        ("[database.notification]\n", ""),
        ("uses      = [\"database.notification\"]\n", ""),
    ]);
    let (plan, _) = apply_fully(&cloud, &without).await;
    let done = |action| {
        let of_action = plan.changes.iter().filter(move |change| change.action == action);
        of_action.map(|change| change.address.to_string()).collect::<Vec<_>>()
    };
    let settings = ["HOST", "NAME", "PORT", "SECRET_ARN"];
    let settings = settings.map(|name| format!("ssm_parameter.notification/DATABASE_{name}"));
    let gone: Vec<_> = [vec!["db_instance.notification".to_owned()], settings.into()].concat();
    assert_eq!(done(Action::Delete), gone);
    // Its machines are born without it, and may not read its secret.
    assert_eq!(done(Action::Replace), ["instance.notification-1", "instance.notification-2"]);
    assert_eq!(done(Action::Update), ["iam_role.notification"]);
    assert!(cloud.account().snapshots().iter().any(|name| name.contains("notification")));
}

#[tokio::test(start_paused = true)]
async fn a_service_more_or_less_is_a_block_more_or_less() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let search = "[service.search]\nport = 3006\nuses = [\"cache.redis\"]\n\
                  routes = [{ priority = 9, path = \"/search/*\" }]\n\n[service.frontend]";
    let (plan, _) = apply_fully(&cloud, &drawn(&[("[service.frontend]", search)])).await;
    let changed: Vec<_> = plan.changes.iter().map(|c| (c.address.to_string(), c.action)).collect();
    assert_eq!(
        changed,
        [
            ("iam_role.search", Action::Create),
            ("instance.search-1", Action::Create),
            ("instance.search-2", Action::Create),
            ("instance_profile.search", Action::Create),
            ("listener_rule.search", Action::Create),
            ("security_group.ec2", Action::Update),
            ("ssm_parameter.search/PORT", Action::Create),
            ("ssm_parameter.search/REDIS_HOST", Action::Create),
            ("ssm_parameter.search/REDIS_PORT", Action::Create),
            ("ssm_parameter.search/REGION", Action::Create),
            ("target_group.search", Action::Create),
        ]
        .map(|(address, action)| (address.to_owned(), action))
    );
    let (plan, _) = apply_fully(&cloud, &drawn(&[])).await;
    assert_eq!((plan.summary.delete, plan.summary.update), (10, 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ours_is_left_alone_by_everything() {
    let cloud = empty_account();
    let second =
        drawn(&[("name    = \"ecommerce\"", "name = \"second\""), ("ecommerce-alb", "second-alb")]);
    apply_fully(&cloud, &second).await;
    {
        let mut account = cloud.account();
        let vpc = ecdeploy::kinds::by_name("vpc").unwrap().schema();
        let body = [("cidr_block".to_owned(), json!("10.9.0.0/16"))].into();
        account.create(vpc, &body, &BTreeMap::new()).expect("an untagged VPC");
    }
    let before = foreign(&cloud, "ecommerce");
    let desired = drawn(&[]);
    apply_fully(&cloud, &desired).await;
    apply_fully(&cloud, &drawn(&[("t3.small", "t3.medium")])).await;
    destroy(&cloud, &desired).await;
    assert_eq!(foreign(&cloud, "ecommerce"), before);
}

#[tokio::test(start_paused = true)]
async fn a_new_image_of_the_same_parameter_replaces_nothing() {
    let cloud = empty_account();
    let desired = drawn(&[]);
    apply_fully(&cloud, &desired).await;
    let mut snapshot = read(&cloud, &desired).await;
    snapshot.lookups.values_mut().for_each(|ami| *ami = "ami-newer".into());
    let plan = Plan::to_reach(&desired, &snapshot, &parting(), Default::default()).unwrap();
    assert!(plan.is_empty(), "{:#?}", plan.changes);
}

#[tokio::test(start_paused = true)]
async fn a_renamed_security_group_is_made_moved_to_and_then_removed() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let old = id_of(&cloud, "security_group.rds");
    let (plan, _) = apply_fully(&cloud, &drawn(&[("RDS-SG", "Databases-SG")])).await;
    assert_eq!(plan.summary.replace, 1);
    assert_eq!(plan.summary.update, 5, "each database moves to the new group");
    assert!(!ids(&cloud).contains(&old));
}

#[tokio::test(start_paused = true)]
async fn security_groups_may_refer_to_each_other_in_a_circle() {
    let cloud = empty_account();
    let circle = drawn(&[
        ("name = \"RDS-SG\"", "name = \"RDS-SG\"\ningress = [{ port = 1, from = \"redis\" }]"),
        ("name = \"Redis-SG\"", "name = \"Redis-SG\"\ningress = [{ port = 2, from = \"rds\" }]"),
    ]);
    apply_fully(&cloud, &circle).await;
    destroy(&cloud, &circle).await;
    assert_eq!(ids(&cloud), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn another_ami_replaces_each_instance_by_a_successor() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let image =
        "{ ssm = \"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64\" }";
    let (plan, _) = apply_fully(&cloud, &drawn(&[(image, "\"ami-0123456789abcdef0\"")])).await;
    assert_eq!(plan.summary.replace, 14);
    assert_eq!(cloud.account().objects().count(), 103);
}
