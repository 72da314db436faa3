//! Zones and subnets as columns, services as rows; in their cells machines, databases, caches.

use std::collections::BTreeMap;

use super::fleet::{self, Shape};
use super::front::{self, RULE};
use super::measure::{fit, width};
use super::{Draft, GAP, HEAD, Look, Rect};
use crate::graph::picture::Picture;
use crate::graph::scene::{Fleet, Row, Scene, Store, Subnet};
use crate::kinds::replication_group;
use crate::model::Address;

const STORE: (i32, i32) = (fleet::CARD.0, 56);
const COPY: (i32, i32) = (fleet::CARD.0, 46);
pub(super) const GROUP: (i32, i32) = (132, 38);
/// Between blocks of one cell, and around a subnet's cells.
const BETWEEN: i32 = 8;
const PAD: i32 = 16;
const SUBNET_HEAD: i32 = 38;
/// Around a zone's subnets.
const ZONE_PAD: i32 = 10;
/// Lines have lanes of their own, above and below a row and beside a column.
pub(super) const LANE: i32 = 8;
const ABOVE: i32 = 18;
/// From the target groups to the first zone.
const CHANNEL: i32 = 30;

struct Cell<'s> {
    fleet: Option<(&'s Fleet<'s>, Shape)>,
    /// Each with whether it is but a copy.
    stores: Vec<(&'s Store<'s>, bool)>,
}

struct Column<'s> {
    zone: usize,
    subnet: &'s Subnet<'s>,
    /// The stores that several rows lead to, each by a lane beside the column.
    shared: Vec<&'s Address>,
    rect: Rect,
}

/// The room of one row, with lanes above and below.
#[derive(Clone, Copy, Debug)]
pub(super) struct Band {
    pub top: i32,
    pub body: i32,
    /// Where the body ends, and the first lane below begins.
    pub end: i32,
    pub bottom: i32,
}

pub(super) struct Grid<'s> {
    cells: BTreeMap<(usize, &'s Address), Cell<'s>>,
    columns: Vec<Column<'s>>,
    /// The heights of the rows' bodies, and of what is below.
    heights: Vec<(i32, i32, i32)>,
    zones: Vec<Rect>,
    left: i32,
    /// Where the last row ends.
    floor: i32,
    pub bands: Vec<Band>,
}

