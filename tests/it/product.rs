//! The built binary in a folder of its own, in a clean environment, and what came of a run.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::emulator::Account;
use crate::venv;

/// Longer than any run on an emulator should take by far.
const PATIENCE: Duration = Duration::from_secs(300);

/// A folder with a topology, and where ecdeploy is to find AWS.
pub struct Shop {
    folder: TempDir,
    environment: Vec<(String, String)>,
    variables: Vec<String>,
}

impl Shop {
    /// The drawn system, on an emulator.
    pub fn on(account: &Account) -> Self {
        let mut shop = Self::at(&account.url());
        shop.variables = vec![format!("account={}", account.emulator.account())];
        shop
    }

    /// The drawn system, its account wherever this endpoint leads.
    pub fn at(endpoint: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        fs::copy(venv::root().join("topology.toml"), folder.path().join("topology.toml"))
            .expect("the drawn system");
        let environment = [
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("HOME", folder.path().to_str().expect("a path in UTF-8")),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
        Self { environment: environment.into(), folder, variables: Vec::new() }
    }

    /// The same account, reached through another address.
    pub fn by_way_of(self, endpoint: &str) -> Self {
        self.without("AWS_ENDPOINT_URL").with("AWS_ENDPOINT_URL", endpoint)
    }

    /// Another folder with the same way to the same account, and the same variables.
    pub fn again(&self) -> Self {
        let folder = TempDir::new().expect("a folder");
        let (environment, variables) = (self.environment.clone(), self.variables.clone());
        Self { folder, environment, variables }
    }

    /// Without a setting of the environment.
    pub fn without(mut self, key: &str) -> Self {
        self.environment.retain(|(known, _)| known != key);
        self
    }

    /// With a setting of the environment.
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.environment.push((key.to_owned(), value.to_owned()));
        self
    }

    /// With another value for a variable of the topology.
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|known| !known.starts_with(&format!("{name}=")));
        self.variables.push(format!("{name}={value}"));
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Another topology than the drawn one, which has no variables.
    pub fn with_file(mut self, topology: &str) -> Self {
        self.variables.clear();
        fs::write(self.path("topology.toml"), topology).expect("the topology");
        self
    }

    /// Replaces a text in the topology that stands there once.
    #[track_caller]
    pub fn edit(&self, from: &str, to: &str) {
        let path = self.path("topology.toml");
        let text = fs::read_to_string(&path).expect("the topology");
        assert_eq!(text.matches(from).count(), 1, "`{from}` in the topology");
        fs::write(path, text.replace(from, to)).expect("the topology");
    }

    /// Runs ecdeploy with the shop's variables.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.start(arguments).ends()
    }

    /// Runs ecdeploy with these arguments and no others.
    pub fn bare(&self, arguments: &[&str]) -> Ran {
        Running::start(self.folder.path(), &self.environment, arguments, Stdio::null()).ends()
    }

    /// Begins a run with the shop's variables.
    pub fn start(&self, arguments: &[&str]) -> Running {
        self.start_with(arguments, Stdio::null())
    }

    /// Begins it with something to read from.
    pub fn start_with(&self, arguments: &[&str], stdin: impl Into<Stdio>) -> Running {
        let variables = self.variables.iter().flat_map(|variable| ["--var", variable.as_str()]);
        let arguments: Vec<&str> = arguments.iter().copied().chain(variables).collect();
        Running::start(self.folder.path(), &self.environment, &arguments, stdin.into())
    }

    /// Applies, and expects that to succeed.
    #[track_caller]
    pub fn apply(&self) -> Ran {
        self.run(&["apply", "-y"]).exits(0)
    }

    /// Destroys, and expects that to succeed.
    #[track_caller]
    pub fn destroy(&self) -> Ran {
        self.run(&["destroy", "-y"]).exits(0)
    }

    /// Applies, and kills it as soon as `enough` says so; false if it ended before.
    pub fn apply_until(&self, enough: impl Fn() -> bool) -> bool {
        let running = self.start(&["apply", "-y"]);
        while !enough() {
            if !running.runs() {
                return false;
            }
            thread::sleep(Duration::from_millis(2));
        }
        running.kill();
        true
    }

    /// The plan as data.
    #[track_caller]
    pub fn plan(&self) -> Value {
        let ran = self.run(&["plan", "--format", "json"]).exits(0);
        serde_json::from_str(&ran.stdout)
            .unwrap_or_else(|error| panic!("stdout is not one JSON document: {error}\n{ran}"))
    }

    /// Expects a plan with nothing to do.
    #[track_caller]
    pub fn expect_no_changes(&self) {
        self.run(&["plan", "--detailed-exitcode"]).exits(0);
    }
}

