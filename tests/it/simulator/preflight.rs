//! What a plan is held against before anything is changed, on an account that a test can have say no.

use std::collections::BTreeSet;

use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::error::Error;
use ecdeploy::model::question::{Quota, Room, Rooms};
use ecdeploy::model::{Class, Fault, Question};
use ecdeploy::plan::{Origin, Plan};
use ecdeploy::preflight::{self, Memory, Preflight, Purpose};
use ecdeploy::report;
use serde_json::{Value, json};

use super::world::*;

/// What the checks find of the plan for the drawn file with these edits.
pub(super) async fn checked(
    cloud: &SimCloud,
    edits: &[(&str, &str)],
    purpose: Purpose,
) -> Preflight {
    checked_but(cloud, edits, purpose, &[]).await
}

/// The same, with some checks ignored.
async fn checked_but(
    cloud: &SimCloud,
    edits: &[(&str, &str)],
    purpose: Purpose,
    ignored: &[&str],
) -> Preflight {
    let desired = drawn(edits);
    let snapshot = read(cloud, &desired).await;
    let plan = Plan::to_reach(&desired, &snapshot, &parting(), Origin::default()).expect("a plan");
    let ignored: Vec<String> = ignored.iter().map(ToString::to_string).collect();
    let none = Memory::none();
    let checked =
        preflight::check(&plan, &desired, &snapshot, purpose, &ignored, cloud, &none).await;
    checked.expect("checks")
}

pub(super) fn answers(cloud: &SimCloud, question: Question, answer: impl Into<Value>) {
    cloud.account().answer(question, Ok(answer.into()));
}

