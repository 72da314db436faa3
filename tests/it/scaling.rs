//! `ecdeploy scale`: the file keeps its author's hand, and the account follows.

use std::fs;

use crate::drawn::Drawn;
use crate::emulator::Emulator;
use crate::inventory::Inventory;
use crate::product::{Ran, Shop};

on_each_emulator!(a_service_is_scaled_out_and_in);

fn a_service_is_scaled_out_and_in(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.apply();
    let before = Inventory::take(&mut account.raw);

    let ran = shop.run(&["scale", "-y", "user=4", "order=3"]).exits(0);

    ran.says("topology.toml:").says("+ count     = 4").says("+ instance.user-4");
    let after = Inventory::take(&mut account.raw);
    let added = ["instance.order-3", "instance.user-3", "instance.user-4"];
    assert_eq!(after.moved(&before, "ecommerce"), added.map(str::to_owned).into());
    let zone = |address: &str| {
        let facts = &Drawn::in_account(&after).at(address).facts;
        facts["Placement"]["AvailabilityZone"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(zone("instance.user-3"), "ap-southeast-1a");
    assert_eq!(zone("instance.user-4"), "ap-southeast-1b");
    shop.expect_no_changes();

    shop.run(&["scale", "-y", "user=2", "order=2"]).exits(0).says("- instance.user-3");

    Drawn::in_account(&Inventory::take(&mut account.raw)).assert_complete();
    shop.expect_no_changes();
}

#[test]
fn the_file_keeps_its_comments_order_and_form() {
    let shop = sandbox();
    let before = file(&shop);
    scale(&shop, &["-y", "user=4", "frontend=3"]).exits(0);
    let expected = before
        .replace("max_count = 10\n", "count     = 4\nmax_count = 10\n")
        .replace("port         = 3000\n", "port         = 3000\ncount        = 3\n");
    assert_eq!(file(&shop), expected);
    scale(&shop, &["-y", "user=5"]).exits(0).says("- count     = 4").says("+ count     = 5");
    assert_eq!(file(&shop), expected.replace("count     = 4", "count     = 5"));
    scale(&shop, &["-y", "user=5"])
        .exits(0)
        .says("topology.toml says so already")
        .says("No changes");
}

#[test]
fn what_the_file_says_already_is_not_written_again() {
    let shop = sandbox();
    shop.run(&["apply", "-y", "--sandbox", "--sandbox-speed", "1000000"]).exits(0);
    let before = file(&shop);
    scale(&shop, &["user=2"]).exits(0).says("topology.toml says so already").says("No changes");
    assert_eq!(file(&shop), before);
}

#[test]
fn without_a_yes_the_file_is_as_it_was() {
    let shop = sandbox();
    let before = file(&shop);
    scale(&shop, &["user=4"]).exits(1).says("+ count     = 4").says("nothing was changed");
    assert_eq!(file(&shop), before);
}

#[test]
fn what_can_not_be_is_refused_before_anything_is_touched() {
    let shop = sandbox();
    let before = file(&shop);
    let line = 1 + before.lines().position(|line| line == "max_count = 10").unwrap();
    let refused = |arguments: &[&str], says: &[&str]| {
        let ran = says.iter().fold(scale(&shop, arguments).exits(1), |ran, text| ran.says(text));
        ran.fails_plainly();
    };
    let place = format!("topology.toml:{line}: user runs 2 to 10 instances, not 11");
    refused(&["-y", "user=11"], &[&place, "max_count"]);
    refused(&["-y", "order=3", "user=1"], &["user runs 2 to 10 instances, not 1", "min_count"]);
    refused(&["-y", "usr=4"], &["there is no service `usr`", "did you mean `user`?"]);
    refused(&["-y", "user=3", "user=4"], &["named twice"]);
    scale(&shop, &["-y", "user"]).exits(1).says("user=4");
    scale(&shop, &["-y", "user=many"]).exits(1).says("user=4");
    assert_eq!(file(&shop), before);
    shop.edit("max_count = 10", "max_count = 10\ncount     = \"${var.users}\"\n\n[variable.users]\ndefault = 2\n[service.user.process]\nworkers = 2");
    shop.edit("uses      = [\"database.user\", \"cache.redis\"]\nroutes    = [{ priority = 1, path = \"/api/users/*\" }, { priority = 2, path = \"/api/auth/*\" }]\n", "");
    refused(&["-y", "user=4"], &["\"${var.users}\"", "--var NAME=VALUE"]);
}

/// The drawn system on a simulated account.
fn sandbox() -> Shop {
    Shop::at("http://127.0.0.1:9")
}

fn scale(shop: &Shop, arguments: &[&str]) -> Ran {
    let sandbox = ["scale", "--sandbox", "--sandbox-speed", "1000000"];
    shop.run(&[&sandbox, arguments].concat())
}

fn file(shop: &Shop) -> String {
    fs::read_to_string(shop.path("topology.toml")).expect("the topology")
}
