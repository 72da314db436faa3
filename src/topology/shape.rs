//! A format as a table of keys, and the one walk that holds a file against it and reports all that doesn't fit.

use super::diagnostic::{Diagnostic, Sink, Span};
use super::suggest;
use super::tree::{Entry, Item, Table, Value};

/// What a value has to be.
#[derive(Debug)]
pub enum Shape {
    /// A string that passes the test.
    Text(Test),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number from the first to the last.
    Integer(i64, i64),
    /// One of these whole numbers.
    OneOf(&'static [i64]),
    Flag,
    /// Anything that can be written as one word: a string, a number, a boolean.
    Scalar,
    List(&'static Shape),
    /// A table with these keys.
    Table(&'static [Key]),
    /// A table with some of these keys: defaults for others.
    Partly(&'static [Key]),
    /// Tables by names of the user's choice that pass the test, each with these keys. What `[defaults.KIND]` gives
    /// may be absent.
    Named(Test, &'static [Key]),
    /// A string, or else a table.
    Either(&'static Shape, &'static [Key]),
}

/// Looks at a string; the error says what is wrong with it.
pub type Test = fn(&str) -> Result<(), Flaw>;

/// What is wrong with a string.
#[derive(Debug, PartialEq, Eq)]
pub struct Flaw {
    pub message: String,
    /// What it should be.
    pub wanted: &'static str,
    pub hint: Option<String>,
}

/// A key of a table.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    pub shape: Shape,
    pub required: bool,
    /// What it means, for people.
    pub about: &'static str,
    /// What it is where the file doesn't say, if that is always the same.
    pub default: Option<&'static str>,
    /// What its strings look like, as a regular expression: its own, those in its list, or the names of its tables.
    pub form: Option<&'static str>,
}

impl Key {
    pub const fn required(name: &'static str, shape: Shape, about: &'static str) -> Self {
        Self { name, shape, required: true, about, default: None, form: None }
    }

    pub const fn optional(name: &'static str, shape: Shape, about: &'static str) -> Self {
        Self { name, shape, required: false, about, default: None, form: None }
    }

    pub const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    pub const fn form(mut self, form: &'static str) -> Self {
        self.form = Some(form);
        self
    }
}

/// Holds the file against the format. Where the file's syntax has slips, a missing key is no news: it may be what
/// was lost.
pub fn check(root: &Table, keys: &'static [Key], whole: bool, sink: &mut Sink) {
    let mut walk = Walk { defaults: root.table("defaults"), whole, sink };
    // The file's own place, for a key that it lacks: its first byte.
    walk.table(root, keys, Span::default(), "the file", Some(None));
}

struct Walk<'a> {
    defaults: Option<&'a Table>,
    whole: bool,
    sink: &'a mut Sink,
}

impl Walk<'_> {
    fn entry(&mut self, entry: &Entry, shape: &'static Shape) {
        if let Shape::Named(test, keys) = shape {
            return self.named(entry, *test, keys);
        }
        self.item(&entry.item, shape, entry.key.span, &entry.key);
    }

    fn item(&mut self, item: &Item, shape: &'static Shape, place: Span, name: &str) {
        let fits = match (shape, &item.value) {
            (_, Value::Lost) => true,
            (Shape::Text(test), _) => {
                item.text().map(|text| self.text(text, item.span, *test)).is_some()
            }
            (Shape::Word(words), _) => {
                item.text().map(|text| self.word(text, item.span, words)).is_some()
            }
            (Shape::Integer(from, to), _) => {
                item.integer().map(|n| self.integer(n, item.span, name, *from, *to)).is_some()
            }
            (Shape::OneOf(numbers), _) => {
                item.integer().map(|n| self.one_of(n, item.span, name, numbers)).is_some()
            }
            (Shape::Flag, _) => item.flag().is_some(),
            (Shape::Scalar, _) => {
                item.text().is_some() || item.integer().is_some() || item.flag().is_some()
            }
            (Shape::List(shape), Value::List(items)) => {
                items.iter().for_each(|item| self.item(item, shape, item.span, name));
                true
            }
            (Shape::Table(keys) | Shape::Either(_, keys), Value::Table(table)) => {
                self.table(table, keys, place, name, Some(None));
                true
            }
            (Shape::Partly(keys), Value::Table(table)) => {
                self.table(table, keys, place, name, None);
                true
            }
            (Shape::Either(shape, _), Value::Text(_) | Value::Variable(_)) => {
                self.item(item, shape, place, name);
                true
            }
            _ => false,
        };
        if !fits {
            self.sink.spoil(place.after());
            let hint = match (shape, &item.value) {
                (Shape::Text(_), Value::Integer(_)) => Some("put it in quotes".to_owned()),
                (Shape::Integer(..) | Shape::OneOf(_), Value::Text(text))
                    if text.parse::<i64>().is_ok() =>
                {
                    Some("take the quotes away".to_owned())
                }
                _ => None,
            };
            self.sink.push(
                Diagnostic::at(item.span, format!("`{name}` has to be {}", shape.what()))
                    .label(format!("this is {}", item.what()))
                    .hint(hint),
            );
        }
    }

    fn named(&mut self, entry: &Entry, test: Test, keys: &'static [Key]) {
        let Value::Table(table) = &entry.item.value else {
            return self.item(&entry.item, &Shape::Table(&[]), entry.key.span, &entry.key);
        };
        let defaults = self.defaults.and_then(|defaults| defaults.table(&entry.key));
        for block in table.entries() {
            self.text(&block.key, block.key.span, test);
            let name = format!("{}.{}", *entry.key, *block.key);
            match &block.item.value {
                Value::Table(table) => {
                    self.table(table, keys, block.key.span, &name, Some(defaults))
                }
                _ => self.item(&block.item, &Shape::Table(&[]), block.key.span, &name),
            }
        }
    }

    /// One table. `needs` holds the defaults that may give what it lacks; without it nothing is required.
    fn table(
        &mut self,
        table: &Table,
        keys: &'static [Key],
        place: Span,
        name: &str,
        needs: Option<Option<&Table>>,
    ) {
        for entry in table.entries() {
            if let Some(key) = keys.iter().find(|key| key.name == *entry.key) {
                self.entry(entry, &key.shape);
                continue;
            }
            // It may be meant for a key that the block lacks, and whose default then says nothing.
            self.sink.spoil(place);
            self.sink.push(
                Diagnostic::at(entry.key.span, format!("unknown key `{}`", *entry.key))
                    .label(format!("not a key of {}", Self::titled(name)))
                    .hint(suggest::hint(&entry.key, keys.iter().map(|key| key.name))),
            );
        }
        if let Some(defaults) = needs {
            let tables: Vec<&Table> = std::iter::once(table).chain(defaults).collect();
            self.missing(&tables, keys, place, name);
        }
    }

    /// Reports the keys that none of the tables has, all at once; but not one that a misspelt key stands for.
    fn missing(&mut self, tables: &[&Table], keys: &'static [Key], place: Span, name: &str) {
        let there = |key: &str| tables.iter().any(|table| table.get(key).is_some());
        let missing: Vec<&Key> =
            keys.iter().filter(|key| key.required && !there(key.name)).collect();
        if missing.is_empty() {
            return;
        }
        self.sink.spoil(place.after());
        let known = |word: &str| keys.iter().any(|key| key.name == word);
        let misspelt =
            tables.iter().flat_map(|table| table.entries()).filter(|entry| !known(&entry.key));
        let meant: Vec<&str> = misspelt
            .filter_map(|entry| suggest::nearest(&entry.key, missing.iter().map(|key| key.name)))
            .collect();
        let missing = missing.into_iter().filter(|key| !meant.contains(&key.name));
        let names = suggest::list(missing.clone().map(|key| key.name));
        if self.whole && !names.is_empty() {
            let about: Vec<String> =
                missing.map(|key| format!("`{}`: {}", key.name, key.about)).collect();
            self.sink.push(
                Diagnostic::at(place, format!("{} has no {names}", Self::titled(name)))
                    .label("incomplete")
                    .hint(about.join("\n")),
            );
        }
    }

    fn titled(name: &str) -> String {
        if name == "the file" { name.to_owned() } else { format!("`{name}`") }
    }

    fn text(&mut self, text: &str, span: Span, test: Test) {
        if let Err(flaw) = test(text) {
            self.sink.push(Diagnostic::at(span, flaw.message).label(flaw.wanted).hint(flaw.hint));
        }
    }

    fn word(&mut self, text: &str, span: Span, words: &'static [&'static str]) {
        if !words.contains(&text) {
            let words = words.iter().copied();
            let wanted = format!("expected {}", suggest::list(words.clone()));
            let message = format!("`{text}` is not possible here");
            let hint = suggest::nearest(text, words).map(|near| format!("did you mean `{near}`?"));
            self.sink.push(Diagnostic::at(span, message).label(wanted).hint(hint));
        }
    }

    fn integer(&mut self, number: i64, span: Span, name: &str, from: i64, to: i64) {
        if !(from..=to).contains(&number) {
            self.sink.push(
                Diagnostic::at(span, format!("`{name}` is out of range: {number}"))
                    .label(format!("it can be {from} to {to}")),
            );
        }
    }

    fn one_of(&mut self, number: i64, span: Span, name: &str, numbers: &[i64]) {
        if !numbers.contains(&number) {
            let words: Vec<String> = numbers.iter().map(i64::to_string).collect();
            let nearest = numbers.iter().min_by_key(|known| (number.abs_diff(**known), -**known));
            self.sink.push(
                Diagnostic::at(span, format!("`{name}` can't be {number}"))
                    .label(format!("expected {}", suggest::list(words.iter().map(String::as_str))))
                    .hint(nearest.map(|near| format!("{near} is the nearest"))),
            );
        }
    }
}

impl Shape {
    /// What it wants, in words.
    fn what(&self) -> &'static str {
        match self {
            Shape::Text(_) | Shape::Word(_) => "a string",
            Shape::Integer(..) | Shape::OneOf(_) => "a whole number",
            Shape::Flag => "a boolean",
            Shape::Scalar => "a string, a number or a boolean",
            Shape::List(_) => "a list",
            Shape::Table(_) | Shape::Partly(_) | Shape::Named(..) => "a table",
            Shape::Either(..) => "a string or a table",
        }
    }
}
