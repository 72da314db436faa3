//! The application load balancer: the way in.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::types::{
    self as sdk, LoadBalancerAttribute, LoadBalancerState, LoadBalancerStateEnum,
    LoadBalancerTypeEnum,
};
use futures_util::future::try_join;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::terraform::{Argument, Fixed, Terraform, whole};
use super::{Kind, Live, form, lifts};
use crate::aws::absent::{away, in_batches};
use crate::aws::{Aws, Reading, elb, fault};
use crate::model::question::{Name, Namesakes};
use crate::model::{
    ANYWHERE, Body, Calls, Condition, Created, Fault, Field, Grant, Link, Observed, Operation,
    Schema, Scope, Standing, Status, Tags, Timing, Vitals,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadBalancer {
    pub name: String,
    pub scheme: String,
    pub subnets: Vec<Link>,
    pub security_groups: Vec<Link>,
}

pub static SCHEMA: Schema = Schema {
    kind: "load_balancer",
    fields: &[
        Field::replace("name"),
        Field::replace("scheme"),
        Field::in_place("subnets").names("subnet").set(),
        Field::in_place("security_groups").names("security_group").set(),
    ],
    outputs: &[
        ("dns_name", "{name}-1234567890.{region}.elb.amazonaws.com"),
        ("zone_id", "Z1LMS91P8CMLE5"),
    ],
    id: "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/{hex}",
    unique: &["name"],
    timing: Timing { create: 165, update: 5, delete: 20, poll: 10 },
    calls: Calls::ELB,
};

const R: &[&str] = &["loadbalancer/app/*"];
/// The role that AWS makes for the service.
const LINKED_ROLE: &[&str] = &[
    "role/aws-service-role/elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing",
];
static LINKED: Scope = Scope::new(
    "ServiceRoleOfElb",
    &[Condition::new(
        "StringEquals",
        "iam:AWSServiceName",
        &["elasticloadbalancing.amazonaws.com"],
    )],
);

static OPERATIONS: &[Operation] = &[
    Operation::plan("elasticloadbalancing:DescribeLoadBalancers", ANYWHERE),
    // The first load balancer of an account makes the role that ELB works by:
    // <https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-service-linked-roles.html>
    Operation::creation(
        "elasticloadbalancing:CreateLoadBalancer",
        &[Grant::born(R), Grant::within(&LINKED, LINKED_ROLE).of("iam:CreateServiceLinkedRole")],
    ),
    Operation::change("elasticloadbalancing:SetSubnets", &[Grant::ours(R)]),
    Operation::change("elasticloadbalancing:SetSecurityGroups", &[Grant::ours(R)]),
    Operation::change("elasticloadbalancing:ModifyLoadBalancerAttributes", &[Grant::ours(R)]),
    Operation::deletion("elasticloadbalancing:DeleteLoadBalancer", &[Grant::ours(R)]),
    Operation::change(
        "elasticloadbalancing:AddTags",
        &[elb::tagging(R), Grant::ours(R), Grant::adopted(R)],
    ),
];

static TERRAFORM: Terraform = Terraform {
    resource: "aws_lb",
    import: "{id}",
    named_by: "arn",
    outputs: &[("dns_name", "dns_name"), ("zone_id", "zone_id")],
    arguments: &[
        Argument::same("name"),
        Argument::Always("load_balancer_type", Fixed::Text("application")),
        Argument::Made("internal", &["scheme"], |one| one.is("scheme", "internal").into()),
        Argument::same("subnets"),
        Argument::same("security_groups"),
        Argument::Made("enable_deletion_protection", &[], |one| one.protected()),
        Argument::Tags,
    ],
    parts: whole,
    beside: &[],
};

pub struct Wire;

#[async_trait]
impl Kind for Wire {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    fn terraform(&self) -> &'static Terraform {
        &TERRAFORM
    }

    async fn list(&self, read: &Reading<'_>) -> Result<Vec<Observed>, Fault> {
        let (balancers, tags) = try_join(read.elb.balancers(read), read.elb.tags(read)).await?;
        Ok(balancers.iter().filter_map(|balancer| observe(balancer, tags)).collect())
    }

    async fn namesakes(
        &self,
        read: &Reading<'_>,
        names: &BTreeSet<Name>,
    ) -> Result<Namesakes, Fault> {
        let all = read.elb.balancers(read).await?.iter().filter_map(|one| {
            Some((vec![one.load_balancer_name.clone()?], one.load_balancer_arn.clone()?))
        });
        elb::namesakes(read.aws, all, names).await
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        const OPERATION: &str = "elasticloadbalancing:CreateLoadBalancer";
        let spec: LoadBalancer = form::spec(&SCHEMA, body)?;
        let call = aws
            .elb
            .create_load_balancer()
            .r#type(LoadBalancerTypeEnum::Application)
            .name(spec.name)
            .scheme(spec.scheme.as_str().into())
            .set_subnets(Some(form::ids(&spec.subnets)))
            .set_security_groups(Some(form::ids(&spec.security_groups)))
            .set_tags(Some(elb::to_sdk(tags)));
        let answer = call.send().await.map_err(fault(OPERATION))?;
        let balancer = elb::only(OPERATION, answer.load_balancers)?;
        let created = Created::id(balancer.load_balancer_arn.clone().unwrap_or_default());
        Ok(outputs(created, &balancer))
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Live,
        after: &Body,
        changed: &[&str],
    ) -> Result<(), Fault> {
        let spec: LoadBalancer = form::spec(&SCHEMA, after)?;
        if changed.contains(&"subnets") {
            let call = aws.elb.set_subnets().load_balancer_arn(&live.id);
            let call = call.set_subnets(Some(form::ids(&spec.subnets)));
            call.send().await.map_err(fault("elasticloadbalancing:SetSubnets"))?;
        }
        if changed.contains(&"security_groups") {
            let call = aws.elb.set_security_groups().load_balancer_arn(&live.id);
            let call = call.set_security_groups(Some(form::ids(&spec.security_groups)));
            call.send().await.map_err(fault("elasticloadbalancing:SetSecurityGroups"))?;
        }
        Ok(())
    }

    async fn delete(&self, aws: &Aws, live: &Live, parting: &Body) -> Result<(), Fault> {
        if lifts(parting) {
            away(self.protect(aws, live, false).await)?;
        }
        let answer = aws.elb.delete_load_balancer().load_balancer_arn(&live.id).send().await;
        away(answer.map_err(fault("elasticloadbalancing:DeleteLoadBalancer")))
    }

    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        let found = in_batches(ids, |arns| async {
            let call = aws.elb.describe_load_balancers().set_load_balancer_arns(Some(arns));
            let answer = call.send().await;
            answer
                .map(|answer| answer.load_balancers.unwrap_or_default())
                .map_err(fault("elasticloadbalancing:DescribeLoadBalancers"))
        });
        let known = found.await?.into_iter().filter_map(|balancer| {
            let status = status(balancer.state.as_ref());
            let outputs = outputs(Created::id(""), &balancer).outputs;
            Some((balancer.load_balancer_arn?, Standing { status, outputs }))
        });
        Ok(known.collect())
    }

    async fn protect(&self, aws: &Aws, live: &Live, on: bool) -> Result<(), Fault> {
        let attribute = LoadBalancerAttribute::builder();
        let attribute = attribute.key("deletion_protection.enabled").value(on.to_string()).build();
        let call = aws.elb.modify_load_balancer_attributes().load_balancer_arn(&live.id);
        let answer = call.attributes(attribute).send().await;
        answer.map(drop).map_err(fault("elasticloadbalancing:ModifyLoadBalancerAttributes"))
    }

    async fn tag(&self, aws: &Aws, live: &Live, tags: &Tags) -> Result<(), Fault> {
        elb::tag(aws, &live.id, tags).await
    }
}

