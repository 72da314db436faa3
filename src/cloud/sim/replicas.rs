//! What RDS refuses of read replicas, and of passwords that it does not keep. No body holds a password: which secret a
//! database's is from stands for it.

use serde_json::Value;

use super::Account;
use super::object::Object;
use super::rules::{Refusal, of_kind};
use crate::model::{Body, Status};

const MANAGED: &str = "manage_master_user_password";
const BACKUPS: &str = "backup_retention_period";

pub fn create(account: &Account, body: &Body) -> Result<(), Refusal> {
    let source = text(body, "source");
    if source.is_empty() {
        return password(body);
    }
    let of = account.get("db_instance", source).filter(|of| of.status() == Status::Ready);
    let Some(of) = of else {
        let message = format!("{source} is not in available state");
        return Err(Refusal::not_yet("InvalidDBInstanceState", message));
    };
    if managed(&of.body) {
        let message =
            format!("{source} has a master password managed by RDS: it can have no read replicas");
        return Err(Refusal::fatal("InvalidParameterCombination", message));
    }
    if days(&of.body) == 0 {
        let message = format!("Automated backups are not enabled for {source}");
        return Err(Refusal::not_yet("InvalidDBInstanceState", message));
    }
    if days(body) > 0 {
        let message = "a replica is made without backups";
        return Err(Refusal::fatal("InvalidParameterCombination", message));
    }
    // What it has of its source, it can't be given.
    let same = ["engine", "storage_encrypted", "db_name", "master_username", "subnet_group"];
    match same.into_iter().find(|field| body.get(*field) != of.body.get(*field)) {
        Some(field) => {
            let message = format!("a replica has the {field} of its source");
            Err(Refusal::fatal("InvalidParameterCombination", message))
        }
        None => Ok(()),
    }
}

pub fn update(account: &Account, object: &Object, after: &Body) -> Result<(), Refusal> {
    if !text(after, "source").is_empty() {
        return Ok(());
    }
    password(after)?;
    let replica = of_kind(account, "db_instance").find(|other| other.text("source") == object.id);
    let Some(replica) = replica else { return Ok(()) };
    let refused = if managed(after) {
        "RDS keeps the password of no database with read replicas"
    } else if days(after) == 0 {
        "backups can't be turned off while there are read replicas"
    } else {
        return Ok(());
    };
    let message = format!("{refused}: {} has {}", object.id, replica.id);
    Err(Refusal::fatal("InvalidParameterCombination", message))
}

/// AWS would make a database of its own of a replica whose source goes, and nobody would know it: the account holds on to
/// the source instead, as to all that is named.
pub fn delete(object: &Object, snapshot: Option<&str>) -> Result<(), Refusal> {
    if snapshot.is_some() && !object.text("source").is_empty() {
        let message = format!("{} is a read replica: no final snapshot can be taken", object.id);
        return Err(Refusal::fatal("InvalidParameterCombination", message));
    }
    Ok(())
}

/// Either RDS makes it, or it is given one.
fn password(body: &Body) -> Result<(), Refusal> {
    // A copy of an account may not know.
    let known = body.get(MANAGED).is_some_and(|managed| !managed.is_null());
    if !known || managed(body) == text(body, "master_user_secret").is_empty() {
        return Ok(());
    }
    let message = "either ManageMasterUserPassword or MasterUserPassword must be given";
    Err(Refusal::fatal("InvalidParameterCombination", message))
}

fn managed(body: &Body) -> bool {
    body.get(MANAGED) == Some(&Value::Bool(true))
}

fn days(body: &Body) -> u64 {
    body.get(BACKUPS).and_then(Value::as_u64).unwrap_or(0)
}

fn text<'a>(body: &'a Body, field: &str) -> &'a str {
    body.get(field).and_then(Value::as_str).unwrap_or_default()
}
