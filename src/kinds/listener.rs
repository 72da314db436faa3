//! A port of the load balancer, and where requests go that no rule claims.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::types as sdk;
use futures_util::future::{try_join, try_join_all};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::terraform::{Argument, One, Terraform, whole};
use super::{Kind, Live, form};
use crate::aws::absent::{away, in_batches};
use crate::aws::{Aws, Reading, elb, fault};
use crate::model::question::{Name, Namesakes};
use crate::model::{
    ANYWHERE, Body, Calls, Created, Fault, Field, Grant, Link, Observed, Operation, Schema,
    Standing, Tags, Timing,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listener {
    pub load_balancer: Link,
    pub port: u16,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// The ARN of its certificate, or late: `Lookup::Certificate`. Null for HTTP.
    pub certificate: Value,
    /// Null for HTTP.
    pub ssl_policy: Option<String>,
    /// Sends every request to port 443 instead; there is no default target group then.
    pub redirect_to_https: bool,
    pub default_target_group: Link,
    /// Gets no requests yet, but health checks: there while the listener is switched to it.
    pub standby_target_group: Link,
}

pub static SCHEMA: Schema = Schema {
    kind: "listener",
    fields: &[
        Field::replace("load_balancer").names("load_balancer"),
        Field::in_place("port"),
        Field::in_place("protocol"),
        Field::in_place("certificate"),
        Field::in_place("ssl_policy"),
        Field::in_place("redirect_to_https"),
        Field::in_place("default_target_group")
            .names("target_group")
            .switched("standby_target_group"),
        Field::in_place("standby_target_group").names("target_group").configured("null"),
    ],
    outputs: &[],
    id: "arn:aws:elasticloadbalancing:{region}:{account}:listener/app/{hex}/{hex}",
    unique: &["load_balancer", "port"],
    timing: Timing { create: 1, update: 1, delete: 1, poll: 2 },
    calls: Calls::ELB,
};

/// TLS 1.2 and 1.3 with forward secrecy, and a key exchange that outlasts quantum computers where the client knows it:
/// what the console gives a new HTTPS listener, and AWS recommends (the API alone would give one with TLS 1.0).
/// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
pub const MODERN_TLS: &str = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09";

const R: &[&str] = &["listener/app/*"];

static OPERATIONS: &[Operation] = &[
    Operation::plan("elasticloadbalancing:DescribeListeners", ANYWHERE),
    Operation::creation(
        "elasticloadbalancing:CreateListener",
        &[Grant::ours(&["loadbalancer/app/*"])],
    ),
    Operation::change("elasticloadbalancing:ModifyListener", &[Grant::ours(R)]),
    Operation::deletion("elasticloadbalancing:DeleteListener", &[Grant::ours(R)]),
    Operation::change(
        "elasticloadbalancing:AddTags",
        &[elb::tagging(R), Grant::ours(R), Grant::adopted(R)],
    ),
];

static TERRAFORM: Terraform = Terraform {
    resource: "aws_lb_listener",
    import: "{id}",
    named_by: "arn",
    outputs: &[],
    arguments: &[
        Argument::Field("load_balancer_arn", "load_balancer"),
        Argument::same("port"),
        Argument::same("protocol"),
        Argument::Field("certificate_arn", "certificate"),
        Argument::same("ssl_policy"),
        Argument::Made(
            "default_action",
            &["redirect_to_https", "default_target_group", "standby_target_group"],
            default_action,
        ),
        Argument::Tags,
    ],
    parts: whole,
    beside: &[],
};

fn default_action(one: &One<'_>) -> Value {
    if one.is("redirect_to_https", true) {
        let to = json!({ "protocol": "HTTPS", "port": "443", "status_code": "HTTP_301" });
        return json!({ "type": "redirect", "redirect": to });
    }
    forward(one.field("default_target_group"), one.field("standby_target_group"))
}

/// The action that sends requests to a target group; the one that stands ready, if there is one, gets none. Null where
/// somebody has made another action of it.
pub(super) fn forward(group: Value, standby: Value) -> Value {
    match (group.is_null(), standby.is_null()) {
        (true, _) => Value::Null,
        (false, true) => json!({ "type": "forward", "target_group_arn": group }),
        (false, false) => {
            let groups = json!([{ "arn": group, "weight": 1 }, { "arn": standby, "weight": 0 }]);
            json!({ "type": "forward", "forward": { "target_group": groups } })
        }
    }
}

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
        let (listeners, tags) = try_join(read.elb.listeners(read), read.elb.tags(read)).await?;
        Ok(listeners.iter().filter_map(|listener| observe(listener, tags)).collect())
    }

    async fn namesakes(
        &self,
        read: &Reading<'_>,
        names: &BTreeSet<Name>,
    ) -> Result<Namesakes, Fault> {
        let balancers: BTreeSet<&String> = names.iter().filter_map(|name| name.first()).collect();
        let asked = balancers.into_iter().map(|arn| elb::listeners(read.aws, arn));
        let all = try_join_all(asked).await?.into_iter().flatten().filter_map(|one| {
            let name = vec![one.load_balancer_arn?, one.port?.to_string()];
            Some((name, one.listener_arn?))
        });
        elb::namesakes(read.aws, all, names).await
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        const OPERATION: &str = "elasticloadbalancing:CreateListener";
        let spec: Listener = form::spec(&SCHEMA, body)?;
        let call = aws
            .elb
            .create_listener()
            .load_balancer_arn(spec.load_balancer.id())
            .port(spec.port.into())
            .protocol(spec.protocol.as_str().into())
            .set_ssl_policy(spec.ssl_policy.clone())
            .set_certificates(certificates(&spec))
            .default_actions(action_of(&spec))
            .set_tags(Some(elb::to_sdk(tags)));
        let answer = call.send().await.map_err(fault(OPERATION))?;
        let listener = elb::only(OPERATION, answer.listeners)?;
        Ok(Created::id(listener.listener_arn.unwrap_or_default()))
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Live,
        after: &Body,
        changed: &[&str],
    ) -> Result<(), Fault> {
        let spec: Listener = form::spec(&SCHEMA, after)?;
        let changes = |field: &str| changed.contains(&field);
        let forwards = changes("default_target_group") || changes("standby_target_group");
        let action = forwards || changes("redirect_to_https");
        let action = action.then(|| vec![action_of(&spec)]);
        // AWS wants them together, and together they go.
        let tls = changes("protocol") || changes("certificate") || changes("ssl_policy");
        let call = aws
            .elb
            .modify_listener()
            .listener_arn(&live.id)
            .set_port(changes("port").then(|| spec.port.into()))
            .set_protocol(tls.then(|| spec.protocol.as_str().into()))
            .set_ssl_policy(spec.ssl_policy.clone().filter(|_| tls))
            .set_certificates(certificates(&spec).filter(|_| tls))
            .set_default_actions(action);
        call.send().await.map_err(fault("elasticloadbalancing:ModifyListener"))?;
        Ok(())
    }

    async fn delete(&self, aws: &Aws, live: &Live, _: &Body) -> Result<(), Fault> {
        let answer = aws.elb.delete_listener().listener_arn(&live.id).send().await;
        away(answer.map_err(fault("elasticloadbalancing:DeleteListener")))
    }

    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        let found = in_batches(ids, |arns| async {
            let call = aws.elb.describe_listeners().set_listener_arns(Some(arns));
            let answer = call.send().await;
            answer
                .map(|answer| answer.listeners.unwrap_or_default())
                .map_err(fault("elasticloadbalancing:DescribeListeners"))
        });
        Ok(elb::there(found.await?.into_iter().map(|listener| listener.listener_arn)))
    }

    async fn tag(&self, aws: &Aws, live: &Live, tags: &Tags) -> Result<(), Fault> {
        elb::tag(aws, &live.id, tags).await
    }
}

