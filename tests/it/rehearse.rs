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
    sandboxed(&shop, &["plan", "--min-healthy", "2"]).exits(4).says("user (1)");
    sandboxed(&shop, &["rehearse", "--min-healthy", "2"]).exits(4).says("max_parallel");

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
    sandboxed(&shop, &["rehearse"]).exits(1).says("it would fail");
    shop.edit(slow, "[service.user]");
    sandboxed(&shop, &["rehearse"]).exits(0).says("nothing to rehearse");
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
