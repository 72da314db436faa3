//! Read replicas on the wire, on each emulator, and that the password of their database is nowhere but with AWS.

use std::fs;

use serde_json::{Value, json};

use crate::emulator::{Call, Emulator};
use crate::inventory::{Inventory, each};
use crate::product::Shop;
use crate::raw::Raw;

on_each_emulator!(
    replicas_come_and_go_and_the_password_is_nowhere_else,
    killed_around_the_change_of_password_it_goes_on,
    a_secret_that_somebody_deleted_is_restored,
);

const USER: &str = "[database.user]\n";
const TWO: &str = "[database.user]\nreplicas = 2\n";
const ONE: &str = "[database.user]\nreplicas = 1\n";
const SECRET: &str = "ecommerce-user-db/master";

fn database(raw: &mut Raw, name: &str) -> Value {
    let found = raw.rds("describe_db_instances", json!({"DBInstanceIdentifier": name}));
    found["DBInstances"][0].clone()
}

fn told(raw: &mut Raw, name: &str) -> String {
    let named = json!({"Name": format!("/ecommerce/user/{name}")});
    let told = raw.call("ssm", "get_parameter", named);
    told["Parameter"]["Value"].as_str().expect("text").to_owned()
}

/// What the secret holds: its ARN, and the password.
fn secret(raw: &mut Raw) -> (String, String) {
    let found = raw.call("secretsmanager", "get_secret_value", json!({"SecretId": SECRET}));
    let value: Value = serde_json::from_str(found["SecretString"].as_str().expect("text")).unwrap();
    assert_eq!(value["username"], "app", "as RDS keeps it");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    (text(&found["ARN"]), text(&value["password"]))
}

fn secrets(raw: &mut Raw) -> Vec<String> {
    let found = raw.call("secretsmanager", "list_secrets", json!({}));
    let names = each(&found["SecretList"]).filter_map(|secret| secret["Name"].as_str());
    names.filter(|name| name.starts_with("ecommerce")).map(str::to_owned).collect()
}

/// The calls that changed something, but for tags.
fn made(calls: &[Call]) -> Vec<&str> {
    let changing = calls.iter().filter(|call| call.changes());
    let operations = changing.map(|call| call.operation.as_str());
    operations.filter(|name| !name.contains("Tag") && *name != "PutParameter").collect()
}

