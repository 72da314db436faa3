//! What AWS refuses kind by kind, beyond what holds for all: these are the rules that no emulator can be asked for.

use ipnet::Ipv4Net;
use serde_json::Value;

use super::Account;
use super::object::Object;
use super::replicas;
use crate::kinds::{LIFT_PROTECTION, instance};
use crate::model::{APPLY_IMMEDIATELY, Body, Class, Fault, Schema, Status};

/// The longest value of a standard parameter, and the longest name of a role.
const PARAMETER_CHARACTERS: usize = 4096;
const ROLE_NAME_CHARACTERS: usize = 64;
const GROUP_ID_CHARACTERS: usize = 40;

/// A refusal, before it's known which call it answers.
pub struct Refusal {
    class: Class,
    code: &'static str,
    message: String,
}

impl Refusal {
    pub fn fatal(code: &'static str, message: impl Into<String>) -> Self {
        Self { class: Class::Fatal, code, message: message.into() }
    }

    pub fn not_yet(code: &'static str, message: impl Into<String>) -> Self {
        Self { class: Class::NotYet, code, message: message.into() }
    }

    pub fn fault(self, operation: &str) -> Fault {
        Fault::new(self.class, operation, self.code, self.message)
    }
}

/// Milliseconds for which the network interfaces of a deleted thing still hold its subnets and groups.
pub fn linger(kind: &str) -> u64 {
    if kind == "load_balancer" { 40_000 } else { 0 }
}

/// Whether AWS tells the output only once the thing is ready.
pub fn late(kind: &str, output: &str) -> bool {
    matches!(
        (kind, output),
        ("db_instance", "endpoint" | "secret_arn")
            | ("cache_cluster" | "replication_group", "endpoint")
    )
}

/// Whether AWS has the output no more, or not yet: of a password that RDS does not keep it has no secret.
pub fn withheld(kind: &str, output: &str, body: &Body) -> bool {
    let managed = body.get("manage_master_user_password");
    (kind, output) == ("db_instance", "secret_arn") && managed == Some(&Value::Bool(false))
}

/// Whether a reference string is the id of something (a rule's other side may be a CIDR block).
pub fn is_id(reference: &str) -> bool {
    !reference.contains('/') || reference.starts_with("arn:")
}

/// Whether `user` naming it keeps a thing of kind `used` from being deleted. A registered target does not keep its
/// target group. A machine's profile AWS would delete, and the machine would lose its role: here it is kept, so that a
/// plan that does it is found out.
pub fn holds(user: &str, used: &str) -> bool {
    !matches!((user, used), ("instance", "target_group"))
}

/// Whether setting the field takes the time that the kind's change takes.
pub fn interrupts(schema: &Schema, field: &str) -> bool {
    let stops = schema.kind == instance::SCHEMA.kind && instance::stops(field);
    // How it is to be changed is no change.
    stops
        || (matches!(schema.kind, "db_instance" | "cache_cluster" | "replication_group")
            && field != APPLY_IMMEDIATELY)
}

