//! The manual: `--help` with examples that are commands, and pages that `man` reads.

use std::fs;

use clap::Command;

use crate::product::Shop;
use crate::programs::{need, output};
use crate::venv;

/// All commands, by the words that call them.
pub fn commands() -> Vec<(String, Command)> {
    let mut all = ecdeploy::cli::command();
    all.build();
    let of = all
        .get_subcommands()
        .map(|command| (format!("ecdeploy {}", command.get_name()), command.clone()));
    let mut commands = vec![("ecdeploy".to_owned(), all.clone())];
    commands.extend(of.filter(|(_, command)| !command.is_hide_set()));
    commands
}

/// The command lines of a command's examples that call ecdeploy.
pub fn examples(command: &Command) -> Vec<String> {
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let examples = after.split_once("Examples:\n").map(|(_, examples)| examples);
    let lines = examples.unwrap_or_default().lines().take_while(|line| !line.is_empty());
    lines.map(str::trim).filter(|line| line.starts_with("ecdeploy")).map(str::to_owned).collect()
}

/// Whether a line for a shell calls ecdeploy as it can be called.
pub fn parses(line: &str) -> Result<(), String> {
    let words = line.split_whitespace().take_while(|word| !["|", ">", "#", "&&"].contains(word));
    let parsed = ecdeploy::cli::command().try_get_matches_from(words);
    parsed.map(|_| ()).map_err(|error| format!("`{line}`:\n{error}"))
}

#[test]
fn every_command_has_examples_and_each_of_them_is_a_command() {
    for (name, command) in commands() {
        let examples = examples(&command);
        let mut own = examples.iter().filter(|line| line.starts_with(&name)).peekable();
        assert!(own.peek().is_some(), "`{name} --help` has no example of it");
        let wrong: Vec<String> = examples.iter().filter_map(|line| parses(line).err()).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn every_command_has_a_page_that_man_reads() {
    let shop = Shop::at("http://127.0.0.1:9");
    shop.bare(&["man", "--out", "man/man1"]).exits(0);
    for (name, command) in commands() {
        let page = shop.path("man/man1").join(format!("{}.1", name.replace(' ', "-")));
        assert!(page.exists(), "{}", page.display());
        output(need("mandoc").args(["-T", "lint", "-W", "error"]).arg(&page));
        let lint = need("mandoc").args(["-T", "lint", "-W", "warning"]).arg(&page).output();
        let said = String::from_utf8_lossy(&lint.expect("mandoc").stdout).into_owned();
        assert!(!said.contains("parse date") && !said.contains("missing date"), "{said}");
        let text = output(need("mandoc").args(["-T", "ascii", "-O", "width=200"]).arg(&page));
        for example in examples(&command) {
            assert!(text.contains(&example), "{example}\n{text}");
        }
    }
    assert_eq!(fs::read_dir(shop.path("man/man1")).expect("pages").count(), commands().len());
    assert!(shop.bare(&["man"]).exits(0).stdout.contains(".TH ecdeploy 1"));
}

#[test]
fn the_pages_have_the_day_of_their_version() {
    let changelog = fs::read_to_string(venv::root().join("CHANGELOG.md")).expect("the changelog");
    let heading = concat!("## [", env!("CARGO_PKG_VERSION"), "] - ");
    let day = changelog.lines().find_map(|line| line.strip_prefix(heading));
    let page = Shop::at("http://127.0.0.1:9").bare(&["man"]).exits(0).stdout;
    let title = page.lines().find(|line| line.starts_with(".TH")).expect("a title");
    let said = title.split(' ').nth(3).expect("a day");
    assert!(said.parse::<jiff::civil::Date>().is_ok(), "{title}");
    assert!(day.is_none_or(|day| said == day), "the changelog has {day:?}: {title}");
}

#[test]
fn a_place_that_can_not_be_written_is_named() {
    let shop = Shop::at("http://127.0.0.1:9");
    fs::write(shop.path("file"), "").expect("a file");
    shop.bare(&["man", "--out", "file/man1"]).fails_plainly().says("file/man1");
}
