//! `[[moved]]`: which resources of the account go on under another address. What a block made moves with its key, name by
//! name: `instance.user-1` with `service.user`.

use std::collections::BTreeMap;

use super::Desired;
use crate::model::Address;
use crate::topology::{Diagnostic, Moved, Placed, Topology, suggest};

/// New addresses by old ones, and what is wrong with the blocks that say so.
pub fn moves(
    topology: &Topology,
    desired: &Desired,
) -> (BTreeMap<Address, Address>, Vec<Diagnostic>) {
    let mut reading = Reading { topology, desired, moves: BTreeMap::new(), errors: Vec::new() };
    topology.moved.iter().for_each(|moved| reading.read(moved));
    let moves = reading.moves.into_iter().map(|(from, (to, _))| (from, to)).collect();
    (moves, reading.errors)
}

struct Reading<'a> {
    topology: &'a Topology,
    desired: &'a Desired,
    /// With the block of the file that says so.
    moves: BTreeMap<Address, (Address, &'a Moved)>,
    errors: Vec<Diagnostic>,
}

impl<'a> Reading<'a> {
    fn read(&mut self, moved: &'a Moved) {
        let (from, to) = (&moved.from, &moved.to);
        let (Some((old_kind, old)), Some((kind, new))) = (from.split_once('.'), to.split_once('.'))
        else {
            return;
        };
        if self.is_desired(from) {
            let error = Diagnostic::at(from.span, format!("`{}` is still in the topology", **from))
                .label("nothing has moved from here")
                .hint("take its block away, or this one".to_owned());
            return self.errors.push(error);
        }
        if old_kind != kind {
            let error = Diagnostic::at(to.span, format!("a {old_kind} can't become a {kind}"))
                .label("of another kind")
                .also(from.span, "moved from here");
            return self.errors.push(error);
        }
        let found: Vec<(Address, Address)> = match self.desired.blocks.get(to.as_str()) {
            Some(made) => {
                let renamed = made.iter().filter_map(|to| {
                    let rest = to.name().strip_prefix(new)?;
                    let whole = rest.is_empty() || rest.starts_with(['-', '/']);
                    whole.then(|| (Address::new(to.kind(), &format!("{old}{rest}")), to.clone()))
                });
                renamed.collect()
            }
            None if self.is_desired(to) => {
                vec![(Address::new(kind, old), Address::new(kind, new))]
            }
            None => return self.unknown(to),
        };
        for (from, to) in found {
            self.add(from, to, moved);
        }
    }

    fn add(&mut self, from: Address, to: Address, moved: &'a Moved) {
        if self.desired.resources.contains_key(&from) {
            let error = Diagnostic::at(moved.from.span, format!("{from} is still in the topology"))
                .label(format!("and can't become {to}"));
            return self.errors.push(error);
        }
        let before = self.moves.get(&from).map(|(_, before)| *before);
        let other = self.moves.values().find(|(other, _)| *other == to).map(|(_, other)| *other);
        if let Some(before) = before {
            let error = Diagnostic::at(moved.from.span, format!("{from} is moved twice"))
                .label("a second time")
                .also(before.from.span, "first here");
            self.errors.push(error);
        } else if let Some(other) = other {
            let error = Diagnostic::at(moved.to.span, format!("two are moved to {to}"))
                .label("a second one")
                .also(other.to.span, "first here");
            self.errors.push(error);
        } else {
            self.moves.insert(from, (to, moved));
        }
    }

    fn unknown(&mut self, to: &Placed<String>) {
        let next = self.topology.moved.iter().find(|next| *next.from == **to);
        let error = Diagnostic::at(to.span, format!("`{}` is not in the topology", **to))
            .label("nothing can move here");
        self.errors.push(match next {
            Some(next) => error.also(next.from.span, "and moves on from here").hint(
                "write one block, from where it is in the account to where it ends".to_owned(),
            ),
            None => error.hint(suggest::hint(to, self.known().iter().map(String::as_str))),
        });
    }

    fn is_desired(&self, name: &str) -> bool {
        let address = name.parse::<Address>();
        self.desired.blocks.contains_key(name)
            || address.is_ok_and(|address| self.desired.resources.contains_key(&address))
    }

    fn known(&self) -> Vec<String> {
        let addresses = self.desired.resources.keys().map(ToString::to_string);
        self.desired.blocks.keys().cloned().chain(addresses).collect()
    }
}
