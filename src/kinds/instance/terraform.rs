//! A machine in Terraform, and its registration, which version 5 of AWS's provider can't import:
//! <https://github.com/hashicorp/terraform-provider-aws/pull/46646>

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Volume;
use serde_json::{Value, json};

use super::{user_data, volumes};
use crate::aws::Aws;
use crate::kinds::terraform::{Argument, One, Part, Terraform, tags};
use crate::kinds::{Detail, Live, each, form};
use crate::model::{Fault, TOPOLOGY, reference};

/// The tags of its root volume, which no field has.
pub const ROOT_VOLUME_TAGS: &str = "root_volume_tags";

pub static TERRAFORM: Terraform = Terraform {
    resource: "aws_instance",
    import: "{id}",
    named_by: "id",
    outputs: &[("private_ip", "private_ip"), ("public_ip", "public_ip")],
    arguments: &[
        Argument::same("ami"),
        Argument::same("instance_type"),
        Argument::Field("subnet_id", "subnet"),
        Argument::Field("vpc_security_group_ids", "security_groups"),
        Argument::same("associate_public_ip_address"),
        Argument::same("key_name"),
        Argument::Field("iam_instance_profile", "instance_profile"),
        Argument::same("user_data"),
        Argument::Made("disable_api_termination", &[], |one| one.protected()),
        Argument::Field("metadata_options.http_tokens", "metadata_http_tokens"),
        Argument::Field("root_block_device.volume_size", "root_volume_size"),
        Argument::Field("root_block_device.volume_type", "root_volume_type"),
        Argument::Field("root_block_device.encrypted", "root_volume_encrypted"),
        Argument::Made("root_block_device.tags", &[], |one| {
            let told = one.body.get(ROOT_VOLUME_TAGS).and_then(Value::as_object);
            tags(told.into_iter().flatten().map(|(key, value)| (key, value.clone())))
        }),
        Argument::Tags,
    ],
    parts: registration,
    beside: &["running", "target_group"],
};

fn registration(one: &One<'_>) -> Vec<Part> {
    let part = (!one.text("target_group").is_empty()).then(|| Part {
        resource: "aws_lb_target_group_attachment",
        suffix: String::new(),
        import: None,
        arguments: vec![
            ("target_group_arn", one.field("target_group")),
            ("target_id", reference(one.address)),
        ],
    });
    part.into_iter().collect()
}

/// What they were told at their birth, and the tags of their root volumes.
pub(super) async fn details(aws: &Aws, all: &[Live]) -> Result<BTreeMap<String, Detail>, Fault> {
    let scripts = each(all, |machine| user_data::told(aws, &machine.id));
    let (scripts, volumes) = tokio::try_join!(scripts, volumes::attached(aws, all))?;
    let told = scripts.into_iter().map(|(id, script)| {
        let root = volumes.iter().find(|volume| is_root(volume, &id));
        let tags: Option<BTreeMap<_, _>> = root
            .map(|root| root.tags().iter().filter_map(|tag| tag.key().zip(tag.value())).collect());
        let body = form::reported([
            ("user_data", script),
            (ROOT_VOLUME_TAGS, tags.map(|tags| json!(tags))),
        ]);
        (id, Detail { body, tags: None })
    });
    Ok(told.collect())
}

/// The volume that was made with the machine bears our tag; one that somebody attached does not.
fn is_root(volume: &Volume, machine: &str) -> bool {
    let attached = volume.attachments().iter().any(|one| one.instance_id() == Some(machine));
    attached && volume.tags().iter().any(|tag| tag.key() == Some(TOPOLOGY))
}
