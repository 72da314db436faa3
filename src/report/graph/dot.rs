//! The picture in DOT, Graphviz's language.

use std::fmt::Write;

use super::nodes::{Nodes, Shape, nodes};
use crate::graph::{Picture, Scene, Sign};
use crate::model::printable;

/// The whole document.
pub fn dot(picture: &Picture) -> String {
    let scene = Scene::of(picture);
    let all = nodes(picture, &scene);
    let mut out = String::from("digraph ecdeploy {\n");
    let title = quoted(&[format!("{} in {}", picture.name, picture.region)]);
    let _ = writeln!(
        out,
        "  graph [rankdir=LR, label={title}, labelloc=t, fontname=\"sans-serif\", compound=true];"
    );
    let _ = writeln!(
        out,
        "  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=\"sans-serif\", fontsize=11];"
    );
    let _ = writeln!(out, "  edge [fontname=\"sans-serif\", fontsize=9, color=\"#5c6b7d\"];");
    within(&mut out, &all, None, 1);
    for line in &all.lines {
        let mut say = Vec::new();
        if !line.labels.is_empty() {
            say.push(format!("label={}", quoted(&line.labels)));
        }
        if line.dashed {
            say.push("style=dashed".to_owned());
        }
        let _ = writeln!(out, "  n{} -> n{} [{}];", line.from, line.to, say.join(", "));
    }
    out.push_str("}\n");
    out
}

fn within(out: &mut String, all: &Nodes<'_>, place: Option<usize>, depth: usize) {
    let indent = "  ".repeat(depth);
    for (at, node) in all.nodes.iter().enumerate().filter(|(_, node)| node.within == place) {
        let mut say = vec![format!("label={}", quoted(&node.label()))];
        if node.shape == Shape::Drum {
            say.push("shape=cylinder, style=filled".to_owned());
        }
        if node.copy {
            say.push("style=\"filled,dashed\"".to_owned());
        }
        if let Some(sign) = node.sign {
            let (line, fill) = colours(sign);
            say.push(format!(
                "color=\"{line}\", fillcolor=\"{fill}\", tooltip={}",
                quoted(&[sign.word().to_owned()])
            ));
        }
        let _ = writeln!(out, "{indent}n{at} [{}];", say.join(", "));
    }
    for (at, one) in all.boxes.iter().enumerate().filter(|(_, one)| one.within == place) {
        let _ = writeln!(out, "{indent}subgraph cluster_{at} {{");
        let _ = writeln!(
            out,
            "{indent}  label={}; style=rounded; color=\"#9aa8b8\";",
            quoted(std::slice::from_ref(&one.title))
        );
        self::within(out, all, Some(at), depth + 1);
        let _ = writeln!(out, "{indent}}}");
    }
}

/// The colours of a sign: the line, and what is within.
pub(super) fn colours(sign: Sign) -> (&'static str, &'static str) {
    match sign {
        Sign::Create | Sign::Healthy => ("#1a7f37", "#dcf5e3"),
        Sign::Change | Sign::Waiting => ("#946100", "#fdf0c9"),
        Sign::Absent => ("#6b7a8c", "#f1f4f7"),
        Sign::Drift => ("#8a3ab9", "#f3e3fb"),
        Sign::Replace => ("#bc4c00", "#ffe6d5"),
        Sign::Delete | Sign::Unhealthy => ("#c21e2c", "#ffe0e0"),
    }
}

/// Lines as one string: quotes and backslashes escaped, so that none of its escapes (`\N`, `\G`) means anything.
fn quoted(lines: &[String]) -> String {
    let escaped = |line: &String| printable(line).replace('\\', "\\\\").replace('"', "\\\"");
    // Graphviz reads entities in labels as HTML does.
    let lines: Vec<String> =
        lines.iter().map(|line| escaped(&line.replace('&', "&amp;"))).collect();
    format!("\"{}\"", lines.join("\\n"))
}
