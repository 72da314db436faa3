//! The role by which a service's machines read what is theirs: settings, artifact, database secret.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_iam::types::{EntityType, RoleDetail};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::terraform::{Argument, One, Part, Terraform, document};
use super::{Kind, Live, form};
use crate::aws::absent::{away, unless_gone};
use crate::aws::{Aws, Reading, fault, iam};
use crate::model::question::{Name, Namesake, Namesakes};
use crate::model::{
    ANYWHERE, Body, Calls, Created, Fault, Field, Grant, Observed, Operation, Schema, Standing,
    Status, Tags, Timing, reference,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IamRole {
    /// As [`name`] gives it.
    pub name: String,
    /// As [`path`] gives it.
    pub path: String,
    pub assume_role_policy: Value,
    /// What it may do from the start.
    pub policy: Value,
    /// What it may do with what RDS makes late: a policy of its own, so that no machine waits for a database. Null for
    /// a service without one.
    pub secret_policy: Value,
    /// What else it has been allowed: inline policies by name, attached ones by ARN. None is wanted: what somebody puts
    /// there widens what a machine may do.
    pub other_policies: Vec<String>,
}

pub static SCHEMA: Schema = Schema {
    kind: "iam_role",
    fields: &[
        Field::replace("name"),
        Field::replace("path"),
        Field::in_place("assume_role_policy"),
        Field::in_place("policy").names_outputs().configured("null"),
        Field::in_place("secret_policy").names_outputs().attached("null"),
        Field::in_place("other_policies").set().configured("[]"),
    ],
    outputs: &[("arn", "arn:aws:iam::{account}:role{path}{name}")],
    id: "{name}",
    unique: &["name"],
    timing: Timing { create: 2, update: 1, delete: 1, poll: 2 },
    calls: Calls::UNPACED,
};

/// The names of its inline policies.
const POLICY: &str = "ecdeploy";
const SECRET_POLICY: &str = "ecdeploy-secret";

/// The name of the role, and of the profile, at an address. IAM knows no regions: the name holds the region, so that
/// topologies of one name in two regions don't meet.
pub fn name(topology: &str, region: &str, address_name: &str) -> String {
    format!("{topology}-{address_name}-{region}")
}

/// The path of every role and profile of a topology.
pub fn path(topology: &str, region: &str) -> String {
    format!("/ecdeploy/{region}/{topology}/")
}

/// Our path. Of a role that is gone IAM knows the name alone, and asks for leave by that.
const R: &[&str] = &["role/ecdeploy/{region}/{topology}/*", "role/{topology}-*-{region}"];

static OPERATIONS: &[Operation] = &[
    Operation::plan("iam:GetAccountAuthorizationDetails", ANYWHERE),
    Operation::plan("iam:GetRole", &[Grant::named(R)]),
    Operation::apply("iam:ListRolePolicies", &[Grant::named(R)]),
    Operation::apply("iam:ListAttachedRolePolicies", &[Grant::named(R)]),
    Operation::creation("iam:CreateRole", &[Grant::named(R)]),
    Operation::change("iam:UpdateAssumeRolePolicy", &[Grant::named(R)]),
    Operation::change("iam:PutRolePolicy", &[Grant::named(R)]),
    Operation::change("iam:DeleteRolePolicy", &[Grant::named(R)]),
    Operation::change("iam:DetachRolePolicy", &[Grant::named(R)]),
    Operation::deletion("iam:DeleteRole", &[Grant::named(R)]),
    Operation::change("iam:TagRole", &[Grant::named(R)]),
];

static TERRAFORM: Terraform = Terraform {
    resource: "aws_iam_role",
    import: "{id}",
    named_by: "name",
    outputs: &[("arn", "arn")],
    arguments: &[
        Argument::same("name"),
        Argument::same("path"),
        Argument::Document("assume_role_policy", "assume_role_policy"),
        Argument::Tags,
    ],
    parts: policies,
    beside: &["policy", "secret_policy", "other_policies"],
};

/// Its inline policies, and those that somebody attached. What other inline policies say is not known here.
fn policies(one: &One<'_>) -> Vec<Part> {
    let role = one.text("name");
    let ours = [("policy", POLICY, ""), ("secret_policy", SECRET_POLICY, "secret")];
    let known = ours.into_iter().filter(|(field, ..)| !one.field(field).is_null());
    let inline = known.map(|(field, name, suffix)| Part {
        resource: "aws_iam_role_policy",
        suffix: suffix.to_owned(),
        import: Some(format!("{role}:{name}")),
        arguments: vec![
            ("name", name.into()),
            ("role", reference(one.address)),
            ("policy", document(&one.field(field))),
        ],
    });
    let others = one.items("other_policies").iter().filter_map(Value::as_str);
    let attached = others.filter(|policy| policy.starts_with("arn:")).map(|arn| Part {
        resource: "aws_iam_role_policy_attachment",
        suffix: arn.rsplit('/').next().unwrap_or_default().to_owned(),
        import: Some(format!("{role}/{arn}")),
        arguments: vec![("role", reference(one.address)), ("policy_arn", arn.into())],
    });
    inline.chain(attached).collect()
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

    /// One call tells tags and policies of every role; other listings take three calls a role.
    async fn list(&self, read: &Reading<'_>) -> Result<Vec<Observed>, Fault> {
        let path = path(read.topology, &read.aws.region);
        let all = roles(read.aws).await?.into_iter();
        let ours = all.filter(|role| role.path() == Some(&path));
        Ok(ours.filter_map(|role| observe(&role, read)).collect())
    }

    async fn namesakes(
        &self,
        read: &Reading<'_>,
        names: &BTreeSet<Name>,
    ) -> Result<Namesakes, Fault> {
        let all = roles(read.aws).await?.into_iter().filter_map(|role| {
            let tags = iam::from_sdk(role.tags());
            let id = role.role_name?;
            Some(Namesake { name: vec![id.clone()], id, tags })
        });
        Ok(all.filter(|one| names.contains(&one.name)).collect())
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        const OPERATION: &str = "iam:CreateRole";
        let spec: IamRole = form::spec(&SCHEMA, body)?;
        let call = aws
            .iam
            .create_role()
            .role_name(&spec.name)
            .path(spec.path)
            .assume_role_policy_document(spec.assume_role_policy.to_string())
            .set_tags(Some(iam::to_sdk(OPERATION, tags)?));
        let answer = call.send().await.map_err(fault(OPERATION))?;
        Ok(Created::id(spec.name).output("arn", answer.role.map(|role| role.arn)))
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Live,
        after: &Body,
        changed: &[&str],
    ) -> Result<(), Fault> {
        let spec: IamRole = form::spec(&SCHEMA, after)?;
        if changed.contains(&"assume_role_policy") {
            let call = aws.iam.update_assume_role_policy().role_name(&live.id);
            let call = call.policy_document(spec.assume_role_policy.to_string());
            call.send().await.map_err(fault("iam:UpdateAssumeRolePolicy"))?;
        }
        if changed.contains(&"policy") {
            iam::put_policy(aws, &live.id, POLICY, &spec.policy).await?;
        }
        if changed.contains(&"secret_policy") {
            iam::put_policy(aws, &live.id, SECRET_POLICY, &spec.secret_policy).await?;
        }
        if changed.contains(&"other_policies") {
            let now: Vec<String> = form::field(&SCHEMA, &live.body, "other_policies")?;
            for policy in now.iter().filter(|policy| !spec.other_policies.contains(policy)) {
                iam::remove_policy(aws, &live.id, policy).await?;
            }
        }
        Ok(())
    }

    /// IAM deletes no role that has policies, whoever put them there and whenever.
    async fn delete(&self, aws: &Aws, live: &Live, _: &Body) -> Result<(), Fault> {
        for policy in unless_gone(iam::policies(aws, &live.id).await)? {
            iam::remove_policy(aws, &live.id, &policy).await?;
        }
        let answer = aws.iam.delete_role().role_name(&live.id).send().await;
        away(answer.map_err(fault("iam:DeleteRole")))
    }

    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        let asked = ids.iter().map(|name| async move {
            let answer = aws.iam.get_role().role_name(name).send().await;
            let found = answer.map(|_| vec![(name.clone(), Status::Ready.into())]);
            unless_gone(found.map_err(fault("iam:GetRole")))
        });
        Ok(try_join_all(asked).await?.into_iter().flatten().collect())
    }

    async fn tag(&self, aws: &Aws, live: &Live, tags: &Tags) -> Result<(), Fault> {
        const OPERATION: &str = "iam:TagRole";
        let call = aws.iam.tag_role().role_name(&live.id);
        let answer = call.set_tags(Some(iam::to_sdk(OPERATION, tags)?)).send().await;
        answer.map(drop).map_err(fault(OPERATION))
    }
}

