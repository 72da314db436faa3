//! Each kind in Terraform's words.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Export, export};
use crate::kinds::terraform::Argument;
use crate::kinds::{Live, REGISTRY};
use crate::model::{
    ADDRESS, APPLIED, Address, Body, Duty, Fingerprint, NAME, PROTECTED, Schema, Status, TOPOLOGY,
    Tags, reference, set_aside,
};
use crate::snapshot::{Resource, Snapshot};

/// A snapshot of these: address, id, body.
fn snapshot(all: &[(&str, &str, Value)]) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for (address, id, body) in all {
        let address: Address = address.parse().unwrap();
        let body: Body = serde_json::from_value(body.clone()).unwrap();
        let tags: Tags = [
            (TOPOLOGY, "shop".to_owned()),
            (ADDRESS, address.to_string()),
            (APPLIED, "1:abcdef".to_owned()),
            (NAME, format!("shop-{}", address.name())),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
        let live = Live {
            id: (*id).to_owned(),
            outputs: BTreeMap::new(),
            body: with_ids(&body, all),
            tags: tags.clone(),
        };
        let resource = Resource {
            address: address.clone(),
            body,
            applied: Fingerprint::default(),
            tags,
            status: Status::Ready,
            maintenance: None,
            duty: Duty::default(),
            live,
        };
        snapshot.resources.insert(address, resource);
    }
    snapshot
}

/// The body as AWS has it.
fn with_ids(body: &Body, all: &[(&str, &str, Value)]) -> Body {
    let id = |named: &Value| {
        let (_, id, _) = all.iter().find(|(address, ..)| named["$ref"] == **address)?;
        Some(Value::from(*id))
    };
    body.iter()
        .map(|(name, value)| (name.clone(), id(value).unwrap_or_else(|| value.clone())))
        .collect()
}

fn to(address: &str) -> Value {
    reference(&address.parse().unwrap())
}

fn written(snapshot: &Snapshot) -> Export {
    export(snapshot, "123456789012", "ap-southeast-1")
}

fn text(all: &[(&str, &str, Value)]) -> String {
    let files = written(&snapshot(all)).files.into_iter();
    let files = files.filter(|file| file.name != "providers.tf");
    files.map(|file| format!("# {}\n{}", file.name, file.text)).collect::<Vec<_>>().join("\n")
}

macro_rules! looks_like {
    ($name:literal, $all:expr) => {
        insta::with_settings!({ omit_expression => true }, {
            insta::assert_snapshot!($name, text(&$all));
        });
    };
}

#[test]
fn a_network() {
    looks_like!(
        "network",
        [
            (
                "vpc.main",
                "vpc-1",
                json!({
                    "cidr_block": "10.0.0.0/16", "enable_dns_support": true, "enable_dns_hostnames": true,
                })
            ),
            ("internet_gateway.main", "igw-1", json!({"vpc": to("vpc.main")})),
            (
                "route_table.public",
                "rtb-1",
                json!({"vpc": to("vpc.main"), "routes": [
                    {"destination": "0.0.0.0/0", "gateway": to("internet_gateway.main")},
                    {"destination": "2001:db8::/32", "gateway": "pcx-9"},
                    {"destination": "pl-9", "gateway": "nat-9"},
                ]})
            ),
            ("route_table.private", "rtb-2", json!({"vpc": to("vpc.main"), "routes": []})),
            (
                "subnet.public-1",
                "subnet-1",
                json!({
                    "vpc": to("vpc.main"), "cidr_block": "10.0.1.0/24", "availability_zone": "ap-southeast-1a",
                    "map_public_ip_on_launch": true, "route_table": to("route_table.public"),
                })
            ),
            (
                "subnet.lone",
                "subnet-2",
                json!({
                    "vpc": "vpc-9", "cidr_block": "10.0.2.0/24", "availability_zone": "ap-southeast-1b",
                    "map_public_ip_on_launch": false, "route_table": null,
                })
            ),
        ]
    );
}

#[test]
fn groups_that_name_each_other_in_a_circle() {
    looks_like!(
        "security_groups",
        [
            (
                "security_group.a",
                "sg-1",
                json!({"vpc": "vpc-1", "name": "A", "description": "a", "ingress": [
            {"protocol": "tcp", "ports": "443", "peer": "0.0.0.0/0", "id": "sgr-1"},
            {"protocol": "tcp", "ports": "8000-8010", "peer": to("security_group.b"), "id": "sgr-2"},
            {"protocol": "icmp", "ports": "-1", "peer": "::/0", "id": "sgr-3", "description": "by ${hand}"},
            {"protocol": "udp", "ports": "53", "peer": "sg-9", "id": "sgr-4"},
        ], "egress": [{"protocol": "all", "peer": "pl-1", "id": "sgr-5"}]})
            ),
            (
                "security_group.b",
                "sg-2",
                json!({"vpc": "vpc-1", "name": "B", "description": "b", "ingress": [
            {"protocol": "tcp", "ports": "80", "peer": to("security_group.a"), "id": "sgr-6"},
        ], "egress": []})
            ),
        ]
    );
}

