//! What a block protects is neither deleted nor replaced, whatever the file says later.

use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::desired::Desired;
use ecdeploy::diff::{Action, Cause};
use ecdeploy::error::{Error, ErrorKind};
use ecdeploy::plan::{Origin, Parting, Plan};
use ecdeploy::reconcile::Stop;

use super::world::*;

const PROTECTED: &str = "ecdeploy:protected";
const DATABASE: (&str, &str) = ("[database.user]\n", "[database.user]\nprotect = true\n");
const OPEN: (&str, &str) = ("[database.user]\n", "[database.user]\nprotect = false\n");
const GONE: [(&str, &str); 2] = [
    ("[database.user]\n", ""),
    ("uses      = [\"database.user\", \"cache.redis\"]", "uses      = [\"cache.redis\"]"),
];
const ALL: [(&str, &str); 7] = [
    ("[vpc]\n", "[vpc]\nprotect = true\n"),
    ("[load_balancer]\n", "[load_balancer]\nprotect = true\n"),
    ("[service.user]\n", "[service.user]\nprotect = true\n"),
    ("[security_group.rds]\n", "[security_group.rds]\nprotect = true\n"),
    ("private-1 = {", "private-1 = { protect = true,"),
    ("[cache.redis]\n", "[cache.redis]\nprotect = true\n"),
    DATABASE,
];

async fn refused(cloud: &SimCloud, desired: &Desired) -> Error {
    let snapshot = read(cloud, desired).await;
    let error = Plan::to_reach(desired, &snapshot, &parting(), Origin::default()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    error
}

fn tag(cloud: &SimCloud, address: &str) -> Option<String> {
    let account = cloud.account();
    let mut all = account.objects();
    let bearing = all.find(|o| o.tags.get("ecdeploy:address").is_some_and(|a| a == address));
    bearing.unwrap_or_else(|| panic!("nothing bears {address}")).tags.get(PROTECTED).cloned()
}

#[tokio::test(start_paused = true)]
async fn protection_is_made_with_what_it_protects_and_a_second_plan_is_empty() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&ALL)).await;
    let account = cloud.account();
    let tagged = account.objects().filter(|o| o.tags.get(PROTECTED).is_some_and(|t| t == "true"));
    let mut bearing: Vec<&str> = tagged.map(|o| o.tags["ecdeploy:address"].as_str()).collect();
    bearing.sort_unstable();
    let expected = [
        "cache_cluster.redis",
        "db_instance.user",
        "instance.user-1",
        "instance.user-2",
        "internet_gateway.main",
        "listener.http",
        "load_balancer.main",
        "route_table.private",
        "route_table.public",
        "security_group.rds",
        "subnet.private-1",
        "target_group.user",
        "vpc.main",
    ];
    assert_eq!(bearing, expected);
    let own = account.objects().filter(|o| o.protected).map(|o| o.kind.as_str());
    assert_eq!(own.collect::<Vec<_>>(), ["instance", "instance", "load_balancer"]);
}

#[tokio::test(start_paused = true)]
async fn a_database_outlives_its_block() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[DATABASE])).await;
    let before = ids(&cloud);
    let error = refused(&cloud, &drawn(&GONE)).await;
    assert!(error.message.contains("db_instance.user (ecommerce-user-db)"), "{}", error.message);
    let hint = error.hint.unwrap();
    assert!(hint.contains("protect = false") && hint.contains("--lift-protection"), "{hint}");
    assert_eq!(ids(&cloud), before);

    let desired = drawn(&GONE);
    let snapshot = read(&cloud, &desired).await;
    let lifted = Parting { lift_protection: true, ..parting() };
    let plan = Plan::to_reach(&desired, &snapshot, &lifted, Origin::default()).unwrap();
    let text = anstream::adapter::strip_str(&ecdeploy::report::plan::text(&plan, "")).to_string();
    assert!(text.contains("no longer in the topology, its protection is lifted"), "{text}");
    let outcome = carry_out(&plan, &snapshot, &cloud, &Stop::default(), &Silent).await;
    assert!(outcome.is_complete(), "{:#?}", failures(&plan, &outcome));
    assert!(self::plan(&cloud, &desired).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn protect_false_applied_first_lifts_it() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[DATABASE])).await;
    let replaced =
        [OPEN, ("\nallocated_storage = 20", "\nallocated_storage = 20\nusername = \"root2\"")];
    refused(&cloud, &drawn(&replaced)).await;
    let (plan, _) = apply_fully(&cloud, &drawn(&[OPEN])).await;
    let fields: Vec<&str> = plan.changes[0].fields.iter().map(|f| f.field.as_str()).collect();
    assert_eq!((plan.changes.len(), fields), (1, vec!["deletion_protection", "protect"]));
    assert_eq!(plan.summary.drift, 0);
    assert_eq!(tag(&cloud, "db_instance.user").as_deref(), Some("false"));
    let (plan, _) = apply_fully(&cloud, &drawn(&GONE)).await;
    assert!(plan.changes.iter().any(|c| c.action == Action::Delete));
}

