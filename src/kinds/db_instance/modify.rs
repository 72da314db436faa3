//! ModifyDBInstance: at once, or in the maintenance window.
//!
//! Asked for at once, a change takes everything with it that waits for the window; and what waits is taken back only at
//! once: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.ApplyImmediately.html>

use std::collections::BTreeSet;

use serde_json::Value;

use super::{DbInstance, MODIFY, SCHEMA, password, reported};
use crate::aws::{Aws, fault, rds};
use crate::kinds::{Live, Refusal, form};
use crate::model::{APPLY_IMMEDIATELY, Body, Class, Fault};

const VERSION: &str = "engine_version";
const STORAGE: &str = "allocated_storage";
const BACKUPS: &str = "backup_retention_period";
const MANAGED: &str = "manage_master_user_password";
const SECRET: &str = "master_user_secret";

type Names<'a> = BTreeSet<&'a str>;

/// The calls that bring a database from where it is to `after`.
#[derive(Debug, PartialEq)]
struct Calls<'a> {
    /// Makes what waits be what it is now, so that nothing waits any more.
    take_back: Option<(Body, Names<'a>)>,
    /// Sets these.
    set: Names<'a>,
}

/// Brings the `changed` fields to what `after` has for them.
pub async fn bring(aws: &Aws, live: &Live, after: &Body, changed: &[&str]) -> Result<(), Fault> {
    let id = live.id.as_str();
    let spec: DbInstance = form::spec(&SCHEMA, after)?;
    // As it is by now: an earlier try may have got half-way.
    let found = rds::databases(aws, Some(id.to_owned())).await?.into_iter().next();
    let database =
        found.ok_or_else(|| Fault::new(Class::NotFound, MODIFY, "DBInstanceNotFound", id))?;
    let (now, coming) = (reported::changeable(&database), reported::coming(&database));
    let mut calls = calls(&now, &coming, after, changed, spec.apply_immediately);
    let version = now.get(VERSION).and_then(Value::as_str).unwrap_or_default();
    let upgrade = major(version) != major(&spec.engine_version);
    // RDS upgrades replicas with their source to another major version, and takes no such call for them:
    // <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.PostgreSQL.MajorVersion.html>
    if upgrade && !spec.source.id().is_empty() {
        calls.set.remove(VERSION);
    }
    if let Some((back, names)) = calls.take_back {
        send(aws, id, &form::spec(&SCHEMA, &back)?, &names, true, false).await?;
    }
    if calls.set.is_empty() {
        return Ok(());
    }
    send(aws, id, &spec, &calls.set, spec.apply_immediately, upgrade).await?;
    if calls.set.contains(SECRET) {
        rds::tag(aws, &live.outputs, &rds::secret_tag(spec.master_user_secret.id())).await?;
    }
    Ok(())
}

/// Decides on the calls. `now` are the fields that may wait as they are, `coming` what waits.
fn calls<'a>(
    now: &Body,
    coming: &'a Body,
    after: &Body,
    changed: &[&'a str],
    immediately: bool,
) -> Calls<'a> {
    let mut set: Names<'a> = changed.iter().copied().filter(|f| *f != APPLY_IMMEDIATELY).collect();
    if immediately {
        set.extend(coming.keys().map(String::as_str));
        return Calls { take_back: None, set };
    }
    let back: Names = (set.iter().copied())
        .filter(|field| coming.contains_key(*field) && now.get(*field) == after.get(*field))
        .collect();
    if !back.is_empty() {
        let mut body = after.clone();
        body.extend(now.clone());
        let names = coming.keys().map(String::as_str).collect();
        set.extend(coming.keys().map(String::as_str));
        set.retain(|field| !back.contains(field));
        return Calls { take_back: Some((body, names)), set };
    }
    // What an earlier try took back and did not ask for again.
    let lost = SCHEMA.fields.iter().filter(|field| field.in_window && !field.version);
    set.extend(lost.map(|field| field.name).filter(|field| {
        let effective = coming.get(*field).or(now.get(*field));
        effective.is_some() && effective != after.get(*field)
    }));
    set.retain(|field| now.get(*field) != after.get(*field) || coming.contains_key(*field));
    Calls { take_back: None, set }
}

/// What can't be had of it, and what can.
pub fn refuses(before: &Body, after: &Body) -> Option<Refusal> {
    shrinks(before, after).or_else(|| lacks_backups(before, after))
}

/// RDS makes replicas only of what has backups, and begins with these in the maintenance window:
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html>
fn lacks_backups(before: &Body, after: &Body) -> Option<Refusal> {
    let replicated = after.get(SECRET).is_some_and(|secret| !secret.is_null());
    let waits = after.get(APPLY_IMMEDIATELY) != Some(&true.into());
    let refused = replicated && waits && before.get(BACKUPS) == Some(&0.into());
    refused.then(|| Refusal {
        field: BACKUPS,
        message: "it has no backups yet, and RDS makes replicas only of what has".to_owned(),
        hint: format!(
            "apply `{BACKUPS}` first, without `replicas`; or set `{APPLY_IMMEDIATELY} = true`, else AWS begins with \
             backups in the maintenance window"
        ),
    })
}

