//! Files that only their owner may read: saved plans, the sandbox's account.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use crate::process;

/// Puts a file that only its owner may read in the place of the one that is there, in one step: a kill leaves the old one
/// or the new. Who has the old one open, or has planted a link there, gets nothing of it.
///
/// # Errors
/// When something else than a file stands there, or it can't be written.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        // `--out /dev/stdout` would take that away for everybody.
        Ok(there) if !there.is_file() => {
            return Err(io::Error::other("what stands there is no plain file"));
        }
        _ => {}
    }
    sweep(path);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    let mut options = OpenOptions::new();
    // Never one that somebody else has made.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = match options.open(&new) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(&new)?;
            options.open(&new)?
        }
        opened => opened?,
    };
    let written = file.write_all(bytes).and_then(|()| fs::rename(&new, path));
    written.inspect_err(|_| drop(fs::remove_file(&new)))
}

/// What a kill left half written is nobody's any more once it is old: the process of that number may have been on another
/// machine that shares the folder.
const LEFT_BEHIND: Duration = Duration::from_secs(600);

/// Takes away what processes that are dead were writing beside this file.
fn sweep(path: &Path) {
    let Some(name) = path.file_name().and_then(OsStr::to_str) else { return };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let Ok(entries) = fs::read_dir(folder.unwrap_or(Path::new("."))) else { return };
    for entry in entries.flatten() {
        let beside = entry.file_name();
        let number = beside.to_str().and_then(|beside| {
            beside.strip_prefix(name)?.strip_prefix('.')?.strip_suffix(".new")?.parse().ok()
        });
        let age = || entry.metadata().ok()?.modified().ok()?.elapsed().ok();
        if number.is_some_and(process::is_gone) && age().is_some_and(|age| age > LEFT_BEHIND) {
            // Who else sweeps may be faster.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Makes a directory that only its owner may enter, or makes the one that is there such.
///
/// # Errors
/// When a link stands there, which leads who knows where, or it can't be made.
pub fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    if !fs::symlink_metadata(path)?.is_dir() {
        return Err(io::Error::other("what stands there is no plain directory"));
    }
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_is_its_owners_whatever_stood_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("shop.plan");
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        let mut opened_before = fs::File::open(&file).unwrap();
        write(&file, b"new").unwrap();
        assert_eq!((fs::read_to_string(&file).unwrap().as_str(), mode(&file)), ("new", 0o600));
        let seen = io::read_to_string(&mut opened_before).unwrap();
        assert_eq!(seen, "old", "who had it open sees nothing new");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (theirs, link) = (folder.path().join("theirs"), folder.path().join("shop.plan"));
        fs::write(&theirs, "theirs").unwrap();
        symlink(&theirs, &link).unwrap();
        write(&link, b"new").unwrap_err();
        let planted = folder.path().join(format!("other.plan.{}.new", std::process::id()));
        symlink(&theirs, planted).unwrap();
        write(&folder.path().join("other.plan"), b"new").unwrap();
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "theirs");
        symlink(folder.path(), folder.path().join(".ecdeploy")).unwrap();
        make_directory(&folder.path().join(".ecdeploy")).unwrap_err();
    }

    #[test]
    fn what_the_dead_left_half_written_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let dead = child.id();
        let old = std::time::SystemTime::now() - Duration::from_secs(3600);
        let left = |name: &str| {
            let file = fs::File::create(path(name)).unwrap();
            file.set_modified(old).unwrap();
        };
        left(&format!("shop.plan.{dead}.new"));
        let kept = [format!("other.plan.{dead}.new"), "shop.plan.1.new".to_owned()];
        kept.iter().for_each(|name| left(name));
        write(&path("shop.plan"), b"plan").unwrap();
        assert!(!path(&format!("shop.plan.{dead}.new")).exists());
        assert!(kept.iter().all(|name| path(name).exists()), "another's, and one that lives");
        fs::write(path(&format!("shop.plan.{dead}.new")), "just now").unwrap();
        write(&path("shop.plan"), b"plan").unwrap();
        assert!(path(&format!("shop.plan.{dead}.new")).exists(), "one that may be elsewhere");
    }

    #[test]
    fn a_directory_is_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("a");
        fs::create_dir(&directory).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
        make_directory(&directory).unwrap();
        assert_eq!(mode(&directory), 0o700);
    }
}
