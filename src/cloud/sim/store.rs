//! Where the sandbox's account is kept between runs: one file, readable by its owner only.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::Account;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Class, Fault};
use crate::private;

/// What the file holds.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// When it was written, in milliseconds of Unix time: the account's clock goes on from there.
    written: u64,
    account: Account,
}

pub struct Store {
    path: PathBuf,
}

impl Store {
    /// Opens the account in `directory`, or a new one.
    pub fn open(directory: &Path, id: &str, region: &str, scale: f64) -> Result<(Self, Account)> {
        private::make_directory(directory).map_err(|error| trouble("make", directory, error))?;
        let path = directory.join(format!("{id}-{region}.json"));
        let account = match fs::read_to_string(&path) {
            Ok(text) => {
                let kept: Kept = serde_json::from_str(&text).map_err(|error| {
                    Error::new(
                        ErrorKind::File,
                        format!("{} is not a sandbox account: {error}", path.display()),
                    )
                    .hint(format!("delete {} to begin with an empty account", path.display()))
                })?;
                let mut account = kept.account;
                let away = Duration::from_millis(unix_milliseconds().saturating_sub(kept.written));
                // A file may say that it is from any time at all.
                let away = Duration::try_from_secs_f64(away.as_secs_f64() * scale);
                account.advance(account.clock().saturating_add(away.unwrap_or(Duration::MAX)));
                account
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Account::new(id, region),
            Err(error) => return Err(trouble("read", &path, error)),
        };
        Ok((Self { path }, account))
    }

    /// Replaces the file in one step, so that a kill leaves the old account or the new one.
    pub fn save(&self, account: &Account) -> Result<(), Fault> {
        self.write(account).map_err(|error| {
            Fault::new(
                Class::Fatal,
                "sandbox:Save",
                "",
                format!("can't write {}: {error}", self.path.display()),
            )
        })
    }

    fn write(&self, account: &Account) -> std::io::Result<()> {
        #[derive(Serialize)]
        struct Keep<'a> {
            written: u64,
            account: &'a Account,
        }
        let text = serde_json::to_vec(&Keep { written: unix_milliseconds(), account })?;
        private::write(&self.path, &text)
    }
}

fn unix_milliseconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn trouble(verb: &str, path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::File, format!("can't {verb} {}: {error}", path.display())).source(error)
}
