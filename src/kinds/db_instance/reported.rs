//! What RDS says of a database, and what it has still to change.

use aws_sdk_rds::types as sdk;
use serde_json::Value;

use super::SCHEMA;
use crate::aws::rds;
use crate::kinds::form;
use crate::model::{
    APPLIED, APPLY_IMMEDIATELY, Body, Created, Fingerprint, Maintenance, Observed, Status, Tags,
    Vitals,
};

pub fn outputs(created: Created, database: &sdk::DbInstance) -> Created {
    let endpoint = database.endpoint.as_ref().and_then(|endpoint| endpoint.address.clone());
    let secret = database.master_user_secret.as_ref();
    created
        .output("arn", database.db_instance_arn.clone())
        .output("endpoint", endpoint)
        // The secret that RDS keeps.
        .output("secret_arn", secret.and_then(|secret| secret.secret_arn.clone()))
}

/// A change that RDS has still to make was asked for already: it counts as made, and what holds until then is told
/// beside it.
pub fn observe(database: sdk::DbInstance, tags: Tags) -> Option<Observed> {
    let status = status(&database);
    let zones = [database.availability_zone(), database.secondary_availability_zone()];
    let zones = zones.into_iter().flatten().map(str::to_owned).collect();
    let word = database.db_instance_status().unwrap_or_default();
    let vitals = Vitals { zones, ..Vitals::state(word) };
    let created = outputs(Created::id(database.db_instance_identifier.clone()?), &database);
    let secret = rds::secret_of(&database);
    let now = changeable(&database);
    let coming = coming(&database);
    // What it is changing right now waits for no window.
    let waits = status == Status::Ready;
    let until_then = now.iter().filter(|(field, _)| waits && coming.contains_key(*field));
    let maintenance = Maintenance {
        window: database.preferred_maintenance_window.unwrap_or_default(),
        until_then: until_then.map(|(field, value)| (field.clone(), value.clone())).collect(),
    };
    // Without either, nobody knows where the password is: it has to be set.
    let managed = database.master_user_secret.is_some();
    let source = database.read_replica_source_db_instance_identifier.filter(|id| !id.is_empty());
    let port = database.endpoint.and_then(|endpoint| endpoint.port).or(database.db_instance_port);
    let port = port.filter(|port| *port != 0);
    let subnet_group = database.db_subnet_group.and_then(|group| group.db_subnet_group_name);
    let groups = database.vpc_security_groups.map(|groups| {
        let staying = groups.into_iter().filter(|group| group.status() != Some("removing"));
        form::set(staying.filter_map(|group| group.vpc_security_group_id).map(Value::from))
    });
    let mut body = form::reported([
        ("identifier", Some(created.id.as_str().into())),
        ("engine", database.engine.map(Value::from)),
        ("storage_encrypted", database.storage_encrypted.map(Value::from)),
        ("publicly_accessible", database.publicly_accessible.map(Value::from)),
        ("port", port.map(Value::from)),
        ("db_name", database.db_name.map(Value::from)),
        ("master_username", database.master_username.map(Value::from)),
        ("manage_master_user_password", Some(managed.into())),
        ("master_user_secret", Some(secret.into())),
        ("deletion_protection", database.deletion_protection.map(Value::from)),
        ("source", Some(source.into())),
        ("subnet_group", subnet_group.map(Value::from)),
        ("security_groups", groups),
        (APPLY_IMMEDIATELY, immediately(&tags).map(Value::from)),
    ]);
    body.extend(now);
    body.extend(coming);
    Some(Observed {
        status,
        outputs: created.outputs,
        maintenance: Some(maintenance),
        vitals,
        ..form::observed(&SCHEMA, created.id, tags, body)
    })
}

/// The fields that RDS may have still to change, as they are.
pub fn changeable(database: &sdk::DbInstance) -> Body {
    form::reported([
        ("engine_version", database.engine_version.clone().map(Value::from)),
        ("instance_class", database.db_instance_class.clone().map(Value::from)),
        ("allocated_storage", database.allocated_storage.map(Value::from)),
        ("storage_type", database.storage_type.clone().map(Value::from)),
        ("multi_az", database.multi_az.map(Value::from)),
        ("backup_retention_period", database.backup_retention_period.map(Value::from)),
    ])
}

/// What it has still to change, and to what.
pub fn coming(database: &sdk::DbInstance) -> Body {
    let Some(coming) = &database.pending_modified_values else { return Body::new() };
    form::reported([
        ("engine_version", coming.engine_version.clone().map(Value::from)),
        ("instance_class", coming.db_instance_class.clone().map(Value::from)),
        ("allocated_storage", coming.allocated_storage.map(Value::from)),
        ("storage_type", coming.storage_type.clone().map(Value::from)),
        ("multi_az", coming.multi_az.map(Value::from)),
        ("backup_retention_period", coming.backup_retention_period.map(Value::from)),
        ("port", coming.port.map(Value::from)),
    ])
}

/// Whether changes were last asked for at once, if that is recorded.
fn immediately(tags: &Tags) -> Option<bool> {
    let applied = Fingerprint::parse(tags.get(APPLIED).map_or("", String::as_str));
    [true, false].into_iter().find(|flag| applied.holds(APPLY_IMMEDIATELY, &Value::from(*flag)))
}

/// How far it is for who waits. A change that was asked for at once may not have begun yet: RDS then says `available`, and
/// what it is going to change.
pub fn standing(database: &sdk::DbInstance) -> Status {
    match status(database) {
        Status::Ready if has_to_begin(database) => Status::Pending("modifying".to_owned()),
        status => status,
    }
}

/// A new password is never left to the maintenance window, and told as coming until it holds:
/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html>
fn has_to_begin(database: &sdk::DbInstance) -> bool {
    let coming_password =
        database.pending_modified_values.as_ref().and_then(|coming| coming.master_user_password());
    coming_password.is_some()
        || (immediately(&rds::from_sdk(database.tag_list())) == Some(true)
            && !coming(database).is_empty())
}

/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html>
fn status(database: &sdk::DbInstance) -> Status {
    match database.db_instance_status().unwrap_or_default() {
        // It serves while it is being backed up or its storage rearranged.
        "available" | "backing-up" | "storage-optimization" => Status::Ready,
        "deleting" => Status::Deleting,
        state if state.starts_with("incompatible-") => Status::Failed(state.to_owned()),
        state @ ("failed"
        | "restore-error"
        | "storage-full"
        | "inaccessible-encryption-credentials") => Status::Failed(state.to_owned()),
        state => Status::Pending(state.to_owned()),
    }
}
