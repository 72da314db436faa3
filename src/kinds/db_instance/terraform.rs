//! A database, or a read replica of one, in Terraform. No password is ever told: Terraform leaves it as it is.

use serde_json::{Value, json};

use crate::kinds::terraform::{Argument, One, Terraform, whole, word};
use crate::model::APPLY_IMMEDIATELY;

pub static TERRAFORM: Terraform = Terraform {
    resource: "aws_db_instance",
    import: "{id}",
    named_by: "identifier",
    outputs: &[
        ("arn", "arn"),
        ("endpoint", "address"),
        ("secret_arn", "master_user_secret[0].secret_arn"),
    ],
    arguments: &[
        Argument::same("identifier"),
        Argument::Field("replicate_source_db", "source"),
        Argument::Made("engine", &["engine"], |one| of_its_own(one, "engine")),
        Argument::Made("engine_version", &["engine_version"], |one| {
            of_its_own(one, "engine_version")
        }),
        Argument::same("instance_class"),
        Argument::Made("allocated_storage", &["allocated_storage"], |one| {
            of_its_own(one, "allocated_storage")
        }),
        Argument::same("storage_type"),
        Argument::same("storage_encrypted"),
        Argument::Made("db_name", &["db_name"], |one| of_its_own(one, "db_name")),
        Argument::Made("username", &["master_username"], |one| of_its_own(one, "master_username")),
        Argument::Made("manage_master_user_password", &["manage_master_user_password"], |one| {
            if is_managed(one) { true.into() } else { Value::Null }
        }),
        // Terraform never reads it, takes it for new, and would have RDS begin anew: with another secret, perhaps.
        Argument::Made("lifecycle.ignore_changes", &[], |one| match is_managed(one) {
            true => json!([word("manage_master_user_password")]),
            false => Value::Null,
        }),
        Argument::same("port"),
        Argument::same("multi_az"),
        Argument::same("publicly_accessible"),
        Argument::Made("db_subnet_group_name", &["subnet_group"], |one| {
            of_its_own(one, "subnet_group")
        }),
        Argument::Field("vpc_security_group_ids", "security_groups"),
        Argument::same("backup_retention_period"),
        Argument::same("deletion_protection"),
        Argument::Made(APPLY_IMMEDIATELY, &[APPLY_IMMEDIATELY], |one| {
            match one.is(APPLY_IMMEDIATELY, true) {
                true => true.into(),
                false => Value::Null,
            }
        }),
        Argument::Made("skip_final_snapshot", &[], |one| is_replica(one).into()),
        Argument::Made("final_snapshot_identifier", &[], |one| match is_replica(one) {
            true => Value::Null,
            false => format!("{}-final", one.live.id).into(),
        }),
        Argument::Tags,
    ],
    parts: whole,
    beside: &["master_user_secret"],
};

/// Whether RDS keeps its password.
fn is_managed(one: &One<'_>) -> bool {
    one.is("manage_master_user_password", true) && !is_replica(one)
}

fn is_replica(one: &One<'_>) -> bool {
    !one.text("source").is_empty()
}

/// A field that a replica has from its source, and Terraform does not take of it.
fn of_its_own(one: &One<'_>, field: &str) -> Value {
    if is_replica(one) { Value::Null } else { one.field(field) }
}
