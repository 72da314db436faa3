//! Instance types in their zones, images that run on them, and key pairs that get into them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Finding;
use super::answers::Answers;
use super::planned::Planned;
use crate::diff::Action;
use crate::kinds::instance;
use crate::model::question::{Images, Machines, Zones};
use crate::model::{Address, Question};
use crate::topology::{Diagnostic, suggest};

pub const NAME: &str = "machines";

const KEY_NAME: &str = "key_name";
const ROOT_VOLUME_SIZE: &str = "root_volume_size";
/// What decides whether a machine can be had.
const FIELDS: &[&str] = &["instance_type", "ami", "subnet", ROOT_VOLUME_SIZE];

/// One that is to run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Wish {
    instance_type: String,
    zone: Option<String>,
    image: Option<String>,
    /// In GiB.
    root_volume_size: Option<u64>,
}

/// Each wish once, with the first machine that has it.
fn wishes(planned: &Planned<'_>) -> Vec<(Wish, Address)> {
    let mut seen = BTreeSet::new();
    let coming = planned.setting(instance::SCHEMA.kind, FIELDS);
    let wishes = coming.filter_map(|(change, body)| {
        let wish = Wish {
            instance_type: planned.text(body, "instance_type")?,
            zone: body.get("subnet").and_then(|subnet| planned.zone(subnet)),
            image: planned.text(body, "ami"),
            // One that is there stays.
            root_volume_size: body
                .get(ROOT_VOLUME_SIZE)
                .and_then(Value::as_u64)
                .filter(|_| change.action != Action::Update),
        };
        Some((wish, change.address.clone()))
    });
    // Of two services, each may say it in its own place.
    let place = |address: &Address| planned.span(address, "instance_type");
    wishes.filter(|(wish, address)| seen.insert((wish.clone(), place(address)))).collect()
}

fn types(wishes: &[(Wish, Address)]) -> BTreeSet<String> {
    wishes.iter().map(|(wish, _)| wish.instance_type.clone()).collect()
}

fn images(wishes: &[(Wish, Address)]) -> BTreeSet<String> {
    wishes.iter().filter_map(|(wish, _)| wish.image.clone()).collect()
}

pub fn wants(planned: &Planned<'_>, _: &Answers) -> Vec<Question> {
    let wishes = wishes(planned);
    if wishes.is_empty() {
        return Vec::new();
    }
    let types = types(&wishes);
    let mut questions = vec![
        Question::Offered(types.clone()),
        Question::Machines(types),
        Question::Images(images(&wishes)),
    ];
    let keys = keys(planned);
    if !keys.is_empty() {
        questions.push(Question::KeyPairs(names(&keys)));
    }
    questions
}

/// The key pairs of machines that are made anew, each once, with the first machine that has it.
fn keys(planned: &Planned<'_>) -> Vec<(String, Address)> {
    let mut seen = BTreeSet::new();
    let made = planned.setting(instance::SCHEMA.kind, &[]);
    let keys = made
        .filter_map(|(change, body)| Some((planned.text(body, KEY_NAME)?, change.address.clone())));
    let place = |address: &Address| planned.span(address, KEY_NAME);
    keys.filter(|(name, address)| seen.insert((name.clone(), place(address)))).collect()
}

fn names(keys: &[(String, Address)]) -> BTreeSet<String> {
    keys.iter().map(|(name, _)| name.clone()).collect()
}

/// RunInstances says so as InvalidKeyPair.NotFound:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>
fn without_keys(planned: &Planned<'_>, answers: &Answers) -> Vec<Finding> {
    let keys = keys(planned);
    let Some(known) = answers.get::<BTreeSet<String>>(&Question::KeyPairs(names(&keys))) else {
        return Vec::new();
    };
    let region = &planned.desired.region;
    let missing = keys.into_iter().filter(|(name, _)| !known.contains(name));
    let refused = missing.map(|(name, address)| {
        let message = format!("there is no key pair `{name}` in {region}");
        let hint = format!(
            "see what there is: aws ec2 describe-key-pairs --region {region}; or take `{KEY_NAME}` away"
        );
        let error = planned.blame(&address, KEY_NAME, message).label("nothing to log in with");
        Finding::Refused(error.hint(hint))
    });
    refused.collect()
}

