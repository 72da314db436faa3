//! The script as it is rendered for the drawn system.

use super::*;
use crate::topology::parse;

const DRAWN: &str = include_str!("../../topology.toml");

fn drawn() -> Topology {
    parse("topology.toml", DRAWN, &[]).unwrap()
}

#[test]
fn every_service_fits_into_what_ec2_takes() {
    let topology = drawn();
    for service in &topology.services {
        let script = user_data(&topology, service).unwrap();
        assert!(script.len() < LIMIT * 4 / 5, "{}: {}", *service.key, script.len());
        assert!(!script.contains(PLACE));
    }
}

#[test]
fn the_values_of_the_user_service() {
    let topology = drawn();
    let script = script(&topology, topology.service("user").unwrap()).unwrap();
    let values = script.lines().skip_while(|line| !line.starts_with("TOPOLOGY="));
    let values: Vec<&str> = values.take_while(|line| line.contains('=')).collect();
    insta::assert_snapshot!(values.join("\n"));
}

#[test]
fn what_each_service_is_told() {
    let topology = drawn();
    let mut told = String::new();
    for service in &topology.services {
        for setting in settings(&topology, service) {
            writeln!(told, "/ecommerce/{}/{} = {}", *service.key, setting.name, setting.value)
                .unwrap();
        }
    }
    insta::assert_snapshot!(told);
}

#[test]
fn no_value_leaves_its_quotes() {
    assert_eq!(quoted("it's $(this) `that` \"\\"), r#"'it'\''s $(this) `that` "\'"#);
}