/// Storage only grows, by a tenth at least; less AWS makes a tenth, and so more than the file says:
/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html>
fn shrinks(before: &Body, after: &Body) -> Option<Refusal> {
    let size = |body: &Body| body.get(STORAGE).and_then(Value::as_u64);
    let (now, wanted) = (size(before)?, size(after)?);
    let least = now + now.div_ceil(10);
    let (message, hint) = if wanted < now {
        let message = format!("storage can't shrink: it has {now} GiB, the file says {wanted}");
        (
            message,
            format!(
                "set `{STORAGE} = {now}`; AWS has no way back but a new database and a copy of the data"
            ),
        )
    } else if now < wanted && wanted < least {
        let message =
            format!("storage grows by a tenth at least: it has {now} GiB, the file says {wanted}");
        (message, format!("set `{STORAGE} = {least}` or more"))
    } else {
        return None;
    };
    Some(Refusal { field: STORAGE, message, hint })
}

async fn send(
    aws: &Aws,
    id: &str,
    spec: &DbInstance,
    names: &Names<'_>,
    immediately: bool,
    upgrade: bool,
) -> Result<(), Fault> {
    let sets = |field: &str| names.contains(field);
    let flag = |field: &str, value: bool| sets(field).then_some(value);
    let text = |field: &str, value: &str| sets(field).then(|| value.to_owned());
    let number = |field: &str, value: u32| sets(field).then(|| value.cast_signed());
    // RDS takes the password over from itself, or gives it away, at once, whatever else waits.
    let password = match sets(SECRET) || sets(MANAGED) {
        true => password(aws, spec).await?,
        false => None,
    };
    let call = aws
        .rds
        .modify_db_instance()
        .db_instance_identifier(id)
        .apply_immediately(immediately)
        .set_engine_version(text(VERSION, &spec.engine_version))
        .set_allow_major_version_upgrade((sets(VERSION) && upgrade).then_some(true))
        .set_db_instance_class(text("instance_class", &spec.instance_class))
        .set_allocated_storage(number("allocated_storage", spec.allocated_storage))
        .set_storage_type(text("storage_type", &spec.storage_type))
        .set_multi_az(flag("multi_az", spec.multi_az))
        .set_publicly_accessible(flag("publicly_accessible", spec.publicly_accessible))
        .set_db_port_number(number("port", spec.port.into()))
        .set_manage_master_user_password(flag(MANAGED, spec.manage_master_user_password))
        .set_master_user_password(password.map(|password| password.reveal().to_owned()))
        .set_backup_retention_period(number(BACKUPS, spec.backup_retention_period))
        .set_deletion_protection(flag("deletion_protection", spec.deletion_protection))
        .set_vpc_security_group_ids(
            sets("security_groups").then(|| form::ids(&spec.security_groups)),
        );
    call.send().await.map_err(fault(MODIFY))?;
    Ok(())
}

/// `16` of `16.8`.
fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    static NOTHING: Body = Body::new();

    fn body(fields: Value) -> Body {
        serde_json::from_value(fields).unwrap()
    }

    fn set<'a>(names: &[&'a str]) -> Names<'a> {
        names.iter().copied().collect()
    }

    #[test]
    fn what_waits_goes_with_what_is_asked_for_at_once() {
        let now = body(json!({"instance_class": "db.t3.micro", "multi_az": false}));
        let coming = body(json!({"instance_class": "db.t3.small"}));
        let after = body(json!({"instance_class": "db.t3.small", "multi_az": true}));
        let asked = calls(&now, &coming, &after, &["apply_immediately", "multi_az"], true);
        assert_eq!(asked, Calls { take_back: None, set: set(&["instance_class", "multi_az"]) });
        let later = calls(&now, &coming, &after, &["multi_az"], false);
        assert_eq!(later, Calls { take_back: None, set: set(&["multi_az"]) });
    }

    #[test]
    fn a_word_on_later_calls_is_no_call() {
        let now = body(json!({"instance_class": "db.t3.micro"}));
        let calls = calls(&now, &NOTHING, &now, &["apply_immediately"], true);
        assert_eq!(calls, Calls { take_back: None, set: set(&[]) });
    }

    #[test]
    fn what_is_taken_back_leaves_the_rest_waiting() {
        let now = body(json!({"instance_class": "db.t3.micro", "multi_az": false}));
        let coming = body(json!({"instance_class": "db.t3.large", "multi_az": true}));
        let after = body(json!({"instance_class": "db.t3.micro", "multi_az": true}));
        let asked = calls(&now, &coming, &after, &["instance_class"], false);
        let (back, names) = asked.take_back.unwrap();
        assert_eq!(names, set(&["instance_class", "multi_az"]));
        assert_eq!(
            (&back["instance_class"], &back["multi_az"]),
            (&json!("db.t3.micro"), &json!(false))
        );
        assert_eq!(asked.set, set(&["multi_az"]));
        // Cut short between the two calls, the second try asks for what is missing.
        let again = calls(&now, &NOTHING, &after, &["instance_class"], false);
        assert_eq!(again, Calls { take_back: None, set: set(&["multi_az"]) });
    }

    #[test]
    fn what_never_waits_is_set_as_it_is_asked() {
        let after = body(json!({"security_groups": ["sg-1"]}));
        let calls = calls(&NOTHING, &NOTHING, &after, &["security_groups"], false);
        assert_eq!(calls.set, set(&["security_groups"]));
    }
}
