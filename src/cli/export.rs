//! `ecdeploy export`: what is managed, in the words of another tool. It only looks.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{Global, SUCCESS};
use crate::error::{Error, ErrorKind, Result};
use crate::export::{Export as Written, FILES, export};
use crate::plan::Goal;
use crate::report;

/// Write what is managed as another tool's configuration
#[derive(Args)]
#[command(after_help = "\
Examples:
  Leave: everything as Terraform's, with an import block for each resource:
    ecdeploy export terraform --out tf")]
pub struct Export {
    #[command(subcommand)]
    to: To,
}

#[derive(Subcommand)]
enum To {
    Terraform(Terraform),
}

/// As Terraform's, with import blocks: `terraform plan` on it adds nothing and destroys nothing
#[derive(Args)]
struct Terraform {
    /// Write the files into this directory, which is made; stdout gets them all in one otherwise
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write into a directory that is not empty, over the files of an earlier export
    #[arg(long, requires = "out")]
    force: bool,
}

impl Export {
    pub async fn run(&self, global: &Global) -> Result<u8> {
        let To::Terraform(terraform) = &self.to;
        terraform.run(global).await
    }
}

impl Terraform {
    async fn run(&self, global: &Global) -> Result<u8> {
        if let Some(out) = self.out.as_deref().filter(|_| !self.force) {
            refuse_what_is_there(out)?;
        }
        let desired = global.desired()?;
        let cloud = global.cloud(&desired).await?;
        // Whoever leaves needs nothing of what the file looks up.
        let snapshot = global.snapshot(cloud.as_ref(), &desired, Goal::Destroy).await?;
        let snapshot = snapshot.with_details(cloud.as_ref()).await?;
        let written = export(&snapshot, &desired.account, &desired.region);
        match &self.out {
            None => report::print(&in_one(&written))?,
            Some(out) => {
                write(out, &written).map_err(|error| {
                    let what = report::printable(&out.display().to_string());
                    Error::new(ErrorKind::File, format!("can't write to {what}: {error}"))
                        .source(error)
                })?;
            }
        }
        if !snapshot.extras.is_empty() {
            let left = report::count(snapshot.extras.len(), "resource");
            report::say(&format!("Left out: {left} on the way out."));
        }
        let imports = report::count(written.imports, "resource");
        report::say(&format!("{imports} of Terraform's to import."));
        if let Some(out) = &self.out {
            let out = report::printable(&out.display().to_string());
            report::say(&format!(
                "Look before you leave: terraform -chdir={out} init && terraform -chdir={out} plan"
            ));
        }
        Ok(SUCCESS)
    }
}

/// The files as one.
fn in_one(written: &Written) -> String {
    let files = written.files.iter().map(|file| format!("# {}\n\n{}", file.name, file.text));
    files.collect::<Vec<_>>().join("\n")
}

fn refuse_what_is_there(out: &Path) -> Result<()> {
    let there = match fs::read_dir(out) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => {
            let what = report::printable(&out.display().to_string());
            return Err(Error::new(ErrorKind::File, format!("can't write to {what}: {error}"))
                .source(error));
        }
    };
    if there {
        let what = report::printable(&out.display().to_string());
        return Err(Error::new(ErrorKind::Usage, format!("{what} is not empty"))
            .hint("name another directory, or write over an earlier export with --force"));
    }
    Ok(())
}

/// Writes the files. One of an earlier export that there is none of any more goes.
fn write(out: &Path, written: &Written) -> io::Result<()> {
    fs::create_dir_all(out)?;
    for name in FILES {
        let path = out.join(name);
        match written.files.iter().find(|file| file.name == name) {
            Some(file) => fs::write(path, &file.text)?,
            None => match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            },
        }
    }
    Ok(())
}
