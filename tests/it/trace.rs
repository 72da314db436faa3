//! `ecdeploy trace` as people run it: through the file, the sandbox, and both emulators.

use serde_json::{Value, json};

use crate::drawn::Drawn;
use crate::emulator::Emulator;
use crate::inventory::Inventory;
use crate::product::{Ran, Shop};

on_each_emulator!(the_account_is_walked_as_it_is);

/// A shop whose account nobody must ask: nothing answers there.
fn offline() -> Shop {
    Shop::at("http://127.0.0.1:9")
}

const REGISTER: &str = "/api/auth/register";
/// A group that lets nothing out closes the way to cache and database.
const OPEN: &str = "name    = \"EC2-SG\"\n";
const SHUT: &str = "name    = \"EC2-SG\"\negress  = [{ port = 443, to = \"0.0.0.0/0\" }]\n";

#[track_caller]
fn data(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}\n{ran}"))
}

#[test]
fn a_registration_through_the_file() {
    let ran = offline().run(&["trace", REGISTER]).exits(0);
    insta::assert_snapshot!(ran.stdout);
    assert_eq!(ran.stderr, "", "{ran}");
}

#[test]
fn a_path_that_no_rule_claims() {
    insta::assert_snapshot!(offline().run(&["trace", "/about?from=mail"]).exits(0).stdout);
}

#[test]
fn a_way_that_is_closed() {
    let shop = offline();
    shop.edit(OPEN, SHUT);
    insta::assert_snapshot!(shop.run(&["trace", REGISTER]).exits(1).stdout);
}

#[test]
fn every_way_through_the_file() {
    insta::assert_snapshot!(offline().run(&["trace", "--all"]).exits(0).stdout);
}

#[test]
fn every_way_where_some_are_closed() {
    let shop = offline();
    shop.edit(OPEN, SHUT);
    insta::assert_snapshot!(shop.run(&["trace", "--all"]).exits(1).stdout);
}

#[test]
fn a_listener_that_admits_only_some_says_so() {
    let shop = offline();
    shop.edit(
        "{ port = 80, from = \"0.0.0.0/0\" }, { port = 443, from = \"0.0.0.0/0\" }",
        "{ ports = \"80-443\", from = \"203.0.113.0/24\" }",
    );
    shop.run(&["trace", "/"]).exits(0).says("for 203.0.113.0/24");
    shop.run(&["trace", "/", "--from", "203.0.113.9"]).exits(0);
    shop.run(&["trace", "/", "--from", "198.51.100.9"]).exits(1).says("from 198.51.100.9/32");
}

#[test]
fn as_data() {
    let walk = data(&offline().run(&["trace", REGISTER, "--format", "json"]).exits(0));
    assert_eq!(walk["open"], true);
    assert_eq!(walk["path"], REGISTER);
    let shop = offline();
    shop.edit(OPEN, SHUT);
    let audit = data(&shop.run(&["trace", "--all", "--format", "json"]).exits(1));
    assert_eq!(audit["open"], false);
    let closed = audit["uses"].as_array().expect("uses").iter();
    let closed = closed.filter(|one| one["hops"][0]["open"] == false).count();
    assert_eq!(closed, 7);
}

#[test]
fn what_is_no_path_is_refused_before_the_file_is_read() {
    let shop = offline();
    for (path, hint) in [
        ("api/users", "did you mean /api/users"),
        ("http://shop.example/api/users", "/api/users"),
        ("/caf\u{e9}", "%C3%A9"),
        ("/100%", "%25"),
    ] {
        shop.bare(&["-f", "nowhere.toml", "trace", path]).fails_plainly().says(hint);
    }
    shop.run(&["trace"]).exits(1).says("PATH");
    shop.run(&["trace", "/", "--all"]).exits(1).says("--all");
    shop.run(&["trace", "/", "--from", "everywhere"]).exits(1).says("203.0.113.10");
}

#[test]
fn a_registration_through_the_sandbox() {
    const SANDBOX: [&str; 2] = ["--sandbox", "--sandbox-speed=100000"];
    let shop = offline();
    let run = |arguments: &[&str]| shop.run(&[arguments, &SANDBOX].concat());
    run(&["trace", REGISTER, "--live"]).exits(1).says("there is no load balancer in the account");
    run(&["apply", "-y"]).exits(0);
    insta::assert_snapshot!(run(&["trace", REGISTER, "--live"]).exits(0).stdout);
    run(&["trace", "--all", "--live"]).exits(0).says("2 of 2 targets healthy");
}

fn the_account_is_walked_as_it_is(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.run(&["trace", "--all", "--live"]).exits(1).says("there is no db_instance.user");
    shop.apply();
    let walk = data(&shop.run(&["trace", REGISTER, "--live", "--format", "json"]).exits(0));
    let targets = walk["stops"].as_array().expect("stops").iter();
    let targets: Vec<&Value> =
        targets.filter_map(|stop| stop["targets"].as_array()).flatten().collect();
    assert_eq!(targets.len(), 2, "{walk:#}");
    for target in targets {
        assert!(target["health"].as_str().is_some_and(|word| !word.is_empty()), "{target:#}");
    }
    shop.run(&["trace", "--all", "--live"]).exits(0);
    // The file is as it was: what is closed behind its back is seen in the account alone.
    let inventory = Inventory::take(&mut account.raw);
    let group = &Drawn::in_account(&inventory).at("security_group.rds").id;
    let ec2 = &Drawn::in_account(&inventory).at("security_group.ec2").id;
    let peer = json!([{ "GroupId": ec2 }]);
    let rule =
        json!({ "IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": peer });
    let revoked = json!({ "GroupId": group, "IpPermissions": [rule] });
    account.raw.ec2("revoke_security_group_ingress", revoked);
    shop.run(&["trace", "--all"]).exits(0);
    let closed = "security_group.rds has no ingress tcp 5432 from security_group.ec2";
    shop.run(&["trace", REGISTER, "--live"]).exits(1).says(closed);
}
