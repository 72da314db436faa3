//! `ecdeploy man`: the manual pages, one a command.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man as Page;

use super::{SUCCESS, command};
use crate::error::{Error, ErrorKind, Result};
use crate::report;

/// The day of the pages: this version's in the changelog; before it has one, that of their last great change.
const DATE: &str = "2026-11-27";

/// Print the manual page, or write those of all commands to a folder
#[derive(Args)]
#[command(after_help = "\
Examples:
  Read the first page:
    ecdeploy man | man -l -
  Install all, and read one:
    ecdeploy man --out ~/.local/share/man/man1
    man ecdeploy-plan")]
pub struct Man {
    /// The folder to write them to; it is made if it isn't there
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Man {
    pub fn run(&self) -> Result<u8> {
        match &self.out {
            None => {
                let mut text = Vec::new();
                page(command()).render(&mut text).map_err(|error| {
                    Error::new(ErrorKind::File, "can't write the manual page").source(error)
                })?;
                report::print(&String::from_utf8_lossy(&text))?;
            }
            Some(folder) => write(folder).map_err(|error| {
                Error::new(ErrorKind::File, format!("can't write to {}: {error}", folder.display()))
                    .source(error)
                    .hint("choose a folder for --out that can be written")
            })?,
        }
        Ok(SUCCESS)
    }
}

fn write(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    // Built, each command knows by which words it is called.
    let mut all = command();
    all.build();
    let commands = all.get_subcommands().filter(|command| !command.is_hide_set());
    for command in commands.chain([&all]) {
        page(command.clone()).generate_to(folder)?;
    }
    Ok(())
}

fn page(command: Command) -> Page {
    let of = concat!("ecdeploy ", env!("CARGO_PKG_VERSION"));
    Page::new(command).date(DATE).source(of).manual("ecdeploy")
}
