//! The path of a request, and the load balancer's patterns for it.

use std::str::FromStr;

use crate::error::{Error, ErrorKind};

/// What a request asks for. Rules look at the path alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub path: String,
    /// What follows the `?`; no rule sees it.
    pub query: Option<String>,
}

impl FromStr for Request {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong =
            |message: String, hint: String| Err(Error::new(ErrorKind::Usage, message).hint(hint));
        if let Some((_, rest)) = text.split_once("://") {
            let path = rest.find('/').map_or("/", |at| &rest[at..]);
            return wrong(
                format!("`{}` is an address, not a path", text.escape_default()),
                format!("give the path alone: {}", path.escape_default()),
            );
        }
        if !text.starts_with('/') {
            return wrong(
                format!(
                    "`{}` is not the path of a request: it has no leading slash",
                    text.escape_default()
                ),
                format!("did you mean /{} ?", text.escape_default()),
            );
        }
        // A browser keeps the fragment to itself.
        let sent = text.split('#').next().unwrap_or_default();
        let (path, query) = match sent.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (sent, None),
        };
        if let Some(bad) = path.chars().find(|c| !in_a_path(*c)) {
            return wrong(
                format!("a request's path has no `{}` in it", bad.escape_default()),
                format!("browsers send it encoded, as {}", encoded(bad)),
            );
        }
        if let Some(at) = path.match_indices('%').map(|(at, _)| at).find(|at| !hex_pair(path, *at))
        {
            let shown: String = path.chars().skip(at).take(3).collect();
            return wrong(
                format!("`{shown}` in the path encodes nothing"),
                "two hexadecimal digits follow a `%`; a `%` itself is %25".to_owned(),
            );
        }
        Ok(Self { path: path.to_owned(), query })
    }
}

/// RFC 3986: what may stand in a path as it is.
fn in_a_path(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/-._~!$&'()*+,;=:@%".contains(c)
}

fn encoded(c: char) -> String {
    let mut buffer = [0; 4];
    c.encode_utf8(&mut buffer).bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn hex_pair(path: &str, at: usize) -> bool {
    path.as_bytes().get(at + 1..at + 3).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit))
}

/// Whether the load balancer's pattern takes the path: `*` is any number of characters, `?` is one; case matters.
pub fn matches(pattern: &str, path: &str) -> bool {
    wild(pattern, path, |_| true)
}

/// Whether `pattern` takes every path that `other` takes. It says no where it can't tell.
pub fn covers(pattern: &str, other: &str) -> bool {
    // The other's wildcards are read as characters of their own; its `*` may be none or many, so no `?` stands for it.
    wild(pattern, other, |c| c != '*')
}

/// Matches with one point to come back to: behind the last `*`, which then takes one character more.
fn wild(pattern: &str, text: &str, one: impl Fn(char) -> bool) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while let Some(&c) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                p += 1;
                back = Some((p, t));
            }
            Some('?') if one(c) => (p, t) = (p + 1, t + 1),
            Some(&wanted) if wanted != '?' && wanted == c => (p, t) = (p + 1, t + 1),
            _ => match &mut back {
                Some((after, taken)) => {
                    *taken += 1;
                    (p, t) = (*after, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}
