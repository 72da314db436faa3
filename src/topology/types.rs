//! What a topology file says, as plain data: every reference known to lead somewhere, every default filled in.

use std::path::{Path, PathBuf};

use ipnet::Ipv4Net;

use super::diagnostic::{Diagnostic, Diagnostics, Lines, Placed, Sink, Span};
use super::policy::Policy;
use crate::model::digest;

/// What a block's names in AWS are made from, with the place that says it: `name`, the `[[moved]]` block that brought it
/// here, or its key.
pub type Named = Placed<String>;

/// The keys of other blocks.
pub type Names = Placed<Vec<Placed<String>>>;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Topology {
    /// The file it was read from.
    pub path: PathBuf,
    /// SHA-256 of the file's text and its variables' values: tells whether the file moved since a plan was made.
    pub source_hash: String,
    pub name: Placed<String>,
    pub account: Placed<String>,
    pub region: Placed<String>,
    pub vpc: Vpc,
    /// Blocks stand in the order of the file.
    pub subnets: Vec<Subnet>,
    pub security_groups: Vec<SecurityGroup>,
    pub load_balancer: Option<LoadBalancer>,
    pub dns: Option<Dns>,
    pub services: Vec<Service>,
    pub databases: Vec<Database>,
    pub caches: Vec<Cache>,
    pub moved: Vec<Moved>,
    pub policy: Policy,
    pub(super) text: Box<str>,
    pub(super) lines: Lines,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vpc {
    pub span: Span,
    pub protect: bool,
    pub cidr_block: Placed<Ipv4Net>,
    pub enable_dns_support: bool,
    pub enable_dns_hostnames: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Subnet {
    pub key: Placed<String>,
    pub protect: bool,
    pub cidr_block: Placed<Ipv4Net>,
    /// In full: `ap-southeast-1a`.
    pub zone: Placed<String>,
    pub public: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SecurityGroup {
    pub key: Placed<String>,
    pub protect: bool,
    pub name: Placed<String>,
    pub description: Placed<String>,
    /// The rules the file writes out; those that follow from services are added in `desired`.
    pub ingress: Vec<Rule>,
    pub egress: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub span: Span,
    /// `tcp`, `udp`, `icmp` or `all`.
    pub protocol: String,
    /// First and last.
    pub ports: Option<(u16, u16)>,
    pub peer: Placed<Peer>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Peer {
    Block(Ipv4Net),
    /// The key of a security group.
    Group(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct LoadBalancer {
    pub span: Span,
    pub protect: bool,
    pub name: Placed<String>,
    /// `internet-facing` or `internal`.
    pub scheme: Placed<String>,
    pub subnets: Names,
    pub security_groups: Names,
    pub default_service: Placed<String>,
    pub port: Placed<u16>,
    /// With one, it listens for HTTPS on 443 too.
    pub certificate: Option<Placed<Certificate>>,
    /// By which of its keys the file names it: `check` tells whether they go together.
    pub certificate_keys: Vec<&'static str>,
    /// Whether requests without TLS are sent there, rather than served; where the file says so.
    pub redirect: Option<Placed<bool>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Certificate {
    Arn(String),
    /// Found in ACM.
    Domain(String),
}

/// The name by which the load balancer is found.
#[derive(Clone, Debug, PartialEq)]
pub struct Dns {
    pub span: Span,
    /// The hosted zone's name.
    pub zone: Placed<String>,
    /// The zone's name, or one within it.
    pub name: Placed<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    pub key: Placed<String>,
    pub name: Named,
    pub protect: bool,
    pub port: Placed<u16>,
    pub count: Placed<u32>,
    pub min_count: Placed<u32>,
    pub max_count: Option<Placed<u32>>,
    pub ami: Placed<Ami>,
    pub instance_type: Placed<String>,
    pub subnets: Names,
    pub security_groups: Names,
    pub key_name: Option<Placed<String>>,
    /// None: as the subnet is public or not.
    pub associate_public_ip: Option<bool>,
    pub root_volume: RootVolume,
    pub health_check: HealthCheck,
    pub rolling: Rolling,
    /// In seconds.
    pub deregistration_delay: u32,
    pub uses: Vec<Placed<Use>>,
    pub routes: Vec<Route>,
    /// The major version of Node.
    pub node: u32,
    /// Without one, the image has to bring what runs.
    pub artifact: Option<Artifact>,
    pub process: Process,
}

/// What the machines run, and its checksum.
#[derive(Clone, Debug, PartialEq)]
pub struct Artifact {
    pub span: Span,
    pub source: Source,
    /// Where in it the service lies; empty at its top.
    pub directory: String,
    /// Which of its keys the file says: `check` tells whether they go together.
    pub keys: Vec<&'static str>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    S3 { url: String, sha256: String },
    Git { url: String, reference: String, commit: String },
}

/// How PM2 runs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Process {
    pub script: String,
    pub workers: Placed<u32>,
    /// In MB, for each worker.
    pub max_memory: Placed<u32>,
    pub log_dir: String,
    /// The service's own port once more, if the file repeats it.
    pub port: Option<Placed<u16>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Ami {
    Id(String),
    /// The SSM parameter that names it.
    Ssm(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct RootVolume {
    /// In GiB.
    pub size: Placed<u32>,
    pub volume_type: String,
    pub encrypted: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct HealthCheck {
    pub path: String,
    pub interval: Placed<u32>,
    pub timeout: Placed<u32>,
    pub healthy_threshold: u32,
    pub unhealthy_threshold: u32,
}

/// How machines are changed while their service serves.
#[derive(Clone, Debug, PartialEq)]
pub struct Rolling {
    pub max_parallel: Placed<u32>,
    /// None: count less one.
    pub min_healthy: Option<Placed<u32>>,
    /// In seconds; with 0 nothing is waited for.
    pub healthy_deadline: u32,
}

/// What a service speaks to, by its key.
#[derive(Clone, Debug, PartialEq)]
pub enum Use {
    Database(String),
    Cache(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    pub priority: Placed<u32>,
    pub path: Placed<String>,
    /// The name of its rule's address.
    pub name: Placed<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Database {
    pub key: Placed<String>,
    pub name: Named,
    pub protect: bool,
    pub engine: String,
    pub engine_version: Placed<String>,
    pub instance_class: Placed<String>,
    /// In GiB.
    pub allocated_storage: Placed<u32>,
    pub storage_type: Placed<String>,
    pub storage_encrypted: bool,
    pub multi_az: bool,
    pub identifier: Placed<String>,
    pub db_name: Placed<String>,
    pub username: String,
    pub port: u16,
    pub backup_retention_period: Placed<u32>,
    pub deletion_protection: bool,
    /// Whether a snapshot is left when it is deleted.
    pub final_snapshot: bool,
    /// Whether changes don't wait for the maintenance window.
    pub apply_immediately: bool,
    /// How many copies take reads.
    pub replicas: Placed<u32>,
    pub replica_instance_class: Placed<String>,
    pub subnets: Names,
    pub security_groups: Names,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Cache {
    pub key: Placed<String>,
    pub name: Named,
    pub protect: bool,
    pub engine: String,
    pub engine_version: Placed<String>,
    pub node_type: Placed<String>,
    pub cluster_id: Placed<String>,
    pub port: u16,
    /// In full: `ap-southeast-1a`.
    pub zone: Placed<String>,
    /// With any, it is a replication group.
    pub replicas: Placed<u32>,
    pub subnets: Names,
    pub security_groups: Names,
}

impl LoadBalancer {
    /// Whether requests without TLS are sent to HTTPS, rather than served.
    pub fn redirects(&self) -> bool {
        self.certificate.is_some() && self.redirect.as_ref().is_none_or(|redirect| **redirect)
    }
}

/// What goes on under another address: blocks with their keys, or single resources.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    pub from: Placed<String>,
    pub to: Placed<String>,
}

impl Topology {
    pub fn subnet(&self, key: &str) -> Option<&Subnet> {
        self.subnets.iter().find(|subnet| *subnet.key == key)
    }

    pub fn security_group(&self, key: &str) -> Option<&SecurityGroup> {
        self.security_groups.iter().find(|group| *group.key == key)
    }

    pub fn service(&self, key: &str) -> Option<&Service> {
        self.services.iter().find(|service| *service.key == key)
    }

    pub fn database(&self, key: &str) -> Option<&Database> {
        self.databases.iter().find(|database| *database.key == key)
    }

    pub fn cache(&self, key: &str) -> Option<&Cache> {
        self.caches.iter().find(|cache| *cache.key == key)
    }

    /// Whether the load balancer sends requests to it: it has routes, or gets what no route claims. Others are
    /// workers, without a target group.
    pub fn is_balanced(&self, service: &Service) -> bool {
        let default = self.load_balancer.as_ref().map(|balancer| balancer.default_service.as_str());
        !service.routes.is_empty() || default == Some(service.key.as_str())
    }

    /// How many of its machines have to be healthy throughout.
    pub fn min_healthy(&self, service: &Service) -> u32 {
        let rolling = &service.rolling;
        let default = service.count.saturating_sub(1);
        rolling.min_healthy.as_ref().map_or(default, |min| **min)
    }

    /// The name of its target group in AWS. A target group's port can't change, and its name stands once: with the
    /// port in the name, the group for a new port is there before the old one goes. So it is with another load balancer,
    /// since a group gets requests from one only; `<topology>-alb` leaves no mark:
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html>
    pub fn target_group_name(&self, service: &Service) -> String {
        let name = format!("{}-{}-{}", *self.name, *service.name, *service.port);
        match &self.load_balancer {
            Some(balancer) if *balancer.name != format!("{}-alb", *self.name) => {
                let mark = digest(balancer.name.as_bytes());
                let room = 31_usize.saturating_sub(name.len()).clamp(1, 4);
                format!("{name}-{}", mark.get(..room).unwrap_or_default())
            }
            _ => name,
        }
    }

    /// Errors that show only when it is known which resources the file asks for.
    pub fn complaint(&self, errors: Vec<Diagnostic>) -> Diagnostics {
        complaint(&self.path, &self.text, errors)
    }

    /// The file's text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The line of the file in which a place stands; the first is 1.
    pub fn line(&self, span: Span) -> usize {
        self.lines.line(span.start)
    }
}

/// What is wrong with the file of this path and text, seen from beyond it.
pub fn complaint(path: &Path, text: &str, errors: Vec<Diagnostic>) -> Diagnostics {
    let mut sink = Sink::default();
    errors.into_iter().for_each(|error| sink.push(error));
    sink.finish(&path.display().to_string(), text)
}
