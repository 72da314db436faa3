//! What a plan does against the policy, as it is printed: each violation with its lines, those that refuse the plan first.

use annotate_snippets::{Level, Renderer};

use super::{count, diagnostics};
use crate::policy::{Violation, told};
use crate::topology::Topology;

/// Every violation with the rule's line and that of the block to blame; nothing where there is none.
pub fn text(violations: &[Violation], topology: &Topology, colour: bool, width: usize) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(width);
    let (refusing, others): (Vec<_>, Vec<_>) = violations.iter().partition(|one| one.refuses());
    let mut text = String::new();
    for (level, some) in [(Level::ERROR, &refusing), (Level::WARNING, &others)] {
        let found = told(some.iter().copied(), topology);
        let snippets = diagnostics::snippets(&found, &level, &renderer);
        if !snippets.is_empty() {
            text.push('\n');
            text.push_str(&snippets);
        }
    }
    if !refusing.is_empty() {
        text.push_str(&format!("{} of the policy\n", count(refusing.len(), "violation")));
    }
    text
}
