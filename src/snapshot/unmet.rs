//! What stands in the way of a plan: what the topology names and is not there, and what is there and somebody else's.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use serde_json::Value;

use super::Snapshot;
use crate::cloud::Cloud;
use crate::desired::Desired;
use crate::error::{Error, Result};
use crate::kinds;
use crate::model::{Body, Fault, Late, Lookup, late};
use crate::topology::Diagnostic;

/// Sees that nothing of somebody else's stands where something is to be made.
pub async fn vacancies(cloud: &dyn Cloud, desired: &Desired, snapshot: &Snapshot) -> Result<()> {
    let wanted = desired.resources.iter();
    let to_make = wanted.filter(|(address, _)| !snapshot.resources.contains_key(address));
    let asked = to_make.filter_map(|(address, body)| {
        let kind = kinds::by_name(address.kind())?;
        let body = answered(body, &snapshot.lookups);
        Some(async move {
            let Some(why) = cloud.obstacle(kind, &desired.topology, &body).await? else {
                return Ok::<_, Error>(None);
            };
            let message = format!("{address} can't be made: {why}");
            let error =
                Diagnostic { span: desired.span(address, "name"), ..Diagnostic::nowhere(message) };
            Ok(Some(error.hint("take that away, or choose another name".to_owned())))
        })
    });
    desired.refuse(try_join_all(asked).await?.into_iter().flatten().collect())
}

/// The body with the answers to its lookups in it.
fn answered(body: &Body, lookups: &BTreeMap<Lookup, String>) -> Body {
    let answer = |value: &Value| match late(value) {
        Some(Late::Lookup(lookup)) => lookups.get(&lookup).map(|found| found.as_str().into()),
        _ => None,
    };
    let field = |(name, value): (&String, &Value)| {
        (name.clone(), answer(value).unwrap_or_else(|| value.clone()))
    };
    body.iter().map(field).collect()
}

/// Why what the topology names can't be had.
pub fn missing(lookup: &Lookup, fault: &Fault, desired: &Desired) -> Diagnostic {
    let Desired { account, region, .. } = desired;
    let why = &fault.message;
    let (message, hint) = match lookup {
        Lookup::Parameter(path) => (
            format!("there is no SSM parameter {path} in {region}"),
            "correct its name; AWS's own begin with /aws/service/".to_owned(),
        ),
        Lookup::Certificate(arn) if arn.starts_with("arn:") => (
            format!("the certificate {arn} can't be used: {why}"),
            format!(
                "it has to be in account {account}, in {region}, and issued; `aws acm describe-certificate` tells more"
            ),
        ),
        Lookup::Certificate(domain) => (
            format!("no issued certificate in {region} is for {domain}"),
            format!(
                "request one in ACM, in {region}, and have it validated; one for the parent's wildcard serves too"
            ),
        ),
        Lookup::Zone(_) => (
            format!("{why}, in account {account}"),
            "name the zone, not the record in it; make it in Route 53, or leave out [dns]"
                .to_owned(),
        ),
    };
    let span = desired.lookups.get(lookup).copied();
    Diagnostic { span, ..Diagnostic::nowhere(message) }.hint(hint)
}
