//! The topology file: read with the place of everything, checked without network, errors all at once.

pub mod addresses;
mod artifact;
mod block;
mod check;
mod diagnostic;
mod edit;
mod format;
mod forms;
pub mod policy;
mod read;
mod regions;
pub mod shape;
mod sizes;
pub mod suggest;
#[cfg(test)]
mod tests;
mod text;
mod tree;
mod types;
mod variables;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use artifact::bucket_and_key;
pub use diagnostic::{Diagnostic, Diagnostics, Label, Lines, Placed, Span};
pub use edit::{Uneditable, save, set_count};
pub use format::FILE;
pub use policy::{Level, OwnRule, Policy, WorkingHours};
pub use regions::{partition, zones};
pub use types::{
    Ami, Artifact, Cache, Certificate, Database, Dns, HealthCheck, LoadBalancer, Moved, Names,
    Peer, Process, Rolling, RootVolume, Route, Rule, SecurityGroup, Service, Source, Subnet,
    Topology, Use, Vpc, complaint,
};

use crate::error::{Error, ErrorKind};
use diagnostic::Sink;
use tree::Syntax;
use variables::Variables;

/// Reads and checks the file at `path`. `vars` are the values that the command line gives to variables.
pub fn load(path: &Path, vars: &[(String, String)]) -> Result<Topology, Error> {
    Ok(parse(&path.display().to_string(), &text_of(path)?, vars)?)
}

/// The text of the file at `path`.
pub fn text_of(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => where_else(path),
            _ => "name another file with -f FILE".to_owned(),
        };
        Error::new(ErrorKind::File, format!("can't read {}: {error}", path.display()))
            .hint(hint)
            .source(error)
    })
}

/// Of more files, so many are named.
const NAMED: usize = 5;

/// What to do where there is no file at the path: which it may be instead, or how to begin.
fn where_else(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = fs::read_dir(folder.unwrap_or(Path::new("."))).into_iter().flatten().flatten();
    let found = entries.map(|entry| folder.unwrap_or(Path::new("")).join(entry.file_name()));
    let is_one = |found: &PathBuf| found.extension() == Some("toml".as_ref()) && found.is_file();
    let mut found: Vec<String> =
        found.filter(is_one).map(|found| found.display().to_string()).collect();
    found.sort();
    let wanted = path.display().to_string();
    match suggest::nearest(&wanted, found.iter().map(String::as_str)) {
        Some(near) => format!("did you mean -f {near}?"),
        None if found.is_empty() => {
            "name the file with -f FILE, or begin with a copy of the topology.toml that came with \
             ecdeploy: docs/start.md says how"
                .to_owned()
        }
        None => {
            let named = suggest::list(found.iter().take(NAMED).map(String::as_str));
            let more = if found.len() > NAMED { ", ..." } else { "" };
            format!("name the file with -f FILE; there are {named}{more}")
        }
    }
}

/// Reads and checks the text of a file.
pub fn parse(file: &str, text: &str, vars: &[(String, String)]) -> Result<Topology, Diagnostics> {
    let mut sink = Sink::default();
    let (mut root, syntax) = tree::read(text, &mut sink);
    if syntax != Syntax::Broken {
        let variables = Variables::read(&root, vars, text, &mut sink);
        variables.substitute(&mut root, text, &mut sink);
        shape::check(&root, FILE, syntax == Syntax::Sound, &mut sink);
        if syntax == Syntax::Sound {
            let mut topology = read::topology(&root);
            check::check(&topology, &mut sink);
            if sink.is_empty() {
                topology.path = file.into();
                topology.source_hash = hash(text, &variables);
                topology.lines = Lines::of(text);
                topology.text = text.into();
                return Ok(topology);
            }
        }
    }
    Err(sink.finish(file, text))
}

fn hash(text: &str, variables: &Variables) -> String {
    let mut sha = Sha256::new();
    sha.update(text);
    for (name, value) in variables.values() {
        // Neither a name nor a file holds a zero byte, so no two inputs run together.
        sha.update([0]);
        sha.update(name);
        sha.update([0]);
        sha.update(value);
    }
    sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl From<Diagnostics> for Error {
    fn from(diagnostics: Diagnostics) -> Self {
        let message = format!("{} has errors", diagnostics.file());
        Self::new(ErrorKind::Topology, message).source(diagnostics)
    }
}

impl Diagnostics {
    /// The file may be right in itself, and yet what it asks for can't be had of the account.
    pub fn refused(self) -> Error {
        let hint = self.errors().iter().find_map(|one| one.hint.clone());
        let error = match self.errors() {
            // One without a place needs no look at the file.
            [only] if only.span.is_none() => Error::new(ErrorKind::Refused, only.message.clone()),
            _ => Error::new(ErrorKind::Refused, self.to_string()).source(self),
        };
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}
