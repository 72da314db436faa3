//! A plan that is against the policy: told, not saved, not applied, and a code of its own; through the binary.

use std::fs;

use serde_json::{Value, json};

use crate::drawn::Drawn;
use crate::emulator::Emulator;
use crate::inventory::Inventory;
use crate::product::{Ran, Shop};

on_each_emulator!(what_was_opened_by_hand_to_all_of_ipv6_is_closed);

const RULES: &str = "
[policy]
max_replacements = 5

[policy.rule.no-order]
deny    = \"change.address == 'target_group.order' && change.action == 'update'\"
message = \"order is left alone this week\"
";

/// The drawn system in the sandbox, with a policy that it keeps to.
fn shop() -> Shop {
    let shop = Shop::at("http://127.0.0.1:9");
    let text = fs::read_to_string(shop.path("topology.toml")).expect("the topology");
    let shop = shop.with_file(&(text + RULES));
    sandboxed(&shop, &["apply", "-y"]).exits(0);
    shop
}

fn sandboxed(shop: &Shop, arguments: &[&str]) -> Ran {
    shop.bare(&[arguments, &["--sandbox", "--sandbox-speed", "100000"]].concat())
}

fn events(ran: &Ran) -> Vec<Value> {
    let lines = ran.stdout.lines();
    lines.map(|line| serde_json::from_str(line).expect("an event a line")).collect()
}

#[test]
fn a_plan_against_the_policy_has_a_code_of_its_own() {
    let shop = shop();
    sandboxed(&shop, &["plan", "--detailed-exitcode"]).exits(0);
    shop.edit("size = 8", "size = 9");

    let ran = sandboxed(&shop, &["plan", "--detailed-exitcode", "--out", "shop.plan"]).exits(4);
    let ran = ran.says("max_replacements: 14 replacements").says("at most 5");
    let text = fs::read_to_string(shop.path("topology.toml")).expect("the topology");
    let line = text.lines().position(|line| line.starts_with("max_repl")).expect("the rule") + 1;
    ran.says(&format!("topology.toml:{line}:20")).says("--override-policy max_replacements");
    assert!(!shop.path("shop.plan").exists(), "what is against the policy is not saved");

    let ran = sandboxed(&shop, &["plan", "--format", "json"]).exits(4);
    let told: Value = serde_json::from_str(&ran.stdout).expect("one document");
    assert_eq!(told["summary"]["replace"], 14);
    let violation = &told["violations"][0];
    assert_eq!(violation["rule"], "max_replacements");
    assert_eq!(violation["level"], "soft-mandatory");
    assert_eq!(violation["file"], "topology.toml");
    assert_eq!(violation["line"], line);

    let ran = sandboxed(&shop, &["plan", "--format", "markdown"]).exits(4);
    let block = text.lines().position(|line| line == "[service.frontend]").expect("a block") + 1;
    let places = format!("(`topology.toml:{line}`, `topology.toml:{block}`)");
    ran.says("**It is against the policy:**").says(&places);

    let lifted = ["plan", "--override-policy", "max_replacements", "--out", "shop.plan"];
    sandboxed(&shop, &lifted).exits(0).says("overridden by");
    sandboxed(&shop, &["plan", "--override-policy", "max_replacement"])
        .exits(1)
        .says("did you mean `max_replacements`?");
}

