//! The book under `docs/`: what is made of the code is current, and every link leads somewhere.
//! `ECDEPLOY_BOOK=write cargo test --test it book` writes the made pages anew.

mod commands;
mod links;
mod reference;

use std::fs;

use ecdeploy::topology;

use crate::manual::parses;
use crate::venv;

#[test]
fn the_reference_of_the_file_is_what_its_reader_knows() {
    current("topology.md", &reference::page());
}

#[test]
fn the_reference_of_the_commands_is_their_help() {
    current("commands.md", &commands::page());
}

#[test]
fn every_link_leads_somewhere() {
    let broken = links::broken();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_page_stands_in_the_index() {
    let index = fs::read_to_string(venv::root().join("docs/README.md")).expect("the index");
    for page in links::pages("docs") {
        let name = page.file_name().unwrap_or_default().to_string_lossy();
        let stands = name == "README.md" || index.contains(&format!("]({name})"));
        assert!(stands, "docs/{name} does not stand in docs/README.md");
    }
}

/// The blocks of code in the pages, by their language.
fn blocks(language: &str) -> Vec<String> {
    let pages = [links::pages("docs"), links::pages(".")].concat();
    let texts = pages.iter().map(|page| fs::read_to_string(page).expect("a page"));
    let of = |text: String| -> Vec<String> {
        let blocks = text.split("```").skip(1).step_by(2);
        blocks.filter_map(|block| Some(block.strip_prefix(language)?.to_owned())).collect()
    };
    texts.flat_map(of).collect()
}

#[test]
fn what_the_pages_have_people_type_can_be_typed() {
    let blocks = blocks("sh\n");
    let lines = blocks.iter().flat_map(|block| block.lines()).map(str::trim);
    let calls: Vec<&str> = lines.filter(|line| line.starts_with("ecdeploy ")).collect();
    assert!(calls.len() > 10, "{calls:?}");
    let wrong: Vec<String> = calls.iter().filter_map(|line| parses(line).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_whole_topology_in_a_page_is_one() {
    let blocks = blocks("toml\n");
    let whole: Vec<&String> = blocks.iter().filter(|block| block.contains("\n[vpc]")).collect();
    assert!(!whole.is_empty());
    for text in whole {
        if let Err(errors) = topology::parse("a page", text, &[]) {
            panic!("{errors}\n{text}");
        }
    }
}

/// Holds a page that is made of the code against what lies in the book.
#[track_caller]
fn current(name: &str, made: &str) {
    let path = venv::root().join("docs").join(name);
    if std::env::var("ECDEPLOY_BOOK").as_deref() == Ok("write") {
        fs::write(&path, made).expect("a page that can be written");
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    let hint = "ECDEPLOY_BOOK=write cargo test --test it book";
    assert!(there == made, "docs/{name} is not what the code says; to write it anew: {hint}");
}
