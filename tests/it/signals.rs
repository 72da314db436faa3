//! Ctrl-C, SIGTERM and what CI sends, on the wire: what is in flight is finished or found again, the lock never stays in
//! the way, and what remains is said.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::between::{self, Passing};
use crate::drawn::Drawn;
use crate::emulator::{Account, Emulator};
use crate::inventory::Inventory;
use crate::product::{Running, Shop};
use crate::wire::changing;

/// Holds up the answers of calls that the emulator has done.
#[derive(Default)]
struct Holding {
    /// As many changes get their answers, before any is held up.
    first: usize,
    /// Instead of those of changes, those of this call for the lock.
    lock: Option<&'static str>,
    passed: AtomicUsize,
    held: AtomicUsize,
    over: AtomicBool,
}

impl Holding {
    fn before(self, account: &Account) -> (Arc<Self>, Shop) {
        let holding = Arc::new(self);
        let shared = holding.clone();
        let way = between::listen(&account.url(), move |call| shared.pass(call));
        (holding, Shop::on(account).by_way_of(&way))
    }

    fn pass(&self, mut call: Passing) -> io::Result<()> {
        let (head, body) = call.forward()?;
        let chosen = match self.lock {
            Some(operation) => call.operation() == operation && call.is_of_lock(),
            None => call.changes() && self.passed.fetch_add(1, Ordering::SeqCst) >= self.first,
        };
        if chosen {
            self.held.fetch_add(1, Ordering::SeqCst);
            until(|| self.over.load(Ordering::SeqCst));
        }
        call.answer(&head, &body)
    }

    fn until_some_are_held(&self) {
        until(|| self.held.load(Ordering::SeqCst) > 0);
        // Those that go out beside it.
        sleep(Duration::from_millis(500));
    }

    fn let_go(&self) {
        self.over.store(true, Ordering::SeqCst);
    }
}

#[track_caller]
fn until(met: impl Fn() -> bool) {
    let begun = Instant::now();
    while !met() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never came");
        sleep(Duration::from_millis(5));
    }
}

/// In so long, or not at all.
fn ends_within(running: &Running, time: Duration) -> bool {
    let begun = Instant::now();
    while running.runs() && begun.elapsed() < time {
        sleep(Duration::from_millis(5));
    }
    !running.runs()
}

fn changes(account: &Account) -> usize {
    changing(&account.calls()).len()
}

/// The drawn system, each thing once, and nothing of what was begun beside it.
fn goes_on(account: &mut Account, empty: &Inventory) {
    let shop = Shop::on(account);
    shop.apply();
    let inventory = Inventory::take(&mut account.raw);
    Drawn::in_account(&inventory).assert_complete();
    shop.expect_no_changes();
    shop.destroy();
    Inventory::take(&mut account.raw).assert_same(empty, "after destroy");
}

#[test]
fn ctrl_c_finishes_what_is_in_flight_and_says_what_remains() {
    finishes_what_is_in_flight("INT", 130);
}

#[test]
fn sigterm_finishes_what_is_in_flight_and_says_what_remains() {
    finishes_what_is_in_flight("TERM", 143);
}

#[track_caller]
fn finishes_what_is_in_flight(signal: &str, code: i32) {
    let mut account = Emulator::Moto.lend();
    let empty = Inventory::take(&mut account.raw);
    let (holding, shop) = Holding { first: 60, ..Holding::default() }.before(&account);
    let running = shop.start(&["apply", "-y"]);
    holding.until_some_are_held();
    let sent = changes(&account);

    running.signal(signal);

    assert!(!ends_within(&running, Duration::from_secs(1)), "it waits for what is in flight");
    assert_eq!(changes(&account), sent, "and begins nothing more");
    holding.let_go();
    let ran = running.ends().exits(code);
    ran.says("Not complete:").says("left for the next run:").says("run the same command again");
    Shop::on(&account).run(&["unlock"]).exits(0).says("Nobody holds the lock on ecommerce.");
    goes_on(&mut account, &empty);
}

/// SIGINT, SIGTERM 7.5 s later, SIGKILL 2.5 s after that; and no answer in all that time.
#[test]
fn what_ci_sends_loses_nothing() {
    let mut account = Emulator::Moto.lend();
    let empty = Inventory::take(&mut account.raw);
    let (holding, shop) = Holding::default().before(&account);
    let running = shop.start(&["apply", "-y", "--parallelism", "64"]);
    holding.until_some_are_held();
    // Among them the one that neither a name nor a token keeps from being done twice.
    assert!(account.calls().iter().any(|call| call.operation == "CreateVpc"));
    assert!(holding.held.load(Ordering::SeqCst) > 1, "several answers are lost");

    running.signal("INT");
    assert!(!ends_within(&running, Duration::from_millis(7500)), "it waits for what is in flight");
    running.signal("TERM");

    // Long before the SIGKILL.
    assert!(ends_within(&running, Duration::from_secs(1)), "the second signal leaves at once");
    // Calls may be in flight that AWS has not done yet: until they are, the lock keeps other machines out.
    let shop = Shop::on(&account);
    shop.run(&["unlock"]).exits(1).says("is held by `ecdeploy apply` of");
    running.ends().exits(143).says("left at once").says("run the same command again");
    // On this machine its holder is known to be gone.
    goes_on(&mut account, &empty);
    shop.run(&["unlock"]).exits(0).says("Nobody holds the lock on ecommerce.");
}