#[test]
fn a_way_in() {
    looks_like!(
        "way_in",
        [
            (
                "target_group.user",
                "arn:user",
                json!({
                    "vpc": "vpc-1", "name": "shop-user-3001", "port": 3001, "protocol": "HTTP", "health_check_path": "/health",
                    "health_check_interval": 30, "health_check_timeout": 5, "healthy_threshold": 2,
                    "unhealthy_threshold": 3, "health_check_matcher": "200", "deregistration_delay": 30,
                })
            ),
            ("target_group.next", "arn:next", json!({"name": "shop-next-3001"})),
            (
                "load_balancer.main",
                "arn:lb",
                json!({
                    "name": "shop-alb", "scheme": "internet-facing", "subnets": ["subnet-1"], "security_groups": ["sg-1"],
                })
            ),
            (
                "listener.http",
                "arn:http",
                json!({
                    "load_balancer": to("load_balancer.main"), "port": 80, "protocol": "HTTP", "certificate": null,
                    "ssl_policy": null, "redirect_to_https": true, "default_target_group": null, "standby_target_group": null,
                })
            ),
            (
                "listener.https",
                "arn:https",
                json!({
                    "load_balancer": to("load_balancer.main"), "port": 443, "protocol": "HTTPS", "certificate": "arn:cert",
                    "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", "redirect_to_https": false,
                    "default_target_group": to("target_group.user"), "standby_target_group": null,
                })
            ),
            (
                "listener_rule.user-1",
                "arn:rule",
                json!({
                    "listener": to("listener.https"), "priority": 1, "paths": ["/api/users/*"],
                    "target_group": to("target_group.user"), "standby_target_group": to("target_group.next"),
                })
            ),
            (
                "record.shop.example.com",
                "Z1_shop.example.com_A",
                json!({
                    "zone": "Z1", "zone_name": "example.com", "name": "shop.example.com", "type": "A",
                    "alias_dns_name": {"$ref": "load_balancer.main", "output": "dns_name"},
                    "alias_zone_id": {"$ref": "load_balancer.main", "output": "zone_id"},
                })
            ),
        ]
    );
}

#[test]
fn a_service() {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue",
         "Resource": [{"$ref": "db_instance.user", "output": "secret_arn"}], "Condition": {"StringEquals": {"aws:a": "b"}}},
    ]});
    let mut texts = BTreeMap::new();
    let script = set_aside("#cloud-config\necho ${PATH}\n", &mut texts);
    let machine = |n: u32| {
        json!({
            "ami": "ami-1", "instance_type": "t3.small", "subnet": "subnet-1", "security_groups": ["sg-1", "sg-2"],
            "associate_public_ip_address": true, "key_name": null, "instance_profile": to("instance_profile.user"),
            "metadata_http_tokens": "required", "root_volume_size": 8, "root_volume_type": "gp3",
            "root_volume_encrypted": true, "running": true, "user_data": script, "target_group": "arn:user",
            "root_volume_tags": {"Name": format!("shop-user-{n}"), "ecdeploy:topology": "shop", "aws:a": "b"},
        })
    };
    let mut known = snapshot(&[
        ("db_instance.user", "shop-user-db", json!({"identifier": "shop-user-db"})),
        (
            "iam_role.user",
            "shop-user",
            json!({
                "name": "shop-user", "path": "/ecdeploy/ap-southeast-1/shop/", "assume_role_policy": {"Version": "2012-10-17"},
                "policy": {"Statement": []}, "secret_policy": policy,
                "other_policies": ["arn:aws:iam::aws:policy/ReadOnlyAccess", "by-hand"],
            }),
        ),
        (
            "instance_profile.user",
            "arn:profile",
            json!({
                "name": "shop-user", "path": "/ecdeploy/ap-southeast-1/shop/", "role": to("iam_role.user"),
            }),
        ),
        ("instance.user-1", "i-1", machine(1)),
        ("instance.user-2", "i-2", machine(2)),
        (
            "ssm_parameter.user/DATABASE_HOST",
            "/shop/user/DATABASE_HOST",
            json!({
                "name": "/shop/user/DATABASE_HOST", "type": "String",
                "value": {"$ref": "db_instance.user", "output": "endpoint"},
            }),
        ),
        (
            "ssm_parameter.user/HOSTS",
            "/shop/user/HOSTS",
            json!({
                "name": "/shop/user/HOSTS", "type": "StringList",
                "value": [{"$ref": "db_instance.user", "output": "endpoint"}, "b"],
            }),
        ),
    ]);
    known.texts = texts;
    let machine = known.resources.get_mut(&Address::new("instance", "user-1")).unwrap();
    machine.tags.insert(PROTECTED.to_owned(), "true".to_owned());
    let written = written(&known);
    assert_eq!((written.imports, written.others), (10, 2));
    let files = written.files.into_iter().filter(|file| file.name != "imports.tf");
    let files: Vec<_> = files.map(|file| format!("# {}\n{}", file.name, file.text)).collect();
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!("service", files.join("\n"));
    });
}

