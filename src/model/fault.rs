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

/// The code of a wait that was ended because stopping was wished.
pub const INTERRUPTED: &str = "Interrupted";

/// The code of what AWS did not get done in the time that was left to it.
pub const STILL: &str = "Timeout";

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
        let storage = self.code == "InvalidParameterCombination"
            && self.message.contains("previous storage change");
        let hint = match self.class {
            _ if storage => "AWS changes a database's storage once in six hours; then apply again",
            _ if self.code == STILL => {
                "AWS goes on with it: look at its events in AWS's console, and run the same command again when it is \
                 done; it goes on from here"
            }
            _ if self.ends_credentials() => {
                "AWS does not take these credentials any more: log in again (`aws sso login`), see that this \
                 machine's clock is right, and run the same command again; it goes on from here"
            }
            Class::NotYet if self.code == "DependencyViolation" => {
                "something else still uses it: look which network interfaces are left in it (a load balancer's go some \
                 minutes after it, what others made does not go by itself), and run the same command again"
            }
            Class::NotYet => {
                "something else is still under way there: when AWS is done with it, run the same command again; it \
                 goes on from here"
            }
            _ => return None,
        };
        Some(hint)
    }

    /// Whether no call can succeed any more with the credentials that there are. What is said of one call alone (EC2 says
    /// `AuthFailure` of somebody else's image, too) is not.
    pub fn ends_credentials(&self) -> bool {
        self.class == Class::Credentials
            && !matches!(self.code.as_str(), "AuthFailure" | "OptInRequired")
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
