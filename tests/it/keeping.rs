//! On the wire: what moves to another address stays what it is, and what is protected stays.

use serde_json::json;

use crate::drawn::Drawn;
use crate::emulator::Emulator;
use crate::inventory::{Inventory, each};
use crate::product::Shop;

on_each_emulator!(
    a_moved_database_is_the_same_database,
    a_protected_database_survives_the_removal_of_its_block,
);

const USES: &str = "uses      = [\"database.user\", \"cache.redis\"]";

fn a_moved_database_is_the_same_database(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.apply();
    let before = Inventory::take(&mut account.raw);
    shop.edit(USES, &USES.replace("database.user", "database.account"));
    shop.edit(
        "[database.user]\n",
        "[database.account]\nidentifier = \"ecommerce-user-db\"\ndb_name = \"user_db\"\n\n\
         [[moved]]\nfrom = \"database.user\"\nto = \"database.account\"\n\n",
    );
    shop.run(&["plan"]).exits(0).says("moved from db_instance.user");

    let (_, calls) = account.calls_during(|_| shop.apply());

    let changing: Vec<&str> =
        calls.iter().filter(|call| call.changes()).map(|call| call.operation.as_str()).collect();
    assert_eq!(changing, ["AddTagsToResource"]);
    let after = Inventory::take(&mut account.raw);
    let (old, new) = (Drawn::in_account(&before), Drawn::in_account(&after));
    let (old, new) = (old.at("db_instance.user"), new.at("db_instance.account"));
    assert_eq!(old.id, new.id);
    assert_eq!(old.facts["InstanceCreateTime"], new.facts["InstanceCreateTime"]);
    assert_eq!(new.tags["Name"], "ecommerce-account");
    shop.expect_no_changes();
}

fn a_protected_database_survives_the_removal_of_its_block(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.edit("[database.user]\n", "[database.user]\nprotect = true\n");
    shop.edit("[load_balancer]\n", "[load_balancer]\nprotect = true\n");
    // ministack can't change an instance.
    let machines = emulator == Emulator::Moto;
    if machines {
        shop.edit("[service.gateway]\n", "[service.gateway]\nprotect = true\n");
    }
    shop.apply();
    let (_, calls) = account.calls_during(|_| shop.expect_no_changes());
    assert!(calls.len() <= 40, "{} calls: {calls:?}", calls.len());
    let inventory = Inventory::take(&mut account.raw);
    let drawn = Drawn::in_account(&inventory);
    let database = drawn.at("db_instance.user");
    assert_eq!(database.tags["ecdeploy:protected"], "true");
    assert_eq!(database.facts["DeletionProtection"], json!(true));
    let of = json!({"LoadBalancerArn": drawn.at("load_balancer.main").id});
    let attributes = account.raw.elb("describe_load_balancer_attributes", of);
    let own = json!({"Key": "deletion_protection.enabled", "Value": "true"});
    assert!(each(&attributes["Attributes"]).any(|found| *found == own), "{attributes}");
    if machines {
        let of = json!({"InstanceId": drawn.at("instance.gateway-1").id, "Attribute": "disableApiTermination"});
        let told = account.raw.ec2("describe_instance_attribute", of);
        assert_eq!(told["DisableApiTermination"]["Value"], json!(true), "{told}");
    }

    shop.edit("[database.user]\nprotect = true\n", "");
    shop.edit(USES, "uses      = [\"cache.redis\"]");
    for command in [&["plan"][..], &["apply", "-y"]] {
        shop.run(command).says("db_instance.user (ecommerce-user-db)").fails_plainly();
    }
    shop.run(&["destroy", "-y"]).says("load_balancer.main (arn:").fails_plainly();
    Inventory::take(&mut account.raw).assert_same(&inventory, "after what was refused");

    shop.run(&["apply", "-y", "--lift-protection"]).exits(0).says("its protection is lifted");
    shop.expect_no_changes();
    shop.run(&["destroy", "-y", "--lift-protection"]).exits(0);
    assert_eq!(Inventory::take(&mut account.raw).of_topology("ecommerce").len(), 0);
}
