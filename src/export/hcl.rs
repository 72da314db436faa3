//! Terraform's language, laid out as `terraform fmt` lays it out.

use crate::model::steers;

/// What stands on the right of an argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    Text(String),
    /// A number, `true`, `null`, or what leads to another resource: as it stands.
    Plain(String),
    List(Vec<Expression>),
    Table(Vec<(String, Expression)>),
    Call(String, Vec<Expression>),
}

/// What stands in a block.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    Argument(String, Expression),
    Block(Block),
    /// A line for people.
    Comment(String),
}

/// `resource "aws_vpc" "main" { ... }`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// What stands before the brace.
    pub head: String,
    pub items: Vec<Item>,
}

const INDENT: &str = "  ";
/// A list that is no longer stands on one line.
const WIDTH: usize = 90;
const HEREDOC: &str = "EOT";

impl Block {
    pub fn new(head: impl Into<String>) -> Self {
        Self { head: head.into(), items: Vec::new() }
    }

    pub fn with(mut self, name: &str, value: Expression) -> Self {
        self.items.push(Item::Argument(name.to_owned(), value));
        self
    }

    /// Its lines.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write(0, &mut text);
        text
    }

    fn write(&self, depth: usize, text: &mut String) {
        let indent = INDENT.repeat(depth);
        text.push_str(&format!("{indent}{} {{\n", self.head));
        let arguments = self.items.iter().filter(|item| !matches!(item, Item::Block(_)));
        let arguments: Vec<&Item> = arguments.collect();
        let blocks = self.items.iter().filter_map(|item| match item {
            Item::Block(block) => Some(block),
            _ => None,
        });
        let lines = arguments.iter().map(|item| match item {
            Item::Argument(name, value) => (name.clone(), Some(value.lines(depth + 1))),
            Item::Comment(comment) => (format!("# {comment}"), None),
            Item::Block(_) => (String::new(), None),
        });
        write_aligned(&lines.collect::<Vec<_>>(), depth + 1, text);
        for (at, block) in blocks.enumerate() {
            if at > 0 || !arguments.is_empty() {
                text.push('\n');
            }
            block.write(depth + 1, text);
        }
        text.push_str(&format!("{indent}}}\n"));
    }
}

/// Names and values; the equals signs of neighbours that take one line each stand below each other.
fn write_aligned(lines: &[(String, Option<String>)], depth: usize, text: &mut String) {
    let indent = INDENT.repeat(depth);
    let short = |value: &Option<String>| value.as_ref().is_some_and(|value| !value.contains('\n'));
    for run in lines.chunk_by(|(_, one), (_, next)| short(one) && short(next)) {
        let width = run.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        for (name, value) in run {
            match value {
                Some(value) => {
                    let blanks = " ".repeat(width - name.chars().count());
                    text.push_str(&format!("{indent}{name}{blanks} = {value}\n"));
                }
                None => text.push_str(&format!("{indent}{name}\n")),
            }
        }
    }
}

impl Expression {
    pub fn flag(flag: bool) -> Self {
        Self::Plain(flag.to_string())
    }

    /// The text of it within a block of this depth.
    fn lines(&self, depth: usize) -> String {
        match self {
            Self::Text(text) => heredoc(text).unwrap_or_else(|| quoted(text)),
            _ => self.inline(depth),
        }
    }

    fn inline(&self, depth: usize) -> String {
        let (indent, inner) = (INDENT.repeat(depth), INDENT.repeat(depth + 1));
        match self {
            Self::Text(text) => quoted(text),
            Self::Plain(text) => text.clone(),
            Self::Call(function, arguments) => {
                let arguments: Vec<String> =
                    arguments.iter().map(|argument| argument.inline(depth)).collect();
                format!("{function}({})", arguments.join(", "))
            }
            Self::List(items) => {
                let short: Vec<String> = items.iter().map(|item| item.inline(depth)).collect();
                let line = format!("[{}]", short.join(", "));
                if !line.contains('\n') && depth * INDENT.len() + line.len() <= WIDTH {
                    return line;
                }
                let items =
                    items.iter().map(|item| format!("{inner}{},\n", item.inline(depth + 1)));
                format!("[\n{}{indent}]", items.collect::<String>())
            }
            Self::Table(entries) if entries.is_empty() => "{}".to_owned(),
            Self::Table(entries) => {
                let lines = entries.iter().map(|(key, value)| {
                    let key = if is_name(key) { key.clone() } else { quoted(key) };
                    (key, Some(value.inline(depth + 1)))
                });
                let mut text = "{\n".to_owned();
                write_aligned(&lines.collect::<Vec<_>>(), depth + 1, &mut text);
                format!("{text}{indent}}}")
            }
        }
    }
}

/// Whether a key of a table needs no quotes.
fn is_name(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A text in quotes, in which nothing is filled in and nothing steers a terminal.
fn quoted(text: &str) -> String {
    let escaped = text.chars().fold(String::new(), |mut escaped, c| {
        match c {
            '"' | '\\' => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c if steers(c) => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => escaped.push(c),
        }
        escaped
    });
    format!("\"{}\"", literal(&escaped))
}

/// Without what Terraform fills in.
fn literal(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

/// A text of several lines as it stands, where the language can say it so.
fn heredoc(text: &str) -> Option<String> {
    let lines = text.strip_suffix('\n')?;
    let plain = |c: char| c == '\n' || c == '\t' || !steers(c);
    let fits = lines.contains('\n')
        && lines.chars().all(plain)
        && lines.lines().all(|line| line.trim() != HEREDOC);
    fits.then(|| format!("<<{HEREDOC}\n{}\n{HEREDOC}", literal(lines)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What another reader of the language makes of it.
    fn read(value: &Expression) -> String {
        let text = Block::new("locals").with("a", value.clone()).text();
        let body: hcl::Body = hcl::parse(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
        let block = body.blocks().next().expect("a block");
        let told = block.body.attributes().next().expect("an argument").expr.clone();
        match hcl::eval::Evaluate::evaluate(&told, &hcl::eval::Context::new()) {
            Ok(hcl::Value::String(text)) => text,
            other => panic!("{other:?} is no text:\n{text}"),
        }
    }

    proptest! {
        #[test]
        fn a_text_is_read_as_it_was_written(text in ".*|(?s)[a-z\\\\\"$%{}\t\n ~]{0,40}") {
            // This reader takes several dollars before a brace otherwise than Terraform, which is in the examples below.
            prop_assume!(!text.contains("$${") && !text.contains("%%{"));
            prop_assert_eq!(read(&Expression::Text(text.clone())), text);
        }
    }

    #[test]
    fn nothing_is_filled_in_and_nothing_steers_a_terminal() {
        for (text, expected) in [
            ("${PATH}", "\"$${PATH}\""),
            ("%{ if }", "\"%%{ if }\""),
            ("$${a}", "\"$$${a}\""),
            ("a\u{1b}[31m\u{202e}\"\\", "\"a\\u001b[31m\\u202e\\\"\\\\\""),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }

    #[test]
    fn a_script_stands_in_lines_unless_the_language_cannot_say_it() {
        assert_eq!(heredoc("a\n\tb ${c}\n").unwrap(), "<<EOT\na\n\tb $${c}\nEOT");
        for other in ["a\n", "a\nb", "a\n  EOT\nb\n", "a\r\nb\n", "a\n\u{1b}\n"] {
            assert_eq!(heredoc(other), None, "{other:?}");
        }
    }
}
