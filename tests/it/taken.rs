//! Names that something has already which nobody here manages: the plan finds each of them on the wire, and nothing is
//! changed.

use serde_json::{Value, json};

use crate::drawn::Drawn;
use crate::emulator::{Account, Call, Emulator};
use crate::inventory::Inventory;
use crate::product::{Ran, Shop};

on_each_emulator!(
    names_that_others_have_are_told_before_anything_is_made,
    what_others_have_put_into_our_network_is_told_before_it_is_in_the_way,
    the_names_that_copies_bring_along_are_looked_for_too,
);

/// The plan and the apply, both refused, without a change.
fn refused(account: &mut Account, shop: &Shop) -> Ran {
    let (ran, calls) = account.calls_during(|_| shop.run(&["apply", "-y"]).exits(1));
    assert!(!calls.iter().any(Call::changes), "{calls:?}");
    let ran = ran.says(" errors in topology.toml");
    let planned = shop.run(&["plan"]).exits(1);
    assert_eq!(planned.stderr, ran.stderr);
    ran
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

fn names_that_others_have_are_told_before_anything_is_made(emulator: Emulator) {
    let mut account = emulator.lend();
    let raw = &mut account.raw;
    let vpc = text(&raw.ec2("create_vpc", json!({"CidrBlock": "10.9.0.0/16"}))["Vpc"]["VpcId"]);
    let subnets: Vec<String> = [("10.9.1.0/24", "a"), ("10.9.2.0/24", "b")]
        .map(|(block, zone)| {
            let zone = format!("ap-southeast-1{zone}");
            let asked = json!({"VpcId": vpc, "CidrBlock": block, "AvailabilityZone": zone});
            text(&raw.ec2("create_subnet", asked)["Subnet"]["SubnetId"])
        })
        .into();
    raw.elb("create_load_balancer", json!({"Name": "ecommerce-alb", "Subnets": subnets}));
    let group =
        json!({"Name": "ecommerce-user-3001", "Protocol": "HTTP", "Port": 3001, "VpcId": vpc});
    raw.elb("create_target_group", group);
    let trust = json!({"Version": "2012-10-17", "Statement": []}).to_string();
    let name = "ecommerce-order-ap-southeast-1";
    raw.call("iam", "create_role", json!({"RoleName": name, "AssumeRolePolicyDocument": trust}));
    raw.call("iam", "create_instance_profile", json!({"InstanceProfileName": name}));
    let parameter = json!({"Name": "/ecommerce/user/PORT", "Value": "1", "Type": "String"});
    raw.call("ssm", "put_parameter", parameter);
    let described = "somebody else's";
    raw.rds("create_db_subnet_group", json!({
        "DBSubnetGroupName": "ecommerce-main", "DBSubnetGroupDescription": described, "SubnetIds": subnets,
    }));
    raw.rds("create_db_instance", json!({
        "DBInstanceIdentifier": "ecommerce-payment-db", "Engine": "postgres", "DBInstanceClass": "db.t3.micro",
        "AllocatedStorage": 20, "MasterUsername": "shop", "MasterUserPassword": "somebody-elses",
    }));
    raw.call("elasticache", "create_cache_subnet_group", json!({
        "CacheSubnetGroupName": "ecommerce-redis", "CacheSubnetGroupDescription": described, "SubnetIds": subnets,
    }));
    raw.call("elasticache", "create_cache_cluster", json!({
        "CacheClusterId": "ecommerce-redis", "Engine": "redis", "CacheNodeType": "cache.t3.micro", "NumCacheNodes": 1,
    }));
    let shop = Shop::on(&account);

    let ran = refused(&mut account, &shop);

    for address in [
        "load_balancer.main",
        "target_group.user",
        "iam_role.order",
        "instance_profile.order",
        "ssm_parameter.user/PORT",
        "db_subnet_group.main",
        "db_instance.payment",
        "cache_subnet_group.redis",
        "cache_cluster.redis",
    ] {
        assert!(ran.stderr.contains(&format!("error: {address} can't have ")), "{address}: {ran}");
    }
    ran.says("9 errors").says("ecdeploy adopt db_instance.payment ecommerce-payment-db");
}

fn what_others_have_put_into_our_network_is_told_before_it_is_in_the_way(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.apply();
    let inventory = Inventory::take(&mut account.raw);
    let at = |address: &str| Drawn::in_account(&inventory).at(address).id.clone();
    let (vpc, balancer) = (at("vpc.main"), at("load_balancer.main"));
    let (listener, group) = (at("listener.http"), at("target_group.user"));
    let raw = &mut account.raw;
    raw.ec2("create_subnet", json!({"VpcId": vpc, "CidrBlock": "10.0.20.0/25"}));
    let asked = json!({"VpcId": vpc, "GroupName": "workers", "Description": "somebody else's"});
    raw.ec2("create_security_group", asked);
    let forward = json!([{"Type": "forward", "TargetGroupArn": group}]);
    let path = json!([{"Field": "path-pattern", "Values": ["/theirs/*"]}]);
    raw.elb(
        "create_rule",
        json!({
            "ListenerArn": listener, "Priority": 9, "Conditions": path, "Actions": forward,
        }),
    );
    raw.elb(
        "create_listener",
        json!({
            "LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": 81, "DefaultActions": forward,
        }),
    );
    shop.expect_no_changes();

    shop.edit(
        "[subnet]\n",
        "[subnet]\npublic-3 = { cidr_block = \"10.0.20.0/24\", zone = \"c\" }\n",
    );
    shop.edit(
        "[security_group.rds]",
        "[security_group.workers]\nname = \"workers\"\n\n[security_group.rds]",
    );
    shop.edit(
        "default_service = \"frontend\"\n",
        "default_service = \"frontend\"\nlistener = { port = 81 }\n",
    );
    shop.edit("{ port = 80, from", "{ port = 81, from");
    shop.edit("[{ priority = 8,", "[{ priority = 9, path = \"/search/*\" }, { priority = 8,");
    let ran = refused(&mut account, &shop);
    for said in [
        "subnet.public-3 can't have the cidr_block `10.0.20.0/24`",
        "security_group.workers can't have the name `workers`",
        "listener_rule.search can't have the priority `9`",
        "listener.http can't have the port `81`",
        "4 errors",
    ] {
        assert!(ran.stderr.contains(said), "{said}: {ran}");
    }
}

/// A database with replicas has a secret of its own, and a cache with some is a replication group.
fn the_names_that_copies_bring_along_are_looked_for_too(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.edit("[database.user]\n", "[database.user]\nreplicas = 1\n");
    shop.edit("zone            = \"a\"\n", "zone = \"a\"\nreplicas = 1\n");
    let plan = shop.plan();
    let changes = plan["changes"].as_array().expect("changes").iter();
    let group = changes.filter(|change| change["address"] == "replication_group.redis");
    let ids: Vec<String> = group.map(|one| text(&one["after"]["replication_group_id"])).collect();
    let raw = &mut account.raw;
    let named = "ecommerce-user-db/master";
    let secret = json!({"Name": named, "SecretString": "somebody else's"});
    raw.call("secretsmanager", "create_secret", secret);
    raw.call(
        "elasticache",
        "create_replication_group",
        json!({
            "ReplicationGroupId": ids[0], "ReplicationGroupDescription": "somebody else's",
            "Engine": "redis", "CacheNodeType": "cache.t3.micro", "NumCacheClusters": 2,
        }),
    );

    let ran = refused(&mut account, &shop);

    ran.says("secret.user can't have the name `ecommerce-user-db/master`")
        .says("replication_group.redis can't have the replication_group_id")
        .says("2 errors");
}
