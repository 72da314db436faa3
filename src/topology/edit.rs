//! Edits of the file's text: a value in its place, everything else as it was to the byte.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::diagnostic::{Lines, Sink, Span};
use super::tree::{self, Entry, Table, Value};
use crate::error::{Error, ErrorKind};

const COUNT: &str = "count";

/// Why a text can't be edited by us.
#[derive(Debug, PartialEq, Eq)]
pub enum Uneditable {
    /// The value is text with variables in it, in this line.
    Expression { text: String, line: usize },
    /// The block has no line of its own to write the value next to, or there is no such block.
    NoPlace,
}

/// The text with this count in the service's block, whether or not it had one.
///
/// # Errors
/// When the count is an expression, or there is no place for it.
pub fn set_count(text: &str, service: &str, count: u32) -> Result<String, Uneditable> {
    let (root, _) = tree::read(text, &mut Sink::default());
    let services = root.table("service").ok_or(Uneditable::NoPlace)?;
    let block = services.get(service).ok_or(Uneditable::NoPlace)?;
    let table = block.table().ok_or(Uneditable::NoPlace)?;
    match table.entry(COUNT) {
        Some(entry) => replaced(text, entry, count),
        None if written(text, block.span).starts_with('{') => {
            inlined(text, block.span, table, count)
        }
        None => with_line(text, table, count),
    }
}

fn written(text: &str, span: Span) -> &str {
    text.get(span.start..span.end).unwrap_or_default()
}

fn insert(text: &str, at: Span, new: &str) -> Option<String> {
    Some(format!("{}{new}{}", text.get(..at.start)?, text.get(at.end..)?))
}

fn replaced(text: &str, entry: &Entry, count: u32) -> Result<String, Uneditable> {
    match &entry.item.value {
        Value::Integer(now) if *now == i64::from(count) => Ok(text.to_owned()),
        Value::Text(expression) if expression.contains("${") => Err(Uneditable::Expression {
            text: expression.clone(),
            line: Lines::of(text).line(entry.item.span.start),
        }),
        _ => insert(text, entry.item.span, &count.to_string()).ok_or(Uneditable::NoPlace),
    }
}

/// `{ port = 3001 }` -> `{ port = 3001, count = 4 }`.
fn inlined(text: &str, block: Span, table: &Table, count: u32) -> Result<String, Uneditable> {
    let last = table.entries().iter().map(|entry| entry.item.span.end).max();
    let (at, new) = match last {
        Some(end) => (end, format!(", {COUNT} = {count}")),
        None => (block.start + 1, format!(" {COUNT} = {count} ")),
    };
    insert(text, Span::new(at, at), &new).ok_or(Uneditable::NoPlace)
}

/// A line more, above the one that says how far the service may be scaled, or the first; in the manner of that line:
/// its indent or dotted prefix, its column of `=`, its line end.
fn with_line(text: &str, table: &Table, count: u32) -> Result<String, Uneditable> {
    let lines = Lines::of(text);
    let line_of = |entry: &Entry| {
        let start = lines.start(lines.line(entry.key.span.start));
        text.get(start..entry.key.span.start).map(|prefix| (start, prefix))
    };
    // A table below the block stands under a header of its own.
    let own = |entry: &&Entry| line_of(entry).is_some_and(|(_, prefix)| !prefix.contains('['));
    let bound = ["min_count", "max_count"].into_iter().filter_map(|key| table.entry(key));
    let beside = bound
        .filter(own)
        .min_by_key(|entry| entry.key.span)
        .or_else(|| table.entries().iter().find(own));
    let beside = beside.ok_or(Uneditable::NoPlace)?;
    let (start, prefix) = line_of(beside).ok_or(Uneditable::NoPlace)?;
    let rest = text.get(beside.key.span.start..).unwrap_or_default();
    let column = rest.find('=').unwrap_or(COUNT.len() + 1);
    let end = match text.get(start..).and_then(|line| line.lines().next()) {
        Some(line) if text[start + line.len()..].starts_with("\r\n") => "\r\n",
        _ => "\n",
    };
    let width = column.max(COUNT.len() + 1);
    let blanks = " ".repeat(width - COUNT.len());
    let line = format!("{prefix}{COUNT}{blanks}= {count}{end}");
    insert(text, Span::new(start, start), &line).ok_or(Uneditable::NoPlace)
}

