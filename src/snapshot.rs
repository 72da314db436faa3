//! The door -> Snapshot: what bears our tags in the account, live ids turned back into addresses.

use std::collections::BTreeMap;

use futures_util::future::{try_join, try_join_all};

use serde_json::Value;

use crate::cloud::Cloud;
use crate::desired::Desired;
use crate::error::{Error, ErrorKind, Result};
use crate::kinds::{self, Live};
use crate::model::{
    ADDRESS, APPLIED, Address, Body, Class, Fault, Fingerprint, Late, Lookup, Observed, Reference,
    Schema, Status, Tags, reference, sort_set,
};

/// One live resource under its address.
#[derive(Clone, Debug)]
pub struct Resource {
    pub address: Address,
    /// The fields, references as addresses where they name something of ours.
    pub body: Body,
    /// What was last applied.
    pub applied: Fingerprint,
    pub tags: Tags,
    pub status: Status,
    /// As AWS has it, ids and all.
    pub live: Live,
}

/// What the account holds of the topology.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub resources: BTreeMap<Address, Resource>,
    /// What bears an address a second time, or is on its way out.
    pub extras: Vec<Resource>,
    /// What the topology has looked up.
    pub lookups: BTreeMap<Lookup, String>,
}

/// Checks that the account is the one the topology names, before anything else is read.
///
/// # Errors
/// When it is another, or can't be asked.
pub async fn guard(cloud: &dyn Cloud, desired: &Desired) -> Result<()> {
    let account = cloud.account().await?;
    if account == desired.account {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Access,
        format!(
            "these credentials belong to account {account}, but the topology is for account {}",
            desired.account
        ),
    )
    .hint("choose the right profile (AWS_PROFILE), or correct `account` in the topology"))
}

/// Reads the account.
///
/// # Errors
/// When the account is not the topology's, or a call fails.
pub async fn read(cloud: &dyn Cloud, desired: &Desired) -> Result<Snapshot> {
    guard(cloud, desired).await?;
    let (observed, lookups) = try_join(
        async { cloud.list(&desired.topology).await.map_err(Error::from) },
        lookups(cloud, desired),
    )
    .await?;
    Ok(Snapshot { lookups, ..assemble(observed) })
}

async fn lookups(cloud: &dyn Cloud, desired: &Desired) -> Result<BTreeMap<Lookup, String>> {
    let ask = |lookup: &Lookup| {
        let lookup = lookup.clone();
        async move {
            match cloud.lookup(&lookup).await {
                Ok(value) => Ok((lookup, value)),
                Err(fault) if fault.class == Class::NotFound => {
                    Err(missing(&lookup, fault, desired))
                }
                Err(fault) => Err(fault.into()),
            }
        }
    };
    Ok(try_join_all(desired.lookups.iter().map(ask)).await?.into_iter().collect())
}

fn missing(lookup: &Lookup, fault: Fault, desired: &Desired) -> Error {
    let Desired { account, region, .. } = desired;
    let why = &fault.message;
    let (message, hint) = match lookup {
        Lookup::Parameter(path) => (
            format!("there is no SSM parameter {path} in {region}: {why}"),
            "correct its name; AWS's own begin with /aws/service/".to_owned(),
        ),
        Lookup::Certificate(arn) if arn.starts_with("arn:") => (
            format!("the certificate {arn} can't be used: {why}"),
            format!(
                "it has to be in account {account}, in {region}, and issued; `aws acm describe-certificate` tells more"
            ),
        ),
        Lookup::Certificate(domain) => (
            format!("there is no issued certificate for {domain} in {region}: {why}"),
            format!(
                "request one in ACM, in {region}, and have it validated; one for the parent's wildcard serves too"
            ),
        ),
        Lookup::Zone(name) => (
            format!("there is no one public hosted zone {name} in account {account}: {why}"),
            "name the zone, not the record in it; make it in Route 53, or leave out [dns]"
                .to_owned(),
        ),
    };
    Error::new(ErrorKind::Aws, message).hint(hint).source(fault)
}

/// Addresses by kind and id: two kinds may well give things the same name.
type Addresses = BTreeMap<(String, String), Address>;

/// Output references by the text that they stand for now; two outputs may well have the same.
type Outputs = BTreeMap<String, Vec<Value>>;

/// Puts each resource under the address that its tag gives; what has no such tag is not managed by us.
fn assemble(observed: Vec<Observed>) -> Snapshot {
    let named: Vec<(Address, Observed)> = observed
        .into_iter()
        .filter_map(|seen| {
            let address: Address = seen.tags.get(ADDRESS)?.parse().ok()?;
            (address.kind() == seen.kind).then_some((address, seen))
        })
        .collect();
    let addresses: Addresses = named
        .iter()
        .map(|(address, seen)| ((seen.kind.clone(), seen.id.clone()), address.clone()))
        .collect();

    let mut outputs = Outputs::new();
    for (address, seen) in &named {
        for (name, text) in &seen.outputs {
            let output = Late::Ref { address: address.clone(), output: Some(name.clone()) };
            outputs.entry(text.clone()).or_default().push(output.to_value());
        }
    }

    let mut snapshot = Snapshot::default();
    let mut all: Vec<Resource> = named
        .into_iter()
        .filter_map(|(address, seen)| {
            let schema = kinds::by_name(address.kind())?.schema();
            Some(resource(address, seen, schema, &addresses, &outputs))
        })
        .collect();
    // Of two that bear one address, the readier stays; their ids decide between equals, so that every run agrees.
    all.sort_by_cached_key(|resource| (rank(&resource.status), resource.live.id.clone()));
    for resource in all {
        if resource.status == Status::Deleting || snapshot.resources.contains_key(&resource.address)
        {
            snapshot.extras.push(resource);
        } else {
            snapshot.resources.insert(resource.address.clone(), resource);
        }
    }
    snapshot
}

