//! A machine's boot script runs for real: PM2 from npm, the example's service, a PostgreSQL over TLS, a Redis, settings
//! and secrets on an emulator. Only package manager, systemd and downloads of keys are stood in for, in `tests/boot`.

mod cloud_init;
mod interrupted;
mod machine;
pub mod programs;
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

    // There is no artifact yet; then one that is not what the file says.
    let mut booting = machine.setup().spawn().expect("the script");
    until("it waits for the artifact", || machine.log().contains("not yet: fetch_s3"));
    machine.upload("another artifact");
    assert!(!booting.wait().expect("its end").success());
    assert!(machine.log().contains("does not have the checksum"), "{}", machine.log());
    assert!(!machine.path("opt/ecommerce/releases").join(&machine.checksum).exists());

    // It is set up before there is a database, and waits for it.
    machine.upload_service();
    assert!(machine.boot(), "{}", machine.log());
    until("it waits", || machine.log().contains("waiting for: DATABASE_HOST"));
    assert!(machine.edge().contains("apt-get -q -y -o DPkg::Lock::Timeout=300 install nodejs"));
    systemd_takes_the_units(&machine);
    machine.publish();
    until("both workers answer", || machine.workers().len() == 2);

    a_registration(&mut machine);
    a_killed_worker_comes_back(&machine);
    one_that_takes_too_much_memory_is_restarted(&machine);
    again_changes_nothing(&mut machine);
    a_new_password_is_taken_up(&mut machine);
    no_password_is_written_down(&mut machine);
    logs_lie_where_they_are_drawn(&machine);
}

fn systemd_takes_the_units(machine: &Machine) {
    let mut verify = need("systemd-analyze");
    verify.args(["--man=no", "--recursive-errors=no", "verify"]);
    let copies = TempDir::new().expect("a folder");
    let root = machine.path("").display().to_string();
    for unit in fs::read_dir(machine.path("etc/systemd/system")).expect("the units") {
        let unit = unit.expect("a unit");
        let text = fs::read_to_string(unit.path()).expect("a unit");
        let copy = copies.path().join(unit.file_name());
        fs::write(&copy, text.replace("ExecStart=/opt", &format!("ExecStart={root}opt")))
            .expect("a copy");
        verify.arg(copy);
    }
    output(&mut verify);
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
    let told = fs::read_to_string(machine.path("var/lib/ecdeploy/ecommerce/pm2/pm2.log"))
        .expect("its log");
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
    machine.systemctl("start", "ecommerce-user-refresh.service");
    until("it is taken up", || machine.ask("GET", "/api/users/grace@example.com", "").0 == 404);
    assert_eq!(machine.workers().len(), 2);
}

/// Nor in its logs, in PM2's notes, in the journal, in user data, in a parameter.
fn no_password_is_written_down(machine: &mut Machine) {
    let mut grep = Command::new("grep");
    grep.arg("-rlF");
    let parameters = machine.parameters();
    for password in &machine.passwords {
        let in_json = serde_json::Value::from(password.as_str()).to_string();
        grep.args(["-e", password, "-e", in_json.trim_matches('"')]);
        assert!(!parameters.contains(password));
    }
    let found = grep.arg(machine.path("")).output().expect("grep");
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
    assert_eq!(found.status.code(), Some(1), "it read everything, and found nothing");
}

fn logs_lie_where_they_are_drawn(machine: &Machine) {
    let read = |name: &str| fs::read_to_string(machine.path(name)).expect("a log");
    assert!(read("var/log/ecommerce/user.log").contains("POST /api/auth/register 201"));
    assert!(read("var/log/ecommerce/user-err.log").contains("password authentication failed"));
    assert!(read("var/log/ecommerce/user-boot.log").contains("set up"));
    // Grown past `maxsize` since it was last looked at.
    let log = fs::OpenOptions::new().write(true).open(machine.path("var/log/ecommerce/user.log"));
    log.expect("the log").set_len(101 << 20).expect("space that nothing takes");
    machine.systemctl("start", "ecommerce-user-refresh.service");
    assert!(machine.path("var/log/ecommerce/user.log.1").exists(), "{}", machine.log());
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

/// Its snap does not run for a user without a home in /home, and since 24.04 there is no package of it.
#[test]
fn ubuntu_has_no_aws_cli_for_the_service_and_gets_one() {
    let machine = Machine::of_ubuntu();
    machine.without_packages();
    machine.program("aws", "echo 'cannot create user data directory' >&2; exit 46");
    machine
        .program("apt-get", "echo \"apt-get $*\" >>\"$BOOT_ROOT/edge.log\"; [[ $* != *awscli* ]]");

    assert!(machine.boot(), "{}", machine.log());

    assert!(machine.edge().contains("install python3-venv"), "{}", machine.edge());
    until("it asks SSM, as its own user", || machine.log().contains("waiting for: DATABASE_HOST"));
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
