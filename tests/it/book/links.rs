//! The links within the book and the README.

use std::fs;
use std::path::{Path, PathBuf};

use crate::venv;

/// The pages in a folder of the repository.
pub fn pages(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(venv::root().join(folder)).expect("a folder").flatten();
    let mut pages: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    pages
}

/// What leads nowhere, and where it stands.
pub fn broken() -> Vec<String> {
    let pages = [pages("docs"), pages(".")].concat();
    let of = |page: &PathBuf| {
        let text = fs::read_to_string(page).expect("a page");
        let broken = links(&text).filter(|link| !leads(page, link)).map(str::to_owned);
        broken.map(|link| format!("{}: {link}", page.display())).collect::<Vec<_>>()
    };
    pages.iter().flat_map(of).collect()
}

/// The targets of a page's links, those in blocks of code apart.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|prose| {
        prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0))
    })
}

fn leads(page: &Path, link: &str) -> bool {
    if link.starts_with("https://") {
        return true;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = match file {
        "" => page.to_owned(),
        file => page.parent().unwrap_or(Path::new(".")).join(file),
    };
    if anchor.is_empty() {
        return target.exists();
    }
    let text = fs::read_to_string(target).unwrap_or_default();
    let mut headings = text.lines().filter(|line| line.starts_with('#'));
    headings.any(|line| slug(line.trim_start_matches('#').trim()) == anchor)
}

/// The anchor that a heading gets.
fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}
