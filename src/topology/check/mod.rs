//! What AWS would refuse, or what can't be meant, seen from the file alone: how its parts go together.

mod addresses;
mod data;
mod machines;
mod network;
mod references;
mod services;
mod ways;

use std::collections::BTreeMap;

use super::diagnostic::{Diagnostic, Placed, Sink, Span};
use super::shape::Test;
use super::types::{Named, Names, Topology};

/// Reports everything that doesn't go together. References first: what follows from a wrong one is then silent.
pub fn check(topology: &Topology, sink: &mut Sink) {
    references::check(topology, sink);
    network::check(topology, sink);
    addresses::check(topology, sink);
    services::check(topology, sink);
    machines::check(topology, sink);
    ways::check(topology, sink);
    data::check(topology, sink);
}

/// Reports names in AWS that two blocks would make. Keys alone make none.
fn unlike<'a>(what: &str, names: impl IntoIterator<Item = &'a Named>, sink: &mut Sink) {
    let twice = |span, name: &String| {
        Diagnostic::at(span, format!("two {what} go by the name `{name}`"))
            .label("taken")
            .hint("give one of them another `name`".to_owned())
    };
    let names = names.into_iter().map(|name| (name.value.clone(), name.span));
    unique(names, "first here", twice, sink);
}

/// Reports each value that stands a second time. `error` gets the place and the value.
fn unique<K: Ord + Clone>(
    values: impl IntoIterator<Item = (K, Span)>,
    first: &str,
    error: impl Fn(Span, &K) -> Diagnostic,
    sink: &mut Sink,
) {
    let mut seen = BTreeMap::new();
    for (value, span) in values {
        match seen.get(&value) {
            Some(before) => sink.push_unless_spoilt(error(span, &value).also(*before, first)),
            None => {
                seen.insert(value, span);
            }
        }
    }
}

/// The zones of the subnets that bear these keys, each with the subnet's key.
fn zones<'a>(topology: &'a Topology, subnets: &'a Names) -> BTreeMap<&'a str, &'a str> {
    let found = subnets.iter().filter_map(|key| topology.subnet(key));
    found.map(|subnet| (subnet.zone.as_str(), subnet.key.as_str())).collect()
}

/// A name that was made from the block's key has to be one that AWS takes, as much as one that was written.
/// `prefix` is what stands before the key in it.
fn derived(
    name: &Placed<String>,
    key: &Placed<String>,
    test: Test,
    field: &str,
    prefix: Option<&Placed<String>>,
    sink: &mut Sink,
) {
    if name.span == key.span
        && let Err(flaw) = test(name)
    {
        let error = Diagnostic::at(key.span, flaw.message)
            .label(flaw.wanted)
            .hint(format!("the key makes this name: change it, or write `{field} = \"...\"`"));
        sink.push_unless_spoilt(match prefix {
            Some(prefix) => error.also(prefix.span, "begins the name"),
            None => error,
        });
    }
}
