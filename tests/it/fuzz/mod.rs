//! No panic and no hang, whatever stands in a file, a flag or an answer of AWS. A target is one line in `targets!`.
//!
//! What it begins with: the files in `corpus/TARGET`, each a document that once was trouble, and whole documents of our
//! own. bolero changes them: `cargo test` tries some seconds of them all; `ECDEPLOY_FUZZ=600 cargo test --test it fuzz` ten
//! minutes of each.

mod chain;
mod change;
#[cfg(unix)]
mod escapes;
mod flags;
mod neat;
mod readers;
mod sandbox;
mod saved;
mod seeds;
mod size;
mod wire;

use std::any::Any;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use bolero::{ValueGenerator, produce};

use change::Form;

/// A reader of outside bytes, and all that comes after it.
struct Target {
    name: &'static str,
    form: Form,
    seeds: fn() -> Vec<String>,
    /// How many documents a short run tries.
    cases: usize,
    read: fn(&str),
}

macro_rules! targets {
    ($($name:ident: $form:ident, $seeds:expr, $cases:expr, $read:expr;)*) => {
        $(#[test] fn $name() {
            let name = stringify!($name);
            let target =
                Target { name, form: Form::$form, seeds: $seeds, cases: $cases, read: $read };
            let seeds = target.hold_seeds();
            let check = bolero::check!().with_generator(variants(seeds.len()));
            let check = match long() {
                Some(time) => check.with_test_time(time),
                None => check.with_iterations(target.cases),
            };
            check.for_each(|(seed, changes)| target.vary(&seeds[*seed], changes));
        })*
    };
}

targets! {
    topology: Toml, seeds::topologies, 12, chain::topology;
    edit: Toml, seeds::topologies, 60, readers::edit;
    saved_plan: Json, seeds::plans, 25, saved::plan;
    sandbox_account: Json, seeds::accounts, 20, sandbox::account;
    lock: Json, seeds::holders, 100, readers::holder;
    tags: Text, seeds::tags, 400, readers::tag;
    trace_path: Text, seeds::paths, 100, readers::path;
    expression: Text, seeds::expressions, 300, readers::expression;
    command_line: Text, seeds::flags, 15, flags::command;
}

/// No document may take longer, on a busy machine and without optimisation.
const LIMIT: Duration = Duration::from_secs(60);
/// Seconds for which each target is tried.
const LONG: &str = "ECDEPLOY_FUZZ";

fn long() -> Option<Duration> {
    std::env::var(LONG).ok()?.parse().ok().map(Duration::from_secs)
}

/// One of so many seeds, and a few changes to it.
fn variants(seeds: usize) -> impl ValueGenerator<Output = (usize, Vec<(u64, u64)>)> {
    (0..seeds, produce::<Vec<(u64, u64)>>().with().len(1_usize..6))
}

impl Target {
    /// What it begins with, each tried as it stands.
    fn hold_seeds(&self) -> Vec<String> {
        let mut seeds = (self.seeds)();
        seeds.extend(self.corpus());
        for seed in &seeds {
            self.hold(seed).unwrap_or_else(|why| panic!("{}: {why}", self.name));
        }
        seeds
    }

    fn corpus(&self) -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fuzz/corpus");
        let files = fs::read_dir(folder.join(self.name)).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = files.map(|file| file.path()).collect();
        paths.sort();
        paths.iter().map(|path| fs::read_to_string(path).expect("a corpus file")).collect()
    }

    /// Tries a document that is a few changes away from a seed. One that fails is kept; of those, bolero finds a smaller one.
    fn vary(&self, seed: &str, changes: &[(u64, u64)]) {
        let text = change::changed(seed, self.form, changes);
        if let Err(why) = self.hold(&text) {
            let found = scratch().join(format!("{}.found", self.name));
            fs::write(&found, text).expect("the document that was found");
            let place = found.display();
            panic!("{}: {why}\nthe document is {place}: give it a name in corpus/", self.name);
        }
    }

    /// Reads one document, on a thread with a smaller stack than the program's own.
    fn hold(&self, text: &str) -> Result<(), String> {
        // Where the stack overflows, nothing else is left to tell of it.
        fs::write(scratch().join(format!("{}.last", self.name)), text).expect("the document");
        let (read, text) = (self.read, text.to_owned());
        let (done, ended) = mpsc::channel();
        thread::spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(|| read(&text)));
            let _ = done.send(result.map_err(|panic| said(panic.as_ref())));
        });
        match ended.recv_timeout(LIMIT) {
            Ok(result) => result,
            Err(_) => Err(format!("takes longer than {LIMIT:?}")),
        }
    }
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic without words".to_owned())
}

fn scratch() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    fs::create_dir_all(&folder).expect("a folder");
    folder
}
