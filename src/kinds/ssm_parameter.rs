//! A setting that apply publishes and a machine reads at its start. Never a secret.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_ssm::operation::put_parameter::builders::PutParameterFluentBuilder;
use aws_sdk_ssm::types::{ResourceTypeForTagging, Tag};
use futures_util::future::try_join;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::terraform::{Argument, One, Terraform, call, whole};
use super::{Detail, Kind, Live, each, form};
use crate::aws::absent::away;
use crate::aws::{Aws, Reading, fault, marks, ssm};
use crate::model::question::{Name, Namesake, Namesakes};
use crate::model::{
    ANYWHERE, Body, Calls, Class, Created, Fault, Field, Grant, Observed, Operation, Schema,
    Standing, Status, Tags, Timing,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SsmParameter {
    /// `/TOPOLOGY/SERVICE/NAME`.
    pub name: String,
    /// Text, or late by another resource's output; or a list of such.
    pub value: Value,
    /// `String`, or `StringList`.
    pub r#type: String,
}

pub static SCHEMA: Schema = Schema {
    kind: "ssm_parameter",
    fields: &[
        Field::replace("name"),
        Field::in_place("value").names_outputs(),
        Field::replace("type"),
    ],
    outputs: &[],
    id: "{name}",
    unique: &["name"],
    timing: Timing { create: 1, update: 1, delete: 1, poll: 2 },
    calls: Calls::PARAMETER,
};

const TEXT: &str = "String";
/// Its items stand in one text, with commas between them.
const LIST: &str = "StringList";

/// The type that a parameter with this value has.
pub fn type_of(value: &Value) -> &'static str {
    if value.is_array() { LIST } else { TEXT }
}

const R: &[&str] = &["parameter/{topology}/*"];

static OPERATIONS: &[Operation] = &[
    Operation::plan("ssm:DescribeParameters", ANYWHERE),
    Operation::plan("ssm:GetParameters", &[Grant::named(R)]),
    Operation::plan("ssm:ListTagsForResource", &[Grant::named(R)]),
    Operation::creation("ssm:PutParameter", &[Grant::named(R)]),
    Operation::change("ssm:AddTagsToResource", &[Grant::named(R)]),
    Operation::deletion("ssm:DeleteParameter", &[Grant::named(R)]),
];

static TERRAFORM: Terraform = Terraform {
    resource: "aws_ssm_parameter",
    import: "{id}",
    named_by: "name",
    outputs: &[],
    arguments: &[
        Argument::same("name"),
        Argument::same("type"),
        Argument::Made("value", &["value"], value),
        Argument::Made("description", &[], |one| marks::to_text(&one.live.tags).into()),
        Argument::Tags,
    ],
    parts: whole,
    beside: &[],
};

/// A list is one text, with commas in it.
fn value(one: &One<'_>) -> Value {
    match one.field("value") {
        list @ Value::Array(_) => call("join", &[",".into(), list]),
        text => text,
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

    /// The description, which tags are read from, has not all.
    async fn details(&self, aws: &Aws, all: &[Live]) -> Result<BTreeMap<String, Detail>, Fault> {
        each(all, |parameter| async {
            let tags = ssm::told_tags(aws, Some(parameter.id.clone())).await?;
            Ok(Detail { tags: Some(tags), ..Detail::default() })
        })
        .await
    }

    /// The listing filters by tag but tells none, and asking takes a call a parameter: they stand in the description.
    async fn list(&self, read: &Reading<'_>) -> Result<Vec<Observed>, Fault> {
        let (seen, values) = try_join(read.ssm.ours(read), read.ssm.values(read)).await?;
        let observed = seen.iter().filter_map(|(seen, tags)| {
            let id = seen.name.clone()?;
            let value = values.get(&id)?.clone();
            let list = seen.r#type.as_ref().is_some_and(|kind| kind.as_str() == LIST);
            let value = match list {
                true => value.split(',').map(Value::from).collect(),
                false => Value::from(value),
            };
            let body = form::reported([
                ("name", Some(Value::from(id.as_str()))),
                ("value", Some(value)),
                ("type", seen.r#type.as_ref().map(|kind| kind.as_str().into())),
            ]);
            Some(form::observed(&SCHEMA, id, tags.clone(), body))
        });
        Ok(observed.collect())
    }

    async fn namesakes(
        &self,
        read: &Reading<'_>,
        names: &BTreeSet<Name>,
    ) -> Result<Namesakes, Fault> {
        let paths: Vec<String> = names.iter().flatten().cloned().collect();
        let told = ssm::named(read.aws, &paths).await?.into_iter();
        Ok(told.map(|(id, tags)| Namesake { name: vec![id.clone()], id, tags }).collect())
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        let name: String = form::field(&SCHEMA, body, "name")?;
        let call = put(aws, &name, body)?.description(marks::to_text(tags));
        let answer = call.set_tags(Some(to_sdk(tags)?)).send().await;
        answer.map_err(fault("ssm:PutParameter"))?;
        Ok(Created::id(name))
    }

    async fn update(&self, aws: &Aws, live: &Live, after: &Body, _: &[&str]) -> Result<(), Fault> {
        let answer = put(aws, &live.id, after)?.overwrite(true).send().await;
        answer.map(drop).map_err(fault("ssm:PutParameter"))
    }

    async fn delete(&self, aws: &Aws, live: &Live, _: &Body) -> Result<(), Fault> {
        let answer = aws.ssm.delete_parameter().name(&live.id).send().await;
        away(answer.map_err(fault("ssm:DeleteParameter")))
    }

    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        let found = ssm::values(aws, ids).await?.into_keys();
        Ok(found.map(|name| (name, Status::Ready.into())).collect())
    }

    /// Both the tags, by which the listing finds it, and the description, which tells them.
    async fn tag(&self, aws: &Aws, live: &Live, tags: &Tags) -> Result<(), Fault> {
        let call = aws.ssm.add_tags_to_resource().resource_id(&live.id);
        let call = call.resource_type(ResourceTypeForTagging::Parameter);
        let answer = call.set_tags(Some(to_sdk(tags)?)).send().await;
        answer.map_err(fault("ssm:AddTagsToResource"))?;
        let call = put(aws, &live.id, &live.body)?.description(marks::to_text(tags));
        let answer = call.overwrite(true).send().await;
        answer.map(drop).map_err(fault("ssm:PutParameter"))
    }
}

fn put(aws: &Aws, name: &str, body: &Body) -> Result<PutParameterFluentBuilder, Fault> {
    let spec: SsmParameter = form::spec(&SCHEMA, body)?;
    let value = match &spec.value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
        value => value.as_str().unwrap_or_default().to_owned(),
    };
    Ok(aws.ssm.put_parameter().name(name).value(value).r#type(spec.r#type.as_str().into()))
}

fn to_sdk(tags: &Tags) -> Result<Vec<Tag>, Fault> {
    let sdk = |(key, value)| Tag::builder().key(key).value(value).build();
    tags.iter().map(sdk).collect::<Result<_, _>>().map_err(|error| misbuilt(&error))
}

fn misbuilt(error: &impl ToString) -> Fault {
    Fault::new(Class::Fatal, "ssm:PutParameter", "", error.to_string())
}
