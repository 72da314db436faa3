//! A machine's boot script runs for real: PM2 from npm, the example's service, a PostgreSQL over TLS, a Redis, settings
//! and secrets on an emulator. Only package manager, systemd and downloads of keys are stood in for, in `tests/boot`.

mod cloud_init;
mod machine;
mod programs;
mod stores;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ecdeploy::{boot, topology};
use tempfile::TempDir;

use crate::venv;
use machine::Machine;
use programs::{need, output};

/// Far longer than any of it takes.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_machine_sets_itself_up_and_serves() {
    let mut machine = Machine::of_debian();

    // What lies in S3 is not what the file says.
    machine.upload("another artifact");
    assert!(!machine.boot());
    assert!(machine.log().contains("does not have the checksum"), "{}", machine.log());
    assert!(!machine.path("opt/ecommerce/releases").join(&machine.checksum).exists());

    // It is set up before there is a database, and waits for it.
    machine.upload_service();
    assert!(machine.boot(), "{}", machine.log());
    until("it waits", || machine.log().contains("waiting for: DATABASE_HOST"));
    assert!(machine.edge().contains("apt-get -q -y -o DPkg::Lock::Timeout=300 install nodejs"));
    machine.publish();
    until("both workers answer", || machine.workers().len() == 2);

    a_registration(&mut machine);
    a_killed_worker_comes_back(&machine);
    one_that_takes_too_much_memory_is_restarted(&machine);
    again_changes_nothing(&mut machine);
    a_new_password_is_taken_up(&mut machine);
    logs_lie_where_they_are_drawn(&machine);
}

/// The walk that architecture.md draws.
fn a_registration(machine: &mut Machine) {
    let ada = r#"{"email":"ada@example.com","password":"correct horse"}"#;
    let (status, answer) = machine.ask("POST", "/api/auth/register", ada);
    assert_eq!(status, 201, "{answer}");
    assert_eq!(answer["token"].as_str().unwrap().split('.').count(), 3, "a JWT");
    let rows = machine.stores.sql("SELECT email FROM users");
    assert_eq!(rows.trim(), "ada@example.com");
    let cached = machine.stores.redis(&["GET", "user:ada@example.com"]);
    assert!(cached.contains("ada@example.com"), "{cached}");
    let (status, answer) = machine.ask("POST", "/api/auth/register", ada);
    assert_eq!(status, 409, "{answer}");
    let (status, answer) = machine.ask("GET", "/api/users/ada@example.com", "");
    assert_eq!((status, answer["email"].as_str()), (200, Some("ada@example.com")));
}

fn a_killed_worker_comes_back(machine: &Machine) {
    let before = machine.workers();
    let killed = *before.first().expect("a worker");
    signal("-KILL", killed);
    until("another takes its place", || {
        let now = machine.workers();
        now.len() == 2 && !now.contains(&killed)
    });
}

fn one_that_takes_too_much_memory_is_restarted(machine: &Machine) {
    let hungry = *machine.workers().first().expect("a worker");
    signal("-USR2", hungry);
    until("PM2 replaces it", || {
        let now = machine.workers();
        now.len() == 2 && !now.contains(&hungry)
    });
    let told = fs::read_to_string(machine.path("var/lib/ecommerce/pm2/pm2.log")).expect("its log");
    assert!(told.contains("restarted because it exceeds --max-memory-restart"), "{told}");
}

fn again_changes_nothing(machine: &mut Machine) {
    let (files, workers, edge) = (machine.files(), machine.workers(), machine.edge());
    assert!(machine.boot(), "{}", machine.log());
    assert_eq!(machine.files(), files);
    assert_eq!(machine.workers(), workers);
    let more = machine.edge().split_off(edge.len());
    assert_eq!(more, "systemctl start --no-block ecommerce-user.service\n");
}

