//! A machine of a service, and the target group it is registered with.

mod change;
mod operations;
mod terraform;
mod user_data;
mod volumes;

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, BlockDeviceMapping, EbsBlockDevice, Filter, HttpTokensState,
    IamInstanceProfileSpecification, Instance as Seen, InstanceMetadataEndpointState,
    InstanceMetadataOptionsRequest, InstanceNetworkInterfaceSpecification, InstanceStateName,
    ResourceType, Volume, VolumeType,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use terraform::ROOT_VOLUME_TAGS;
pub use volumes::tags as volume_tags;

use super::terraform::Terraform;
use super::{Detail, Kind, Live, form, lifts};
use crate::aws::absent::away;
use crate::aws::{Aws, Reading, ec2, fault};
use crate::model::{
    Address, Body, Calls, Class, Created, Fault, Field, Link, Observed, Operation, Schema,
    Standing, Status, Tags, Timing, Vitals, launch,
};

/// An image by id, or late by the SSM parameter that names it.
pub type Ami = serde_json::Value;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    pub ami: Ami,
    pub instance_type: String,
    pub subnet: Link,
    pub security_groups: Vec<Link>,
    pub associate_public_ip_address: bool,
    pub key_name: Option<String>,
    pub instance_profile: Link,
    pub metadata_http_tokens: String,
    pub root_volume_size: u32,
    pub root_volume_type: String,
    pub root_volume_encrypted: bool,
    /// Neither stopped nor on its way there.
    pub running: bool,
    /// What it runs at its birth. Null where its image brings everything.
    pub user_data: Value,
    pub target_group: Link,
}

pub static SCHEMA: Schema = Schema {
    kind: "instance",
    fields: &[
        Field::replace("ami"),
        Field::rolling("instance_type"),
        Field::replace("subnet").names("subnet"),
        Field::rolling("security_groups").names("security_group").set(),
        Field::replace("associate_public_ip_address"),
        Field::replace("key_name"),
        Field::rolling("instance_profile").names("instance_profile"),
        Field::rolling("metadata_http_tokens"),
        Field::replace("root_volume_size"),
        Field::replace("root_volume_type"),
        Field::replace("root_volume_encrypted"),
        Field::rolling("running").configured("true"),
        // Described one instance a call, so only of one that is adopted: it is compared by what was last applied.
        Field::replace("user_data").aside(),
        Field::in_place("target_group").names("target_group").attached("null").serves(),
    ],
    outputs: &[("private_ip", "10.0.0.1"), ("public_ip", "203.0.113.1")],
    id: "i-{hex}",
    unique: &[],
    timing: Timing { create: 35, update: 75, delete: 40, poll: 5 },
    calls: Calls::INSTANCE,
};

/// The name of a service's Nth machine at its address.
pub fn name(service: &str, n: u32) -> String {
    format!("{service}-{n}")
}

/// AWS's word for the state of one that was stopped.
pub const STOPPED: &str = "stopped";

/// Whether the field is only changed while it is stopped, or is what stops it.
pub fn stops(field: &str) -> bool {
    matches!(field, "instance_type" | "running")
}

/// The service that the machine at this address is of.
pub fn service(address: &Address) -> Option<&str> {
    let (service, _) = address.name().rsplit_once('-')?;
    (address.kind() == SCHEMA.kind).then_some(service)
}

pub struct Wire;

