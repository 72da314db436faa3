//! A scene in pixels. Zones and subnets are columns, services are rows: a request goes through the picture from left to
//! right, and how many machines there are decides on nothing but the height of a row.

mod below;
mod fleet;
mod front;
mod grid;
mod measure;
#[cfg(test)]
mod tests;
mod ways;

use super::mark::Sign;
use super::picture::Picture;
use super::scene::Scene;
use crate::model::Address;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rect {
    pub x: i32,
    pub y: i32,
    pub w: i32,
    pub h: i32,
}

impl Rect {
    pub const fn new(x: i32, y: i32, w: i32, h: i32) -> Self {
        Self { x, y, w, h }
    }

    pub const fn right(self) -> i32 {
        self.x + self.w
    }

    pub const fn bottom(self) -> i32 {
        self.y + self.h
    }

    pub const fn middle(self) -> (i32, i32) {
        (self.x + self.w / 2, self.y + self.h / 2)
    }

    pub fn holds(self, other: Self) -> bool {
        self.x <= other.x
            && self.y <= other.y
            && other.right() <= self.right()
            && other.bottom() <= self.bottom()
    }

    pub fn overlaps(self, other: Self) -> bool {
        self.x < other.right()
            && other.x < self.right()
            && self.y < other.bottom()
            && other.y < self.bottom()
    }
}

/// What something looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Cloud,
    Vpc,
    Zone,
    Public,
    Private,
    Internet,
    Record,
    Balancer,
    Listener,
    Rule,
    Group,
    /// Machines that stand together.
    Fleet,
    /// A machine with all that is said of it, with its name alone, or as a mere dot.
    Machine,
    Chip,
    Dot,
    Database,
    Cache,
    /// A panel with a title.
    Panel,
    Firewall,
    Door,
    /// Several things of a kind as one.
    Others,
}

/// Something in the picture.
#[derive(Clone, Debug)]
pub struct Item {
    pub look: Look,
    pub rect: Rect,
    pub parent: Option<usize>,
    /// The things that it stands for.
    pub things: Vec<Address>,
    /// A standby or a replica of the thing, not the thing.
    pub copy: bool,
    pub sign: Option<Sign>,
    /// Its texts, cut to fit.
    pub lines: Vec<String>,
}

/// What a line between two items means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Request,
    Data,
    /// From a primary to its standby or replica.
    Copy,
    /// Who may come in.
    Firewall,
}

#[derive(Clone, Debug)]
pub struct Edge {
    pub way: Way,
    /// By their places in the list of items.
    pub from: usize,
    pub to: usize,
    pub points: Vec<(i32, i32)>,
    /// A curve from the first point to the last, not corners.
    pub curved: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Layout {
    pub width: i32,
    pub height: i32,
    /// Parents before what is inside them.
    pub items: Vec<Item>,
    pub edges: Vec<Edge>,
}

/// Around everything, and between what stands side by side.
const MARGIN: i32 = 20;
const GAP: i32 = 24;
/// The name of the topology, and the legend.
const TITLE: i32 = 62;
const LEGEND: i32 = 28;
/// The name of a box that holds others.
const HEAD: i32 = 26;
/// Narrower, there would be no place for the title.
const NARROWEST: i32 = 720;

impl Layout {
    pub fn of(picture: &Picture, scene: &Scene<'_>) -> Self {
        let grid = grid::Grid::of(picture, scene);
        let mut draft = Draft { picture, layout: Self::default() };
        let legend = if picture.legend().is_empty() { 0 } else { LEGEND };
        let front = front::Front::of(picture, scene);

        let sky = TITLE + legend;
        let cloud_top = sky + front.outside();
        let vpc_top = cloud_top + HEAD + front.within();
        let vpc_left = 2 * MARGIN;
        let zones_top = vpc_top + HEAD + 12;
        let left = vpc_left + MARGIN;
        let zones_left = left + front.width();
        let grid = grid.at(zones_left, zones_top, front.head());
        let groups = below::Firewalls::of(picture, scene);
        let inner = (grid.right() - left).max(groups.width).max(NARROWEST - 4 * MARGIN);
        let groups_top = grid.bottom() + if groups.height > 0 { GAP } else { 0 };
        let vpc = Rect::new(
            vpc_left,
            vpc_top,
            inner + 2 * MARGIN,
            groups_top + groups.height + MARGIN - vpc_top,
        );
        let others_top = vpc.bottom() + MARGIN;
        let others = below::Others::of(picture, scene, vpc.w);
        let bottom = others_top + others.height + if others.height > 0 { MARGIN } else { 0 };

        let cloud = Rect::new(MARGIN, cloud_top, vpc.w + 2 * MARGIN, bottom - cloud_top);
        let cloud = draft.add(Look::Cloud, cloud, None).says([format!("AWS {}", picture.region)]);
        let vpc = draft.add(Look::Vpc, vpc, Some(cloud)).is(scene.vpc, picture);
        let title = scene.vpc.map(|one| format!("VPC {}", picture.subtitle(one)));
        draft.item(vpc).lines = vec![title.unwrap_or_else(|| "no VPC".to_owned())];

        let drawn = grid.draw(&mut draft, scene, vpc);
        front.draw(&mut draft, scene, &drawn, Rect::new(left, sky, 0, cloud_top), (cloud, vpc));
        ways::draw(&mut draft, scene, &drawn);
        groups.draw(&mut draft, vpc, (left, groups_top, inner));
        others.draw(&mut draft, cloud, (vpc_left, others_top));
        let mut layout = draft.layout;
        layout.width =
            layout.items.iter().map(|item| item.rect.right()).max().unwrap_or(0) + MARGIN;
        layout.height =
            layout.items.iter().map(|item| item.rect.bottom()).max().unwrap_or(0) + MARGIN;
        layout
    }
}

/// A layout that is being made.
struct Draft<'a> {
    picture: &'a Picture,
    layout: Layout,
}

/// An item just added, to be told more about.
struct Added<'d> {
    layout: &'d mut Layout,
    at: usize,
}

impl Draft<'_> {
    fn add(&mut self, look: Look, rect: Rect, parent: Option<usize>) -> Added<'_> {
        let (things, lines) = (Vec::new(), Vec::new());
        let at = self.layout.items.len();
        self.layout.items.push(Item { look, rect, parent, things, copy: false, sign: None, lines });
        Added { layout: &mut self.layout, at }
    }

    fn item(&mut self, at: usize) -> &mut Item {
        &mut self.layout.items[at]
    }

    fn rect(&self, at: usize) -> Rect {
        self.layout.items[at].rect
    }

    fn edge(&mut self, way: Way, from: usize, to: usize, points: Vec<(i32, i32)>) {
        self.layout.edges.push(Edge { way, from, to, points, curved: false });
    }

    fn curve(&mut self, way: Way, from: usize, to: usize, points: Vec<(i32, i32)>) {
        self.layout.edges.push(Edge { way, from, to, points, curved: true });
    }
}

impl Added<'_> {
    /// It stands for these, and bears the gravest of their signs.
    fn is<'t>(self, things: impl IntoIterator<Item = &'t Address>, picture: &Picture) -> usize {
        let item = &mut self.layout.items[self.at];
        item.things = things.into_iter().cloned().collect();
        item.sign = picture.gravest(&item.things);
        self.at
    }

    fn says(self, lines: impl IntoIterator<Item = String>) -> usize {
        self.layout.items[self.at].lines = lines.into_iter().collect();
        self.at
    }
}
