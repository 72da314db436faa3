//! An apply through a storm: a fifth of all calls throttled, a twentieth failed, some done and their answers lost.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::between::{self, Passing, scattered};
use crate::drawn::Drawn;
use crate::emulator::Emulator;
use crate::inventory::Inventory;
use crate::product::Shop;

/// Of a thousand calls.
const THROTTLED: u64 = 200;
const FAILED: u64 = 50;
const LOST: u64 = 20;

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
    let shared = storm.clone();
    let shop = Shop::on(&account)
        .by_way_of(&between::listen(&account.url(), move |call| pass(call, &shared)));
    shop.run(&["apply", "-y"]).exits(0);

    let [throttled, failed, lost] =
        [&storm.throttled, &storm.failed, &storm.lost].map(|count| count.load(Ordering::Relaxed));
    println!("{throttled} throttled, {failed} failed, {lost} lost");
    assert!(throttled > 30 && failed > 5 && lost > 1, "it was no storm");
    let inventory = Inventory::take(&mut account.raw);
    Drawn::in_account(&inventory).assert_complete();
    Shop::on(&account).expect_no_changes();
}

fn pass(mut call: Passing, storm: &Storm) -> io::Result<()> {
    let number = storm.calls.fetch_add(1, Ordering::Relaxed);
    let fate = scattered(number) % 1000;
    let counted = |count: &AtomicUsize| count.fetch_add(1, Ordering::Relaxed);
    if fate < THROTTLED {
        counted(&storm.throttled);
        return throttle(&mut call);
    }
    if fate < THROTTLED + FAILED {
        counted(&storm.failed);
        return call.answer("HTTP/1.1 503 Service Unavailable", b"");
    }
    let (head, body) = call.forward()?;
    // The emulator takes no notice of this call's token, and would make two.
    if fate < THROTTLED + FAILED + LOST && call.operation() != "CreateRouteTable" {
        counted(&storm.lost);
        return Ok(());
    }
    call.answer(&head, &body)
}

/// As the service says it that the request was signed for.
fn throttle(call: &mut Passing) -> io::Result<()> {
    let lower = call.head.to_ascii_lowercase();
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
    call.answer(&format!("HTTP/1.1 {status}\r\nContent-Type: {kind}"), body.as_bytes())
}
