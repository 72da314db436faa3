//! A PostgreSQL database, or a read replica of one. RDS makes the password and keeps it, but of a database with replicas:
//! <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html#rds-secrets-manager-limitations>. That
//! one's is in a secret of ours, and is read when it is given to RDS.

mod modify;
mod operations;
mod replica;
mod reported;
mod terraform;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use futures_util::future::{try_join, try_join_all};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::terraform::Terraform;
use super::{Kind, Live, Refusal, form, gone_or_going, lifts, secret};
use crate::aws::absent::one_or_all;
use crate::aws::{Aws, Reading, fault, rds};
use crate::model::question::{Name, Namesake, Namesakes};
use crate::model::{
    APPLY_IMMEDIATELY, Body, Calls, Created, Fault, Field, Link, Observed, Operation, Schema,
    Standing, Tags, Timing,
};
pub use replica::{address as replica_address, identifier as replica_identifier};
use reported::{observe, outputs};

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
    /// Whether RDS makes the password and keeps it.
    pub manage_master_user_password: bool,
    /// The secret that has it otherwise.
    pub master_user_secret: Link,
    pub backup_retention_period: u32,
    pub deletion_protection: bool,
    /// The database that this is a read replica of.
    pub source: Link,
    pub subnet_group: Link,
    pub security_groups: Vec<Link>,
    /// Whether changes are made when they are asked for, even those that restart the database. It is a word on calls, not
    /// a fact of the database: the account has it only in what was last applied.
    pub apply_immediately: bool,
}

/// Which fields wait for the maintenance window, and which AWS changes at once in any case:
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.Settings.html>
/// From one number of days to another, AWS keeps backups longer or shorter as soon as possible; to turn them on or off
/// waits: <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html>
fn kept_throughout(before: &Value, after: &Value) -> bool {
    [before, after].iter().all(|days| days.as_u64().is_some_and(|days| days > 0))
}

pub static SCHEMA: Schema = Schema {
    kind: "db_instance",
    fields: &[
        Field::replace("identifier"),
        Field::replace("engine"),
        Field::in_place("engine_version").version().in_window().interrupts(),
        Field::in_place("instance_class").in_window().interrupts(),
        Field::in_place("allocated_storage").in_window(),
        Field::in_place("storage_type").in_window(),
        Field::replace("storage_encrypted"),
        Field::in_place("multi_az").in_window(),
        Field::in_place("publicly_accessible"),
        // AWS changes it at once whatever is asked, by a restart.
        Field::in_place("port").interrupts(),
        Field::replace("db_name"),
        Field::replace("master_username"),
        // Both are changed at once, whatever else waits.
        Field::in_place("manage_master_user_password"),
        Field::in_place("master_user_secret").names("secret").validates(),
        Field::in_place("backup_retention_period").in_window_unless(kept_throughout),
        Field::in_place("deletion_protection"),
        Field::replace("source").names("db_instance").needs_ready(),
        Field::replace("subnet_group").names("db_subnet_group"),
        Field::in_place("security_groups").names("security_group").set(),
        Field::in_place(APPLY_IMMEDIATELY),
    ],
    outputs: &[
        ("arn", "arn:aws:rds:{region}:{account}:db:{identifier}"),
        ("endpoint", "{identifier}.c9akciq32rgx.{region}.rds.amazonaws.com"),
        ("secret_arn", "arn:aws:secretsmanager:{region}:{account}:secret:rds!db-{hex}"),
    ],
    id: "{identifier}",
    unique: &["identifier"],
    timing: Timing { create: 620, update: 300, delete: 240, poll: 15 },
    calls: Calls::UNPACED,
};

pub struct Wire;

