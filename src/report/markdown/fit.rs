//! Which blocks there is room for: whole ones only, the most important first, those of a group together.

/// A block of a group.
#[derive(Clone, Debug)]
pub struct Block {
    pub text: String,
    /// Those with the lowest come first when room is short.
    pub rank: (usize, bool),
}

/// Of each group, which of its blocks fit into `room` bytes, when a group with any of them takes `frame` more.
pub fn fit(groups: &[Vec<Block>], frames: &[usize], room: usize) -> Vec<Vec<bool>> {
    let mut kept: Vec<Vec<bool>> = groups.iter().map(|group| vec![false; group.len()]).collect();
    let mut order: Vec<(usize, usize)> = groups
        .iter()
        .enumerate()
        .flat_map(|(g, group)| (0..group.len()).map(move |b| (g, b)))
        .collect();
    order.sort_by_key(|(g, b)| groups[*g][*b].rank);
    let mut left = room;
    for (g, b) in order {
        let begun = kept[g].contains(&true);
        let frame = if begun { 0 } else { frames.get(g).copied().unwrap_or(0) };
        if let Some(rest) = left.checked_sub(groups[g][b].text.len() + frame) {
            left = rest;
            kept[g][b] = true;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn groups() -> impl Strategy<Value = Vec<Vec<Block>>> {
        let block = (0_usize..200, 0_usize..3)
            .prop_map(|(length, rank)| Block { text: "x".repeat(length), rank: (rank, false) });
        prop::collection::vec(prop::collection::vec(block, 1..8), 0..6)
    }

    proptest! {
        #[test]
        fn what_is_kept_fits_and_nothing_that_fits_too_is_left_out(
            groups in groups(), frame in 0_usize..50, room in 0_usize..2_000,
        ) {
            let frames = vec![frame; groups.len()];
            let kept = fit(&groups, &frames, room);
            let mut size = 0;
            for (group, kept) in groups.iter().zip(&kept) {
                size += if kept.contains(&true) { frame } else { 0 };
                size += group.iter().zip(kept).filter(|(_, k)| **k).map(|(b, _)| b.text.len()).sum::<usize>();
            }
            prop_assert!(size <= room, "{size} in {room}");
            for (group, kept) in groups.iter().zip(&kept) {
                let frame = if kept.contains(&true) { 0 } else { frame };
                for (block, kept) in group.iter().zip(kept) {
                    prop_assert!(*kept || size + frame + block.text.len() > room);
                }
            }
        }

        #[test]
        fn what_is_dangerous_is_left_out_last(groups in groups(), room in 0_usize..2_000) {
            let kept = fit(&groups, &vec![0; groups.len()], room);
            let all = || groups.iter().zip(&kept).flat_map(|(group, kept)| group.iter().zip(kept));
            for (lost, _) in all().filter(|(_, kept)| !**kept) {
                // There was no room for it beside those that come before it.
                let before: usize =
                    all().filter(|(block, kept)| **kept && block.rank <= lost.rank).map(|(block, _)| block.text.len()).sum();
                prop_assert!(before + lost.text.len() > room);
            }
        }
    }
}
