//! The databases and the cache through their changes: at once, in the maintenance window, and what AWS refuses.

use std::time::Duration;

use anstream::adapter::strip_str;
use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::diff::{Action, Cause};
use ecdeploy::error::ErrorKind;
use ecdeploy::model::{Address, Status};
use ecdeploy::plan::{Origin, Plan};
use ecdeploy::report;
use serde_json::{Value, json};

use super::world::*;

const MICRO: &str = "instance_class    = \"db.t3.micro\"";
const SMALL: &str = "instance_class    = \"db.t3.small\"";
const LATER: Duration = Duration::from_secs(8 * 3600);

/// An edit of what all databases have in common, one line longer.
fn with(line: &str) -> String {
    format!("{MICRO}\n{line}")
}

async fn shown(cloud: &SimCloud, edits: &[(&str, &str)]) -> String {
    let plan = plan(cloud, &drawn(edits)).await;
    strip_str(&report::plan::text(&plan, "shop")).to_string()
}

/// What AWS has, as against what it was asked for.
fn now(cloud: &SimCloud, field: &str) -> Value {
    let account = cloud.account();
    account.get("db_instance", "ecommerce-user-db").expect("it is there").body[field].clone()
}

#[tokio::test(start_paused = true)]
async fn a_change_waits_for_the_maintenance_window_and_is_shown_as_pending() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let edits = [(MICRO, SMALL)];

    let text = shown(&cloud, &edits).await;
    let waits = "db.t3.micro -> db.t3.small  waits for the maintenance window Sun 06:30-07:00 UTC, \
                 interrupts it then";
    assert_eq!(text.matches(waits).count(), 5, "{text}");
    let (made, outcome) = apply_fully(&cloud, &drawn(&edits)).await;
    assert_eq!((made.summary.update, made.summary.drift), (5, 0));
    let told = strip_str(&report::outcome::text(&made, &outcome)).to_string();
    let pending = "db_instance.user  pending until the maintenance window Sun 06:30-07:00 UTC: instance_class";
    assert!(told.contains(pending), "it is not done: {told}");
    assert!(outcome.elapsed < Duration::from_secs(60), "it waited: {:?}", outcome.elapsed);
    assert_eq!(now(&cloud, "instance_class"), "db.t3.micro", "nothing is restarted yet");

    let after = plan(&cloud, &drawn(&edits)).await;
    assert!(after.is_empty());
    let json = serde_json::to_value(&after).unwrap();
    assert_eq!(
        json["pending"][4],
        json!({
            "address": "db_instance.user",
            "window": "sun:06:30-sun:07:00",
            "fields": [{"field": "instance_class", "before": "db.t3.micro", "after": "db.t3.small"}],
        })
    );
    insta::assert_snapshot!(shown(&cloud, &edits).await);

    tokio::time::sleep(LATER).await;
    assert_eq!(now(&cloud, "instance_class"), "db.t3.small");
    assert_eq!(plan(&cloud, &drawn(&edits)).await.pending, []);
    assert_eq!(
        shown(&cloud, &edits).await,
        "shop\n\nNo changes. The account is what the topology says.\n"
    );
}

#[tokio::test(start_paused = true)]
async fn the_window_that_opens_is_seen_at_work() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    apply_fully(&cloud, &drawn(&[(MICRO, SMALL)])).await;
    let status = || {
        let account = cloud.account();
        account.get("db_instance", "ecommerce-user-db").expect("it is there").status()
    };
    // It opens at half past six of the account's clock.
    let opens = Duration::from_secs(6 * 3600 + 1800);
    let clock = cloud.account().clock();
    tokio::time::sleep(opens - clock - Duration::from_secs(1)).await;
    assert_eq!(status(), Status::Ready);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(status(), Status::Pending("modifying".into()));
    assert!(plan(&cloud, &drawn(&[(MICRO, SMALL)])).await.is_empty());
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(status(), Status::Ready);
}

