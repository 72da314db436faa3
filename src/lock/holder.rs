//! Who holds a lock: this process, or one that may be dead.

use jiff::Timestamp;

use crate::model::{Holder, digest};
use crate::process;

/// Who we are.
pub fn us(command: &str) -> Holder {
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let user = ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "LOGNAME", "USERNAME"];
    let user =
        user.iter().find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()));
    let process = std::process::id();
    let since = Timestamp::now();
    let unique =
        format!("{host} {process} {} {:?}", since.as_nanosecond(), std::thread::current().id());
    Holder {
        id: digest(unique.as_bytes())[..16].to_owned(),
        command: command.to_owned(),
        user: user.unwrap_or_else(|| "somebody".to_owned()),
        place: place(&host),
        host,
        process,
        since: since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }
}

/// Where process numbers mean the same: on Linux, one boot of a machine and one namespace of process numbers. Empty where
/// that can't be told.
fn place(host: &str) -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    match (boot.trim(), std::fs::read_link("/proc/self/ns/pid")) {
        ("", _) | (_, Err(_)) => String::new(),
        (boot, Ok(space)) => {
            digest(format!("{host} {boot} {}", space.display()).as_bytes())[..16].to_owned()
        }
    }
}

/// Whether its process was on this very machine, and is no more.
pub fn died_here(other: &Holder, us: &Holder) -> bool {
    let here = !us.place.is_empty() && other.place == us.place;
    here && process::is_gone(other.process)
}
