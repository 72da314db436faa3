//! `${var.NAME}`: where variables get their values, and their place in strings.

use std::collections::BTreeMap;

use super::diagnostic::{Diagnostic, Placed, Sink, Span};
use super::suggest;
use super::tree::{Item, Table, Value};

/// How long all values in one string may be together: two in each of sixty variables would be more than any memory.
const LONGEST: usize = 4096;
/// How many variables may stand in one another.
const DEEPEST: usize = 32;

/// The value of each declared variable; none where that is an error of its own.
#[derive(Debug, Default)]
pub struct Variables(BTreeMap<String, Option<String>>);

/// What a declaration says.
struct Declared<'a> {
    key: &'a Placed<String>,
    default: Option<Placed<String>>,
}

type Declarations<'a> = BTreeMap<&'a str, Declared<'a>>;

impl Variables {
    /// Reads the declarations under `[variable]`, and what the command line gives.
    pub fn read(root: &Table, given: &[(String, String)], text: &str, sink: &mut Sink) -> Self {
        let entries = root.table("variable").map(Table::entries).unwrap_or_default();
        let declared: Declarations<'_> = entries
            .iter()
            .map(|entry| {
                let default = entry.item.table().and_then(|table| table.get("default"));
                let default = default.map(|item| Placed::new(scalar(item), item.span));
                (entry.key.as_str(), Declared { key: &entry.key, default })
            })
            .collect();
        let mut variables = Self::default();
        for (name, value) in given {
            if !declared.contains_key(name.as_str()) {
                let known = declared.keys().copied();
                let message = format!("--var {name}: the file declares no variable `{name}`");
                sink.push(Diagnostic::nowhere(message).hint(suggest::hint(name, known)));
            }
            variables.0.insert(name.clone(), Some(value.clone()));
        }
        let mut in_order: Vec<&Declared<'_>> = declared.values().collect();
        in_order.sort_by_key(|declared| declared.key.span);
        for variable in in_order {
            resolve(variable, &declared, &mut variables, &mut Vec::new(), text, sink);
        }
        variables
    }

    /// The variables by name, as the file's hash takes them in.
    pub fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)))
    }

    /// Puts their values into every string of the table.
    pub fn substitute(&self, table: &mut Table, text: &str, sink: &mut Sink) {
        for entry in table.entries_mut() {
            self.substitute_item(&mut entry.item, text, sink);
        }
    }

    fn substitute_item(&self, item: &mut Item, text: &str, sink: &mut Sink) {
        match &mut item.value {
            Value::Table(table) => self.substitute(table, text, sink),
            Value::List(items) => {
                items.iter_mut().for_each(|item| self.substitute_item(item, text, sink));
            }
            Value::Text(string) if string.contains("${") => {
                let alone = sole(string);
                let placed = Placed::new(std::mem::take(string), item.span);
                item.value = match self.expand(&placed, text, sink) {
                    Some(string) if alone => Value::Variable(string),
                    Some(string) => Value::Text(string),
                    None => {
                        sink.spoil(item.span);
                        Value::Lost
                    }
                };
            }
            _ => {}
        }
    }

    /// The string with each variable's value in its place; none if one of them has none.
    fn expand(&self, string: &Placed<String>, text: &str, sink: &mut Sink) -> Option<String> {
        let mut result = Some(String::new());
        let mut added = 0;
        for piece in pieces(string) {
            let part = match piece {
                Piece::Plain(plain) => Some(plain),
                Piece::Variable(name) => match self.0.get(name) {
                    Some(value) => value.as_deref(),
                    None => {
                        let span = find(text, string.span, name);
                        let message = format!("the file declares no variable `{name}`");
                        let known = self.0.keys().map(String::as_str);
                        let hint = suggest::nearest(name, known).map_or_else(
                            || format!("declare it: [variable.{name}]"),
                            |near| format!("did you mean `${{var.{near}}}`?"),
                        );
                        sink.push(Diagnostic::at(span, message).label("not declared").hint(hint));
                        None
                    }
                },
                Piece::Broken(what) => {
                    sink.push(
                        Diagnostic::at(string.span, format!("`{what}` is not a variable"))
                            .label("can't be read")
                            .hint("a variable is written `${var.NAME}`".to_owned()),
                    );
                    None
                }
            };
            if let Piece::Variable(_) = piece {
                added += part.map_or(0, str::len);
                if added > LONGEST {
                    let message = format!("its variables have more than {LONGEST} bytes in all");
                    sink.push(Diagnostic::at(string.span, message).label("too long"));
                    return None;
                }
            }
            result = result.zip(part).map(|(before, part)| before + part);
        }
        result
    }
}

