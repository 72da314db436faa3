//! EC2: instance types, images, key pairs, what runs, and the VPCs.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{Filter, LocationType};

use crate::aws::{Aws, fault};
use crate::model::question::{Image, Images, Machine, Machines, Network, Vpcs, Zones, is_standard};
use crate::model::{Fault, TOPOLOGY};

pub const OFFERINGS: &str = "ec2:DescribeInstanceTypeOfferings";
pub const TYPES: &str = "ec2:DescribeInstanceTypes";
pub const IMAGES: &str = "ec2:DescribeImages";
pub const KEYS: &str = "ec2:DescribeKeyPairs";
pub const INSTANCES: &str = "ec2:DescribeInstances";
pub const VPCS: &str = "ec2:DescribeVpcs";

/// A filter is asked, not the names, since AWS refuses a call with a name that it does not know.
fn any_of(name: &str, values: &BTreeSet<String>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.iter().cloned().collect())).build()
}

pub async fn offered(aws: &Aws, types: &BTreeSet<String>) -> Result<Zones, Fault> {
    let call = aws.ec2.describe_instance_type_offerings();
    let call = call.location_type(LocationType::AvailabilityZone);
    let pages = call.filters(any_of("instance-type", types)).into_paginator().items().send();
    let found: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(fault(OFFERINGS))?;
    let mut zones: Zones = types.iter().map(|name| (name.clone(), BTreeSet::new())).collect();
    for offering in found {
        let name = offering.instance_type.as_ref().map_or("", |name| name.as_str());
        if let (Some(zones), Some(zone)) = (zones.get_mut(name), offering.location) {
            zones.insert(zone);
        }
    }
    Ok(zones)
}

pub async fn types(aws: &Aws, types: &BTreeSet<String>) -> Result<Machines, Fault> {
    let call = aws.ec2.describe_instance_types().filters(any_of("instance-type", types));
    let pages = call.into_paginator().items().send();
    let found: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(fault(TYPES))?;
    let known = found.into_iter().filter_map(|found| {
        let name = found.instance_type.as_ref()?.as_str().to_owned();
        let processor = found.processor_info.as_ref()?;
        let architectures = processor.supported_architectures().iter();
        let architectures = architectures.map(|one| one.as_str().to_owned()).collect();
        let vcpus = found.v_cpu_info.as_ref()?.default_v_cpus.unwrap_or_default();
        Some((name, Machine { architectures, vcpus: u64::try_from(vcpus).unwrap_or_default() }))
    });
    Ok(known.filter(|(name, _)| types.contains(name)).collect())
}

pub async fn images(aws: &Aws, images: &BTreeSet<String>) -> Result<Images, Fault> {
    let call = aws.ec2.describe_images().filters(any_of("image-id", images));
    let answer = call.send().await.map_err(fault(IMAGES))?;
    let known = answer.images.unwrap_or_default().into_iter().filter_map(|found| {
        let mut mappings = found.block_device_mappings().iter();
        let root = mappings.find(|one| one.device_name() == found.root_device_name());
        let size = root.and_then(|root| root.ebs()?.volume_size()?.try_into().ok());
        let architecture = found.architecture.as_ref().map(|one| one.as_str().to_owned());
        Some((found.image_id?, Image { architecture, root_volume_size: size }))
    });
    Ok(known.filter(|(id, _)| images.contains(id)).collect())
}

/// What a filter finds by a wildcard in a name is not asked for, and a backslash in one has to be told from what it may
/// escape: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>
pub async fn key_pairs(aws: &Aws, names: &BTreeSet<String>) -> Result<BTreeSet<String>, Fault> {
    let values = names.iter().map(|name| name.replace('\\', r"\\")).collect();
    let call = aws.ec2.describe_key_pairs().filters(any_of("key-name", &values));
    let answer = call.send().await.map_err(fault(KEYS))?;
    let found = answer.key_pairs.unwrap_or_default().into_iter().filter_map(|one| one.key_name);
    Ok(found.filter(|name| names.contains(name)).collect())
}

/// Those of the standard families, which one quota is for.
pub async fn running_vcpus(aws: &Aws) -> Result<u64, Fault> {
    let states = ["pending", "running"].map(str::to_owned).into();
    let call = aws.ec2.describe_instances().filters(any_of("instance-state-name", &states));
    let pages = call.into_paginator().page_size(1000).items().send();
    let found: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(fault(INSTANCES))?;
    let running = found.iter().flat_map(|reservation| reservation.instances());
    let vcpus = running.filter_map(|instance| {
        let name = instance.instance_type()?.as_str();
        let options = instance.cpu_options().filter(|_| is_standard(name))?;
        let count = options.core_count()? * options.threads_per_core().unwrap_or(1);
        u64::try_from(count).ok()
    });
    Ok(vcpus.sum())
}

pub async fn vpcs(aws: &Aws) -> Result<Vpcs, Fault> {
    let pages = aws.ec2.describe_vpcs().into_paginator().page_size(1000).items().send();
    let found: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(fault(VPCS))?;
    let known = found.into_iter().filter_map(|vpc| {
        let more = vpc.cidr_block_association_set().iter().filter_map(|one| one.cidr_block());
        let blocks: BTreeSet<&str> = vpc.cidr_block().into_iter().chain(more).collect();
        let blocks = blocks.into_iter().map(str::to_owned).collect();
        let mut tags = vpc.tags().iter();
        let topology = tags.find(|tag| tag.key() == Some(TOPOLOGY)).and_then(|tag| tag.value());
        let topology = topology.map(str::to_owned);
        Some((vpc.vpc_id?, Network { blocks, topology }))
    });
    Ok(known.collect())
}
