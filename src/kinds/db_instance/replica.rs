//! CreateDBInstanceReadReplica. A replica has its source's storage, version, user, password and subnet group, and no backups:
//! <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstanceReadReplica.html>

use super::{DbInstance, SCHEMA, outputs};
use crate::aws::{Aws, fault, rds};
use crate::kinds::form;
use crate::model::{Address, Created, Fault, Tags};

/// The address of a database's replica. Keys have no slash: no other database has it.
pub fn address(database: &str, n: u32) -> Address {
    Address::new(SCHEMA.kind, &format!("{database}/replica-{n}"))
}

/// Its name in AWS.
pub fn identifier(database: &str, n: u32) -> String {
    format!("{database}-replica-{n}")
}

pub async fn create(aws: &Aws, spec: DbInstance, tags: &Tags) -> Result<Created, Fault> {
    let call = aws
        .rds
        .create_db_instance_read_replica()
        .db_instance_identifier(&spec.identifier)
        .source_db_instance_identifier(spec.source.id())
        .db_instance_class(spec.instance_class)
        .storage_type(spec.storage_type)
        .multi_az(spec.multi_az)
        .publicly_accessible(spec.publicly_accessible)
        .port(spec.port.into())
        .deletion_protection(spec.deletion_protection)
        .set_vpc_security_group_ids(Some(form::ids(&spec.security_groups)))
        .set_tags(Some(rds::to_sdk(tags)));
    let answer = call.send().await.map_err(fault("rds:CreateDBInstanceReadReplica"))?;
    let created = Created::id(spec.identifier);
    Ok(match answer.db_instance {
        Some(replica) => outputs(created, &replica),
        None => created,
    })
}
