//! The command line: one file a command. To add one, write its file and give it a line in `Command`.

mod adopt;
mod apply;
mod carry_out;
mod checks;
mod completions;
mod context;
mod destroy;
mod export;
mod graph;
mod hold;
mod iam_policy;
mod man;
mod next;
mod plan;
mod policy;
mod prices;
mod rehearse;
mod saved;
mod scale;
mod schema;
mod signals;
mod status;
mod trace;
mod unlock;
mod validate;

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::error::{Error, ErrorKind, Result};
use crate::report;

/// What a command ends with, when it did what it was asked.
pub(crate) const SUCCESS: u8 = 0;

/// How many of the sandbox's seconds pass in one of ours, unless it is said.
const SPEED: f64 = 60.0;

#[derive(Parser)]
#[command(
    name = "ecdeploy",
    version,
    about = "Provisions the classic AWS web shop from one topology.toml, by diffing it against the live account.",
    after_help = "\
Examples:
  Try it without an AWS account:
    ecdeploy apply --sandbox
  In an account: check the file, see what would change, make it so:
    ecdeploy validate
    ecdeploy plan
    ecdeploy apply

Exit codes:
  0 done, 1 error; plan --detailed-exitcode: 2 there are changes; 3 somebody else holds the lock; 4 the plan is against \
the policy; status: 5 not all is healthy, 6 drift; 130, 143 interrupted by SIGINT, SIGTERM",
    disable_help_subcommand = true
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Args)]
pub(crate) struct Global {
    /// The topology file [default: topology.toml]
    #[arg(short = 'f', long = "topology", value_name = "FILE", global = true)]
    topology: Option<PathBuf>,
    /// Sets a variable of the topology; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = variable, global = true)]
    variables: Vec<(String, String)>,
    /// Works on a simulated account, kept in .ecdeploy/ beside the topology file; no AWS account is needed
    #[arg(long, global = true)]
    sandbox: bool,
    /// How many of the sandbox's seconds pass in one of ours
    #[arg(long, value_name = "N", default_value_t = SPEED, value_parser = speed, global = true)]
    sandbox_speed: f64,
}

#[derive(Subcommand)]
enum Command {
    Validate(validate::Validate),
    Plan(plan::Plan),
    Apply(apply::Apply),
    Destroy(destroy::Destroy),
    Rehearse(rehearse::Rehearse),
    Scale(scale::Scale),
    Adopt(adopt::Adopt),
    Status(status::Status),
    Trace(trace::Trace),
    Graph(graph::Graph),
    Unlock(unlock::Unlock),
    IamPolicy(iam_policy::IamPolicy),
    Export(export::Export),
    Schema(schema::Schema),
    Completions(completions::Completions),
    Man(man::Man),
}

/// The command line as data, of which completions, manual pages and the book are made.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Clap's own code for a usage error is 2, which here means "there are changes".
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    report::log::start();
    let code = match run(cli) {
        Ok(code) => code,
        Err(error) => {
            report::error::print(&error);
            error.exit_code()
        }
    };
    ExitCode::from(code)
}

fn run(cli: Cli) -> Result<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(ErrorKind::File, "can't start").source(error))?;
    let code = runtime.block_on(async {
        match cli.command {
            Command::Validate(command) => command.run(&cli.global),
            Command::Plan(command) => command.run(&cli.global).await,
            Command::Apply(command) => command.run(&cli.global).await,
            Command::Destroy(command) => command.run(&cli.global).await,
            Command::Rehearse(command) => command.run(&cli.global).await,
            Command::Scale(command) => command.run(&cli.global).await,
            Command::Adopt(command) => command.run(&cli.global).await,
            Command::Status(command) => command.run(&cli.global).await,
            Command::Trace(command) => command.run(&cli.global).await,
            Command::Graph(command) => command.run(&cli.global).await,
            Command::Unlock(command) => command.run(&cli.global).await,
            Command::IamPolicy(command) => command.run(&cli.global),
            Command::Export(command) => command.run(&cli.global).await,
            Command::Schema(command) => command.run(),
            Command::Completions(command) => command.run(),
            Command::Man(command) => command.run(),
        }
    });
    // A question that was not answered before a signal came is still waiting for its line.
    runtime.shutdown_background();
    code
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "a whole number is wanted, such as 3".to_owned())
}

fn within(range: RangeInclusive<u16>) -> impl Fn(&str) -> Result<u16, String> + Clone {
    move |text| match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!("a whole number from {} to {} is wanted", range.start(), range.end())),
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a variable is set as NAME=VALUE".to_owned()),
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && (0.01..=1e6).contains(&speed) => Ok(speed),
        _ => Err("a number between 0.01 and 1000000".to_owned()),
    }
}
