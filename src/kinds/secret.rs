//! A secret of the topology's own: the password of a database's first user, where RDS does not keep it. AWS makes it and
//! AWS keeps it; it passes through memory, and is never part of a body.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, Tag};
use futures_util::future::{try_join, try_join_all};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::terraform::{Argument, Terraform, whole};
use super::{Kind, Live, form};
use crate::aws::absent::{away, unless_gone};
use crate::aws::{Aws, Reading, fault, rds};
use crate::model::question::{Name, Namesake, Namesakes};
use crate::model::{
    ADDRESS, ANYWHERE, Body, Calls, Class, Created, Fault, Field, Grant, Observed, Operation,
    Schema, Standing, Status, TOPOLOGY, Tags, Timing,
};

const CREATE: &str = "secretsmanager:CreateSecret";

/// RDS takes 8 to 128 characters for PostgreSQL, none of them `/`, `'`, `"`, `@` or a space:
/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html>
const LENGTH: i64 = 48;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Secret {
    pub name: String,
    pub description: String,
    /// Whose password it is. Kept beside it, as RDS keeps it.
    pub username: String,
}

pub static SCHEMA: Schema = Schema {
    kind: "secret",
    fields: &[Field::replace("name"), Field::in_place("description"), Field::replace("username")],
    outputs: &[("arn", "{id}")],
    // A secret that is made again has another one: it has another password, too.
    id: "arn:aws:secretsmanager:{region}:{account}:secret:{name}-{hex}",
    unique: &["name"],
    timing: Timing { create: 1, update: 1, delete: 1, poll: 2 },
    calls: Calls::UNPACED,
};

/// The name of the secret of this database.
pub fn name(db_identifier: &str) -> String {
    format!("{db_identifier}/master")
}

const R: &[&str] = &["secret:{secret.name}-*"];

static OPERATIONS: &[Operation] = &[
    Operation::plan("secretsmanager:ListSecrets", ANYWHERE),
    // Of one that is gone AWS knows no tags: by these it would say "denied".
    Operation::plan("secretsmanager:DescribeSecret", &[Grant::named(&["secret:*"])]),
    Operation::apply("secretsmanager:GetRandomPassword", ANYWHERE),
    Operation::change("secretsmanager:GetSecretValue", &[Grant::ours(R)]),
    Operation::creation(
        "secretsmanager:CreateSecret",
        &[Grant::born(R), Grant::born(R).of("secretsmanager:TagResource")],
    ),
    Operation::change("secretsmanager:UpdateSecret", &[Grant::ours(R)]),
    Operation::change("secretsmanager:RestoreSecret", &[Grant::ours(R)]),
    Operation::deletion("secretsmanager:DeleteSecret", &[Grant::ours(R)]),
    Operation::change("secretsmanager:TagResource", &[Grant::ours(R), Grant::adopted(R)]),
];