pub fn verdict(planned: &Planned<'_>, answers: &Answers) -> Vec<Finding> {
    let wishes = wishes(planned);
    let types = types(&wishes);
    let offered: Zones = answers.get(&Question::Offered(types.clone())).unwrap_or_default();
    let machines: Machines = answers.get(&Question::Machines(types)).unwrap_or_default();
    let known: Option<Images> = answers.get(&Question::Images(images(&wishes)));
    let region = &planned.desired.region;
    let mut findings = without_keys(planned, answers);
    let mut refuse = |diagnostic| findings.push(Finding::Refused(diagnostic));
    for (Wish { instance_type, zone, image, root_volume_size }, address) in &wishes {
        let blame = |message| planned.blame(address, "instance_type", message);
        match (offered.get(instance_type), zone) {
            (Some(zones), _) if zones.is_empty() => refuse(
                blame(format!("EC2 has no instance type `{instance_type}` in {region}"))
                    .label("not offered in this region")
                    .hint(format!(
                        "see what there is: aws ec2 describe-instance-type-offerings --region {region}"
                    )),
            ),
            (Some(zones), Some(zone)) if !zones.contains(zone) => {
                let there = suggest::list(zones.iter().map(String::as_str));
                let mut error = blame(format!("EC2 has no `{instance_type}` in {zone}"))
                    .label("not offered in every zone of its subnets")
                    .hint(format!("there it is: {there}; take another type, or other subnets"));
                if let Some(subnets) = planned.span(address, "subnet") {
                    error = error.also(subnets, format!("one of these is in {zone}"));
                }
                refuse(error);
            }
            _ => {}
        }
        let Some((known, image)) = known.as_ref().zip(image.as_ref()) else { continue };
        let Some(found) = known.get(image) else {
            let error = format!("there is no image {image} in {region}");
            refuse(
                planned.blame(address, "ami", error).label("nothing to launch from").hint(
                    "it may be another region's, or gone; or nobody shares it with this account"
                        .to_owned(),
                ),
            );
            continue;
        };
        if let (Some(architecture), Some(machine)) =
            (&found.architecture, machines.get(instance_type))
            && !machine.architectures.contains(architecture)
        {
            let runs = machine.architectures.iter().cloned().collect::<Vec<_>>().join(" or ");
            let message =
                format!("`{instance_type}` runs {runs}, and {image} is for {architecture}");
            let mut error = planned
                .blame(address, "ami", message)
                .label(format!("an image for {architecture}"))
                .hint("take the image of the other architecture, or another type".to_owned());
            if let Some(span) = planned.span(address, "instance_type") {
                error = error.also(span, format!("runs {runs}"));
            }
            refuse(error);
        }
        if let Some((size, least)) = root_volume_size.zip(found.root_volume_size)
            && size < least
        {
            refuse(too_small(planned, address, size, least, image));
        }
    }
    findings
}

/// RunInstances says so as InvalidBlockDeviceMapping: a volume is as large as its snapshot or larger. The image has the size
/// of its volume, which is the snapshot's in all but those that somebody registered with more.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EbsBlockDevice.html>
fn too_small(
    planned: &Planned<'_>,
    address: &Address,
    size: u64,
    least: u64,
    image: &str,
) -> Diagnostic {
    let message = format!("a root volume of {size} GiB is smaller than the {least} GiB of {image}");
    let error = planned
        .blame(address, ROOT_VOLUME_SIZE, message)
        .label(format!("{least} or more are needed"))
        .hint(format!(
            "write {least} or more, or take another image; if this one's snapshot is smaller, pass --ignore-check {NAME}"
        ));
    match planned.span(address, "ami") {
        Some(span) => error.also(span, format!("its root volume has {least} GiB")),
        None => error,
    }
}
