//! What shells are told, in the shells themselves.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::product::Shop;
use crate::programs::{need, output};

/// A folder, and the completions in it.
fn written(shell: &str) -> (Shop, PathBuf) {
    let shop = Shop::at("http://127.0.0.1:9");
    let path = shop.path("_ecdeploy");
    fs::write(&path, shop.bare(&["completions", shell]).exits(0).stdout).expect("the completions");
    (shop, path)
}

/// What bash offers for the last of these words.
fn offered_by_bash(words: &[&str]) -> Vec<String> {
    let (_shop, path) = written("bash");
    let script = "source \"$0\"; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
                  _ecdeploy ecdeploy \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"; \
                  printf '%s\\n' \"${COMPREPLY[@]}\"";
    let said = output(Command::new("bash").args(["-c", script]).arg(path).args(words));
    said.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_flags_and_values() {
    let (_shop, path) = written("bash");
    output(Command::new("bash").arg("-n").arg(path));
    assert_eq!(offered_by_bash(&["ecdeploy", "re"]), ["rehearse"]);
    assert_eq!(offered_by_bash(&["ecdeploy", "plan", "--det"]), ["--detailed-exitcode"]);
    assert_eq!(offered_by_bash(&["ecdeploy", "apply", "--format", "j"]), ["json"]);
    assert_eq!(offered_by_bash(&["ecdeploy", "schema", ""])[..3].len(), 3);
}

#[test]
fn zsh_reads_what_it_is_told() {
    let (_shop, path) = written("zsh");
    output(need("zsh").arg("-n").arg(&path));
    let script =
        "autoload -U compinit && compinit -u -D && source \"$1\" && print $_comps[ecdeploy]";
    assert_eq!(output(need("zsh").args(["-fc", script, "zsh"]).arg(path)).trim(), "_ecdeploy");
}

#[test]
fn fish_completes_commands_flags_and_values() {
    let (shop, path) = written("fish");
    output(need("fish").arg("--no-execute").arg(&path));
    let offered = |line: &str| {
        let script = format!("source {}; complete --do-complete '{line}'", path.display());
        output(need("fish").env("HOME", shop.path(".")).args(["--no-config", "-c", &script]))
    };
    assert!(offered("ecdeploy re").starts_with("rehearse\t"), "{}", offered("ecdeploy re"));
    assert!(offered("ecdeploy plan --det").starts_with("--detailed-exitcode\t"));
    assert!(offered("ecdeploy apply --format j").starts_with("json"));
}
