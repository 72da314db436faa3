//! `ecdeploy status` as people and scripts run it: in the sandbox, on both emulators, on a terminal; and the progress of an
//! apply on a terminal.

use serde_json::{Value, json};

use crate::drawn::Drawn;
use crate::emulator::Emulator;
use crate::inventory::Inventory;
use crate::product::{Ran, Shop};
#[cfg(unix)]
use crate::terminal::Terminal;

on_each_emulator!(the_account_is_seen_as_it_is);

const SANDBOX: [&str; 2] = ["--sandbox", "--sandbox-speed=100000"];

fn sandboxed(shop: &Shop, arguments: &[&str]) -> Ran {
    shop.bare(&[arguments, &SANDBOX].concat())
}

/// A shop whose account nobody must ask: nothing answers there.
fn offline() -> Shop {
    Shop::at("http://127.0.0.1:9")
}

#[track_caller]
fn data(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}\n{ran}"))
}

#[test]
fn the_exit_code_says_what_it_comes_to() {
    let shop = offline();
    sandboxed(&shop, &["status"]).exits(6).says("ecdeploy apply --sandbox");
    sandboxed(&shop, &["apply", "-y"]).exits(0);
    sandboxed(&shop, &["status"]).exits(0).says("Healthy, and as the file says: 103 resources.");
    shop.edit("t3.small", "t3.large");
    sandboxed(&shop, &["status"]).exits(6).says("(instance_type)").says("14 of 103 resources");
    shop.edit("t3.large", "t3.small");
    shop.edit("count           = 2", "count           = 3");
    sandboxed(&shop, &["status"]).exits(5).says("1 of 3 missing");
    sandboxed(&shop, &["status", "--watch=0"]).exits(1).says("from 1 to 3600");
    let ran = sandboxed(&shop, &["status", "--help"]).exits(0);
    ran.says("5 something is missing or not healthy").says("6 healthy but not");
}

#[test]
fn as_data_it_has_its_own_form() {
    let shop = offline();
    sandboxed(&shop, &["apply", "-y"]).exits(0);
    let told = data(&sandboxed(&shop, &["status", "--format", "json"]).exits(0));
    assert_eq!((&told["format"], &told["verdict"]), (&json!(1), &json!("healthy")));
    let user = &told["services"][0];
    assert_eq!((&user["name"], &user["healthy"]), (&json!("user"), &json!(2)));
    assert_eq!(user["machines"][0]["zone"], "ap-southeast-1a", "{user:#}");
    assert_eq!(user["machines"][0]["health"]["state"], "healthy", "{user:#}");
    assert_eq!(told["databases"].as_array().map(Vec::len), Some(5));
    assert_eq!(told["lock"], json!({"holders": [], "unknown": null}));
}

fn the_account_is_seen_as_it_is(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.run(&["status"]).exits(6).says("Nothing of it is there.");
    shop.apply();
    let (_, plan) = account.calls_during(|_| shop.run(&["plan"]).exits(0));
    let (_, status) = account.calls_during(|_| shop.run(&["status"]).exits(0));
    assert_eq!(status.len(), plan.len() + 1, "what a plan reads, and the lock");
    assert!(status.iter().all(|call| !call.changes()));

    let inventory = Inventory::take(&mut account.raw);
    let machine = Drawn::in_account(&inventory).at("instance.user-2").id.clone();
    account.raw.ec2("terminate_instances", json!({ "InstanceIds": [machine] }));
    let told = data(&shop.run(&["status", "--format", "json"]).exits(5));
    assert_eq!(told["verdict"], "unhealthy");
    assert_eq!(told["services"][0]["healthy"], 1, "{told:#}");
    let missing = told["differences"].as_array().into_iter().flatten();
    let missing: Vec<&Value> = missing.filter(|one| one["how"] == "missing").collect();
    assert_eq!(missing.len(), 1, "{told:#}");
    assert_eq!(missing[0]["address"], "instance.user-2");
    shop.run(&["status"]).exits(5).says("1 of 2 missing");
}

#[test]
fn a_role_that_may_plan_may_see_the_status() {
    let shop = offline();
    let policy = shop.run(&["iam-policy", "plan"]).exits(0);
    policy.says("ssm:GetParametersByPath").says("parameter/ecdeploy/ecommerce/lock");
}

