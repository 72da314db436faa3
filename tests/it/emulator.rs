//! The two emulators: a few servers each for the whole test process, each lent to one test at a time, empty.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::raw::Raw;
use crate::venv;

const STARTS_WITHIN: Duration = Duration::from_secs(120);

/// As many servers of an emulator at most: moto takes 230 MB of memory.
const SERVERS: usize = 4;

/// An AWS emulator that other people wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emulator {
    Moto,
    Ministack,
}

impl Emulator {
    pub fn name(self) -> &'static str {
        match self {
            Self::Moto => "moto",
            Self::Ministack => "ministack",
        }
    }

    /// The account it plays.
    pub fn account(self) -> &'static str {
        match self {
            Self::Moto => "123456789012",
            Self::Ministack => "000000000000",
        }
    }

    fn reset(self) -> &'static str {
        match self {
            Self::Moto => "/moto-api/reset",
            Self::Ministack => "/_ministack/reset",
        }
    }

    /// A server of the emulator, emptied, for as long as the answer lives.
    pub fn lend(self) -> Account {
        let idle = self.pool().take();
        // Whatever comes of it, a test that waits gets its turn.
        let mut account = Account { emulator: self, server: idle };
        let server = account.server.get_or_insert_with(|| Server::start(self));
        server.reset();
        account
    }

    fn pool(self) -> &'static Pool {
        static MOTO: Pool = Pool::new();
        static MINISTACK: Pool = Pool::new();
        match self {
            Self::Moto => &MOTO,
            Self::Ministack => &MINISTACK,
        }
    }
}

/// The servers of one emulator. Another one is started where all are lent, so that a test that mostly waits, as those
/// of a booting machine do, holds up no other.
struct Pool {
    state: Mutex<Servers>,
    returned: Condvar,
}

struct Servers {
    idle: Vec<Server>,
    lent: usize,
}

impl Pool {
    const fn new() -> Self {
        let state = Mutex::new(Servers { idle: Vec::new(), lent: 0 });
        Self { state, returned: Condvar::new() }
    }

    /// One that is idle, or leave to start one.
    fn take(&self) -> Option<Server> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let free = self.returned.wait_while(state, |servers| servers.lent == SERVERS);
        let mut servers = free.unwrap_or_else(PoisonError::into_inner);
        servers.lent += 1;
        servers.idle.pop()
    }

    fn put_back(&self, server: Option<Server>) {
        let mut servers = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        servers.lent -= 1;
        servers.idle.extend(server);
        self.returned.notify_one();
    }
}

/// An empty account on an emulator, this test's alone.
pub struct Account {
    emulator: Emulator,
    server: Option<Server>,
}

impl Drop for Account {
    /// A test that failed leaves nothing behind that the reset does not clear.
    fn drop(&mut self) {
        self.emulator.pool().put_back(self.server.take());
    }
}

impl Deref for Account {
    type Target = Server;

    fn deref(&self) -> &Server {
        self.server.as_ref().expect("it is lent")
    }
}

impl DerefMut for Account {
    fn deref_mut(&mut self) -> &mut Server {
        self.server.as_mut().expect("it is lent")
    }
}

/// A running launcher.
pub struct Server {
    pub emulator: Emulator,
    pub raw: Raw,
    port: u16,
    log: File,
    calls: PathBuf,
    process: Child,
}

/// One request that the emulator saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub service: String,
    pub operation: String,
    /// The instances, target groups and locks that it names.
    pub names: Vec<String>,
}

impl Call {
    /// Whether it may have changed the account, but for the lock.
    pub fn changes(&self) -> bool {
        let looks = ["Describe", "Get", "List", "Simulate"]
            .iter()
            .any(|verb| self.operation.starts_with(verb));
        !looks && !self.is_of_lock()
    }

    /// Whether it takes the lock, or gives it back.
    pub fn is_of_lock(&self) -> bool {
        self.names.iter().any(|name| name.starts_with("/ecdeploy/"))
    }
}

impl Server {
    fn start(emulator: Emulator) -> Self {
        let port = free_port();
        let name = format!("{}-{port}.calls", emulator.name());
        let calls = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        File::create(&calls).expect("the log of calls");
        let log = tempfile::tempfile().expect("a file for what it says");
        let output = || log.try_clone().expect("another handle");
        // The launcher ends when its standard input closes, which it does however this process ends.
        let process = venv::script(&format!("{}.py", emulator.name()))
            .arg(port.to_string())
            .env("ECDEPLOY_TEST_CALLS", &calls)
            .stdin(Stdio::piped())
            .stdout(output())
            .stderr(output())
            .spawn()
            .expect("the launcher");
        let url = url(port);
        let mut server = Self { emulator, raw: Raw::start(&url), port, log, calls, process };
        server.wait_until_it_answers();
        server
    }

    fn wait_until_it_answers(&mut self) {
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.process.try_wait().expect("the launcher's state");
            if ended.is_some() || started.elapsed() > STARTS_WITHIN {
                let mut log = String::new();
                self.log
                    .rewind()
                    .and_then(|()| self.log.read_to_string(&mut log))
                    .expect("its log");
                panic!("{} did not start ({ended:?}):\n{log}", self.emulator.name());
            }
            sleep(Duration::from_millis(50));
        }
    }

    pub fn url(&self) -> String {
        url(self.port)
    }

    fn reset(&self) {
        if self.emulator == Emulator::Moto {
            self.enforce_policies(false);
        }
        let answer = post(self.port, self.emulator.reset(), "");
        assert!(answer.starts_with("HTTP/1.1 200"), "reset of {}: {answer}", self.emulator.name());
        OpenOptions::new().write(true).truncate(true).open(&self.calls).expect("the log of calls");
    }

    /// Has moto refuse what no policy allows, or allow everything. ministack knows no policies.
    pub fn enforce_policies(&self, on: bool) {
        // After how many calls.
        let answer = post(self.port, "/moto-api/reset-auth", if on { "0" } else { "inf" });
        assert!(answer.starts_with("HTTP/1.1 200"), "reset-auth: {answer}");
    }

    /// What it saw while `work` ran.
    pub fn calls_during<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> (T, Vec<Call>) {
        let before = self.calls().len();
        let done = work(self);
        (done, self.calls().split_off(before))
    }

    /// What it saw since it was emptied.
    pub fn calls(&self) -> Vec<Call> {
        let log = fs::read_to_string(&self.calls).expect("the log of calls");
        // The last line may still be in the writing.
        let whole = log.rfind('\n').map_or("", |end| &log[..end]);
        whole
            .lines()
            .map(|line| {
                let mut words = line.split(' ').map(str::to_owned);
                let mut word = || words.next().expect("service, operation, start, end");
                let (service, operation, _, _) = (word(), word(), word(), word());
                let names = words.next().unwrap_or_default();
                let names = names.split(',').filter(|name| !name.is_empty()).map(str::to_owned);
                Call { service, operation, names: names.collect() }
            })
            .collect()
    }
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its number").port()
}

fn post(port: u16, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}
