//! `ecdeploy completions`: what a shell has to know to complete a command line.

use clap::{Args, ValueEnum};
use clap_complete::shells;

use super::{SUCCESS, command};
use crate::error::Result;
use crate::report;

/// Print the completions for a shell
#[derive(Args)]
#[command(after_help = "\
Examples:
  For bash, where bash-completion is installed:
    ecdeploy completions bash > ~/.local/share/bash-completion/completions/ecdeploy
  For zsh, with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc:
    ecdeploy completions zsh > ~/.zfunc/_ecdeploy
  For fish:
    ecdeploy completions fish > ~/.config/fish/completions/ecdeploy.fish")]
pub struct Completions {
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Completions {
    pub fn run(&self) -> Result<u8> {
        let mut command = command();
        let name = command.get_name().to_owned();
        let mut text = Vec::new();
        match self.shell {
            Shell::Bash => clap_complete::generate(shells::Bash, &mut command, name, &mut text),
            Shell::Zsh => clap_complete::generate(shells::Zsh, &mut command, name, &mut text),
            Shell::Fish => clap_complete::generate(shells::Fish, &mut command, name, &mut text),
        }
        report::print(&String::from_utf8_lossy(&text))?;
        Ok(SUCCESS)
    }
}
