//! How the system is seen on one screen, when all is well and when it is not.

use std::time::Duration;

use anstream::adapter::strip_str;
use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::desired::desired;
use ecdeploy::model::Holder;
use ecdeploy::report::status::{Frame, text};
use ecdeploy::snapshot;
use ecdeploy::status::{Lock, Overview, Sight, Verdict, overview};
use ecdeploy::topology;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::world::*;

async fn seen(cloud: &SimCloud, edits: &[(&str, &str)]) -> Overview {
    let mut file = DRAWN.to_owned();
    for (old, new) in edits {
        file = file.replace(old, new);
    }
    let topology = topology::parse("topology.toml", &file, &[]).expect("a topology");
    let desired = desired(&topology);
    let (snapshot, unknown) = snapshot::look(cloud, &desired).await.expect("an account");
    let leases = cloud.leases(&desired.topology).await.expect("the lock");
    overview(Sight {
        topology: &topology,
        desired: &desired,
        snapshot: &snapshot,
        not_compared: unknown.map(|error| error.message),
        lock: Lock::of(&leases),
        now: "2026-11-26T20:17:46Z".parse::<Timestamp>().expect("a time"),
    })
}

fn shown(overview: &Overview, columns: usize, rows: Option<usize>) -> String {
    let of = "ecommerce in account 123456789012 (ap-southeast-1)";
    let frame = Frame { of, apply: "ecdeploy apply", failed: None, columns, rows };
    let text = strip_str(&text(overview, &frame)).to_string();
    let widest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    assert!(widest <= columns, "{widest} columns:\n{text}");
    text
}

/// The drawn system, long after it was made.
async fn settled() -> SimCloud {
    let cloud = drawn_account().await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    cloud
}

/// From now on, machines in the second zone are sick.
fn fail_in_b(cloud: &SimCloud) {
    let subnet = id_of(cloud, "subnet.public-2");
    cloud.account().fail_checks("subnet", subnet.into());
}

#[tokio::test(start_paused = true)]
async fn a_system_that_is_well_is_seen_on_one_screen() {
    let overview = seen(&settled().await, &[]).await;
    assert_eq!(overview.verdict, Verdict::Healthy);
    let text = shown(&overview, 80, None);
    assert!(text.lines().count() < 24, "{text}");
    insta::assert_snapshot!(text);
}

#[tokio::test(start_paused = true)]
async fn a_narrow_screen_is_folded_and_a_low_one_tells_what_is_well_in_fewer_lines() {
    let cloud = settled().await;
    fail_in_b(&cloud);
    let overview = seen(&cloud, &[]).await;
    let texts =
        [shown(&overview, 60, None), shown(&overview, 40, Some(20)), shown(&overview, 80, Some(8))];
    assert!(texts[1].lines().count() <= 20 && texts[2].lines().count() <= 8, "{texts:#?}");
    insta::assert_snapshot!(texts.join("\n---\n"));
}

#[tokio::test(start_paused = true)]
async fn what_is_sick_what_differs_and_who_is_at_work_is_told() {
    let cloud = settled().await;
    let cheaper = ("instance_class    = \"db.t3.micro\"", "instance_class    = \"db.t3.small\"");
    apply_fully(&cloud, &drawn(&[cheaper])).await;
    edit(&cloud, "instance.user-1", "instance_type", json!("t3.large"));
    edit(&cloud, "instance.order-2", "running", json!(false));
    edit(&cloud, "instance.gateway-1", "target_group", json!(null));
    tokio::time::sleep(Duration::from_secs(600)).await;
    cloud.account().fail_checks("instance_type", json!("t3.large"));
    let stranger = json!([{ "protocol": "tcp", "ports": "5432", "peer": "0.0.0.0/0" }]);
    edit(&cloud, "security_group.rds", "ingress", stranger);
    let holder = Holder {
        id: "1".into(),
        command: "apply".into(),
        user: "ci".into(),
        host: "runner-7".into(),
        process: 4711,
        place: String::new(),
        since: "2026-11-26T20:15:00Z".into(),
    };
    cloud.put_lease("ecommerce", 1, &holder, true).await.expect("the lock");
    let overview = seen(
        &cloud,
        &[
            cheaper,
            ("variable.release]\ndefault     = \"8", "variable.release]\ndefault     = \"9"),
        ],
    )
    .await;
    assert_eq!(overview.verdict, Verdict::Unhealthy);
    insta::assert_snapshot!(shown(&overview, 80, None));
}

