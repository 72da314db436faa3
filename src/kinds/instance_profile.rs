//! What hands a role to a machine.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_iam::types::InstanceProfile as Seen;
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::terraform::{Argument, Terraform, whole};
use super::{Detail, Kind, Live, each, form, iam_role};
use crate::aws::absent::{away, unless_gone};
use crate::aws::{Aws, Reading, fault, iam};
use crate::model::question::{Name, Namesake, Namesakes};
use crate::model::{
    ADDRESS, ANYWHERE, Address, Body, Calls, Class, Created, Fault, Field, Grant, Link, Observed,
    Operation, Schema, Standing, Status, TOPOLOGY, Tags, Timing,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceProfile {
    /// As [`iam_role::name`] gives it, of the name in its address: the same as its role's.
    pub name: String,
    /// As [`iam_role::path`] gives it.
    pub path: String,
    pub role: Link,
}

pub static SCHEMA: Schema = Schema {
    kind: "instance_profile",
    fields: &[
        Field::replace("name"),
        Field::replace("path"),
        Field::in_place("role").names("iam_role").configured("null"),
    ],
    outputs: &[],
    id: "arn:aws:iam::{account}:instance-profile{path}{name}",
    unique: &["name"],
    timing: Timing { create: 2, update: 1, delete: 1, poll: 2 },
    calls: Calls::UNPACED,
};

/// As of roles.
const R: &[&str] =
    &["instance-profile/ecdeploy/{region}/{topology}/*", "instance-profile/{topology}-*-{region}"];

static OPERATIONS: &[Operation] = &[
    Operation::plan("iam:ListInstanceProfiles", ANYWHERE),
    Operation::plan("iam:ListInstanceProfileTags", &[Grant::named(R)]),
    Operation::apply("iam:GetInstanceProfile", &[Grant::named(R)]),
    Operation::creation("iam:CreateInstanceProfile", &[Grant::named(R)]),
    Operation::creation("iam:AddRoleToInstanceProfile", &[Grant::named(R), iam::PASS_ROLE]),
    Operation::deletion("iam:RemoveRoleFromInstanceProfile", &[Grant::named(R)]),
    Operation::deletion("iam:DeleteInstanceProfile", &[Grant::named(R)]),
    Operation::change("iam:TagInstanceProfile", &[Grant::named(R)]),
];

static TERRAFORM: Terraform = Terraform {
    resource: "aws_iam_instance_profile",
    import: "{name}",
    named_by: "name",
    outputs: &[],
    arguments: &[
        Argument::same("name"),
        Argument::same("path"),
        Argument::same("role"),
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

    /// The listing has no tags, and what it takes them for is not all.
    async fn details(&self, aws: &Aws, all: &[Live]) -> Result<BTreeMap<String, Detail>, Fault> {
        each(all, |profile| async {
            let tags = told_tags(aws, name(&profile.id)).await?;
            Ok(Detail { tags: Some(tags), ..Detail::default() })
        })
        .await
    }

    async fn list(&self, read: &Reading<'_>) -> Result<Vec<Observed>, Fault> {
        let path = iam_role::path(read.topology, &read.aws.region);
        // Asked again on this side, since not every answer is filtered.
        let seen = profiles(read.aws, Some(path.clone()))
            .await?
            .into_iter()
            .filter(|profile| profile.path() == path);
        let told = seen.map(|profile| async move {
            let tags = tags(&profile, read).await?;
            Ok::<_, Fault>(read.owns(&tags).then(|| observe(&profile, tags)))
        });
        Ok(try_join_all(told).await?.into_iter().flatten().collect())
    }

    async fn namesakes(
        &self,
        read: &Reading<'_>,
        names: &BTreeSet<Name>,
    ) -> Result<Namesakes, Fault> {
        // The listing has no tags: whose it is, the path says.
        let ours = iam_role::path(read.topology, &read.aws.region);
        let all = profiles(read.aws, None).await?.into_iter();
        let others = all.filter(|profile| profile.path() != ours).map(|profile| Namesake {
            name: vec![profile.instance_profile_name.clone()],
            id: profile.instance_profile_name,
            tags: Tags::new(),
        });
        Ok(others.filter(|one| names.contains(&one.name)).collect())
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        const OPERATION: &str = "iam:CreateInstanceProfile";
        let spec: InstanceProfile = form::spec(&SCHEMA, body)?;
        let call = aws.iam.create_instance_profile().instance_profile_name(spec.name);
        let call = call.path(spec.path).set_tags(Some(iam::to_sdk(OPERATION, tags)?));
        let answer = call.send().await.map_err(fault(OPERATION))?;
        Ok(Created::id(answer.instance_profile.map(|profile| profile.arn).unwrap_or_default()))
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Live,
        after: &Body,
        changed: &[&str],
    ) -> Result<(), Fault> {
        if !changed.contains(&"role") {
            return Ok(());
        }
        let wanted: Link = form::field(&SCHEMA, after, "role")?;
        let Some(now) = of(aws, &live.id).await? else { return Err(gone(&live.id)) };
        // It holds one role at most.
        for role in now.roles().iter().filter(|role| role.role_name() != wanted.id()) {
            remove(aws, now.instance_profile_name(), role.role_name()).await?;
        }
        if wanted.id().is_empty() || now.roles().iter().any(|r| r.role_name() == wanted.id()) {
            return Ok(());
        }
        let call = aws.iam.add_role_to_instance_profile().role_name(wanted.id());
        let answer = call.instance_profile_name(now.instance_profile_name()).send().await;
        match answer.map_err(fault("iam:AddRoleToInstanceProfile")) {
            // Asked for again where no answer came, and done the first time.
            Err(refusal) if refusal.code == "LimitExceeded" => {
                let then = of(aws, &live.id).await?;
                let held = then.is_some_and(|then| {
                    then.roles().iter().any(|role| role.role_name() == wanted.id())
                });
                if held { Ok(()) } else { Err(refusal) }
            }
            answer => answer.map(drop),
        }
    }

    /// IAM deletes no profile that holds a role.
    async fn delete(&self, aws: &Aws, live: &Live, _: &Body) -> Result<(), Fault> {
        let Some(now) = of(aws, &live.id).await? else { return Ok(()) };
        for role in now.roles() {
            remove(aws, now.instance_profile_name(), role.role_name()).await?;
        }
        let call = aws.iam.delete_instance_profile();
        let answer = call.instance_profile_name(now.instance_profile_name()).send().await;
        away(answer.map_err(fault("iam:DeleteInstanceProfile")))
    }

    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        let found = try_join_all(ids.iter().map(|arn| get(aws, arn))).await?.into_iter().flatten();
        Ok(found.map(|profile| (profile.arn, Status::Ready.into())).collect())
    }

    async fn tag(&self, aws: &Aws, live: &Live, tags: &Tags) -> Result<(), Fault> {
        const OPERATION: &str = "iam:TagInstanceProfile";
        let call = aws.iam.tag_instance_profile().instance_profile_name(name(&live.id));
        let answer = call.set_tags(Some(iam::to_sdk(OPERATION, tags)?)).send().await;
        answer.map(drop).map_err(fault(OPERATION))
    }
}

/// The name at the end of an ARN.
fn name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

async fn get(aws: &Aws, arn: &str) -> Result<Option<Seen>, Fault> {
    let answer = aws.iam.get_instance_profile().instance_profile_name(name(arn)).send().await;
    let found = answer.map(|answer| answer.instance_profile.into_iter().collect());
    let found = unless_gone(found.map_err(fault("iam:GetInstanceProfile")))?;
    Ok(found.into_iter().find(|profile: &Seen| profile.arn() == arn))
}

/// The profile with its tags, which are asked for before it is touched: the listing goes by its path.
async fn of(aws: &Aws, arn: &str) -> Result<Option<Seen>, Fault> {
    let found = get(aws, arn).await?;
    match &found {
        Some(profile) if !iam::from_sdk(profile.tags()).contains_key(TOPOLOGY) => {
            let message = format!("{arn} does not bear the tag {TOPOLOGY}: it is not ours");
            Err(Fault::new(Class::Fatal, "iam:GetInstanceProfile", "NotOurs", message))
        }
        _ => Ok(found),
    }
}

fn gone(arn: &str) -> Fault {
    let message = format!("{arn} is not there");
    Fault::new(Class::NotFound, "iam:GetInstanceProfile", "NoSuchEntity", message)
}

async fn remove(aws: &Aws, profile: &str, role: &str) -> Result<(), Fault> {
    let call = aws.iam.remove_role_from_instance_profile().instance_profile_name(profile);
    let answer = call.role_name(role).send().await;
    away(answer.map_err(fault("iam:RemoveRoleFromInstanceProfile")))
}

/// A profile's tags. The listing leaves them out, and one call a profile would tell them: they are asked for where
/// anything about it is unusual. One under our path that holds the role of its name is as we made it.
async fn tags(profile: &Seen, read: &Reading<'_>) -> Result<Tags, Fault> {
    if !profile.tags().is_empty() {
        return Ok(iam::from_sdk(profile.tags()));
    }
    let own = profile.instance_profile_name();
    let address = own
        .strip_prefix(read.topology)
        .and_then(|rest| rest.strip_prefix('-'))
        .and_then(|rest| rest.strip_suffix(&read.aws.region))
        .and_then(|rest| rest.strip_suffix('-'));
    match (profile.roles(), address) {
        ([role], Some(address)) if role.role_name() == own => Ok(Tags::from([
            (TOPOLOGY.to_owned(), read.topology.to_owned()),
            (ADDRESS.to_owned(), Address::new(SCHEMA.kind, address).to_string()),
        ])),
        _ => told_tags(read.aws, own).await,
    }
}

async fn told_tags(aws: &Aws, profile: &str) -> Result<Tags, Fault> {
    let call = aws.iam.list_instance_profile_tags().instance_profile_name(profile);
    let answer = call.send().await.map_err(fault("iam:ListInstanceProfileTags"))?;
    Ok(iam::from_sdk(answer.tags()))
}

/// The account's profiles, or those below a path.
async fn profiles(aws: &Aws, path: Option<String>) -> Result<Vec<Seen>, Fault> {
    let pages = aws.iam.list_instance_profiles().set_path_prefix(path);
    let pages = pages.into_paginator().items().send();
    pages.collect::<Result<_, _>>().await.map_err(fault("iam:ListInstanceProfiles"))
}

fn observe(profile: &Seen, tags: Tags) -> Observed {
    let role = match profile.roles() {
        [role] => Value::from(role.role_name()),
        _ => Value::Null,
    };
    let body = form::reported([
        ("name", Some(profile.instance_profile_name().into())),
        ("path", Some(profile.path().into())),
        ("role", Some(role)),
    ]);
    form::observed(&SCHEMA, profile.arn().to_owned(), tags, body)
}
