//! The picture as SVG, light or dark as the reader has it.

use std::fmt::Write;

use super::details;
use super::escaped;
use crate::graph::{Edge, Item, Layout, Look, Picture, Rect, Scene, Way};
use crate::model::printable;
use crate::report::value::cut;

pub(super) const STYLE: &str = include_str!("picture.css");

/// The whole document. Its style touches nothing outside of it, should it stand in a page.
pub fn svg(picture: &Picture) -> String {
    draw(picture, &Layout::of(picture, &Scene::of(picture)), true)
}

/// `titled`: what there is to say of a thing comes up where the pointer rests, as far as a picture can do that by itself.
pub(super) fn draw(picture: &Picture, layout: &Layout, titled: bool) -> String {
    let mut out = String::new();
    let (w, h) = (layout.width, layout.height);
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"ecdeploy-picture\" width=\"{w}\" height=\"{h}\" \
         viewBox=\"0 0 {w} {h}\" role=\"img\" aria-label=\"{}\">",
        escaped(&format!("the architecture of {}", picture.name))
    );
    let _ = writeln!(out, "<style>\n{STYLE}</style>\n<defs>");
    for way in ["request", "data", "mirror", "admits"] {
        let _ = writeln!(
            out,
            "<marker id=\"ecdeploy-{way}\" class=\"tip-{way}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" \
             markerWidth=\"6\" markerHeight=\"6\" orient=\"auto\"><path d=\"M0 0 8 4 0 8z\"/></marker>"
        );
    }
    let _ = writeln!(out, "</defs>\n<rect class=\"paper\" width=\"{w}\" height=\"{h}\"/>");
    head(&mut out, picture, w);
    let holds = |item: &Item| {
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
    };
    let items = |out: &mut String, held: bool| {
        for (at, item) in layout.items.iter().enumerate() {
            if holds(item) == held {
                self::item(out, picture, (at, item), titled);
            }
        }
    };
    // Lines run over what holds things, and under the things.
    items(&mut out, true);
    for (at, edge) in layout.edges.iter().enumerate() {
        self::edge(&mut out, at, edge);
    }
    items(&mut out, false);
    out.push_str("</svg>\n");
    out
}

fn head(out: &mut String, picture: &Picture, wide: i32) {
    let more = picture.note.as_ref().map(|note| format!("; {note}")).unwrap_or_default();
    let below = format!("account {}, {}{more}", picture.account, picture.region);
    // No letter of its font is wider than 8.
    let room = usize::try_from((wide - 40) / 8).unwrap_or(0);
    let _ = writeln!(
        out,
        "<text class=\"heading\" x=\"20\" y=\"32\">{}</text>\n<text class=\"s\" x=\"20\" y=\"50\">{}</text>",
        escaped(&picture.name),
        escaped(&cut(&printable(&below), room)),
    );
    let mut x = 20;
    for (sign, text) in picture.legend() {
        let Some(sign) = sign else {
            let _ = writeln!(out, "<text class=\"p\" x=\"{x}\" y=\"72\">{text}</text>");
            continue;
        };
        let _ = writeln!(
            out,
            "<g class=\"legend sign leaf {}\"><rect x=\"{x}\" y=\"60\" width=\"16\" height=\"16\" rx=\"4\"/>\
             <text class=\"g\" x=\"{}\" y=\"72\">{}</text><text class=\"p\" x=\"{}\" y=\"72\">{text}</text></g>",
            sign.class(),
            x + 8,
            sign.glyph(),
            x + 22,
        );
        x += 22 + i32::try_from(text.len()).unwrap_or(20) * 6 + 20;
    }
}

fn item(out: &mut String, picture: &Picture, (at, item): (usize, &Item), titled: bool) {
    let Rect { x, y, w, h } = item.rect;
    let mut classes = class(item.look).to_owned();
    if item.copy {
        classes.push_str(" copy");
    }
    if let Some(sign) = item.sign {
        let leaf = if holder(item.look) { "" } else { " leaf" };
        let _ = write!(classes, " sign{leaf} {}", sign.class());
    }
    let _ = write!(out, "<g class=\"{classes}\" data-at=\"{at}\">");
    if titled && let Some(title) = title(picture, item) {
        let _ = write!(out, "<title>{}</title>", escaped(&title).replace('\n', "&#10;"));
    }
    match item.look {
        Look::Database | Look::Cache => {
            let _ = write!(out, "<path class=\"body\" d=\"{}\"/>", drum(item.rect));
        }
        // Cards speak for themselves.
        Look::Fleet if item.lines.is_empty() => {}
        look => {
            let _ = write!(
                out,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{}\"/>",
                rounding(look)
            );
        }
    }
    icon(out, item);
    texts(out, item);
    if let Some(sign) = item.sign
        && !matches!(item.look, Look::Chip | Look::Dot | Look::Rule | Look::Listener)
    {
        let _ = write!(
            out,
            "<text class=\"g\" x=\"{}\" y=\"{}\">{}</text>",
            x + w - 11,
            y + if matches!(item.look, Look::Database | Look::Cache) { 23 } else { 15 },
            sign.glyph()
        );
    }
    out.push_str("</g>\n");
}

