//! Machines that stand together: few as cards, more as names, many as dots. All of them are there.

use super::measure::{fit, width};
use super::{Draft, Look, Rect};
use crate::graph::scene::Fleet;
use crate::model::Address;

/// As large as this, each machine has a card; a name; a dot.
const CARDS: usize = 2;
const NAMES: usize = 48;
pub(super) const CARD: (i32, i32) = (148, 38);
const CHIP: i32 = 18;
const DOT: i32 = 10;
const SPACE: i32 = 5;
const PAD: i32 = 7;
/// The line over names and dots: what they have in common.
const COMMON: i32 = 17;
/// The size of the font of a chip.
pub(super) const SMALL: i32 = 10;
/// No name makes a chip wider.
const WIDEST: i32 = 120;
/// The room that names or dots take side by side: fleets stand under one another alike.
const ROOM: i32 = 235;

#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub w: i32,
    pub h: i32,
    look: Look,
    columns: usize,
    cell: (i32, i32),
}

pub(super) fn shape(machines: &[&Address]) -> Shape {
    let n = machines.len();
    if n <= CARDS {
        let rows = i32::try_from(n).unwrap_or(1).max(1);
        let h = rows * CARD.1 + (rows - 1) * SPACE;
        return Shape { w: CARD.0, h, look: Look::Machine, columns: 1, cell: CARD };
    }
    let (look, columns, cell) = if n <= NAMES {
        let names = machines.iter().map(|one| width(one.name(), SMALL));
        let wide = (names.max().unwrap_or(0) + 14).clamp(36, WIDEST);
        let columns = (ROOM + SPACE) / (wide + SPACE);
        (Look::Chip, columns, ((ROOM + SPACE) / columns - SPACE, CHIP))
    } else {
        (Look::Dot, (ROOM + SPACE) / (DOT + SPACE), (DOT, DOT))
    };
    let columns = usize::try_from(columns).unwrap_or(1);
    let rows = i32::try_from(n.div_ceil(columns)).unwrap_or(1);
    let h = COMMON + rows * (cell.1 + SPACE) - SPACE + 2 * PAD;
    Shape { w: ROOM + 2 * PAD, h, look, columns, cell }
}

impl Shape {
    /// Draws the machines at this place; gives the item that holds them.
    pub fn draw(
        &self,
        draft: &mut Draft<'_>,
        fleet: &Fleet<'_>,
        parent: usize,
        at: (i32, i32),
    ) -> usize {
        let picture = draft.picture;
        let rect = Rect::new(at.0, at.1, self.w, self.h);
        let holder = draft.add(Look::Fleet, rect, Some(parent)).is([], picture);
        let cards = self.look == Look::Machine;
        if !cards {
            let line = picture.fleet(&fleet.machines);
            draft.item(holder).lines = vec![fit(&line, SMALL, self.w - 2 * PAD)];
        }
        let (pad, top) = if cards { (0, 0) } else { (PAD, PAD + COMMON) };
        let left = rect.x + pad;
        let (mut x, mut y) = (left, rect.y + top);
        for (n, machine) in (1..).zip(&fleet.machines) {
            let rect = Rect::new(x, y, self.cell.0, self.cell.1);
            let at = draft.add(self.look, rect, Some(holder)).is([*machine], picture);
            draft.item(at).lines = match self.look {
                Look::Machine => {
                    let wide = CARD.0 - 24;
                    let title = fit(&picture.title(machine), 12, wide - 10);
                    vec![title, fit(&picture.subtitle(machine), SMALL, wide)]
                }
                Look::Chip => vec![fit(&picture.title(machine), SMALL, self.cell.0 - 8)],
                _ => Vec::new(),
            };
            x += self.cell.0 + SPACE;
            if n % self.columns == 0 {
                (x, y) = (left, y + self.cell.1 + SPACE);
            }
        }
        holder
    }
}