#[async_trait]
impl Kind for Wire {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn operations(&self) -> &'static [Operation] {
        operations::OPERATIONS
    }

    fn terraform(&self) -> &'static Terraform {
        &terraform::TERRAFORM
    }

    async fn details(&self, aws: &Aws, all: &[Live]) -> Result<BTreeMap<String, Detail>, Fault> {
        terraform::details(aws, all).await
    }

    async fn list(&self, read: &Reading<'_>) -> Result<Vec<Observed>, Fault> {
        let living = ["pending", "running", "stopping", STOPPED, "shutting-down"];
        let living = living.map(str::to_owned).to_vec();
        let living = Filter::builder().name("instance-state-name").set_values(Some(living)).build();
        let (seen, volumes, targets) = tokio::try_join!(
            describe(read.aws, vec![read.filter("instance-id"), living]),
            volumes::listed(read),
            read.elb.targets(read),
        )?;
        let script = match (&seen[..], read.one()) {
            ([_], Some(id)) => user_data::told(read.aws, id).await?,
            _ => None,
        };
        let listed = seen.into_iter().filter_map(|instance| {
            let id = instance.instance_id.clone()?;
            let tags = ec2::ours(instance.tags.clone(), read)?;
            let status = status(&instance);
            let word = state(&instance).map_or("unknown", InstanceStateName::as_str).to_owned();
            let place = instance.ami_launch_index().and_then(|index| usize::try_from(index).ok());
            let place = place.unwrap_or_default();
            let target = targets.get(&id).cloned().unwrap_or_default();
            let mut body = fields(&instance, volumes::root(&instance, &volumes), target.group);
            body.extend(script.clone().map(|script| ("user_data".to_owned(), script)));
            let outputs = Created::id("")
                .output("private_ip", instance.private_ip_address)
                .output("public_ip", instance.public_ip_address)
                .outputs;
            let observed = form::observed(&SCHEMA, id, tags, body);
            (status != Status::Gone).then_some(Observed {
                outputs,
                status,
                place,
                duty: target.duty,
                vitals: Vitals { health: target.health, ..Vitals::state(&word) },
                ..observed
            })
        });
        Ok(listed.collect())
    }

    async fn create(&self, aws: &Aws, body: &Body, tags: &Tags) -> Result<Created, Fault> {
        let made = self.create_all(aws, body, std::slice::from_ref(tags), "").await?;
        made.into_iter().next().ok_or_else(|| nothing_made(0, 1))
    }

    async fn create_all(
        &self,
        aws: &Aws,
        body: &Body,
        all: &[Tags],
        token: &str,
    ) -> Result<Vec<Created>, Fault> {
        let spec: Instance = form::spec(&SCHEMA, body)?;
        let ami = spec.ami.as_str().unwrap_or_default();
        let root = EbsBlockDevice::builder()
            .volume_size(i32::try_from(spec.root_volume_size).unwrap_or(i32::MAX))
            .volume_type(VolumeType::from(spec.root_volume_type.as_str()))
            .encrypted(spec.root_volume_encrypted)
            .delete_on_termination(true);
        let root = BlockDeviceMapping::builder()
            .device_name(aws.root_devices.of(aws, ami).await?)
            .ebs(root.build());
        let interface = InstanceNetworkInterfaceSpecification::builder()
            .device_index(0)
            .subnet_id(spec.subnet.id())
            .set_groups(Some(form::ids(&spec.security_groups)))
            .associate_public_ip_address(spec.associate_public_ip_address)
            .delete_on_termination(true);
        let metadata = InstanceMetadataOptionsRequest::builder()
            .http_tokens(HttpTokensState::from(spec.metadata_http_tokens.as_str()))
            .http_endpoint(InstanceMetadataEndpointState::Enabled);
        let tags = launch::tags(all).ok_or_else(|| nothing_made(0, all.len()))?;
        // By its tags the root volume is found in one listing. What is last applied stands on the instance alone.
        let volume_tags = volumes::tags(&tags);
        let count = i32::try_from(all.len()).unwrap_or(i32::MAX);
        let call = aws
            .ec2
            .run_instances()
            .set_client_token(Some(token.to_owned()).filter(|token| !token.is_empty()))
            .min_count(count)
            .max_count(count)
            .image_id(ami)
            .instance_type(spec.instance_type.as_str().into())
            .set_key_name(spec.key_name)
            .set_user_data(spec.user_data.as_str().map(|script| BASE64.encode(script)))
            .set_iam_instance_profile(profile(spec.instance_profile.id()))
            .network_interfaces(interface.build())
            .metadata_options(metadata.build())
            .block_device_mappings(root.build())
            .tag_specifications(ec2::born_with(ResourceType::Instance, &tags))
            .tag_specifications(ec2::born_with(ResourceType::Volume, &volume_tags));
        let answer = call.send().await.map_err(fault("ec2:RunInstances"))?;
        let mut born = answer.instances.unwrap_or_default();
        if born.len() != all.len() {
            return Err(nothing_made(born.len(), all.len()));
        }
        born.sort_by_key(Seen::ami_launch_index);
        let made = born.into_iter().map(|born| Created {
            born: Some(tags.clone()),
            ..Created::id(born.instance_id.unwrap_or_default())
                .output("private_ip", born.private_ip_address)
                .output("public_ip", born.public_ip_address)
        });
        Ok(made.collect())
    }

    async fn update(
        &self,
        aws: &Aws,
        live: &Live,
        after: &Body,
        changed: &[&str],
    ) -> Result<(), Fault> {
        let has = |field| changed.contains(&field);
        if has("security_groups") {
            let groups: Vec<Link> = form::field(&SCHEMA, after, "security_groups")?;
            let call = aws.ec2.modify_instance_attribute().instance_id(&live.id);
            let answer = call.set_groups(Some(form::ids(&groups))).send().await;
            answer.map_err(fault("ec2:ModifyInstanceAttribute"))?;
        }
        if has("instance_profile") {
            let wanted: Link = form::field(&SCHEMA, after, "instance_profile")?;
            change::associate(aws, &live.id, wanted.id()).await?;
        }
        if has("metadata_http_tokens") {
            let tokens: String = form::field(&SCHEMA, after, "metadata_http_tokens")?;
            let call = aws.ec2.modify_instance_metadata_options().instance_id(&live.id);
            let answer = call.http_tokens(HttpTokensState::from(tokens.as_str())).send().await;
            answer.map_err(fault("ec2:ModifyInstanceMetadataOptions"))?;
        }
        if has("instance_type") || has("running") {
            let typed = if has("instance_type") { after } else { &live.body };
            let wanted: String = form::field(&SCHEMA, typed, "instance_type")?;
            change::run_as(aws, &live.id, &wanted).await?;
        }
        if has("target_group") {
            let before: Link = form::field(&SCHEMA, &live.body, "target_group")?;
            let after: Link = form::field(&SCHEMA, after, "target_group")?;
            let id = std::slice::from_ref(&live.id);
            change::register(aws, id, before.id(), after.id()).await?;
        }
        Ok(())
    }

    /// Those that go from one target group to another go together.
    async fn update_all(
        &self,
        aws: &Aws,
        all: &[(Live, Body)],
        changed: &[&str],
    ) -> Result<(), Fault> {
        if changed != ["target_group"] {
            for (live, after) in all {
                self.update(aws, live, after, changed).await?;
            }
            return Ok(());
        }
        let mut ways: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for (live, after) in all {
            let before: Link = form::field(&SCHEMA, &live.body, "target_group")?;
            let after: Link = form::field(&SCHEMA, after, "target_group")?;
            let way = (before.id().to_owned(), after.id().to_owned());
            ways.entry(way).or_default().push(live.id.clone());
        }
        for ((before, after), ids) in ways {
            change::register(aws, &ids, &before, &after).await?;
        }
        Ok(())
    }

    async fn delete(&self, aws: &Aws, live: &Live, parting: &Body) -> Result<(), Fault> {
        self.delete_all(aws, std::slice::from_ref(live), parting).await
    }

    async fn delete_all(&self, aws: &Aws, all: &[Live], parting: &Body) -> Result<(), Fault> {
        if lifts(parting) {
            for live in all {
                away(self.protect(aws, live, false).await)?;
            }
        }
        let ids = all.iter().map(|live| live.id.clone()).collect();
        let answer = aws.ec2.terminate_instances().set_instance_ids(Some(ids)).send().await;
        match answer.map_err(fault("ec2:TerminateInstances")) {
            // One that is gone already must not keep the others.
            Err(fault) if fault.class == Class::NotFound && all.len() > 1 => {
                for live in all {
                    self.delete(aws, live, &Body::new()).await?;
                }
                Ok(())
            }
            answer => away(answer),
        }
    }

    async fn status(&self, aws: &Aws, ids: &[String]) -> Result<BTreeMap<String, Standing>, Fault> {
        ec2::status("instance-id", ids, |filter| async move {
            let seen = describe(aws, vec![filter]).await?.into_iter();
            Ok(seen.map(|instance| (instance.instance_id.clone(), status(&instance))).collect())
        })
        .await
    }

    async fn protect(&self, aws: &Aws, live: &Live, on: bool) -> Result<(), Fault> {
        let value = AttributeBooleanValue::builder().value(on).build();
        let call = aws.ec2.modify_instance_attribute().instance_id(&live.id);
        let answer = call.disable_api_termination(value).send().await;
        answer.map(drop).map_err(fault("ec2:ModifyInstanceAttribute"))
    }

    async fn tag(&self, aws: &Aws, live: &Live, tags: &Tags) -> Result<(), Fault> {
        ec2::tag_all(aws, [(live.id.as_str(), tags)]).await
    }

    async fn tag_all(&self, aws: &Aws, all: &[(Live, Tags)]) -> Result<(), Fault> {
        ec2::tag_all(aws, all.iter().map(|(live, tags)| (live.id.as_str(), tags))).await
    }
}