static TERRAFORM: Terraform = Terraform {
    resource: "aws_secretsmanager_secret",
    import: "{id}",
    named_by: "arn",
    outputs: &[("arn", "arn")],
    arguments: &[Argument::same("name"), Argument::same("description"), Argument::Tags],
    parts: whole,
    beside: &["username"],
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

    /// The listing may lack what the last five minutes brought, and have what they took:
    /// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html>. Where it and the databases
    /// disagree, the secret itself is asked.
    async fn list(&self, read: &Reading<'_>) -> Result<Vec<Observed>, Fault> {
        let (listed, databases) = try_join(list(read), read.rds.databases(read)).await?;
        let ours =
            databases.iter().filter(|database| read.owns(&rds::from_sdk(database.tag_list())));
        let used: BTreeSet<String> = ours.filter_map(rds::secret_of).collect();
        let (sure, unsure): (Vec<Seen>, Vec<Seen>) =
            listed.into_iter().partition(|seen| used.contains(&seen.arn));
        let known: BTreeSet<&str> = sure.iter().map(|seen| seen.arn.as_str()).collect();
        let missing = used.iter().filter(|arn| !known.contains(arn.as_str())).cloned();
        let asked: BTreeSet<String> =
            unsure.into_iter().map(|seen| seen.arn).chain(missing).collect();
        let told = try_join_all(asked.iter().map(|arn| describe(read.aws, arn))).await?;
        let told = told.into_iter().flatten().filter(|seen| !seen.leaving);
        let found = sure.into_iter().chain(told);
        Ok(found.filter(|seen| read.owns(&seen.tags)).map(observe).collect())
    }

    async fn namesakes(
        &self,
        read: &Reading<'_>,
        names: &BTreeSet<Name>,
    ) -> Result<Namesakes, Fault> {
        let asked = names.iter().map(|name| async move {
            let seen = describe(read.aws, name.first().map_or("", String::as_str)).await?;
            Ok::<_, Fault>(seen.map(|seen| (name.clone(), seen)))
        });
        let told = try_join_all(asked).await?.into_iter().flatten();
        Ok(told.map(|(name, seen)| Namesake { name, id: seen.arn, tags: seen.tags }).collect())
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        let spec: Secret = form::spec(&SCHEMA, body)?;
        let made = aws.secretsmanager.get_random_password().password_length(LENGTH);
        let made = made.exclude_punctuation(true).include_space(false).send().await;
        let made = made.map_err(fault("secretsmanager:GetRandomPassword"))?;
        let Some(password) = made.random_password else {
            return Err(Fault::new(Class::Fatal, CREATE, "", "AWS made no password"));
        };
        let call = aws
            .secretsmanager
            .create_secret()
            .name(&spec.name)
            .description(spec.description)
            // The form that RDS gives its own.
            .secret_string(json!({ "username": spec.username, "password": password }).to_string())
            .set_tags(Some(to_sdk(tags)));
        match call.send().await.map_err(fault(CREATE)) {
            Ok(answer) => Ok(created(answer.arn.unwrap_or_default())),
            Err(refusal) => taken(aws, &spec.name, tags, refusal).await,
        }
    }

    async fn update(&self, aws: &Aws, live: &Live, after: &Body, _: &[&str]) -> Result<(), Fault> {
        let spec: Secret = form::spec(&SCHEMA, after)?;
        let call = aws.secretsmanager.update_secret().secret_id(&live.id);
        let answer = call.description(spec.description).send().await;
        answer.map(drop).map_err(fault("secretsmanager:UpdateSecret"))
    }

    /// At once, without the days in which it could be restored: no database has its password any more, and its name is
    /// free for the next one.
    async fn delete(&self, aws: &Aws, live: &Live, _: &Body) -> Result<(), Fault> {
        let call = aws.secretsmanager.delete_secret().secret_id(&live.id);
        let answer = call.force_delete_without_recovery(true).send().await;
        away(answer.map_err(fault("secretsmanager:DeleteSecret")))
    }

    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        let found = try_join_all(ids.iter().map(|arn| describe(aws, arn))).await?;
        let found = found.into_iter().flatten().filter(|seen| !seen.leaving);
        let told = found.map(|seen| {
            let outputs = created(seen.arn.clone()).outputs;
            (seen.arn, Standing { status: Status::Ready, outputs })
        });
        Ok(told.collect())
    }

    async fn tag(&self, aws: &Aws, live: &Live, tags: &Tags) -> Result<(), Fault> {
        let call = aws.secretsmanager.tag_resource().secret_id(&live.id);
        let answer = call.set_tags(Some(to_sdk(tags))).send().await;
        answer.map(drop).map_err(fault("secretsmanager:TagResource"))
    }
}

/// A password on its way from one service of AWS to another. No message can hold it: it has no `Debug`.
pub struct Password(String);

