//! Who may speak to whom. Groups may refer to each other in a circle, so rules are attached in a step of their own.

mod terraform;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_ec2::types::{
    Filter, IpPermission, IpRange, Ipv6Range, PrefixListId, ResourceType, SecurityGroup as Seen,
    UserIdGroupPair,
};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use terraform::RULE_ID;

use super::terraform::Terraform;
use super::{Detail, Kind, Live, form};
use crate::aws::absent::away;
use crate::aws::{Aws, Reading, ec2, fault};
use crate::model::question::{Name, Namesake, Namesakes};
use crate::model::{
    ANYWHERE, Body, Calls, Class, Created, Fault, Field, Grant, Link, Observed, Operation, Schema,
    Standing, Status, Tags, Timing,
};

/// A new group lets everything out.
const EGRESS_AT_CREATION: &str = r#"[{"protocol":"all","peer":"0.0.0.0/0"}]"#;

/// One rule: a protocol, its ports, and the other side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// `tcp`, `udp`, `icmp`, a protocol number, or `all`.
    pub protocol: String,
    /// First and last port; absent where the protocol is `all`.
    #[serde(with = "ports", skip_serializing_if = "Option::is_none", default)]
    pub ports: Option<(i32, i32)>,
    /// A CIDR block, or another group.
    pub peer: Link,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecurityGroup {
    pub vpc: Link,
    pub name: String,
    pub description: String,
    pub ingress: Vec<Rule>,
    pub egress: Vec<Rule>,
}

/// Ports as people write them: `443`, `8000-8010`.
mod ports {
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::{Serialize, Serializer};

    pub fn text((first, last): (i32, i32)) -> String {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    }

    pub fn serialize<S: Serializer>(
        ports: &Option<(i32, i32)>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        ports.map(text).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<(i32, i32)>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        // ICMP's "all" is -1, so the hyphen between two numbers is never the first character.
        let dash = text.char_indices().skip(1).find(|(_, c)| *c == '-').map(|(at, _)| at);
        let (first, last) = match dash {
            Some(at) => (&text[..at], &text[at + 1..]),
            None => (text.as_str(), text.as_str()),
        };
        match (first.parse(), last.parse()) {
            (Ok(first), Ok(last)) => Ok(Some((first, last))),
            _ => Err(D::Error::custom(format!("`{text}` is not a range of ports"))),
        }
    }
}

pub static SCHEMA: Schema = Schema {
    kind: "security_group",
    fields: &[
        Field::replace("vpc").names("vpc"),
        Field::replace("name"),
        Field::replace("description"),
        Field::in_place("ingress")
            .names_by("peer", "security_group")
            .set()
            .grants()
            .attached("[]")
            .item("{protocol} {ports} from {peer}"),
        Field::in_place("egress")
            .names_by("peer", "security_group")
            .set()
            .grants()
            .attached(EGRESS_AT_CREATION)
            .item("{protocol} {ports} to {peer}"),
    ],
    outputs: &[],
    id: "sg-{hex}",
    unique: &["vpc", "name"],
    timing: Timing { create: 1, update: 1, delete: 1, poll: 2 },
    calls: Calls::EC2,
};

const R: &[&str] = &["security-group/*"];

static OPERATIONS: &[Operation] = &[
    Operation::plan("ec2:DescribeSecurityGroups", ANYWHERE),
    Operation::apply("ec2:DescribeSecurityGroupRules", ANYWHERE),
    Operation::creation("ec2:CreateSecurityGroup", &[Grant::born(R), Grant::ours(&["vpc/*"])]),
    Operation::change("ec2:AuthorizeSecurityGroupIngress", &[Grant::ours(R)]),
    Operation::change("ec2:AuthorizeSecurityGroupEgress", &[Grant::ours(R)]),
    Operation::change("ec2:RevokeSecurityGroupIngress", &[Grant::ours(R)]),
    Operation::change("ec2:RevokeSecurityGroupEgress", &[Grant::ours(R)]),
    Operation::deletion("ec2:DeleteSecurityGroup", &[Grant::ours(R)]),
    Operation::change("ec2:CreateTags", &[ec2::tagging(R), Grant::ours(R), Grant::adopted(R)]),
];

pub struct Wire;

