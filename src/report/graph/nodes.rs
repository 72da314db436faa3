//! The picture as boxes within boxes and lines between them, for programs that lay out by themselves.

use std::collections::BTreeMap;

use crate::graph::{Fleet, Picture, Rule, Scene, Shown, Sign, Target};
use crate::kinds::replication_group;
use crate::model::{Address, printable};
use crate::trace::{number, text};

/// More machines than this stand as one.
const SHOWN: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Plain,
    Round,
    Drum,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub lines: Vec<String>,
    pub shape: Shape,
    pub copy: bool,
    pub sign: Option<Sign>,
    /// The box that it is in.
    pub within: Option<usize>,
}

impl Node {
    /// What stands in it, its sign first: colours are never alone.
    pub fn label(&self) -> Vec<String> {
        let mut label = self.lines.clone();
        if let (Some(sign), Some(first)) = (self.sign, label.first_mut()) {
            *first = format!("{} {first}", sign.glyph());
        }
        label
    }
}

#[derive(Clone, Debug)]
pub(super) struct Boxed {
    pub title: String,
    pub within: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct Line {
    pub from: usize,
    pub to: usize,
    pub labels: Vec<String>,
    pub dashed: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Nodes<'a> {
    pub nodes: Vec<Node>,
    /// Each after the one that it is in.
    pub boxes: Vec<Boxed>,
    pub lines: Vec<Line>,
    places: BTreeMap<&'a Address, usize>,
}

pub(super) fn nodes<'a>(picture: &'a Picture, scene: &'a Scene<'a>) -> Nodes<'a> {
    let mut all = Nodes::default();
    legend(&mut all, picture);
    let vpc = scene
        .vpc
        .map_or_else(|| "no VPC".to_owned(), |one| format!("VPC {}", picture.subtitle(one)));
    let vpc = all.boxed(vpc, None);
    front(&mut all, picture, scene, vpc);
    let mut subnets: BTreeMap<&Address, usize> = BTreeMap::new();
    for zone in &scene.zones {
        let within = all.boxed(printable(zone.name), Some(vpc));
        for subnet in &zone.subnets {
            let kind = if subnet.public { "public" } else { "private" };
            let (name, cidr) = (picture.title(subnet.address), picture.subtitle(subnet.address));
            let at = all.boxed(format!("{name} {cidr} {kind}"), Some(within));
            subnets.insert(subnet.address, at);
        }
    }
    for row in &scene.rows {
        for store in &row.stores {
            all.store(picture, store.address, subnets.get(store.subnet).copied(), false);
            for copy in &store.copies {
                let to = all.store(picture, store.address, subnets.get(*copy).copied(), true);
                if let Some(from) = all.places.get(store.address).copied() {
                    all.line(from, to, Vec::new(), true);
                }
            }
        }
    }
    for row in &scene.rows {
        let fleets: Vec<Vec<usize>> = row
            .fleets
            .iter()
            .map(|fleet| all.fleet(picture, fleet, subnets.get(fleet.subnet).copied()))
            .collect();
        let groups: Vec<usize> =
            row.groups.iter().filter_map(|one| all.places.get(one).copied()).collect();
        let used: Vec<usize> =
            row.uses.iter().filter_map(|one| all.places.get(one).copied()).collect();
        for machine in fleets.into_iter().flatten() {
            groups.iter().for_each(|group| all.line(*group, machine, Vec::new(), false));
            used.iter().for_each(|store| all.line(machine, *store, Vec::new(), false));
        }
    }
    firewalls(&mut all, picture, scene);
    if !scene.others.is_empty() {
        let within = all.boxed("beside these".to_owned(), None);
        for (kind, things) in &scene.others {
            let lines = vec![picture.counted(kind, things)];
            let sign = picture.gravest(things.iter().copied());
            all.nodes.push(Node {
                lines,
                shape: Shape::Round,
                copy: false,
                sign,
                within: Some(within),
            });
        }
    }
    all
}

/// What the signs mean.
fn legend(all: &mut Nodes<'_>, picture: &Picture) {
    let legend = picture.legend();
    if legend.is_empty() && picture.note.is_none() {
        return;
    }
    let title = match picture.shown {
        Shown::Plan => "what apply would change",
        Shown::Health | Shown::Plain => "how it is",
    };
    let within = Some(all.boxed(title.to_owned(), None));
    let note = picture.note.iter().map(|note| (None, printable(note)));
    for (sign, text) in legend.into_iter().chain(note) {
        let (lines, shape) = (vec![text], Shape::Round);
        all.push(Node { lines, shape, copy: false, sign, within });
    }
}

