//! What can be said of an artifact and of the process that runs it. All of it reaches a shell and a URL, so that the
//! characters are few.

use super::shape::Flaw;

type Tested = Result<(), Flaw>;

fn test(good: bool, message: String, wanted: &'static str) -> Tested {
    if good { Ok(()) } else { Err(Flaw { message, wanted, hint: None }) }
}

/// As it will be for some service.
fn filled(text: &str) -> String {
    text.replace("${service}", "service")
}

fn plain(text: &str, beside: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || beside.contains(c))
}

fn hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Bucket and key of an S3 URL.
pub fn bucket_and_key(url: &str) -> Option<(&str, &str)> {
    url.strip_prefix("s3://")?.split_once('/')
}

pub fn s3(text: &str) -> Tested {
    let filled = filled(text);
    let good = bucket_and_key(&filled).is_some_and(|(bucket, key)| {
        (3..=63).contains(&bucket.len())
            && plain(bucket, "-.")
            // IAM would read `*` and `?` as patterns.
            && plain(key, "/!-_.'()")
            && (key.ends_with(".tar.gz") || key.ends_with(".tgz"))
    });
    test(
        good,
        format!("`{text}` is no artifact in S3"),
        "one looks like `s3://bucket/path/name.tar.gz`",
    )
}

pub fn sha256(text: &str) -> Tested {
    let message = format!("`{text}` is no SHA-256 checksum");
    test(hex(text, 64), message, "64 digits of 0-9 and a-f, as sha256sum prints them")
}

pub fn git(text: &str) -> Tested {
    let filled = filled(text);
    let rest = filled.strip_prefix("https://").unwrap_or_default();
    if rest.split('/').next().is_some_and(|host| host.contains('@')) {
        return Err(Flaw {
            message: "a password in the URL of a repository".to_owned(),
            wanted: "user data can be read by whoever may describe the machine",
            hint: Some("put what is private into S3, which the machine's role opens".to_owned()),
        });
    }
    let good = rest.contains('/') && plain(rest, "/-_.~:");
    test(good, format!("`{text}` is no repository"), "one looks like `https://host/owner/name.git`")
}

/// <https://git-scm.com/docs/git-check-ref-format>, a little narrower.
pub fn reference(text: &str) -> Tested {
    let good = !text.is_empty() && plain(text, "/-_.") && !text.starts_with(['-', '/']);
    test(good && !text.contains(".."), format!("`{text}` is no ref"), "the name of a tag or branch")
}

pub fn commit(text: &str) -> Tested {
    let message = format!("`{text}` is no commit");
    let hint = Some("`git rev-parse HEAD` prints it".to_owned());
    let wanted =
        "40 digits of 0-9 and a-f: a shorter one, a tag or a branch can come to mean another";
    test(hex(text, 40), message, wanted).map_err(|flaw| Flaw { hint, ..flaw })
}

/// A path within the artifact.
pub fn path(text: &str) -> Tested {
    let filled = filled(text);
    let good = !filled.is_empty()
        && plain(&filled, "/-_.")
        && !filled.starts_with(['/', '-'])
        && !filled.split('/').any(|part| part == "..");
    test(
        good,
        format!("`{text}` is no path within the artifact"),
        "like `dist/server.js`: a-z A-Z 0-9 /-_.",
    )
}

/// A folder that is given to the service's user.
pub fn log_dir(text: &str) -> Tested {
    let parts: Vec<&str> = text.strip_prefix("/var/log/").unwrap_or_default().split('/').collect();
    let good = plain(text, "/-_.") && !parts.iter().any(|part| ["", ".", ".."].contains(part));
    let flaw = if good && is_the_systems(parts[0]) {
        let message = format!("`/var/log/{}` is the system's own", parts[0]);
        test(false, message, "it would be given to the service's user")
    } else {
        let message = format!("`{text}` is no folder for logs");
        test(good, message, "one below `/var/log`: a-z A-Z 0-9 /-_.")
    };
    let name = parts.last().copied().unwrap_or_default();
    let name = if name.is_empty() || name == ".." || is_the_systems(name) { "shop" } else { name };
    flaw.map_err(|flaw| Flaw { hint: Some(format!("like `/var/log/{name}`")), ..flaw })
}

/// Whether Amazon Linux, Debian or Ubuntu call a folder so in `/var/log` or `/opt`, or begin the names of units so.
pub fn is_the_systems(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "amazon",
        "apt",
        "audit",
        "chrony",
        "cloud",
        "dbus",
        "dist-upgrade",
        "dnf",
        "dpkg",
        "installer",
        "journal",
        "landscape",
        "lxd",
        "private",
        "rpc",
        "sa",
        "samba",
        "snap",
        "snapd",
        "ssh",
        "sshd",
        "sssd",
        "sysstat",
        "systemd",
        "tuned",
        "ubuntu",
        "ubuntu-advantage",
        "unattended",
        "unattended-upgrades",
    ];
    NAMES.contains(&name)
}