#[cfg(unix)]
#[test]
fn who_watches_in_a_log_gets_a_block_or_a_document_a_time_until_ctrl_c() {
    let shop = offline();
    sandboxed(&shop, &["apply", "-y"]).exits(0);
    for (format, mark) in
        [("human", "Healthy, and as the file says"), ("json", "\"verdict\":\"healthy\"")]
    {
        let arguments = ["status", "--watch=1", "--format", format, SANDBOX[0], SANDBOX[1]];
        let running = shop.start(&arguments);
        std::thread::sleep(std::time::Duration::from_secs(3));
        running.signal("INT");
        let ran = running.ends().exits(130);
        assert!(ran.stdout.matches(mark).count() >= 2, "{ran}");
        assert!(!ran.stdout.contains('\u{1b}') && ran.stderr.is_empty(), "{ran}");
        if format == "json" {
            ran.stdout
                .lines()
                .for_each(|line| drop(serde_json::from_str::<Value>(line).expect("JSON")));
        }
    }
}

#[cfg(unix)]
#[test]
fn who_watches_on_a_terminal_sees_it_in_place_and_keeps_the_last_look() {
    let shop = offline();
    sandboxed(&shop, &["apply", "-y"]).exits(0);
    let mut terminal =
        Terminal::run(&shop, (80, 24), &["status", "--watch=1", SANDBOX[0], SANDBOX[1]]);
    terminal.until("every 1 s");
    let screen = terminal.screen();
    assert_eq!(screen.iter().filter(|line| line.contains("SERVICE")).count(), 1, "{screen:#?}");
    terminal.resize(60, 16);
    terminal.until("7 services with 14 machines, all healthy");

    terminal.interrupt();

    assert_eq!(terminal.ends(), 130);
    let screen = terminal.screen();
    assert!(
        screen.iter().any(|line| line.contains("Healthy, and as the file says")),
        "{screen:#?}"
    );
    assert!(!terminal.screen().concat().contains("every 1 s"));
}

#[cfg(unix)]
#[test]
fn an_apply_rolls_no_terminal_and_ctrl_c_leaves_no_line_behind() {
    let shop = offline();
    let arguments = ["apply", "-y", "--sandbox", "--sandbox-speed=20"];
    let mut terminal = Terminal::run(&shop, (80, 24), &arguments);
    terminal.until("network       ━━━━━━━━  16 of 16");
    let before = terminal.screen();
    let block = |screen: &[String]| screen.iter().filter(|line| line.contains(" of ")).count();
    assert!(block(&before) >= 12, "{before:#?}");
    // What was said before stands where it stood: nothing has rolled.
    let said = |screen: &[String]| screen.iter().position(|line| line.starts_with("Takes about"));
    terminal.until("steps  2m");
    assert_eq!(said(&terminal.screen()), said(&before));

    terminal.interrupt();

    assert_eq!(terminal.ends(), 130);
    let screen = terminal.screen();
    assert!(!screen.concat().contains('━') && !screen.concat().contains("^C"), "{screen:#?}");
    assert!(screen.iter().any(|line| line.starts_with("Stopping:")), "{screen:#?}");
    assert!(screen.iter().any(|line| line.starts_with("left for the next run:")), "{screen:#?}");
}

#[cfg(unix)]
#[test]
fn on_a_narrow_terminal_no_line_is_broken_and_in_a_file_there_is_no_colour() {
    let shop = offline();
    sandboxed(&shop, &["apply", "-y"]).exits(0);
    shop.edit("[database.notification]\n", "");
    shop.edit("uses      = [\"database.notification\"]\n", "");
    shop.edit("[service.frontend]\n", "[service.frontend]\ncount = 3\n");
    shop.edit("t3.small", "t3.medium");
    for (command, says) in [
        (vec!["plan"], "To carry it out"),
        (vec!["status"], "Nobody holds the lock."),
        (vec!["graph", "--plan"], "to replace"),
        (vec!["graph", "--live"], "not there yet"),
    ] {
        for columns in [60, 80, 120] {
            let arguments = [&command[..], &SANDBOX].concat();
            let mut terminal = Terminal::run(&shop, (columns, 100), &arguments);
            terminal.ends();
            let lines = terminal.lines();
            assert!(lines.iter().any(|line| line.contains(says)), "{command:?}\n{lines:#?}");
            // A name that is longer than the terminal is wide stays whole.
            let broken: Vec<&String> = lines
                .iter()
                .filter(|line| line.chars().count() > columns && line.trim().contains(' '))
                .collect();
            assert!(broken.is_empty(), "{command:?} on {columns} columns\n{broken:#?}");
        }
        let ran = sandboxed(&shop, &command);
        assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'), "{ran}");
    }
    // A file has whole lines, to be searched.
    let plan = sandboxed(&shop, &["plan"]).exits(0);
    plan.says(
        "ssm_parameter.notification/DATABASE_HOST  /ecommerce/notification/DATABASE_HOST  delete",
    );
}
