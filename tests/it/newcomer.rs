//! The errors that somebody meets on the first day: each says in a sentence what is wrong, and what to type next.

use std::fs;

use serde_json::{Value, json};

use crate::product::{Ran, Shop};

fn shop() -> Shop {
    Shop::at("http://127.0.0.1:9")
}

fn sandboxed(shop: &Shop, arguments: &[&str]) -> Ran {
    shop.bare(&[arguments, &["--sandbox", "--sandbox-speed", "100000"]].concat())
}

#[test]
fn without_a_file() {
    let shop = shop();
    fs::remove_file(shop.path("topology.toml")).expect("the topology");
    let ran = shop.bare(&["plan"]).fails_plainly();
    ran.says("can't read topology.toml").says("-f FILE").says("docs/start.md");
}

#[test]
fn with_another_file_than_there_is() {
    let shop = shop();
    let plan = |file: &str| shop.bare(&["plan", "-f", file]).fails_plainly();
    plan("topologie.toml").says("can't read topologie.toml").says("did you mean -f topology.toml?");
    plan("nope.toml").says("name the file with -f FILE; there are `topology.toml`");
    plan("elsewhere/topology.toml").says("docs/start.md");
    fs::create_dir(shop.path("shops")).expect("a folder");
    for name in ["a", "b", "c", "d", "e", "f"] {
        fs::write(shop.path(&format!("shops/{name}.toml")), "").expect("a file");
    }
    plan("shops/nope-at-all.toml").says("`shops/d.toml`, `shops/e.toml`, ...");
    plan("shops").says("can't read shops").says("name another file with -f FILE");
}

#[test]
fn without_credentials() {
    let shop = shop().without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
    let ran = shop.bare(&["plan"]).fails_plainly();
    ran.says("no AWS credentials were found").says("aws sso login").says("--sandbox");
}

#[test]
fn where_nobody_answers() {
    let ran = shop().bare(&["plan"]).fails_plainly();
    ran.says("gave no answer").says("AWS_ENDPOINT_URL").says("run the same command again");
}

#[test]
fn with_a_plan_that_is_not_there_is_none_or_is_for_elsewhere() {
    let shop = shop();
    let apply =
        |arguments: &[&str]| shop.bare(&[&["apply", "-y"], arguments].concat()).fails_plainly();
    apply(&["no.plan"]).says("can't read no.plan").says("ecdeploy plan --out FILE");
    apply(&["topology.toml"]).says("not a plan of ecdeploy").says("ecdeploy plan --out FILE");
    sandboxed(&shop, &["plan", "--out", "shop.plan"]).exits(0).says("ecdeploy apply shop.plan");
    apply(&["shop.plan"]).says("for the sandbox").says("ecdeploy apply shop.plan --sandbox");
    shop.edit("interval = 30", "interval = 20");
    let stale = sandboxed(&shop, &["apply", "-y", "shop.plan"]).fails_plainly();
    stale.says("has changed since").says("ecdeploy plan --out FILE");
}

#[test]
fn where_there_is_no_terminal_to_ask_on() {
    let ran = sandboxed(&shop(), &["apply"]).exits(1);
    ran.says("nothing was changed").says("pass -y");
}

#[test]
fn with_an_id_that_nothing_has() {
    let ran = sandboxed(&shop(), &["adopt", "-y", "load_balancer.main", "shop"]).fails_plainly();
    ran.says("there is no load_balancer shop")
        .says("looks like arn:aws:elasticloadbalancing:ap-southeast-1:123456789012:");
}

/// What it doesn't know it would leave out, and carry out another plan than somebody has looked at.
#[test]
fn with_a_plan_of_another_version_or_an_edited_one() {
    let shop = shop();
    sandboxed(&shop, &["plan", "--out", "shop.plan"]).exits(0);
    let text = fs::read_to_string(shop.path("shop.plan")).expect("the plan");
    let plan: Value = serde_json::from_str(&text).expect("JSON");
    let with = |pointer: &str, key: &str| {
        let mut plan = plan.clone();
        let place = plan.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}"));
        place[key] = json!(7);
        fs::write(shop.path("other.plan"), plan.to_string()).expect("a plan");
        let ran = sandboxed(&shop, &["apply", "-y", "other.plan"]).fails_plainly();
        ran.says("is not a plan of this version of ecdeploy")
            .says("another version of ecdeploy made it, or somebody edited it")
            .says("ecdeploy plan --out FILE")
    };
    let places =
        ["", "/origin", "/parting", "/summary", "/changes/0", "/steps/0", "/steps/90/after/0"];
    for place in places {
        with(place, "colour").says("unknown field `colour`").says("line 1 column");
    }
    with("", "format").says("it has form 7, not 1");
}
