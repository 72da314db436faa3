//! What AWS has accepted and makes in a maintenance window, for people.

use std::fmt::Write;

use serde_json::Value;

use super::style::{BOLD, paint};
use super::value::{line, printable};
use crate::plan::{Pending, PendingField};

/// What AWS will do in a maintenance window.
pub fn write(text: &mut String, pending: &[Pending]) {
    for waiting in pending {
        let address = paint(BOLD, &waiting.address.to_string());
        let _ = writeln!(text, "{address}  {}\n", says(waiting));
    }
}

/// What it will do to one resource.
pub fn says(waiting: &Pending) -> String {
    let value = |value: &Value| line(value, &|_| None);
    let way = |field: &PendingField| {
        let (before, after) = (value(&field.before), value(&field.after));
        format!("{} {before} -> {after}", printable(&field.field))
    };
    let fields: Vec<String> = waiting.fields.iter().map(way).collect();
    format!(
        "pending until the maintenance window {}: {}",
        window(&waiting.window),
        fields.join(", ")
    )
}

/// `Sun 17:00-17:30 UTC` of AWS's `sun:17:00-sun:17:30`.
pub fn window(window: &str) -> String {
    let day = |name: &str| {
        let mut letters = name.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
    };
    let end = |end: &str| {
        let (name, time) = end.split_once(':')?;
        Some((day(name)?, time.to_owned()))
    };
    let ends = window.split_once('-').and_then(|(from, to)| Some((end(from)?, end(to)?)));
    match ends {
        Some(((day, from), (last, to))) if day == last => {
            printable(&format!("{day} {from}-{to} UTC"))
        }
        Some(((day, from), (last, to))) => printable(&format!("{day} {from}-{last} {to} UTC")),
        None => printable(window),
    }
}

#[cfg(test)]
mod tests {
    use super::window;

    #[test]
    fn windows_as_people_say_them() {
        for (told, said) in [
            ("sun:17:00-sun:17:30", "Sun 17:00-17:30 UTC"),
            ("sat:23:45-sun:00:15", "Sat 23:45-Sun 00:15 UTC"),
            ("some day", "some day"),
            ("", ""),
        ] {
            assert_eq!(window(told), said);
        }
    }
}
