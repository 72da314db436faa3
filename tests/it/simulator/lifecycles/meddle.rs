//! Other people: they change, delete and tag what is ours, and put things of their own beside it.

use std::collections::BTreeMap;

use ecdeploy::cloud::sim::{Account, Object, SimCloud};
use ecdeploy::kinds::{self, Live};
use ecdeploy::model::{ADDRESS, APPLIED, Body, TOPOLOGY, Tags};
use fastrand::Rng;
use serde_json::{Value, json};

/// What somebody did.
#[derive(Debug)]
pub struct Deed {
    pub what: &'static str,
    #[expect(dead_code, reason = "a life that is looked at tells it")]
    pub kind: String,
    pub id: String,
}

/// Somebody does something to the account. Nothing where there is nothing to do it to, or AWS refuses it.
pub fn meddle(cloud: &SimCloud, rng: &mut Rng) -> Option<Deed> {
    let mut account = cloud.account();
    let account = &mut *account;
    let done = match rng.u8(..13) {
        0 | 1 => delete(account, rng, &["instance"]),
        2 => delete(account, rng, &["listener_rule", "ssm_parameter", "route_table"]),
        3 => delete(account, rng, &["db_instance", "cache_cluster", "replication_group"]),
        4 => set(account, rng, "security_group", "ingress", |rng, rules| {
            let mut rules = rules.as_array().cloned().unwrap_or_default();
            match rules.is_empty() || rng.bool() {
                true => rules
                    .push(json!({ "protocol": "tcp", "ports": "8080", "peer": "198.51.100.0/24" })),
                false => drop(rules.remove(rng.usize(..rules.len()))),
            }
            rules.into()
        }),
        5 => set(account, rng, "instance", "target_group", |_, _| Value::Null),
        6 => set(account, rng, "instance", "running", |_, _| false.into()),
        7 => set(account, rng, "ssm_parameter", "value", |_, _| "by hand".into()),
        8 => set(account, rng, "db_instance", "backup_retention_period", |_, _| 9.into()),
        9 => set(account, rng, "target_group", "health_check_interval", |_, _| 17.into()),
        10 => tag(account, rng, "team", "shoes"),
        11 => tag(account, rng, APPLIED, ""),
        _ => beside(account, rng),
    };
    done.ok()
}

/// Why nothing came of it.
struct Nothing;

impl<E: std::error::Error> From<E> for Nothing {
    fn from(_: E) -> Self {
        Self
    }
}

fn ours(object: &Object) -> bool {
    object.tags.get(TOPOLOGY).is_some_and(|name| name == "shop")
}

fn pick(account: &Account, rng: &mut Rng, is: impl Fn(&Object) -> bool) -> Result<Object, Nothing> {
    let all: Vec<&Object> = account.objects().filter(|object| ours(object) && is(object)).collect();
    if all.is_empty() { Err(Nothing) } else { Ok(all[rng.usize(..all.len())].clone()) }
}

fn delete(account: &mut Account, rng: &mut Rng, kinds: &[&str]) -> Result<Deed, Nothing> {
    let object = pick(account, rng, |object| kinds.contains(&object.kind.as_str()))?;
    let schema = kinds::by_name(&object.kind).ok_or(Nothing)?.schema();
    account.delete(schema, &object.id, &Body::new())?;
    Ok(Deed { what: "deleted", kind: object.kind, id: object.id })
}

fn set(
    account: &mut Account,
    rng: &mut Rng,
    kind: &str,
    field: &'static str,
    to: impl Fn(&mut Rng, &Value) -> Value,
) -> Result<Deed, Nothing> {
    let object = pick(account, rng, |object| object.kind == kind)?;
    let schema = kinds::by_name(kind).ok_or(Nothing)?.schema();
    let value = to(rng, object.body.get(field).unwrap_or(&Value::Null));
    let after = Body::from([(field.to_owned(), value)]);
    let Object { id, body, .. } = object;
    let live = Live { id: id.clone(), outputs: BTreeMap::new(), body, tags: Tags::new() };
    account.update(schema, &live, &after, &[field])?;
    Ok(Deed { what: field, kind: kind.to_owned(), id })
}

fn tag(
    account: &mut Account,
    rng: &mut Rng,
    key: &'static str,
    value: &str,
) -> Result<Deed, Nothing> {
    let object = pick(account, rng, |_| true)?;
    account.tag(&object.kind, &object.id, &[(key.to_owned(), value.to_owned())].into())?;
    Ok(Deed { what: key, kind: object.kind, id: object.id })
}

/// A thing of theirs, like one of ours.
fn beside(account: &mut Account, rng: &mut Rng) -> Result<Deed, Nothing> {
    let number = rng.u32(..);
    let (kind, body) = match rng.u8(..2) {
        0 => ("vpc", json!({ "cidr_block": "10.0.0.0/16" })),
        _ => {
            let name = format!("/shop/theirs/{number}");
            ("ssm_parameter", json!({ "name": name, "value": "theirs", "type": "String" }))
        }
    };
    let tags = match rng.bool() {
        true => Tags::new(),
        false => [(TOPOLOGY, "another"), (ADDRESS, "vpc.main")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
    };
    let schema = kinds::by_name(kind).ok_or(Nothing)?.schema();
    let body: Body = serde_json::from_value(body)?;
    let made = account.create(schema, &body, &tags)?;
    Ok(Deed { what: "put beside", kind: kind.to_owned(), id: made.id })
}