fn front<'a>(all: &mut Nodes<'a>, picture: &Picture, scene: &'a Scene<'a>, vpc: usize) {
    let open = scene.balancers.iter().any(|balancer| !balancer.internal);
    let lines = vec!["Internet".to_owned()];
    let internet = Node { lines, shape: Shape::Round, copy: false, sign: None, within: None };
    let internet = open.then(|| all.push(internet));
    let records: Vec<usize> = scene
        .records
        .iter()
        .map(|record| {
            let at = all.thing(picture, record, Shape::Round, None);
            internet.iter().for_each(|internet| all.line(*internet, at, Vec::new(), false));
            at
        })
        .collect();
    let groups = scene.rows.iter().flat_map(|row| &row.groups);
    for group in groups {
        all.thing(picture, group, Shape::Plain, Some(vpc));
    }
    for balancer in &scene.balancers {
        let at = all.thing(picture, balancer.address, Shape::Plain, Some(vpc));
        let sources = if records.is_empty() { internet.as_slice() } else { &records };
        sources.iter().for_each(|source| all.line(*source, at, Vec::new(), false));
        // All rules that lead to one group are one line.
        let mut ways: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for listener in &balancer.listeners {
            let body = picture.body(listener.address);
            let port = body.and_then(|body| number(body, "port")).unwrap_or_default();
            let protocol = body.map(|body| text(body, "protocol")).unwrap_or_default();
            let entry = printable(&format!("{protocol} :{port}"));
            for rule in &listener.rules {
                let to = match rule.target {
                    Target::Group(group) => all.places.get(group).copied(),
                    _ => None,
                };
                ways.entry(to.unwrap_or(at)).or_default().push(way(&entry, rule));
            }
            if listener.redirects {
                all.nodes[at].lines.push(format!("{entry} redirects to HTTPS"));
            }
        }
        for (to, labels) in ways {
            if to == at {
                all.nodes[at].lines.extend(labels);
            } else {
                all.line(at, to, labels, false);
            }
        }
    }
}

fn way(entry: &str, rule: &Rule<'_>) -> String {
    let paths = rule.patterns.join(", ");
    let said = match rule.priority {
        Some(priority) => format!("{priority} {paths}"),
        None => format!("{entry} default"),
    };
    printable(&match &rule.target {
        Target::Group(_) => said,
        Target::Elsewhere(name) => format!("{said} to {name}"),
        Target::Nowhere => format!("{said} to nowhere"),
    })
}

fn firewalls<'a>(all: &mut Nodes<'a>, picture: &Picture, scene: &'a Scene<'a>) {
    if scene.firewalls.is_empty() {
        return;
    }
    let within = all.boxed("security groups: who may come in".to_owned(), None);
    for one in &scene.firewalls {
        let at = all.thing(picture, one.address, Shape::Round, Some(within));
        let outside = one.doors.iter().filter(|door| door.group.is_none());
        let lines = outside.map(|door| printable(&format!("{} from {}", door.ports, door.peer)));
        all.nodes[at].lines.extend(lines);
    }
    for one in &scene.firewalls {
        for door in &one.doors {
            let ends =
                (door.group.and_then(|group| all.places.get(group)), all.places.get(one.address));
            if let (Some(from), Some(to)) = ends {
                all.line(*from, *to, vec![printable(&door.ports)], true);
            }
        }
    }
}

impl<'a> Nodes<'a> {
    fn push(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn boxed(&mut self, title: String, within: Option<usize>) -> usize {
        self.boxes.push(Boxed { title, within });
        self.boxes.len() - 1
    }

    fn line(&mut self, from: usize, to: usize, labels: Vec<String>, dashed: bool) {
        self.lines.push(Line { from, to, labels, dashed });
    }

    fn thing(
        &mut self,
        picture: &Picture,
        address: &'a Address,
        shape: Shape,
        within: Option<usize>,
    ) -> usize {
        let lines = [picture.title(address), picture.subtitle(address)];
        let lines = lines.into_iter().filter(|line| !line.is_empty()).collect();
        let at = self.push(Node { lines, shape, copy: false, sign: picture.sign(address), within });
        self.places.insert(address, at);
        at
    }

    fn store(
        &mut self,
        picture: &Picture,
        address: &'a Address,
        within: Option<usize>,
        copy: bool,
    ) -> usize {
        let cache = replication_group::is_cache(address.kind());
        if copy {
            let what = if cache { "replica" } else { "standby" };
            let lines = vec![picture.title(address), what.to_owned()];
            let sign = picture.sign(address);
            return self.push(Node { lines, shape: Shape::Drum, copy, sign, within });
        }
        let at = self.thing(picture, address, Shape::Drum, within);
        let size = picture.size(address);
        self.nodes[at].lines.extend((!size.is_empty()).then_some(size));
        at
    }

    /// The machines; or one node for all of them, where they are many.
    fn fleet(&mut self, picture: &Picture, fleet: &Fleet<'a>, within: Option<usize>) -> Vec<usize> {
        if fleet.machines.len() <= SHOWN {
            let machines = fleet.machines.iter();
            return machines.map(|one| self.thing(picture, one, Shape::Plain, within)).collect();
        }
        let ends = [fleet.machines.first(), fleet.machines.last()];
        let names: Vec<String> = ends.into_iter().flatten().map(|one| picture.title(one)).collect();
        let kind = fleet.machines.first().map(|one| picture.subtitle(one)).unwrap_or_default();
        let number = format!("{} \u{d7} {kind}", fleet.machines.len());
        // One sign stands for all: how many bear it, and which others, is told.
        let lines = [names.join(" \u{2026} "), number, picture.tally(&fleet.machines)];
        let lines = lines.into_iter().filter(|line| !line.is_empty()).collect();
        let sign = picture.gravest(fleet.machines.iter().copied());
        vec![self.push(Node { lines, shape: Shape::Plain, copy: false, sign, within })]
    }
}