#[tokio::test(start_paused = true)]
async fn neither_scaled_in_nor_replaced_nor_destroyed() {
    let cloud = empty_account();
    let three = "count = 3\nmax_count = 10";
    let of =
        |count: &str, more: (&str, &str)| drawn(&[("max_count = 10", count), ALL[2], ALL[1], more]);
    let nothing = ("[vpc]", "[vpc]");
    apply_fully(&cloud, &of(three, nothing)).await;
    let error = refused(&cloud, &of("max_count = 10", nothing)).await;
    assert!(error.message.contains("instance.user-3"), "{}", error.message);
    let error = refused(&cloud, &of(three, ("size = 8", "size = 9"))).await;
    assert!(error.message.contains("instance.user-1 (i-"), "{}", error.message);

    let desired = of(three, nothing);
    let snapshot = read(&cloud, &desired).await;
    let error = Plan::to_destroy(&desired, &snapshot, &parting(), Origin::default()).unwrap_err();
    assert!(error.message.contains("load_balancer.main"), "{}", error.message);
    let lifted = Parting { lift_protection: true, ..parting() };
    let plan = Plan::to_destroy(&desired, &snapshot, &lifted, Origin::default()).unwrap();
    let outcome = carry_out(&plan, &snapshot, &cloud, &Stop::default(), &Silent).await;
    assert!(outcome.is_complete(), "{:#?}", failures(&plan, &outcome));
    assert_eq!(ids(&cloud), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_tag_taken_away_by_hand_is_drift_and_is_put_back() {
    let cloud = empty_account();
    let desired = drawn(&[DATABASE, ALL[1]]);
    apply_fully(&cloud, &desired).await;
    for (address, kind) in
        [("db_instance.user", "db_instance"), ("load_balancer.main", "load_balancer")]
    {
        let id = id_of(&cloud, address);
        let off = [(PROTECTED.to_owned(), String::new())].into();
        cloud.account().tag(kind, &id, &off).unwrap();
    }
    let (plan, _) = apply_fully(&cloud, &desired).await;
    let found: Vec<(String, &str, Cause)> = plan
        .changes
        .iter()
        .flat_map(|c| c.fields.iter().map(|f| (c.address.to_string(), f.field.as_str(), f.cause)))
        .collect();
    let expected = ["db_instance.user", "load_balancer.main"];
    assert_eq!(found, expected.map(|address| (address.into(), "protect", Cause::Drift)));
    assert_eq!(tag(&cloud, "db_instance.user").as_deref(), Some("true"));
}

#[tokio::test(start_paused = true)]
async fn protection_cut_short_is_made_by_the_next_apply() {
    let desired = drawn(&ALL);
    for steps in [1, 5, 20, 60, 90] {
        let cloud = empty_account();
        let snapshot = read(&cloud, &desired).await;
        let plan = Plan::to_reach(&desired, &snapshot, &parting(), Origin::default()).unwrap();
        let stop = Stop::default();
        let observer = StopAfter { steps, stop: &stop, done: Default::default() };
        carry_out(&plan, &snapshot, &cloud, &stop, &observer).await;
        let again = self::plan(&cloud, &desired).await;
        assert_eq!(again.summary.drift, 0, "after {steps}: {:#?}", again.changes);
        apply_fully(&cloud, &desired).await;
        assert!(cloud.account().objects().filter(|o| o.protected).count() == 3);
    }
}
