//! Versions of caches, and the nodes that they can stand on.

use std::collections::BTreeSet;

use super::Finding;
use super::answers::Answers;
use super::planned::{Planned, is_of};
use crate::diff::{Action, Change};
use crate::kinds::{cache_cluster, replication_group};
use crate::model::{Body, Question};
use crate::topology::suggest;

const KINDS: [&str; 2] = [cache_cluster::SCHEMA.kind, replication_group::SCHEMA.kind];

/// Each cache that comes, or of which this field changes, with the field's text.
fn setting<'a>(planned: &Planned<'a>, field: &'static str) -> Vec<(&'a Change, &'a Body, String)> {
    let coming = KINDS.iter().flat_map(|kind| planned.coming(kind));
    let set = coming.filter(|(change, _)| {
        change.action != Action::Update || change.fields.iter().any(|one| one.field == field)
    });
    set.filter_map(|(change, body)| Some((change, body, planned.text(body, field)?))).collect()
}

pub fn wants(planned: &Planned<'_>, _: &Answers) -> Vec<Question> {
    let versions = setting(planned, "engine_version").into_iter().filter_map(|(_, body, _)| {
        Some(Question::CacheVersions { engine: planned.text(body, "engine")? })
    });
    let nodes = setting(planned, "node_type").into_iter().map(|_| Question::CacheNodes);
    versions.chain(nodes).collect()
}

pub fn verdict(planned: &Planned<'_>, answers: &Answers) -> Vec<Finding> {
    let region = &planned.desired.region;
    let versions =
        setting(planned, "engine_version").into_iter().filter_map(|(change, body, version)| {
            let engine = planned.text(body, "engine")?;
            let known: BTreeSet<String> =
                answers.get(&Question::CacheVersions { engine: engine.clone() })?;
            // `7.1` is listed as `7.1` or `7.1.0`, and `6.x` stands for all of 6.
            let short = version.trim_end_matches(".x");
            if known.iter().any(|one| is_of(one, short) || is_of(short, one)) {
                return None;
            }
            let message = format!("ElastiCache has no {engine} {version} in {region}");
            let error = planned.blame(&change.address, "engine_version", message);
            let there = suggest::list(known.iter().map(String::as_str));
            Some(
                error
                    .label("no cache of this version can be made")
                    .hint(format!("there are {there}")),
            )
        });
    let nodes = setting(planned, "node_type").into_iter().filter_map(|(change, _, node)| {
        let known: BTreeSet<String> = answers.get(&Question::CacheNodes)?;
        if known.contains(&node) {
            return None;
        }
        let message = format!("ElastiCache has no `{node}` in {region}");
        let error = planned.blame(&change.address, "node_type", message);
        let hint = suggest::hint(&node, known.iter().map(String::as_str));
        Some(error.label("not offered in this region").hint(hint))
    });
    versions.chain(nodes).map(Finding::Refused).collect()
}