/// What it does with requests that no rule claims.
fn action_of(spec: &Listener) -> sdk::Action {
    if !spec.redirect_to_https {
        return elb::forward(spec.default_target_group.id(), spec.standby_target_group.id());
    }
    let to = sdk::RedirectActionConfig::builder()
        .protocol("HTTPS")
        .port("443")
        .status_code(sdk::RedirectActionStatusCodeEnum::Http301);
    sdk::Action::builder().r#type(sdk::ActionTypeEnum::Redirect).redirect_config(to.build()).build()
}

fn redirects(actions: &[sdk::Action]) -> bool {
    let [action] = actions else { return false };
    action
        .redirect_config()
        .is_some_and(|to| (to.protocol(), to.port()) == (Some("HTTPS"), Some("443")))
}

fn certificates(spec: &Listener) -> Option<Vec<sdk::Certificate>> {
    let arn = spec.certificate.as_str()?;
    Some(vec![sdk::Certificate::builder().certificate_arn(arn).build()])
}

fn observe(listener: &sdk::Listener, tags: &BTreeMap<String, Tags>) -> Option<Observed> {
    let id = listener.listener_arn.clone()?;
    let tags = tags.get(&id)?.clone();
    let certificate = listener.certificates().first().and_then(|found| found.certificate_arn());
    let sent = listener.default_actions.as_deref().map(elb::forwarded);
    let body = form::reported([
        ("load_balancer", listener.load_balancer_arn.clone().map(Value::from)),
        ("port", listener.port.map(Value::from)),
        ("protocol", listener.protocol.as_ref().map(|protocol| protocol.as_str().into())),
        ("certificate", Some(Value::from(certificate))),
        ("ssl_policy", Some(Value::from(listener.ssl_policy()))),
        ("redirect_to_https", listener.default_actions.as_deref().map(|all| redirects(all).into())),
        ("default_target_group", sent.as_ref().map(|sent| sent.0.clone())),
        ("standby_target_group", sent.map(|sent| sent.1)),
    ]);
    Some(form::observed(&SCHEMA, id, tags, body))
}
