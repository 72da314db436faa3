//! The schemas that are printed, held against what the binary prints and saves, and the editor's own checker.

use std::collections::BTreeSet;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::product::{Ran, Shop};
use crate::venv;

const FAST: [&str; 3] = ["--sandbox", "--sandbox-speed", "2000"];

fn shop() -> Shop {
    Shop::at("http://127.0.0.1:9")
}

fn sandboxed(shop: &Shop, arguments: &[&str]) -> Ran {
    shop.bare(&[arguments, &FAST].concat())
}

fn printed(shop: &Shop, document: &str) -> Validator {
    let text = shop.bare(&["schema", document]).exits(0).stdout;
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

#[track_caller]
fn takes(validator: &Validator, value: &Value) {
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}\n{value:#}", errors.join("\n"));
}

/// The plan as it is saved, which is the one that is printed.
#[track_caller]
fn plan(shop: &Shop, validator: &Validator, flags: &[&str]) -> Value {
    let saved = shop.path("shop.plan");
    let ran =
        sandboxed(shop, &[&["plan", "--format", "json", "--out", "shop.plan"], flags].concat());
    let printed: Value = serde_json::from_str(&ran.exits(0).stdout).expect("JSON");
    let read: Value =
        serde_json::from_str(&fs::read_to_string(saved).expect("a plan")).expect("JSON");
    takes(validator, &printed);
    takes(validator, &read);
    printed
}

#[test]
fn plans_of_every_sort_are_as_their_schema_says() {
    let shop = shop();
    let validator = printed(&shop, "plan");
    let of = |flags: &[&str]| plan(&shop, &validator, flags);
    let actions = |plan: &Value| -> BTreeSet<String> {
        let changes = plan["changes"].as_array().into_iter().flatten();
        changes.filter_map(|change| Some(change["action"].as_str()?.to_owned())).collect()
    };

    let first = of(&[]);
    assert_eq!(actions(&first), BTreeSet::from(["create".to_owned()]));
    of(&["--only", "service.user"]);
    sandboxed(&shop, &["apply", "-y"]).exits(0);
    assert_eq!(actions(&of(&[])), BTreeSet::new());
    assert_eq!(
        actions(&of(&["--destroy", "--skip-final-snapshots"])),
        BTreeSet::from(["delete".to_owned()])
    );

    // Rolling, replacement, deletion, a change that waits for the window, and one of a key.
    shop.edit("port      = 3002", "port      = 3102");
    shop.edit("\"t3.small\"", "\"t3.large\"");
    shop.edit("\"db.t3.micro\"", "\"db.t3.small\"");
    shop.edit("[service.user]", "[service.user]\ncount     = 3");
    shop.edit("[database.notification]\n", "");
    shop.edit("uses      = [\"database.notification\"]\n", "");
    shop.edit(
        "[database.payment]",
        "[database.account]\n[[moved]]\nfrom = \"database.payment\"\nto = \"database.account\"",
    );
    shop.edit("\"database.payment\"]", "\"database.account\"]");
    let changes = of(&[]);
    assert_eq!(
        actions(&changes),
        ["create", "delete", "replace", "update"].map(str::to_owned).into()
    );
    let some = |key: &str| {
        changes["changes"].as_array().into_iter().flatten().any(|change| change.get(key).is_some())
    };
    assert!(some("moved_from") && some("reason") && some("before"));
    sandboxed(&shop, &["apply", "-y"]).exits(0);
    assert!(of(&[]).get("pending").is_some(), "a change waits for the window");

    for (pointer, wrong) in [
        ("/format", json!(2)),
        ("/steps/0/verb", json!("make")),
        ("/changes/0/after", json!(1)),
        ("/summary/create", json!(-1)),
        ("/goal", json!("destroy!")),
    ] {
        let mut broken = first.clone();
        *broken.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = wrong;
        assert!(!validator.is_valid(&broken), "{pointer}");
    }
    let mut unknown = first.clone();
    unknown["steps"][0]["colour"] = json!("blue");
    assert!(!validator.is_valid(&unknown));
}

/// The kinds of events in what it printed, each line of which is as the schema says.
#[track_caller]
fn events(validator: &Validator, ran: &Ran) -> BTreeSet<String> {
    let lines = ran.stdout.lines().map(|line| {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}\n{ran}"));
        takes(validator, &event);
        event["event"].as_str().unwrap_or_default().to_owned()
    });
    lines.collect()
}

