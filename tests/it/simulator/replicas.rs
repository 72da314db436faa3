//! Read replicas of a database: the secret that comes with them, the order in which both come and go, and what RDS refuses.

use std::collections::BTreeMap;
use std::sync::Mutex;

use anstream::adapter::strip_str;
use async_trait::async_trait;
use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::{Object, SimCloud};
use ecdeploy::diff::Action;
use ecdeploy::kinds::{self, Kind, Live};
use ecdeploy::model::{Body, Class, Created, Fault, Tags};
use ecdeploy::plan::{Origin, Plan};
use ecdeploy::reconcile::Stop;
use ecdeploy::report;
use serde_json::{Value, json};

use super::world::*;

const USER: &str = "[database.user]\n";
const ONE: &str = "[database.user]\nreplicas = 1\n";
const TWO: &str = "[database.user]\nreplicas = 2\n";
const PRIMARY: &str = "ecommerce-user-db";
const SECRET_ARN: &str = "DATABASE_SECRET_ARN";
const REPLICA_HOSTS: &str = "DATABASE_REPLICA_HOSTS";

fn object(cloud: &SimCloud, kind: &str, id: &str) -> Option<Object> {
    cloud.account().get(kind, id).cloned()
}

fn primary(cloud: &SimCloud) -> Object {
    object(cloud, "db_instance", PRIMARY).expect("the primary is there")
}

/// What the user service is told.
fn told(cloud: &SimCloud, name: &str) -> Value {
    let found = object(cloud, "ssm_parameter", &format!("/ecommerce/user/{name}"));
    found.map_or(Value::Null, |found| found.body["value"].clone())
}

/// The ARNs that the user service's role may read.
fn readable(cloud: &SimCloud) -> Value {
    let role = id_of(cloud, "iam_role.user");
    let role = object(cloud, "iam_role", &role).expect("a role");
    role.body["secret_policy"]["Statement"][0]["Resource"].clone()
}

fn replicas(cloud: &SimCloud) -> Vec<Object> {
    let account = cloud.account();
    account.objects().filter(|object| object.text("source") == PRIMARY).cloned().collect()
}

fn secrets(cloud: &SimCloud) -> Vec<String> {
    let account = cloud.account();
    account.objects().filter(|object| object.kind == "secret").map(|s| s.id.clone()).collect()
}

/// All that has to agree: the password that RDS was given, the secret that services are led to, and what they may read.
fn assert_agrees(cloud: &SimCloud, replicated: usize) {
    let primary = primary(cloud);
    let secret = match replicated {
        0 => {
            assert_eq!(primary.body["manage_master_user_password"], true);
            assert_eq!(primary.body["master_user_secret"], Value::Null);
            assert_eq!(secrets(cloud), [] as [String; 0]);
            primary.outputs["secret_arn"].clone()
        }
        _ => {
            assert_eq!(primary.body["manage_master_user_password"], false);
            let secret = id_of(cloud, "secret.user");
            assert_eq!(primary.body["master_user_secret"], secret.as_str());
            secret
        }
    };
    assert_eq!(told(cloud, SECRET_ARN), secret.as_str());
    assert_eq!(readable(cloud), json!([secret]));
    let found = replicas(cloud);
    assert_eq!(found.len(), replicated);
    let hosts: Vec<&String> = found.iter().map(|replica| &replica.outputs["endpoint"]).collect();
    assert_eq!(
        told(cloud, REPLICA_HOSTS),
        if replicated == 0 { Value::Null } else { json!(hosts) }
    );
}

/// The place of a step in the plan.
fn place(plan: &Plan, step: &str) -> usize {
    let found = plan.steps.iter().position(|made| made.to_string() == step);
    found.unwrap_or_else(|| panic!("no `{step}`"))
}

