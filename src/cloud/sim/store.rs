//! Where the sandbox's account is kept between runs: one file, readable by its owner only. Several processes may work on
//! it, one call after the other.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
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
    /// How often the account had been written when it was last read or written here.
    seen: AtomicU64,
}

/// While it lives, no other process works on the account. Its file says how often the account was written.
pub struct Turn(File);

impl Turn {
    fn take(path: &Path) -> io::Result<Self> {
        let mut open = File::options();
        open.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut open, 0o600);
        let file = open.open(path.with_extension("lock"))?;
        match file.lock() {
            Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(error),
            _ => Ok(Self(file)),
        }
    }

    fn written(&mut self) -> io::Result<u64> {
        let mut text = String::new();
        self.0.rewind()?;
        self.0.read_to_string(&mut text)?;
        Ok(text.trim().parse().unwrap_or(0))
    }

    fn write(&mut self, written: u64) -> io::Result<()> {
        self.0.rewind()?;
        self.0.set_len(0)?;
        self.0.write_all(written.to_string().as_bytes())
    }
}

impl Store {
    /// Opens the account in `directory`, or a new one.
    pub fn open(directory: &Path, id: &str, region: &str, scale: f64) -> Result<(Self, Account)> {
        private::make_directory(directory).map_err(|error| trouble("make", directory, error))?;
        let path = directory.join(format!("{id}-{region}.json"));
        let turn = Turn::take(&path).and_then(|mut turn| Ok((turn.written()?, turn)));
        let (written, _turn) = turn.map_err(|error| trouble("lock", &path, error))?;
        let account = match load(&path)? {
            Some(kept) => {
                let mut account = kept.account;
                let away = Duration::from_millis(unix_milliseconds().saturating_sub(kept.written));
                // A file may say that it is from any time at all.
                let away = Duration::try_from_secs_f64(away.as_secs_f64() * scale);
                account.advance(account.clock().saturating_add(away.unwrap_or(Duration::MAX)));
                account
            }
            None => Account::new(id, region),
        };
        Ok((Self { path, seen: AtomicU64::new(written) }, account))
    }

    /// Begins a turn, with the account as another process may have left it meanwhile.
    pub fn turn(&self, account: &mut Account) -> Result<Turn, Fault> {
        let trouble = |error: String| Fault::new(Class::Fatal, "sandbox:Read", "", error);
        let turn = Turn::take(&self.path).and_then(|mut turn| Ok((turn.written()?, turn)));
        let (written, turn) = turn.map_err(|error| trouble(self.cant("lock", &error)))?;
        if self.seen.swap(written, Ordering::Relaxed) != written
            && let Some(kept) = load(&self.path).map_err(|error| trouble(error.message))?
        {
            // What was told to this process stays.
            let told = std::mem::take(&mut account.told);
            *account = kept.account;
            account.told = told;
        }
        Ok(turn)
    }

    /// Replaces the file in one step, so that a kill leaves the old account or the new one.
    pub fn save(&self, account: &Account, turn: &mut Turn) -> Result<(), Fault> {
        self.write(account, turn).map_err(|error| {
            Fault::new(Class::Fatal, "sandbox:Save", "", self.cant("write", &error))
        })
    }

    fn cant(&self, verb: &str, error: &io::Error) -> String {
        format!("can't {verb} {}: {error}", self.path.display())
    }

    fn write(&self, account: &Account, turn: &mut Turn) -> io::Result<()> {
        #[derive(Serialize)]
        struct Keep<'a> {
            written: u64,
            account: &'a Account,
        }
        let text = serde_json::to_vec(&Keep { written: unix_milliseconds(), account })?;
        // Counted before it is there: one that is killed in between makes the others read once too often, not too seldom.
        let written = self.seen.load(Ordering::Relaxed).wrapping_add(1);
        turn.write(written)?;
        self.seen.store(written, Ordering::Relaxed);
        private::write(&self.path, &text)
    }
}

/// What the file holds, where there is one.
fn load(path: &Path) -> Result<Option<Kept>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(trouble("read", path, error)),
    };
    let kept = serde_json::from_str(&text).map_err(|error| {
        let message = format!("{} is not a sandbox account: {error}", path.display());
        Error::new(ErrorKind::File, message)
            .hint(format!("delete {} to begin with an empty account", path.display()))
    })?;
    Ok(Some(kept))
}

fn unix_milliseconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn trouble(verb: &str, path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::File, format!("can't {verb} {}: {error}", path.display())).source(error)
}

#[cfg(test)]
mod tests {
    use super::super::SimCloud;
    use crate::cloud::Cloud;
    use crate::kinds;
    use crate::model::{Body, Tags};

    const EACH: usize = 30;

    /// Makes VPCs in the account kept there, as a process of its own would.
    fn work(directory: &std::path::Path) {
        let cloud = SimCloud::open(directory, "123456789012", "eu-west-1", 1e6).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let body = Body::from([("cidr_block".to_owned(), "10.0.0.0/16".into())]);
        let kind = kinds::by_name("vpc").unwrap();
        for _ in 0..EACH {
            runtime.block_on(cloud.create(kind, &body, &[Tags::new()], "")).unwrap();
        }
    }

    #[test]
    fn nothing_is_lost_where_two_work_on_it() {
        let directory = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| work(directory.path()));
            }
        });
        let cloud = SimCloud::open(directory.path(), "123456789012", "eu-west-1", 1.0).unwrap();
        assert_eq!(cloud.account().objects().count(), 2 * EACH);
        let files = std::fs::read_dir(directory.path()).unwrap();
        assert_eq!(files.count(), 2, "the account and its lock");
    }
}