fn resource(
    address: Address,
    seen: Observed,
    schema: &Schema,
    addresses: &Addresses,
    outputs: &Outputs,
) -> Resource {
    let applied = Fingerprint::parse(seen.tags.get(APPLIED).map_or("", String::as_str));
    let mut body = seen.body.clone();
    for field in schema.fields {
        let Some(value) = body.get_mut(field.name) else { continue };
        let kind = field.named_kind().unwrap_or_default();
        for link in field.links_mut(value) {
            let id = link.as_str().unwrap_or_default();
            if let Some(address) = addresses.get(&(kind.to_owned(), id.to_owned())) {
                *link = reference(address);
            }
        }
        // What was applied as plain text stays so, whatever happens to have the same text by now.
        if field.reference == Reference::Outputs && !applied.holds(field.name, value) {
            *value = with_outputs(value, outputs);
        }
        if field.set {
            sort_set(value);
        }
    }
    Resource {
        applied,
        address,
        body,
        tags: seen.tags,
        status: seen.status,
        live: Live { id: seen.id, outputs: seen.outputs, body: seen.body },
    }
}

/// A copy of the value with each text that is an output of ours replaced by a reference to it.
fn with_outputs(value: &Value, outputs: &Outputs) -> Value {
    match value {
        // Of two outputs with one text neither is guessed: the diff compares texts.
        Value::String(text) => match outputs.get(text).map(Vec::as_slice) {
            Some([only]) => only.clone(),
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(|item| with_outputs(item, outputs)).collect(),
        Value::Object(map) => {
            map.iter().map(|(key, item)| (key.clone(), with_outputs(item, outputs))).collect()
        }
        other => other.clone(),
    }
}

fn rank(status: &Status) -> u8 {
    match status {
        Status::Ready => 0,
        Status::Pending(_) => 1,
        Status::Failed(_) => 2,
        Status::Deleting | Status::Gone => 3,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::TOPOLOGY;

    fn seen(kind: &str, address: &str, id: &str, body: Value) -> Observed {
        let tags = [(TOPOLOGY, "shop"), (ADDRESS, address)];
        Observed {
            kind: kind.into(),
            id: id.into(),
            tags: tags.map(|(key, value)| (key.into(), value.into())).into(),
            body: serde_json::from_value(body).unwrap(),
            outputs: BTreeMap::new(),
            status: Status::Ready,
        }
    }

    #[test]
    fn ids_of_ours_become_addresses_and_others_stay() {
        let snapshot = assemble(vec![
            seen("vpc", "vpc.main", "vpc-1", json!({})),
            seen("subnet", "subnet.a", "subnet-1", json!({"vpc": "vpc-1", "route_table": "rtb-9"})),
        ]);
        let subnet = &snapshot.resources[&Address::new("subnet", "a")];
        assert_eq!(subnet.body["vpc"], json!({"$ref": "vpc.main"}));
        assert_eq!(subnet.body["route_table"], json!("rtb-9"));
        assert_eq!(subnet.live.body["vpc"], json!("vpc-1"));
    }

    #[test]
    fn outputs_of_ours_become_references_wherever_they_stand() {
        let mut database = seen("db_instance", "db_instance.user", "shop-user", json!({}));
        database.outputs = [("secret_arn", "arn:s"), ("endpoint", "user.rds")]
            .map(|(name, text)| (name.into(), text.into()))
            .into();
        let role = json!({"policy": {"Statement": [{"Resource": ["arn:s", "arn:other"]}]}});
        let mut plain =
            seen("ssm_parameter", "ssm_parameter.b", "/b", json!({"value": "user.rds"}));
        let applied: Fingerprint = [("value", &json!("user.rds"))].into_iter().collect();
        plain.tags.insert(APPLIED.into(), applied.to_tag());
        let snapshot = assemble(vec![
            database,
            seen("iam_role", "iam_role.user", "shop-user", role),
            seen("ssm_parameter", "ssm_parameter.a", "/a", json!({"value": "user.rds"})),
            plain,
        ]);
        let body = |kind, name| &snapshot.resources[&Address::new(kind, name)].body;
        let output = |name| json!({"$ref": "db_instance.user", "output": name});
        assert_eq!(
            body("iam_role", "user")["policy"]["Statement"][0]["Resource"],
            json!([output("secret_arn"), "arn:other"])
        );
        assert_eq!(body("ssm_parameter", "a")["value"], output("endpoint"));
        assert_eq!(body("ssm_parameter", "b")["value"], json!("user.rds"), "applied as text");
    }

    #[test]
    fn of_two_at_one_address_the_ready_one_stays() {
        let mut young = seen("instance", "instance.a-1", "i-1", json!({}));
        young.status = Status::Pending("pending".into());
        let snapshot = assemble(vec![young, seen("instance", "instance.a-1", "i-2", json!({}))]);
        assert_eq!(snapshot.resources[&Address::new("instance", "a-1")].live.id, "i-2");
        assert_eq!(snapshot.extras[0].live.id, "i-1");
    }

    #[test]
    fn what_has_no_address_of_its_kind_is_not_managed() {
        let snapshot = assemble(vec![
            seen("vpc", "subnet.main", "vpc-1", json!({})),
            seen("vpc", "", "vpc-2", json!({})),
            seen("volume", "volume.a", "vol-1", json!({})),
        ]);
        assert!(snapshot.resources.is_empty() && snapshot.extras.is_empty());
    }
}
