//! The picture in Mermaid, which GitHub and GitLab draw where it stands in a text.

use std::fmt::Write;

use super::dot::colours;
use super::nodes::{Nodes, Shape, nodes};
use crate::graph::{Picture, Scene, Sign};
use crate::model::printable;

/// The whole document.
pub fn mermaid(picture: &Picture) -> String {
    let scene = Scene::of(picture);
    let all = nodes(picture, &scene);
    let mut out = String::from("flowchart LR\n");
    within(&mut out, &all, None, 1);
    for line in &all.lines {
        let arrow = if line.dashed { "-.->" } else { "-->" };
        let label = match line.labels.as_slice() {
            [] => String::new(),
            labels => format!("|{}|", quoted(labels)),
        };
        let _ = writeln!(out, "  n{} {arrow}{label} n{}", line.from, line.to);
    }
    for sign in Sign::ALL {
        let bearers = all.nodes.iter().enumerate().filter(|(_, node)| node.sign == Some(sign));
        let bearers: Vec<String> = bearers.map(|(at, _)| format!("n{at}")).collect();
        if !bearers.is_empty() {
            let (line, fill) = colours(sign);
            let word = sign.class();
            let _ = writeln!(out, "  classDef {word} stroke:{line},fill:{fill},color:#1b2430");
            let _ = writeln!(out, "  class {} {word}", bearers.join(","));
        }
    }
    out
}

fn within(out: &mut String, all: &Nodes<'_>, place: Option<usize>, depth: usize) {
    let indent = "  ".repeat(depth);
    for (at, node) in all.nodes.iter().enumerate().filter(|(_, node)| node.within == place) {
        let (open, close) = match node.shape {
            Shape::Plain => ("[", "]"),
            Shape::Round => ("([", "])"),
            Shape::Drum => ("[(", ")]"),
        };
        let _ = writeln!(out, "{indent}n{at}{open}{}{close}", quoted(&node.label()));
    }
    for (at, one) in all.boxes.iter().enumerate().filter(|(_, one)| one.within == place) {
        let _ =
            writeln!(out, "{indent}subgraph b{at}[{}]", quoted(std::slice::from_ref(&one.title)));
        self::within(out, all, Some(at), depth + 1);
        let _ = writeln!(out, "{indent}end");
    }
}

/// Lines as one text. It may hold markup, Markdown and entities: what is none of letters, digits and the plainest signs
/// stands as the number of its character.
fn quoted(lines: &[String]) -> String {
    let escaped = |line: &String| {
        printable(line).chars().fold(String::new(), |mut text, c| {
            if c.is_alphanumeric() || " .:,/-_\u{2026}\u{d7}".contains(c) {
                text.push(c);
            } else {
                let _ = write!(text, "#{};", u32::from(c));
            }
            text
        })
    };
    let lines: Vec<String> = lines.iter().map(escaped).collect();
    format!("\"{}\"", lines.join("<br>"))
}
