//! Where packets that leave a subnet go. The route within the VPC is always there and not listed.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, Route as Seen, RouteOrigin};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::terraform::{Argument, One, Terraform, whole};
use super::{Kind, Live, form};
use crate::aws::absent::away;
use crate::aws::{Aws, Reading, ec2, fault};
use crate::model::{
    ANYWHERE, Body, Calls, Class, Created, Fault, Field, Grant, Link, Observed, Operation, Schema,
    Standing, Status, Tags, Timing,
};

/// A route to a gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Route {
    pub destination: String,
    pub gateway: Link,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteTable {
    pub vpc: Link,
    pub routes: Vec<Route>,
}

pub static SCHEMA: Schema = Schema {
    kind: "route_table",
    fields: &[
        Field::replace("vpc").names("vpc"),
        Field::in_place("routes")
            .names_by("gateway", "internet_gateway")
            .item("{destination} by {gateway}")
            .set()
            .configured("[]"),
    ],
    outputs: &[],
    id: "rtb-{hex}",
    unique: &[],
    timing: Timing { create: 1, update: 1, delete: 1, poll: 1 },
    calls: Calls { token: true, ..Calls::EC2 },
};

const R: &[&str] = &["route-table/*"];

static OPERATIONS: &[Operation] = &[
    Operation::plan("ec2:DescribeRouteTables", ANYWHERE),
    Operation::creation("ec2:CreateRouteTable", &[Grant::born(R), Grant::ours(&["vpc/*"])]),
    Operation::change("ec2:CreateRoute", &[Grant::ours(R)]),
    Operation::change("ec2:ReplaceRoute", &[Grant::ours(R)]),
    Operation::change("ec2:DeleteRoute", &[Grant::ours(R)]),
    Operation::deletion("ec2:DeleteRouteTable", &[Grant::ours(R)]),
    Operation::change("ec2:CreateTags", &[ec2::tagging(R), Grant::ours(R), Grant::adopted(R)]),
];

static TERRAFORM: Terraform = Terraform {
    resource: "aws_route_table",
    import: "{id}",
    named_by: "id",
    outputs: &[],
    arguments: &[
        Argument::Field("vpc_id", "vpc"),
        Argument::Made("route", &["routes"], routes),
        Argument::Tags,
    ],
    parts: whole,
    beside: &[],
};

/// The arguments that say where a route leads, by what the ids of it begin with.
const TARGETS: [(&str, &str); 7] = [
    ("nat-", "nat_gateway_id"),
    ("eigw-", "egress_only_gateway_id"),
    ("tgw-", "transit_gateway_id"),
    ("pcx-", "vpc_peering_connection_id"),
    ("lgw-", "local_gateway_id"),
    ("cagw-", "carrier_gateway_id"),
    ("eni-", "network_interface_id"),
];

