//! Whether routes lead from one end of a hop to the other.

use ipnet::Ipv4Net;
use serde_json::Value;

use super::firewall::{Ground, Side, cover};
use super::party::{Party, list};
use super::scene::{Named, Scene, link, text};
use crate::kinds::{internet_gateway, vpc};
use crate::model::Body;

/// Whether each subnet of `to` has a way to the internet, at least to the blocks that are to reach it.
///
/// # Errors
/// The routes that are missing.
pub fn from_internet(
    scene: &Scene<'_>,
    to: &Party,
    wanted: &[Ipv4Net],
) -> Result<Vec<Ground>, Vec<String>> {
    let (mut grounds, mut missing) = (Vec::new(), Vec::new());
    if to.subnets.is_empty() {
        missing.push(format!("{} has no subnet", to.name));
    }
    for subnet in &to.subnets {
        match way_out(scene, subnet, wanted) {
            Ok(found) => grounds.extend(found),
            Err(gap) => missing.push(gap),
        }
    }
    settle(grounds, missing)
}

fn way_out(scene: &Scene<'_>, subnet: &Named, wanted: &[Ipv4Net]) -> Result<Vec<Ground>, String> {
    let body = there(scene, subnet)?;
    let named = link(body, "route_table");
    let Some(named) = named else { return Err(format!("{subnet} has no route table")) };
    let Some((address, table)) = named.ours().and_then(|a| Some((a, scene.body(a)?))) else {
        return Err(format!("{subnet} goes by {named}, whose routes are not known"));
    };
    let mut blocks = Vec::new();
    let mut grounds = Vec::new();
    let routes = table.get("routes").and_then(Value::as_array).into_iter().flatten();
    for route in routes {
        let destination = route.get("destination").and_then(Value::as_str).unwrap_or_default();
        let gateway = route.get("gateway").and_then(Named::of);
        let (Ok(block), Some(gateway)) = (destination.parse::<Ipv4Net>(), gateway) else {
            continue;
        };
        if !leads_out(&gateway) {
            continue;
        }
        attached(scene, &gateway, body)?;
        let rule = format!("{destination} by {gateway}");
        blocks.push(block);
        grounds.push(Ground { side: Side::Route, address: address.clone(), rule });
    }
    if cover(&blocks, wanted) {
        return Ok(grounds);
    }
    let gateway = scene.of_kind(internet_gateway::SCHEMA.kind).next();
    let Some((gateway, _)) = gateway else {
        return Err(format!("there is no internet gateway, and {address} has no route to one"));
    };
    let wanted = wanted.iter().map(ToString::to_string);
    Err(format!("{address} has no route {} by {gateway}", list(wanted, "or")))
}

fn leads_out(gateway: &Named) -> bool {
    match gateway {
        Named::Ours(address) => address.kind() == internet_gateway::SCHEMA.kind,
        Named::Foreign(id) => id.starts_with("igw-"),
    }
}

fn attached(scene: &Scene<'_>, gateway: &Named, subnet: &Body) -> Result<(), String> {
    let Some(address) = gateway.ours() else { return Ok(()) };
    let Some(body) = scene.body(address) else {
        return Err(format!("there is no {address} in {}", scene.place));
    };
    let vpc = link(subnet, "vpc");
    if vpc == link(body, "vpc") {
        return Ok(());
    }
    let vpc = vpc.map_or_else(|| "the VPC".to_owned(), |vpc| vpc.to_string());
    Err(format!("{address} is not attached to {vpc}"))
}

/// Whether both ends are in one VPC: between its subnets there is always a route.
///
/// # Errors
/// What keeps them apart.
pub fn within(scene: &Scene<'_>, from: &Party, to: &Party) -> Result<Vec<Ground>, Vec<String>> {
    let mut missing = Vec::new();
    let mut home: Option<(Named, &Named)> = None;
    for party in [from, to] {
        if party.subnets.is_empty() {
            missing.push(format!("the subnets of {} are not known", party.name));
        }
        for subnet in &party.subnets {
            let found = there(scene, subnet).map(|body| link(body, "vpc"));
            match (found, &home) {
                (Err(gap), _) => missing.push(gap),
                (Ok(None), _) => missing.push(format!("{subnet} is in no VPC")),
                (Ok(Some(vpc)), None) => home = Some((vpc, subnet)),
                (Ok(Some(vpc)), Some((first, other))) if vpc != *first => {
                    missing.push(format!("{other} is in {first}, but {subnet} in {vpc}"));
                }
                _ => {}
            }
        }
    }
    let home =
        home.as_ref().and_then(|(vpc, _)| vpc.ours()).filter(|a| a.kind() == vpc::SCHEMA.kind);
    let ground = home.and_then(|address| {
        let block = text(scene.body(address)?, "cidr_block");
        let rule = format!("{block} local");
        Some(Ground { side: Side::Route, address: address.clone(), rule })
    });
    settle(ground.into_iter().collect(), missing)
}

fn there<'a>(scene: &Scene<'a>, subnet: &Named) -> Result<&'a Body, String> {
    subnet
        .ours()
        .and_then(|address| scene.body(address))
        .ok_or_else(|| format!("there is no {subnet} in {}", scene.place))
}

/// Each thing once: subnets share route tables.
fn settle(grounds: Vec<Ground>, missing: Vec<String>) -> Result<Vec<Ground>, Vec<String>> {
    if missing.is_empty() { Ok(once(grounds)) } else { Err(once(missing)) }
}

fn once<T: PartialEq>(items: Vec<T>) -> Vec<T> {
    let mut known = Vec::new();
    for item in items {
        if !known.contains(&item) {
            known.push(item);
        }
    }
    known
}