/// A run that is under way.
pub struct Running {
    command: String,
    process: Mutex<Child>,
    stdout: thread::JoinHandle<String>,
    stderr: thread::JoinHandle<String>,
    started: Instant,
}

impl Running {
    fn start(
        folder: &Path,
        environment: &[(String, String)],
        arguments: &[&str],
        stdin: Stdio,
    ) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_ecdeploy"))
            .current_dir(folder)
            .env_clear()
            .envs(environment.iter().cloned())
            .args(arguments)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary");
        Self {
            command: format!("ecdeploy {}", arguments.join(" ")),
            stdout: read(process.stdout.take().expect("stdout")),
            stderr: read(process.stderr.take().expect("stderr")),
            process: Mutex::new(process),
            started: Instant::now(),
        }
    }

    fn process(&self) -> MutexGuard<'_, Child> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn runs(&self) -> bool {
        self.process().try_wait().expect("the state of ecdeploy").is_none()
    }

    /// Kills it, as nothing can prevent; it is gone then.
    pub fn kill(&self) {
        let mut process = self.process();
        process.kill().expect("ecdeploy can be killed");
        process.wait().expect("its end");
    }

    /// Sends it a signal, by its name.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let number = self.process().id().to_string();
        let sent = Command::new("sh").args(["-c", "kill -\"$0\" \"$1\"", name, &number]).status();
        assert!(sent.expect("a shell").success(), "{name} can be sent");
    }

    /// Waits for its end; one that takes too long is killed.
    pub fn ends(self) -> Ran {
        let code = loop {
            let ended = self.process().try_wait().expect("the state of ecdeploy");
            match ended {
                Some(status) => break status.code(),
                None if self.started.elapsed() > PATIENCE => {
                    self.kill();
                    break None;
                }
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        Ran {
            command: self.command,
            code,
            stdout: self.stdout.join().expect("stdout"),
            stderr: self.stderr.join().expect("stderr"),
            took: self.started.elapsed(),
        }
    }
}

fn read(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("output");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A run of ecdeploy that ended.
pub struct Ran {
    command: String,
    /// None where it was killed.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    took: Duration,
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, code, stdout, stderr, took } = self;
        write!(
            f,
            "$ {command}\nexit {code:?} after {took:.1?}\n--- stdout\n{stdout}--- stderr\n{stderr}---"
        )
    }
}

impl Ran {
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n{self}");
        self
    }

    /// Expects a text in what it said, on either stream.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        let said = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(said, "`{text}` is not in what it said\n{self}");
        self
    }

    /// Expects it to have failed with one error in a sentence for people, and no more than a hint beside it.
    #[track_caller]
    pub fn fails_plainly(self) -> Self {
        let ran = self.fails();
        let lines: Vec<&str> = ran.stderr.lines().filter(|line| !line.trim().is_empty()).collect();
        assert!((1..=2).contains(&lines.len()), "an error is a sentence and a hint\n{ran}");
        ran
    }

    /// It fails with the place in the file, the line, and what to do.
    #[track_caller]
    pub fn fails_at_its_place(self) -> Self {
        self.fails().says("--> topology.toml:").says(" = help: ")
    }

    #[track_caller]
    fn fails(self) -> Self {
        let ran = self.exits(1);
        for bad in ["panicked", "backtrace", "RUST_BACKTRACE", "DispatchFailure", "SdkError"] {
            assert!(!ran.stderr.contains(bad), "it says `{bad}`\n{ran}");
        }
        assert!(ran.stdout.is_empty(), "an error is not a result\n{ran}");
        ran
    }
}