pub fn create(account: &Account, kind: &str, body: &Body) -> Result<(), Refusal> {
    let text = |field: &str| body.get(field).and_then(Value::as_str).unwrap_or_default();
    match kind {
        "subnet" => {
            let range = cidr(text("cidr_block"))?;
            let vpc = account
                .get("vpc", text("vpc"))
                .map(|vpc| cidr(vpc.text("cidr_block")))
                .transpose()?;
            if !vpc.is_some_and(|vpc| vpc.contains(&range)) {
                return Err(Refusal::fatal(
                    "InvalidSubnet.Range",
                    format!("{range} is not in the VPC"),
                ));
            }
            for other in of_kind(account, "subnet").filter(|other| other.text("vpc") == text("vpc"))
            {
                let taken = cidr(other.text("cidr_block"))?;
                if taken.contains(&range) || range.contains(&taken) {
                    let message = format!("{range} conflicts with {taken} of {}", other.id);
                    return Err(Refusal::fatal("InvalidSubnet.Conflict", message));
                }
            }
        }
        "load_balancer" => {
            let subnets: Vec<&Object> =
                list(body, "subnets").filter_map(|id| account.get("subnet", id)).collect();
            let zones: std::collections::BTreeSet<_> =
                subnets.iter().map(|subnet| subnet.text("availability_zone")).collect();
            if zones.len() < 2 || zones.len() < subnets.len() {
                let message = "at least two subnets in two different zones must be given";
                return Err(Refusal::fatal("ValidationError", message));
            }
            let vpc = subnets.first().map_or("", |subnet| subnet.text("vpc"));
            let gateway = of_kind(account, "internet_gateway").any(|g| g.text("vpc") == vpc);
            if text("scheme") == "internet-facing" && !gateway {
                let message = format!("VPC {vpc} has no internet gateway");
                return Err(Refusal::fatal("InvalidSubnet", message));
            }
        }
        "instance" if !text("instance_profile").is_empty() => {
            let profile = account.get("instance_profile", text("instance_profile"));
            if profile.is_none_or(|profile| profile.text("role").is_empty()) {
                let message = format!(
                    "IAM Instance Profile \"{}\" has no associated IAM Roles",
                    text("instance_profile")
                );
                return Err(Refusal::not_yet("InvalidParameterValue", message));
            }
        }
        "listener" => {
            listener(body)?;
            account.check_association(body)?;
        }
        "listener_rule" => account.check_association(body)?,
        "db_instance" => replicas::create(account, body)?,
        "ssm_parameter" if !(1..=PARAMETER_CHARACTERS).contains(&characters(body)) => {
            let message = format!("the value of {} is empty or too long", text("name"));
            return Err(Refusal::fatal("ValidationException", message));
        }
        // <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html>
        "replication_group" if text("replication_group_id").len() > GROUP_ID_CHARACTERS => {
            let message = format!("the id {} is too long", text("replication_group_id"));
            return Err(Refusal::fatal("InvalidParameterValue", message));
        }
        "replication_group" if body.get("num_cache_clusters").and_then(Value::as_u64) < Some(2) => {
            let message = "Automatic failover is not supported for one node";
            return Err(Refusal::fatal("InvalidParameterCombination", message));
        }
        "iam_role" if text("name").len() > ROLE_NAME_CHARACTERS => {
            let message = format!("the name {} is too long", text("name"));
            return Err(Refusal::fatal("ValidationError", message));
        }
        "record" if ["alias_dns_name", "alias_zone_id"].iter().any(|to| text(to).is_empty()) => {
            let message = format!("{} leads nowhere", text("name"));
            return Err(Refusal::fatal("InvalidInput", message));
        }
        _ => {}
    }
    Ok(())
}

fn listener(body: &Body) -> Result<(), Refusal> {
    let holds = |field: &str| body.get(field).is_some_and(|value| !value.is_null());
    let https = body.get("protocol").and_then(Value::as_str) == Some("HTTPS");
    let redirects = body.get("redirect_to_https") == Some(&Value::Bool(true));
    let wrong = match () {
        () if https && !holds("certificate") => {
            Some(("CertificateNotFound", "a certificate must be specified for HTTPS listeners"))
        }
        () if !https && (holds("certificate") || holds("ssl_policy")) => {
            Some(("InvalidConfigurationRequest", "an HTTP listener takes no certificate"))
        }
        () if redirects == holds("default_target_group") => {
            Some(("ValidationError", "exactly one default action must be specified"))
        }
        () => None,
    };
    wrong.map_or(Ok(()), |(code, message)| Err(Refusal::fatal(code, message)))
}

