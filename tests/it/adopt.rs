//! `ecdeploy adopt`: what somebody made by hand comes under management as it is, and nothing else does.

use std::fs;

use serde_json::{Value, json};

use crate::drawn::Drawn;
use crate::emulator::{Call, Emulator};
use crate::inventory::Inventory;
use crate::product::{Ran, Shop};

on_each_emulator!(a_vpc_made_by_hand_is_adopted, a_target_group_made_by_hand_is_adopted);

fn a_vpc_made_by_hand_is_adopted(emulator: Emulator) {
    let mut account = emulator.lend();
    let made = account.raw.ec2("create_vpc", json!({"CidrBlock": "10.0.0.0/16"}));
    let id = made["Vpc"]["VpcId"].as_str().expect("a VPC").to_owned();
    let shop = Shop::on(&account);

    let (ran, calls) = account.calls_during(|_| shop.run(&["adopt", "vpc.main", &id]));
    ran.exits(1).says("enable_dns_hostnames  false -> true").says("nothing was changed");
    assert!(!calls.iter().any(Call::changes), "{calls:?}");
    let (_, calls) = account.calls_during(|_| shop.run(&["adopt", "-y", "vpc.main", &id]).exits(0));
    let changing: Vec<&str> =
        calls.iter().filter(|call| call.changes()).map(|call| call.operation.as_str()).collect();
    assert_eq!(changing, ["CreateTags"]);

    shop.run(&["adopt", "-y", "vpc.main", &id]).exits(0).says("already");
    shop.apply();
    let inventory = Inventory::take(&mut account.raw);
    Drawn::in_account(&inventory).assert_complete();
    assert_eq!(Drawn::in_account(&inventory).at("vpc.main").id, id);
    shop.expect_no_changes();
}

fn a_target_group_made_by_hand_is_adopted(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.apply();
    let inventory = Inventory::take(&mut account.raw);
    let vpc = &Drawn::in_account(&inventory).at("vpc.main").id;
    let made = account.raw.elb(
        "create_target_group",
        json!({"Name": "ecommerce-search-3006", "Protocol": "HTTP", "Port": 3006, "VpcId": vpc}),
    );
    let id = made["TargetGroups"][0]["TargetGroupArn"].as_str().expect("its ARN").to_owned();
    let search =
        "[service.search]\nport = 3006\nroutes = [{ priority = 9, path = \"/search/*\" }]\n\n";
    shop.edit("[service.frontend]", &format!("{search}[service.frontend]"));

    let ran = shop.run(&["adopt", "-y", "target_group.search", &id]).exits(0);

    ran.says("health_check_path").says("-> /health").says("changes this in place");
    shop.apply();
    let inventory = Inventory::take(&mut account.raw);
    let group = Drawn::in_account(&inventory).at("target_group.search");
    assert_eq!((group.id.as_str(), group.text("HealthCheckPath")), (id.as_str(), "/health"));
    shop.expect_no_changes();
}

#[test]
fn what_would_not_fit_is_told_before() {
    let shop = by_hand(&["vpc.main"]);
    shop.edit("cidr_block = \"10.0.0.0/16\"", "cidr_block = \"10.0.0.0/17\"");
    let id = id_of(&shop, "vpc");
    adopt(&shop, "vpc.main", &id)
        .exits(0)
        .says("cidr_block  10.0.0.0/16 -> 10.0.0.0/17  forces replacement")
        .says("would put another in its stead, because of cidr_block");
}

#[test]
fn what_is_as_the_topology_says_is_adopted_and_is_then_like_all_the_rest() {
    let shop = by_hand(&["vpc.main", "db_instance.user", "instance.user-1"]);
    let (vpc, instance) = (id_of(&shop, "vpc"), id_of(&shop, "instance"));
    adopt(&shop, "vpc.main", &vpc).exits(0).says("as the topology says").says("from now on");
    adopt(&shop, "db_instance.user", "ecommerce-user-db").exits(0).says("as the topology says");
    adopt(&shop, "instance.user-1", &instance).exits(0).says("as the topology says");
    sandboxed(&shop, &["plan"]).exits(0).says("No changes");
}

