//! Saved plans: carried out exactly as saved, or refused when what they rest on has moved.

use std::fs;

use serde_json::json;

use crate::drawn::Drawn;
use crate::emulator::{Account, Emulator};
use crate::inventory::Inventory;
use crate::product::{Ran, Shop};

const FILE: &str = "shop.plan";

on_each_emulator!(
    a_saved_plan_is_carried_out,
    a_plan_whose_account_moved_is_refused,
    a_plan_whose_file_moved_is_refused,
    a_plan_that_was_carried_out_is_refused,
);

fn a_saved_plan_is_carried_out(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    save(&shop);

    apply_saved(&shop).exits(0);

    Drawn::in_account(&Inventory::take(&mut account.raw)).assert_complete();
    shop.expect_no_changes();
}

fn a_plan_whose_account_moved_is_refused(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = applied_and_edited(&account);
    save(&shop);
    let inventory = Inventory::take(&mut account.raw);
    let group = &Drawn::in_account(&inventory).at("security_group.rds").id;
    let rule = json!({"IpProtocol": "tcp", "FromPort": 9, "ToPort": 9, "IpRanges": [{"CidrIp": "198.51.100.0/24"}]});
    account.raw.ec2(
        "authorize_security_group_ingress",
        json!({"GroupId": group, "IpPermissions": [rule]}),
    );

    assert_refused(&mut account, &shop, "security_group.rds");
}

fn a_plan_whose_file_moved_is_refused(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = applied_and_edited(&account);
    save(&shop);
    shop.edit("interval = 20", "interval = 25");

    assert_refused(&mut account, &shop, "topology");
}

fn a_plan_that_was_carried_out_is_refused(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = applied_and_edited(&account);
    save(&shop);
    apply_saved(&shop).exits(0);

    assert_refused(&mut account, &shop, "target_group.");
}

/// The drawn system, and a topology that has moved on.
fn applied_and_edited(account: &Account) -> Shop {
    let shop = Shop::on(account);
    shop.apply();
    shop.edit("interval = 30", "interval = 20");
    shop
}

fn save(shop: &Shop) {
    shop.run(&["plan", "--out", FILE]).exits(0).says(FILE);
    assert!(fs::metadata(shop.path(FILE)).is_ok_and(|file| file.len() > 0));
}

fn apply_saved(shop: &Shop) -> Ran {
    shop.bare(&["apply", "-y", FILE])
}

#[track_caller]
fn assert_refused(account: &mut Account, shop: &Shop, what_moved: &str) {
    let (ran, calls) = account.calls_during(|_| apply_saved(shop));
    ran.exits(1).says(what_moved).says("nothing was changed");
    assert!(!calls.iter().any(crate::emulator::Call::changes), "{calls:?}");
}

#[test]
fn what_is_to_be_run_next_is_told_with_the_flags_that_were_given() {
    let shop = Shop::at("http://127.0.0.1:9");
    fs::copy(shop.path("topology.toml"), shop.path("my shop.toml")).expect("the topology");
    let given = ["-f", "my shop.toml", "--var", "admin_cidr=203.0.113.0/24", "--sandbox"];
    let run = |arguments: &[&str]| shop.bare(&[arguments, &given].concat());
    let flags = "-f 'my shop.toml' --var admin_cidr=203.0.113.0/24 --sandbox";
    let told =
        format!("To carry it out: ecdeploy apply {flags} (or save it first with --out FILE)");
    run(&["plan"]).exits(0).says(&told);
    let status = run(&["status"]).exits(6).stdout.replace('\n', " ");
    assert!(status.contains(&format!("ecdeploy apply {flags} ")), "{status}");
    let part = run(&["plan", "--only", "service.user", "--lift-protection"]).exits(0);
    part.says(&format!("ecdeploy apply {flags} --only service.user --lift-protection (or"));
    run(&["plan", "--sandbox-speed", "100000"])
        .exits(0)
        .says(&format!("ecdeploy apply {flags} --sandbox-speed 100000 (or"));

    // It has the rest in it.
    run(&["plan", "--out", "shop's plan"])
        .exits(0)
        .says("To carry out exactly this: ecdeploy apply 'shop'\\''s plan' --sandbox\n");
    shop.bare(&["apply", "shop's plan"])
        .exits(1)
        .says("carry it out there: ecdeploy apply 'shop'\\''s plan' --sandbox\n");
    run(&["apply", "-y", "--sandbox-speed", "100000"]).exits(0);
    run(&["plan", "--destroy"])
        .exits(0)
        .says(&format!("To carry it out: ecdeploy destroy {flags} (or"));
}
