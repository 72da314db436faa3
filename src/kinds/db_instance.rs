//! A PostgreSQL database. RDS makes its password and keeps it; ecdeploy never sees it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDBInstanceFluentBuilder;
use aws_sdk_rds::types as sdk;
use futures_util::future::{try_join, try_join_all};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Kind, Live, form, gone_or_going, lifts};
use crate::aws::absent::one_or_all;
use crate::aws::{Aws, Reading, fault, rds};
use crate::model::{
    Body, Created, Fault, Field, Link, Observed, Schema, Standing, Status, Tags, Timing,
};

const MODIFY: &str = "rds:ModifyDBInstance";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DbInstance {
    pub identifier: String,
    pub engine: String,
    pub engine_version: String,
    pub instance_class: String,
    pub allocated_storage: u32,
    pub storage_type: String,
    pub storage_encrypted: bool,
    pub multi_az: bool,
    pub publicly_accessible: bool,
    pub port: u16,
    pub db_name: String,
    pub master_username: String,
    pub manage_master_user_password: bool,
    pub backup_retention_period: u32,
    pub deletion_protection: bool,
    pub subnet_group: Link,
    pub security_groups: Vec<Link>,
}

pub static SCHEMA: Schema = Schema {
    kind: "db_instance",
    fields: &[
        Field::replace("identifier"),
        Field::replace("engine"),
        Field::in_place("engine_version").version(),
        Field::in_place("instance_class"),
        Field::in_place("allocated_storage"),
        Field::in_place("storage_type"),
        Field::replace("storage_encrypted"),
        Field::in_place("multi_az"),
        Field::in_place("publicly_accessible"),
        Field::in_place("port"),
        Field::replace("db_name"),
        Field::replace("master_username"),
        Field::in_place("manage_master_user_password"),
        Field::in_place("backup_retention_period"),
        Field::in_place("deletion_protection"),
        Field::replace("subnet_group").names("db_subnet_group"),
        Field::in_place("security_groups").names("security_group").set(),
    ],
    outputs: &[
        ("arn", "arn:aws:rds:{region}:{account}:db:{identifier}"),
        ("endpoint", "{identifier}.c9akciq32rgx.{region}.rds.amazonaws.com"),
        ("secret_arn", "arn:aws:secretsmanager:{region}:{account}:secret:rds!db-{hex}"),
    ],
    id: "{identifier}",
    unique: &[&["identifier"]],
    timing: Timing { create: 620, update: 300, delete: 240, poll: 15 },
};

pub struct Wire;

#[async_trait]
impl Kind for Wire {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn list(&self, read: &Reading<'_>) -> Result<Vec<Observed>, Fault> {
        let (databases, likely) = try_join(describe(read.aws, None), read.likely()).await?;
        let likely = &likely;
        let told = databases.into_iter().map(|database| async move {
            let vpc = database.db_subnet_group.as_ref().and_then(|group| group.vpc_id());
            // Without tags, or one whose tags the answer leaves out.
            let tags = match (database.tag_list(), database.db_instance_arn()) {
                ([], Some(arn)) if likely(vpc) => rds::tags(read.aws, arn).await?,
                (tags, _) => rds::from_sdk(tags),
            };
            Ok::<_, Fault>(read.owns(&tags).then(|| observe(database, tags)).flatten())
        });
        Ok(try_join_all(told).await?.into_iter().flatten().collect())
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        let spec: DbInstance = form::spec(&SCHEMA, body)?;
        let call = aws
            .rds
            .create_db_instance()
            .db_instance_identifier(&spec.identifier)
            .engine(spec.engine)
            .engine_version(spec.engine_version)
            .db_instance_class(spec.instance_class)
            .allocated_storage(spec.allocated_storage.cast_signed())
            .storage_type(spec.storage_type)
            .storage_encrypted(spec.storage_encrypted)
            .multi_az(spec.multi_az)
            .publicly_accessible(spec.publicly_accessible)
            .port(spec.port.into())
            .db_name(spec.db_name)
            .master_username(spec.master_username)
            .manage_master_user_password(spec.manage_master_user_password)
            .backup_retention_period(spec.backup_retention_period.cast_signed())
            .deletion_protection(spec.deletion_protection)
            .db_subnet_group_name(spec.subnet_group.id())
            .set_vpc_security_group_ids(Some(form::ids(&spec.security_groups)))
            .set_tags(Some(rds::to_sdk(tags)));
        let answer = call.send().await.map_err(fault("rds:CreateDBInstance"))?;
        let created = Created::id(spec.identifier);
        Ok(match answer.db_instance {
            Some(database) => outputs(created, &database),
            None => created,
        })
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Live,
        after: &Body,
        changed: &[&str],
    ) -> Result<(), Fault> {
        let spec: DbInstance = form::spec(&SCHEMA, after)?;
        let changes = |field: &str| changed.contains(&field);
        let flag = |field: &str, value: bool| changes(field).then_some(value);
        let text = |field: &str, value: &str| changes(field).then(|| value.to_owned());
        let number = |field: &str, value: u32| changes(field).then(|| value.cast_signed());
        let before = live.body.get("engine_version").and_then(Value::as_str).unwrap_or_default();
        let upgrade = changes("engine_version") && major(before) != major(&spec.engine_version);
        let call = modify(aws, &live.id)
            .set_engine_version(text("engine_version", &spec.engine_version))
            .set_allow_major_version_upgrade(upgrade.then_some(true))
            .set_db_instance_class(text("instance_class", &spec.instance_class))
            .set_allocated_storage(number("allocated_storage", spec.allocated_storage))
            .set_storage_type(text("storage_type", &spec.storage_type))
            .set_multi_az(flag("multi_az", spec.multi_az))
            .set_publicly_accessible(flag("publicly_accessible", spec.publicly_accessible))
            .set_db_port_number(number("port", spec.port.into()))
            .set_manage_master_user_password(flag(
                "manage_master_user_password",
                spec.manage_master_user_password,
            ))
            .set_backup_retention_period(number(
                "backup_retention_period",
                spec.backup_retention_period,
            ))
            .set_deletion_protection(flag("deletion_protection", spec.deletion_protection))
            .set_vpc_security_group_ids(
                changes("security_groups").then(|| form::ids(&spec.security_groups)),
            );
        call.send().await.map_err(fault(MODIFY))?;
        Ok(())
    }

