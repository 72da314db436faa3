//! How each class of error looks. The files stand in `tests/topologies/broken`.

use std::fs;
use std::path::Path;

use super::*;
use crate::desired::{check, desired};
use crate::policy;
use crate::topology::parse;

const DRAWN: &str = include_str!("../../../topology.toml");

fn rendered(file: &str, text: &str, vars: &[(String, String)]) -> String {
    let checked = parse(file, text, vars).and_then(|topology| {
        check(&topology, &desired(&topology))?;
        policy::check(&topology)
    });
    match checked {
        Ok(()) => format!("no errors in {file}\n"),
        Err(diagnostics) => render(&diagnostics, false, 120),
    }
}

macro_rules! broken {
    ($($name:ident: $file:literal,)*) => {
        const FILES: &[&str] = &[$($file),*];
        $(#[test]
        fn $name() {
            let text = include_str!(concat!("../../../tests/topologies/broken/", $file));
            insta::assert_snapshot!(stringify!($name), rendered($file, text, &[]));
        })*
    };
}

broken! {
    addresses: "addresses.toml",
    caches: "caches.toml",
    certificate: "certificate.toml",
    data: "data.toml",
    in_defaults: "in-defaults.toml",
    load_balancer: "load-balancer.toml",
    machines: "machines.toml",
    long_names: "long-names.toml",
    many: "many.toml",
    missing: "missing.toml",
    moved: "moved.toml",
    moved_addresses: "moved-addresses.toml",
    names: "names.toml",
    no_load_balancer: "no-load-balancer.toml",
    not_toml: "not-toml.toml",
    not_toml_header: "not-toml-header.toml",
    policy: "policy.toml",
    policy_keys: "policy-keys.toml",
    redirect: "redirect.toml",
    references: "references.toml",
    region: "region.toml",
    replicas: "replicas.toml",
    routes: "routes.toml",
    services: "services.toml",
    small_subnets: "small-subnets.toml",
    subnets: "subnets.toml",
    types: "types.toml",
    unknown_keys: "unknown-keys.toml",
    variables: "variables.toml",
    ways: "ways.toml",
}

#[test]
fn every_broken_file_is_tested() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/topologies/broken");
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(FILES.contains(&name.as_str()), "{name} is in no test");
    }
}

#[test]
fn an_error_without_a_place_has_no_snippet() {
    let vars = [("acount".to_owned(), "210987654321".to_owned())];
    insta::assert_snapshot!(rendered("topology.toml", DRAWN, &vars));
}

#[test]
fn colour_only_where_it_is_asked_for() {
    let broken = DRAWN.replace("port      = 3001", "port = 0");
    let diagnostics = parse("topology.toml", &broken, &[]).unwrap_err();
    let (plain, styled) = (render(&diagnostics, false, 80), render(&diagnostics, true, 80));
    assert!(!plain.contains('\u{1b}') && styled.contains('\u{1b}'));
}

#[test]
fn json_has_what_an_editor_needs() {
    let broken = DRAWN.replace("priority = 2,", "priority = 1,");
    let diagnostics = parse("topology.toml", &broken, &[]).unwrap_err();
    insta::assert_snapshot!(serde_json::to_string_pretty(&diagnostics).unwrap());
}

#[test]
fn columns_count_characters() {
    let text = "name = 'ü'\nregion = 'üü'\nvpc = { x = 'ü', cidr_block = 1 }\n";
    let diagnostics = parse("topology.toml", text, &[]).unwrap_err();
    let place = |wanted: &str| {
        let errors = diagnostics.errors().iter();
        errors
            .filter(|error| error.message.contains(wanted))
            .map(|error| (error.line, error.column))
            .collect::<Vec<_>>()
    };
    assert_eq!(place("cidr_block"), [(Some(3), Some(31))]);
    assert_eq!(place("`üü`"), [(Some(2), Some(10))]);
}

#[test]
fn user_data_can_get_too_large() {
    let long = "deep/".repeat(1500);
    let broken =
        DRAWN.replace("directory = \"${service}\"", &format!("directory = \"{long}here\""));
    let diagnostics = parse("topology.toml", &broken, &[]).unwrap_err();
    let user =
        diagnostics.errors().iter().find(|error| error.message.contains("too large")).unwrap();
    assert!(user.line.is_some() && user.hint.is_some());
    assert!(user.message.contains("16384"), "{}", user.message);
}
