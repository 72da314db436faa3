//! A group and its rules in Terraform, where each rule is a resource of its own: so groups may name each other in a
//! circle.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, SecurityGroupRule};
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::{Rule, Side, ports};
use crate::aws::ec2::FILTER_VALUES;
use crate::aws::{Aws, fault};
use crate::kinds::terraform::{Argument, One, Part, Terraform};
use crate::kinds::{Detail, Live, form};
use crate::model::{Body, Fault, Late, late, reference};

/// What a rule has beyond the body's: the id that AWS gave it, and what somebody wrote on it.
pub const RULE_ID: &str = "id";
const DESCRIPTION: &str = "description";

pub static TERRAFORM: Terraform = Terraform {
    resource: "aws_security_group",
    import: "{id}",
    named_by: "id",
    outputs: &[],
    arguments: &[
        Argument::same("name"),
        Argument::same("description"),
        Argument::Field("vpc_id", "vpc"),
        Argument::Tags,
    ],
    parts: rules,
    beside: &["ingress", "egress"],
};

fn rules(one: &One<'_>) -> Vec<Part> {
    let sides = [
        (Side::Ingress, "aws_vpc_security_group_ingress_rule"),
        (Side::Egress, "aws_vpc_security_group_egress_rule"),
    ];
    let told = sides.into_iter().flat_map(|(side, resource)| {
        one.items(side.field()).iter().filter_map(move |rule| part(one, resource, rule))
    });
    told.collect()
}

fn part(one: &One<'_>, resource: &'static str, item: &Value) -> Option<Part> {
    let rule: Rule = serde_json::from_value(item.clone()).ok()?;
    let peer = &item["peer"];
    let (argument, named) = match peer.as_str() {
        None => ("referenced_security_group_id", named(peer)?),
        Some(id) if id.starts_with("sg-") => ("referenced_security_group_id", id.to_owned()),
        Some(id) if id.starts_with("pl-") => ("prefix_list_id", id.to_owned()),
        Some(block) if block.contains(':') => ("cidr_ipv6", block.to_owned()),
        Some(block) => ("cidr_ipv4", block.to_owned()),
    };
    let all = rule.protocol == "all";
    let ports_text = rule.ports.map(ports::text).unwrap_or_default();
    let text = |key: &str| item.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(Part {
        resource,
        suffix: format!("{}_{ports_text}_{named}", rule.protocol),
        import: text(RULE_ID),
        arguments: vec![
            ("security_group_id", reference(one.address)),
            (DESCRIPTION, text(DESCRIPTION).into()),
            ("ip_protocol", if all { "-1".into() } else { rule.protocol.into() }),
            ("from_port", rule.ports.map(|(from, _)| from).into()),
            ("to_port", rule.ports.map(|(_, to)| to).into()),
            (argument, peer.clone()),
        ],
    })
}

/// The name of the group of ours that a rule names.
fn named(peer: &Value) -> Option<String> {
    match late(peer)? {
        Late::Ref { address, .. } => Some(address.name().to_owned()),
        _ => None,
    }
}

/// The rules of these groups, with their ids: the listing of groups has none.
pub(super) async fn details(aws: &Aws, all: &[Live]) -> Result<BTreeMap<String, Detail>, Fault> {
    let asked = all.chunks(FILTER_VALUES).map(|groups| async move {
        let ids = groups.iter().map(|group| group.id.clone()).collect();
        let filter = Filter::builder().name("group-id").set_values(Some(ids)).build();
        let call = aws.ec2.describe_security_group_rules().filters(filter);
        let pages = call.into_paginator().page_size(1000).items().send();
        let found: Result<Vec<_>, _> = pages.collect().await;
        found.map_err(fault("ec2:DescribeSecurityGroupRules"))
    });
    let found = try_join_all(asked).await?.into_iter().flatten();
    let mut by_group: BTreeMap<String, [Vec<Value>; 2]> = BTreeMap::new();
    for rule in found {
        // Not every answer is filtered.
        let group = rule.group_id().filter(|id| all.iter().any(|group| group.id == **id));
        if let (Some(group), Some(item)) = (group, item(&rule)) {
            let sides = by_group.entry(group.to_owned()).or_default();
            sides[usize::from(rule.is_egress() == Some(true))].push(item);
        }
    }
    let told = by_group.into_iter().map(|(group, [ingress, egress])| {
        let body = form::reported([
            (Side::Ingress.field(), Some(form::set(ingress))),
            (Side::Egress.field(), Some(form::set(egress))),
        ]);
        (group, Detail { body, tags: None })
    });
    Ok(told.collect())
}

fn item(rule: &SecurityGroupRule) -> Option<Value> {
    let group = rule.referenced_group_info().and_then(|group| group.group_id());
    let peer =
        group.or(rule.cidr_ipv4()).or(rule.cidr_ipv6()).or(rule.prefix_list_id())?.to_owned();
    let protocol = match rule.ip_protocol() {
        Some("-1") | None => "all",
        Some(protocol) => protocol,
    };
    let ports = rule.from_port().zip(rule.to_port()).filter(|_| protocol != "all");
    let description = rule.description().filter(|text| !text.is_empty());
    let told: Body = form::reported([
        ("protocol", Some(protocol.into())),
        ("ports", ports.map(|ports| ports::text(ports).into())),
        ("peer", Some(peer.into())),
        (RULE_ID, rule.security_group_rule_id().map(Value::from)),
        (DESCRIPTION, description.map(Value::from)),
    ]);
    Some(json!(told))
}
