//! The block of the topology's VPC, beside those of the account's others: AWS takes any, but connects none that overlap.

use ipnet::Ipv4Net;

use super::Finding;
use super::answers::Answers;
use super::planned::Planned;
use crate::diff::Change;
use crate::kinds::vpc;
use crate::model::Question;
use crate::model::question::Vpcs;

fn coming<'a>(planned: &Planned<'a>) -> impl Iterator<Item = (&'a Change, Ipv4Net)> {
    let coming = planned.setting(vpc::SCHEMA.kind, &["cidr_block"]);
    coming.filter_map(|(change, body)| {
        Some((change, body.get("cidr_block")?.as_str()?.parse().ok()?))
    })
}

pub fn wants(planned: &Planned<'_>, _: &Answers) -> Vec<Question> {
    coming(planned).map(|_| Question::Vpcs).collect()
}

pub fn verdict(planned: &Planned<'_>, answers: &Answers) -> Vec<Finding> {
    let known: Vpcs = answers.get(&Question::Vpcs).unwrap_or_default();
    let theirs = known.iter().filter(|(_, network)| {
        network.topology.as_deref() != Some(planned.desired.topology.as_str())
    });
    let blocks = theirs.flat_map(|(id, network)| {
        let blocks = network.blocks.iter().filter_map(|block| block.parse::<Ipv4Net>().ok());
        blocks.map(move |block| (id, block))
    });
    let blocks: Vec<(&String, Ipv4Net)> = blocks.collect();
    let overlaps = coming(planned).flat_map(|(change, own)| {
        let meets =
            blocks.iter().filter(move |(_, theirs)| own.contains(theirs) || theirs.contains(&own));
        meets.map(move |(id, theirs)| {
            let message = format!("{own} overlaps {theirs} of {id}, in the same account");
            planned
                .blame(&change.address, "cidr_block", message)
                .label("the two VPCs can't be peered")
        })
    });
    overlaps.map(Finding::Doubtful).collect()
}
