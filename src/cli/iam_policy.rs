//! `ecdeploy iam-policy`: what IAM has to allow whom, without asking the account.

use clap::{Args, ValueEnum};

use super::{Global, SUCCESS};
use crate::error::{Error, ErrorKind, Result};
use crate::iam::{Document, LIMIT, Purpose, documents};
use crate::report;
use crate::report::document::{self, Policy};

/// Print the least IAM policies that plan and apply need for this topology
#[derive(Args)]
#[command(after_help = "\
Examples:
  All policies, with their names:
    ecdeploy iam-policy
  One document by itself, to give to `aws iam create-policy --policy-document`:
    ecdeploy iam-policy plan
    ecdeploy iam-policy apply --document 1")]
pub struct IamPolicy {
    /// The one for this [default: those for plan and apply]
    #[arg(value_enum)]
    purpose: Option<Wanted>,
    /// This document of several alone
    #[arg(long, value_name = "N", requires = "purpose")]
    document: Option<usize>,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Wanted {
    /// plan, rehearse, trace, status, graph
    Plan,
    /// apply, destroy, scale, unlock, export
    Apply,
    /// adopt; apply's, and setting the topology's tag on what bears none
    Adopt,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

/// A document, and which it is.
struct Named {
    purpose: Purpose,
    number: usize,
    of: usize,
    document: Document,
}

impl IamPolicy {
    pub fn run(&self, global: &Global) -> Result<u8> {
        let desired = global.desired()?;
        let purposes = match self.purpose {
            None => vec![Purpose::Plan, Purpose::Apply],
            Some(Wanted::Plan) => vec![Purpose::Plan],
            Some(Wanted::Apply) => vec![Purpose::Apply],
            Some(Wanted::Adopt) => vec![Purpose::Adopt],
        };
        let all = purposes.into_iter().flat_map(|purpose| {
            let documents = documents(&desired, purpose);
            let of = documents.len();
            let numbered = documents.into_iter().zip(1..);
            numbered.map(move |(document, number)| Named { purpose, number, of, document })
        });
        let mut all: Vec<Named> = all.collect();
        if let Some(wanted) = self.document {
            let count = all.len();
            all.retain(|one| one.number == wanted);
            if all.is_empty() {
                let message = format!("there is no document {wanted}");
                return Err(Error::new(ErrorKind::Usage, message)
                    .hint(format!("they are numbered from 1 to {count}")));
            }
        }
        match (self.format, &all[..]) {
            (Format::Json, _) => {
                let told: Vec<_> = all.iter().map(|one| one.told(&desired.topology)).collect();
                report::print_json(&told)?;
            }
            // By itself, for a pipe.
            (Format::Human, [only]) => report::print_json(&only.document)?,
            (Format::Human, all) => {
                for one in all {
                    report::print(&one.heading(&desired.topology))?;
                    report::print_json(&one.document)?;
                }
            }
        }
        Ok(SUCCESS)
    }
}

impl Named {
    /// What the policy may be called.
    fn name(&self, topology: &str) -> String {
        let number = if self.of == 1 { String::new() } else { format!("-{}", self.number) };
        format!("ecdeploy-{topology}-{}{number}", self.purpose.name())
    }

    fn heading(&self, topology: &str) -> String {
        let Self { number, of, .. } = self;
        let split = match of {
            1 => String::new(),
            of => format!(" Document {number} of {of}: all of them are needed."),
        };
        let characters = self.document.characters();
        format!("# {}: {characters} of {LIMIT} characters.{split}\n", self.name(topology))
    }

    fn told(&self, topology: &str) -> document::IamPolicy<'_> {
        document::IamPolicy::from(Policy {
            name: self.name(topology),
            purpose: self.purpose,
            document: self.number,
            documents: self.of,
            characters: self.document.characters(),
            policy: &self.document,
        })
    }
}
