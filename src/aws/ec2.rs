//! What the kinds of EC2 share: filters, tags, the typed reading of bodies, and listings that several kinds need.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::config::Builder;
use aws_sdk_ec2::types::{
    Filter, InstanceType, ResourceType, RouteTable, Tag, TagSpecification, Vpc,
};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority, RetryReason,
};
use aws_smithy_types::retry::ErrorKind;
use futures_util::future::try_join_all;
use tokio::sync::{Mutex, OnceCell};

use super::{Aws, Reading, fault};
use crate::model::question::Name;
use crate::model::{Class, Condition, Fault, Grant, Scope, Standing, Status, TOPOLOGY, Tags};

/// How many values AWS takes in one filter.
pub const FILTER_VALUES: usize = 200;

/// What several kinds read, asked for once a reading.
#[derive(Default)]
pub struct Shared {
    vpcs: OnceCell<Vec<Vpc>>,
    route_tables: OnceCell<Vec<RouteTable>>,
}

impl Shared {
    /// The topology's VPCs, or the one that is read.
    pub async fn vpcs(&self, read: &Reading<'_>) -> Result<&[Vpc], Fault> {
        let vpcs = self.vpcs.get_or_try_init(|| vpcs(read.aws, read.filter("vpc-id"))).await?;
        Ok(vpcs)
    }

    /// Every route table, ours or not: a subnet of ours may have been given another's.
    pub async fn route_tables(&self, read: &Reading<'_>) -> Result<&[RouteTable], Fault> {
        let tables = self.route_tables.get_or_try_init(|| route_tables(read.aws, None)).await?;
        Ok(tables)
    }
}

/// The VPCs that pass the filter.
pub async fn vpcs(aws: &Aws, filter: Filter) -> Result<Vec<Vpc>, Fault> {
    let pages = aws.ec2.describe_vpcs().filters(filter).into_paginator().page_size(1000);
    pages.items().send().collect::<Result<_, _>>().await.map_err(fault("ec2:DescribeVpcs"))
}

/// The route tables that pass the filter.
pub async fn route_tables(aws: &Aws, filter: Option<Filter>) -> Result<Vec<RouteTable>, Fault> {
    let call = aws.ec2.describe_route_tables().set_filters(filter.map(|filter| vec![filter]));
    let pages = call.into_paginator().page_size(100).items().send();
    pages.collect::<Result<_, _>>().await.map_err(fault("ec2:DescribeRouteTables"))
}

/// Whether EC2 has such a type in any region, as far as its SDK knows.
pub fn has_type(name: &str) -> bool {
    InstanceType::values().contains(&name)
}

/// The name of an image's root device, asked for once an image: it never changes.
#[derive(Default)]
pub struct RootDevices(Mutex<BTreeMap<String, String>>);

impl RootDevices {
    pub async fn of(&self, aws: &Aws, image: &str) -> Result<String, Fault> {
        const OPERATION: &str = "ec2:DescribeImages";
        // Held while asking, so that instances launched at once ask once.
        let mut known = self.0.lock().await;
        if let Some(device) = known.get(image) {
            return Ok(device.clone());
        }
        let answer =
            aws.ec2.describe_images().image_ids(image).send().await.map_err(fault(OPERATION))?;
        let mut images = answer.images.unwrap_or_default().into_iter();
        let found = images.find(|found| found.image_id.as_deref() == Some(image));
        let Some(device) = found.and_then(|found| found.root_device_name) else {
            let message = format!("the image {image} is not there, or has no root device");
            return Err(Fault::new(Class::Fatal, OPERATION, "InvalidAMIID.NotFound", message));
        };
        known.insert(image.to_owned(), device.clone());
        Ok(device)
    }
}

/// Tags on what a call is just making:
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html>
static CREATING: Scope = Scope::new(
    "TagsAtCreation",
    &[
        Condition::new("StringEquals", "aws:RequestTag/ecdeploy:topology", &["{topology}"]),
        Condition::new("Null", "ec2:CreateAction", &["false"]),
    ],
);

