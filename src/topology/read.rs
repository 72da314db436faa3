//! The tree of a file -> `Topology`. What is missing or wrong was reported before: here something harmless stands in
//! for it, at a place the checks know to be spoilt.

use super::block::{Block, number};
use super::diagnostic::{Placed, Span};
use super::tree::{Item, Table};
use super::types::*;
use super::{policy, text};

const PROTECT: &str = "protect";

pub fn topology(root: &Table) -> Topology {
    let file = Block { span: Span::default(), own: Some(root), defaults: None };
    let (name, region) = (file.text("name"), file.text("region"));
    let moved: Vec<Moved> = file.tables("moved").map(moved).collect();
    let called = |kinds: &[&str], key: &Placed<String>, block: Block<'_>| match block.get("name") {
        Some(_) => block.text("name"),
        None => former(&moved, kinds, key).unwrap_or_else(|| key.clone()),
    };
    Topology {
        vpc: vpc(file.block("vpc")),
        subnets: named(root, "subnet", |key, block| subnet(key, block, &region)),
        security_groups: named(root, "security_group", |key, block| {
            security_group(&called(&["security_group"], &key, block), key, block, &name)
        }),
        load_balancer: root
            .get("load_balancer")
            .map(|_| load_balancer(file.block("load_balancer"))),
        dns: root.get("dns").map(|_| dns(file.block("dns"))),
        services: named(root, "service", |key, block| {
            service(called(&["service"], &key, block), key, block, &name)
        }),
        databases: named(root, "database", |key, block| {
            database(called(&["database", "db_instance"], &key, block), key, block, &name)
        }),
        caches: named(root, "cache", |key, block| {
            cache(called(&["cache"], &key, block), key, block, &name, &region)
        }),
        moved,
        policy: policy::policy(file.block("policy")),
        account: file.text("account"),
        name,
        region,
        ..Topology::default()
    }
}

/// The key that what stands here had before, where a `[[moved]]` block says so.
fn former(moved: &[Moved], kinds: &[&str], key: &str) -> Option<Named> {
    let here = |address: &str| {
        address.split_once('.').is_some_and(|(kind, name)| kinds.contains(&kind) && name == key)
    };
    let from = &moved.iter().find(|moved| here(&moved.to))?.from;
    let (_, former) = from.split_once('.')?;
    text::key(former).ok()?;
    Some(Placed::new(former.to_owned(), from.span))
}

