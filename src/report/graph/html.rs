//! The picture as a page: one file, no network; details of what the pointer is on, and search.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::Serialize;

use super::details;
use super::escaped;
use super::svg;
use crate::graph::{Item, Layout, Look, Picture, Scene};
use crate::model::{Address, Late, printable, walk_late};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Nothing is loaded from anywhere.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// A whole page.
pub fn page(picture: &Picture) -> String {
    let title = escaped(&format!("{} in {}", picture.name, picture.region));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n</head>\n<body style=\"margin:0\">\n\
         {}</body>\n</html>\n",
        figure(picture)
    )
}

/// A fragment for a page's body, with style and script of its own; once a page.
pub fn figure(picture: &Picture) -> String {
    let scene = Scene::of(picture);
    let layout = Layout::of(picture, &scene);
    let mut out = String::new();
    let _ = write!(
        out,
        "<div class=\"ecdeploy-graph\">\n<style>\n{STYLE}</style>\n<div class=\"bar\" role=\"search\">\
         <input type=\"search\" placeholder=\"Search: user, t3.small, 10.0.1\" aria-label=\"Search the picture\" \
         autocomplete=\"off\" spellcheck=\"false\"><output></output></div>\n<div class=\"view\" style=\"--wide:{}px\">\n{}</div>\n\
         <aside hidden></aside>\n<script type=\"application/json\">{}</script>\n<script>\n{SCRIPT}</script>\n</div>\n",
        layout.width,
        svg::draw(picture, &layout, false),
        json(&data(picture, &layout)),
    );
    out
}

#[derive(Serialize)]
struct Data {
    items: Vec<About>,
    /// From which item to which.
    edges: Vec<(usize, usize)>,
}

#[derive(Serialize)]
struct About {
    parent: Option<usize>,
    /// Whether it stands for itself, or only holds others.
    leaf: bool,
    title: String,
    /// What it is found by.
    words: String,
    news: Vec<String>,
    sign: Option<&'static str>,
    fields: Vec<(String, String)>,
    /// The items of what it names.
    names: BTreeSet<usize>,
}

fn data(picture: &Picture, layout: &Layout) -> Data {
    let mut places: BTreeMap<&Address, Vec<usize>> = BTreeMap::new();
    for (at, item) in layout.items.iter().enumerate() {
        item.things.iter().for_each(|thing| places.entry(thing).or_default().push(at));
    }
    let items = layout.items.iter().map(|item| about(picture, item, &places)).collect();
    let edges = layout.edges.iter().map(|edge| (edge.from, edge.to)).collect();
    Data { items, edges }
}

fn about(picture: &Picture, item: &Item, places: &BTreeMap<&Address, Vec<usize>>) -> About {
    let mut names = BTreeSet::new();
    let bodies = item.things.iter().filter_map(|thing| picture.body(thing));
    for value in bodies.flat_map(|body| body.values()) {
        walk_late(value, &mut |late| {
            if let Late::Ref { address, .. } = late {
                names.extend(places.get(&address).into_iter().flatten());
            }
        });
    }
    let lines = item.lines.iter().map(|line| printable(line));
    let all = item.things.iter().map(ToString::to_string);
    let news: Vec<String> = match item.things.as_slice() {
        [one] => details::news(picture, one),
        several => several.iter().map(|one| said(picture, one)).collect(),
    };
    let fields = match item.things.as_slice() {
        [one] => details::fields(picture, one),
        _ => Vec::new(),
    };
    let title = match item.things.as_slice() {
        [one] if item.copy => format!("{one}: {}", item.lines.last().cloned().unwrap_or_default()),
        [one] => one.to_string(),
        _ => item.lines.join("  "),
    };
    let own = [printable(&title)].into_iter().chain(lines).chain(all).chain(news.iter().cloned());
    About {
        parent: item.parent,
        leaf: !holds(item),
        words: own.collect::<Vec<_>>().join("\n").to_lowercase(),
        title: printable(&title),
        news,
        sign: item.sign.map(|sign| sign.word()),
        fields,
        names,
    }
}

fn said(picture: &Picture, one: &Address) -> String {
    match picture.sign(one) {
        Some(sign) => format!("{one}  {}", sign.word()),
        None => one.to_string(),
    }
}

/// Whether it is drawn below the lines, and never fades.
fn holds(item: &Item) -> bool {
    matches!(
        item.look,
        Look::Cloud
            | Look::Vpc
            | Look::Zone
            | Look::Public
            | Look::Private
            | Look::Panel
            | Look::Fleet
    )
}

/// JSON that ends no script and begins no comment in it.
fn json(data: &Data) -> String {
    let text = serde_json::to_string(data).unwrap_or_default();
    crate::report::escaped(&text)
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}