#[tokio::test(start_paused = true)]
async fn a_change_asked_for_at_once_is_there_when_apply_ends() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[(MICRO, &with("apply_immediately = true"))])).await;
    let at_once = format!("{SMALL}\napply_immediately = true");

    let text = shown(&cloud, &[(MICRO, &at_once)]).await;
    assert!(!text.contains("window"), "{text}");
    assert_eq!(text.matches("db.t3.micro -> db.t3.small  interrupts it\n").count(), 5, "{text}");
    let (_, outcome) = apply_fully(&cloud, &drawn(&[(MICRO, &at_once)])).await;

    assert!(outcome.elapsed > Duration::from_secs(300), "it did not wait until it was made");
    assert_eq!(now(&cloud, "instance_class"), "db.t3.small");
}

#[tokio::test(start_paused = true)]
async fn what_is_pending_is_made_at_once_when_the_file_says_so() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    apply_fully(&cloud, &drawn(&[(MICRO, SMALL)])).await;
    let at_once = format!("{SMALL}\napply_immediately = true");

    let (made, outcome) = apply_fully(&cloud, &drawn(&[(MICRO, &at_once)])).await;

    let fields = made.changes.iter().flat_map(|change| &change.fields);
    let fields: Vec<_> = fields.map(|moved| (moved.field.as_str(), moved.cause)).collect();
    assert_eq!(fields, [("apply_immediately", Cause::Change); 5]);
    assert_eq!(made.pending, []);
    assert!(outcome.elapsed > Duration::from_secs(300), "{:?}", outcome.elapsed);
    assert_eq!(now(&cloud, "instance_class"), "db.t3.small");
    // And back: a word on later calls, nothing of the database.
    let (_, outcome) = apply_fully(&cloud, &drawn(&[(MICRO, SMALL)])).await;
    assert!(outcome.elapsed < Duration::from_secs(60), "{:?}", outcome.elapsed);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_moves_again_changes_what_is_pending() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    apply_fully(&cloud, &drawn(&[(MICRO, SMALL)])).await;

    let (made, _) =
        apply_fully(&cloud, &drawn(&[(MICRO, &SMALL.replace("small", "medium"))])).await;
    let moved = &made.changes[0].fields[0];
    assert_eq!(
        (&moved.before, &moved.after),
        (&Some(json!("db.t3.small")), &json!("db.t3.medium"))
    );
    assert_eq!(moved.cause, Cause::Change);
    assert_eq!(made.pending, [], "it is a change, not told twice");

    // Back to what still holds: nothing waits any more.
    let (made, _) = apply_fully(&cloud, &drawn(&[])).await;
    assert_eq!(made.changes[0].fields[0].waits, None);
    assert_eq!(plan(&cloud, &drawn(&[])).await.pending, []);
    tokio::time::sleep(LATER).await;
    assert_eq!(now(&cloud, "instance_class"), "db.t3.micro");
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_left_pending_is_drift() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    apply_fully(&cloud, &drawn(&[(MICRO, &with("backup_retention_period = 0"))])).await;
    edit(&cloud, "db_instance.user", "instance_class", json!("db.t3.large"));
    let edits = [(MICRO, &*with("backup_retention_period = 0"))];

    let found = plan(&cloud, &drawn(&edits)).await;
    assert_eq!(found.summary.drift, 1);
    let moved = &found.changes[0].fields[0];
    assert_eq!((moved.field.as_str(), moved.cause), ("instance_class", Cause::Drift));
    apply_fully(&cloud, &drawn(&edits)).await;

    // It is taken back, and what the file wants later still waits.
    let left = plan(&cloud, &drawn(&edits)).await.pending;
    let user = left.iter().find(|pending| pending.address.name() == "user").expect("it waits");
    let fields: Vec<&str> = user.fields.iter().map(|field| field.field.as_str()).collect();
    assert_eq!(fields, ["backup_retention_period"]);
    tokio::time::sleep(LATER).await;
    assert_eq!(now(&cloud, "instance_class"), "db.t3.micro");
    assert_eq!(now(&cloud, "backup_retention_period"), 0);
}