    /// `parting` may hold `final_snapshot`, the name of one to take, and `lift_protection`.
    async fn delete(&self, aws: &Aws, live: &Live, parting: &Body) -> Result<(), Fault> {
        gone_or_going(self, aws, &live.id, part(aws, &live.id, parting).await).await
    }

    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        let found = one_or_all(ids, |id| describe(aws, id)).await?.into_iter();
        let known = found.filter_map(|database| {
            let status = status(&database);
            let outputs = outputs(Created::id(""), &database).outputs;
            Some((database.db_instance_identifier?, Standing { status, outputs }))
        });
        Ok(known.filter(|(id, _)| ids.contains(id)).collect())
    }

    async fn tag(&self, aws: &Aws, live: &Live, tags: &Tags) -> Result<(), Fault> {
        rds::tag(aws, &live.outputs, tags).await
    }
}

/// The database of this name, or all.
async fn describe(aws: &Aws, name: Option<String>) -> Result<Vec<sdk::DbInstance>, Fault> {
    let call = aws.rds.describe_db_instances().set_db_instance_identifier(name);
    let found: Result<_, _> = call.into_paginator().items().send().collect().await;
    found.map_err(fault("rds:DescribeDBInstances"))
}

/// A change that does not wait for the maintenance window.
fn modify(aws: &Aws, id: &str) -> ModifyDBInstanceFluentBuilder {
    aws.rds.modify_db_instance().db_instance_identifier(id).apply_immediately(true)
}

async fn part(aws: &Aws, id: &str, parting: &Body) -> Result<(), Fault> {
    if lifts(parting) {
        let call = modify(aws, id).deletion_protection(false);
        call.send().await.map_err(fault(MODIFY))?;
    }
    let snapshot = parting.get("final_snapshot").and_then(Value::as_str);
    let call = aws
        .rds
        .delete_db_instance()
        .db_instance_identifier(id)
        .skip_final_snapshot(snapshot.is_none())
        .set_final_db_snapshot_identifier(snapshot.map(str::to_owned));
    call.send().await.map_err(fault("rds:DeleteDBInstance"))?;
    Ok(())
}

/// `16` of `16.8`.
fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

fn outputs(created: Created, database: &sdk::DbInstance) -> Created {
    let endpoint = database.endpoint.as_ref().and_then(|endpoint| endpoint.address.clone());
    let secret = database.master_user_secret.as_ref();
    created
        .output("arn", database.db_instance_arn.clone())
        .output("endpoint", endpoint)
        .output("secret_arn", secret.and_then(|secret| secret.secret_arn.clone()))
}

/// A change that RDS has still to make was asked for already: it counts as made.
fn observe(database: sdk::DbInstance, tags: Tags) -> Option<Observed> {
    let status = status(&database);
    let created = outputs(Created::id(database.db_instance_identifier.clone()?), &database);
    let coming = database
        .pending_modified_values
        .unwrap_or_else(|| sdk::PendingModifiedValues::builder().build());
    let port = coming
        .port
        .or(database.endpoint.and_then(|endpoint| endpoint.port))
        .or(database.db_instance_port)
        .filter(|port| *port != 0);
    let subnet_group = database.db_subnet_group.and_then(|group| group.db_subnet_group_name);
    let groups = database.vpc_security_groups.map(|groups| {
        let staying = groups.into_iter().filter(|group| group.status() != Some("removing"));
        form::set(staying.filter_map(|group| group.vpc_security_group_id).map(Value::from))
    });
    let body = form::reported([
        ("identifier", Some(created.id.as_str().into())),
        ("engine", database.engine.map(Value::from)),
        ("engine_version", coming.engine_version.or(database.engine_version).map(Value::from)),
        (
            "instance_class",
            coming.db_instance_class.or(database.db_instance_class).map(Value::from),
        ),
        (
            "allocated_storage",
            coming.allocated_storage.or(database.allocated_storage).map(Value::from),
        ),
        ("storage_type", coming.storage_type.or(database.storage_type).map(Value::from)),
        ("storage_encrypted", database.storage_encrypted.map(Value::from)),
        ("multi_az", coming.multi_az.or(database.multi_az).map(Value::from)),
        ("publicly_accessible", database.publicly_accessible.map(Value::from)),
        ("port", port.map(Value::from)),
        ("db_name", database.db_name.map(Value::from)),
        ("master_username", database.master_username.map(Value::from)),
        ("manage_master_user_password", database.master_user_secret.map(|_| true.into())),
        (
            "backup_retention_period",
            coming.backup_retention_period.or(database.backup_retention_period).map(Value::from),
        ),
        ("deletion_protection", database.deletion_protection.map(Value::from)),
        ("subnet_group", subnet_group.map(Value::from)),
        ("security_groups", groups),
    ]);
    Some(Observed {
        status,
        outputs: created.outputs,
        ..form::observed(&SCHEMA, created.id, tags, body)
    })
}

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
