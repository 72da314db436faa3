//! What a plan says beyond its changes: what else comes of them, and what it leaves out.

use super::told::changes_password;
use crate::diff::{Action, Change};
use crate::kinds::replication_group;
use crate::plan::Plan;
use crate::report::value::printable;

/// What comes of a change that its fields don't show.
pub struct Remark {
    pub subject: String,
    pub says: String,
    pub lost: &'static str,
}

/// Every remark on the plan.
pub fn remarks(plan: &Plan) -> Vec<Remark> {
    emptied(plan).chain(another_password(plan)).collect()
}

/// A cache that gets replicas, or loses them all, is another one.
fn emptied(plan: &Plan) -> impl Iterator<Item = Remark> {
    let caches = |action| {
        let of_action = plan.changes.iter().filter(move |change| change.action == action);
        of_action.filter(|change| replication_group::is_cache(change.address.kind()))
    };
    caches(Action::Create).filter_map(move |new| {
        let old = caches(Action::Delete).find(|old| old.address.name() == new.address.name())?;
        Some(Remark {
            subject: new.address.to_string(),
            says: format!("takes over from {}.", old.address),
            lost: "It begins empty; what the other one holds is lost. Machines change over within 3 minutes.",
        })
    })
}

/// A database that gets replicas, or loses them all, has another password.
fn another_password(plan: &Plan) -> impl Iterator<Item = Remark> {
    let moved = plan.changes.iter().filter(|change| changes_password(change));
    moved.map(|change| Remark {
        subject: change.address.to_string(),
        says: "gets another password.".to_owned(),
        lost: "It refuses new connections with the old one; machines have the new one within 3 minutes.",
    })
}

/// The final snapshots that are kept: of what, their names, and whether a new database begins empty beside them.
pub fn snapshots(plan: &Plan) -> Vec<(String, String, bool)> {
    let stays = |change: &Change| change.after.is_some();
    let kept = plan.final_snapshots().map(|(address, snapshot)| {
        (address.to_string(), printable(snapshot), plan.change(address).is_some_and(stays))
    });
    kept.collect()
}

/// What a plan is for that is not for everything, and how much it leaves out.
pub fn part(plan: &Plan) -> Option<String> {
    let choice = &plan.origin.choice;
    let of = |word: &str, names: &[String]| match names {
        [] => None,
        names => Some(format!("{word} {}", printable(&names.join(", ")))),
    };
    let parts: Vec<String> =
        [of("only", &choice.only), of("except", &choice.except)].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| {
        let left_out = match plan.left_out {
            0 => "nothing is left out".to_owned(),
            1 => "1 other change is left out".to_owned(),
            n => format!("{n} other changes are left out"),
        };
        format!("{}; {left_out}.", parts.join(", "))
    })
}

/// What is said of a plan that changes nothing.
pub fn nothing(plan: &Plan) -> &'static str {
    use crate::plan::Goal;
    match plan.goal {
        _ if plan.left_out > 0 => "No changes in this part.",
        Goal::Reach if !plan.pending.is_empty() => {
            "No changes. The account is what the topology says, or will be by itself."
        }
        Goal::Reach => "No changes. The account is what the topology says.",
        Goal::Destroy => "Nothing to delete. Nothing in the account bears the topology's tags.",
    }
}