/// Fails unless each of these steps comes after the one before it, by what they wait for.
#[track_caller]
fn assert_in_order(plan: &Plan, steps: &[&str]) {
    for pair in steps.windows(2) {
        let (first, second) = (place(plan, pair[0]), place(plan, pair[1]));
        let mut open = vec![second];
        let mut before = Vec::new();
        while let Some(step) = open.pop() {
            let after = plan.steps[step].after.iter().map(|after| after.step);
            open.extend(after.clone().filter(|step| !before.contains(step)));
            before.extend(after);
        }
        assert!(before.contains(&first), "{} does not wait for {}", pair[1], pair[0]);
    }
}

#[tokio::test(start_paused = true)]
async fn replicas_come_and_go_one_by_one() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    assert_agrees(&cloud, 0);
    let machines = |cloud: &SimCloud| {
        let account = cloud.account();
        let all = account.objects().filter(|object| object.kind == "instance");
        all.map(|machine| machine.id.clone()).collect::<Vec<_>>()
    };
    let before = machines(&cloud);
    insta::assert_snapshot!("none_to_two", shown(&cloud, &[(USER, TWO)]).await);

    let (made, outcome) = apply_fully(&cloud, &drawn(&[(USER, TWO)])).await;
    assert_agrees(&cloud, 2);
    let setting = format!("update ssm_parameter.user/{SECRET_ARN}");
    let (change, first) = ("update db_instance.user", "create db_instance.user/replica-1");
    assert_in_order(&made, &["create secret.user", change, &setting]);
    assert_in_order(&made, &["create secret.user", change, "update iam_role.user"]);
    let hosts = format!("create ssm_parameter.user/{REPLICA_HOSTS}");
    assert_in_order(&made, &[change, first, &hosts]);
    assert!(outcome.elapsed.as_secs() < 300 + 620 + 60, "one after the other: {outcome:?}");
    for replica in replicas(&cloud) {
        assert_eq!(replica.body["instance_class"], "db.t3.micro");
        assert_eq!(replica.body["security_groups"], primary(&cloud).body["security_groups"]);
    }

    insta::assert_snapshot!("two_to_one", shown(&cloud, &[(USER, ONE)]).await);
    let (made, _) = apply_fully(&cloud, &drawn(&[(USER, ONE)])).await;
    assert_agrees(&cloud, 1);
    let hosts = format!("update ssm_parameter.user/{REPLICA_HOSTS}");
    assert_in_order(&made, &[&hosts, "delete db_instance.user/replica-2"]);
    assert_eq!(made.changes.len(), 2);

    insta::assert_snapshot!("one_to_none", shown(&cloud, &[]).await);
    let (made, _) = apply_fully(&cloud, &drawn(&[])).await;
    assert_agrees(&cloud, 0);
    let hosts = format!("delete ssm_parameter.user/{REPLICA_HOSTS}");
    let delete = "delete db_instance.user/replica-1";
    assert_in_order(&made, &[&hosts, delete, change, &setting]);
    assert_in_order(&made, &[delete, change, "delete secret.user"]);
    assert_in_order(&made, &[&setting, "delete secret.user"]);
    assert_eq!(machines(&cloud), before, "machines learn of it while they run");
    let snapshots = cloud.account().snapshots().clone();
    assert!(snapshots.is_empty(), "RDS takes no final snapshot of a replica: {snapshots:?}");
}

#[tokio::test(start_paused = true)]
async fn they_are_made_with_their_database_and_go_with_all_else() {
    let cloud = empty_account();
    let desired = drawn(&[(USER, TWO)]);
    let (made, _) = apply_fully(&cloud, &desired).await;
    assert_agrees(&cloud, 2);
    assert_in_order(
        &made,
        &["create secret.user", "create db_instance.user", "create db_instance.user/replica-2"],
    );
    let (gone, _) = destroy(&cloud, &desired).await;
    assert_in_order(
        &gone,
        &["delete db_instance.user/replica-1", "delete db_instance.user", "delete secret.user"],
    );
    assert_eq!(ids(&cloud), [] as [String; 0]);
    assert_eq!(cloud.account().snapshots().len(), 5, "of the databases alone");
    // The name of the secret is free for the next one.
    apply_fully(&cloud, &desired).await;
    assert_agrees(&cloud, 2);
}

