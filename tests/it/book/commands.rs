//! `docs/commands.md`: each command's help.

use crate::manual::commands;

const HEAD: &str = "\
# Commands

What `ecdeploy COMMAND --help` says. The options of `ecdeploy` itself are understood by every command.
[Exit codes](exit-codes.md) have a page of their own. This page is made from the program.
";

pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for (name, command) in commands() {
        let is_sub = name.contains(' ');
        let mut command = command.term_width(100).mut_args(|argument| {
            let hidden = argument.get_id() == "help" || (is_sub && argument.is_global_set());
            argument.hide(hidden)
        });
        let help = command.render_long_help().to_string();
        let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
        page.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", lines.join("\n")));
    }
    page
}
