//! An apply through a storm: a fifth of all calls throttled, a twentieth failed, some done and their answers lost.

use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use crate::drawn::Drawn;
use crate::emulator::Emulator;
use crate::fuzz::wire::{message, without};
use crate::inventory::Inventory;
use crate::product::Shop;

/// Of a thousand calls.
const THROTTLED: u64 = 200;
const FAILED: u64 = 50;
const LOST: u64 = 20;
/// Whoever asks too often is told so; then it is run again.
const RUNS: usize = 5;

#[derive(Default)]
struct Storm {
    calls: AtomicU64,
    throttled: AtomicUsize,
    failed: AtomicUsize,
    lost: AtomicUsize,
}

#[test]
fn an_apply_through_it_makes_the_drawn_system_once() {
    let mut account = Emulator::Moto.lend();
    let storm = Arc::new(Storm::default());
    let shop =
        Shop::at(&rage(account.url(), &storm)).with_variable("account", account.emulator.account());
    let runs = (1..=RUNS).find(|_| shop.run(&["apply", "-y"]).code == Some(0));

    let [throttled, failed, lost] =
        [&storm.throttled, &storm.failed, &storm.lost].map(|count| count.load(Ordering::Relaxed));
    println!("{runs:?} runs, {throttled} throttled, {failed} failed, {lost} lost");
    assert!(runs.is_some(), "it never came through");
    assert!(throttled > 30 && failed > 5 && lost > 1, "it was no storm");
    let inventory = Inventory::take(&mut account.raw);
    Drawn::in_account(&inventory).assert_complete();
    Shop::on(&account).expect_no_changes();
}

/// A server before the emulator, in which it storms.
fn rage(emulator: String, storm: &Arc<Storm>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    let to = emulator.trim_start_matches("http://").to_owned();
    let storm = storm.clone();
    thread::spawn(move || {
        for caller in listener.incoming().flatten() {
            let (to, storm) = (to.clone(), storm.clone());
            // Who hangs up early is no matter of ours.
            thread::spawn(move || drop(pass(caller, &to, &storm)));
        }
    });
    url
}

fn pass(mut caller: TcpStream, to: &str, storm: &Storm) -> io::Result<()> {
    let (head, body) = message(&mut caller)?;
    let number = storm.calls.fetch_add(1, Ordering::Relaxed);
    let fate = scattered(number) % 1000;
    let counted = |count: &AtomicUsize| count.fetch_add(1, Ordering::Relaxed);
    if fate < THROTTLED {
        counted(&storm.throttled);
        return throttle(&mut caller, &head);
    }
    if fate < THROTTLED + FAILED {
        counted(&storm.failed);
        return caller.write_all(
            b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        );
    }
    let mut emulator = TcpStream::connect(to)?;
    emulator.write_all(without(&head, &["connection"]).as_bytes())?;
    emulator.write_all(b"Connection: close\r\n\r\n")?;
    emulator.write_all(&body)?;
    let (head, body) = message(&mut emulator)?;
    if fate < THROTTLED + FAILED + LOST {
        counted(&storm.lost);
        return Ok(());
    }
    let head = without(&head, &["connection", "content-length"]);
    write!(caller, "{head}Connection: close\r\nContent-Length: {}\r\n\r\n", body.len())?;
    caller.write_all(&body)
}

/// As the service says it that the request was signed for.
fn throttle(caller: &mut TcpStream, head: &str) -> io::Result<()> {
    let lower = head.to_ascii_lowercase();
    let (status, kind, body) = if lower.contains("x-amz-target") {
        let body = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
        ("400 Bad Request", "application/x-amz-json-1.1", body)
    } else if lower.contains("/ec2/aws4_request") {
        let body = "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Request limit exceeded.</Message></Error></Errors><RequestID>storm</RequestID></Response>";
        ("503 Service Unavailable", "text/xml", body)
    } else {
        let body = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error><RequestId>storm</RequestId></ErrorResponse>";
        ("400 Bad Request", "text/xml", body)
    };
    let length = body.len();
    write!(
        caller,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// SplitMix64: the storm is the same each time, as far as the calls come in the same order.
fn scattered(number: u64) -> u64 {
    let mut z = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
