//! `ecdeploy trace`: a request's way through the system, or every way there is.

use std::net::Ipv4Addr;

use clap::{Args, ValueEnum};
use ipnet::Ipv4Net;

use super::context::Wanted;
use super::{Global, SUCCESS};
use crate::error::Result;
use crate::report::{self, document};
use crate::snapshot;
use crate::trace::{Request, Scene, audit, trace, uses};

/// Something on the way is closed.
const CLOSED: u8 = 1;

/// Follow a request from DNS to the database, checking each hop against security groups and routes
#[derive(Args)]
#[command(after_help = "\
Examples:
  Follow a request through the file:
    ecdeploy trace /api/auth/register
  The same through the account as it is, for one sender:
    ecdeploy trace /api/auth/register --live --from 203.0.113.10
  Check that nothing is closed that has to be open:
    ecdeploy trace --all

Exit codes:
  0 open all the way, 1 something is closed (or an error)")]
pub struct Trace {
    /// The path of the request, such as /api/auth/register
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    path: Option<String>,
    /// Check every route and everything that a service uses
    #[arg(long)]
    all: bool,
    /// Go through the account as it is, not through the file; shows health, too
    #[arg(long)]
    live: bool,
    /// Who sends the request, an address or a CIDR block [default: anybody]
    #[arg(long, value_name = "ADDRESS", value_parser = sender)]
    from: Option<Ipv4Net>,
    /// How to print the way
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

impl Trace {
    pub async fn run(&self, global: &Global) -> Result<u8> {
        // A wrong path is told before the account is asked anything.
        let request = self.path.as_deref().map(str::parse).transpose()?;
        let Wanted { topology, desired } = global.wanted()?;
        let uses = uses(&topology);
        if !self.live {
            let file = global.topology_path();
            let of = format!("{} as {} has it", desired.topology, file.display());
            return self.show(&Scene::of_file(&desired, &uses), request.as_ref(), &of);
        }
        let cloud = global.cloud(&desired).await?;
        let snapshot = snapshot::read(cloud.as_ref(), &desired).await?;
        let scene = Scene::of_account(&snapshot, &uses);
        self.show(&scene, request.as_ref(), &global.account_line(&desired))
    }

    fn show(&self, scene: &Scene<'_>, request: Option<&Request>, of: &str) -> Result<u8> {
        let json = self.format == Format::Json;
        let open = match request {
            Some(request) => {
                let walk = trace(scene, request, self.from);
                if json {
                    report::print_json(&document::Trace::Walk((&walk).into()))?;
                } else {
                    report::print(&report::trace::text(&walk, of))?;
                }
                walk.open
            }
            None => {
                let audit = audit(scene, self.from);
                if json {
                    report::print_json(&document::Trace::Audit((&audit).into()))?;
                } else {
                    report::print(&report::trace::table(&audit, of))?;
                }
                audit.open
            }
        };
        Ok(if open { SUCCESS } else { CLOSED })
    }
}

fn sender(text: &str) -> Result<Ipv4Net, String> {
    let block = text.parse::<Ipv4Net>().or_else(|_| text.parse::<Ipv4Addr>().map(Ipv4Net::from));
    block.map_err(|_| {
        "an address or a block of IPv4, such as 203.0.113.10 or 203.0.113.0/24".to_owned()
    })
}