/// Where things came to lie.
pub(super) struct Drawn<'s> {
    pub bands: Vec<Band>,
    pub fleets: BTreeMap<(usize, &'s Address), usize>,
    pub groups: BTreeMap<&'s Address, usize>,
    pub stores: BTreeMap<&'s Address, usize>,
    pub copies: Vec<(&'s Address, usize)>,
    /// The lane of each store that several rows lead to.
    pub lanes: BTreeMap<&'s Address, i32>,
    pub channel: i32,
}

impl<'s> Grid<'s> {
    pub fn of(picture: &Picture, scene: &'s Scene<'s>) -> Self {
        let mut cells: BTreeMap<(usize, &Address), Cell<'s>> = BTreeMap::new();
        let new = || Cell { fleet: None, stores: Vec::new() };
        for (at, row) in scene.rows.iter().enumerate() {
            for fleet in &row.fleets {
                let shape = fleet::shape(&fleet.machines);
                cells.entry((at, fleet.subnet)).or_insert_with(new).fleet = Some((fleet, shape));
            }
            for store in &row.stores {
                let places = [(store.subnet, false)].into_iter();
                for (subnet, copy) in places.chain(store.copies.iter().map(|one| (*one, true))) {
                    let cell = cells.entry((at, subnet)).or_insert_with(new);
                    cell.stores.push((store, copy));
                }
            }
        }
        let zones = scene.zones.iter().enumerate();
        let columns = zones.flat_map(|(zone, all)| all.subnets.iter().map(move |one| (zone, one)));
        let columns: Vec<Column<'s>> = columns
            .map(|(zone, subnet)| {
                let own = |row: &&Row<'_>| row.fleets.is_empty() && row.groups.is_empty();
                let stores = scene.rows.iter().filter(own).flat_map(|row| &row.stores);
                let here = stores.filter(|store| store.subnet == subnet.address);
                let used = |store: &&Store<'_>| {
                    scene.rows.iter().any(|row| row.uses.contains(&store.address))
                };
                let shared = here.filter(used).map(|store| store.address).collect();
                let inside = cells.iter().filter(|((_, one), _)| *one == subnet.address);
                let widest = inside.map(|(_, cell)| cell.width()).max().unwrap_or(0);
                let named = width(subnet.address.name(), 12).clamp(110, 260);
                let named = named.max(width(&picture.subtitle(subnet.address), fleet::SMALL));
                let w = widest.max(named) + 2 * PAD;
                Column { zone, subnet, shared, rect: Rect::new(0, 0, w, 0) }
            })
            .collect();
        let heights = scene.rows.iter().enumerate().map(|(at, row)| {
            let own = cells.iter().filter(|((row, _), _)| *row == at);
            let highest = own.map(|(_, cell)| cell.height()).max().unwrap_or(0);
            let body = highest
                .max(stacked(row.groups.len(), GROUP.1))
                .max(front::height(scene, Some(row)));
            let serves = !row.groups.is_empty() || !row.fleets.is_empty();
            let copies = row.stores.iter().any(|store| !store.copies.is_empty());
            let lanes = 10 + LANE * (i32::from(!row.uses.is_empty()) + i32::from(copies));
            (if serves { ABOVE } else { 8 }, body, lanes)
        });
        let mut heights: Vec<_> = heights.collect();
        let loose = front::height(scene, None);
        if loose > 0 {
            heights.push((ABOVE, loose, 10));
        }
        Self { cells, columns, heights, zones: Vec::new(), left: 0, floor: 0, bands: Vec::new() }
    }

    /// With its upper left corner here; `head` is what those to its left need above the rows.
    pub fn at(mut self, left: i32, top: i32, head: i32) -> Self {
        self.left = left;
        let groups = self.heights.iter().any(|(above, ..)| *above == ABOVE);
        let mut x = left + if groups { GROUP.0 + CHANNEL } else { 0 };
        let mut y = top + head.max(HEAD + SUBNET_HEAD);
        for (above, body, below) in &self.heights {
            let (begin, end) = (y + above, y + above + body);
            y = end + below;
            self.bands.push(Band { top: begin - above, body: begin, end, bottom: y });
        }
        let bottom = y + ZONE_PAD;
        self.floor = bottom;
        let last = self.columns.len();
        for at in 0..last {
            let first_of_zone = at == 0 || self.columns[at - 1].zone != self.columns[at].zone;
            if first_of_zone {
                self.zones.push(Rect::new(x, top, 0, bottom - top));
            }
            let column = &mut self.columns[at];
            let lanes = i32::try_from(column.shared.len()).unwrap_or(0);
            x += ZONE_PAD + LANE * lanes;
            column.rect =
                Rect { x, y: top + HEAD, h: bottom - top - HEAD - ZONE_PAD, ..column.rect };
            x = column.rect.right();
            let zone = column.zone;
            if self.columns.get(at + 1).is_none_or(|next| next.zone != zone) {
                x += ZONE_PAD;
                if let Some(rect) = self.zones.last_mut() {
                    rect.w = x - rect.x;
                }
                x += GAP;
            }
        }
        self
    }

    pub fn right(&self) -> i32 {
        self.zones.last().map_or(self.left + GROUP.0, |zone| zone.right())
    }

    pub fn bottom(&self) -> i32 {
        self.floor
    }

    pub fn draw(&self, draft: &mut Draft<'_>, scene: &'s Scene<'s>, vpc: usize) -> Drawn<'s> {
        let picture = draft.picture;
        let mut drawn = Drawn {
            bands: self.bands.clone(),
            fleets: BTreeMap::new(),
            groups: BTreeMap::new(),
            stores: BTreeMap::new(),
            copies: Vec::new(),
            lanes: BTreeMap::new(),
            channel: self.left + GROUP.0 + CHANNEL / 2,
        };
        let zones = self.zones.iter().zip(&scene.zones);
        let zones: Vec<usize> = zones
            .map(|(rect, zone)| {
                let name = if zone.name.is_empty() { "no zone" } else { zone.name };
                draft.add(Look::Zone, *rect, Some(vpc)).says([fit(name, 12, rect.w - 16)])
            })
            .collect();
        for column in &self.columns {
            let look = if column.subnet.public { Look::Public } else { Look::Private };
            let zone = zones.get(column.zone).copied();
            let at = draft.add(look, column.rect, zone).is([column.subnet.address], picture);
            let wide = column.rect.w - 2 * PAD;
            let address = column.subnet.address;
            let cidr = format!(
                "{}  {}",
                picture.subtitle(address),
                if column.subnet.public { "public" } else { "private" }
            );
            draft.item(at).lines =
                vec![fit(&picture.title(address), 12, wide), fit(&cidr, fleet::SMALL, wide)];
            for (lane, store) in (1..).zip(&column.shared) {
                drawn.lanes.insert(store, column.rect.x - LANE * lane + 2);
            }
            for (row, band) in self.bands.iter().enumerate() {
                if let Some(cell) = self.cells.get(&(row, address)) {
                    cell.draw(draft, &mut drawn, (row, address), at, (column.rect.x + PAD, *band));
                }
            }
        }
        for (row, band) in scene.rows.iter().zip(&self.bands) {
            let mut y = band.body + (band.end - band.body - stacked(row.groups.len(), GROUP.1)) / 2;
            for group in &row.groups {
                let rect = Rect::new(self.left, y, GROUP.0, GROUP.1);
                let at = draft.add(Look::Group, rect, Some(vpc)).is([*group], picture);
                let wide = GROUP.0 - 24;
                draft.item(at).lines = vec![
                    fit(&picture.title(group), 12, wide - 8),
                    fit(&picture.subtitle(group), fleet::SMALL, wide),
                ];
                drawn.groups.insert(group, at);
                y += GROUP.1 + BETWEEN;
            }
        }
        drawn
    }
}

impl<'s> Cell<'s> {
    fn width(&self) -> i32 {
        let fleet = self.fleet.as_ref().map_or(0, |(_, shape)| shape.w);
        fleet.max(if self.stores.is_empty() { 0 } else { STORE.0 })
    }

    fn height(&self) -> i32 {
        let fleet = self.fleet.as_ref().map(|(_, shape)| shape.h);
        let blocks: Vec<i32> = fleet.into_iter().chain(self.stores.iter().map(size)).collect();
        let between = i32::try_from(blocks.len()).unwrap_or(0).saturating_sub(1).max(0);
        blocks.iter().sum::<i32>() + between * BETWEEN
    }

    fn draw(
        &self,
        draft: &mut Draft<'_>,
        drawn: &mut Drawn<'s>,
        key: (usize, &'s Address),
        parent: usize,
        (x, band): (i32, Band),
    ) {
        let picture = draft.picture;
        let mut y = band.body + (band.end - band.body - self.height()) / 2;
        if let Some((fleet, shape)) = &self.fleet {
            drawn.fleets.insert(key, shape.draw(draft, fleet, parent, (x, y)));
            y += shape.h + BETWEEN;
        }
        for one in &self.stores {
            let (store, copy) = *one;
            let cache = replication_group::is_cache(store.address.kind());
            let look = if cache { Look::Cache } else { Look::Database };
            let rect = Rect::new(x, y, STORE.0, size(one));
            let at = draft.add(look, rect, Some(parent)).is([store.address], picture);
            let wide = STORE.0 - 34;
            let title = fit(&picture.title(store.address), 12, wide - 8);
            draft.item(at).copy = copy;
            draft.item(at).lines = if copy {
                drawn.copies.push((store.address, at));
                vec![title, if cache { "replica" } else { "standby" }.to_owned()]
            } else {
                drawn.stores.insert(store.address, at);
                let more = [picture.subtitle(store.address), picture.size(store.address)];
                [title]
                    .into_iter()
                    .chain(more.iter().map(|line| fit(line, fleet::SMALL, wide)))
                    .collect()
            };
            y += rect.h + BETWEEN;
        }
    }
}

fn size((_, copy): &(&Store<'_>, bool)) -> i32 {
    if *copy { COPY.1 } else { STORE.1 }
}

/// The height of so many blocks in a stack.
fn stacked(count: usize, height: i32) -> i32 {
    let count = i32::try_from(count).unwrap_or(0);
    (count * (height + BETWEEN) - BETWEEN).max(0)
}

/// The height of so many rules in a stack.
pub(super) fn rules(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(0) * RULE
}