#[async_trait]
impl Kind for Wire {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn operations(&self) -> &'static [Operation] {
        operations::OPERATIONS
    }

    fn terraform(&self) -> &'static Terraform {
        &terraform::TERRAFORM
    }

    async fn list(&self, read: &Reading<'_>) -> Result<Vec<Observed>, Fault> {
        let (databases, likely) = try_join(read.rds.databases(read), read.likely()).await?;
        let likely = &likely;
        let told = databases.iter().map(|database| async move {
            let vpc = database.db_subnet_group.as_ref().and_then(|group| group.vpc_id());
            // Without tags, or one whose tags the answer leaves out.
            let tags = match (database.tag_list(), database.db_instance_arn()) {
                ([], Some(arn)) if likely(vpc) => rds::tags(read.aws, arn).await?,
                (tags, _) => rds::from_sdk(tags),
            };
            Ok::<_, Fault>(read.owns(&tags).then(|| observe(database.clone(), tags)).flatten())
        });
        Ok(try_join_all(told).await?.into_iter().flatten().collect())
    }

    async fn namesakes(
        &self,
        read: &Reading<'_>,
        names: &BTreeSet<Name>,
    ) -> Result<Namesakes, Fault> {
        let all = read.rds.databases(read).await?.iter().filter_map(|one| {
            let id = one.db_instance_identifier.clone()?;
            Some(Namesake { name: vec![id.clone()], id, tags: rds::from_sdk(one.tag_list()) })
        });
        Ok(all.filter(|one| names.contains(&one.name)).collect())
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        let spec: DbInstance = form::spec(&SCHEMA, body)?;
        if !spec.source.id().is_empty() {
            return replica::create(aws, spec, tags).await;
        }
        let password = password(aws, &spec).await?;
        let secret = rds::secret_tag(spec.master_user_secret.id());
        let tags = tags.iter().chain(secret.iter().filter(|_| password.is_some()));
        let tags: Tags = tags.map(|(key, value)| (key.clone(), value.clone())).collect();
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
            .set_master_user_password(password.map(|password| password.reveal().to_owned()))
            .backup_retention_period(spec.backup_retention_period.cast_signed())
            .deletion_protection(spec.deletion_protection)
            .db_subnet_group_name(spec.subnet_group.id())
            .set_vpc_security_group_ids(Some(form::ids(&spec.security_groups)))
            .set_tags(Some(rds::to_sdk(&tags)));
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
        modify::bring(aws, live, after, changed).await
    }

    fn refuses(&self, before: &Body, after: &Body) -> Option<Refusal> {
        modify::refuses(before, after)
    }

    /// `parting` may hold `final_snapshot`, the name of one to take, and `lift_protection`.
    async fn delete(&self, aws: &Aws, live: &Live, parting: &Body) -> Result<(), Fault> {
        gone_or_going(self, aws, &live.id, part(aws, &live.id, parting).await).await
    }

    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        let found = one_or_all(ids, |id| rds::databases(aws, id)).await?.into_iter();
        let known = found.filter_map(|database| {
            let status = reported::standing(&database);
            let outputs = outputs(Created::id(""), &database).outputs;
            Some((database.db_instance_identifier?, Standing { status, outputs }))
        });
        Ok(known.filter(|(id, _)| ids.contains(id)).collect())
    }

    async fn tag(&self, aws: &Aws, live: &Live, tags: &Tags) -> Result<(), Fault> {
        rds::tag(aws, &live.outputs, tags).await
    }
}

/// The password that RDS is to be given, where it does not make it itself.
async fn password(aws: &Aws, spec: &DbInstance) -> Result<Option<secret::Password>, Fault> {
    match spec.master_user_secret.id() {
        "" => Ok(None),
        arn => secret::password(aws, arn).await.map(Some),
    }
}

async fn part(aws: &Aws, id: &str, parting: &Body) -> Result<(), Fault> {
    if lifts(parting) {
        // AWS does that at once. Asked for at once, it would begin with what waits for the maintenance window too.
        let call = aws.rds.modify_db_instance().db_instance_identifier(id);
        call.deletion_protection(false).send().await.map_err(fault(MODIFY))?;
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