#[test]
fn nothing_is_adopted_that_is_not_free_or_not_wanted() {
    let shop = by_hand(&["vpc.main", "target_group.user"]);
    let (vpc, group) = (id_of(&shop, "vpc"), id_of(&shop, "target_group"));
    let refused = |address: &str, id: &str, says: &str, hint: &str| {
        adopt(&shop, address, id).exits(1).says(says).says(hint).fails_plainly();
    };
    refused("vpc.man", &vpc, "asks for no vpc.man", "did you mean `vpc.main`?");
    refused("bucket.assets", &vpc, "asks for no bucket.assets", "write its block first");
    refused("vpc", &vpc, "`vpc` is not an address", "instance.user-1");
    refused("vpc.main", "vpc-0", "there is no vpc vpc-0", "looks like vpc-");
    refused("vpc.main", &group, "there is no vpc arn:", "looks like vpc-");
    refused("instance.user-1", &group, "instance.user-1 is i-", "another key");
    refused("iam_role.user", "a-role", "not adopted", "let apply make it");
    let rule = id_of_bearing(&shop, "target_group.order");
    refused("target_group.user", &rule, "is managed already, as target_group.order", "[[moved]]");
    rewrite(&shop, |object| {
        if object["id"] == json!(vpc) {
            object["tags"] = json!({"ecdeploy:topology": "blog", "ecdeploy:address": "vpc.main"});
        }
    });
    refused("vpc.main", &vpc, "belongs to the topology `blog`, as vpc.main", "two topologies");
}

/// The drawn system on a simulated account in which these resources bear no tags, as if made by hand.
fn by_hand(addresses: &[&str]) -> Shop {
    let shop = Shop::at("http://127.0.0.1:9");
    sandboxed(&shop, &["apply", "-y"]).exits(0);
    rewrite(&shop, |object| {
        let address = object["tags"]["ecdeploy:address"].as_str().unwrap_or_default();
        if addresses.contains(&address) {
            object["tags"] = json!({});
        }
    });
    shop
}

fn adopt(shop: &Shop, address: &str, id: &str) -> Ran {
    sandboxed(shop, &["adopt", "-y", address, id])
}

fn sandboxed(shop: &Shop, arguments: &[&str]) -> Ran {
    shop.run(&[arguments, &["--sandbox", "--sandbox-speed", "1000000"]].concat())
}

fn kept(shop: &Shop) -> (std::path::PathBuf, Value) {
    let path = shop.path(".ecdeploy/123456789012-ap-southeast-1.json");
    let text = fs::read_to_string(&path).expect("the simulated account");
    (path, serde_json::from_str(&text).expect("JSON"))
}

fn rewrite(shop: &Shop, edit: impl Fn(&mut Value)) {
    let (path, mut kept) = kept(shop);
    let objects = kept["account"]["objects"].as_object_mut().expect("objects");
    objects.values_mut().for_each(edit);
    fs::write(path, kept.to_string()).expect("the simulated account");
}

/// The id of what bears no tags.
fn id_of(shop: &Shop, kind: &str) -> String {
    find(shop, |object| object["kind"] == kind && object["tags"] == json!({}))
}

fn id_of_bearing(shop: &Shop, address: &str) -> String {
    find(shop, |object| object["tags"]["ecdeploy:address"] == address)
}

fn find(shop: &Shop, wanted: impl Fn(&Value) -> bool) -> String {
    let (_, kept) = kept(shop);
    let objects = kept["account"]["objects"].as_object().expect("objects");
    let found = objects.values().find(|object| wanted(object)).expect("such an object");
    found["id"].as_str().expect("an id").to_owned()
}
