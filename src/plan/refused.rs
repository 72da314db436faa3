//! Changes that AWS is known to refuse, and those that nobody can have meant: said when planning, with the line of the
//! file.

use super::occupied;
use super::order::Circle;
use crate::desired::Desired;
use crate::diff::{Action, Change};
use crate::error::Result;
use crate::kinds::{self, Refusal};
use crate::snapshot::Snapshot;
use crate::topology::{Diagnostic, Span};

/// # Errors
/// When one of the changes can't be made.
pub fn check(changes: &[Change], desired: &Desired, snapshot: &Snapshot) -> Result<()> {
    // What stands in [defaults] may be refused for each block that it serves: said once.
    let mut refused: Vec<(Option<Span>, &Change, Refusal, usize)> = Vec::new();
    for change in changes {
        let refusal = renamed(change, desired)
            .or_else(|| of(change, snapshot))
            .or_else(|| occupied::refuses(change, changes, snapshot));
        let Some(refusal) = refusal else { continue };
        let span = desired.span(&change.address, refusal.field);
        match refused.iter_mut().find(|(at, _, one, _)| *at == span && *one == refusal) {
            Some((.., more)) => *more += 1,
            None => refused.push((span, change, refusal, 0)),
        }
    }
    let errors = refused.into_iter().map(|(span, change, Refusal { message, hint, .. }, more)| {
        let more = match more {
            0 => String::new(),
            more => format!(" (and {more} more like it)"),
        };
        let message = format!("{}: {message}{more}", change.address);
        Diagnostic { span, ..Diagnostic::nowhere(message) }.hint(hint)
    });
    desired.refuse(errors.collect())
}

/// Where the file asks for what steps can't do because they wait for each other, and the field.
pub fn replacing(
    circle: &Circle,
    changes: &[Change],
    desired: &Desired,
) -> Option<(Span, &'static str)> {
    let address = circle.replaced.as_ref()?;
    let change = changes.iter().find(|change| change.address == *address)?;
    let moved = change.fields.iter().find(|moved| moved.replaces)?;
    let field = kinds::by_name(address.kind())?.schema().field(&moved.field)?.name;
    Some((desired.span(address, field)?, field))
}

/// What AWS calls a resource of this kind, where that follows from its block.
fn naming(kind: &str) -> Option<&'static str> {
    match kind {
        "iam_role" | "cache_subnet_group" | "security_group" => Some("name"),
        "db_instance" => Some("identifier"),
        "cache_cluster" => Some("cluster_id"),
        "replication_group" => Some("replication_group_id"),
        _ => None,
    }
}

/// What would be replaced only because its block's key makes another name by now: a `[[moved]]` block was taken away, or
/// a name that was written out. A database would begin empty.
fn renamed(change: &Change, desired: &Desired) -> Option<Refusal> {
    let field = naming(change.address.kind())?;
    let moved = change.fields.iter().find(|moved| moved.field == field && moved.replaces)?;
    if change.action != Action::Replace || !desired.named_by_key.contains(&change.address) {
        return None;
    }
    let (live, now) = (moved.before.as_ref()?.as_str()?, moved.after.as_str()?);
    let key = change.address.name();
    let former = now.rfind(key).and_then(|at| {
        let rest = live.strip_prefix(&now[..at])?;
        rest.strip_suffix(&now[at + key.len()..])
    });
    let (keep, replace) = match former {
        _ if field == "name" && change.address.kind() == "security_group" => {
            (format!("name = \"{live}\""), format!("name = \"{now}\""))
        }
        Some(former) => (format!("name = \"{former}\""), format!("name = \"{key}\"")),
        None => (format!("{field} = \"{live}\""), format!("{field} = \"{now}\"")),
    };
    Some(Refusal {
        field,
        message: format!(
            "it goes by `{live}` in the account, and its key makes `{now}`: it would be replaced"
        ),
        hint: format!(
            "write `{keep}` in its block to keep what is there, or the [[moved]] block again; \
             `{replace}` to have it replaced"
        ),
    })
}

fn of(change: &Change, snapshot: &Snapshot) -> Option<Refusal> {
    let (Action::Update, Some(after)) = (change.action, &change.after) else { return None };
    let live = snapshot.resources.get(&change.address)?;
    // What waits for a maintenance window can be taken back: what counts is what is there.
    let mut now = live.body.clone();
    now.extend(live.maintenance.iter().flat_map(|maintenance| maintenance.until_then.clone()));
    kinds::by_name(change.address.kind())?.refuses(&now, after)
}
