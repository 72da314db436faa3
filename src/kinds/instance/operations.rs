//! What IAM has to allow for machines.

use crate::aws::{ec2, iam};
use crate::model::{ANYWHERE, Grant, Operation};

const R: &[&str] = &["instance/*"];
/// Its root volume is made with it.
const MADE: &[&str] = &["instance/*", "volume/*"];
const GROUPS: &[&str] = &["targetgroup/*"];

pub static OPERATIONS: &[Operation] = &[
    Operation::plan("ec2:DescribeInstances", ANYWHERE),
    Operation::plan("ec2:DescribeVolumes", ANYWHERE),
    Operation::plan("ec2:DescribeImages", ANYWHERE),
    Operation::apply("ec2:DescribeInstanceAttribute", &[Grant::named(R)]),
    Operation::apply("ec2:DescribeIamInstanceProfileAssociations", ANYWHERE),
    // The network interface gets no tag, and bears none yet.
    Operation::creation(
        "ec2:RunInstances",
        &[
            Grant::born(MADE),
            Grant::ours(&["subnet/*", "security-group/*"]),
            Grant::named(&[
                "network-interface/*",
                "key-pair/{instance.key_name}",
                "arn:{partition}:ec2:{region}::image/*",
            ]),
            iam::PASS_ROLE,
        ],
    ),
    Operation::change("ec2:StopInstances", &[Grant::ours(R)]),
    Operation::change("ec2:StartInstances", &[Grant::ours(R)]),
    Operation::deletion("ec2:TerminateInstances", &[Grant::ours(R)]),
    Operation::change(
        "ec2:ModifyInstanceAttribute",
        &[Grant::ours(&["instance/*", "security-group/*"])],
    ),
    Operation::change("ec2:ModifyInstanceMetadataOptions", &[Grant::ours(R)]),
    Operation::change("ec2:AssociateIamInstanceProfile", &[Grant::ours(R), iam::PASS_ROLE]),
    Operation::change(
        "ec2:ReplaceIamInstanceProfileAssociation",
        &[Grant::ours(R), iam::PASS_ROLE],
    ),
    Operation::change("ec2:DisassociateIamInstanceProfile", &[Grant::ours(R)]),
    Operation::change("elasticloadbalancing:RegisterTargets", &[Grant::ours(GROUPS)]),
    Operation::change("elasticloadbalancing:DeregisterTargets", &[Grant::ours(GROUPS)]),
    Operation::change("ec2:CreateTags", &[ec2::tagging(MADE), Grant::ours(R), Grant::adopted(R)]),
];
