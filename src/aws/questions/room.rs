//! How much AWS gives an account.

use futures_util::try_join;

use crate::aws::{Aws, fault};
use crate::model::question::{Quota, Room, Rooms};
use crate::model::{Class, Fault};

pub const QUOTA: &str = "servicequotas:GetServiceQuota";
pub const LIMITS: &str = "elasticloadbalancing:DescribeAccountLimits";
pub const BALANCERS: &str = "elasticloadbalancing:DescribeLoadBalancers";
pub const GROUPS: &str = "elasticloadbalancing:DescribeTargetGroups";

/// Those that are asked for, as IAM names them.
pub const QUOTAS: &[&str] =
    &["ec2/L-1216C47A", "vpc/L-F678F1CE", "vpc/L-0EA8095F", "vpc/L-2AFB9258"];

/// The service and the code by which Service Quotas knows it:
/// <https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html>
fn code(quota: Quota) -> (&'static str, &'static str) {
    match quota {
        Quota::Vcpus => ("ec2", "L-1216C47A"),
        Quota::Vpcs => ("vpc", "L-F678F1CE"),
        Quota::GroupRules => ("vpc", "L-0EA8095F"),
        Quota::InterfaceGroups => ("vpc", "L-2AFB9258"),
    }
}

pub async fn quota(aws: &Aws, quota: Quota) -> Result<u64, Fault> {
    let (service, code) = code(quota);
    let call = aws.servicequotas.get_service_quota().service_code(service).quota_code(code);
    let answer = call.send().await.map_err(fault(QUOTA))?;
    let value = answer.quota.and_then(|quota| quota.value);
    let whole = value.and_then(|value| format!("{value:.0}").parse().ok());
    let missing = || Fault::new(Class::NotFound, QUOTA, "", format!("{code} has no value"));
    whole.ok_or_else(missing)
}

/// By ELB's own names: `application-load-balancers`, `target-groups`.
pub async fn balancing(aws: &Aws) -> Result<Rooms, Fault> {
    let limits = async {
        let answer = aws.elb.describe_account_limits().page_size(400).send().await;
        Ok::<_, Fault>(answer.map_err(fault(LIMITS))?.limits.unwrap_or_default())
    };
    let balancers = async {
        let pages = aws.elb.describe_load_balancers().into_paginator().items().send();
        let all: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(fault(BALANCERS))?;
        let application = all.iter().filter(|one| {
            one.r#type()
                == Some(&aws_sdk_elasticloadbalancingv2::types::LoadBalancerTypeEnum::Application)
        });
        Ok(application.count() as u64)
    };
    let groups = async {
        let pages = aws.elb.describe_target_groups().into_paginator().items().send();
        let all: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(fault(GROUPS))?;
        Ok(all.len() as u64)
    };
    let (limits, balancers, groups) = try_join!(limits, balancers, groups)?;
    let rooms = limits.into_iter().filter_map(|limit| {
        let (name, most) = (limit.name?, limit.max?.parse().ok()?);
        let used = match name.as_str() {
            "application-load-balancers" => balancers,
            "target-groups" => groups,
            _ => 0,
        };
        Some((name, Room { most, used }))
    });
    Ok(rooms.collect())
}
