//! What a machine is told at its birth: the script that sets it up, rendered from its service's block.

mod settings;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use serde_json::Value;

pub use settings::{Setting, secret, settings};

use crate::topology::{Service, Source, Topology, Use, partition};

/// What EC2 takes, before base64:
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html>
pub const LIMIT: usize = 16 * 1024;

const SCRIPT: &str = include_str!("boot.sh");
/// What runs the script: cloud-init runs a command once, and would not take up what was cut short.
const SETUP: &str = include_str!("setup.service");
/// The line of the script in whose place the values stand: nothing else in it depends on the file.
const PLACE: &str = "@SETTINGS@";
/// The PM2 that `tests/it/boot` runs.
const PM2: &str = "7.0.4";
/// The AWS CLI for those who have no package of it; run there, too.
const AWS: &str = "1.46.3";

/// The user data of the service's machines: cloud-config that puts the script into its place and has systemd run it. None
/// where the service has no artifact, and its image brings what runs.
pub fn user_data(topology: &Topology, service: &Service) -> Option<String> {
    let script = script(topology, service)?;
    let boot = format!("/opt/{}/bin/boot", *topology.name);
    let unit = format!("{}-{}", *topology.name, *service.name);
    let setup = SETUP.replace("@UNIT@", &unit).replace("@BOOT@", &boot);
    let unit = format!("{unit}-setup.service");
    let mut config = String::from("#cloud-config\nwrite_files:\n");
    write_file(&mut config, &boot, "0755", &script);
    write_file(&mut config, &format!("/etc/systemd/system/{unit}"), "0644", &setup);
    let command = Value::from(vec!["systemctl", "enable", "--now", "--no-block", &unit]);
    let _ = write!(config, "runcmd:\n- {command}\n");
    Some(config)
}

fn write_file(config: &mut String, path: &str, permissions: &str, content: &str) {
    // JSON's strings are YAML's too.
    let path = Value::from(path);
    let _ = write!(config, "- path: {path}\n  permissions: '{permissions}'\n  content: |\n");
    for line in content.lines() {
        // A bare line may stand without the block's indentation, which only has to be deeper than `content`.
        let indent = if line.is_empty() { "" } else { "   " };
        let _ = writeln!(config, "{indent}{line}");
    }
}

/// The script that sets a machine up.
fn script(topology: &Topology, service: &Service) -> Option<String> {
    let artifact = service.artifact.as_ref()?;
    let (mut s3, mut sha256, mut git, mut reference, mut commit) = ("", "", "", "", "");
    match &artifact.source {
        Source::S3 { url, sha256: sum } => (s3, sha256) = (url, sum),
        Source::Git { url, reference: name, commit: sum } => {
            (git, reference, commit) = (url, name, sum);
        }
    }
    let process = &service.process;
    let awaited: Vec<String> = settings(topology, service)
        .into_iter()
        .filter_map(|setting| setting.awaited.then_some(setting.name))
        .collect();
    let values: &[(&str, &str)] = &[
        ("TOPOLOGY", &topology.name),
        ("SERVICE", &service.name),
        ("REGION", &topology.region),
        ("PORT", &service.port.to_string()),
        ("NODE", &service.node.to_string()),
        ("PM2", PM2),
        ("AWS", AWS),
        ("WORKERS", &process.workers.to_string()),
        ("MAX_MEMORY", &process.max_memory.to_string()),
        ("SCRIPT", &process.script),
        ("LOG_DIR", &process.log_dir),
        ("WANTED", &awaited.join(" ")),
        ("AUTHORITIES", authorities(topology, service)),
        ("ARTIFACT_S3", s3),
        ("ARTIFACT_SHA256", sha256),
        ("ARTIFACT_GIT", git),
        ("ARTIFACT_REF", reference),
        ("ARTIFACT_COMMIT", commit),
        ("DIRECTORY", &artifact.directory),
    ];
    let mut assignments = String::new();
    for (name, value) in values {
        let _ = writeln!(assignments, "{name}={}", quoted(value));
    }
    Some(SCRIPT.replacen(PLACE, assignments.trim_end(), 1))
}

/// Those that vouch for the databases it uses: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html>,
/// and the same page of docs.amazonaws.cn.
fn authorities(topology: &Topology, service: &Service) -> &'static str {
    if !service.uses.iter().any(|used| matches!(used.value, Use::Database(_))) {
        return "";
    }
    match partition(&topology.region) {
        "aws-cn" => {
            "https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/global/global-bundle.pem"
        }
        "aws-us-gov" => {
            "https://truststore.pki.us-gov-west-1.rds.amazonaws.com/global/global-bundle.pem"
        }
        _ => "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem",
    }
}

/// One word of a shell's line, whatever it holds.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}