fn routes(one: &One<'_>) -> Value {
    let told = one.items("routes").iter().map(|route| {
        let destination = match route["destination"].as_str().unwrap_or_default() {
            to if to.starts_with("pl-") => "destination_prefix_list_id",
            to if to.contains(':') => "ipv6_cidr_block",
            _ => "cidr_block",
        };
        let to = route["gateway"].as_str().unwrap_or_default();
        let target = TARGETS.iter().find(|(start, _)| to.starts_with(start));
        let target = target.map_or("gateway_id", |(_, name)| name);
        json!({ destination: route["destination"], target: route["gateway"] })
    });
    let told: Vec<Value> = told.collect();
    // An empty list would say that there must never be any.
    if told.is_empty() { Value::Null } else { told.into() }
}

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
        &TERRAFORM
    }

    async fn list(&self, read: &Reading<'_>) -> Result<Vec<Observed>, Fault> {
        let seen = read.ec2.route_tables(read).await?;
        let listed = seen.iter().filter_map(|table| {
            let tags = ec2::ours(table.tags.clone(), read)?;
            let body = form::reported([
                ("vpc", table.vpc_id().map(Value::from)),
                ("routes", Some(form::set(table.routes().iter().filter_map(route)))),
            ]);
            Some(form::observed(&SCHEMA, table.route_table_id.clone()?, tags, body))
        });
        Ok(listed.collect())
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        make(aws, body, tags, None).await
    }

    async fn create_all(
        &self,
        aws: &Aws,
        body: &Body,
        all: &[Tags],
        token: &str,
    ) -> Result<Vec<Created>, Fault> {
        let mut made = Vec::new();
        for tags in all {
            made.push(make(aws, body, tags, Some(token)).await?);
        }
        Ok(made)
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Live,
        after: &Body,
        changed: &[&str],
    ) -> Result<(), Fault> {
        if !changed.contains(&"routes") {
            return Ok(());
        }
        let before: Vec<Route> = form::field(&SCHEMA, &live.body, "routes")?;
        let after: Vec<Route> = form::field(&SCHEMA, after, "routes")?;
        let led = |routes: &[Route], to: &str| routes.iter().any(|route| route.destination == to);
        try_join_all(after.iter().filter(|route| !before.contains(route)).map(|route| async {
            if led(&before, &route.destination) {
                return replace(aws, &live.id, route).await;
            }
            match create(aws, &live.id, route).await {
                Err(fault) if fault.class == Class::Exists => replace(aws, &live.id, route).await,
                other => other,
            }
        }))
        .await?;
        let superfluous = before.iter().filter(|route| !led(&after, &route.destination));
        try_join_all(superfluous.map(|route| remove(aws, &live.id, &route.destination))).await?;
        Ok(())
    }

    async fn delete(&self, aws: &Aws, live: &Live, _: &Body) -> Result<(), Fault> {
        let answer = aws.ec2.delete_route_table().route_table_id(&live.id).send().await;
        away(answer.map_err(fault("ec2:DeleteRouteTable")))
    }

    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        ec2::status("route-table-id", ids, |filter| async move {
            let seen = ec2::route_tables(aws, Some(filter)).await?.into_iter();
            Ok(seen.map(|table| (table.route_table_id, Status::Ready)).collect())
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

/// A route that somebody made: not the one within the VPC, nor one that a VPN gateway or a VPC endpoint keeps.
fn route(route: &Seen) -> Option<Value> {
    if route.origin().is_some_and(|origin| *origin != RouteOrigin::CreateRoute) {
        return None;
    }
    let destination = route
        .destination_cidr_block()
        .or(route.destination_ipv6_cidr_block())
        .or(route.destination_prefix_list_id())?;
    let gateway = route
        .gateway_id()
        .or(route.nat_gateway_id())
        .or(route.egress_only_internet_gateway_id())
        .or(route.transit_gateway_id())
        .or(route.vpc_peering_connection_id())
        .or(route.local_gateway_id())
        .or(route.carrier_gateway_id())
        // An instance's route names its interface too, so it comes last.
        .or(route.network_interface_id())
        .or(route.instance_id())?;
    let kept = gateway == "local"
        || (gateway.starts_with("vpce-") && route.destination_prefix_list_id().is_some());
    (!kept).then(|| json!({ "destination": destination, "gateway": gateway }))
}

/// Sets on a call the table, the destination and the target: three calls with the same parameters and no type in
/// common.
macro_rules! addressed {
    ($call:expr, $table:expr, $destination:expr) => {{
        let call = $call.route_table_id($table);
        match $destination {
            to if to.starts_with("pl-") => call.destination_prefix_list_id(to),
            to if to.contains(':') => call.destination_ipv6_cidr_block(to),
            to => call.destination_cidr_block(to),
        }
    }};
}

macro_rules! towards {
    ($call:expr, $gateway:expr) => {
        match $gateway {
            gateway if gateway.starts_with("nat-") => $call.nat_gateway_id(gateway),
            gateway => $call.gateway_id(gateway),
        }
    };
}

async fn make(aws: &Aws, body: &Body, tags: &Tags, token: Option<&str>) -> Result<Created, Fault> {
    let spec: RouteTable = form::spec(&SCHEMA, body)?;
    let call = aws
        .ec2
        .create_route_table()
        .set_client_token(token.map(str::to_owned))
        .vpc_id(spec.vpc.id())
        .tag_specifications(ec2::born_with(ResourceType::RouteTable, tags));
    let answer = call.send().await.map_err(fault("ec2:CreateRouteTable"))?;
    let id = answer.route_table.and_then(|table| table.route_table_id);
    Ok(Created::id(id.unwrap_or_default()))
}

async fn create(aws: &Aws, table: &str, route: &Route) -> Result<(), Fault> {
    let call = addressed!(aws.ec2.create_route(), table, route.destination.as_str());
    let answer = towards!(call, route.gateway.id()).send().await;
    answer.map(drop).map_err(fault("ec2:CreateRoute"))
}

async fn replace(aws: &Aws, table: &str, route: &Route) -> Result<(), Fault> {
    let call = addressed!(aws.ec2.replace_route(), table, route.destination.as_str());
    let answer = towards!(call, route.gateway.id()).send().await;
    answer.map(drop).map_err(fault("ec2:ReplaceRoute"))
}

async fn remove(aws: &Aws, table: &str, destination: &str) -> Result<(), Fault> {
    let answer = addressed!(aws.ec2.delete_route(), table, destination).send().await;
    away(answer.map_err(fault("ec2:DeleteRoute")))
}
