//! Versions of caches, and the nodes that they can stand on.

use std::collections::BTreeSet;

use super::Finding;
use super::answers::Answers;
use super::planned::Planned;
use super::version::{is_of, is_older};
use crate::diff::Change;
use crate::kinds::{cache_cluster, replication_group};
use crate::model::{Body, Question};
use crate::topology::{Diagnostic, suggest};

pub const NAME: &str = "caches";

const KINDS: [&str; 2] = [cache_cluster::SCHEMA.kind, replication_group::SCHEMA.kind];
const VERSION: &str = "engine_version";
const NODE: &str = "node_type";

/// The first version of Redis that families of nodes take; one that takes whatever ElastiCache has is not among them.
/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheNodes.SupportedTypes.html>, as of November 2026. It has
/// 4.0.10 for `cache.t4g.micro`, but 5.0.6 stands for the family in
/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CacheNode.html>.
const SINCE: &[(&str, &str)] = &[
    ("t4g", "5.0.6"),
    ("m6g", "5.0.6"),
    ("r6g", "5.0.6"),
    ("m7g", "6.2"),
    ("r7g", "6.2"),
    ("c7gn", "6.2"),
];

/// The family that has to tier its data to disks (`DataTieringEnabled`), which no topology asks for:
/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html>
const TIERED: &str = "r6gd";

/// What is known of families is from a guide, which AWS may have outgrown.
const BY_NOW: &str = "if AWS makes it by now, pass --ignore-check ";

/// Each cache that comes, or of which one of these fields changes.
fn setting<'a>(
    planned: &Planned<'a>,
    fields: &'static [&'static str],
) -> Vec<(&'a Change, &'a Body)> {
    KINDS.iter().flat_map(|kind| planned.setting(kind, fields)).collect()
}

pub fn wants(planned: &Planned<'_>, _: &Answers) -> Vec<Question> {
    let versions = setting(planned, &[VERSION]).into_iter().filter_map(|(_, body)| {
        Some(Question::CacheVersions { engine: planned.text(body, "engine")? })
    });
    let nodes = setting(planned, &[NODE]).into_iter().map(|_| Question::CacheNodes);
    versions.chain(nodes).collect()
}

pub fn verdict(planned: &Planned<'_>, answers: &Answers) -> Vec<Finding> {
    let versions = setting(planned, &[VERSION]).into_iter().filter_map(|(change, body)| {
        unknown_version(change, body, planned, answers).or_else(|| goes_back(change, body, planned))
    });
    let nodes = setting(planned, &[NODE])
        .into_iter()
        .filter_map(|(change, body)| unknown_node(change, body, planned, answers));
    let pairs = setting(planned, &[NODE, VERSION])
        .into_iter()
        .filter_map(|(change, body)| does_not_fit(change, body, planned));
    versions.chain(nodes).chain(pairs).map(Finding::Refused).collect()
}

fn unknown_version(
    change: &Change,
    body: &Body,
    planned: &Planned<'_>,
    answers: &Answers,
) -> Option<Diagnostic> {
    let (engine, version) = (planned.text(body, "engine")?, planned.text(body, VERSION)?);
    let known: BTreeSet<String> =
        answers.get(&Question::CacheVersions { engine: engine.clone() })?;
    // `7.1` is listed as `7.1` or `7.1.0`.
    if known.iter().any(|one| is_of(one, &version) || is_of(&version, one)) {
        return None;
    }
    let region = &planned.desired.region;
    let message = format!("ElastiCache has no {engine} {version} in {region}");
    let there = suggest::list(known.iter().map(String::as_str));
    let error = planned.blame(&change.address, VERSION, message);
    Some(error.label("no cache of this version can be made").hint(format!("there are {there}")))
}

/// "You can upgrade to a newer engine version, but you cannot downgrade to an earlier engine version":
/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyCacheCluster.html>
fn goes_back(change: &Change, body: &Body, planned: &Planned<'_>) -> Option<Diagnostic> {
    let wanted = planned.text(body, VERSION)?;
    let running = planned.running(change, VERSION)?;
    if !is_older(&wanted, &running) {
        return None;
    }
    let message = format!("version {running} runs, and ElastiCache goes back to no older one");
    let hint = format!(
        "write {running} or a newer one; a cache of {wanted} has to be made anew, under another key"
    );
    let error = planned.blame(&change.address, VERSION, message);
    Some(error.label("older than what runs").hint(hint))
}

fn unknown_node(
    change: &Change,
    body: &Body,
    planned: &Planned<'_>,
    answers: &Answers,
) -> Option<Diagnostic> {
    let node = planned.text(body, NODE)?;
    let known: BTreeSet<String> = answers.get(&Question::CacheNodes)?;
    if known.contains(&node) {
        return None;
    }
    let message = format!("ElastiCache lists no `{node}` in {}", planned.desired.region);
    let near = suggest::hint(&node, known.iter().map(String::as_str));
    let near = near.map(|near| format!("{near} ")).unwrap_or_default();
    let hint = format!("{near}if AWS sells it unreserved, pass --ignore-check {NAME}");
    let error = planned.blame(&change.address, NODE, message);
    Some(error.label("not among the nodes that it reserves").hint(hint))
}

fn does_not_fit(change: &Change, body: &Body, planned: &Planned<'_>) -> Option<Diagnostic> {
    let (node, version) = (planned.text(body, NODE)?, planned.text(body, VERSION)?);
    let family = node.strip_prefix("cache.")?.split('.').next()?;
    if family == TIERED {
        let message = format!("`{node}` tiers its data to disks, which no topology asks for");
        let error = planned.blame(&change.address, NODE, message);
        let hint = format!("take `cache.r6g` or `cache.r7g`; {BY_NOW}{NAME}");
        return Some(error.label("ElastiCache makes none without data tiering").hint(hint));
    }
    let (_, since) = SINCE.iter().find(|(known, _)| *known == family)?;
    if !is_older(&version, since) {
        return None;
    }
    let message = format!("`{node}` takes Redis {since} and newer, and this is {version}");
    let hint = format!("take a node of another family, or version {since}; {BY_NOW}{NAME}");
    let error = planned.blame(&change.address, NODE, message);
    let error = error.label("too new for this version").hint(hint);
    Some(match planned.span(&change.address, VERSION) {
        Some(span) => error.also(span, format!("older than {since}")),
        None => error,
    })
}