#[test]
fn every_line_of_a_run_is_as_the_schema_says() {
    let shop = shop();
    let validator = printed(&shop, "events");
    let mut seen = BTreeSet::new();
    let mut run = |arguments: &[&str], code: i32| {
        let ran = sandboxed(&shop, &[arguments, &["-y", "--format", "json"]].concat()).exits(code);
        seen.extend(events(&validator, &ran));
    };

    run(&["apply"], 0);
    run(&["apply"], 0);
    // Machines that are not healthy in time: their service's roll ends, and what waits for it is blocked.
    let slow = "[service.user]\nrolling = { healthy_deadline = 20 }\ncount = 4\ninstance_type = \"t3.medium\"\n\
                health_check = { interval = 300, healthy_threshold = 10 }";
    shop.edit("[service.user]", slow);
    run(&["apply"], 1);
    shop.edit(slow, "[service.user]");
    run(&["destroy", "--skip-final-snapshots"], 0);
    #[cfg(unix)]
    seen.extend(events(&validator, &interrupted(&shop)));

    let all = ["plan", "started", "exists", "done", "failed", "blocked", "stopping", "left", "end"];
    let missing: Vec<&str> = all.into_iter().filter(|kind| !seen.contains(*kind)).collect();
    assert!(missing.is_empty(), "no {missing:?} in {seen:?}");
    let unknown = json!({"event": "done", "at": 1.0, "step": 1, "address": "vpc.main", "verb": "create",
        "elapsed": 1.0, "id": "vpc-1", "colour": "blue"});
    assert!(!validator.is_valid(&unknown));
    assert!(!validator.is_valid(&json!({"event": "begun"})));
}

/// An apply that is told to end while machines start and databases are made.
#[cfg(unix)]
fn interrupted(shop: &Shop) -> Ran {
    let arguments = ["apply", "-y", "--format", "json", "--sandbox", "--sandbox-speed", "20"];
    let running = shop.start(&arguments);
    let account = shop.path(".ecdeploy");
    let begun = Instant::now();
    let under_way = || {
        let files = fs::read_dir(&account).into_iter().flatten().flatten();
        let mut texts = files.filter_map(|file| fs::read_to_string(file.path()).ok());
        texts.any(|text| text.contains("\"db_instance\""))
    };
    while !under_way() {
        assert!(begun.elapsed() < Duration::from_secs(60), "no database is begun");
        sleep(Duration::from_millis(20));
    }
    running.signal("INT");
    running.ends().exits(130)
}

/// taplo is what editors ask: Even Better TOML, and whoever speaks its language server's protocol.
#[test]
fn taplo_finds_the_schema_by_the_files_first_line_and_its_faults_by_the_schema() {
    let shop = shop();
    let schema = shop.bare(&["schema"]).exits(0).stdout;
    fs::write(shop.path("topology.schema.json"), schema).expect("the schema");
    let topology = fs::read_to_string(shop.path("topology.toml")).expect("the topology");
    fs::write(shop.path("topology.toml"), format!("#:schema ./topology.schema.json\n{topology}"))
        .expect("the topology");
    let lint = || {
        let mut taplo = venv::taplo();
        taplo.args(["lint", "topology.toml"]).current_dir(shop.path("."));
        let output = taplo.output().expect("taplo");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };

    let (good, said) = lint();
    assert!(good, "{said}");
    shop.edit("[service.gateway]", "[service.gateway]\nprot = 80");
    let (good, said) = lint();
    assert!(!good && said.contains("prot"), "{said}");
}
