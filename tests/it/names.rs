//! What the file may say, against AWS's own service models: whatever it takes, they take, and the words in which they put
//! the rest are those that our rules were made from.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::Stdio;

use ecdeploy::desired::{Desired, desired};
use ecdeploy::topology;
use serde_json::{Value, json};

use crate::venv;

const DRAWN: &str = include_str!("../../topology.toml");

/// What of a body goes into which member of which call: kind, field, service, operation, member.
const SENT: &[[&str; 5]] = &[
    ["vpc", "cidr_block", "ec2", "CreateVpc", "CidrBlock"],
    ["security_group", "name", "ec2", "CreateSecurityGroup", "GroupName"],
    ["security_group", "description", "ec2", "CreateSecurityGroup", "Description"],
    ["load_balancer", "name", "elbv2", "CreateLoadBalancer", "Name"],
    ["target_group", "name", "elbv2", "CreateTargetGroup", "Name"],
    ["target_group", "port", "elbv2", "CreateTargetGroup", "Port"],
    ["target_group", "health_check_path", "elbv2", "CreateTargetGroup", "HealthCheckPath"],
    [
        "target_group",
        "health_check_interval",
        "elbv2",
        "CreateTargetGroup",
        "HealthCheckIntervalSeconds",
    ],
    [
        "target_group",
        "health_check_timeout",
        "elbv2",
        "CreateTargetGroup",
        "HealthCheckTimeoutSeconds",
    ],
    ["target_group", "healthy_threshold", "elbv2", "CreateTargetGroup", "HealthyThresholdCount"],
    [
        "target_group",
        "unhealthy_threshold",
        "elbv2",
        "CreateTargetGroup",
        "UnhealthyThresholdCount",
    ],
    ["listener", "port", "elbv2", "CreateListener", "Port"],
    ["listener_rule", "priority", "elbv2", "CreateRule", "Priority"],
    ["iam_role", "name", "iam", "CreateRole", "RoleName"],
    ["iam_role", "path", "iam", "CreateRole", "Path"],
    ["instance_profile", "name", "iam", "CreateInstanceProfile", "InstanceProfileName"],
    ["instance_profile", "path", "iam", "CreateInstanceProfile", "Path"],
    ["ssm_parameter", "name", "ssm", "PutParameter", "Name"],
    ["secret", "name", "secretsmanager", "CreateSecret", "Name"],
    ["secret", "description", "secretsmanager", "CreateSecret", "Description"],
];

/// What the models say in words alone, and our rules have from them.
const WORDS: &[[&str; 4]] = &[
    ["ec2", "CreateSecurityGroup", "GroupName", "Up to 255 characters in length"],
    ["ec2", "CreateSecurityGroup", "GroupName", "Can't start with sg-"],
    ["ec2", "CreateSecurityGroup", "GroupName", "a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*"],
    ["ec2", "CreateSecurityGroup", "GroupName", "Names are case-insensitive and must be unique"],
    ["ec2", "CreateSecurityGroup", "Description", "Up to 255 characters in length"],
    [
        "ec2",
        "CreateSecurityGroup",
        "Description",
        "a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*",
    ],
    ["elbv2", "CreateLoadBalancer", "Name", "a maximum of 32 characters"],
    ["elbv2", "CreateLoadBalancer", "Name", "must not begin or end with a hyphen"],
    ["elbv2", "CreateLoadBalancer", "Name", "must not begin with \"internal-\""],
    ["elbv2", "CreateTargetGroup", "Name", "a maximum of 32 characters"],
    [
        "rds",
        "CreateDBInstance",
        "DBInstanceIdentifier",
        "from 1 to 63 letters, numbers, or hyphens",
    ],
    ["rds", "CreateDBInstance", "DBInstanceIdentifier", "First character must be a letter"],
    ["rds", "CreateDBInstance", "DBInstanceIdentifier", "two consecutive hyphens"],
    ["rds", "CreateDBInstance", "DBName", "Must contain 1 to 63 letters, numbers, or underscores"],
    ["rds", "CreateDBInstance", "MasterUsername", "1 to 16 letters, numbers, or underscores"],
    ["rds", "CreateDBInstance", "BackupRetentionPeriod", "from 0 to 35"],
    ["rds", "CreateDBInstance", "Port", "1150-65535"],
    ["rds", "DeleteDBInstance", "FinalDBSnapshotIdentifier", "1 to 255 letters or numbers"],
    ["elasticache", "CreateCacheCluster", "CacheClusterId", "from 1 to 50 alphanumeric characters"],
    ["elasticache", "CreateReplicationGroup", "ReplicationGroupId", "from 1 to 40 alphanumeric"],
];

/// The models' complaints.
fn complaints(values: &BTreeSet<String>, words: &[[&str; 4]]) -> String {
    let values: Vec<Value> =
        values.iter().map(|text| serde_json::from_str(text).expect("JSON")).collect();
    let mut check = venv::script("models.py");
    let mut check = check.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("models.py");
    let asked = json!({"values": values, "words": words}).to_string();
    let mut input = check.stdin.take().expect("its input");
    input.write_all(asked.as_bytes()).expect("it reads");
    drop(input);
    let answer = check.wait_with_output().expect("its answer");
    assert!(answer.status.success());
    String::from_utf8(answer.stdout).expect("text")
}