/// The refusal as it is printed.
pub(super) fn refusal(checked: Preflight) -> String {
    plain(&report::error::text(&checked.passes().expect_err("it is refused")))
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

pub(super) fn passes(checked: Preflight) {
    let said = |error: Error| report::error::text(&error);
    checked.passes().map_err(said).expect("it passes");
}

#[tokio::test(start_paused = true)]
async fn the_drawn_system_passes_and_leaves_nothing_unknown() {
    let checked = checked(&empty_account(), &[], Purpose::Change).await;
    assert_eq!(checked.unknown, [] as [String; 0]);
    assert!(checked.doubtful.is_none());
    passes(checked);
}

#[tokio::test(start_paused = true)]
async fn a_plan_with_nothing_to_change_asks_nothing() {
    let cloud = drawn_account().await;
    let desired = drawn(&[]);
    let snapshot = read(&cloud, &desired).await;
    let plan = Plan::to_reach(&desired, &snapshot, &parting(), Origin::default()).expect("a plan");
    assert!(plan.is_empty());
    let (before, none) = (cloud.now(), Memory::none());
    let look = Purpose::Look;
    preflight::check(&plan, &desired, &snapshot, look, &[], &cloud, &none).await.expect("checks");
    assert_eq!(cloud.now(), before, "a call takes its time");
}

#[tokio::test(start_paused = true)]
async fn a_version_that_rds_has_not_is_refused_with_those_it_has() {
    let edits = [("engine_version    = \"16\"", "engine_version    = \"16.99\"")];
    let said = refusal(checked(&empty_account(), &edits, Purpose::Look).await);
    insta::assert_snapshot!(said);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_runs_already_is_nobodys_question() {
    let cloud = drawn_account().await;
    let engine = "postgres".to_owned();
    answers(&cloud, Question::DatabaseVersions { engine }, json!(["17.1"]));
    passes(checked(&cloud, &[("db.t3.micro", "db.t3.small")], Purpose::Look).await);
}

#[tokio::test(start_paused = true)]
async fn a_class_in_one_zone_takes_no_standby() {
    let cloud = empty_account();
    let order = json!([{
        "storage_type": "gp3", "zones": ["ap-southeast-1a"], "multi_az": true, "replicas": true, "storage": null,
    }]);
    let (engine, class) = ("postgres".to_owned(), "db.t3.micro".to_owned());
    let version = "16.11".to_owned();
    answers(&cloud, Question::DatabaseOrders { engine, version, class }, order);
    let said = refusal(checked(&cloud, &[], Purpose::Look).await);
    insta::assert_snapshot!(said);
}

#[tokio::test(start_paused = true)]
async fn a_cache_of_an_unknown_version_on_an_unknown_node_is_two_errors() {
    let edits = [("\"7.1\"", "\"9.9\""), ("cache.t3.micro", "cache.t3.nano")];
    let said = refusal(checked(&empty_account(), &edits, Purpose::Look).await);
    insta::assert_snapshot!(said);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_takes_no_version_so_old_is_refused() {
    let edits = [("\"7.1\"", "\"6.0\""), ("cache.t3.micro", "cache.m7g.large")];
    let said = refusal(checked(&empty_account(), &edits, Purpose::Look).await);
    insta::assert_snapshot!(said);

    for (version, node) in
        [("6.2", "cache.m7g.large"), ("6.0", "cache.r8g.large"), ("5.0.6", "cache.t4g.micro")]
    {
        let version = format!("\"{version}\"");
        let edits = [("\"7.1\"", version.as_str()), ("cache.t3.micro", node)];
        passes(checked(&empty_account(), &edits, Purpose::Look).await);
    }
}

/// Such nodes are made with data tiering alone, and no topology asks for that.
#[tokio::test(start_paused = true)]
async fn a_node_that_tiers_its_data_is_refused() {
    let edits = [("cache.t3.micro", "cache.r6gd.xlarge")];
    let said = refusal(checked(&empty_account(), &edits, Purpose::Look).await);
    insta::assert_snapshot!(said);
}

#[tokio::test(start_paused = true)]
async fn a_cache_goes_to_newer_versions_and_never_back() {
    let cloud = drawn_account().await;
    let said = refusal(checked(&cloud, &[("\"7.1\"", "\"7.0\"")], Purpose::Look).await);
    insta::assert_snapshot!(said);

    let older = drawn_in(&[("\"7.1\"", "\"6.2\"")]).await;
    passes(checked(&older, &[], Purpose::Look).await);
}

#[tokio::test(start_paused = true)]
async fn a_database_goes_where_rds_makes_an_upgrade_and_never_back() {
    let cloud = drawn_in(&[(SIXTEEN, VERSION_16_8)]).await;
    for version in ["16.8", "16.9", "17", "17.4"] {
        let wanted = SIXTEEN.replace("16", version);
        passes(checked(&cloud, &[(SIXTEEN, &wanted)], Purpose::Look).await);
    }
    // 16.8 came out with 17.4, and has what 17.3 lacks.
    let wanted = SIXTEEN.replace("16", "17.3");
    let said = refusal(checked(&cloud, &[(SIXTEEN, &wanted)], Purpose::Look).await);
    insta::assert_snapshot!("an_upgrade_that_rds_does_not_make", said);

    let wanted = SIXTEEN.replace("16", "15.12");
    let said = refusal(checked(&cloud, &[(SIXTEEN, &wanted)], Purpose::Look).await);
    insta::assert_snapshot!("an_older_version", said);
}

/// An emulator lists no upgrades, and RDS may not be asked: that a version is older is known all the same.
#[tokio::test(start_paused = true)]
async fn without_a_list_of_upgrades_a_newer_version_passes() {
    let cloud = drawn_in(&[(SIXTEEN, VERSION_16_8)]).await;
    let (engine, version) = ("postgres".to_owned(), "16.8".to_owned());
    answers(&cloud, Question::DatabaseUpgrades { engine, version }, json!([]));
    let newer = SIXTEEN.replace("16", "17.3");
    passes(checked(&cloud, &[(SIXTEEN, &newer)], Purpose::Look).await);
    let older = SIXTEEN.replace("16", "16.7");
    let said = refusal(checked(&cloud, &[(SIXTEEN, &older)], Purpose::Look).await);
    assert!(said.contains("RDS goes back to no older version"), "{said}");
}

const SIXTEEN: &str = "engine_version    = \"16\"";
const VERSION_16_8: &str = "engine_version    = \"16.8\"";

/// An account with the drawn system in it, after these edits.
pub(super) async fn drawn_in(edits: &[(&str, &str)]) -> SimCloud {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(edits)).await;
    cloud
}

#[tokio::test(start_paused = true)]
async fn a_root_volume_smaller_than_its_image_is_refused() {
    let edits = [("root_volume     = { size = 8", "root_volume     = { size = 4")];
    let said = refusal(checked(&empty_account(), &edits, Purpose::Look).await);
    insta::assert_snapshot!(said);
}

#[tokio::test(start_paused = true)]
async fn an_image_of_the_other_architecture_is_refused() {
    let edits = [("\"t3.small\"", "\"t4g.small\"")];
    let said = refusal(checked(&empty_account(), &edits, Purpose::Look).await);
    assert!(said.contains("`t4g.small` runs arm64, and ami-"), "{said}");
    let edits = [edits[0], ("default-x86_64", "default-arm64")];
    passes(checked(&empty_account(), &edits, Purpose::Look).await);
}

#[tokio::test(start_paused = true)]
async fn a_key_pair_that_is_not_there_is_refused_for_machines_made_anew() {
    let keyed = ("[service.user]\n", "[service.user]\nkey_name = \"ops\"\n");
    let asked = Question::KeyPairs(BTreeSet::from(["ops".to_owned()]));
    let cloud = empty_account();
    passes(checked(&cloud, &[keyed], Purpose::Look).await);
    answers(&cloud, asked.clone(), json!([]));
    let said = refusal(checked(&cloud, &[keyed], Purpose::Look).await);
    insta::assert_snapshot!(said);

    // What runs was launched with it, and may lose it.
    let cloud = drawn_in(&[keyed]).await;
    answers(&cloud, asked, json!([]));
    passes(checked(&cloud, &[keyed, ("\"t3.small\"", "\"t3.micro\"")], Purpose::Look).await);
    let more = ("[service.user]\n", "[service.user]\nkey_name = \"ops\"\ncount = 3\n");
    let said = refusal(checked(&cloud, &[more], Purpose::Look).await);
    assert!(said.contains("there is no key pair `ops` in ap-southeast-1"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn what_an_ignored_check_refuses_is_a_warning() {
    let edits = [("\"7.1\"", "\"9.9\""), ("cache.t3.micro", "cache.t3.nano")];
    let look = Purpose::Look;
    let checked = checked_but(&empty_account(), &edits, look, &["caches"]).await;
    insta::assert_snapshot!(plain(&report::preflight::text(&checked)));
    passes(checked);

    let checked = checked_but(&empty_account(), &edits, look, &["machines", "databases"]).await;
    assert!(checked.passes().is_err(), "another check is no help");
}

#[tokio::test(start_paused = true)]
async fn more_vcpus_than_the_quota_are_refused_at_the_count() {
    let cloud = drawn_account().await;
    // Fourteen of two each run.
    answers(&cloud, Question::Quota(Quota::Vcpus), 30);
    let one = [("[service.user]\n", "[service.user]\ncount = 3\n")];
    passes(checked(&cloud, &one, Purpose::Look).await);
    let two = [("[service.user]\n", "[service.user]\ncount = 4\n")];
    let said = refusal(checked(&cloud, &two, Purpose::Look).await);
    insta::assert_snapshot!(said);
}

#[tokio::test(start_paused = true)]
async fn databases_and_load_balancers_beyond_what_is_given_are_refused() {
    let cloud = empty_account();
    let room =
        |most, used| -> Rooms { Rooms::from([("DBInstances".to_owned(), Room { most, used })]) };
    answers(&cloud, Question::DatabaseRoom, json!(room(40, 35)));
    passes(checked(&cloud, &[], Purpose::Look).await);
    answers(&cloud, Question::DatabaseRoom, json!(room(40, 36)));
    let said = refusal(checked(&cloud, &[], Purpose::Look).await);
    assert!(
        said.contains("41 databases would be in ap-southeast-1, and the quota is 40"),
        "{said}"
    );

    answers(&cloud, Question::DatabaseRoom, json!(room(100, 0)));
    let rooms = json!({
        "application-load-balancers": {"most": 50, "used": 50},
        "target-groups": {"most": 3000, "used": 2994},
        "targets-per-target-group": {"most": 1, "used": 0},
        "rules-per-application-load-balancer": {"most": 7, "used": 0},
    });
    answers(&cloud, Question::BalancingRoom, rooms);
    let said = refusal(checked(&cloud, &[], Purpose::Look).await);
    for expected in [
        "51 load balancers would be in",
        "3001 target groups would be in",
        "target_group.user would have 2 targets",
        "the load balancer would have 8 rules",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[tokio::test(start_paused = true)]
async fn rules_that_are_added_before_others_go_count_beside_them() {
    let cloud = drawn_account().await;
    let group =
        "ingress = [{ port = 80, from = \"0.0.0.0/0\" }, { port = 443, from = \"0.0.0.0/0\" }]";
    let moved =
        "ingress = [{ port = 81, from = \"0.0.0.0/0\" }, { port = 82, from = \"0.0.0.0/0\" }]";
    answers(&cloud, Question::Quota(Quota::GroupRules), 4);
    passes(checked(&cloud, &[(group, moved)], Purpose::Look).await);
    answers(&cloud, Question::Quota(Quota::GroupRules), 3);
    let said = refusal(checked(&cloud, &[(group, moved)], Purpose::Look).await);
    assert!(said.contains("security_group.alb would have 4 rules of ingress"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn more_security_groups_than_an_interface_takes_are_refused_where_they_are_listed() {
    let more =
        ("[security_group.rds]", "[security_group.g1]\n[security_group.g2]\n[security_group.rds]");
    let five = "[\"alb\", \"ec2\", \"rds\", \"redis\", \"g1\"]";
    let six = "[\"alb\", \"ec2\", \"rds\", \"redis\", \"g1\", \"g2\"]";
    for (groups, refused) in [(five, false), (six, true)] {
        let of = ["ec2", "alb", "rds", "redis"]
            .map(|key| (format!("= [\"{key}\"]"), format!("= {groups}")));
        let of = of.iter().map(|(there, groups)| (there.as_str(), groups.as_str()));
        let edits: Vec<(&str, &str)> = std::iter::once(more).chain(of).collect();
        let checked = checked(&empty_account(), &edits, Purpose::Look).await;
        match refused {
            true => insta::assert_snapshot!(refusal(checked)),
            false => passes(checked),
        }
    }

    let keys: Vec<String> = (1..=17).map(|n| format!("g{n}")).collect();
    let blocks: String = keys.iter().map(|key| format!("[security_group.{key}]\n")).collect();
    let blocks = format!("{blocks}[security_group.rds]");
    let all = format!("= {keys:?}");
    let edits = [("[security_group.rds]", blocks.as_str()), ("= [\"redis\"]", all.as_str())];
    let said = refusal(checked(&empty_account(), &edits, Purpose::Look).await);
    assert!(said.contains("AWS gives no account more than 16: join some of them"), "{said}");

    // What is there with more than are given now is left alone.
    let cloud = drawn_account().await;
    answers(&cloud, Question::Quota(Quota::InterfaceGroups), 0);
    passes(checked(&cloud, &[("\"t3.small\"", "\"t3.micro\"")], Purpose::Look).await);
}

#[tokio::test(start_paused = true)]
async fn who_only_looks_need_not_be_allowed_to_change() {
    let cloud = empty_account();
    for action in ["ec2:CreateVpc", "ec2:DeleteVpc", "iam:PassRole"] {
        cloud.account().deny(action);
    }

    let looked = checked(&cloud, &[], Purpose::Look).await;
    insta::assert_snapshot!(plain(&report::preflight::text(&looked)));
    passes(looked);

    let said = refusal(checked(&cloud, &[], Purpose::Change).await);
    insta::assert_snapshot!(said);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_asked_is_said_and_the_plan_goes_on() {
    let cloud = empty_account();
    for question in [Question::Vpcs, Question::DatabaseRoom] {
        let denied = Fault::new(Class::Denied, "ec2:DescribeVpcs", "UnauthorizedOperation", "no");
        cloud.account().answer(question, Err(denied));
    }
    let checked = checked(&cloud, &[], Purpose::Change).await;
    let why = "these credentials may not call ec2:DescribeVpcs";
    assert_eq!(checked.unknown, [format!("quotas: {why}"), format!("other networks: {why}")]);
    passes(checked);
}

#[tokio::test(start_paused = true)]
async fn credentials_that_end_meanwhile_end_the_plan() {
    let cloud = empty_account();
    let ended = Fault::new(Class::Credentials, "ec2:DescribeVpcs", "RequestExpired", "too late");
    cloud.account().answer(Question::Vpcs, Err(ended));
    let desired = drawn(&[]);
    let snapshot = read(&cloud, &desired).await;
    let plan = Plan::to_reach(&desired, &snapshot, &parting(), Origin::default()).expect("a plan");
    let (look, none) = (Purpose::Look, Memory::none());
    let error = preflight::check(&plan, &desired, &snapshot, look, &[], &cloud, &none).await;
    error.expect_err("nobody can go on");
}

#[tokio::test(start_paused = true)]
async fn another_vpc_of_the_same_addresses_is_a_warning_and_ours_is_none() {
    let cloud = empty_account();
    let vpcs = json!({
        "vpc-other": {"blocks": ["10.0.128.0/17", "172.31.0.0/16"], "topology": null},
        "vpc-ours": {"blocks": ["10.0.0.0/16"], "topology": "ecommerce"},
    });
    answers(&cloud, Question::Vpcs, vpcs);
    let checked = checked(&cloud, &[], Purpose::Look).await;
    insta::assert_snapshot!(plain(&report::preflight::text(&checked)));
    passes(checked);
}

#[tokio::test(start_paused = true)]
async fn a_last_snapshot_whose_name_is_taken_is_refused() {
    let cloud = drawn_account().await;
    let desired = drawn(&[]);
    let snapshot = read(&cloud, &desired).await;
    let plan =
        Plan::to_destroy(&desired, &snapshot, &parting(), Origin::default()).expect("a plan");
    let names: BTreeSet<String> = plan.final_snapshots().map(|(_, name)| name.to_owned()).collect();
    let taken = names.iter().next().expect("databases leave snapshots").clone();
    answers(&cloud, Question::Snapshots(names), json!([taken]));
    let (change, none) = (Purpose::Change, Memory::none());
    let checked = preflight::check(&plan, &desired, &snapshot, change, &[], &cloud, &none).await;
    let said = refusal(checked.expect("checks"));
    insta::assert_snapshot!(said);
}
