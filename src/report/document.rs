//! What commands print as one JSON document, with the version of its form.

use schemars::JsonSchema;
use serde::Serialize;

use crate::iam::{Document, Purpose};
use crate::rehearsal::Rehearsal;
use crate::topology::Diagnostics;
use crate::trace::{Audit, Walk};

/// The versions of the forms.
pub const VALIDATE: u32 = 1;
pub const REHEARSE: u32 = 1;
pub const TRACE: u32 = 1;
pub const IAM_POLICY: u32 = 1;

/// An object, and the version of its form.
#[derive(Serialize, JsonSchema)]
pub struct Versioned<T, const FORMAT: u32> {
    #[schemars(extend("const" = FORMAT))]
    format: u32,
    #[serde(flatten)]
    document: T,
}

impl<T, const FORMAT: u32> From<T> for Versioned<T, FORMAT> {
    fn from(document: T) -> Self {
        Self { format: FORMAT, document }
    }
}

/// `validate --format json`.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Validate<'a> {
    Sound(Versioned<Sound<'a>, VALIDATE>),
    Faulty(Versioned<Faulty<'a>, VALIDATE>),
}

/// A topology that is one.
#[derive(Serialize, JsonSchema)]
pub struct Sound<'a> {
    #[schemars(extend("const" = true))]
    valid: bool,
    topology: &'a str,
    /// How many it asks for.
    resources: usize,
}

/// What is wrong with a file.
#[derive(Serialize, JsonSchema)]
pub struct Faulty<'a> {
    #[schemars(extend("const" = false))]
    valid: bool,
    #[serde(flatten)]
    diagnostics: &'a Diagnostics,
}

impl<'a> Validate<'a> {
    pub fn sound(topology: &'a str, resources: usize) -> Self {
        Self::Sound(Sound { valid: true, topology, resources }.into())
    }

    pub fn faulty(diagnostics: &'a Diagnostics) -> Self {
        Self::Faulty(Faulty { valid: false, diagnostics }.into())
    }
}

/// `rehearse --format json`.
pub type Rehearse<'a> = Versioned<&'a Rehearsal, REHEARSE>;

/// `trace --format json`: one request's way, or with --all every way there is.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Trace<'a> {
    Walk(Versioned<&'a Walk, TRACE>),
    Audit(Versioned<&'a Audit, TRACE>),
}

/// One of the list that `iam-policy --format json` is.
pub type IamPolicy<'a> = Versioned<Policy<'a>, IAM_POLICY>;

/// One policy of IAM's.
#[derive(Serialize, JsonSchema)]
pub struct Policy<'a> {
    /// What it may be called.
    pub name: String,
    #[serde(rename = "for")]
    pub purpose: Purpose,
    /// Which of several documents it is, from 1.
    pub document: usize,
    /// How many there are for the purpose: all of them are needed.
    pub documents: usize,
    /// As IAM counts them.
    pub characters: usize,
    pub policy: &'a Document,
}
