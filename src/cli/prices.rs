//! Where the prices come from that costs are estimated with.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use crate::cost::Prices;
use crate::desired::Desired;
use crate::error::{Error, ErrorKind, Result};

#[derive(Args, Default)]
pub struct PriceFile {
    /// Estimate costs with the prices in this file
    #[arg(long, value_name = "FILE")]
    price_file: Option<PathBuf>,
}

impl PriceFile {
    /// The prices of the topology's region.
    pub fn prices(&self, desired: &Desired) -> Result<Prices> {
        let Some(path) = &self.price_file else { return Prices::known(&desired.region) };
        let text = fs::read_to_string(path).map_err(|error| {
            Error::new(ErrorKind::File, format!("can't read {}: {error}", path.display()))
                .hint("name a file of prices: --price-file FILE")
                .source(error)
        })?;
        Prices::parse(&path.display().to_string(), &text, &desired.region)
    }
}
