//! Where requests come in: the internet, names in DNS, and load balancers, whose rules lie in the rows they lead to.

use super::fleet::SMALL;
use super::grid::{Drawn, rules as stacked};
use super::measure::{fit, width};
use super::{Draft, GAP, Look, Rect, Way};
use crate::graph::picture::Picture;
use crate::graph::scene::{Balancer, Listener, Row, Rule, Scene, Target};
use crate::kinds::listener;
use crate::model::printable;
use crate::trace::{number, text};

/// The height of a rule, and of a listener.
pub(super) const RULE: i32 = 23;
const LISTENER: i32 = 20;
const HEAD: i32 = 44;
/// The internet, and a name in DNS.
const CLOUD: i32 = 30;
const RECORD: i32 = 38;
const ARROW: i32 = 26;
/// The narrowest load balancer and the widest; between load balancers and target groups.
const NARROW: i32 = 200;
const WIDE: i32 = 280;
const CHANNEL: i32 = 44;
const PAD: i32 = 8;

pub(super) struct Front<'s> {
    balancers: Vec<(&'s Balancer<'s>, i32)>,
    records: i32,
    /// Whether anybody comes from outside.
    open: bool,
    head: i32,
}

impl<'s> Front<'s> {
    pub fn of(picture: &Picture, scene: &'s Scene<'s>) -> Self {
        let balancers = scene.balancers.iter().map(|balancer| {
            let own = balancer.listeners.iter().flat_map(|listener| &listener.rules);
            let widest = own.map(|rule| width(&label(rule), SMALL + 1) + 52).max().unwrap_or(0);
            let named = width(&picture.title(balancer.address), 12) + 50;
            (balancer, widest.max(named).clamp(NARROW, WIDE))
        });
        let listeners = scene.balancers.iter().map(|balancer| balancer.listeners.len()).max();
        let listeners = i32::try_from(listeners.unwrap_or(0)).unwrap_or(0);
        Self {
            balancers: balancers.collect(),
            records: i32::try_from(scene.records.len()).unwrap_or(0),
            open: scene.balancers.iter().any(|balancer| !balancer.internal),
            head: HEAD + listeners * LISTENER,
        }
    }

    /// The room it takes above the cloud, and above the VPC within it.
    pub fn outside(&self) -> i32 {
        if self.open { CLOUD + ARROW } else { 8 }
    }

    pub fn within(&self) -> i32 {
        if self.records > 0 { RECORD + ARROW } else { 8 }
    }

    /// What it needs to the left of the target groups, and above the first row.
    pub fn width(&self) -> i32 {
        let all: i32 = self.balancers.iter().map(|(_, wide)| wide + CHANNEL).sum();
        all.max(0)
    }

    pub fn head(&self) -> i32 {
        if self.balancers.is_empty() { 0 } else { self.head }
    }

    /// `corner` is where the sky and the first load balancer begin, and in place of its height where the cloud does.
    pub fn draw(
        &self,
        draft: &mut Draft<'_>,
        scene: &'s Scene<'s>,
        drawn: &Drawn<'s>,
        corner: Rect,
        (cloud, vpc): (usize, usize),
    ) {
        let picture = draft.picture;
        let top = draft.rect(vpc).y + super::HEAD + 12;
        let end = drawn.bands.last().map_or(top + self.head, |band| band.bottom);
        let mut x = corner.x;
        let mut panels = Vec::new();
        for (balancer, wide) in &self.balancers {
            let rect = Rect::new(x, top, *wide, end - top + 10);
            let panel = draft.add(Look::Balancer, rect, Some(vpc)).is([balancer.address], picture);
            let scheme = picture.subtitle(balancer.address);
            draft.item(panel).lines = vec![
                fit(&picture.title(balancer.address), 12, wide - 44),
                fit(&scheme, SMALL, wide - 44),
            ];
            self.listeners(draft, balancer, panel);
            for (at, band) in drawn.bands.iter().enumerate() {
                let row = scene.rows.get(at);
                let own = rules(scene, balancer, row);
                let mut y = band.body + (band.end - band.body - stacked(own.len())) / 2;
                for (listener, rule) in own {
                    let rect = Rect::new(x + PAD, y + 1, wide - 2 * PAD, RULE - 3);
                    rule_at(draft, drawn, (listener, rule), panel, rect);
                    y += RULE;
                }
            }
            panels.push((panel, balancer.internal));
            x += wide + CHANNEL;
        }
        // Beside the titles of what it comes into.
        let middle = corner.x + self.balancers.first().map_or(NARROW, |(_, wide)| *wide) * 3 / 4;
        let mut from = None;
        if self.open {
            let rect = Rect::new(middle - 55, corner.y, 110, CLOUD);
            from = Some(draft.add(Look::Internet, rect, None).says(["Internet".to_owned()]));
        }
        let mut sources: Vec<usize> = from.into_iter().collect();
        if self.records > 0 {
            let mut x = corner.x;
            let y = corner.h + super::HEAD;
            sources.clear();
            for record in &scene.records {
                let title = picture.title(record);
                let wide = (width(&title, 12) + 60).clamp(150, WIDE);
                let rect = Rect::new(x, y, wide, RECORD);
                let at = draft.add(Look::Record, rect, Some(cloud)).is([*record], picture);
                let kind = format!("Route 53  {}", picture.subtitle(record));
                draft.item(at).lines =
                    vec![fit(&title, 12, wide - 40), fit(&kind, SMALL, wide - 40)];
                if let Some(from) = from {
                    join(draft, from, at);
                }
                sources.push(at);
                x += wide + GAP;
            }
        }
        for (panel, internal) in panels {
            for source in &sources {
                if !(internal && Some(*source) == from) {
                    join(draft, *source, panel);
                }
            }
        }
    }

