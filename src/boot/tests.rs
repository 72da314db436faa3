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
        assert!(script.len() < LIMIT * 7 / 8, "{}: {}", *service.key, script.len());
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
fn only_who_uses_a_database_waits_for_its_authorities() {
    let of = |region: &str, service: &str| {
        let topology =
            parse("topology.toml", &DRAWN.replace("ap-southeast-1", region), &[]).unwrap();
        authorities(&topology, topology.service(service).unwrap())
    };
    assert_eq!(of("ap-southeast-1", "frontend"), "");
    let host = |region: &str| of(region, "user").split('/').nth(2).unwrap();
    assert_eq!(host("ap-southeast-1"), "truststore.pki.rds.amazonaws.com");
    assert_eq!(host("us-gov-west-1"), "truststore.pki.us-gov-west-1.rds.amazonaws.com");
    assert_eq!(host("cn-north-1"), "rds-truststore.s3.cn-north-1.amazonaws.com.cn");
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