/// What a thing is, and what is marked at it.
fn title(picture: &Picture, item: &Item) -> Option<String> {
    match item.things.as_slice() {
        [] => None,
        [one] => {
            let news = details::news(picture, one);
            let size = picture.size(one);
            let said = [one.to_string(), picture.subtitle(one), size];
            let said = said.into_iter().filter(|line| !line.is_empty()).chain(news);
            Some(said.collect::<Vec<_>>().join("\n"))
        }
        several => {
            const SHOWN: usize = 20;
            let line = |one| match picture.sign(one) {
                Some(sign) => format!("{one}  {}", sign.word()),
                None => one.to_string(),
            };
            let mut lines: Vec<String> = several.iter().take(SHOWN).map(line).collect();
            if several.len() > SHOWN {
                lines.push(format!("and {} more", several.len() - SHOWN));
            }
            Some(lines.join("\n"))
        }
    }
}

pub(super) fn class(look: Look) -> &'static str {
    match look {
        Look::Cloud => "cloud",
        Look::Vpc => "vpc",
        Look::Zone => "zone",
        Look::Public => "public",
        Look::Private => "private",
        Look::Internet => "internet",
        Look::Record => "record",
        Look::Balancer => "balancer",
        Look::Listener => "listener",
        Look::Rule => "rule",
        Look::Group => "group",
        Look::Fleet => "fleet",
        Look::Machine => "machine",
        Look::Chip => "chip",
        Look::Dot => "dot",
        Look::Database => "database",
        Look::Cache => "cache",
        Look::Panel => "panel",
        Look::Firewall => "firewall",
        Look::Door => "door",
        Look::Others => "others",
    }
}

fn holder(look: Look) -> bool {
    matches!(
        look,
        Look::Cloud
            | Look::Vpc
            | Look::Zone
            | Look::Public
            | Look::Private
            | Look::Balancer
            | Look::Firewall
            | Look::Panel
    )
}

fn rounding(look: Look) -> i32 {
    match look {
        Look::Cloud | Look::Vpc => 12,
        Look::Zone | Look::Public | Look::Private | Look::Panel | Look::Balancer => 9,
        Look::Internet | Look::Others => 12,
        Look::Dot => 3,
        _ => 6,
    }
}

/// A cylinder.
fn drum(rect: Rect) -> String {
    let Rect { x, y, w, h } = rect;
    let (rx, ry) = (w / 2, 5);
    format!(
        "M{x} {top}a{rx} {ry} 0 0 1 {w} 0v{v}a{rx} {ry} 0 0 1 -{w} 0zM{x} {top}a{rx} {ry} 0 0 0 {w} 0",
        top = y + ry,
        v = h - 2 * ry
    )
}

fn icon(out: &mut String, item: &Item) {
    let Rect { x, y, .. } = item.rect;
    let shape = match item.look {
        Look::Machine => "M0 0h12v5h-12zM0 7h12v5h-12zM2.5 2.5h1M2.5 9.5h1",
        Look::Database => {
            "M0 2a6 2 0 0 1 12 0v8a6 2 0 0 1-12 0zM0 2a6 2 0 0 0 12 0M0 6a6 2 0 0 0 12 0"
        }
        Look::Cache => "M7 0 1 7h4l-1 5 6-7h-4z",
        Look::Balancer => "M6 0v4M6 4 1 9M6 4v8M6 4l5 5",
        Look::Group => "M0 6a6 6 0 1 0 12 0a6 6 0 1 0-12 0M4 6a2 2 0 1 0 4 0a2 2 0 1 0-4 0",
        Look::Record => {
            "M0 6a6 6 0 1 0 12 0a6 6 0 1 0-12 0M0 6h12M6 0a8 8 0 0 1 0 12a8 8 0 0 1 0-12"
        }
        Look::Firewall => "M6 0 12 2v4c0 3-3 5-6 6c-3-1-6-3-6-6v-4z",
        _ => return,
    };
    let dy = match item.look {
        Look::Database | Look::Cache => 17,
        Look::Balancer | Look::Firewall => 10,
        _ => 13,
    };
    let _ = write!(
        out,
        "<path class=\"icon\" transform=\"translate({} {})\" d=\"{shape}\"/>",
        x + 9,
        y + dy
    );
}

