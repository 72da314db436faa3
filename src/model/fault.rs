//! An error of AWS (or the simulator), classified once, where it arrives.

use std::fmt;

/// What an error calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 5xx, time-out: the same call may succeed later, and may have been done.
    Transient,
    /// Refused for its rate, or for want of capacity: not done, and may succeed later.
    Throttled,
    /// The account is not that far: just created and not found, still in use, not in a state that allows it.
    NotYet,
    /// It isn't there.
    NotFound,
    /// It is there already.
    Exists,
    /// The credentials are valid but may not do this.
    Denied,
    /// There are no credentials, or AWS does not take them.
    Credentials,
    /// No answer from the endpoint.
    Unreachable,
    /// Repeating can't mend it.
    Fatal,
}

/// The code of a call that ecdeploy itself did not let out.
pub const NOT_SENT: &str = "NotSent";

/// One failed call.
#[derive(Clone, Debug)]
pub struct Fault {
    pub class: Class,
    /// The call, `ec2:CreateVpc`.
    pub operation: String,
    /// AWS's error code, `VpcLimitExceeded`; empty where no answer came.
    pub code: String,
    pub message: String,
    pub request_id: Option<String>,
}

impl Fault {
    pub fn new(class: Class, operation: &str, code: &str, message: impl Into<String>) -> Self {
        Self {
            class,
            operation: operation.to_owned(),
            code: code.to_owned(),
            message: message.into(),
            request_id: None,
        }
    }
}

impl Fault {
    /// What can be done about it, where AWS's own words don't say.
    pub fn hint(&self) -> Option<&'static str> {
        (self.code == "InvalidParameterCombination"
            && self.message.contains("previous storage change"))
        .then_some("AWS changes a database's storage once in six hours; then apply again")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.operation)?;
        if !self.code.is_empty() {
            write!(f, "{}: ", self.code)?;
        }
        write!(f, "{}", self.message)?;
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}
