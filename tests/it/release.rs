//! What makes a release, as far as a machine of one's own can tell.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use tempfile::TempDir;

use crate::programs::{need, output};
use crate::venv;

fn script(name: &str) -> Command {
    Command::new(venv::root().join(".ci").join(name))
}

#[test]
fn an_archive_has_the_binary_its_manual_its_completions_and_schemas() {
    let folder = TempDir::new().expect("a folder");
    // The binary of a test is too great to be packed.
    let binary = folder.path().join("ecdeploy");
    let calls = format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_ecdeploy"));
    fs::write(&binary, calls).expect("a script");
    fs::set_permissions(&binary, PermissionsExt::from_mode(0o755)).expect("its mode");

    output(script("pack").arg(&binary).args(["some-target"]).arg(folder.path()));

    let name = format!("ecdeploy-{}-some-target.tar.gz", env!("CARGO_PKG_VERSION"));
    let listed = output(Command::new("tar").arg("-tzf").arg(folder.path().join(name)));
    let files: Vec<&str> = listed.lines().collect();
    for file in [
        "ecdeploy",
        "README.md",
        "CHANGELOG.md",
        "topology.toml",
        "man/man1/ecdeploy-plan.1",
        "completions/ecdeploy",
        "completions/_ecdeploy",
        "completions/ecdeploy.fish",
        "schemas/topology.schema.json",
        "schemas/events.schema.json",
        "schemas/iam-policy.schema.json",
    ] {
        assert!(files.contains(&file), "{file} is not in\n{listed}");
    }
}

#[test]
fn a_tag_that_is_not_the_version_is_no_release() {
    let refused = script("notes").arg("v0.0.0").output().expect("bash");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("the tag is for 0.0.0"), "{said}");
}

#[test]
fn shellcheck_finds_nothing_in_the_scripts() {
    for name in ["run", "pack", "notes"] {
        output(need("shellcheck").arg(venv::root().join(".ci").join(name)));
    }
}
