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
    run(&["destroy", "--max-deletions", "0"], 4);
    run(&["destroy", "--skip-final-snapshots"], 0);
    #[cfg(unix)]
    seen.extend(events(&validator, &interrupted(&shop)));

    let all = [
        "plan", "policy", "started", "exists", "done", "failed", "blocked", "stopping", "left",
        "end",
    ];
    let missing: Vec<&str> = all.into_iter().filter(|kind| !seen.contains(*kind)).collect();
    assert!(missing.is_empty(), "no {missing:?} in {seen:?}");
    let unknown = json!({"event": "done", "at": 1.0, "step": 1, "address": "vpc.main", "verb": "create",
        "elapsed": 1.0, "id": "vpc-1", "colour": "blue"});
    assert!(!validator.is_valid(&unknown));
    assert!(!validator.is_valid(&json!({"event": "begun"})));
}

/// What it printed as one document, which is as its schema says; and nothing that the schema doesn't name.
#[track_caller]
fn document(validator: &Validator, ran: &Ran) -> Value {
    let printed: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"));
    takes(validator, &printed);
    each_with_another_key(&printed, &mut |broken, place| {
        assert!(!validator.is_valid(broken), "it takes a key that nothing writes, in {place}");
    });
    printed
}

/// The document with an unknown key in each of its objects in turn, and where that is.
fn each_with_another_key(document: &Value, visit: &mut impl FnMut(&Value, &str)) {
    fn places(value: &Value, place: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                found.push(place.to_owned());
                for (key, field) in fields {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    places(field, &format!("{place}/{key}"), found);
                }
            }
            Value::Array(items) => {
                let items = items.iter().take(2).enumerate();
                items.for_each(|(at, item)| places(item, &format!("{place}/{at}"), found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    places(document, "", &mut found);
    for place in found {
        let mut broken = document.clone();
        if let Some(object) = broken.pointer_mut(&place) {
            object["colour"] = json!("blue");
        }
        visit(&broken, &place);
    }
}

#[test]
fn the_status_is_as_its_schema_says_whatever_it_is() {
    let shop = shop();
    let validator = printed(&shop, "status");
    let status = |code: i32| {
        let ran = sandboxed(&shop, &["status", "--format", "json"]).exits(code);
        document(&validator, &ran)
    };
    assert_eq!(status(6)["verdict"], "nothing");
    let sessions = "[cache.sessions]\nreplicas = 1\nzone = \"a\"\nengine_version = \"7.1\"\n\
                    node_type = \"cache.t3.micro\"\nsubnets = [\"private-1\", \"private-2\"]\n\
                    security_groups = [\"redis\"]\n\n[cache.redis]\n";
    shop.edit("[cache.redis]\n", sessions);
    shop.edit("[database.user]\n", "[database.user]\nreplicas = 1\n");
    sandboxed(&shop, &["apply", "-y"]).exits(0);
    let told = status(0);
    assert_eq!(told["verdict"], "healthy");
    assert_eq!(told["format"], 1);
    assert!(told["services"][0]["machines"][0]["health"].is_object(), "{told:#}");
    shop.edit("\"db.t3.micro\"", "\"db.t3.small\"");
    sandboxed(&shop, &["apply", "-y"]).exits(0);
    assert!(status(0)["pending"][0].is_object(), "a change waits for the window");
    shop.edit("\"t3.small\"", "\"t3.large\"");
    assert!(status(6)["differences"][0].is_object());
    let mut unknown = told.clone();
    unknown["verdict"] = json!("fine");
    assert!(!validator.is_valid(&unknown));
}

#[test]
fn a_valid_file_and_a_faulty_one_are_told_as_their_schema_says() {
    let shop = shop();
    let validator = printed(&shop, "validate");
    let validate =
        |code: i32| document(&validator, &shop.bare(&["validate", "--format", "json"]).exits(code));
    let told = validate(0);
    assert_eq!((&told["valid"], &told["format"]), (&json!(true), &json!(1)));
    shop.edit("[service.user]", "[service.user]\nprot = 80\nport = 3000");
    shop.edit("priority = 2", "priority = 1");
    let told = validate(1);
    assert_eq!((&told["valid"], &told["file"]), (&json!(false), &json!("topology.toml")));
    assert!(told["errors"][0]["line"].is_u64(), "{told:#}");
    let mut both = told.clone();
    both["valid"] = json!(true);
    assert!(!validator.is_valid(&both), "one with errors is not valid");
}

#[test]
fn rehearsals_are_as_their_schema_says() {
    let shop = shop();
    let validator = printed(&shop, "rehearse");
    let rehearse = |code: i32| {
        let ran = sandboxed(&shop, &["rehearse", "--format", "json"]).exits(code);
        document(&validator, &ran)
    };
    assert!(rehearse(0)["timeline"][0]["verb"].is_string());
    sandboxed(&shop, &["apply", "-y"]).exits(0);
    assert_eq!(rehearse(0)["timeline"], json!([]));
    let slow = "[service.user]\nrolling = { healthy_deadline = 20 }\ncount = 4\ninstance_type = \"t3.medium\"";
    shop.edit("[service.user]", slow);
    let told = rehearse(1);
    assert!(told["failures"][0].is_string() && told["services"]["user"]["now"] == 2, "{told:#}");
}

#[test]
fn ways_are_as_their_schema_says() {
    let shop = shop();
    let validator = printed(&shop, "trace");
    let told = |arguments: &[&str], code: i32| {
        let ran = sandboxed(&shop, &[&["trace", "--format", "json"], arguments].concat());
        document(&validator, &ran.exits(code))
    };
    let walk = told(&["/api/auth/register?from=mail"], 0);
    assert_eq!((&walk["open"], &walk["format"]), (&json!(true), &json!(1)));
    told(&["/about", "--from", "203.0.113.10"], 0);
    assert!(told(&["--all"], 0)["routes"][0]["rule"].is_object());
    // Nothing of it is there.
    told(&["/about", "--live"], 1);
    told(&["--all", "--live"], 1);
    sandboxed(&shop, &["apply", "-y"]).exits(0);
    told(&["/api/auth/register", "--live"], 0);
    let open = "from = \"0.0.0.0/0\" }, {";
    shop.edit(open, "from = \"203.0.113.0/24\" }, {");
    let some = told(&["/about"], 0);
    let only = some["stops"].as_array().into_iter().flatten();
    let mut only = only.filter_map(|stop| stop["hops"].get(0)?.get("only"));
    assert_eq!(only.next(), Some(&json!(["203.0.113.0/24"])), "{some:#}");
    // What lets nothing out but to fetch artifacts closes the way to databases.
    let shut = "name    = \"EC2-SG\"\negress  = [{ port = 443, to = \"0.0.0.0/0\" }]\n";
    shop.edit("name    = \"EC2-SG\"\n", shut);
    assert_eq!(told(&["--all"], 1)["open"], false);
    told(&["/api/auth/register"], 1);
}

#[test]
fn policies_of_iam_are_as_their_schema_says() {
    let shop = shop();
    let validator = printed(&shop, "iam-policy");
    for purpose in [&[][..], &["plan"], &["apply"], &["adopt"]] {
        let ran = shop.bare(&[&["iam-policy", "--format", "json"], purpose].concat()).exits(0);
        let told = document(&validator, &ran);
        assert_eq!(told[0]["format"], 1);
        assert_eq!(told[0]["policy"]["Version"], "2012-10-17");
    }
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
