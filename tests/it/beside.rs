//! What does not bear our tags: left alone by every verb, whatever it is called and wherever it stands.

use serde_json::{Value, json};

use crate::drawn::Drawn;
use crate::emulator::{Account, Emulator};
use crate::inventory::Inventory;
use crate::product::Shop;
use crate::raw::Raw;

on_each_emulator!(what_is_not_ours_is_left_alone, a_second_topology_beside_ours_is_left_alone,);

fn what_is_not_ours_is_left_alone(emulator: Emulator) {
    let mut account = emulator.lend();
    untagged_network(&mut account.raw);
    let alone = Inventory::take(&mut account.raw);
    let shop = Shop::on(&account);

    shop.apply();
    let beside = Inventory::take(&mut account.raw).beside("ecommerce");
    without_our_helpers(&beside, &alone).assert_same(&alone, "after apply");
    strangers_in_our_vpc(&mut account.raw);
    shop.expect_no_changes();
    shop.edit("interval = 30", "interval = 20");
    shop.apply();
    let all = Inventory::take(&mut account.raw);
    without_our_helpers(&all.beside("ecommerce"), &alone).assert_same(&alone, "after a change");
    remove_strangers(&mut account.raw);

    shop.destroy();

    Inventory::take(&mut account.raw).assert_same(&alone, "after destroy");
}

fn a_second_topology_beside_ours_is_left_alone(emulator: Emulator) {
    let mut account = emulator.lend();
    let ours = Shop::on(&account);
    let theirs = second(&account);
    theirs.apply();
    let before = Inventory::take(&mut account.raw);

    ours.apply();

    let both = Inventory::take(&mut account.raw);
    Drawn::in_account(&both).assert_complete();
    assert_eq!(both.of_topology("second").len(), both.of_topology("ecommerce").len());
    theirs.expect_no_changes();
    ours.expect_no_changes();

    ours.destroy();

    Inventory::take(&mut account.raw).assert_same(&before, "after ours was destroyed");
    theirs.expect_no_changes();
}

/// The drawn system again under another name, with the same addresses in every tag.
fn second(account: &Account) -> Shop {
    let shop = Shop::on(account);
    shop.edit("name    = \"ecommerce\"", "name    = \"second\"");
    shop.edit("\"ecommerce-alb\"", "\"second-alb\"");
    shop
}

const BLOCK: &str = "10.0.0.0/16";

/// A network that nobody tagged, with the very blocks and names of ours.
fn untagged_network(raw: &mut Raw) {
    let vpc = text(&raw.ec2("create_vpc", json!({"CidrBlock": BLOCK}))["Vpc"]["VpcId"]);
    let place =
        json!({"VpcId": vpc, "CidrBlock": "10.0.1.0/24", "AvailabilityZone": "ap-southeast-1a"});
    let subnet = text(&raw.ec2("create_subnet", place)["Subnet"]["SubnetId"]);
    launch(raw, &vpc, &subnet, "EC2-SG");
}

/// An instance and a group of somebody else inside our own VPC.
fn strangers_in_our_vpc(raw: &mut Raw) {
    let inventory = Inventory::take(raw);
    let drawn = Drawn::in_account(&inventory);
    let (vpc, subnet) = (&drawn.at("vpc.main").id, &drawn.at("subnet.public-1").id);
    launch(raw, vpc, subnet, STRANGER);
}

const STRANGER: &str = "stranger";

fn launch(raw: &mut Raw, vpc: &str, subnet: &str, name: &str) {
    let named = json!({"VpcId": vpc, "GroupName": name, "Description": name});
    let group = text(&raw.ec2("create_security_group", named)["GroupId"]);
    let images =
        json!({"Names": ["/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"]});
    let image = text(&raw.call("ssm", "get_parameters", images)["Parameters"][0]["Value"]);
    let machine = json!({
        "ImageId": image, "InstanceType": "t3.small", "MinCount": 1, "MaxCount": 1,
        "SubnetId": subnet, "SecurityGroupIds": [group],
    });
    raw.ec2("run_instances", machine);
}

/// Takes away what stands in our VPC and isn't ours, which destroy must not do, and without which it can't go.
fn remove_strangers(raw: &mut Raw) {
    let inventory = Inventory::take(raw);
    let group = inventory
        .of_kind("security_group")
        .into_iter()
        .find(|group| group.text("GroupName") == STRANGER);
    let group = &group.expect("the stranger's group is still there").id;
    let machines = inventory.of_kind("instance");
    let machine = machines
        .iter()
        .find(|machine| machine.facts["SecurityGroups"].to_string().contains(group.as_str()))
        .expect("the stranger's instance is still there");
    assert_eq!(machine.facts["State"]["Name"], "running");
    raw.ec2("terminate_instances", json!({"InstanceIds": [machine.id]}));
    raw.ec2("delete_security_group", json!({"GroupId": group}));
}

/// Leaves out what AWS made beside our resources, untagged, and what the strangers brought into our VPC.
fn without_our_helpers(now: &Inventory, before: &Inventory) -> Inventory {
    let mut rest = now.clone();
    rest.0.retain(|id, _| before.0.contains_key(id));
    rest
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}