fn replicas_come_and_go_and_the_password_is_nowhere_else(emulator: Emulator) {
    let mut account = emulator.lend();
    let empty = Inventory::take(&mut account.raw);
    let shop = Shop::on(&account).with("ECDEPLOY_LOG", "trace");
    shop.apply();
    let calls = account.calls_during(|_| shop.expect_no_changes()).1;
    assert!(calls.len() <= 38, "{} calls", calls.len());
    shop.edit(USER, TWO);
    let planned = shop.run(&["plan", "--out", "saved.json"]).exits(0);

    let (applied, calls) =
        account.calls_during(|_| shop.bare(&["apply", "saved.json", "--format", "json"]).exits(0));

    let mut made_then = made(&calls);
    // The rest is made together.
    made_then[2..].sort_unstable();
    let replica = "CreateDBInstanceReadReplica";
    assert_eq!(made_then, ["CreateSecret", "ModifyDBInstance", replica, replica, "PutRolePolicy"]);
    let (arn, password) = secret(&mut account.raw);
    assert_eq!(password.len(), 48);
    let again = shop.run(&["plan", "--format", "json"]).exits(0);
    let saved = fs::read_to_string(shop.path("saved.json")).expect("the plan");
    for (what, text) in [
        ("the plan", &planned.stdout),
        ("the plan's log", &planned.stderr),
        ("the events", &applied.stdout),
        ("the log", &applied.stderr),
        ("the next plan", &again.stdout),
        ("the saved plan", &saved),
    ] {
        assert!(!text.contains(&password), "{what} has the password");
    }
    assert!(applied.stderr.contains("CreateSecret"), "there was no log");
    let calls = account.calls_during(|_| shop.expect_no_changes()).1;
    assert!(calls.len() <= 38, "{} calls", calls.len());

    let primary = database(&mut account.raw, "ecommerce-user-db");
    assert_eq!(primary["MasterUserSecret"], Value::Null);
    assert_eq!(told(&mut account.raw, "DATABASE_SECRET_ARN"), arn);
    let replica = |raw: &mut Raw, n: u32| database(raw, &format!("ecommerce-user-db-replica-{n}"));
    let hosts = [1, 2].map(|n| {
        let found = replica(&mut account.raw, n);
        assert_eq!(found["ReadReplicaSourceDBInstanceIdentifier"], "ecommerce-user-db");
        assert_eq!(found["VpcSecurityGroups"], primary["VpcSecurityGroups"]);
        found["Endpoint"]["Address"].as_str().expect("text").to_owned()
    });
    assert_eq!(told(&mut account.raw, "DATABASE_REPLICA_HOSTS"), hosts.join(","));

    shop.edit(TWO, ONE);
    let calls = account.calls_during(|_| shop.apply()).1;
    assert_eq!(made(&calls), ["DeleteDBInstance"]);
    shop.expect_no_changes();
    assert_eq!(told(&mut account.raw, "DATABASE_REPLICA_HOSTS"), hosts[0]);

    shop.edit(ONE, USER);
    let calls = account.calls_during(|_| shop.apply()).1;
    assert_eq!(
        made(&calls),
        [
            "DeleteParameter",
            "DeleteDBInstance",
            "ModifyDBInstance",
            "PutRolePolicy",
            "DeleteSecret"
        ]
    );
    shop.expect_no_changes();
    let primary = database(&mut account.raw, "ecommerce-user-db");
    let arn = primary["MasterUserSecret"]["SecretArn"].as_str().expect("RDS keeps it again");
    assert_eq!(told(&mut account.raw, "DATABASE_SECRET_ARN"), arn);
    assert_eq!(secrets(&mut account.raw), [] as [String; 0]);

    shop.edit(USER, ONE);
    shop.apply();
    shop.destroy();
    Inventory::take(&mut account.raw).assert_same(&empty, "after destroy");
    assert_eq!(secrets(&mut account.raw), [] as [String; 0]);
    shop.apply();
    shop.expect_no_changes();
}

fn killed_around_the_change_of_password_it_goes_on(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.apply();
    shop.edit(USER, ONE);
    let modified =
        |calls: &[Call]| calls.iter().filter(|call| call.operation == "ModifyDBInstance").count();
    for last in
        ["CreateSecret", "GetSecretValue", "ModifyDBInstance", "CreateDBInstanceReadReplica"]
    {
        let before = account.calls().len();
        shop.apply_until(|| account.calls()[before..].iter().any(|call| call.operation == last));
    }
    shop.apply();
    shop.expect_no_changes();
    let calls = account.calls();
    assert!(modified(&calls) >= 1, "its password was given to RDS");
    let made = calls.iter().filter(|call| call.operation == "CreateSecret").count();
    assert!(made >= 1);
    assert_eq!(secrets(&mut account.raw), [SECRET]);
    let (arn, _) = secret(&mut account.raw);
    assert_eq!(told(&mut account.raw, "DATABASE_SECRET_ARN"), arn);
    let tags = database(&mut account.raw, "ecommerce-user-db")["TagList"].clone();
    let own = json!({"Key": "ecdeploy:secret", "Value": arn});
    assert!(each(&tags).any(|tag| *tag == own), "{tags}");
}

/// The console deletes with days in which a secret can be restored, and keeps its name for as long.
fn a_secret_that_somebody_deleted_is_restored(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.edit(USER, ONE);
    shop.apply();
    let before = secret(&mut account.raw);
    let days = json!({"SecretId": SECRET, "RecoveryWindowInDays": 7});
    account.raw.call("secretsmanager", "delete_secret", days);
    shop.run(&["plan", "--detailed-exitcode"]).exits(2).says("secret.user  create");

    let calls = account.calls_during(|_| shop.apply()).1;

    // Which secret it would be, nobody knew when it was planned.
    let restored = ["CreateSecret", "RestoreSecret", "ModifyDBInstance", "PutRolePolicy"];
    assert_eq!(made(&calls), restored);
    assert_eq!(secret(&mut account.raw), before);
    shop.expect_no_changes();
}