/// The drawn file with `from` in it replaced, if that is one that `validate` passes.
fn accepted(from: &str, to: &str) -> Option<Desired> {
    assert!(DRAWN.contains(from), "`{from}` in the drawn file");
    let topology = topology::parse("topology.toml", &DRAWN.replacen(from, to, 1), &[]).ok()?;
    let desired = desired(&topology);
    ecdeploy::desired::check(&topology, &desired).ok()?;
    Some(desired)
}

/// Each value that a topology sends, as JSON.
fn sent(desired: &Desired) -> impl Iterator<Item = String> {
    desired.resources.iter().flat_map(|(address, body)| {
        let members = SENT.iter().filter(move |[kind, ..]| *kind == address.kind());
        members.filter_map(|[_, field, service, operation, member]| {
            let value = body.get(*field).filter(|value| !value.is_null())?;
            Some(json!([service, operation, member, value]).to_string())
        })
    })
}

/// Texts of many lengths, and each character there is by itself, at the begin, within and at the end.
fn texts(begin: &str) -> Vec<String> {
    let lengths =
        (1..=40).chain([60, 61, 62, 63, 64, 65, 127, 128, 129, 254, 255, 256, 1023, 1024, 1025]);
    let long = lengths.map(|n| format!("{begin}{}", "a".repeat(n)));
    let odd = ('\u{20}'..='\u{7e}').chain(['\t', 'ä', '\u{a0}', '漢']).flat_map(|c| {
        [
            format!("{begin}{c}"),
            format!("{begin}{c}a"),
            format!("{begin}a{c}a"),
            format!("{begin}a{c}"),
        ]
    });
    long.chain(odd).collect()
}

/// As it stands in TOML.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("JSON")
}

#[test]
fn what_the_file_takes_the_models_take() {
    let mut values: BTreeSet<String> = BTreeSet::new();
    let mut taken = BTreeSet::new();
    type Edit = fn(&str) -> String;
    let sites: [(&str, &str, Edit); 8] = [
        ("name    = \"ecommerce\"", "", |text| format!("name = {}", quoted(text))),
        ("name    = \"ALB-SG\"", "", |text| format!("name = {}", quoted(text))),
        ("name    = \"ALB-SG\"", "", |text| {
            format!("name = \"ALB-SG\"\ndescription = {}", quoted(text))
        }),
        ("name            = \"ecommerce-alb\"", "", |text| format!("name = {}", quoted(text))),
        ("path = \"/api/users/*\"", "/", |text| format!("path = {}", quoted(text))),
        ("health_check = { path = \"/\" }", "/", |text| {
            format!("health_check = {{ path = {} }}", quoted(text))
        }),
        ("[service.gateway]\n", "", |text| format!("[service.gateway]\nname = {}\n", quoted(text))),
        ("[database.user]\n", "", |text| {
            format!("[database.user]\nreplicas = 1\nidentifier = {}\n", quoted(text))
        }),
    ];
    for (n, (from, begin, edit)) in sites.iter().enumerate() {
        for text in texts(begin) {
            if let Some(desired) = accepted(from, &edit(&text)) {
                taken.insert(n);
                values.extend(sent(&desired));
            }
        }
    }
    assert_eq!(taken.len(), sites.len(), "each place takes some of the texts");
    assert!(values.len() > 500, "{}", values.len());
    assert_eq!(complaints(&values, &[]), "");
}

/// Ranges are the models': both ends pass, and what lies beyond does not.
#[test]
fn a_number_that_the_models_refuse_the_file_refuses() {
    for (from, key, least, most) in [
        ("priority = 1,", "priority = ", 1, 50000),
        ("port      = 3001", "port = ", 1, 65535),
        ("interval = 30", "interval = ", 5, 300),
        ("timeout = 5", "timeout = ", 2, 120),
        ("unhealthy_threshold = 3", "unhealthy_threshold = ", 2, 10),
    ] {
        let tail = if from.ends_with(',') { "," } else { "" };
        let passes = |value: i64| {
            let text = DRAWN.replacen(from, &format!("{key}{value}{tail}"), 1);
            // A timeout that is longer than its interval is refused too, but that is no matter of ranges.
            match topology::parse("topology.toml", &text, &[]) {
                Ok(_) => true,
                Err(errors) => {
                    !errors.errors().iter().any(|one| one.label.starts_with("it can be"))
                }
            }
        };
        assert!(passes(least) && passes(most), "{key}{least} to {most}");
        assert!(!passes(least - 1) && !passes(most + 1), "{key} beyond");
    }
}

#[test]
fn the_models_say_what_our_rules_are_made_from() {
    assert_eq!(complaints(&BTreeSet::new(), WORDS), "");
}

#[test]
fn the_models_do_refuse() {
    let wrong = [
        json!(["iam", "CreateRole", "RoleName", "a b"]),
        json!(["iam", "CreateRole", "RoleName", "a".repeat(65)]),
        json!(["elbv2", "CreateRule", "Priority", 50001]),
    ];
    let said = complaints(
        &wrong.iter().map(Value::to_string).collect(),
        &[["elbv2", "CreateLoadBalancer", "Name", "a maximum of 33 characters"]],
    );
    assert_eq!(said.lines().count(), 4, "{said}");
}
