//! What a target group finds of one of its targets, and how long that is waited for.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The state of a target that gets requests.
const HEALTHY: &str = "healthy";
/// The state of one that was taken out, and finishes what it has begun.
const DRAINING: &str = "draining";

/// The state of one that gets requests, but fails its checks.
const UNHEALTHY: &str = "unhealthy";

/// One target of one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetHealth {
    /// The target group's id.
    pub group: String,
    /// The instance's id.
    pub target: String,
    /// AWS's word: `initial`, `healthy`, `unhealthy`, `unused`, `draining`.
    pub state: String,
    /// AWS's code for why it is another than healthy: `Target.FailedHealthChecks`.
    pub reason: Option<String>,
    /// AWS's sentence on it: `Health checks failed with these codes: [502]`.
    pub description: Option<String>,
}

/// What is waited for when a machine goes into service or out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Serving {
    /// How many of its group stay healthy when one is taken out.
    pub min_healthy: u32,
    /// Seconds within which one has to be healthy; with 0 that is not waited for.
    pub healthy_deadline: u32,
    /// Seconds that one has to finish what it has begun.
    pub deregistration_delay: u32,
}

impl TargetHealth {
    pub fn is_healthy(&self) -> bool {
        self.state == HEALTHY
    }

    pub fn is_unhealthy(&self) -> bool {
        self.state == UNHEALTHY
    }

    pub fn is_draining(&self) -> bool {
        self.state == DRAINING
    }
}

impl fmt::Display for TargetHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Some(reason) => write!(f, "{}: {reason}", self.state),
            None => write!(f, "{}", self.state),
        }
    }
}
