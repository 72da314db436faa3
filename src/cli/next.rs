//! What is to be run next: a line for a shell, with the flags that the command before it was given.

use std::path::Path;

use super::{Global, SPEED};

/// A command line of ecdeploy, each word as a POSIX shell takes it back.
pub fn line<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().fold("ecdeploy".to_owned(), |line, word| line + " " + &quoted(word))
}

/// A flag before each of its values.
pub fn each<'a>(flag: &'a str, values: &'a [String]) -> impl Iterator<Item = String> {
    values.iter().flat_map(move |value| [flag.to_owned(), value.clone()])
}

impl Global {
    /// The command with these flags, on the same topology and account.
    pub fn next(&self, command: &str, flags: impl IntoIterator<Item = String>) -> String {
        let file = self.topology.iter().flat_map(|file| ["-f".to_owned(), shown(file)]);
        let variables = self.variables.iter();
        let variables =
            variables.flat_map(|(name, value)| ["--var".to_owned(), format!("{name}={value}")]);
        let flags: Vec<String> =
            file.chain(variables).chain(self.where_to()).chain(flags).collect();
        line([command].into_iter().chain(flags.iter().map(String::as_str)))
    }

    /// The command on a saved plan, which has its topology and variables in it.
    pub fn next_on(
        &self,
        command: &str,
        plan: &Path,
        flags: impl IntoIterator<Item = String>,
    ) -> String {
        let flags: Vec<String> = self.where_to().into_iter().chain(flags).collect();
        line([command, &shown(plan)].into_iter().chain(flags.iter().map(String::as_str)))
    }

    /// Which account is meant.
    fn where_to(&self) -> Vec<String> {
        if !self.sandbox {
            return Vec::new();
        }
        let sandbox = ["--sandbox".to_owned()].into_iter();
        let speed = (self.sandbox_speed != SPEED)
            .then(|| ["--sandbox-speed".to_owned(), self.sandbox_speed.to_string()]);
        sandbox.chain(speed.into_iter().flatten()).collect()
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./,:@+%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_shell_takes_each_word_back_as_it_was() {
        assert_eq!(
            line(["apply", "--var", "a=b", "-f", "x/y.toml"]),
            "ecdeploy apply --var a=b -f x/y.toml"
        );
        assert_eq!(line(["apply", "it's $HOME", ""]), "ecdeploy apply 'it'\\''s $HOME' ''");
        assert_eq!(line(["~", "*", "a;b"]), "ecdeploy '~' '*' 'a;b'");
    }
}