#[tokio::test(start_paused = true)]
async fn a_replicas_class_changes_in_place() {
    let cloud = empty_account();
    let at_once = "[database.user]\nreplicas = 1\napply_immediately = true\n";
    apply_fully(&cloud, &drawn(&[(USER, at_once)])).await;
    let before = ids(&cloud);
    let larger = format!("{at_once}replica_instance_class = \"db.t3.large\"\n");
    let (made, _) = apply_fully(&cloud, &drawn(&[(USER, &larger)])).await;
    let changes: Vec<_> = made.changes.iter().map(|c| (c.address.to_string(), c.action)).collect();
    assert_eq!(changes, [("db_instance.user/replica-1".to_owned(), Action::Update)]);
    assert_eq!(ids(&cloud), before);
    assert_eq!(replicas(&cloud)[0].body["instance_class"], "db.t3.large");
    assert_eq!(primary(&cloud).body["instance_class"], "db.t3.micro");

    let newer = format!("{larger}engine_version = \"16.9\"\n");
    let (made, _) = apply_fully(&cloud, &drawn(&[(USER, &newer)])).await;
    assert_in_order(&made, &["update db_instance.user/replica-1", "update db_instance.user"]);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_somebody_deleted_is_made_again_and_its_password_given_to_rds() {
    let cloud = empty_account();
    let desired = drawn(&[(USER, ONE)]);
    apply_fully(&cloud, &desired).await;
    let lost = id_of(&cloud, "secret.user");
    let without = |cloud: &SimCloud| {
        let mut kept = serde_json::to_value(&*cloud.account()).expect("an account is data");
        let objects = kept["objects"].as_object_mut().expect("objects");
        objects.retain(|_, object| object["id"] != lost.as_str());
        SimCloud::in_memory(serde_json::from_value(kept).expect("an account"), 1.0)
    };
    // However far the mending gets.
    for allowed in 0.. {
        let cloud = without(&cloud);
        let dying = Dying::after(&cloud, allowed);
        let (_, outcome) = apply(&dying, &desired).await;
        apply_fully(&cloud, &desired).await;
        assert_agrees(&cloud, 1);
        assert_ne!(id_of(&cloud, "secret.user"), lost);
        if outcome.is_complete() {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn killed_anywhere_it_ends_where_it_would_have() {
    for (from, to, replicated) in [(USER, TWO, 2), (TWO, ONE, 1), (ONE, USER, 0)] {
        let begun = empty_account();
        apply_fully(&begun, &drawn(&[(USER, from)])).await;
        let begun = begun.account().clone();
        let desired = drawn(&[(USER, to)]);
        for allowed in 0.. {
            let cloud = SimCloud::in_memory(begun.clone(), 1.0);
            let (_, outcome) = apply(&Dying::after(&cloud, allowed), &desired).await;
            let (_, again) = apply(&cloud, &desired).await;
            assert!(again.is_complete(), "{to} after {allowed} calls");
            let left = plan(&cloud, &desired).await;
            assert!(left.is_empty(), "{to} after {allowed} calls: {:#?}", left.changes);
            assert_agrees(&cloud, replicated);
            assert_eq!(cloud.account().objects().count(), desired.resources.len());
            if outcome.is_complete() {
                assert!(allowed > 2, "there was nothing to kill");
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_alone_is_not_led_to_a_password_that_rds_has_not_got() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let desired = drawn(&[(USER, ONE)]);
    let mut origin = Origin::default();
    origin.choice.only.push("service.user".to_owned());
    let snapshot = read(&cloud, &desired).await;
    let plan = Plan::to_reach(&desired, &snapshot, &parting(), origin).expect("a plan");
    let outcome = carry_out(&plan, &snapshot, &cloud, &Stop::default(), &Silent).await;
    assert!(outcome.is_complete(), "{:#?}", failures(&plan, &outcome));
    assert_agrees(&cloud, 1);
}

#[tokio::test(start_paused = true)]
async fn without_backups_it_has_to_have_them_first() {
    let cloud = empty_account();
    let none = "[database.user]\nbackup_retention_period = 0\n";
    apply_fully(&cloud, &drawn(&[(USER, none)])).await;
    let desired = drawn(&[(USER, ONE)]);
    let snapshot = read(&cloud, &desired).await;
    let error = Plan::to_reach(&desired, &snapshot, &parting(), Origin::default());
    let error = error.expect_err("it is refused");
    assert!(error.message.contains("RDS makes replicas only of what has"), "{}", error.message);
    let at_once = "[database.user]\nreplicas = 1\napply_immediately = true\n";
    apply_fully(&cloud, &drawn(&[(USER, at_once)])).await;
    assert_agrees(&cloud, 1);
}

#[tokio::test(start_paused = true)]
async fn the_account_refuses_what_rds_refuses() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[(USER, ONE)])).await;
    let schema = kinds::by_name("db_instance").unwrap().schema();
    let replica = replicas(&cloud).remove(0);
    let mut account = cloud.account();
    let like = |source: &str| {
        let mut body: Body = replica.body.clone();
        body.insert("identifier".into(), json!("another"));
        body.insert("db_name".into(), json!("order_db"));
        body.insert("source".into(), json!(source));
        body
    };
    let refused = account.create(schema, &like("ecommerce-order-db"), &Tags::new());
    assert!(refused.unwrap_err().message.contains("managed by RDS"));

    let primary = account.get("db_instance", PRIMARY).expect("it is there").clone();
    let live = Live {
        id: primary.id.clone(),
        outputs: BTreeMap::new(),
        body: primary.body.clone(),
        tags: Tags::new(),
    };
    let mut change = |field: &str, value: Value| {
        let mut after = primary.body.clone();
        after.insert("apply_immediately".into(), json!(true));
        after.insert(field.to_owned(), value);
        let secret = [("master_user_secret".to_owned(), Value::Null)];
        after.extend(secret.into_iter().filter(|_| field == "manage_master_user_password"));
        let fields = ["apply_immediately", "master_user_secret", field];
        account.update(schema, &live, &after, &fields).expect_err("it is refused").message
    };
    let message = change("manage_master_user_password", json!(true));
    assert!(message.contains("no database with read replicas"), "{message}");
    let message = change("backup_retention_period", json!(0));
    assert!(message.contains("backups can't be turned off"), "{message}");

    let snapshot = Body::from([("final_snapshot".to_owned(), json!("last"))]);
    let message = account.delete(schema, &replica.id, &snapshot).unwrap_err().message;
    assert!(message.contains("no final snapshot"), "{message}");
    let used = account.delete(schema, PRIMARY, &Body::new()).unwrap_err();
    assert_eq!(used.class, Class::NotYet);
}

async fn shown(cloud: &SimCloud, edits: &[(&str, &str)]) -> String {
    let plan = plan(cloud, &drawn(edits)).await;
    strip_str(&report::plan::text(&plan, "shop")).to_string()
}

/// Answers so many calls that change something, and is then as if it were killed.
struct Dying<'a> {
    cloud: &'a SimCloud,
    left: Mutex<usize>,
}

impl<'a> Dying<'a> {
    fn after(cloud: &'a SimCloud, calls: usize) -> Faulty<Self> {
        Faulty(Self { cloud, left: Mutex::new(calls) })
    }
}

#[async_trait]
impl Spoiled for Dying<'_> {
    fn sound(&self) -> &SimCloud {
        self.cloud
    }

    async fn begins(&self) -> Result<(), Fault> {
        let mut left = self.left.lock().unwrap();
        let killed = || Fault::new(Class::Fatal, "sim", "Killed", "it was killed");
        *left = left.checked_sub(1).ok_or_else(killed)?;
        Ok(())
    }

    async fn spoil(
        &self,
        kind: &'static dyn Kind,
        body: &Body,
        all: &[Tags],
        token: &str,
    ) -> Result<Vec<Created>, Fault> {
        self.cloud.create(kind, body, all, token).await
    }
}