/// RDS makes one every week.
fn a_new_password_is_taken_up(machine: &mut Machine) {
    machine.change_password("another'pass\"word$");
    let (status, _) = machine.ask("GET", "/api/users/grace@example.com", "");
    assert_eq!(status, 500, "the old one is no good any more");
    machine.run("refresh");
    until("it is taken up", || machine.ask("GET", "/api/users/grace@example.com", "").0 == 404);
    assert_eq!(machine.workers().len(), 2);
    for file in machine.files().keys().map(|name| machine.path(name)) {
        let content = fs::read(&file).unwrap_or_default();
        for password in &machine.passwords {
            let there = content.windows(password.len()).any(|part| part == password.as_bytes());
            assert!(!there, "a password in {}", file.display());
        }
    }
}

fn logs_lie_where_they_are_drawn(machine: &Machine) {
    let read = |name: &str| fs::read_to_string(machine.path(name)).expect("a log");
    assert!(read("var/log/ecommerce/user.log").contains("POST /api/auth/register 201"));
    assert!(read("var/log/ecommerce/user-err.log").contains("password authentication failed"));
    let rotation = machine.path("etc/logrotate.d/ecommerce");
    let state = machine.path("logrotate.state");
    output(need("logrotate").arg("--force").arg("--state").arg(state).arg(rotation));
    assert!(machine.path("var/log/ecommerce/user.log.1").exists());
    assert_eq!(read("var/log/ecommerce/user.log"), "");
}

#[test]
fn amazon_linux_and_a_repository_serve_as_well() {
    let machine = Machine::of_amazon_linux();

    // The tag was moved since.
    machine.commit("another");
    assert!(!machine.boot());
    assert!(
        machine.log().contains("v1 of https://git.example.com/shop.git is not"),
        "{}",
        machine.log()
    );
    assert!(!machine.path("opt/ecommerce/releases").join(&machine.checksum).exists());

    machine.tag(&machine.checksum);
    assert!(machine.boot(), "{}", machine.log());

    let edge = machine.edge();
    let node = machine.node();
    assert!(
        edge.contains(&format!("dnf install -y -q nodejs{node} nodejs{node}-npm git-core")),
        "{edge}"
    );
    assert!(!edge.contains("apt-get"), "{edge}");
    let link = fs::read_link(machine.path("opt/ecommerce/bin/node")).expect("a link");
    assert_eq!(link, machine.system.join(format!("node-{node}")));
    let current = machine.path("opt/ecommerce/current");
    let release = machine.path("opt/ecommerce/releases").join(&machine.checksum);
    assert_eq!(fs::read_link(&current).expect("a link"), release.join("user-service"));
    assert!(current.join("server.js").exists() && current.join("node_modules/pg").exists());
    until("it waits", || machine.log().contains("waiting for: DATABASE_HOST"));
}

#[test]
fn the_scripts_pass_shellcheck_and_cloud_init_takes_them() {
    let text = fs::read_to_string(venv::root().join("topology.toml")).expect("the drawn system");
    let topology = topology::parse("topology.toml", &text, &[]).expect("no errors");
    let mut check = need("shellcheck");
    let folders: Vec<TempDir> = topology
        .services
        .iter()
        .map(|service| {
            let root = TempDir::new().expect("a folder");
            let user_data = boot::user_data(&topology, service).expect("an artifact");
            cloud_init::write_files(&user_data, root.path());
            check.arg(root.path().join("opt/ecommerce/bin/boot"));
            root
        })
        .collect();
    for shim in fs::read_dir(venv::root().join("tests/boot/shims")).expect("the shims") {
        check.arg(shim.expect("a shim").path());
    }
    output(&mut check);
    cloud_init::check(&folders[0].path().join("user-data"));
}

fn signal(name: &str, pid: u32) {
    output(Command::new("kill").arg(name).arg(pid.to_string()));
}

#[track_caller]
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(200));
    }
}

type Pids = BTreeSet<u32>;