#[tokio::test(start_paused = true)]
async fn backups_kept_longer_wait_for_no_window() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    for (days, waits) in [(14, false), (0, true)] {
        let line = format!("backup_retention_period = {days}");
        let found = plan(&cloud, &drawn(&[(MICRO, &with(&line))])).await;
        assert_eq!(found.changes[0].fields[0].waits.is_some(), waits, "from 7 to {days}");
    }
}

#[tokio::test(start_paused = true)]
async fn storage_backups_and_the_standby_change_in_place() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let before = ids(&cloud);
    let more = "apply_immediately = true\nbackup_retention_period = 35";
    let edits = [
        (MICRO, &*with(more)),
        ("allocated_storage = 20", "allocated_storage = 100"),
        ("multi_az          = true", "multi_az = false"),
    ];

    let (made, _) = apply_fully(&cloud, &drawn(&edits)).await;

    assert!(made.changes.iter().all(|change| change.action == Action::Update));
    assert_eq!(ids(&cloud), before);
    let fields = ["allocated_storage", "backup_retention_period", "multi_az"];
    assert_eq!(fields.map(|field| now(&cloud, field)), [json!(100), json!(35), json!(false)]);
}

pub async fn refused(cloud: &SimCloud, edits: &[(&str, &str)]) -> (String, String) {
    let desired = drawn(edits);
    let snapshot = read(cloud, &desired).await;
    let origin = Origin { file: "topology.toml".into(), ..Origin::default() };
    let error = Plan::to_reach(&desired, &snapshot, &parting(), origin).expect_err("it is refused");
    assert_eq!(error.kind, ErrorKind::Refused);
    (error.message, error.hint.expect("a hint"))
}

#[tokio::test(start_paused = true)]
async fn storage_that_would_shrink_or_hardly_grow_is_refused_when_planning() {
    let cloud = empty_account();
    let hundred = ("allocated_storage = 20", "allocated_storage = 100");
    apply_fully(&cloud, &drawn(&[hundred])).await;
    let line = DRAWN.lines().position(|line| line.starts_with("allocated_storage")).unwrap() + 1;

    let (message, hint) = refused(&cloud, &[]).await;
    assert_eq!(
        message,
        format!(
            "topology.toml:{line}:21: db_instance.notification: storage can't shrink: it has 100 GiB, the file says 20 \
             (and 4 more like it)"
        )
    );
    assert!(hint.contains("allocated_storage = 100"), "{hint}");

    let (message, hint) = refused(&cloud, &[(hundred.0, "allocated_storage = 105")]).await;
    assert!(message.contains("by a tenth"), "{message}");
    assert!(hint.contains("allocated_storage = 110"), "{hint}");

    // What only waits can be taken back.
    let more = (hundred.0, "allocated_storage = 200");
    apply_fully(&cloud, &drawn(&[more])).await;
    apply_fully(&cloud, &drawn(&[hundred])).await;
    assert_eq!(now(&cloud, "allocated_storage"), 100);
}

#[tokio::test(start_paused = true)]
async fn storage_grows_once_in_six_hours() {
    let cloud = empty_account();
    let at_once = (MICRO, &*with("apply_immediately = true"));
    apply_fully(&cloud, &drawn(&[at_once])).await;
    let size = |size: &str| format!("allocated_storage = {size}");
    let edits = |size: &str| drawn(&[at_once, ("allocated_storage = 20", size)]);
    apply_fully(&cloud, &edits(&size("40"))).await;

    let (plan, outcome) = apply(&cloud, &edits(&size("60"))).await;
    assert!(!outcome.is_complete());
    let text = strip_str(&report::outcome::text(&plan, &outcome)).to_string();
    assert!(text.contains("previous storage change is being optimized"), "{text}");
    assert!(text.contains("hint: AWS changes a database's storage once in six hours"), "{text}");

    tokio::time::sleep(Duration::from_secs(6 * 3600)).await;
    apply_fully(&cloud, &edits(&size("60"))).await;
    assert_eq!(now(&cloud, "allocated_storage"), 60);
}