/// Replaces the file's text in one step, keeping its permissions; a link's target, not the link.
///
/// # Errors
/// When its text is not `before` any more, or it can't be written.
pub fn save(path: &Path, before: &str, after: &str) -> Result<(), Error> {
    if super::text_of(path)? != before {
        let message = format!("{} was edited meanwhile, so nothing was changed", path.display());
        return Err(Error::new(ErrorKind::Stale, message).hint("run the same command again"));
    }
    let write = || -> io::Result<()> {
        let file = fs::canonicalize(path)?;
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let new = file.with_file_name(name);
        let written = || -> io::Result<()> {
            let mut to = fs::File::create(&new)?;
            to.set_permissions(fs::metadata(&file)?.permissions())?;
            to.write_all(after.as_bytes())?;
            to.sync_all()?;
            fs::rename(&new, &file)
        };
        written().inspect_err(|_| drop(fs::remove_file(&new)))
    };
    write().map_err(|error| {
        Error::new(ErrorKind::File, format!("can't write {}: {error}", path.display()))
            .source(error)
            .hint("nothing was changed; its folder has to be writable, too")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str, count: u32) -> String {
        set_count(text, "user", count).unwrap()
    }

    #[test]
    fn a_count_is_replaced_where_it_stands_and_nothing_else_moves() {
        let file = "# the shop\n[service.user]  # people\nport=3001\ncount =  2   # two will do\n\n# next\n";
        assert_eq!(user(file, 4), file.replace("=  2", "=  4"));
        assert_eq!(user(file, 2), file);
        assert_eq!(
            user("service.user = { port = 1, count=2 }", 14),
            "service.user = { port = 1, count=14 }"
        );
    }

    #[test]
    fn a_missing_count_gets_a_line_like_its_neighbours() {
        assert_eq!(
            user("[service.user]\nport      = 3001\nmax_count = 10\nuses      = []\n", 4),
            "[service.user]\nport      = 3001\ncount     = 4\nmax_count = 10\nuses      = []\n"
        );
        assert_eq!(
            user("[service.user]\r\n  routes = [\r\n  ]\r\n  port = 1\r\n[service.b]", 3),
            "[service.user]\r\n  count  = 3\r\n  routes = [\r\n  ]\r\n  port = 1\r\n[service.b]"
        );
        assert_eq!(
            user("[service.user.process]\nworkers = 2\n[service.user]\nport=1", 3),
            "[service.user.process]\nworkers = 2\n[service.user]\ncount = 3\nport=1"
        );
    }

    #[test]
    fn a_missing_count_goes_into_an_inline_table_and_beside_dotted_keys() {
        assert_eq!(
            user("[service]\nuser = { port = 1 } # x\n", 3),
            "[service]\nuser = { port = 1, count = 3 } # x\n"
        );
        assert_eq!(user("service.user = {}", 3), "service.user = { count = 3 }");
        assert_eq!(
            user("[service]\nuser.port = 1\nuser.max_count = 9\n", 3),
            "[service]\nuser.port = 1\nuser.count     = 3\nuser.max_count = 9\n"
        );
    }

    #[test]
    fn an_expression_is_left_to_its_author() {
        let file = "[service.user]\nport = 1\ncount = \"${var.users}\"\n";
        let expression = Uneditable::Expression { text: "${var.users}".into(), line: 3 };
        assert_eq!(set_count(file, "user", 4), Err(expression));
        assert_eq!(set_count(file, "order", 4), Err(Uneditable::NoPlace));
        let lacking = "[service.user.process]\nworkers = 2\n";
        assert_eq!(set_count(lacking, "user", 4), Err(Uneditable::NoPlace));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_saved_whole_with_its_mode_unless_somebody_was_faster() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("shop.toml"), folder.path().join("link.toml"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        save(&link, "old", "new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(save(&file, "old", "newer").unwrap_err().kind, ErrorKind::Stale);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "nothing is left beside it");
    }
}
