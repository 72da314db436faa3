//! `ecdeploy schema`: what may stand in a topology, and what stands in what is printed for machines.

use clap::Args;

use super::SUCCESS;
use crate::error::Result;
use crate::report;
use crate::schema::{Document, schema};

/// Print the JSON Schema of the topology file, or of what a command prints with --format json
#[derive(Args)]
#[command(after_help = "\
Examples:
  Have the editor complete the file, with `#:schema ./topology.schema.json` as its first line:
    ecdeploy schema > topology.schema.json
  Check what a plan, each line of `apply --format json`, or a status has in it:
    ecdeploy schema plan
    ecdeploy schema events
    ecdeploy schema status")]
pub struct Schema {
    /// Whose
    #[arg(value_enum, default_value_t = Document::Topology)]
    document: Document,
}

impl Schema {
    pub fn run(&self) -> Result<u8> {
        report::print_json(&schema(self.document))?;
        Ok(SUCCESS)
    }
}
