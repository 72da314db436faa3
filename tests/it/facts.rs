//! The emulators are as `tests/emulators/README.md` says, and no test file is forgotten.

use std::fs;
use std::process::Output;

use crate::emulator::Emulator;
use crate::venv;

on_each_emulator!(it_is_as_its_table_says);

/// Each thing that is said to be right or repaired is so; what is said not to be checked there is still wrong.
fn it_is_as_its_table_says(emulator: Emulator) {
    let account = emulator.lend();
    let output = venv::script("check.py").args([emulator.name(), &account.url()]).output();
    let output = output.expect("check.py");
    assert!(output.status.success(), "{}", told(&output));
}

#[test]
fn the_readme_holds_the_table() {
    let output = venv::script("check.py").arg("--table").output().expect("check.py");
    assert!(output.status.success(), "{}", told(&output));
    let readme = fs::read_to_string(venv::emulators().join("README.md")).expect("README.md");
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(readme.contains(table.trim()), "put this into tests/emulators/README.md:\n{table}");
}

#[test]
fn no_test_file_is_forgotten() {
    let folder = venv::root().join("tests/it");
    let main = fs::read_to_string(folder.join("main.rs")).expect("main.rs");
    for entry in fs::read_dir(folder).expect("tests/it") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name in UTF-8");
        let module = name.trim_end_matches(".rs");
        assert!(
            ["main", "snapshots"].contains(&module) || main.contains(&format!("mod {module};")),
            "{name} is not in main.rs"
        );
    }
}

fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}