fn named<T>(root: &Table, kind: &str, read: impl Fn(Placed<String>, Block<'_>) -> T) -> Vec<T> {
    let defaults = root.table("defaults").and_then(|defaults| defaults.table(kind));
    let entries = root.table(kind).map(Table::entries).unwrap_or_default();
    let block = |entry| Block { defaults, ..Block::of(entry) };
    entries.iter().map(|entry| read(entry.key.clone(), block(entry))).collect()
}

fn vpc(block: Block<'_>) -> Vpc {
    Vpc {
        span: block.span,
        protect: block.flag_or(PROTECT, false),
        cidr_block: block.parsed("cidr_block"),
        enable_dns_support: block.flag_or("enable_dns_support", true),
        enable_dns_hostnames: block.flag_or("enable_dns_hostnames", true),
    }
}

fn subnet(key: Placed<String>, block: Block<'_>, region: &str) -> Subnet {
    Subnet {
        key,
        protect: block.flag_or(PROTECT, false),
        cidr_block: block.parsed("cidr_block"),
        zone: zone(block, region),
        public: block.flag_or("public", false),
    }
}

fn zone(block: Block<'_>, region: &str) -> Placed<String> {
    let zone = block.text("zone");
    let full = if zone.len() == 1 { format!("{region}{}", *zone) } else { zone.value };
    Placed::new(full, zone.span)
}

fn security_group(
    called: &Named,
    key: Placed<String>,
    block: Block<'_>,
    topology: &str,
) -> SecurityGroup {
    let name = block.text_or("name", &format!("{topology}-{}", **called));
    let description = block.text_or("description", &format!("{} of {topology}", *name));
    let egress = match block.get("egress") {
        Some(_) => rules(block, "egress", "to"),
        None => vec![everything(block.span)],
    };
    SecurityGroup {
        protect: block.flag_or(PROTECT, false),
        ingress: rules(block, "ingress", "from"),
        egress,
        key,
        name,
        description,
    }
}

fn rules(block: Block<'_>, list: &str, side: &str) -> Vec<Rule> {
    block.tables(list).map(|block| rule(block, side)).collect()
}

fn rule(block: Block<'_>, side: &str) -> Rule {
    let peer = block.text(side);
    let port = block.get("port").and_then(number).map(|port| (port, port));
    let range = || block.get("ports").and_then(Item::text).and_then(text::port_range);
    let meant = match peer.parse() {
        Ok(cidr) => Peer::Block(cidr),
        Err(_) => Peer::Group(peer.value),
    };
    Rule {
        span: block.span,
        protocol: block.text_or("protocol", "tcp").value,
        ports: port.or_else(range),
        peer: Placed::new(meant, peer.span),
    }
}

/// The rule that a new group has: everything may go out.
fn everything(span: Span) -> Rule {
    let peer = Placed::new(Peer::Block(ipnet::Ipv4Net::default()), span);
    Rule { span, protocol: "all".to_owned(), ports: None, peer }
}

fn load_balancer(block: Block<'_>) -> LoadBalancer {
    LoadBalancer {
        span: block.span,
        protect: block.flag_or(PROTECT, false),
        name: block.text("name"),
        scheme: block.text_or("scheme", "internet-facing"),
        subnets: block.names("subnets"),
        security_groups: block.names("security_groups"),
        default_service: block.text("default_service"),
        port: block.block("listener").number_or("port", 80),
        certificate: block.get("certificate").map(|_| certificate(block.block("certificate"))),
        certificate_keys: {
            let certificate = block.block("certificate");
            let keys = ["arn", "domain"].into_iter();
            keys.filter(|key| certificate.get(key).is_some()).collect()
        },
        redirect: block.get("redirect").map(|_| block.value_or("redirect", Item::flag, true)),
    }
}

fn certificate(block: Block<'_>) -> Placed<Certificate> {
    let certificate = match block.get("arn") {
        Some(_) => Certificate::Arn(block.text("arn").value),
        None => Certificate::Domain(block.text("domain").value),
    };
    Placed::new(certificate, block.span)
}

fn dns(block: Block<'_>) -> Dns {
    let zone = block.text("zone");
    Dns { span: block.span, name: block.text_or("name", &zone), zone }
}

fn service(name: Named, key: Placed<String>, block: Block<'_>, topology: &str) -> Service {
    let min_count = block.number_or("min_count", 1);
    let volume = block.block("root_volume");
    let health = block.block("health_check");
    let artifact = block.get("artifact").map(|_| artifact(block.block("artifact"), &name));
    Service {
        protect: block.flag_or(PROTECT, false),
        node: block.number_or("node", 22).value,
        artifact,
        process: process(block.block("process"), topology),
        key,
        name,
        port: block.number("port"),
        count: block.number_or("count", *min_count),
        min_count,
        max_count: block.get("max_count").map(|_| block.number("max_count")),
        ami: ami(block),
        instance_type: block.text("instance_type"),
        subnets: block.names("subnets"),
        security_groups: block.names("security_groups"),
        key_name: block.get("key_name").map(|_| block.text("key_name")),
        associate_public_ip: block.get("associate_public_ip").and_then(Item::flag),
        root_volume: RootVolume {
            size: volume.number_or("size", 8),
            volume_type: volume.text_or("type", "gp3").value,
            encrypted: volume.flag_or("encrypted", true),
        },
        health_check: HealthCheck {
            path: health.text_or("path", "/").value,
            interval: health.number_or("interval", 30),
            timeout: health.number_or("timeout", 5),
            healthy_threshold: health.number_or("healthy_threshold", 5).value,
            unhealthy_threshold: health.number_or("unhealthy_threshold", 2).value,
        },
        rolling: rolling(block.block("rolling")),
        deregistration_delay: block.number_or("deregistration_delay", 300).value,
        uses: block.names("uses").value.into_iter().filter_map(uses).collect(),
        routes: block.tables("routes").map(route).collect(),
    }
}

fn ami(block: Block<'_>) -> Placed<Ami> {
    let (named, make): (_, fn(String) -> Ami) = match block.get("ami").and_then(Item::table) {
        Some(_) => (block.block("ami").text("ssm"), Ami::Ssm),
        None => (block.text("ami"), Ami::Id),
    };
    Placed::new(make(named.value), named.span)
}

/// What stands for the service's key in a text that several services share.
const SERVICE: &str = "${service}";

fn artifact(block: Block<'_>, service: &str) -> Artifact {
    let text = |name| block.text_or(name, "").value.replace(SERVICE, service);
    let keys = ["s3", "sha256", "git", "ref", "commit"];
    let keys = keys.into_iter().filter(|key| block.get(key).is_some()).collect::<Vec<_>>();
    Artifact {
        span: block.span,
        source: if keys.contains(&"git") {
            Source::Git { url: text("git"), reference: text("ref"), commit: text("commit") }
        } else {
            Source::S3 { url: text("s3"), sha256: text("sha256") }
        },
        directory: text("directory"),
        keys,
    }
}

fn process(block: Block<'_>, topology: &str) -> Process {
    Process {
        script: block.text_or("script", "server.js").value,
        workers: block.number_or("workers", 2),
        max_memory: block.number_or("max_memory", 300),
        log_dir: block.text_or("log_dir", &format!("/var/log/{topology}")).value,
        port: block.get("port").map(|_| block.number("port")),
    }
}

fn rolling(block: Block<'_>) -> Rolling {
    Rolling {
        max_parallel: block.number_or("max_parallel", 1),
        min_healthy: block.get("min_healthy").map(|_| block.number("min_healthy")),
        healthy_deadline: block.number_or("healthy_deadline", 600).value,
    }
}

fn uses(text: Placed<String>) -> Option<Placed<Use>> {
    let used = match text.split_once('.')? {
        ("database", key) => Use::Database(key.to_owned()),
        ("cache", key) => Use::Cache(key.to_owned()),
        _ => return None,
    };
    Some(Placed::new(used, text.span))
}

fn route(block: Block<'_>) -> Route {
    let path = block.text("path");
    let name = match block.get("name") {
        Some(_) => block.text("name"),
        None => Placed::new(slug(&path), path.span),
    };
    Route { priority: block.number("priority"), path, name }
}

/// `/api/users/*` -> `api-users`.
fn slug(path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    if slug.is_empty() { "all".to_owned() } else { slug }
}

fn database(name: Named, key: Placed<String>, block: Block<'_>, topology: &str) -> Database {
    let protect = block.flag_or(PROTECT, false);
    let instance_class = block.text("instance_class");
    Database {
        protect,
        engine: block.text_or("engine", "postgres").value,
        engine_version: block.text("engine_version"),
        replicas: block.value_or("replicas", few, 0),
        replica_instance_class: match block.get("replica_instance_class") {
            Some(_) => block.text("replica_instance_class"),
            None => instance_class.clone(),
        },
        instance_class,
        allocated_storage: block.number("allocated_storage"),
        storage_type: block.text_or("storage_type", "gp3"),
        storage_encrypted: block.flag_or("storage_encrypted", true),
        multi_az: block.flag_or("multi_az", false),
        identifier: block.text_or("identifier", &format!("{topology}-{}-db", *name)),
        db_name: block.text_or("db_name", &format!("{}_db", name.replace('-', "_"))),
        username: block.text_or("username", "app").value,
        port: block.number_or("port", 5432).value,
        backup_retention_period: block.number_or("backup_retention_period", 7),
        deletion_protection: protect || block.flag_or("deletion_protection", false),
        final_snapshot: block.flag_or("final_snapshot", true),
        apply_immediately: block.flag_or("apply_immediately", false),
        subnets: block.names("subnets"),
        security_groups: block.names("security_groups"),
        key,
        name,
    }
}

fn cache(
    name: Named,
    key: Placed<String>,
    block: Block<'_>,
    topology: &str,
    region: &str,
) -> Cache {
    Cache {
        protect: block.flag_or(PROTECT, false),
        engine: block.text_or("engine", "redis").value,
        engine_version: block.text("engine_version"),
        node_type: block.text("node_type"),
        cluster_id: block.text_or("cluster_id", &format!("{topology}-{}", *name)),
        port: block.number_or("port", 6379).value,
        zone: zone(block, region),
        replicas: block.value_or("replicas", few, 0),
        subnets: block.names("subnets"),
        security_groups: block.names("security_groups"),
        key,
        name,
    }
}

fn moved(block: Block<'_>) -> Moved {
    Moved { from: block.text("from"), to: block.text("to") }
}

/// A number of things that are made one by one, already while the rest of the file is checked. The format has told of
/// more; here they are none.
fn few(item: &Item) -> Option<u32> {
    number(item).filter(|number| *number <= 100)
}
