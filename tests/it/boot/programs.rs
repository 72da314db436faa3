//! The programs of Debian that these tests run.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Debian's packages for all of them.
const PACKAGES: &[&str] = &[
    "postgresql",
    "redis-server",
    "shellcheck",
    "logrotate",
    "openssl",
    "nodejs",
    "awscli",
    "python3-venv",
    "systemd",
];

/// A program, installed if it is missing and this user may.
pub fn need(program: &str) -> Command {
    if find(program).is_none() && is_root() {
        let _ =
            apt_get(|apt| apt.args(["install", "-y", "--no-install-recommends"]).args(PACKAGES));
    }
    let found = find(program);
    Command::new(found.unwrap_or_else(|| {
        panic!(
            "these tests run {program}: apt-get install {} (npm comes with NodeSource's nodejs)",
            PACKAGES.join(" ")
        )
    }))
}

/// Runs Debian's package manager, once more with fresh lists if it fails; tells whether it succeeded.
pub fn apt_get(with: impl Fn(&mut Command) -> &mut Command) -> bool {
    let run = || {
        let mut apt = Command::new("apt-get");
        apt.arg("-q").env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        with(&mut apt).status().is_ok_and(|status| status.success())
    };
    let mut update = Command::new("apt-get");
    update.args(["-q", "update"]).stdout(Stdio::null());
    run() || (update.status().is_ok() && run())
}

pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps PostgreSQL's servers, and what is for root, out of the path.
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let servers = versions.map(|version| version.path().join("bin"));
    std::env::split_paths(&path)
        .chain(servers)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(program))
        // What lies in root's home is closed to the user whom the service runs as.
        .find(|file| file.exists() && !file.starts_with("/root"))
}

/// What a command prints, once it succeeded.
#[track_caller]
pub fn output(command: &mut Command) -> String {
    let output = command.output().expect("a program that can be run");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}:\n{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

pub fn is_root() -> bool {
    output(Command::new("id").arg("-u")).trim() == "0"
}
