//! What is wrong with a topology file, each fault with its place; and values that remember their place.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Deref;

use schemars::JsonSchema;
use serde::Serialize;

/// A range of bytes in the file.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema,
)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The empty place right behind it: where something is missing.
    pub fn after(self) -> Self {
        Self::new(self.end, self.end)
    }

    fn contains(self, other: Self) -> bool {
        self == other
            || (self.start <= other.start && other.end <= self.end && other.start < other.end)
    }
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Self::new(range.start, range.end)
    }
}

/// A value and where the file says it. Where a default stands in, the place is the block that lacks it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placed<T> {
    pub value: T,
    pub span: Span,
}

impl<T> Placed<T> {
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

impl<T> Deref for Placed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Where each line of a text starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines(Vec<usize>);

impl Lines {
    pub fn of(text: &str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect())
    }

    /// The line in which a byte stands; the first is 1.
    pub fn line(&self, at: usize) -> usize {
        self.0.partition_point(|start| *start <= at).max(1)
    }

    /// Where a line starts.
    pub fn start(&self, line: usize) -> usize {
        self.0.get(line - 1).copied().unwrap_or_default()
    }
}

/// A place that has to do with an error, and what it has to do with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Label {
    pub span: Span,
    pub line: usize,
    pub column: usize,
    pub label: String,
}

/// One error of the file. Without a span it has no place in the file, like a `--var` that nothing declares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Diagnostic {
    pub message: String,
    pub span: Option<Span>,
    pub line: Option<usize>,
    pub column: Option<usize>,
    /// What stands under the span.
    pub label: String,
    /// Other places that belong to it.
    pub also: Vec<Label>,
    pub hint: Option<String>,
}

impl Diagnostic {
    pub fn at(span: Span, message: impl Into<String>) -> Self {
        Self { span: Some(span), ..Self::nowhere(message) }
    }

    pub fn nowhere(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub fn also(mut self, span: Span, label: impl Into<String>) -> Self {
        self.also.push(Label { span, line: 0, column: 0, label: label.into() });
        self
    }

    pub fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }

    fn spans(&self) -> impl Iterator<Item = Span> {
        self.span.into_iter().chain(self.also.iter().map(|also| also.span))
    }
}

/// Every error of one file, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Diagnostics {
    file: Box<str>,
    errors: Box<[Diagnostic]>,
    #[serde(skip)]
    text: Box<str>,
}

impl Diagnostics {
    /// The one error of a file.
    pub fn of(file: &str, text: &str, error: Diagnostic) -> Self {
        Self::new(file, text, vec![error])
    }

    fn new(file: &str, text: &str, mut errors: Vec<Diagnostic>) -> Self {
        let lines = Lines::of(text);
        let place = |at: usize| {
            let line = lines.line(at);
            let before = text.get(lines.start(line)..at).unwrap_or_default();
            (line, before.chars().count() + 1)
        };
        for error in &mut errors {
            (error.line, error.column) = error.span.map(|span| place(span.start)).unzip();
            for also in &mut error.also {
                (also.line, also.column) = place(also.span.start);
            }
        }
        // What stands in [defaults] is checked for each block it serves, and said once.
        let mut seen = BTreeSet::new();
        errors.retain(|error| seen.insert((error.span, error.message.clone())));
        errors.sort_by(|a, b| (a.span, &a.message).cmp(&(b.span, &b.message)));
        Self { file: file.into(), errors: errors.into(), text: text.into() }
    }

    pub fn file(&self) -> &str {
        &self.file
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn errors(&self) -> &[Diagnostic] {
        &self.errors
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, error) in self.errors.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            write!(f, "{}:", self.file)?;
            if let (Some(line), Some(column)) = (error.line, error.column) {
                write!(f, "{line}:{column}:")?;
            }
            write!(f, " {}", error.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

/// Collects errors while the file is read and checked.
#[derive(Debug, Default)]
pub struct Sink {
    errors: Vec<Diagnostic>,
    bad: Vec<Span>,
}

impl Sink {
    pub fn push(&mut self, error: Diagnostic) {
        self.bad.extend(error.span);
        self.errors.push(error);
    }

    /// Marks a place as wrong without an error of its own.
    pub fn spoil(&mut self, span: Span) {
        self.bad.push(span);
    }

    /// Adds an error about how places go together, unless one of them is wrong in itself: what only follows from
    /// another error is no help.
    pub fn push_unless_spoilt(&mut self, error: Diagnostic) {
        if !self.spoilt(&error) {
            self.errors.push(error);
        }
    }

    /// The same, where other errors would follow from this one.
    pub fn push_and_spoil(&mut self, error: Diagnostic) {
        if !self.spoilt(&error) {
            self.push(error);
        }
    }

    fn spoilt(&self, error: &Diagnostic) -> bool {
        error.spans().any(|span| self.bad.iter().any(|bad| span.contains(*bad)))
    }

    pub fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    pub fn finish(self, file: &str, text: &str) -> Diagnostics {
        Diagnostics::new(file, text, self.errors)
    }
}
