//! What changes a living machine: its profile, its type, the target group it is registered with.

use std::time::{Duration, Instant};

use aws_sdk_ec2::types::{
    AttributeValue, IamInstanceProfileAssociation, IamInstanceProfileAssociationState,
    InstanceStateName,
};
use aws_sdk_elasticloadbalancingv2::types::TargetDescription;

use super::{describe, profile, state};
use crate::aws::absent::away;
use crate::aws::{Aws, ec2, fault};
use crate::model::{Class, Fault};

/// How often to look whether it has stopped, at first and at last, and how long in all.
const FIRST_LOOK: Duration = Duration::from_millis(200);
const LAST_LOOK: Duration = Duration::from_secs(5);
const STOP_LIMIT: Duration = Duration::from_secs(600);

/// Gives it the profile, or none where that is empty.
pub(super) async fn associate(aws: &Aws, id: &str, wanted: &str) -> Result<(), Fault> {
    let call = aws.ec2.describe_iam_instance_profile_associations();
    let pages = call.filters(ec2::filter("instance-id", id)).into_paginator().items().send();
    let seen: Vec<IamInstanceProfileAssociation> = pages
        .collect::<Result<_, _>>()
        .await
        .map_err(fault("ec2:DescribeIamInstanceProfileAssociations"))?;
    let living = seen.into_iter().filter(|found| found.instance_id() == Some(id));
    let now = living.into_iter().find(|found| {
        let leaving = [
            Some(&IamInstanceProfileAssociationState::Disassociating),
            Some(&IamInstanceProfileAssociationState::Disassociated),
        ];
        !leaving.contains(&found.state())
    });
    let arn = now.as_ref().and_then(|now| now.iam_instance_profile()).and_then(|now| now.arn());
    let old = now.as_ref().and_then(|now| now.association_id()).unwrap_or_default();
    match (&now, profile(wanted)) {
        (None, None) => Ok(()),
        (Some(_), Some(_)) if arn == Some(wanted) => Ok(()),
        (Some(_), Some(wanted)) => {
            let call = aws.ec2.replace_iam_instance_profile_association().association_id(old);
            let answer = call.iam_instance_profile(wanted).send().await;
            answer.map(drop).map_err(fault("ec2:ReplaceIamInstanceProfileAssociation"))
        }
        (Some(_), None) => {
            let call = aws.ec2.disassociate_iam_instance_profile().association_id(old);
            away(call.send().await.map_err(fault("ec2:DisassociateIamInstanceProfile")))
        }
        (None, Some(wanted)) => {
            let call = aws.ec2.associate_iam_instance_profile().instance_id(id);
            let answer = call.iam_instance_profile(wanted).send().await;
            answer.map(drop).map_err(fault("ec2:AssociateIamInstanceProfile"))
        }
    }
}

/// Sees that it runs, as the wanted type: stops it, changes its type, and starts it again. Goes on from wherever an earlier attempt was left.
pub(super) async fn run_as(aws: &Aws, id: &str, wanted: &str) -> Result<(), Fault> {
    const OPERATION: &str = "ec2:ModifyInstanceAttribute";
    let started = Instant::now();
    let mut pause = FIRST_LOOK;
    while started.elapsed() < STOP_LIMIT {
        let seen = describe(aws, vec![ec2::filter("instance-id", id)]).await?;
        let Some(now) = seen.iter().find(|instance| instance.instance_id() == Some(id)) else {
            let message = format!("{id} is gone");
            return Err(Fault::new(
                Class::NotFound,
                OPERATION,
                "InvalidInstanceID.NotFound",
                message,
            ));
        };
        let done = now.instance_type().is_some_and(|kind| kind.as_str() == wanted);
        match state(now) {
            Some(InstanceStateName::Running | InstanceStateName::Pending) if done => return Ok(()),
            Some(InstanceStateName::Running) => {
                let answer = aws.ec2.stop_instances().instance_ids(id).send().await;
                answer.map_err(fault("ec2:StopInstances"))?;
            }
            Some(InstanceStateName::Stopped) => {
                if !done {
                    let kind = AttributeValue::builder().value(wanted).build();
                    let call = aws.ec2.modify_instance_attribute().instance_id(id);
                    let answer = call.instance_type(kind).send().await;
                    answer.map_err(fault(OPERATION))?;
                }
                let answer = aws.ec2.start_instances().instance_ids(id).send().await;
                return answer.map(drop).map_err(fault("ec2:StartInstances"));
            }
            Some(InstanceStateName::ShuttingDown | InstanceStateName::Terminated) => {
                let message = format!("{id} is being terminated");
                return Err(Fault::new(Class::Fatal, OPERATION, "IncorrectInstanceState", message));
            }
            _ => {}
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LAST_LOOK);
    }
    let message = format!("{id} did not stop within {} minutes", STOP_LIMIT.as_secs() / 60);
    Err(Fault::new(Class::Fatal, "ec2:StopInstances", "Timeout", message))
}

/// Takes them out of one target group and puts them into another; either may be none.
pub(super) async fn register(
    aws: &Aws,
    ids: &[String],
    before: &str,
    after: &str,
) -> Result<(), Fault> {
    let target = |id: &String| TargetDescription::builder().id(id).build();
    let targets: Vec<TargetDescription> = ids.iter().map(target).collect();
    if !before.is_empty() {
        let call = aws.elb.deregister_targets().target_group_arn(before);
        let answer = call.set_targets(Some(targets.clone())).send().await;
        let answer = answer.map_err(fault("elasticloadbalancing:DeregisterTargets"));
        // Not registered (any more) is what is wanted.
        if !matches!(&answer, Err(fault) if fault.code == "InvalidTarget") {
            away(answer)?;
        }
    }
    if !after.is_empty() {
        let call = aws.elb.register_targets().target_group_arn(after);
        let answer = call.set_targets(Some(targets)).send().await;
        answer.map_err(fault("elasticloadbalancing:RegisterTargets"))?;
    }
    Ok(())
}