/// Gives `variable` its value, and first those that its default refers to. `path` is the way that led here.
fn resolve(
    variable: &Declared<'_>,
    declared: &Declarations<'_>,
    variables: &mut Variables,
    path: &mut Vec<String>,
    text: &str,
    sink: &mut Sink,
) {
    let name = &variable.key.value;
    if variables.0.contains_key(name) {
        return;
    }
    let Some(default) = &variable.default else {
        variables.0.insert(name.clone(), None);
        sink.push(
            Diagnostic::at(variable.key.span, format!("the variable `{name}` has no value"))
                .label("has no default")
                .hint(format!("give it one: --var {name}=...")),
        );
        return;
    };
    path.push(name.clone());
    for piece in pieces(default) {
        let Piece::Variable(next) = piece else { continue };
        if let Some(at) = path.iter().position(|name| name == next) {
            let circle = &path[at..];
            let message = format!("variables stand in a circle: {} -> {next}", circle.join(" -> "));
            let span = find(text, default.span, next);
            let mut error = Diagnostic::at(span, message)
                .label("closes the circle")
                .hint("give one of them a value of its own".to_owned());
            let mut members: Vec<_> =
                circle.iter().filter_map(|name| declared.get(name.as_str())).collect();
            members.sort_by_key(|declared| declared.key.span);
            for declared in members {
                error = error.also(declared.key.span, "in the circle");
            }
            sink.push(error);
            variables.0.extend(circle.iter().map(|name| (name.clone(), None)));
        } else if let Some(next) = declared.get(next).filter(|_| !variables.0.contains_key(next)) {
            if path.len() == DEEPEST {
                let message = format!("variables stand more than {DEEPEST} deep in one another");
                sink.push(Diagnostic::at(default.span, message).label("goes on"));
                variables.0.extend(path.iter().map(|name| (name.clone(), None)));
                break;
            }
            resolve(next, declared, variables, path, text, sink);
        }
    }
    path.pop();
    if !variables.0.contains_key(name) {
        let value = variables.expand(default, text, sink);
        variables.0.insert(name.clone(), value);
    }
}

/// A default as text: it may be written as a number or a boolean.
fn scalar(item: &Item) -> String {
    match &item.value {
        Value::Text(text) | Value::Variable(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        _ => String::new(),
    }
}

#[derive(Clone, Copy)]
enum Piece<'a> {
    Plain(&'a str),
    Variable(&'a str),
    Broken(&'a str),
}

fn pieces(mut string: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    while let Some(at) = string.find("${") {
        let (plain, rest) = string.split_at(at);
        let end = rest.find('}').map_or(rest.len(), |end| end + 1);
        let (whole, rest) = rest.split_at(end);
        let name = whole.strip_prefix("${var.").and_then(|name| name.strip_suffix('}'));
        pieces.push(Piece::Plain(plain));
        if whole == "${service}" {
            // The service that a block belongs to is known only once blocks are read.
            pieces.push(Piece::Plain(whole));
            string = rest;
            continue;
        }
        pieces.push(name.map_or(Piece::Broken(whole), Piece::Variable));
        string = rest;
    }
    pieces.push(Piece::Plain(string));
    pieces
}

fn sole(string: &str) -> bool {
    matches!(pieces(string)[..], [Piece::Plain(""), Piece::Variable(_), Piece::Plain("")])
}

/// Where the variable stands within a string of the file.
fn find(text: &str, span: Span, name: &str) -> Span {
    let wanted = format!("${{var.{name}}}");
    match text.get(span.start..span.end).and_then(|raw| raw.find(&wanted)) {
        Some(at) => Span::new(span.start + at, span.start + at + wanted.len()),
        None => span,
    }
}