/// Every role of the account.
async fn roles(aws: &Aws) -> Result<Vec<RoleDetail>, Fault> {
    const OPERATION: &str = "iam:GetAccountAuthorizationDetails";
    let call = aws.iam.get_account_authorization_details().filter(EntityType::Role);
    let pages = call.max_items(1000).into_paginator().send();
    let pages: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(fault(OPERATION))?;
    Ok(pages.into_iter().flat_map(|page| page.role_detail_list.unwrap_or_default()).collect())
}

fn observe(role: &RoleDetail, read: &Reading<'_>) -> Option<Observed> {
    let id = role.role_name()?.to_owned();
    let tags = iam::from_sdk(role.tags());
    let policy = |name: &str| {
        let mut all = role.role_policy_list().iter();
        let found = all.find(|policy| policy.policy_name() == Some(name));
        found.and_then(|policy| policy.policy_document()).map_or(Value::Null, iam::policy)
    };
    let inline = role.role_policy_list().iter().filter_map(|policy| policy.policy_name());
    let attached = role.attached_managed_policies().iter().filter_map(|policy| policy.policy_arn());
    let others = inline.filter(|name| ![POLICY, SECRET_POLICY].contains(name)).chain(attached);
    let body = form::reported([
        ("name", Some(Value::from(id.as_str()))),
        ("path", role.path().map(Value::from)),
        ("assume_role_policy", role.assume_role_policy_document().map(iam::policy)),
        ("policy", Some(policy(POLICY))),
        ("secret_policy", Some(policy(SECRET_POLICY))),
        ("other_policies", Some(form::set(others.map(Value::from)))),
    ]);
    let created = Created::id(id).output("arn", role.arn());
    let observed = form::observed(&SCHEMA, created.id, tags, body);
    read.owns(&observed.tags).then_some(Observed { outputs: created.outputs, ..observed })
}
