//! Below the zones: security groups from the outermost inwards, and as numbers what has no place of its own.

use super::fleet::SMALL;
use super::measure::{fit, width};
use super::{Draft, HEAD, Look, Rect, Way};
use crate::graph::picture::Picture;
use crate::graph::scene::{Firewall, Scene};
use crate::model::{Address, printable};

const DOOR: i32 = 19;
const TITLE: i32 = 30;
const NARROW: i32 = 170;
const WIDE: i32 = 330;
/// Between the columns, for the arrows, and between groups of one column.
const CHANNEL: i32 = 90;
const BETWEEN: i32 = 14;
const PAD: i32 = 14;
/// The size of the font of ports.
const PORTS: i32 = 11;

pub(super) struct Firewalls<'s> {
    /// Each with its place in the panel.
    all: Vec<(&'s Firewall<'s>, Rect)>,
    pub width: i32,
    pub height: i32,
}

impl<'s> Firewalls<'s> {
    pub fn of(picture: &Picture, scene: &'s Scene<'s>) -> Self {
        let deepest = scene.firewalls.iter().map(|one| one.depth).max();
        let (mut all, mut x, mut height) = (Vec::new(), PAD, 0);
        for depth in 0..deepest.map_or(0, |deepest| deepest + 1) {
            let column: Vec<&Firewall<'_>> =
                scene.firewalls.iter().filter(|one| one.depth == depth).collect();
            let wide = column.iter().map(|one| self::wide(picture, one)).max().unwrap_or(NARROW);
            let mut y = HEAD + 8;
            for one in column {
                let doors = i32::try_from(one.doors.len()).unwrap_or(0).max(1);
                let rect = Rect::new(x, y, wide, TITLE + doors * DOOR + 6);
                y = rect.bottom() + BETWEEN;
                all.push((one, rect));
            }
            height = height.max(y);
            x += wide + CHANNEL;
        }
        match all.is_empty() {
            true => Self { all, width: 0, height: 0 },
            false => Self { all, width: x - CHANNEL + PAD, height },
        }
    }

    pub fn draw(&self, draft: &mut Draft<'_>, vpc: usize, at: (i32, i32, i32)) {
        if self.all.is_empty() {
            return;
        }
        let picture = draft.picture;
        let (left, top, wide) = at;
        let panel = Rect::new(left, top, wide, self.height);
        let title = "security groups: who may come in".to_owned();
        let panel = draft.add(Look::Panel, panel, Some(vpc)).says([title]);
        let (mut cards, mut doors) = (Vec::new(), Vec::new());
        for (one, rect) in &self.all {
            let rect = Rect { x: left + rect.x, y: top + rect.y, ..*rect };
            let card = draft.add(Look::Firewall, rect, Some(panel)).is([one.address], picture);
            draft.item(card).lines = vec![fit(&picture.title(one.address), 12, rect.w - 40)];
            cards.push((one.address, card));
            let mut y = rect.y + TITLE;
            if one.doors.is_empty() {
                let rect = Rect::new(rect.x + 6, y, rect.w - 12, DOOR - 2);
                draft.add(Look::Door, rect, Some(card)).says(["nobody".to_owned(), String::new()]);
            }
            for door in &one.doors {
                let rect = Rect::new(rect.x + 6, y, rect.w - 12, DOOR - 2);
                let own = door.group == Some(one.address);
                let peer = if own { "itself".to_owned() } else { printable(&door.peer) };
                let ports = fit(&printable(&door.ports), PORTS, rect.w * 2 / 3);
                let peer = fit(&peer, SMALL, rect.w - 20 - width(&ports, PORTS));
                let at = draft.add(Look::Door, rect, Some(card)).says([ports, peer]);
                doors.push((one.address, door.group, at));
                y += DOOR;
            }
        }
        let card =
            |address: &Address| cards.iter().find(|(one, _)| *one == address).map(|(_, at)| *at);
        for (owner, peer, door) in doors {
            let from = peer.filter(|peer| *peer != owner).and_then(card);
            let Some(from) = from else { continue };
            let (one, other) = (draft.rect(from), draft.rect(door));
            let y = one.y + TITLE / 2;
            let inwards = one.right() <= other.x;
            let points = match inwards {
                true => vec![(one.right(), y), (other.x - 6, other.middle().1)],
                false => vec![(one.x, y), (other.right() + 6, other.middle().1)],
            };
            draft.curve(Way::Firewall, from, door, points);
        }
    }
}

fn wide(picture: &Picture, one: &Firewall<'_>) -> i32 {
    let door = |ports: &str, peer: &str| width(ports, PORTS) + width(peer, SMALL) + 40;
    let doors = one.doors.iter().map(|one| door(&one.ports, &one.peer)).max().unwrap_or(0);
    doors.max(width(&picture.title(one.address), 12) + 40).clamp(NARROW, WIDE)
}

const CHIP: i32 = 24;
const SPACE: i32 = 8;

/// What has no place of its own, one chip a kind.
pub(super) struct Others<'s> {
    all: Vec<(&'s [&'s Address], String, Rect)>,
    width: i32,
    pub height: i32,
}

impl<'s> Others<'s> {
    pub fn of(picture: &Picture, scene: &'s Scene<'s>, wide: i32) -> Self {
        let (mut all, mut x, mut y) = (Vec::new(), PAD, HEAD + 6);
        for (kind, things) in &scene.others {
            let text = picture.counted(kind, things);
            let chip = (width(&text, 11) + 34).min(wide - 2 * PAD);
            if x > PAD && x + chip > wide - PAD {
                (x, y) = (PAD, y + CHIP + SPACE);
            }
            all.push((things.as_slice(), text, Rect::new(x, y, chip, CHIP)));
            x += chip + SPACE;
        }
        let height = if all.is_empty() { 0 } else { y + CHIP + PAD };
        Self { all, width: wide, height }
    }

    pub fn draw(&self, draft: &mut Draft<'_>, cloud: usize, (left, top): (i32, i32)) {
        if self.all.is_empty() {
            return;
        }
        let picture = draft.picture;
        let panel = Rect::new(left, top, self.width, self.height);
        let panel = draft.add(Look::Panel, panel, Some(cloud)).says(["beside these".to_owned()]);
        for (things, text, rect) in &self.all {
            let rect = Rect { x: left + rect.x, y: top + rect.y, ..*rect };
            let at = draft.add(Look::Others, rect, Some(panel)).is(things.iter().copied(), picture);
            draft.item(at).lines = vec![text.clone()];
        }
    }
}
