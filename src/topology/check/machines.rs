//! What runs on a service's machines: artifact, process, and what both make of the user data.

use crate::boot;
use crate::kinds::iam_role;
use crate::topology::artifact::is_the_systems;
use crate::topology::diagnostic::{Diagnostic, Sink};
use crate::topology::sizes;
use crate::topology::types::{Artifact, Service, Topology};

/// In MB: the system, PM2 itself, and the set-up's npm.
const FOR_THE_SYSTEM: u64 = 256;

/// `CreateRole`, `RoleName`.
const LONGEST_ROLE: usize = 64;

pub fn check(topology: &Topology, sink: &mut Sink) {
    // `PutParameter`, `Name`: SSM keeps these beginnings for AWS.
    if topology.name.starts_with("aws") || topology.name.starts_with("ssm") {
        sink.push_unless_spoilt(
            Diagnostic::at(topology.name.span, "AWS keeps names in SSM that begin like this")
                .label("begins the names of the settings")
                .hint(
                    "give the topology a name that does not begin with `aws` or `ssm`".to_owned(),
                ),
        );
    }
    // It names folders and units on machines that the tool sets up.
    let sets_up = topology.services.iter().any(|service| service.artifact.is_some());
    if sets_up && is_the_systems(&topology.name) {
        sink.push_unless_spoilt(
            Diagnostic::at(topology.name.span, "machines have folders or units of this name")
                .label("names `/var/log/TOPOLOGY`, `/opt/TOPOLOGY`, `TOPOLOGY-SERVICE.service`")
                .hint(format!("say what it is for: `{}-shop`", *topology.name)),
        );
    }
    for service in &topology.services {
        role_name(topology, service, sink);
        process(service, sink);
        if let Some(artifact) = &service.artifact
            && whole(artifact, sink)
        {
            size(topology, service, artifact, sink);
        }
    }
}

fn role_name(topology: &Topology, service: &Service, sink: &mut Sink) {
    let length = iam_role::name(&topology.name, &topology.region, &service.name).len();
    if length > LONGEST_ROLE {
        sink.push_unless_spoilt(
            Diagnostic::at(service.name.span, "the name of the service's role gets too long")
                .label(format!("makes {length} characters, and {LONGEST_ROLE} is the most"))
                .also(topology.name.span, "begins the name")
                .hint("shorten the name of the service or of the topology".to_owned()),
        );
    }
}

fn process(service: &Service, sink: &mut Sink) {
    let process = &service.process;
    if let Some(port) = &process.port
        && **port != *service.port
    {
        sink.push_unless_spoilt(
            Diagnostic::at(port.span, format!("PM2 would listen on another port: {}", **port))
                .label("the target group sends nothing here")
                .also(service.port.span, format!("it sends to {}", *service.port))
                .hint("take it away: the process is given the service's port".to_owned()),
        );
    }
    if *process.workers == 0 {
        sink.push_unless_spoilt(
            Diagnostic::at(process.workers.span, "a service needs a worker")
                .label("none would listen")
                .hint("PM2 reads 0 as `one a core`: say how many, 2 by default".to_owned()),
        );
    }
    // An image that brings everything need not run PM2.
    let meant = service.artifact.is_some() || process.workers.span != service.key.span;
    let limit = u64::from(*process.workers) * u64::from(*process.max_memory);
    if let Some(memory) = sizes::memory(&service.instance_type)
        && meant
        && limit + FOR_THE_SYSTEM > memory
    {
        sink.push_unless_spoilt(
            Diagnostic::at(
                process.max_memory.span,
                format!("{limit} MB for workers, but the machine has {memory}, {FOR_THE_SYSTEM} of them the system's"),
            )
            .label(format!("{} workers may take {} MB each", *process.workers, *process.max_memory))
            .also(service.instance_type.span, format!("has {memory} MB"))
            .hint(
                "it would run out of memory before PM2 restarts a worker: lower `max_memory` or `workers`, or take a \
                 larger machine"
                    .to_owned(),
            ),
        );
    }
}

/// Whether the artifact has one place and a checksum.
fn whole(artifact: &Artifact, sink: &mut Sink) -> bool {
    let has = |key: &str| artifact.keys.contains(&key);
    let (message, label, hint) = match (has("s3"), has("git")) {
        (true, true) => ("the artifact lies in two places", "in S3 and in git", "take one away"),
        (false, false) => (
            "the artifact lies nowhere",
            "which?",
            "{ s3 = \"s3://...\", sha256 = \"...\" } or { git = \"https://...\", commit = \"...\" }",
        ),
        (true, false) if !has("sha256") => (
            "the artifact has no checksum",
            "`sha256` is missing",
            "what `sha256sum FILE` prints: without it, whoever can write to the bucket decides what runs",
        ),
        (false, true) if !has("commit") => (
            "the artifact has no checksum",
            "`commit` is missing",
            "what `git rev-parse REF` prints: tags and branches can be moved",
        ),
        (true, false) if has("ref") || has("commit") => {
            ("an artifact in S3 has no commit", "belongs to `git`", "its checksum is `sha256`")
        }
        (false, true) if has("sha256") => {
            ("an artifact in git has no sha256", "belongs to `s3`", "its checksum is `commit`")
        }
        _ => return true,
    };
    let error = Diagnostic::at(artifact.span, message).label(label).hint(hint.to_owned());
    sink.push_unless_spoilt(error);
    false
}

fn size(topology: &Topology, service: &Service, artifact: &Artifact, sink: &mut Sink) {
    let size = boot::user_data(topology, service).map_or(0, |script| script.len());
    if size > boot::LIMIT {
        sink.push_unless_spoilt(
            Diagnostic::at(
                service.key.span,
                format!("its user data is too large: {size} bytes, and EC2 takes {}", boot::LIMIT),
            )
            .label("names, paths and URLs make it so long")
            .also(artifact.span, "goes into it")
            .hint("shorten its paths and URLs".to_owned()),
        );
    }
}
