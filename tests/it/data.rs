//! Databases and the cache on the wire, on each emulator: changes that wait, changes at once, replicas.

use serde_json::{Value, json};

use crate::emulator::{Call, Emulator};
use crate::inventory::{Inventory, each};
use crate::product::Shop;
use crate::raw::Raw;

on_each_emulator!(
    a_change_waits_is_shown_as_pending_and_is_made_at_once_when_the_file_says_so,
    what_somebody_else_left_pending_is_taken_back,
    storage_that_would_shrink_is_refused_with_the_line,
    a_cache_gets_replicas_and_more_of_them,
);

const USER: &str = "[database.user]\n";

fn user(raw: &mut Raw) -> Value {
    let found =
        raw.rds("describe_db_instances", json!({"DBInstanceIdentifier": "ecommerce-user-db"}));
    found["DBInstances"][0].clone()
}

fn modifications(calls: &[Call]) -> usize {
    calls.iter().filter(|call| call.operation == "ModifyDBInstance").count()
}

fn a_change_waits_is_shown_as_pending_and_is_made_at_once_when_the_file_says_so(
    emulator: Emulator,
) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.apply();
    shop.edit(USER, "[database.user]\ninstance_class = \"db.t3.small\"\nmulti_az = false\n");
    shop.run(&["plan", "--detailed-exitcode"]).exits(2).says("waits for the maintenance window");

    shop.apply();

    let database = user(&mut account.raw);
    assert_eq!(database["DBInstanceClass"], "db.t3.micro");
    assert_eq!(database["PendingModifiedValues"]["DBInstanceClass"], "db.t3.small");
    let (_, calls) = account.calls_during(|_| {
        let pending = "instance_class db.t3.micro -> db.t3.small, multi_az true -> false";
        shop.run(&["plan", "--detailed-exitcode"])
            .exits(0)
            .says("db_instance.user  pending until the maintenance window ")
            .says(pending);
    });
    assert!(calls.len() <= 40, "{} calls", calls.len());
    let plan = shop.plan();
    assert_eq!(plan["pending"][0]["address"], "db_instance.user");
    assert_eq!(each(&plan["pending"][0]["fields"]).count(), 2);

    shop.edit("multi_az = false\n", "multi_az = false\napply_immediately = true\n");
    let (_, calls) = account.calls_during(|_| shop.apply());
    assert_eq!(modifications(&calls), 1);
    let database = user(&mut account.raw);
    assert_eq!(database["DBInstanceClass"], "db.t3.small");
    assert_eq!(database["MultiAZ"], false);
    shop.expect_no_changes();
    assert_eq!(shop.plan()["pending"], Value::Null);
}

fn what_somebody_else_left_pending_is_taken_back(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.apply();
    shop.edit(USER, "[database.user]\nmulti_az = false\n");
    shop.apply();
    let typed =
        json!({"DBInstanceIdentifier": "ecommerce-user-db", "DBInstanceClass": "db.t3.large"});
    account.raw.rds("modify_db_instance", typed);

    shop.run(&["plan", "--detailed-exitcode"]).exits(2).says("drift");
    shop.apply();

    shop.expect_no_changes();
    let database = user(&mut account.raw);
    assert_eq!(database["DBInstanceClass"], "db.t3.micro");
    assert_eq!(database["MultiAZ"], true);
    let waits = &database["PendingModifiedValues"];
    assert_eq!((&waits["DBInstanceClass"], &waits["MultiAZ"]), (&Value::Null, &json!(false)));
}

fn storage_that_would_shrink_is_refused_with_the_line(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.edit("allocated_storage = 20", "allocated_storage = 40");
    shop.apply();
    shop.edit("allocated_storage = 40", "allocated_storage = 20");
    let text = std::fs::read_to_string(shop.path("topology.toml")).expect("the topology");
    let line = text.lines().position(|line| line.starts_with("allocated_storage")).unwrap() + 1;

    let (ran, calls) = account.calls_during(|_| shop.run(&["apply", "-y"]));

    let ran =
        ran.fails_at_its_place().says("storage can't shrink: it has 40 GiB, the file says 20");
    ran.says(&format!("topology.toml:{line}:21")).says("allocated_storage = 40");
    assert!(!calls.iter().any(Call::changes), "{calls:?}");
}

fn a_cache_gets_replicas_and_more_of_them(emulator: Emulator) {
    let mut account = emulator.lend();
    let empty = Inventory::take(&mut account.raw);
    let shop = Shop::on(&account);
    shop.apply();
    shop.edit("zone            = \"a\"\n", "zone = \"a\"\nreplicas = 1\n");
    shop.run(&["plan"]).exits(0).says("takes over from cache_cluster.redis");

    shop.apply();

    let (_, calls) = account.calls_during(|_| shop.expect_no_changes());
    assert!(calls.len() <= 41, "{} calls", calls.len());
    let group = group(&mut account.raw);
    assert_eq!(group["AutomaticFailover"], "enabled");
    assert_eq!(group["MultiAZ"], "enabled");
    assert_eq!(nodes(&mut account.raw), ["ecommerce-redis-rg-001", "ecommerce-redis-rg-002"]);
    let named = json!({"Name": "/ecommerce/user/REDIS_HOST"});
    let told = account.raw.call("ssm", "get_parameter", named);
    let primary = &group["NodeGroups"][0]["PrimaryEndpoint"]["Address"];
    assert_eq!(&told["Parameter"]["Value"], primary);

    shop.edit("cache.t3.micro", "cache.t3.small");
    shop.edit("replicas = 1", "replicas = 2");
    let (_, calls) = account.calls_during(|_| shop.apply());
    let made: Vec<&str> = calls
        .iter()
        .filter(|call| call.changes() && call.operation != "AddTagsToResource")
        .map(|call| call.operation.as_str())
        .collect();
    assert_eq!(made, ["IncreaseReplicaCount", "ModifyReplicationGroup"]);
    shop.expect_no_changes();
    assert_eq!(nodes(&mut account.raw).len(), 3);

    shop.edit("replicas = 2", "replicas = 1");
    shop.apply();
    shop.expect_no_changes();
    assert_eq!(nodes(&mut account.raw).len(), 2);

    shop.destroy();
    Inventory::take(&mut account.raw).assert_same(&empty, "after destroy");
    assert_eq!(nodes(&mut account.raw), [] as [String; 0]);
}

fn group(raw: &mut Raw) -> Value {
    let named = json!({"ReplicationGroupId": "ecommerce-redis-rg"});
    let found = raw.call("elasticache", "describe_replication_groups", named);
    found["ReplicationGroups"][0].clone()
}

/// Every node of Redis in the account, alone or in a group.
fn nodes(raw: &mut Raw) -> Vec<String> {
    let found = raw.call("elasticache", "describe_cache_clusters", json!({}));
    let ids = each(&found["CacheClusters"]).filter_map(|node| node["CacheClusterId"].as_str());
    let mut ids: Vec<String> = ids.map(str::to_owned).collect();
    ids.sort();
    ids
}
