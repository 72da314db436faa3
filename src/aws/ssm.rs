//! What SSM tells the parameters' kind and the lookups: which are ours, and the values of both, ten a call.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ssm::types::builders::ParameterStringFilterBuilder;
use aws_sdk_ssm::types::{
    Parameter, ParameterMetadata, ParameterStringFilter, ResourceTypeForTagging,
};
use futures_util::future::try_join_all;
use tokio::sync::OnceCell;

use super::{Aws, Reading, fault, marks};
use crate::model::{ADDRESS, Class, Fault, Lookup, TOPOLOGY, Tags};

/// How many names GetParameters takes.
/// Source: <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html>
const BATCH: usize = 10;

/// What several rooms read, asked for once a reading.
#[derive(Default)]
pub struct Shared {
    ours: OnceCell<Vec<(ParameterMetadata, Tags)>>,
    values: OnceCell<BTreeMap<String, String>>,
}

impl Shared {
    /// The topology's parameters and their tags.
    pub async fn ours(&self, read: &Reading<'_>) -> Result<&Vec<(ParameterMetadata, Tags)>, Fault> {
        self.ours
            .get_or_try_init(|| async {
                let tag = ParameterStringFilter::builder().key(format!("tag:{TOPOLOGY}"));
                let seen = describe(read.aws, tag.values(read.topology)).await?;
                let told = try_join_all(seen.iter().map(|seen| tags(read.aws, seen))).await?;
                let told = seen.into_iter().zip(told);
                Ok(told.filter(|(_, tags)| read.owns(tags)).collect())
            })
            .await
    }

    /// The values of the topology's parameters and of those that it looks up, by name.
    pub async fn values(&self, read: &Reading<'_>) -> Result<&BTreeMap<String, String>, Fault> {
        self.values
            .get_or_try_init(|| async {
                let ours = self.ours(read).await?.iter().filter_map(|(seen, _)| seen.name.clone());
                let looked_up = read.lookups.iter().filter_map(|lookup| match lookup {
                    Lookup::Parameter(path) => Some(path.clone()),
                    _ => None,
                });
                let names: BTreeSet<String> = ours.chain(looked_up).collect();
                values(read.aws, &names.into_iter().collect::<Vec<_>>()).await
            })
            .await
    }
}

/// How many values a filter of DescribeParameters takes.
/// Source: <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html>
const VALUES: usize = 50;

/// Those of these names that there are, with their tags.
pub async fn named(aws: &Aws, names: &[String]) -> Result<Vec<(String, Tags)>, Fault> {
    let asked = names.chunks(VALUES).map(|names| async move {
        let by = ParameterStringFilter::builder().key("Name").option("Equals");
        let seen = describe(aws, by.set_values(Some(names.to_vec()))).await?;
        let told = seen.iter().map(|seen| async move {
            Ok::<_, Fault>((seen.name.clone().unwrap_or_default(), tags(aws, seen).await?))
        });
        try_join_all(told).await
    });
    Ok(try_join_all(asked).await?.into_iter().flatten().collect())
}

/// The parameters that the filter lets through.
async fn describe(
    aws: &Aws,
    by: ParameterStringFilterBuilder,
) -> Result<Vec<ParameterMetadata>, Fault> {
    let by = by.build().map_err(|error| {
        Fault::new(Class::Fatal, "ssm:DescribeParameters", "", error.to_string())
    })?;
    let call = aws.ssm.describe_parameters().parameter_filters(by);
    let pages = call.into_paginator().page_size(50).send();
    let pages: Vec<_> =
        pages.collect::<Result<_, _>>().await.map_err(fault("ssm:DescribeParameters"))?;
    Ok(pages.into_iter().flat_map(|page| page.parameters.unwrap_or_default()).collect())
}

/// The values of those of `names` that are there.
pub async fn values(aws: &Aws, names: &[String]) -> Result<BTreeMap<String, String>, Fault> {
    let asked = names.chunks(BATCH).map(|names| async {
        let answer = aws.ssm.get_parameters().set_names(Some(names.to_vec())).send().await;
        answer
            .map(|answer| answer.parameters.unwrap_or_default())
            .map_err(fault("ssm:GetParameters"))
    });
    let found = try_join_all(asked).await?.into_iter().flatten();
    Ok(found.filter_map(|Parameter { name, value, .. }| Some((name?, value?))).collect())
}

/// The tags as its description has them. Whoever sets a parameter by hand may lose that: then they are asked for.
async fn tags(aws: &Aws, seen: &ParameterMetadata) -> Result<Tags, Fault> {
    let described = seen.description().and_then(marks::from_text).unwrap_or_default();
    if described.contains_key(ADDRESS) {
        return Ok(described);
    }
    told_tags(aws, seen.name.clone()).await
}

/// The tags of the parameter of this name; none if it is gone.
pub async fn told_tags(aws: &Aws, name: Option<String>) -> Result<Tags, Fault> {
    let call = aws.ssm.list_tags_for_resource().resource_type(ResourceTypeForTagging::Parameter);
    match call.set_resource_id(name).send().await {
        Ok(answer) => {
            let tags = answer.tag_list.unwrap_or_default().into_iter();
            Ok(tags.map(|tag| (tag.key, tag.value)).collect())
        }
        Err(error) => match fault("ssm:ListTagsForResource")(error) {
            // Gone since it was listed.
            fault
                if matches!(fault.class, Class::NotFound) || fault.code == "InvalidResourceId" =>
            {
                Ok(Tags::new())
            }
            fault => Err(fault),
        },
    }
}
