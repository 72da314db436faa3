//! The policies of a topology: complete, within IAM's limits, and no wider than the topology.

use std::collections::BTreeSet;

use super::*;
use crate::desired::{Desired, desired};
use crate::kinds;
use crate::topology::parse;

const DRAWN: &str = include_str!("../../topology.toml");

fn of(text: &str) -> Desired {
    match parse("topology.toml", text, &[]) {
        Ok(topology) => desired(&topology),
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

/// The drawn system, and of each kind that it has none of, one.
fn everything() -> Desired {
    let text = DRAWN.replace("[database.user]\n", "[database.user]\nreplicas = 2\n").replace(
        "default_service = \"frontend\"\n",
        "default_service = \"frontend\"\ncertificate = { domain = \"shop.example.com\" }\n",
    ) + "\n[dns]\nzone = \"example.com\"\nname = \"shop.example.com\"\n\
           [cache.other]\nengine_version = \"7.1\"\nnode_type = \"cache.t3.micro\"\nzone = \"a\"\nreplicas = 1\n\
           subnets = [\"private-1\", \"private-2\"]\nsecurity_groups = [\"redis\"]\n";
    of(&text)
}

fn actions(desired: &Desired, purpose: Purpose) -> BTreeSet<String> {
    statements(desired, purpose).into_iter().flat_map(|statement| statement.action).collect()
}

#[test]
fn every_row_of_the_table_is_covered() {
    let desired = everything();
    let rows: BTreeSet<&str> = REGISTRY.iter().map(|kind| kind.schema().kind).collect();
    let kept: BTreeSet<&str> = desired.resources.keys().map(|address| address.kind()).collect();
    assert_eq!(rows, kept, "each kind is there");
    let (plan, apply) = (actions(&desired, Purpose::Plan), actions(&desired, Purpose::Apply));
    let free = |row: &&Operation| !row.grants.is_empty();
    let asked = |row: &&Operation| row.name != "acm:DescribeCertificate";
    for row in kinds::operations().filter(free).filter(asked) {
        assert!(apply.contains(row.name), "{} for apply", row.name);
        assert_eq!(plan.contains(row.name), row.side == Side::Plan, "{} for plan", row.name);
    }
}

#[test]
fn rows_of_one_operation_are_of_one_side() {
    let table = aws::table(kinds::operations());
    for row in kinds::operations() {
        assert_eq!(table[row.name], row.side, "{}", row.name);
    }
}

#[test]
fn what_the_topology_has_not_is_not_allowed_to_change() {
    let apply = actions(&of(DRAWN), Purpose::Apply);
    for absent in [
        "route53:ChangeResourceRecordSets",
        "acm:ListCertificates",
        "secretsmanager:GetSecretValue",
        "elasticache:CreateReplicationGroup",
    ] {
        assert!(!apply.contains(absent), "{absent}");
    }
    assert!(actions(&everything(), Purpose::Apply).contains("route53:ChangeResourceRecordSets"));
}

#[test]
fn everything_is_allowed_only_to_look() {
    for statement in statements(&everything(), Purpose::Adopt) {
        let any = statement.resource.contains("*");
        let looks = ["Describe", "Get", "List"];
        for action in statement.action.iter().filter(|_| any) {
            let verb = action.split(':').nth(1).unwrap_or_default();
            assert!(looks.iter().any(|look| verb.starts_with(look)), "{action} on *");
        }
        assert!(!any || statement.resource.len() == 1, "{statement:?}");
    }
}

#[test]
fn nothing_in_braces_is_left_and_a_sid_stands_once() {
    for document in documents(&everything(), Purpose::Adopt) {
        let text = serde_json::to_string(&document).unwrap();
        for name in ["{partition", "{region", "{account", "{topology", "{lookup", "{record"] {
            assert!(!text.contains(name), "{name} in {text}");
        }
        let sids: BTreeSet<&str> = document.statement.iter().map(|one| one.sid.as_str()).collect();
        assert_eq!(sids.len(), document.statement.len());
        let alphanumeric = |sid: &&str| sid.chars().all(|c| c.is_ascii_alphanumeric());
        assert!(sids.iter().all(alphanumeric), "{sids:?}");
    }
}

#[test]
fn adopt_alone_may_take_what_bears_no_tag() {
    let taken = |purpose| {
        let all = statements(&of(DRAWN), purpose);
        all.iter().filter(|one| one.sid.ends_with("TakenUnderOurTag")).count()
    };
    assert_eq!((taken(Purpose::Plan), taken(Purpose::Apply)), (0, 0));
    assert!(taken(Purpose::Adopt) > 0);
}

#[test]
fn documents_stay_within_the_limit_and_lose_nothing() {
    use std::fmt::Write;
    let mut text = DRAWN.to_owned();
    for n in 0..200 {
        write!(text, "\n[database.a-rather-long-key-of-a-database-{n}]\n").unwrap();
    }
    for desired in [of(DRAWN), everything(), of(&text)] {
        for purpose in [Purpose::Plan, Purpose::Apply, Purpose::Adopt] {
            let pairs = |statements: &[Statement]| -> BTreeSet<(String, String, String)> {
                let mut pairs = BTreeSet::new();
                for one in statements {
                    for action in &one.action {
                        let condition = format!("{:?}", one.condition);
                        let pair = |resource: &String| {
                            (action.clone(), resource.clone(), condition.clone())
                        };
                        pairs.extend(one.resource.iter().map(pair));
                    }
                }
                pairs
            };
            let documents = documents(&desired, purpose);
            for document in &documents {
                assert!(document.characters() <= LIMIT, "{}", document.characters());
            }
            let all: Vec<Statement> =
                documents.into_iter().flat_map(|document| document.statement).collect();
            assert_eq!(pairs(&all), pairs(&statements(&desired, purpose)));
        }
    }
}
