//! Documents that grow: time must grow with them, not with their square; and no stack is deep enough for all.

use std::time::{Duration, Instant};

use super::chain;
use super::readers;

/// Each of these is read well within this, without optimisation and on a busy machine.
const SOON: Duration = Duration::from_secs(30);

fn soon(what: &str, text: &str, read: fn(&str)) {
    let begun = Instant::now();
    read(text);
    let took = begun.elapsed();
    assert!(took < SOON, "{what}: {took:?} for {} bytes", text.len());
}

#[test]
fn many_errors() {
    soon("lines that are no TOML", &"x\n".repeat(5_000), chain::topology);
    soon("broken headers", &"[\n".repeat(5_000), chain::topology);
    let keys: String = (0..5_000).map(|n| format!("key{n} = {n}\n")).collect();
    soon("unknown keys", &keys, chain::topology);
    let blocks: String = (0..2_000).map(|n| format!("[service.s{n}]\nport = \"x\"\n")).collect();
    soon("blocks", &blocks, chain::topology);
    soon("one line", &format!("x = [{}]", "{ y = 1 }, ".repeat(5_000)), chain::topology);
}

#[test]
fn variables_that_grow() {
    let doubling: String = (0..60)
        .map(|n| format!("[variable.v{n}]\ndefault = \"${{var.v{0}}}${{var.v{0}}}\"\n", n + 1))
        .collect();
    soon("doubling", &(doubling + "[variable.v60]\ndefault = \"x\"\n"), chain::topology);
    let chained: String = (0..5_000)
        .map(|n| format!("[variable.v{n}]\ndefault = \"${{var.v{}}}\"\n", n + 1))
        .collect();
    soon("a chain", &(chained + "[variable.v5000]\ndefault = \"x\"\n"), chain::topology);
}

#[test]
fn deep_nesting() {
    for open in ["[", "{a=", "[{a=", "a."] {
        soon(open, &format!("x = {}", open.repeat(50_000)), chain::topology);
    }
    soon("a header", &format!("[{}a]\nb = 1", "a.".repeat(50_000)), chain::topology);
    soon("a key", &format!("{}a = 1", "a.".repeat(50_000)), chain::topology);
    soon(
        "headers",
        &(1..300).map(|n| format!("[{}b]\n", "a.".repeat(n))).collect::<String>(),
        chain::topology,
    );
}

#[test]
fn long_words() {
    let long = "a".repeat(300_000);
    soon("a tag", &long, readers::tag);
    soon("stars", &"*a".repeat(2_000), readers::tag);
    soon("a key", &format!("{long} = 1"), chain::topology);
    soon("a text", &format!("name = \"{long}\""), chain::topology);
}

/// A key far from its value sets the column for the line that is added above it.
#[test]
fn a_column_beyond_all_bounds() {
    let far = " ".repeat(70_000);
    let text = format!("[service.user]\nmin_count{far}= 1\n");
    let edited = ecdeploy::topology::set_count(&text, "user", 3).expect("a place");
    assert!(edited.starts_with(&format!("[service.user]\ncount{}= 3\n", " ".repeat(70_004))));
}
