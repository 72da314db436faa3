//! `ecdeploy graph`: the architecture as a picture.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::context::{Making, Wanted};
use super::saved::Saved;
use super::{Global, SUCCESS};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{self, Picture};
use crate::{report, snapshot};

/// Draw the architecture: zones, subnets, machines, the load balancer's rules, databases, security groups
#[derive(Args)]
#[command(after_help = "\
Examples:
  Draw the file's architecture in the terminal; as a picture, light or dark as its reader has it:
    ecdeploy graph
    ecdeploy graph --out shop.svg
  As a page of its own, with search: what apply would change, or the account by the health of its targets:
    ecdeploy graph --plan --out plan.html
    ecdeploy graph --live --out now.html
  What a plan would change for one service alone; or a plan that was saved:
    ecdeploy graph --plan --only service.user
    ecdeploy graph --plan shop.plan --out plan.svg
  For a README or a pull request; or laid out by Graphviz:
    ecdeploy graph --format mermaid
    ecdeploy graph --format dot | dot -Tsvg

A page may be linked to: now.html#q=user searches, now.html#at=instance.user-1 points at one thing.")]
pub struct Graph {
    /// How to draw it [default: by the ending of --out; else text]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write the picture to a file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Colour it by what apply would change in the account; with a file, by that saved plan, and ask no account
    #[arg(long, value_name = "FILE", conflicts_with = "live")]
    plan: Option<Option<PathBuf>>,
    #[command(flatten)]
    making: Making,
    /// Draw the account as it is, not the file; coloured by health
    #[arg(long)]
    live: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Svg,
    Html,
    Mermaid,
    Dot,
    Text,
}

impl Graph {
    pub async fn run(&self, global: &Global) -> Result<u8> {
        // An ending that says nothing is told before the account is asked anything.
        let format = self.format()?;
        let (picture, of) = self.picture(global).await?;
        let Some(out) = &self.out else {
            report::print(&draw(&picture, &of, format, report::columns()))?;
            return Ok(SUCCESS);
        };
        // A file is for others, whose terminals may be of any width and take no colours.
        let text = draw(&picture, &of, format, COLUMNS);
        let text = if format == Format::Text { report::plain(&text) } else { text };
        std::fs::write(out, text).map_err(|error| {
            Error::new(ErrorKind::File, format!("can't write {}: {error}", out.display()))
                .source(error)
        })?;
        report::say(&format!("Drawn in {}", out.display()));
        Ok(SUCCESS)
    }

    async fn picture(&self, global: &Global) -> Result<(Picture, String)> {
        if let Some(Some(path)) = &self.plan {
            return self.saved(global, path);
        }
        if self.plan.is_none() && self.making.given() {
            return Err(Error::new(
                ErrorKind::Usage,
                "these flags say what a plan is for, and no plan is to be drawn",
            )
            .hint("draw one: ecdeploy graph --plan, with the same flags"));
        }
        let desired = global.desired()?;
        if self.plan.is_none() && !self.live {
            let file = global.topology_path();
            let of = format!("{} as {} has it", desired.topology, file.display());
            return Ok((graph::of_desired(&desired), of));
        }
        let cloud = global.cloud(&desired).await?;
        let of = global.account_line(&desired);
        if self.live {
            let snapshot = snapshot::read(cloud.as_ref(), &desired).await?;
            return Ok((graph::of_account(&snapshot, &desired), of));
        }
        let (snapshot, plan) = self.making.plan(global, cloud.as_ref(), &desired).await?;
        let picture = graph::of_plan(&plan, &desired, Some(&snapshot));
        Ok((picture.noted(report::plan::part(&plan)), of))
    }

    fn saved(&self, global: &Global, path: &Path) -> Result<(Picture, String)> {
        let Saved { plan, global, wanted: Wanted { desired, .. } } =
            Saved::load(global, path, "graph --plan", self.making.given())?;
        plan.check_file(&desired)?;
        let global = Global { sandbox: plan.origin.sandbox, ..global };
        let of = format!("{}: {}", path.display(), global.account_line(&desired));
        let picture = graph::of_plan(&plan, &desired, None);
        Ok((picture.noted(report::plan::part(&plan)), of))
    }

    fn format(&self) -> Result<Format> {
        match (self.format, &self.out) {
            (Some(format), _) => Ok(format),
            (None, None) => Ok(Format::Text),
            (None, Some(out)) => by_ending(out),
        }
    }
}

/// What most terminals are wide.
const COLUMNS: usize = 80;

fn draw(picture: &Picture, of: &str, format: Format, columns: usize) -> String {
    match format {
        Format::Svg => report::graph::svg(picture),
        Format::Html => report::graph::page(picture),
        Format::Mermaid => report::graph::mermaid(picture),
        Format::Dot => report::graph::dot(picture),
        Format::Text => report::graph::text(picture, of, columns),
    }
}

fn by_ending(out: &Path) -> Result<Format> {
    let ending = out.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    Ok(match ending.as_str() {
        "svg" => Format::Svg,
        "html" | "htm" => Format::Html,
        "mmd" | "mermaid" => Format::Mermaid,
        "dot" | "gv" => Format::Dot,
        "txt" => Format::Text,
        _ => {
            let message = format!("the ending of {} says nothing of a format", out.display());
            return Err(Error::new(ErrorKind::Usage, message)
                .hint("use .svg, .html, .mmd, .dot or .txt, or say it with --format"));
        }
    })
}
