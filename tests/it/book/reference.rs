//! `docs/topology.md`: every key of the file, from the keys that its reader has.

use ecdeploy::topology::FILE;
use ecdeploy::topology::shape::{Key, Shape};

const HEAD: &str = "\
# The topology file

Every key of `topology.toml`. Unknown keys are errors, with the line and the nearest key; `ecdeploy validate` checks a file
offline. A key that has no default, and is not *needed*, means what its line says where it is left out.

- Any text may hold `${var.NAME}`, a variable of the file. One that is nothing but a variable may stand for a number or a
  boolean, too. In `artifact`, `${service}` is the service's name.
- What `[defaults.service]`, `[defaults.database]` and `[defaults.cache]` say need not be repeated in their blocks. A table
  in a block (`health_check`, say) takes from the defaults' table what it doesn't say itself.
- Blocks name each other by their keys: `subnets = [\"public-1\"]`, `uses = [\"database.user\"]`.

## Completion in editors

`ecdeploy schema > topology.schema.json` writes a JSON Schema of the file. With this as the first line of `topology.toml`,
every editor that has [taplo](https://taplo.tamasfe.dev/) (Even Better TOML in VS Code, its language server elsewhere)
completes the keys, tells what they mean, and marks what is wrong:

```toml
#:schema ./topology.schema.json
```

Write it anew after an update of ecdeploy: it has the keys of the version that wrote it. The same check in CI:
`taplo lint topology.toml`.

This page is made from the keys that the program knows.
";

pub fn page() -> String {
    let mut page = HEAD.to_owned();
    let (tables, plain): (Vec<&Key>, Vec<&Key>) =
        FILE.iter().partition(|key| heading(key).is_some());
    page.push_str("\n## At the top\n\n");
    table(&mut page, plain.into_iter());
    for key in tables {
        let heading = heading(key).unwrap_or_default();
        page.push_str(&format!("\n## `{heading}`\n\n{}.\n\n", sentence(key.about)));
        if let Some(keys) = keys_of(&key.shape) {
            table(&mut page, keys.iter());
        }
    }
    page
}

/// How the table of a key begins, where it is one of the file's own.
fn heading(key: &Key) -> Option<String> {
    let name = key.name;
    match key.shape {
        Shape::Named(..) => Some(format!("[{name}.NAME]")),
        Shape::Table(_) => Some(format!("[{name}]")),
        Shape::List(Shape::Table(_)) => Some(format!("[[{name}]]")),
        _ => None,
    }
}

fn keys_of(shape: &Shape) -> Option<&'static [Key]> {
    match shape {
        Shape::Named(_, keys) | Shape::Table(keys) | Shape::Either(_, keys) => Some(keys),
        Shape::List(shape) => keys_of(shape),
        _ => None,
    }
}

fn table<'a>(page: &mut String, keys: impl Iterator<Item = &'a Key>) {
    page.push_str("| key | what it can be | default | what it is |\n|---|---|---|---|\n");
    rows(page, "", keys);
}

fn rows<'a>(page: &mut String, before: &str, keys: impl Iterator<Item = &'a Key>) {
    for key in keys {
        let name = format!("{before}{}", key.name);
        let default = match key.default {
            _ if key.required => "*needed*".to_owned(),
            Some(default) => format!("`{default}`"),
            None => String::new(),
        };
        let (can, about) = (what(&key.shape), key.about.replace('|', "\\|"));
        page.push_str(&format!("| `{name}` | {can} | {default} | {about} |\n"));
        let within = match key.shape {
            Shape::List(_) => "[].",
            Shape::Named(..) => ".NAME.",
            _ => ".",
        };
        if let Some(keys) = keys_of(&key.shape) {
            rows(page, &format!("{name}{within}"), keys.iter());
        }
    }
}

fn what(shape: &Shape) -> String {
    match shape {
        Shape::Text(_) => "text".to_owned(),
        Shape::Word(words) => among(words.iter()),
        Shape::Integer(from, to) => format!("{from} to {to}"),
        Shape::OneOf(numbers) => among(numbers.iter()),
        Shape::Flag => "`true`, `false`".to_owned(),
        Shape::Scalar => "text, a number, a boolean".to_owned(),
        Shape::List(Shape::Text(_)) => "a list of texts".to_owned(),
        Shape::List(Shape::Table(_)) => "a list of tables".to_owned(),
        Shape::List(shape) => format!("a list: {}", what(shape)),
        Shape::Either(..) => "text, or a table".to_owned(),
        Shape::Table(_) | Shape::Named(..) => "a table".to_owned(),
        Shape::Partly(_) => "as in its blocks".to_owned(),
    }
}

fn among(values: impl Iterator<Item = impl std::fmt::Display>) -> String {
    let values: Vec<String> = values.map(|value| format!("`{value}`")).collect();
    values.join(", ")
}

fn sentence(about: &str) -> String {
    let mut letters = about.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
