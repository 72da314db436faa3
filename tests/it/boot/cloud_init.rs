//! What cloud-init makes of user data: Debian's, unpacked beside the tests, since installed it would take over whatever
//! machine they run on.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::programs::{apt_get, need, output};
use crate::venv;

/// Holds the user data against cloud-init's own schema.
pub fn check(user_data: &Path) {
    let mut schema = venv::cloud_init();
    schema.env_clear().env("PYTHONPATH", unpacked().join("usr/lib/python3/dist-packages"));
    schema.args(["-m", "cloudinit.cmd.main", "schema", "--config-file"]).arg(user_data);
    let said = output(&mut schema);
    assert!(said.contains("Valid cloud-config"), "{said}");
}

/// Puts the files of the user data where it wants them, under this root; what it would run must be one of them.
pub fn write_files(user_data: &str, root: &Path) {
    let path = root.join("user-data");
    fs::write(&path, user_data).expect("the user data");
    let mut write = venv::cloud_init();
    output(write.arg(venv::root().join("tests/boot/write_files.py")).arg(path).arg(root));
}

fn unpacked() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("tmp lies in target");
    let folder = target.join("cloud-init");
    let lock = File::create(target.join("cloud-init.lock")).expect("a lock file");
    lock.lock().expect("the lock");
    if !folder.join("usr").exists() {
        fs::create_dir_all(&folder).expect("a folder");
        let done = apt_get(|apt| apt.args(["download", "cloud-init"]).current_dir(&folder));
        assert!(
            done,
            "these tests unpack Debian's package cloud-init: apt-get could not download it"
        );
        let files = fs::read_dir(&folder).expect("the folder");
        let mut packages = files.map(|file| file.expect("a file").path());
        let package = packages.find(|path| path.extension().is_some_and(|end| end == "deb"));
        output(need("dpkg-deb").arg("-x").arg(package.expect("the package")).arg(&folder));
    }
    folder
}
