//! What a change would do to those who are served, told and refused before it is made: through the binary.

use crate::emulator::{Call, Emulator};
use crate::product::{Ran, Shop};

fn sandboxed(shop: &Shop, arguments: &[&str]) -> Ran {
    shop.bare(&[arguments, &["--sandbox", "--sandbox-speed", "100000"]].concat())
}

#[test]
fn a_plan_that_leaves_too_few_is_refused_by_the_gate() {
    let shop = Shop::at("http://127.0.0.1:9");
    sandboxed(&shop, &["apply", "-y"]).exits(0);
    shop.edit("t3.small", "t3.large");

    let plan = sandboxed(&shop, &["plan"]).exits(0);
    plan.says("Takes about").says("1 of 2 in each of 7 services").says("by rolling");
    sandboxed(&shop, &["plan", "--min-healthy", "1"]).exits(0);
    let two = ["--min-healthy", "2"];
    let told = "min_healthy: target_group.user: 1 of 2 healthy at some moment";
    for command in [&["plan"][..], &["apply", "-y"], &["scale", "order=3", "-y"]] {
        let ran = sandboxed(&shop, &[command, &two].concat()).exits(4);
        ran.says(told)
            .says("raise `count` of user: one machine at a time")
            .says("nothing was changed");
    }
    let comment =
        sandboxed(&shop, &[&["plan", "--format", "markdown"], &two[..]].concat()).exits(4);
    comment.says("`min_healthy` `target_group.user` `1 of 2 healthy at some moment`");
    let json = sandboxed(&shop, &[&["plan", "--format", "json"], &two[..]].concat()).exits(4);
    let planned: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(planned["violations"].as_array().map(Vec::len), Some(7), "{planned:#}");
    assert_eq!(planned["violations"][0]["rule"], "min_healthy");
    let rehearsed = sandboxed(&shop, &[&["rehearse"], &two[..]].concat()).exits(4);
    rehearsed.says("user (1)").says("raise `count` of these services: one machine at a time");

    let json = sandboxed(&shop, &["rehearse", "--format", "json"]).exits(0);
    let told: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(told["services"]["user"], serde_json::json!({"now": 2, "fewest": 1}));
    assert!(told["seconds"].as_f64().is_some_and(|seconds| seconds > 60.0), "{told}");

    shop.edit("t3.large", "t3.small");
    let slow = "[service.user]\nrolling = { healthy_deadline = 20 }\ncount = 4\ninstance_type = \"t3.medium\"";
    shop.edit("[service.user]", slow);
    sandboxed(&shop, &["plan"]).exits(0).says("Would fail:");
    let refused = ["plan", "--min-healthy", "1", "--out", "shop.plan"];
    sandboxed(&shop, &refused).exits(1).says("it would fail");
    assert!(!shop.path("shop.plan").exists(), "what the gate refuses is not saved");
    let refused = ["apply", "-y", "--min-healthy", "1", "--format", "json"];
    sandboxed(&shop, &refused).exits(1).says("Would fail:").says("nothing was changed");
    sandboxed(&shop, &["rehearse"]).exits(1).says("it would fail");
    shop.edit(slow, "[service.user]");
    sandboxed(&shop, &["rehearse"]).exits(0).says("nothing to rehearse");
}

#[test]
fn a_flag_refuses_those_that_have_fewer_already_and_the_file_what_lowers_them() {
    let shop = Shop::at("http://127.0.0.1:9");
    sandboxed(&shop, &["apply", "-y"]).exits(0);
    shop.edit("interval = 30", "interval = 20");
    for command in ["plan", "rehearse"] {
        let ran = sandboxed(&shop, &[command, "--min-healthy", "3"]).exits(4);
        ran.says("there are fewer before anything is changed");
    }
    shop.edit("[load_balancer]", "[policy]\nmin_healthy = 3\n\n[load_balancer]");
    sandboxed(&shop, &["plan"]).exits(0);
    shop.edit("t3.small", "t3.large");
    sandboxed(&shop, &["plan"]).exits(4).says("target_group.user: 1 of 2 healthy");
    sandboxed(&shop, &["plan", "--destroy", "--min-healthy", "3"]).exits(0);
}

#[test]
fn who_is_healthy_is_asked_once_a_group() {
    let mut account = Emulator::Moto.lend();
    let shop = Shop::on(&account);
    shop.apply();
    shop.edit("t3.small", "t3.medium");
    for command in [
        &["plan", "--min-healthy", "1"][..],
        &["rehearse"],
        &["trace", "--live", "--all"],
        &["graph", "--live"],
    ] {
        let (_, calls) = account.calls_during(|_| shop.run(command).exits(0));
        let asked = |call: &&Call| call.operation == "DescribeTargetHealth";
        assert_eq!(calls.iter().filter(asked).count(), 7, "{command:?}");
    }
}