    fn listeners(&self, draft: &mut Draft<'_>, balancer: &Balancer<'_>, panel: usize) {
        let picture = draft.picture;
        let within = draft.rect(panel);
        let mut y = within.y + HEAD - 4;
        for one in &balancer.listeners {
            let rect = Rect::new(within.x + PAD, y, within.w - 2 * PAD, LISTENER - 3);
            let at = draft.add(Look::Listener, rect, Some(panel)).is([one.address], picture);
            draft.item(at).lines = vec![fit(&name(picture, one), SMALL, rect.w - 12)];
            y += LISTENER;
        }
    }
}

/// `HTTPS :443`, `HTTP :80 redirects to HTTPS`.
fn name(picture: &Picture, one: &Listener<'_>) -> String {
    let body = picture.body(one.address);
    let protocol = body.map(|body| text(body, "protocol")).unwrap_or_default();
    let port = body.and_then(|body| number(body, "port")).unwrap_or_default();
    let more = if one.redirects { "  redirects to HTTPS" } else { "" };
    printable(&format!("{protocol} :{port}{more}"))
}

fn rule_at(
    draft: &mut Draft<'_>,
    drawn: &Drawn<'_>,
    (listener, rule): (&Listener<'_>, &Rule<'_>),
    panel: usize,
    rect: Rect,
) {
    let picture = draft.picture;
    let at = draft.add(Look::Rule, rect, Some(panel)).is([rule.address], picture);
    let priority = rule.priority.map(|priority| priority.to_string()).unwrap_or_default();
    // With several listeners that serve, each rule says whose it is.
    let serving = |body: &&crate::model::Body| body.get("redirect_to_https") != Some(&true.into());
    let of_kind = picture.bodies.iter().filter(|(one, _)| one.kind() == listener::SCHEMA.kind);
    let several = of_kind.filter(|(_, body)| serving(body)).count() > 1;
    let whose = if several { format!("{}  ", name(picture, listener)) } else { String::new() };
    let line = format!("{whose}{}", label(rule));
    draft.item(at).lines = vec![printable(&priority), fit(&line, SMALL + 1, rect.w - 34)];
    if let Target::Group(group) = rule.target
        && let Some(group) = drawn.groups.get(group)
    {
        let (to, y) = (draft.rect(*group), rect.middle().1);
        let points =
            vec![(rect.right(), y), (to.x, to.middle().1.clamp(to.y + 6, to.bottom() - 6))];
        draft.curve(Way::Request, at, *group, points);
    }
}

/// A line down from one to the next.
fn join(draft: &mut Draft<'_>, from: usize, to: usize) {
    let (above, below) = (draft.rect(from), draft.rect(to));
    let x = above.middle().0.clamp(below.x + 10, below.right() - 10);
    let points = if (above.x + 5..above.right() - 5).contains(&x) {
        vec![(x, above.bottom()), (x, below.y)]
    } else {
        let y = below.y - ARROW / 2;
        vec![(above.middle().0, above.bottom()), (above.middle().0, y), (x, y), (x, below.y)]
    };
    draft.edge(Way::Request, from, to, points);
}

/// The paths that a rule takes, and where they go if that is not in the picture.
fn label(rule: &Rule<'_>) -> String {
    let paths = match rule.priority {
        Some(_) => rule.patterns.join(", "),
        None => "default".to_owned(),
    };
    printable(&match &rule.target {
        Target::Group(_) => paths,
        Target::Elsewhere(name) => format!("{paths} to {name}"),
        Target::Nowhere => format!("{paths} to nowhere"),
    })
}

/// A load balancer's rules that lead to this row; or to none.
fn rules<'s>(
    scene: &'s Scene<'s>,
    balancer: &'s Balancer<'s>,
    row: Option<&Row<'s>>,
) -> Vec<(&'s Listener<'s>, &'s Rule<'s>)> {
    let leads = |rule: &Rule<'s>| match (&rule.target, row) {
        (Target::Group(group), Some(row)) => row.groups.contains(group),
        (Target::Group(group), None) => !scene.rows.iter().any(|row| row.groups.contains(group)),
        (_, row) => row.is_none(),
    };
    let all = balancer.listeners.iter();
    let all = all.flat_map(|listener| listener.rules.iter().map(move |rule| (listener, rule)));
    all.filter(|(_, rule)| leads(rule)).collect()
}

/// How high a row has to be for its rules.
pub(super) fn height(scene: &Scene<'_>, row: Option<&Row<'_>>) -> i32 {
    let of = |balancer| stacked(rules(scene, balancer, row).len());
    scene.balancers.iter().map(of).max().unwrap_or(0)
}
