//! AWS's answers on the wire: those of an emulator, spoiled on their way. A plan, or an error; no panic, no hang.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::LONG;
use super::change::{self, Form, choose};
use super::neat::neat;
use crate::between::{self, Passing};
use crate::emulator::Emulator;
use crate::product::Shop;

const COMMANDS: &[&[&str]] = &[&["plan"], &["trace", "--all", "--live"], &["plan", "--destroy"]];
/// Of a short run.
const CASES: u64 = 12;

#[test]
fn spoiled_answers() {
    let account = Emulator::Moto.lend();
    Shop::on(&account).apply();
    let spoiling = Arc::new(Mutex::new(Spoiling::default()));
    let shared = spoiling.clone();
    let shop = Shop::on(&account)
        .by_way_of(&between::listen(&account.url(), move |call| pass(call, &shared)));
    let seconds = std::env::var(LONG).ok().and_then(|seconds| seconds.parse().ok());
    let until = Instant::now() + Duration::from_secs(seconds.unwrap_or(0));
    // The same ones each time, unless it is long.
    let random = RandomState::new();
    let (mut case, mut plans) = (0, 0);
    while case < CASES || Instant::now() < until {
        let number = if seconds.is_some() { random.hash_one(case) } else { scattered(case) };
        *spoiling.lock().unwrap_or_else(PoisonError::into_inner) = Spoiling { number, calls: 0 };
        let ran = shop.run(COMMANDS[choose(number, COMMANDS.len())]);
        assert!(matches!(ran.code, Some(0 | 1)), "case {number}\n{ran}");
        assert!(!ran.stderr.contains("panicked"), "case {number}\n{ran}");
        neat(&ran.stdout);
        neat(&ran.stderr);
        case += 1;
        plans += u64::from(ran.stdout.contains("Plan:"));
    }
    eprintln!("wire: {case} runs, {plans} of them with a plan");
}

fn scattered(number: u64) -> u64 {
    let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 7
}

/// Which answer is spoiled next, counted from here, and how.
#[derive(Default)]
struct Spoiling {
    number: u64,
    calls: u64,
}

fn pass(mut call: Passing, spoiling: &Mutex<Spoiling>) -> io::Result<()> {
    let (head, body) = call.forward()?;
    let body = String::from_utf8_lossy(&body).into_owned();
    let how = {
        let mut spoiling = spoiling.lock().unwrap_or_else(PoisonError::into_inner);
        spoiling.calls += 1;
        let chosen = [spoiling.number % 40, spoiling.number / 40 % 40, spoiling.number / 1600 % 40];
        // The first call asks whose the credentials are; nothing else is reached where that is lost.
        let spoiled = spoiling.calls > 1 && chosen.contains(&(spoiling.calls - 2));
        spoiled.then(|| scattered(spoiling.number.wrapping_add(spoiling.calls)))
    };
    let (head, body) = match how {
        Some(how) => spoiled(&head, &body, how),
        None => (head, body),
    };
    call.answer(&head, body.as_bytes())
}

const PAGE: &str =
    "<html><head><title>\u{1b}[45mSorry</title></head><body>We'll be back soon.</body></html>";

fn spoiled(head: &str, body: &str, how: u64) -> (String, String) {
    let (what, how) = (how % 16, how / 16);
    let half = body.floor_char_boundary(choose(how, body.len() + 1));
    match what {
        0 => (head.to_owned(), PAGE.to_owned()),
        1 => {
            ("HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\n".into(), PAGE.into())
        }
        2 => (head.to_owned(), String::new()),
        3 => (head.to_owned(), body[..half].to_owned()),
        4 => (
            "HTTP/1.1 400 Bad Request\r\n".to_owned(),
            "{\"__type\":\"\u{9b}\",\"message\":\"\u{1b}]0;a\u{7}\"}".to_owned(),
        ),
        _ if body.starts_with('{') => {
            let changes = [(how, how / 3 * 4 + 1), (how / 5, how / 7 * 4 + 2)];
            (head.to_owned(), change::changed(body, Form::Json, &changes))
        }
        _ => {
            let mut body = body.to_owned();
            (0..=how % 6).for_each(|n| element(&mut body, scattered(how.wrapping_add(n))));
            (head.to_owned(), body)
        }
    }
}

/// Changes one element of XML: gone, empty, twice, or with another text in it.
fn element(body: &mut String, how: u64) {
    let starts: Vec<usize> = body.match_indices('<').map(|(at, _)| at).collect();
    let Some(&start) = starts.get(choose(how, starts.len())) else { return };
    let name = body[start + 1..].split(['>', ' ', '/']).next().unwrap_or_default().to_owned();
    let (Some(open), closing) = (body[start..].find('>'), format!("</{name}>")) else { return };
    let inner = start + open + 1;
    let Some(end) = body[inner..].find(&closing).map(|at| inner + at) else { return };
    if name.is_empty() {
        return;
    }
    let whole = start..end + closing.len();
    match how / 64 % 5 {
        0 => body.replace_range(whole, ""),
        1 => body.replace_range(inner..end, ""),
        2 => {
            let again = body[whole].to_owned();
            body.insert_str(start, &again);
        }
        _ => body.replace_range(inner..end, TEXTS[choose(how / 320, TEXTS.len())]),
    }
}

const TEXTS: &[&str] = &[
    "x",
    "-1",
    "0",
    "99999999999999999999",
    "true",
    "null",
    "a-state-of-tomorrow",
    "&#27;[45m",
    "&#x202e;",
    "vpc-0",
    "instance.user-1",
    "2026-99-99T00:00:00Z",
    "1e400",
    "10.0.0.0/99",
    "%zz%",
    "{}",
    "&amp;",
    "<a><b/></a>",
    "deleting",
    "4294967296",
    "arn:aws:x",
];