pub const fn tagging(resources: &'static [&'static str]) -> Grant {
    Grant::within(&CREATING, resources).of("ec2:CreateTags")
}

pub fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

/// Lets through what is in the VPCs that these names begin with.
pub fn vpcs_of(names: &BTreeSet<Name>) -> Filter {
    let vpcs: BTreeSet<&String> = names.iter().filter_map(|name| name.first()).collect();
    let vpcs = vpcs.into_iter().cloned().collect();
    Filter::builder().name("vpc-id").set_values(Some(vpcs)).build()
}

/// Lets through what bears the topology's tag.
pub fn tagged(topology: &str) -> Filter {
    filter(&format!("tag:{TOPOLOGY}"), topology)
}

/// The tags, if they are the topology's. Asked again on this side, since not every answer is filtered.
pub fn ours(tags: Option<Vec<Tag>>, read: &Reading<'_>) -> Option<Tags> {
    let tags = from_sdk(tags);
    read.owns(&tags).then_some(tags)
}

pub fn from_sdk(tags: Option<Vec<Tag>>) -> Tags {
    let tags = tags.unwrap_or_default().into_iter();
    tags.filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect()
}

/// Tags for a resource to be born with, so that none is ever without.
pub fn born_with(kind: ResourceType, tags: &Tags) -> TagSpecification {
    TagSpecification::builder().resource_type(kind).set_tags(Some(sdk_tags(tags))).build()
}

/// Gives each its tags: one call for those that get the same.
pub async fn tag_all<'a>(
    aws: &Aws,
    all: impl IntoIterator<Item = (&'a str, &'a Tags)>,
) -> Result<(), Fault> {
    let mut alike: BTreeMap<&Tags, Vec<String>> = BTreeMap::new();
    for (id, tags) in all {
        alike.entry(tags).or_default().push(id.to_owned());
    }
    for (tags, ids) in alike {
        let call = aws.ec2.create_tags().set_resources(Some(ids)).set_tags(Some(sdk_tags(tags)));
        call.send().await.map_err(fault("ec2:CreateTags"))?;
    }
    Ok(())
}

fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// How far the resources of these ids are, told by `describe`. A filter is asked, not the ids, since AWS refuses a
/// call with an id that is gone.
pub async fn status<D, F>(
    name: &str,
    ids: &[String],
    describe: D,
) -> Result<BTreeMap<String, Standing>, Fault>
where
    D: Fn(Filter) -> F,
    F: Future<Output = Result<Vec<(Option<String>, Status)>, Fault>>,
{
    let asked: BTreeSet<&String> = ids.iter().collect();
    let calls = ids.chunks(FILTER_VALUES).map(|chunk| {
        describe(Filter::builder().name(name).set_values(Some(chunk.to_vec())).build())
    });
    let found = try_join_all(calls).await?.into_iter().flatten();
    let found = found.filter_map(|(id, status)| Some((id?, status.into())));
    Ok(found.filter(|(id, _)| asked.contains(id)).collect())
}

/// The status that AWS's word for a state means, where there is one state to wait for.
pub fn settled(state: Option<&str>) -> Status {
    match state {
        Some("available") | None => Status::Ready,
        Some(state) => Status::Pending(state.to_owned()),
    }
}

/// For calls that would create a second resource if they were repeated after their answer was lost: the SDK repeats
/// them only where AWS has refused to do them. Whoever gets the error looks by tag before trying again.
pub fn unrepeated() -> Builder {
    Builder::new().retry_classifier(Undone)
}

#[derive(Debug)]
struct Undone;

impl ClassifyRetry for Undone {
    fn name(&self) -> &'static str {
        "Undone"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }

    fn classify_retry(&self, _: &InterceptorContext) -> RetryAction {
        RetryAction::NoActionIndicated
    }

    fn classify_retry_v2(&self, _: &InterceptorContext, verdict: &RetryAction) -> RetryAction {
        match verdict {
            RetryAction::RetryIndicated(RetryReason::RetryableError {
                kind: ErrorKind::TransientError | ErrorKind::ServerError,
                ..
            }) => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }
}