#[test]
fn stores() {
    let database = |source: Value| {
        json!({
            "identifier": "shop-user-db", "engine": "postgres", "engine_version": "16.8", "instance_class": "db.t3.micro",
            "allocated_storage": 20, "storage_type": "gp3", "storage_encrypted": true, "multi_az": true,
            "publicly_accessible": false, "port": 5432, "db_name": "user", "master_username": "app",
            "manage_master_user_password": true, "master_user_secret": null, "backup_retention_period": 7,
            "deletion_protection": true, "source": source, "subnet_group": to("db_subnet_group.main"),
            "security_groups": ["sg-1"], "apply_immediately": false,
        })
    };
    let mut own = database(Value::Null);
    own["manage_master_user_password"] = false.into();
    own["master_user_secret"] = to("secret.own");
    own["apply_immediately"] = true.into();
    looks_like!(
        "stores",
        [
            (
                "db_subnet_group.main",
                "shop-main",
                json!({
                    "name": "shop-main", "description": "Databases of shop", "subnets": ["subnet-1", "subnet-2"],
                })
            ),
            ("db_instance.user", "shop-user-db", database(Value::Null)),
            ("db_instance.own", "shop-own-db", own),
            ("db_instance.own/replica-1", "shop-own-db-replica-1", database(to("db_instance.own"))),
            (
                "secret.own",
                "arn:secret",
                json!({"name": "shop-own-db/master", "description": "Password", "username": "app"})
            ),
            (
                "cache_subnet_group.redis",
                "shop-redis",
                json!({
                    "name": "shop-redis", "description": "Cache redis of shop", "subnets": ["subnet-1"],
                })
            ),
            (
                "cache_cluster.redis",
                "shop-redis",
                json!({
                    "cluster_id": "shop-redis", "engine": "redis", "engine_version": "7.1.0", "node_type": "cache.t3.micro",
                    "num_cache_nodes": 1, "availability_zone": "ap-southeast-1a", "port": 6379,
                    "subnet_group": to("cache_subnet_group.redis"), "security_groups": ["sg-1"],
                })
            ),
            (
                "replication_group.sessions",
                "shop-sessions-rg",
                json!({
                    "replication_group_id": "shop-sessions-rg", "description": "Cache", "engine": "redis", "engine_version": "5.0.6",
                    "node_type": "cache.t3.micro", "num_cache_clusters": 2, "automatic_failover": true, "multi_az": true,
                    "port": 6379, "subnet_group": to("cache_subnet_group.redis"), "security_groups": ["sg-1"],
                })
            ),
        ]
    );
}

#[test]
fn providers_know_the_account_and_leave_our_tags_alone() {
    let written = written(&Snapshot::default());
    let [file] = &written.files[..] else { panic!("an empty account has no resources") };
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!("providers", file.text);
    });
}

/// What a mapping speaks of.
fn spoken_of(arguments: &'static [Argument]) -> impl Iterator<Item = &'static str> {
    arguments.iter().flat_map(|argument| match argument {
        Argument::Field(_, field) | Argument::Document(_, field) => vec![*field],
        Argument::Made(_, fields, _) => fields.to_vec(),
        Argument::Always(..) | Argument::Tags => Vec::new(),
    })
}

#[test]
fn every_field_and_every_output_of_every_kind_has_its_place() {
    for kind in REGISTRY {
        let (schema, terraform): (&Schema, _) = (kind.schema(), kind.terraform());
        let fields: BTreeSet<&str> = schema.fields.iter().map(|field| field.name).collect();
        let beside = terraform.beside.iter().copied();
        let known: Vec<&str> = spoken_of(terraform.arguments).chain(beside).collect();
        assert_eq!(fields, known.iter().copied().collect(), "fields of {}", schema.kind);
        assert_eq!(fields.len(), known.len(), "a field of {} has two places", schema.kind);
        let outputs: BTreeSet<&str> = schema.outputs.iter().map(|(name, _)| *name).collect();
        let known = terraform.outputs.iter().map(|(name, _)| *name).collect();
        assert_eq!(outputs, known, "outputs of {}", schema.kind);
        assert!(terraform.resource.starts_with("aws_"), "{}", terraform.resource);
    }
}

#[test]
fn every_kind_is_in_a_snapshot() {
    let seen = [
        include_str!("snapshots/ecdeploy__export__tests__network.snap"),
        include_str!("snapshots/ecdeploy__export__tests__security_groups.snap"),
        include_str!("snapshots/ecdeploy__export__tests__way_in.snap"),
        include_str!("snapshots/ecdeploy__export__tests__service.snap"),
        include_str!("snapshots/ecdeploy__export__tests__stores.snap"),
    ];
    for kind in REGISTRY {
        let head = format!("resource \"{}\"", kind.terraform().resource);
        assert!(seen.iter().any(|text| text.contains(&head)), "{head}");
    }
}