#[tokio::test(start_paused = true)]
async fn the_cache_gets_another_node_type_in_place() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let before = ids(&cloud);
    let (made, _) = apply_fully(&cloud, &drawn(&[("cache.t3.micro", "cache.t3.small")])).await;
    assert_eq!(made.changes.len(), 1);
    assert_eq!(made.changes[0].address, Address::new("cache_cluster", "redis"));
    assert_eq!(made.changes[0].action, Action::Update);
    assert_eq!(ids(&cloud), before);
}

const NODE: &str = "node_type       = \"cache.t3.micro\"";
const REPLICATED: &str = "node_type       = \"cache.t3.micro\"\nreplicas = 1";

/// What the services that use the cache are told of its host.
fn hosts(cloud: &SimCloud) -> Vec<Value> {
    let account = cloud.account();
    let host = |service: &str| {
        let id = format!("/ecommerce/{service}/REDIS_HOST");
        account.get("ssm_parameter", &id).expect("it is there").body["value"].clone()
    };
    vec![host("user"), host("product")]
}

#[tokio::test(start_paused = true)]
async fn a_cache_with_replicas_is_made_changed_and_taken_down() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[(NODE, REPLICATED)])).await;
    let account = || cloud.account().get("replication_group", "ecommerce-redis-rg").cloned();
    let group = account().expect("it is there");
    assert_eq!(group.body["automatic_failover"], true);
    assert_eq!(group.body["multi_az"], true);
    assert_eq!(group.body["num_cache_clusters"], 2);
    assert_eq!(hosts(&cloud), [json!(group.outputs["endpoint"]), json!(group.outputs["endpoint"])]);
    assert!(cloud.account().objects().all(|object| object.kind != "cache_cluster"));

    let more = "node_type = \"cache.t3.small\"\nreplicas = 2";
    let (made, _) = apply_fully(&cloud, &drawn(&[(NODE, more)])).await;
    assert_eq!(made.changes.len(), 1, "machines and settings stay: {:#?}", made.changes);
    assert_eq!(made.changes[0].action, Action::Update);
    let group = account().expect("it is there");
    assert_eq!(group.body["num_cache_clusters"], 3);
    assert_eq!(group.body["node_type"], "cache.t3.small");

    edit(&cloud, "replication_group.redis", "automatic_failover", json!(false));
    tokio::time::sleep(Duration::from_secs(700)).await;
    assert_eq!(plan(&cloud, &drawn(&[(NODE, more)])).await.summary.drift, 1);
    apply_fully(&cloud, &drawn(&[(NODE, more)])).await;

    destroy(&cloud, &drawn(&[(NODE, more)])).await;
    assert_eq!(ids(&cloud), [] as [String; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_gets_replicas_is_there_and_known_before_the_old_one_goes() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let machines = || {
        let account = cloud.account();
        let machines = account.objects().filter(|object| object.kind == "instance");
        machines.map(|machine| machine.id.clone()).collect::<Vec<_>>()
    };
    let before = (machines(), hosts(&cloud));
    insta::assert_snapshot!(shown(&cloud, &[(NODE, REPLICATED)]).await);

    let (made, _) = apply_fully(&cloud, &drawn(&[(NODE, REPLICATED)])).await;

    let place = |step: &str| {
        let found = made.steps.iter().position(|made| made.to_string() == step);
        found.unwrap_or_else(|| panic!("no `{step}`"))
    };
    let create = place("create replication_group.redis");
    let told = ["user", "product"].map(|s| place(&format!("update ssm_parameter.{s}/REDIS_HOST")));
    let delete = &made.steps[place("delete cache_cluster.redis")];
    for told in told {
        assert!(made.steps[told].after.iter().any(|after| after.step == create));
        assert!(delete.after.iter().any(|after| after.step == told), "{delete:?}");
    }
    assert_eq!(machines(), before.0, "machines learn it while they run");
    assert!(hosts(&cloud)[0].as_str().unwrap().starts_with("master."), "{:?}", hosts(&cloud));

    apply_fully(&cloud, &drawn(&[])).await;
    assert_eq!(hosts(&cloud), before.1, "and back");
}
