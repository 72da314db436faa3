//! A block of a file as it is read: what it says, and what the defaults say for it.

use super::diagnostic::{Placed, Span};
use super::tree::{Entry, Item, Table};
use super::types::Names;

/// A table of the file, and the table that gives what it doesn't say.
#[derive(Clone, Copy)]
pub struct Block<'a> {
    pub span: Span,
    pub own: Option<&'a Table>,
    pub defaults: Option<&'a Table>,
}

impl<'a> Block<'a> {
    pub fn of(entry: &'a Entry) -> Self {
        Self { span: entry.key.span, own: entry.item.table(), defaults: None }
    }

    fn entry(&self, name: &str) -> Option<&'a Entry> {
        let own = self.own.and_then(|table| table.entry(name));
        own.or_else(|| self.defaults.and_then(|table| table.entry(name)))
    }

    pub fn get(&self, name: &str) -> Option<&'a Item> {
        self.entry(name).map(|entry| &entry.item)
    }

    /// A table within this one; what it doesn't say is looked for in the defaults' table of that name.
    pub fn block(&self, name: &str) -> Block<'a> {
        let table = |table: Option<&'a Table>| table.and_then(|table| table.table(name));
        // Where it is missing as a whole, so is everything in it.
        let span = self.entry(name).map_or(self.span, |entry| entry.key.span);
        Block { span, own: table(self.own), defaults: table(self.defaults) }
    }

    pub fn tables(&self, name: &str) -> impl Iterator<Item = Block<'a>> {
        let items = self.get(name).and_then(Item::list).unwrap_or_default();
        let block = |item: &'a Item| {
            let own = item.table()?;
            Some(Block { span: item.span, own: Some(own), defaults: None })
        };
        items.iter().filter_map(block)
    }

    /// A value that has to be there.
    pub fn value<T: Default>(&self, name: &str, read: impl Fn(&Item) -> Option<T>) -> Placed<T> {
        match self.get(name) {
            Some(item) => Placed::new(read(item).unwrap_or_default(), item.span),
            None => Placed::new(T::default(), self.span.after()),
        }
    }

    /// A value that has a default.
    pub fn value_or<T>(
        &self,
        name: &str,
        read: impl Fn(&Item) -> Option<T>,
        default: T,
    ) -> Placed<T> {
        match self.get(name) {
            Some(item) => Placed::new(read(item).unwrap_or(default), item.span),
            None => Placed::new(default, self.span),
        }
    }

    pub fn text(&self, name: &str) -> Placed<String> {
        self.value(name, |item| item.text().map(str::to_owned))
    }

    pub fn text_or(&self, name: &str, default: &str) -> Placed<String> {
        self.value_or(name, |item| item.text().map(str::to_owned), default.to_owned())
    }

    pub fn parsed<T: Default + std::str::FromStr>(&self, name: &str) -> Placed<T> {
        self.value(name, |item| item.text()?.parse().ok())
    }

    pub fn number<T: Default + TryFrom<i64>>(&self, name: &str) -> Placed<T> {
        self.value(name, number)
    }

    pub fn number_or<T: TryFrom<i64>>(&self, name: &str, default: T) -> Placed<T> {
        self.value_or(name, number, default)
    }

    pub fn flag_or(&self, name: &str, default: bool) -> bool {
        self.value_or(name, Item::flag, default).value
    }

    pub fn names(&self, name: &str) -> Names {
        let texts = |item: &Item| {
            let place = |item: &Item| Some(Placed::new(item.text()?.to_owned(), item.span));
            Some(item.list()?.iter().filter_map(place).collect())
        };
        self.value(name, texts)
    }
}

pub fn number<T: TryFrom<i64>>(item: &Item) -> Option<T> {
    T::try_from(item.integer()?).ok()
}
