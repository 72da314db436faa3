//! `ecdeploy validate`: the file alone, offline.

use clap::{Args, ValueEnum};

use super::{Global, SUCCESS};
use crate::error::Result;
use crate::report::{self, document};

/// Check the topology file, offline
#[derive(Args)]
#[command(after_help = "\
Examples:
  Check topology.toml:
    ecdeploy validate
  Check another file, with another value for a variable:
    ecdeploy validate -f shop.toml --var account=210987654321
  Have every error as data:
    ecdeploy validate --format json")]
pub struct Validate {
    /// How to print what is found
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

impl Validate {
    pub fn run(&self, global: &Global) -> Result<u8> {
        let desired = match global.desired() {
            Ok(desired) => desired,
            Err(error) => match (report::error::diagnostics(&error), self.format) {
                (Some(diagnostics), Format::Json) => {
                    report::print_json(&document::Validate::faulty(diagnostics))?;
                    return Ok(error.exit_code());
                }
                _ => return Err(error),
            },
        };
        match self.format {
            Format::Human => report::print(&format!(
                "{} is valid: `{}` has {} resources in {}.\n",
                global.topology_path().display(),
                desired.topology,
                desired.resources.len(),
                desired.region,
            ))?,
            Format::Json => {
                let resources = desired.resources.len();
                report::print_json(&document::Validate::sound(&desired.topology, resources))?;
            }
        }
        Ok(SUCCESS)
    }
}
