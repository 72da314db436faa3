//! The programs of Debian that these tests run.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

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
    need_of(program, PACKAGES)
}

/// A program of one of these packages of Debian, which are installed if it is missing and this user may.
pub fn need_of(program: &str, packages: &[&str]) -> Command {
    if find(program).is_none() && is_root() {
        let _ =
            apt_get(|apt| apt.args(["install", "-y", "--no-install-recommends"]).args(packages));
    }
    let found = find(program);
    Command::new(found.unwrap_or_else(|| {
        panic!(
            "these tests run {program}: apt-get install {} (npm comes with NodeSource's nodejs)",
            packages.join(" ")
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

/// Whom the service runs as: somebody else, if whoever runs the tests may become that.
pub fn user() -> String {
    if is_root() {
        "nobody".to_owned()
    } else {
        output(Command::new("id").arg("-un")).trim().to_owned()
    }
}

/// npm's settings, as whoever runs the tests has them; and a cache for the service's user, kept from test to test.
pub fn npm() -> &'static [(&'static str, String)] {
    static SETTINGS: OnceLock<Vec<(&str, String)>> = OnceLock::new();
    SETTINGS.get_or_init(|| {
        let cache = std::env::temp_dir().join(format!("ecdeploy-npm-of-{}", user()));
        fs::create_dir_all(&cache).expect("a folder");
        if is_root() {
            output(Command::new("chown").args(["-R", "nobody"]).arg(&cache));
        }
        let get = |key| output(need("npm").args(["config", "get", key])).trim().to_owned();
        let mut settings = vec![
            ("npm_config_cache", cache.display().to_string()),
            ("npm_config_registry", get("registry")),
            ("npm_config_prefer_offline", "true".to_owned()),
        ];
        let authorities = get("cafile");
        if authorities != "null" {
            settings.push(("npm_config_cafile", authorities));
        }
        settings
    })
}