#[tokio::test(start_paused = true)]
async fn a_hundred_machines_take_no_more_lines() {
    let many = [
        ("count           = 2", "count           = 15"),
        ("max_count = 10", "max_count = 20"),
        ("max_count = 8", "max_count = 20"),
        ("max_count = 6", "max_count = 20"),
        ("max_count = 4", "max_count = 20"),
        ("max_count    = 6", "max_count    = 20"),
    ];
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&many)).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(seen(&cloud, &many).await.verdict, Verdict::Healthy);
    fail_in_b(&cloud);
    let overview = seen(&cloud, &many).await;
    assert_eq!(overview.services.iter().map(|service| service.machines.len()).sum::<usize>(), 105);
    insta::assert_snapshot!(shown(&overview, 80, None));
}

#[tokio::test(start_paused = true)]
async fn machines_that_are_not_there_are_missed_and_more_in_the_file_are_too() {
    let cloud = settled().await;
    let gone = id_of(&cloud, "instance.user-2");
    cloud
        .account()
        .delete(&ecdeploy::kinds::instance::SCHEMA, &gone, &Default::default())
        .expect("it goes");
    tokio::time::sleep(Duration::from_secs(600)).await;
    let overview = seen(&cloud, &[]).await;
    let user = &overview.services[0];
    assert_eq!((user.healthy, user.wanted, overview.verdict), (1, 2, Verdict::Unhealthy));
    assert!(shown(&overview, 80, None).contains("1 of 2 missing"));
}

#[tokio::test(start_paused = true)]
async fn an_empty_account_is_told_what_to_run() {
    let overview = seen(&empty_account(), &[]).await;
    assert_eq!(overview.verdict, Verdict::Nothing);
    insta::assert_snapshot!(shown(&overview, 80, None));
}

#[tokio::test(start_paused = true)]
async fn the_rest_is_seen_where_the_file_names_what_is_not_there() {
    let cloud = settled().await;
    let certified = (
        "default_service = \"frontend\"\n",
        "default_service = \"frontend\"\ncertificate = { domain = \"shop.invalid\" }\n",
    );
    let overview = seen(&cloud, &[certified]).await;
    assert_eq!((overview.verdict, overview.differences.len()), (Verdict::Differs, 0));
    let text = shown(&overview, 80, None);
    assert!(text.contains("Not held against the file"), "{text}");
    assert!(text.contains("2 of 2"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn replicas_of_databases_and_caches_are_told() {
    let replicas = [
        ("[database.user]\n", "[database.user]\nreplicas = 1\nbackup_retention_period = 7\n"),
        ("[cache.redis]\n", "[cache.redis]\nreplicas = 1\n"),
    ];
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&replicas)).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    let overview = seen(&cloud, &replicas).await;
    let data: Value = serde_json::to_value(&overview).expect("JSON");
    let mut databases = data["databases"].as_array().into_iter().flatten();
    assert!(databases.any(|one| one["source"] == "db_instance.user"), "{data:#}");
    insta::assert_snapshot!(shown(&overview, 80, None));
}

#[tokio::test(start_paused = true)]
async fn few_calls_see_that_something_has_moved() {
    let cloud = settled().await;
    let (snapshot, _) = snapshot::look(&cloud, &drawn(&[])).await.expect("an account");
    assert!(!snapshot.has_moved(&cloud).await.expect("an answer"));
    edit(&cloud, "instance.user-1", "running", json!(false));
    assert!(snapshot.has_moved(&cloud).await.expect("an answer"), "a state");

    let cloud = settled().await;
    let (snapshot, _) = snapshot::look(&cloud, &drawn(&[])).await.expect("an account");
    fail_in_b(&cloud);
    assert!(snapshot.has_moved(&cloud).await.expect("an answer"), "the health of targets");
}
