//! What is marked at a thing: what a plan would do to it, or how it is in the account.

use crate::diff::{Action, Change, PROTECT};
use crate::kinds::instance::STOPPED;
use crate::kinds::{self, load_balancer};
use crate::model::{Status, TargetHealth};
use crate::snapshot::Resource;

/// The colours, from the harmless to the grave: of several things shown as one, the gravest stands for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    Healthy,
    /// The file has it, and the account has not: nothing that could be sick.
    Absent,
    /// On its way into service, or out of it.
    Waiting,
    Unhealthy,
    Create,
    Change,
    /// A change that answers to an edit of the account alone.
    Drift,
    Replace,
    Delete,
}

impl Sign {
    pub const ALL: [Self; 9] = [
        Self::Create,
        Self::Change,
        Self::Drift,
        Self::Replace,
        Self::Delete,
        Self::Healthy,
        Self::Waiting,
        Self::Unhealthy,
        Self::Absent,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Absent => "not there yet",
            Self::Waiting => "waiting",
            Self::Unhealthy => "unhealthy",
            Self::Create => "create",
            Self::Change => "change",
            Self::Drift => "drift",
            Self::Replace => "replace",
            Self::Delete => "delete",
        }
    }

    /// Its name where a name is one word.
    pub fn class(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            sign => sign.word(),
        }
    }

    /// One character for who sees no colours.
    pub fn glyph(self) -> &'static str {
        match self {
            Self::Healthy => "\u{2713}",
            Self::Absent => "\u{25e6}",
            Self::Waiting => "\u{2026}",
            Self::Unhealthy => "!",
            Self::Create => "+",
            Self::Change => "~",
            Self::Drift => "\u{2248}",
            Self::Replace => "\u{00b1}",
            Self::Delete => "\u{2212}",
        }
    }
}

/// A sign, and why it is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    pub sign: Sign,
    /// In words of AWS or of ours, where there is more to say.
    pub reason: Option<String>,
    /// What the plan changes.
    pub change: Option<Change>,
}

impl Mark {
    pub(super) fn of_change(change: &Change) -> Self {
        let moved = change.fields.iter().any(|field| field.field != PROTECT);
        let sign = match change.action {
            Action::Create => Sign::Create,
            Action::Replace => Sign::Replace,
            Action::Delete => Sign::Delete,
            Action::Update if moved && change.drifted() => Sign::Drift,
            Action::Update => Sign::Change,
        };
        Self { sign, reason: change.reason.clone(), change: Some(change.clone()) }
    }

    /// How a thing is by its own state.
    pub(super) fn of_status(seen: &Resource) -> Option<Self> {
        let (sign, reason) = match &seen.status {
            Status::Ready => return None,
            // It serves nobody, and nothing will come of it by itself.
            Status::Pending(state) if state == STOPPED => (Sign::Unhealthy, state.clone()),
            Status::Pending(state) => (Sign::Waiting, state.clone()),
            Status::Failed(state) => (Sign::Unhealthy, state.clone()),
            Status::Deleting | Status::Gone => (Sign::Delete, "deleting".to_owned()),
        };
        Some(Self { sign, reason: Some(reason), change: None })
    }

    /// Of what AWS tells a state of, one that is up is well. Machines have target groups to say so.
    pub(super) fn of_ready(seen: &Resource) -> Option<Self> {
        let kind = seen.address.kind();
        let tells = kind == load_balancer::SCHEMA.kind
            || kinds::by_name(kind)
                .is_some_and(|kind| kind.schema().field("subnet_group").is_some());
        tells.then_some(Self { sign: Sign::Healthy, reason: None, change: None })
    }

    /// How a target is, as its group finds it.
    pub(super) fn of_health(health: &TargetHealth) -> Self {
        let sign = match health {
            health if health.is_healthy() => Sign::Healthy,
            health if health.is_unhealthy() => Sign::Unhealthy,
            _ => Sign::Waiting,
        };
        Self { sign, reason: Some(health.to_string()), change: None }
    }

    pub(super) fn absent() -> Self {
        Self { sign: Sign::Absent, reason: None, change: None }
    }
}