#[async_trait]
impl Kind for Wire {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    fn terraform(&self) -> &'static Terraform {
        &terraform::TERRAFORM
    }

    async fn details(&self, aws: &Aws, all: &[Live]) -> Result<BTreeMap<String, Detail>, Fault> {
        terraform::details(aws, all).await
    }

    async fn list(&self, read: &Reading<'_>) -> Result<Vec<Observed>, Fault> {
        let seen = describe(read.aws, read.filter("group-id")).await?;
        let listed = seen.into_iter().filter_map(|group| {
            let body = form::reported([
                ("vpc", group.vpc_id().map(Value::from)),
                ("name", group.group_name().map(Value::from)),
                ("description", group.description().map(Value::from)),
                ("ingress", Some(rules(group.ip_permissions()))),
                ("egress", Some(rules(group.ip_permissions_egress()))),
            ]);
            let tags = ec2::ours(group.tags, read)?;
            Some(form::observed(&SCHEMA, group.group_id?, tags, body))
        });
        Ok(listed.collect())
    }

    async fn namesakes(
        &self,
        read: &Reading<'_>,
        names: &BTreeSet<Name>,
    ) -> Result<Namesakes, Fault> {
        let all = describe(read.aws, ec2::vpcs_of(names)).await?.into_iter().filter_map(|group| {
            let name = vec![group.vpc_id?, group.group_name?];
            Some(Namesake { name, id: group.group_id?, tags: ec2::from_sdk(group.tags) })
        });
        Ok(all.filter(|one| names.contains(&one.name)).collect())
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        let spec: SecurityGroup = form::spec(&SCHEMA, body)?;
        let call = aws
            .ec2
            .create_security_group()
            .vpc_id(spec.vpc.id())
            .group_name(spec.name)
            .description(spec.description)
            .tag_specifications(ec2::born_with(ResourceType::SecurityGroup, tags));
        let call = call.customize().config_override(ec2::unrepeated());
        let answer = call.send().await.map_err(fault("ec2:CreateSecurityGroup"))?;
        Ok(Created::id(answer.group_id.unwrap_or_default()))
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Live,
        after: &Body,
        changed: &[&str],
    ) -> Result<(), Fault> {
        let sides = [Side::Ingress, Side::Egress];
        let sides = sides.into_iter().filter(|side| changed.contains(&side.field()));
        try_join_all(sides.map(|side| async move {
            let before: Vec<Rule> = form::field(&SCHEMA, &live.body, side.field())?;
            let after: Vec<Rule> = form::field(&SCHEMA, after, side.field())?;
            let lacking = |these: &[Rule], those: &[Rule]| -> Vec<Rule> {
                these.iter().filter(|rule| !those.contains(rule)).cloned().collect()
            };
            // In this order, so that what both sets allow is never cut off.
            side.authorize(aws, &live.id, &lacking(&after, &before)).await?;
            side.revoke(aws, &live.id, &lacking(&before, &after)).await
        }))
        .await?;
        Ok(())
    }

    async fn delete(&self, aws: &Aws, live: &Live, _: &Body) -> Result<(), Fault> {
        // Groups that name each other would stand in each other's way for ever.
        try_join_all([Side::Ingress, Side::Egress].map(|side| async move {
            let mut rules: Vec<Rule> = form::field(&SCHEMA, &live.body, side.field())?;
            rules.retain(|rule| rule.peer.id().starts_with("sg-") && rule.peer.id() != live.id);
            away(side.revoke(aws, &live.id, &rules).await)
        }))
        .await?;
        let answer = aws.ec2.delete_security_group().group_id(&live.id).send().await;
        away(answer.map_err(fault("ec2:DeleteSecurityGroup")))
    }

    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        ec2::status("group-id", ids, |filter| async move {
            let seen = describe(aws, filter).await?.into_iter();
            Ok(seen.map(|group| (group.group_id, Status::Ready)).collect())
        })
        .await
    }

    async fn tag(&self, aws: &Aws, live: &Live, tags: &Tags) -> Result<(), Fault> {
        ec2::tag_all(aws, [(live.id.as_str(), tags)]).await
    }

    async fn tag_all(&self, aws: &Aws, all: &[(Live, Tags)]) -> Result<(), Fault> {
        ec2::tag_all(aws, all.iter().map(|(live, tags)| (live.id.as_str(), tags))).await
    }
}

async fn describe(aws: &Aws, filter: Filter) -> Result<Vec<Seen>, Fault> {
    let call = aws.ec2.describe_security_groups().filters(filter);
    let pages = call.into_paginator().page_size(1000).items().send();
    pages.collect::<Result<_, _>>().await.map_err(fault("ec2:DescribeSecurityGroups"))
}

