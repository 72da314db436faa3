//! A server between ecdeploy and an emulator: each call passes by a test, that may spoil it, hold it up or lose it.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// A call on its way to the emulator.
pub struct Passing {
    caller: TcpStream,
    emulator: Arc<str>,
    pub head: String,
    body: Vec<u8>,
}

/// Its address; `each` gets every call, on a thread of the call's own.
pub fn listen(
    emulator: &str,
    each: impl Fn(Passing) -> io::Result<()> + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    let emulator: Arc<str> = emulator.trim_start_matches("http://").into();
    let each = Arc::new(each);
    thread::spawn(move || {
        for mut caller in listener.incoming().flatten() {
            let (emulator, each) = (emulator.clone(), each.clone());
            // Who hangs up early is no matter of ours.
            thread::spawn(move || {
                let Ok((head, body)) = message(&mut caller) else { return };
                drop(each(Passing { caller, emulator, head, body }));
            });
        }
    });
    url
}

impl Passing {
    /// Has the emulator do it; its answer.
    pub fn forward(&self) -> io::Result<(String, Vec<u8>)> {
        let mut emulator = TcpStream::connect(&*self.emulator)?;
        emulator.write_all(without(&self.head, &["connection"]).as_bytes())?;
        emulator.write_all(b"Connection: close\r\n\r\n")?;
        emulator.write_all(&self.body)?;
        message(&mut emulator)
    }

    /// Gives the caller an answer.
    pub fn answer(&mut self, head: &str, body: &[u8]) -> io::Result<()> {
        let head = without(head, &["connection", "content-length"]);
        let length = body.len();
        write!(self.caller, "{head}Connection: close\r\nContent-Length: {length}\r\n\r\n")?;
        self.caller.write_all(body)
    }

    /// What is asked for, as AWS names it.
    pub fn operation(&self) -> String {
        let target = self.head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("x-amz-target").then(|| value.rsplit('.').next())?
        });
        let body = String::from_utf8_lossy(&self.body);
        let action = || body.split('&').find_map(|pair| pair.strip_prefix("Action="));
        target.or_else(action).unwrap_or_default().to_owned()
    }

    /// Whether it takes the lock, looks at it, or gives it back.
    pub fn is_of_lock(&self) -> bool {
        String::from_utf8_lossy(&self.body).contains("/ecdeploy/")
    }

    /// Whether it may change the account, but for the lock.
    pub fn changes(&self) -> bool {
        let operation = self.operation();
        let looks = ["Describe", "Get", "List"].iter().any(|verb| operation.starts_with(verb));
        // Route 53 names no operation.
        !looks && !self.head.starts_with("GET ") && !self.is_of_lock()
    }
}

/// A request, or an answer: its first lines, and what follows them.
fn message(from: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        from.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    from.read_exact(&mut body)?;
    Ok((head, body))
}

fn without(head: &str, names: &[&str]) -> String {
    let kept = head.lines().filter(|line| {
        let name = line.split(':').next().unwrap_or_default();
        !line.is_empty() && !names.iter().any(|gone| name.eq_ignore_ascii_case(gone))
    });
    kept.map(|line| format!("{line}\r\n")).collect()
}

/// SplitMix64: what is left to chance is the same each time, as far as it is asked in the same order.
pub fn scattered(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
