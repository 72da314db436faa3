//! What the simulated account has for sale: what AWS has in some region, so that what is nowhere to be had is refused.

use std::collections::BTreeSet;

use crate::aws::ec2;
use crate::model::question::Machine;

/// The classes that RDS has for PostgreSQL, and the types of nodes that ElastiCache has for Redis: families, and the sizes
/// of each. All regions together, as kept in github.com/aws-cloudformation/cfn-lint 1.58.0 of 2026-10-20, which asks AWS;
/// but for classes of the first generations.
const CLASSES: &[(&str, &str)] = &[
    ("t2 t3 t4g", "micro small medium large xlarge 2xlarge"),
    ("m4", "large xlarge 2xlarge 4xlarge 10xlarge 16xlarge"),
    ("r4", "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge"),
    ("m5 m5d r5 r5b r5d", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"),
    ("m6g m6gd m7g r6g r6gd r7g x2g", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    (
        "m6i m6id m6idn m6in r6i r6id r6idn r6in",
        "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge",
    ),
    (
        "m7i m8a m8g m8gd m9g r7i r8a r8g r8gd",
        "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
    ),
    ("x2idn", "16xlarge 24xlarge 32xlarge"),
    ("x2iedn", "xlarge 2xlarge 4xlarge 8xlarge 16xlarge 24xlarge 32xlarge"),
];
const NODES: &[(&str, &str)] = &[
    ("t2 t3 t4g", "micro small medium"),
    ("m4", "large xlarge 2xlarge 4xlarge 10xlarge"),
    ("r4", "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge"),
    ("m5 r5", "large xlarge 2xlarge 4xlarge 12xlarge 24xlarge"),
    ("m6g m7g m8g r6g r7g r8g c7gn c8gn", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    ("r6gd", "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
];

fn all(of: &str, table: &[(&str, &str)]) -> BTreeSet<String> {
    let pairs = table.iter().flat_map(|(families, sizes)| {
        families.split(' ').flat_map(|family| sizes.split(' ').map(move |size| (family, size)))
    });
    pairs.map(|(family, size)| format!("{of}.{family}.{size}")).collect()
}

pub fn has_class(name: &str) -> bool {
    all("db", CLASSES).contains(name)
}

pub fn nodes() -> BTreeSet<String> {
    all("cache", NODES)
}

pub fn has_machine(name: &str) -> bool {
    ec2::has_type(name)
}

/// As names of types go: a `g` behind the number is Graviton, and an `xlarge` has four.
pub fn machine(name: &str) -> Machine {
    let (family, size) = name.split_once('.').unwrap_or((name, ""));
    let behind = family.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let graviton = behind.contains('g') || family == "a1";
    let architecture = if graviton { "arm64" } else { "x86_64" };
    let vcpus = match size.strip_suffix("xlarge") {
        Some("") => 4,
        Some(times) => times.parse::<u64>().unwrap_or(1).saturating_mul(4),
        None => 2,
    };
    Machine { architectures: [architecture.to_owned()].into(), vcpus }
}

#[cfg(test)]
mod tests {
    use super::{has_class, has_machine, machine, nodes};

    #[test]
    fn what_is_there_is_had_and_nothing_else() {
        for (name, there) in [("t3.small", true), ("t9.small", false), ("t3.4xlarge", false)] {
            assert_eq!(has_machine(name), there, "{name}");
        }
        for (name, there) in
            [("db.t3.micro", true), ("db.m7i.48xlarge", true), ("db.t9.micro", false)]
        {
            assert_eq!(has_class(name), there, "{name}");
        }
        for (name, there) in [("cache.t3.micro", true), ("cache.t3.nano", false)] {
            assert_eq!(nodes().contains(name), there, "{name}");
        }
    }

    #[test]
    fn a_family_runs_one_architecture() {
        for (name, runs) in [
            ("t3.small", "x86_64"),
            ("t4g.small", "arm64"),
            ("a1.large", "arm64"),
            ("c7gn.large", "arm64"),
            ("g5g.xlarge", "arm64"),
            ("g4dn.xlarge", "x86_64"),
        ] {
            assert!(machine(name).architectures.contains(runs), "{name}");
        }
    }
}
