//! The lines between a row's things. Requests go in lanes above the row, data in lanes below it, and to what several rows
//! share in a lane beside its column: no line crosses a box that it has nothing to do with.

use super::grid::{Band, Drawn, LANE};
use super::{Draft, Rect, Way};
use crate::graph::scene::Scene;

/// How far from a box a line turns.
const TURN: i32 = 8;
/// How far below a body its first lane is.
const FIRST: i32 = 9;

pub(super) fn draw(draft: &mut Draft<'_>, scene: &Scene<'_>, drawn: &Drawn<'_>) {
    for (at, (row, band)) in scene.rows.iter().zip(&drawn.bands).enumerate() {
        let fleets: Vec<usize> = row
            .fleets
            .iter()
            .filter_map(|fleet| drawn.fleets.get(&(at, fleet.subnet)).copied())
            .collect();
        for group in row.groups.iter().filter_map(|group| drawn.groups.get(group)) {
            for fleet in &fleets {
                requests(draft, drawn.channel, *band, (*group, *fleet));
            }
        }
        for used in &row.uses {
            let Some(store) = drawn.stores.get(used) else { continue };
            let lane = drawn.lanes.get(used).copied();
            for fleet in &fleets {
                data(draft, *band, (*fleet, *store), lane);
            }
        }
        for store in &row.stores {
            let Some(from) = drawn.stores.get(store.address) else { continue };
            let lane = band.end + FIRST + if row.uses.is_empty() { 0 } else { LANE };
            for (_, to) in drawn.copies.iter().filter(|(of, _)| *of == store.address) {
                copy(draft, lane, (*from, *to));
            }
        }
    }
}

fn requests(draft: &mut Draft<'_>, channel: i32, band: Band, (group, fleet): (usize, usize)) {
    let (from, to) = (draft.rect(group), draft.rect(fleet));
    let (y, lane) = (from.middle().1, band.top + 6);
    let x = to.middle().0;
    let points = vec![(from.right(), y), (channel, y), (channel, lane), (x, lane), (x, to.y)];
    draft.edge(Way::Request, group, fleet, points);
}

fn data(draft: &mut Draft<'_>, band: Band, (fleet, store): (usize, usize), beside: Option<i32>) {
    let (from, to) = (draft.rect(fleet), draft.rect(store));
    let lane = band.end + FIRST;
    let after = from.x > to.x;
    let points = match beside {
        None if from.x == to.x => {
            // One below the other in the same cell.
            vec![(from.middle().0, from.bottom()), (from.middle().0, to.y)]
        }
        _ if beside.is_some_and(|x| x < from.x) || (beside.is_none() && after) => {
            let out = (from.x, from.x - TURN);
            lanes(out, from, lane, beside, to, after)
        }
        _ => lanes((from.right(), from.right() + TURN), from, lane, beside, to, after),
    };
    draft.edge(Way::Data, fleet, store, points);
}

/// Out of the one box, along the lane below the row, and into the other.
fn lanes(
    (edge, out): (i32, i32),
    from: Rect,
    lane: i32,
    beside: Option<i32>,
    to: Rect,
    after: bool,
) -> Vec<(i32, i32)> {
    let begin = from.middle().1;
    let end = to.middle().1;
    let (turn, side) = match beside {
        Some(x) => (x, to.x),
        None if after => (to.right() + TURN, to.right()),
        None => (to.x - TURN, to.x),
    };
    vec![(edge, begin), (out, begin), (out, lane), (turn, lane), (turn, end), (side, end)]
}

fn copy(draft: &mut Draft<'_>, lane: i32, (from, to): (usize, usize)) {
    let (one, other) = (draft.rect(from), draft.rect(to));
    let (out, into) = (one.x + one.w / 4 * 3, other.x + other.w / 4);
    let points = vec![(out, one.bottom()), (out, lane), (into, lane), (into, other.bottom())];
    draft.edge(Way::Copy, from, to, points);
}