fn texts(out: &mut String, item: &Item) {
    let Rect { x, y, w, h } = item.rect;
    let mut say = |class: &str, x: i32, y: i32, line: &str| {
        let _ = write!(out, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(line));
    };
    let lines: Vec<&str> = item.lines.iter().map(String::as_str).collect();
    match (item.look, lines.as_slice()) {
        (Look::Rule, [priority, paths]) => {
            say("s", x + 7, y + 14, priority);
            say("p", x + 28, y + 14, paths);
        }
        (Look::Door, [ports, peer]) => {
            say("p", x + 6, y + 13, ports);
            let _ = write!(
                out,
                "<text class=\"s\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
                x + w - 6,
                y + 13,
                escaped(peer)
            );
        }
        (Look::Internet, [one]) => say("t", x + w / 2, y + 20, one),
        (Look::Listener, [one]) => say("s", x + 7, y + 12, one),
        (Look::Chip, [one]) => say("s chip-name", x + 5, y + 13, one),
        (Look::Others, [one]) => say("p", x + 11, y + 16, one),
        (Look::Fleet, [one]) => say("s", x + 8, y + 16, one),
        (Look::Panel | Look::Cloud | Look::Vpc | Look::Zone, [one]) => {
            say("t", x + 12, y + 18, one)
        }
        (Look::Firewall, [one]) => say("t", x + 28, y + 20, one),
        (Look::Balancer, [title, more]) => {
            say("t", x + 28, y + 19, title);
            say("s", x + 28, y + 33, more);
        }
        (Look::Public | Look::Private, [title, more]) => {
            say("t", x + 14, y + 17, title);
            say("s", x + 14, y + 31, more);
        }
        (_, lines) => {
            let drum = matches!(item.look, Look::Database | Look::Cache);
            let tall = i32::try_from(lines.len()).unwrap_or(0) * 13;
            // A drum's lid takes what is above.
            let mut y = y + (h - tall) / 2 + 10 + if drum { 4 } else { 0 };
            for (at, line) in lines.iter().enumerate() {
                say(if at == 0 { "t" } else { "s" }, x + 28, y, line);
                y += 13;
            }
        }
    }
}

fn edge(out: &mut String, at: usize, edge: &Edge) {
    let way = match edge.way {
        Way::Request => "request",
        Way::Data => "data",
        Way::Copy => "mirror",
        Way::Firewall => "admits",
    };
    let path = match edge.points.as_slice() {
        [(x, y), (a, b)] if edge.curved => {
            let middle = i32::midpoint(*x, *a);
            format!("M{x} {y}C{middle} {y} {middle} {b} {a} {b}")
        }
        points => corners(points),
    };
    let _ = writeln!(
        out,
        "<path class=\"edge {way}\" data-edge=\"{at}\" d=\"{path}\" marker-end=\"url(#ecdeploy-{way})\"/>"
    );
}

/// Straight from point to point, with round corners.
fn corners(points: &[(i32, i32)]) -> String {
    const ROUND: i32 = 5;
    let mut path = String::new();
    let toward = |(x, y): (i32, i32), (a, b): (i32, i32), far: i32| {
        let step = |from: i32, to: i32| from + (to - from).clamp(-far, far);
        (step(x, a), step(y, b))
    };
    for (at, point) in points.iter().enumerate() {
        let (x, y) = *point;
        match (at.checked_sub(1).and_then(|at| points.get(at)), points.get(at + 1)) {
            (None, _) => {
                let _ = write!(path, "M{x} {y}");
            }
            (Some(before), Some(after)) => {
                let half = |(a, b): (i32, i32)| ((a - x).abs().max((b - y).abs()) / 2).min(ROUND);
                let (a, b) = toward(*point, *before, half(*before));
                let (c, d) = toward(*point, *after, half(*after));
                let _ = write!(path, "L{a} {b}Q{x} {y} {c} {d}");
            }
            (Some(_), None) => {
                let _ = write!(path, "L{x} {y}");
            }
        }
    }
    path
}
