//! Changes that AWS is known to refuse: said when planning, with the line of the file.

use std::path::Path;

use crate::desired::Desired;
use crate::diff::{Action, Change};
use crate::error::{Error, ErrorKind, Result};
use crate::kinds::{self, Refusal};
use crate::snapshot::Snapshot;

/// # Errors
/// When one of the changes can't be made.
pub fn check(
    changes: &[Change],
    desired: &Desired,
    snapshot: &Snapshot,
    file: &Path,
) -> Result<()> {
    let refused = |change: &Change| Some((change.address.clone(), of(change, snapshot)?));
    let mut refused = changes.iter().filter_map(refused);
    let Some((address, Refusal { field, message, hint })) = refused.next() else { return Ok(()) };
    let line = desired.field_lines.get(&(address.clone(), field.to_owned()));
    let place = match line.or(desired.lines.get(&address)) {
        Some(line) => format!("{}:{line}: ", file.display()),
        None => String::new(),
    };
    let more = match refused.count() {
        0 => String::new(),
        more => format!(" (and {more} more like it)"),
    };
    Err(Error::new(ErrorKind::Refused, format!("{place}{address}: {message}{more}")).hint(hint))
}

fn of(change: &Change, snapshot: &Snapshot) -> Option<Refusal> {
    let (Action::Update, Some(after)) = (change.action, &change.after) else { return None };
    let live = snapshot.resources.get(&change.address)?;
    // What waits for a maintenance window can be taken back: what counts is what is there.
    let mut now = live.body.clone();
    now.extend(live.maintenance.iter().flat_map(|maintenance| maintenance.until_then.clone()));
    kinds::by_name(change.address.kind())?.refuses(&now, after)
}