/// How long a parameter's value is: a list has a comma between two items.
fn characters(parameter: &Body) -> usize {
    match parameter.get("value") {
        Some(Value::Array(items)) => {
            let texts = items.iter().filter_map(Value::as_str);
            texts.map(|text| text.len() + 1).sum::<usize>().saturating_sub(1)
        }
        value => value.and_then(Value::as_str).unwrap_or_default().len(),
    }
}

pub fn update(
    account: &Account,
    object: &Object,
    after: &Body,
    changed: &[&str],
) -> Result<(), Refusal> {
    let ready = object.status() == Status::Ready;
    match object.kind.as_str() {
        "db_instance" if !ready => Err(Refusal::not_yet(
            "InvalidDBInstanceState",
            format!("{} is not in available state", object.id),
        )),
        "cache_cluster" if !ready => Err(Refusal::not_yet(
            "InvalidCacheClusterState",
            format!("{} is not in available state", object.id),
        )),
        "replication_group" if !ready => Err(Refusal::not_yet(
            "InvalidReplicationGroupState",
            format!("{} is not in available state", object.id),
        )),
        "db_instance" => replicas::update(account, object, after),
        "listener" | "listener_rule" => account.check_association(after),
        "db_subnet_group" | "cache_subnet_group" => account.check_subnets(object, after),
        // It is put into none; taken out it may be at any time.
        "instance"
            if !ready
                && changed.contains(&"target_group")
                && after.get("target_group").is_some_and(|group| !group.is_null()) =>
        {
            Err(Refusal::not_yet("InvalidTarget", format!("{} is not running", object.id)))
        }
        _ => Ok(()),
    }
}

/// Whether AWS has a protection for the kind that is no field of it.
pub fn can_protect(kind: &str) -> bool {
    matches!(kind, "load_balancer" | "instance")
}

/// Says no, or names the final snapshot that the deletion leaves.
pub fn delete(
    account: &Account,
    object: &Object,
    parting: &Body,
) -> Result<Option<String>, Refusal> {
    let lifted = parting.get(LIFT_PROTECTION) == Some(&Value::Bool(true));
    match object.kind.as_str() {
        _ if object.protected && !lifted => Err(Refusal::fatal(
            "OperationNotPermitted",
            format!("{} is protected against deletion", object.id),
        )),
        "db_instance" => {
            let protected = object.body.get("deletion_protection") == Some(&Value::Bool(true));
            if protected && !lifted {
                let message = format!("{} is protected against deletion", object.id);
                return Err(Refusal::fatal("InvalidParameterCombination", message));
            }
            let snapshot = parting.get("final_snapshot").and_then(Value::as_str);
            replicas::delete(object, snapshot)?;
            if let Some(taken) = snapshot.filter(|name| account.snapshots().contains(*name)) {
                let message = format!("the snapshot {taken} exists already");
                return Err(Refusal::fatal("DBSnapshotAlreadyExists", message));
            }
            Ok(snapshot.map(str::to_owned))
        }
        "internet_gateway" => {
            let vpc = object.text("vpc");
            let public = of_kind(account, "instance").find(|instance| {
                instance.body.get("associate_public_ip_address") == Some(&Value::Bool(true))
                    && account
                        .get("subnet", instance.text("subnet"))
                        .is_some_and(|s| s.text("vpc") == vpc)
            });
            match public {
                Some(instance) => Err(Refusal::not_yet(
                    "DependencyViolation",
                    format!("{vpc} has mapped public addresses: {}", instance.id),
                )),
                None => Ok(None),
            }
        }
        _ => Ok(None),
    }
}

pub fn of_kind<'a>(account: &'a Account, kind: &'a str) -> impl Iterator<Item = &'a Object> {
    account.objects().filter(move |object| object.kind == kind)
}

fn list<'a>(body: &'a Body, field: &str) -> impl Iterator<Item = &'a str> {
    body.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn cidr(text: &str) -> Result<Ipv4Net, Refusal> {
    text.parse()
        .map_err(|_| Refusal::fatal("InvalidParameterValue", format!("`{text}` is no CIDR block")))
}