/// AWS gathers peers with the same ports in one permission; here each is a rule.
fn rules(permissions: &[IpPermission]) -> Value {
    form::set(permissions.iter().flat_map(|permission| {
        let protocol = match permission.ip_protocol() {
            Some("-1") | None => "all",
            Some(protocol) => protocol,
        };
        let ports = permission.from_port.zip(permission.to_port).filter(|_| protocol != "all");
        let blocks = permission.ip_ranges().iter().filter_map(|range| range.cidr_ip());
        let blocks6 = permission.ipv6_ranges().iter().filter_map(|range| range.cidr_ipv6());
        let lists = permission.prefix_list_ids().iter().filter_map(|list| list.prefix_list_id());
        let groups = permission.user_id_group_pairs().iter().filter_map(|pair| pair.group_id());
        blocks.chain(blocks6).chain(lists).chain(groups).map(move |peer| match ports {
            Some(ports) => {
                json!({ "protocol": protocol, "ports": ports::text(ports), "peer": peer })
            }
            None => json!({ "protocol": protocol, "peer": peer }),
        })
    }))
}

fn permission(rule: &Rule) -> IpPermission {
    let protocol = if rule.protocol == "all" { "-1" } else { rule.protocol.as_str() };
    let permission = IpPermission::builder()
        .ip_protocol(protocol)
        .set_from_port(rule.ports.map(|(from, _)| from))
        .set_to_port(rule.ports.map(|(_, to)| to));
    // A group goes by its id alone: with its owner, as AWS describes it, an emulator doesn't find it.
    let permission = match rule.peer.id() {
        id if id.starts_with("sg-") => {
            permission.user_id_group_pairs(UserIdGroupPair::builder().group_id(id).build())
        }
        id if id.starts_with("pl-") => {
            permission.prefix_list_ids(PrefixListId::builder().prefix_list_id(id).build())
        }
        block if block.contains(':') => {
            permission.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(block).build())
        }
        block => permission.ip_ranges(IpRange::builder().cidr_ip(block).build()),
    };
    permission.build()
}

#[derive(Clone, Copy)]
enum Side {
    Ingress,
    Egress,
}

impl Side {
    fn field(self) -> &'static str {
        match self {
            Side::Ingress => "ingress",
            Side::Egress => "egress",
        }
    }

    async fn authorize(self, aws: &Aws, id: &str, rules: &[Rule]) -> Result<(), Fault> {
        each_if(Class::Exists, rules, |permissions| async move {
            match self {
                Side::Ingress => {
                    let call = aws.ec2.authorize_security_group_ingress().group_id(id);
                    let answer = call.set_ip_permissions(Some(permissions)).send().await;
                    answer.map(drop).map_err(fault("ec2:AuthorizeSecurityGroupIngress"))
                }
                Side::Egress => {
                    let call = aws.ec2.authorize_security_group_egress().group_id(id);
                    let answer = call.set_ip_permissions(Some(permissions)).send().await;
                    answer.map(drop).map_err(fault("ec2:AuthorizeSecurityGroupEgress"))
                }
            }
        })
        .await
    }

    async fn revoke(self, aws: &Aws, id: &str, rules: &[Rule]) -> Result<(), Fault> {
        each_if(Class::NotFound, rules, |permissions| async move {
            match self {
                Side::Ingress => {
                    let call = aws.ec2.revoke_security_group_ingress().group_id(id);
                    let answer = call.set_ip_permissions(Some(permissions)).send().await;
                    answer.map(drop).map_err(fault("ec2:RevokeSecurityGroupIngress"))
                }
                Side::Egress => {
                    let call = aws.ec2.revoke_security_group_egress().group_id(id);
                    let answer = call.set_ip_permissions(Some(permissions)).send().await;
                    answer.map(drop).map_err(fault("ec2:RevokeSecurityGroupEgress"))
                }
            }
        })
        .await
    }
}

/// All rules in one call. AWS does none of them if one is there (or gone) already: then one a call, and those that
/// need no more doing are done.
async fn each_if<C, F>(done: Class, rules: &[Rule], call: C) -> Result<(), Fault>
where
    C: Fn(Vec<IpPermission>) -> F,
    F: Future<Output = Result<(), Fault>>,
{
    let already =
        |fault: &Fault| fault.class == done && fault.code.starts_with("InvalidPermission.");
    if rules.is_empty() {
        return Ok(());
    }
    match call(rules.iter().map(permission).collect()).await {
        Err(fault) if already(&fault) => {}
        outcome => return outcome,
    }
    for rule in rules {
        match call(vec![permission(rule)]).await {
            Err(fault) if !already(&fault) => return Err(fault),
            _ => {}
        }
    }
    Ok(())
}
