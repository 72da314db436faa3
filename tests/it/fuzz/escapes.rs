//! The program itself: an account full of commands for terminals, each output of each command; and the files it writes.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::{Value, json};

use super::neat::neat;
use crate::product::{Ran, Shop};

const ACCOUNT: &str = ".ecdeploy/123456789012-ap-southeast-1.json";
/// Colours, a title for the window, the same in one character, and writing that runs backwards.
const EVIL: &str = "\u{1b}[45m\u{1b}]0;owned\u{7}\u{9b}45m\u{202e}";

fn sandbox() -> Shop {
    let shop = Shop::at("http://127.0.0.1:9");
    run(&shop, &["apply", "-y"]).exits(0);
    shop
}

fn run(shop: &Shop, arguments: &[&str]) -> Ran {
    shop.bare(&[arguments, &["--sandbox", "--sandbox-speed", "1000000"]].concat())
}

fn edit(shop: &Shop, change: impl FnOnce(&mut Value)) {
    let path = shop.path(ACCOUNT);
    let text = fs::read_to_string(&path).expect("the sandbox");
    let mut kept: Value = serde_json::from_str(&text).expect("JSON");
    change(&mut kept["account"]);
    fs::write(&path, kept.to_string()).expect("the sandbox");
}

/// Runs what only looks, then what changes; some of it fails.
fn said(shop: &Shop) {
    let file = shop.path("topology.toml");
    let file = fs::read_to_string(&file).expect("the topology");
    for arguments in [
        &["plan"][..],
        &["plan", "--format", "json"],
        &["plan", "--destroy"],
        &["rehearse", "--destroy"],
        &["trace", "--all", "--live"],
        &["trace", "/api/auth/register", "--live"],
        &["adopt", "vpc.main", EVIL],
        &["adopt", EVIL, "vpc-1"],
        &["plan", "--only", EVIL],
        &["plan", "--out", "shop.plan"],
        &["apply", "-y", "shop.plan"],
        &["apply", "-y"],
        &["scale", "user=4", "-y"],
        &["unlock", "-y"],
        &["destroy", "-y", "--lift-protection"],
    ] {
        let ran = run(shop, arguments);
        assert!(matches!(ran.code, Some(0..=3)), "{ran}");
        neat(&ran.stdout);
        neat(&ran.stderr);
    }
    fs::write(shop.path("topology.toml"), file).expect("the topology");
}

/// Each id of this kind with more behind it, wherever it stands.
fn ids(account: &mut Value, kind: &str) {
    let objects = account["objects"].as_object().expect("objects");
    let of_kind = objects.values().filter(|object| object["kind"] == kind);
    let ids: Vec<String> =
        of_kind.filter_map(|object| Some(object["id"].as_str()?.to_owned())).collect();
    assert!(!ids.is_empty(), "there is no {kind}");
    let mut text = account.to_string();
    let evil = json!(EVIL).to_string();
    for id in ids {
        text = text.replace(&format!("{id}\""), &format!("{id}{}\"", evil.trim_matches('"')));
    }
    *account = serde_json::from_str(&text).expect("JSON");
}

#[test]
fn ids_from_the_account() {
    let shop = sandbox();
    for kind in ["security_group", "instance", "target_group", "db_instance"] {
        edit(&shop, |account| ids(account, kind));
    }
    said(&shop);
}

#[test]
fn tags_fields_and_states_from_the_account() {
    let shop = sandbox();
    edit(&shop, |account| {
        for object in account["objects"].as_object_mut().expect("objects").values_mut() {
            let kind = object["kind"].as_str().unwrap_or_default().to_owned();
            for output in object["outputs"].as_object_mut().expect("outputs").values_mut() {
                *output = EVIL.into();
            }
            let evil = |place: &mut Value| *place = EVIL.into();
            match kind.as_str() {
                "instance" => evil(&mut object["body"]["instance_type"]),
                "target_group" => evil(&mut object["body"]["health_check_path"]),
                "listener_rule" => object["body"]["path"] = json!([EVIL]),
                "security_group" => {
                    object["body"]["ingress"] =
                        json!([{ "protocol": EVIL, "ports": "1-2", "peer": EVIL }]);
                }
                "cache_cluster" => {
                    object["passing"] = json!({ "status": { "pending": EVIL }, "until": u64::MAX });
                }
                "vpc" => evil(&mut object["tags"]["ecdeploy:address"]),
                "subnet" => object["tags"]["ecdeploy:address"] = format!("subnet.{EVIL}").into(),
                _ => {}
            }
        }
    });
    said(&shop);
}

#[test]
fn whoever_holds_the_lock() {
    let shop = sandbox();
    let holder = json!({
        "id": EVIL, "command": EVIL, "user": EVIL, "host": EVIL, "process": 1, "place": EVIL, "since": EVIL,
    });
    let kept = json!({
        "topology": "ecommerce", "number": u64::MAX, "holder": holder, "version": i64::MAX, "renewed": u64::MAX,
    });
    edit(&shop, |account| account["locks"] = json!([kept]));
    said(&shop);
}

#[test]
fn what_it_writes_is_its_owners() {
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    };
    let shop = Shop::at("http://127.0.0.1:9");
    let folder = shop.path(".ecdeploy");
    fs::create_dir(&folder).expect("a folder");
    set(&folder, 0o755);
    run(&shop, &["apply", "-y"]).exits(0);
    assert_eq!(mode(&folder), 0o700);
    let plan = shop.path("shop.plan");
    fs::write(&plan, "").expect("a file");
    set(&plan, 0o666);
    let topology = shop.path("topology.toml");
    set(&topology, 0o664);
    shop.edit("[service.user]\n", "[service.user]\ncount = 3\n");
    run(&shop, &["plan", "--out", "shop.plan"]).exits(0);
    let kept: Vec<_> = fs::read_dir(&folder).expect("the folder").flatten().collect();
    assert_eq!(kept.len(), 2, "the account and its lock: {kept:?}");
    for file in [kept[0].path(), kept[1].path(), plan] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    run(&shop, &["scale", "user=2", "-y"]).exits(0);
    assert_eq!(mode(&topology), 0o664);

    let (theirs, planted) = (shop.path("theirs"), shop.path("planted.plan"));
    fs::write(&theirs, "theirs").expect("a file");
    symlink(&theirs, &planted).expect("a link");
    run(&shop, &["plan", "--out", "planted.plan"]).exits(1).says("no plain file");
    assert_eq!(fs::read_to_string(&theirs).expect("a file"), "theirs");
}
