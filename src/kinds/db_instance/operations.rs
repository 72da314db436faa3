//! What IAM has to allow for databases.

use crate::model::{Condition, Grant, Operation, Scope};

const R: &[&str] = &["db:{db_instance.identifier}"];
const ALL: &[&str] = &["db:*"];
/// What a database is made with: the topology's subnets, and AWS's own settings.
const BESIDE: &[&str] = &["subgrp:{db_subnet_group.name}", "pg:default*", "og:default*"];

/// The role that RDS works by, which the first database of an account makes:
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAM.ServiceLinkedRoles.html>
const LINKED_ROLE: Grant =
    Grant::within(&LINKED, &["role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS"])
        .of("iam:CreateServiceLinkedRole");
static LINKED: Scope = Scope::new(
    "ServiceRoleOfRds",
    &[Condition::new("StringEquals", "iam:AWSServiceName", &["rds.amazonaws.com"])],
);

/// What RDS asks of who has it keep a password, in a secret that it names itself:
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html#rds-secrets-manager-permissions>
const KEEPS: [Grant; 3] = [
    Grant::named(&["secret:rds!db-*"]).of("secretsmanager:CreateSecret"),
    Grant::named(&["secret:rds!db-*"]).of("secretsmanager:TagResource"),
    Grant::named(&["key/*"]).of("kms:DescribeKey"),
];

pub static OPERATIONS: &[Operation] = &[
    Operation::plan("rds:DescribeDBInstances", &[Grant::named(ALL)]),
    Operation::plan("rds:ListTagsForResource", &[Grant::named(ALL)]),
    Operation::creation(
        "rds:CreateDBInstance",
        &[
            Grant::born(R),
            Grant::born(R).of("rds:AddTagsToResource"),
            Grant::named(BESIDE),
            LINKED_ROLE,
            KEEPS[0],
            KEEPS[1],
            KEEPS[2],
        ],
    ),
    Operation::change(
        "rds:CreateDBInstanceReadReplica",
        &[
            Grant::born(R),
            Grant::born(R).of("rds:AddTagsToResource"),
            Grant::named(BESIDE),
            Grant::ours(ALL),
        ],
    ),
    Operation::change(
        "rds:ModifyDBInstance",
        &[Grant::ours(ALL), Grant::named(BESIDE), KEEPS[0], KEEPS[1], KEEPS[2]],
    ),
    // With a final snapshot.
    Operation::deletion(
        "rds:DeleteDBInstance",
        &[
            Grant::ours(ALL),
            Grant::ours(ALL).of("rds:CreateDBSnapshot"),
            Grant::named(&["snapshot:*"]).of("rds:CreateDBSnapshot"),
        ],
    ),
    Operation::change("rds:AddTagsToResource", &[Grant::ours(ALL), Grant::adopted(ALL)]),
];