#[test]
fn apply_refuses_what_is_against_the_policy_before_the_first_change() {
    let shop = shop();
    shop.edit("interval = 30", "interval = 20");
    sandboxed(&shop, &["plan", "--override-policy", "no-order", "--out", "shop.plan"]).exits(0);

    for arguments in [&["apply", "-y"][..], &["apply", "shop.plan"]] {
        let ran = sandboxed(&shop, arguments).exits(4);
        ran.says("no-order: target_group.order: order is left alone").says("nothing was changed");
    }
    let ran = sandboxed(&shop, &["apply", "-y", "--format", "json"]).exits(4);
    let told = events(&ran);
    assert_eq!(told.len(), 2, "{ran}");
    assert_eq!((&told[0]["event"], &told[0]["format"]), (&json!("plan"), &json!(1)));
    assert_eq!(told[1]["event"], "policy");
    assert_eq!(told[1]["violations"][0]["address"], "target_group.order");
    sandboxed(&shop, &["plan", "--detailed-exitcode", "--override-policy", "no-order"]).exits(2);

    let lifted = ["apply", "shop.plan", "--override-policy", "no-order", "--format", "json"];
    let told = events(&sandboxed(&shop, &lifted).exits(0));
    let kinds: Vec<&Value> = told.iter().map(|event| &event["event"]).collect();
    assert_eq!(kinds[..2], ["plan", "policy"]);
    assert_eq!(kinds.last(), Some(&&json!("end")));
    assert_eq!(kinds.iter().filter(|kind| **kind == "plan").count(), 1, "it is said once");
    sandboxed(&shop, &["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn destroy_and_scale_are_held_to_the_policy_too() {
    let shop = shop();
    sandboxed(&shop, &["scale", "user=3", "order=3", "-y"]).exits(0);
    let rules = "max_replacements = 5";
    shop.edit(rules, "max_deletions = 1\nprotect_databases = true");
    sandboxed(&shop, &["destroy", "-y"]).exits(4).says("protect_databases: db_instance.user");
    let before = fs::read_to_string(shop.path("topology.toml")).expect("the topology");
    sandboxed(&shop, &["scale", "user=2", "order=2", "-y"]).exits(4).says("max_deletions: 2");
    let after = fs::read_to_string(shop.path("topology.toml")).expect("the topology");
    assert_eq!(before, after, "the file is not edited");
}

#[test]
fn flags_are_rules_that_nobody_overrides() {
    let shop = shop();
    shop.edit(RULES.trim(), "");
    shop.edit("size = 8", "size = 9");
    let ran = sandboxed(&shop, &["plan", "--max-replacements", "3"]).exits(4);
    ran.says("max_replacements: 14 replacements");
    sandboxed(&shop, &["plan", "--max-replacements", "14", "--max-deletions", "0"]).exits(0);
    sandboxed(&shop, &["apply", "-y", "--max-replacements", "3"]).exits(4);
    let flags = ["plan", "--max-replacements", "3", "--override-policy", "max_replacements"];
    sandboxed(&shop, &flags).exits(1);
    sandboxed(&shop, &["plan", "--destroy", "--protect-databases"]).exits(4);
}

#[test]
fn ports_and_working_hours_have_flags_as_the_other_rules_have() {
    let shop = shop();
    let plan = |flags: &[&str]| sandboxed(&shop, &[&["plan"], flags].concat());
    plan(&["--open-ports", "80,443"]).exits(0);
    let ran = plan(&["--open-ports", "443"]).exits(4);
    let text = fs::read_to_string(shop.path("topology.toml")).expect("the topology");
    let open = text.lines().position(|line| line.contains("port = 80,")).expect("the rule") + 1;
    let place = format!("topology.toml:{open}");
    ran.says("open_ports: security_group.alb: tcp 80 is open to 0.0.0.0/0").says(&place);
    for format in ["markdown", "html"] {
        plan(&["--open-ports", "443", "--format", format]).exits(4).says(&place);
    }
    let json = plan(&["--open-ports", "443", "--format", "json"]).exits(4);
    let told: Value = serde_json::from_str(&json.stdout).expect("one document");
    let violation = &told["violations"][0];
    assert_eq!(violation["line"], Value::Null, "a flag has none");
    assert_eq!((&violation["file"], &violation["block"]), (&json!("topology.toml"), &json!(open)));
    plan(&["--open-ports", "none"]).exits(4);
    plan(&["--open-ports", "443", "--override-policy", "open_ports"]).exits(1);
    plan(&["--open-ports", "80,https"]).exits(1).says("`https` is not a port");

    // An hour that it is not now, whenever that is.
    let hour = (jiff::Timestamp::now().as_second() / 3600 + 12) % 24;
    let hours = |from: i64| format!("mon-sun {from:02}:00-{:02}:00 UTC", (from + 1) % 24);
    let never = ["--working-hours", &hours(hour)];
    plan(&never).exits(0);
    shop.edit("interval = 30", "interval = 20");
    plan(&[&never[..], &["--override-policy", "no-order"]].concat())
        .exits(4)
        .says("working_hours: it is")
        .says("in UTC");
    let now = ["--working-hours", "mon-sun 00:00-00:00 UTC", "--override-policy", "no-order"];
    plan(&now).exits(0);
    sandboxed(&shop, &[&["apply", "-y"], &never[..]].concat()).exits(4);
    plan(&["--working-hours", "mon-fri 9-17 UTC"]).exits(1).says("`9` is not a time of day");
}

#[test]
fn a_flag_with_no_number_says_what_is_wanted() {
    let shop = Shop::at("http://127.0.0.1:9");
    for wrong in ["99.5", "abc", "inf", "-1"] {
        let cases = [
            ("plan", "--max-monthly-cost", "whole US dollars are wanted, such as 800"),
            ("plan", "--min-healthy", "a whole number is wanted, such as 3"),
            ("rehearse", "--min-healthy", "a whole number is wanted, such as 3"),
            ("apply", "--parallelism", "a whole number from 1 to 256 is wanted"),
            ("status", "--watch", "a whole number from 1 to 3600 is wanted"),
        ];
        for (command, flag, wanted) in cases {
            sandboxed(&shop, &[command, &format!("{flag}={wrong}")]).exits(1).says(wanted);
        }
    }
    sandboxed(&shop, &["status", "--watch=0"]).exits(1).says("from 1 to 3600 is wanted");
}

#[test]
fn an_expression_that_is_wrong_is_an_error_of_the_file() {
    let shop = shop();
    shop.edit("change.address ==", "change.adress ==");
    let ran = sandboxed(&shop, &["validate"]).exits(1);
    ran.says("`change` has no `adress`").says("did you mean `address`?");
    sandboxed(&shop, &["plan"]).exits(1).says("`change` has no `adress`");
}

/// The file can't say it, and so no plan leaves it: it is no violation, but drift.
fn what_was_opened_by_hand_to_all_of_ipv6_is_closed(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.apply();
    let group =
        Drawn::in_account(&Inventory::take(&mut account.raw)).at("security_group.ec2").id.clone();
    let open = json!({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]});
    account.raw.ec2(
        "authorize_security_group_ingress",
        json!({"GroupId": group, "IpPermissions": [open]}),
    );
    let held = ["plan", "--open-ports", "80,443", "--detailed-exitcode"];
    shop.run(&held).exits(2).says("- tcp 22 from ::/0").says("drift");

    shop.apply();

    shop.run(&held).exits(0);
    let after = Inventory::take(&mut account.raw);
    let facts = &Drawn::in_account(&after).at("security_group.ec2").facts;
    assert!(!facts.to_string().contains("::/0"), "{facts}");
    // In the file it is an error.
    shop.edit("{ port = 443, from = \"0.0.0.0/0\" }", "{ port = 443, from = \"::/0\" }");
    shop.run(&["validate"]).exits(1).says("`::/0`");
}
