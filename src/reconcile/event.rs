//! What reconcile tells of itself; reports know these, not the loop.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::Address;
use crate::plan::Verb;

/// Something happened to a step.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Event {
    /// Since the run began, on the account's clock, in seconds.
    #[serde(serialize_with = "seconds")]
    #[schemars(with = "f64")]
    pub at: Duration,
    /// The step's place in the plan.
    pub step: usize,
    pub address: Address,
    pub verb: Verb,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    Started,
    /// It has an id, and what needs no more goes on.
    Exists {
        id: String,
    },
    /// AWS said no for now; the call is repeated.
    Retrying {
        error: String,
    },
    Done {
        #[serde(serialize_with = "seconds")]
        #[schemars(with = "f64")]
        elapsed: Duration,
        id: String,
    },
    Failed {
        #[serde(serialize_with = "seconds")]
        #[schemars(with = "f64")]
        elapsed: Duration,
        error: String,
    },
    /// A step that it needs failed.
    Blocked {
        by: String,
    },
    /// Left to the next run after an interruption; what was begun AWS goes on with.
    Left,
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    #[expect(clippy::cast_precision_loss, reason = "durations are far below 2^52 ms")]
    serializer.serialize_f64(milliseconds as f64 / 1e3)
}

/// Who listens to a run.
pub trait Observer: Send + Sync {
    fn event(&self, event: &Event);

    /// Stopping has been asked for.
    fn stopping(&self) {}
}