/// Route 53 keeps names in small letters: only so does what it says compare with what ELB says.
fn outputs(created: Created, balancer: &sdk::LoadBalancer) -> Created {
    created
        .output("dns_name", balancer.dns_name().map(str::to_lowercase))
        .output("zone_id", balancer.canonical_hosted_zone_id.clone())
}

fn observe(balancer: &sdk::LoadBalancer, tags: &BTreeMap<String, Tags>) -> Option<Observed> {
    let id = balancer.load_balancer_arn.clone()?;
    let tags = tags.get(&id)?.clone();
    let zones = balancer.availability_zones.iter().flatten();
    let subnets = zones.filter_map(|zone| zone.subnet_id.clone()).map(Value::from);
    let groups = balancer.security_groups.clone();
    let body = form::reported([
        ("name", balancer.load_balancer_name.clone().map(Value::from)),
        ("scheme", balancer.scheme.as_ref().map(|scheme| scheme.as_str().into())),
        ("subnets", balancer.availability_zones.is_some().then(|| form::set(subnets))),
        ("security_groups", groups.map(|ids| form::set(ids.into_iter().map(Value::from)))),
    ]);
    let created = outputs(Created::id(id), balancer);
    let state = balancer.state().and_then(|state| state.code());
    Some(Observed {
        outputs: created.outputs,
        status: status(balancer.state.as_ref()),
        vitals: Vitals::state(state.map_or("", LoadBalancerStateEnum::as_str)),
        ..form::observed(&SCHEMA, created.id, tags, body)
    })
}

fn status(state: Option<&LoadBalancerState>) -> Status {
    let Some(state) = state else { return Status::Ready };
    match &state.code {
        None | Some(LoadBalancerStateEnum::Active | LoadBalancerStateEnum::ActiveImpaired) => {
            Status::Ready
        }
        Some(LoadBalancerStateEnum::Failed) => {
            Status::Failed(state.reason.clone().unwrap_or_else(|| "failed".to_owned()))
        }
        Some(code) => Status::Pending(code.as_str().to_owned()),
    }
}