fn nothing_made(made: usize, asked: usize) -> Fault {
    let message = format!("{made} of {asked} machines were made");
    Fault::new(Class::Transient, "ec2:RunInstances", "", message)
}

async fn describe(aws: &Aws, filters: Vec<Filter>) -> Result<Vec<Seen>, Fault> {
    let call = aws.ec2.describe_instances().set_filters(Some(filters));
    let pages = call.into_paginator().page_size(1000).items().send();
    let reservations =
        pages.collect::<Result<Vec<_>, _>>().await.map_err(fault("ec2:DescribeInstances"))?;
    Ok(reservations.into_iter().flat_map(|found| found.instances.unwrap_or_default()).collect())
}

fn fields(instance: &Seen, root: Option<&Volume>, target_group: Option<String>) -> Body {
    let running = status(instance) == Status::Ready;
    let up = running || state(instance) == Some(&InstanceStateName::Pending);
    // One that isn't running has no public address, whether or not it will have one.
    let public = instance.public_ip_address().is_some();
    let groups = instance.security_groups().iter().filter_map(|group| group.group_id());
    let profile = instance.iam_instance_profile().and_then(|profile| profile.arn());
    let tokens = instance.metadata_options().and_then(|options| options.http_tokens());
    form::reported([
        ("ami", instance.image_id().map(Value::from)),
        ("instance_type", instance.instance_type().map(|kind| Value::from(kind.as_str()))),
        ("subnet", instance.subnet_id().map(Value::from)),
        ("security_groups", Some(form::set(groups.map(Value::from)))),
        ("associate_public_ip_address", (public || running).then(|| Value::from(public))),
        ("key_name", Some(Value::from(instance.key_name()))),
        ("instance_profile", Some(Value::from(profile))),
        ("metadata_http_tokens", tokens.map(|tokens| Value::from(tokens.as_str()))),
        ("root_volume_size", root.and_then(Volume::size).map(Value::from)),
        (
            "root_volume_type",
            root.and_then(Volume::volume_type).map(|kind| Value::from(kind.as_str())),
        ),
        ("root_volume_encrypted", root.and_then(Volume::encrypted).map(Value::from)),
        ("running", Some(Value::from(up))),
        ("target_group", Some(Value::from(target_group))),
    ])
}

fn state(instance: &Seen) -> Option<&InstanceStateName> {
    instance.state().and_then(|state| state.name())
}

fn status(instance: &Seen) -> Status {
    match state(instance) {
        Some(InstanceStateName::Running) => Status::Ready,
        Some(InstanceStateName::ShuttingDown) => Status::Deleting,
        Some(InstanceStateName::Terminated) => Status::Gone,
        // A stopped one too: it doesn't serve.
        Some(state) => Status::Pending(state.as_str().to_owned()),
        None => Status::Pending("unknown".to_owned()),
    }
}

fn profile(arn: &str) -> Option<IamInstanceProfileSpecification> {
    (!arn.is_empty()).then(|| IamInstanceProfileSpecification::builder().arn(arn).build())
}
