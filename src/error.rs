//! What went wrong, for people: a kind that decides the exit code, a source, and what to do next.

use std::fmt;

use crate::model::{Class, Fault, NOT_SENT};

/// The exit code where somebody else holds the lock.
const LOCKED: u8 = 3;
/// The exit code where the plan is against the policy.
const AGAINST_POLICY: u8 = 4;

/// What sort of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The command line asks for something that can't be.
    Usage,
    /// The topology file has errors.
    Topology,
    /// A file could not be read or written.
    File,
    /// Credentials, endpoint, account or region stand in the way.
    Access,
    /// The account or the file moved since the plan was made.
    Stale,
    /// Something is protected, or a person said no.
    Refused,
    /// The plan is against the policy.
    Policy,
    /// AWS refused a call.
    Aws,
    /// Somebody else is changing this topology.
    Locked,
    /// Some steps failed; the rest was done.
    Incomplete,
    /// Ctrl-C or SIGTERM, by its signal number.
    Interrupted(u8),
}

/// An error with its cause and a hint.
#[derive(Debug)]
pub struct Error {
    pub kind: ErrorKind,
    pub message: String,
    pub hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, source: None }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub fn exit_code(&self) -> u8 {
        match self.kind {
            ErrorKind::Interrupted(signal) => 128 + signal,
            ErrorKind::Locked => LOCKED,
            ErrorKind::Policy => AGAINST_POLICY,
            _ => 1,
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let service = fault.operation.split(':').next().unwrap_or_default().to_owned();
        let (kind, message, hint) = match fault.class {
            Class::Credentials if fault.code.is_empty() => (
                ErrorKind::Access,
                format!("no AWS credentials were found: {}", fault.message),
                "log in (`aws sso login`), set AWS_PROFILE to one of `aws configure list-profiles`, or try it without an account: \
                 add --sandbox"
                    .to_owned(),
            ),
            Class::Credentials => (
                ErrorKind::Access,
                format!("AWS does not accept these credentials: {fault}"),
                "they may have expired, belong to another partition, or the region may not be enabled for the account: \
                 log in again, and check `region` in the topology"
                    .to_owned(),
            ),
            Class::Denied => (
                ErrorKind::Access,
                format!("these credentials may not call {}: {}", fault.operation, fault.message),
                format!("ask for {} to be allowed for the role you use", fault.operation),
            ),
            Class::Unreachable => (
                ErrorKind::Access,
                format!("{service} gave no answer: {}", fault.message),
                "check the network, the region's name, and AWS_ENDPOINT_URL if it is set, and run the same command again"
                    .to_owned(),
            ),
            _ if fault.code == NOT_SENT => (
                ErrorKind::Refused,
                fault.message.clone(),
                "this is a fault in ecdeploy itself, please report it".to_owned(),
            ),
            _ => (ErrorKind::Aws, fault.to_string(), String::new()),
        };
        let error = Self::new(kind, message).source(fault);
        if hint.is_empty() { error } else { error.hint(hint) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