impl Password {
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// The password that the secret of this ARN keeps.
pub async fn password(aws: &Aws, arn: &str) -> Result<Password, Fault> {
    const GET: &str = "secretsmanager:GetSecretValue";
    let answer = aws.secretsmanager.get_secret_value().secret_id(arn).send().await;
    let text = answer.map_err(fault(GET))?.secret_string.unwrap_or_default();
    // A parser's complaint would quote what it complains of.
    let value: Value = serde_json::from_str(&text).unwrap_or_default();
    let password = value.get("password").and_then(Value::as_str).map(str::to_owned);
    password.map(Password).ok_or_else(|| {
        let message = format!("{arn} has no `password` in its value: delete it, and apply again");
        Fault::new(Class::Fatal, GET, "", message)
    })
}

/// A secret, without what it keeps.
struct Seen {
    arn: String,
    /// Whether somebody had it deleted, and it can still be restored.
    leaving: bool,
    name: Option<String>,
    description: Option<String>,
    tags: Tags,
}

async fn list(read: &Reading<'_>) -> Result<Vec<Seen>, Fault> {
    let by = |key, value: &str| Filter::builder().key(key).values(value).build();
    let filters = [
        by(FilterNameStringType::TagKey, TOPOLOGY),
        by(FilterNameStringType::TagValue, read.topology),
    ];
    // One that is read by its id may bear no tag yet.
    let filters = (!read.owns(&Tags::new())).then(|| filters.into());
    let call = read.aws.secretsmanager.list_secrets().set_filters(filters);
    let pages: Result<Vec<_>, _> = call.into_paginator().send().collect().await;
    let pages = pages.map_err(fault("secretsmanager:ListSecrets"))?.into_iter();
    let found = pages.flat_map(|page| page.secret_list.unwrap_or_default());
    let seen = found.filter_map(|secret| {
        let (tags, leaving) = (from_sdk(secret.tags()), secret.deleted_date.is_some());
        let (name, description) = (secret.name, secret.description);
        Some(Seen { arn: secret.arn?, leaving, name, description, tags })
    });
    Ok(seen.filter(|seen| !seen.leaving && read.owns(&seen.tags)).collect())
}

/// The secret of this ARN or name, unless it is gone.
async fn describe(aws: &Aws, id: &str) -> Result<Option<Seen>, Fault> {
    let answer = aws.secretsmanager.describe_secret().secret_id(id).send().await;
    let answer = answer.map(|secret| vec![secret]).map_err(fault("secretsmanager:DescribeSecret"));
    Ok(unless_gone(answer)?.pop().and_then(|secret| {
        let (tags, leaving) = (from_sdk(secret.tags()), secret.deleted_date.is_some());
        let (name, description) = (secret.name, secret.description);
        Some(Seen { arn: secret.arn?, leaving, name, description, tags })
    }))
}

/// What to do where the name is taken. By what bears our address: an earlier run made it, and no listing told; or somebody
/// had it deleted, and it is restored. By one on its way out: AWS deletes some time after it is asked, so it is tried again.
async fn taken(aws: &Aws, name: &str, tags: &Tags, refusal: Fault) -> Result<Created, Fault> {
    let leaving = refusal.code == "InvalidRequestException" && refusal.message.contains("deletion");
    if refusal.code != "ResourceExistsException" && !leaving {
        return Err(refusal);
    }
    let same = |seen: &Seen| {
        [TOPOLOGY, ADDRESS].into_iter().all(|key| seen.tags.get(key) == tags.get(key))
    };
    match describe(aws, name).await? {
        Some(seen) if !same(&seen) => Err(refusal),
        Some(seen) if !seen.leaving => Ok(created(seen.arn)),
        Some(seen) => {
            let answer = aws.secretsmanager.restore_secret().secret_id(&seen.arn).send().await;
            let restored = answer.map_err(fault("secretsmanager:RestoreSecret"));
            // One that was deleted for good can't be.
            restored.map_err(|_| Fault { class: Class::NotYet, ..refusal })?;
            let call = aws.secretsmanager.tag_resource().secret_id(&seen.arn);
            let answer = call.set_tags(Some(to_sdk(tags))).send().await;
            answer.map_err(fault("secretsmanager:TagResource"))?;
            Ok(created(seen.arn))
        }
        None => Err(Fault { class: Class::NotYet, ..refusal }),
    }
}

fn created(arn: String) -> Created {
    Created::id(&arn).output("arn", Some(arn))
}

fn observe(seen: Seen) -> Observed {
    let created = created(seen.arn);
    let body = form::reported([
        ("name", seen.name.map(Value::from)),
        ("description", seen.description.map(Value::from)),
    ]);
    Observed { outputs: created.outputs, ..form::observed(&SCHEMA, created.id, seen.tags, body) }
}

fn from_sdk(tags: &[Tag]) -> Tags {
    let pairs = tags.iter().filter_map(|tag| Some((tag.key()?, tag.value().unwrap_or_default())));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn to_sdk(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