#[test]
fn a_signal_at_the_question_ends_it_at_once() {
    let account = Emulator::Moto.lend();
    let shop = Shop::on(&account);
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let (_people, terminal) = terminal();
        let begun = account.calls().len();
        let running = shop.start_with(&["apply"], terminal);
        until(|| account.calls()[begun..].iter().any(|call| call.operation == "DescribeVpcs"));
        // The plan is made and shown by then.
        sleep(Duration::from_secs(3));

        running.signal(signal);

        assert!(ends_within(&running, Duration::from_secs(3)), "it waits for no line");
        running.ends().exits(code).says("Make these changes?").says("interrupted");
        shop.run(&["unlock"]).exits(0).says("Nobody holds the lock on ecommerce.");
    }
}

/// A terminal: the side of the people, and that of the program.
fn terminal() -> (OwnedFd, File) {
    use rustix::pty;
    let people = pty::openpt(pty::OpenptFlags::RDWR | pty::OpenptFlags::NOCTTY).expect("a pty");
    pty::grantpt(&people).expect("leave");
    pty::unlockpt(&people).expect("its lock");
    let name = pty::ptsname(&people, Vec::new()).expect("its name");
    let path = name.to_str().expect("a path in UTF-8");
    let program = File::options().read(true).write(true).open(path).expect("its other side");
    (people, program)
}

#[test]
fn ctrl_c_while_a_tag_is_written_lets_it_end() {
    let mut account = Emulator::Moto.lend();
    let made = account.raw.ec2("create_vpc", json!({"CidrBlock": "10.0.0.0/16"}));
    let id = made["Vpc"]["VpcId"].as_str().expect("a VPC").to_owned();
    let (holding, shop) = Holding::default().before(&account);
    let running = shop.start(&["adopt", "-y", "vpc.main", &id]);
    holding.until_some_are_held();

    running.signal("INT");
    assert!(!ends_within(&running, Duration::from_secs(1)), "it waits for what is in flight");
    holding.let_go();

    running.ends().exits(0).says("is vpc.main from now on");
    Shop::on(&account).run(&["unlock"]).exits(0).says("Nobody holds the lock on ecommerce.");
}

#[test]
fn ctrl_c_while_a_left_over_lock_is_watched_ends_it_at_once() {
    let mut account = Emulator::Moto.lend();
    account.raw.call(
        "ssm",
        "put_parameter",
        json!({"Name": "/ecdeploy/ecommerce/lock/1", "Type": "String", "Value": "somebody's"}),
    );
    // Its age is that by the emulator's clock; the answer says it was long ago.
    let seen = Arc::new(AtomicBool::new(false));
    let shared = seen.clone();
    let way = between::listen(&account.url(), move |mut call| {
        let (head, body) = call.forward()?;
        let leases = call.operation() == "GetParametersByPath" && call.is_of_lock();
        let body = if leases { aged(&body) } else { body };
        call.answer(&head, &body)?;
        shared.fetch_or(leases, Ordering::SeqCst);
        Ok(())
    });
    let shop = Shop::on(&account).by_way_of(&way);
    let running = shop.start(&["apply", "-y"]);
    until(|| seen.load(Ordering::SeqCst));
    sleep(Duration::from_secs(1));

    running.signal("INT");

    assert!(ends_within(&running, Duration::from_secs(1)), "it has put nothing");
    running.ends().exits(130).says("seems to be left over").says("interrupted");
    assert_eq!(changes(&account), 0);
}

/// The same leases, last renewed in 2020.
fn aged(answer: &[u8]) -> Vec<u8> {
    let mut answer: Value = serde_json::from_slice(answer).expect("JSON");
    for found in answer["Parameters"].as_array_mut().into_iter().flatten() {
        found["LastModifiedDate"] = json!(1_577_836_800.0);
    }
    answer.to_string().into_bytes()
}

#[test]
fn ctrl_c_while_the_lock_is_taken_gives_it_back() {
    let account = Emulator::Moto.lend();
    let (holding, shop) =
        Holding { lock: Some("PutParameter"), ..Holding::default() }.before(&account);
    let running = shop.start(&["apply", "-y"]);
    holding.until_some_are_held();

    running.signal("INT");
    assert!(!ends_within(&running, Duration::from_millis(500)), "whether it has it, is not known");
    holding.let_go();

    running.ends().exits(130).says("Stopping").says("interrupted");
    assert_eq!(changes(&account), 0);
    Shop::on(&account).run(&["unlock"]).exits(0).says("Nobody holds the lock on ecommerce.");
}

/// A network that is gone, say.
#[test]
fn the_second_signal_leaves_at_once_while_the_lock_is_given_back() {
    let account = Emulator::Moto.lend();
    let (holding, shop) =
        Holding { lock: Some("DeleteParameter"), ..Holding::default() }.before(&account);
    Shop::on(&account).apply();
    // Nothing to do: it would end well.
    let running = shop.start(&["apply", "-y"]);
    holding.until_some_are_held();

    running.signal("INT");
    assert!(!ends_within(&running, Duration::from_millis(500)), "it gives back the lock");
    running.signal("TERM");

    assert!(ends_within(&running, Duration::from_secs(1)), "the second signal leaves at once");
    running.ends().exits(143);
}
