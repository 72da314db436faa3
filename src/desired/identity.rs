//! Who a service's machines are, what they may read, and what they are told: role, instance profile, parameters.

use serde_json::{Value, json};

use super::{Build, link};
use crate::boot;
use crate::kinds::{iam_role, instance_profile, ssm_parameter};
use crate::topology::{Service, Source, Topology, Use, bucket_and_key, partition};

/// The version of IAM's language.
const VERSION: &str = "2012-10-17";

impl Build<'_> {
    pub(super) fn identity(&mut self, service: &Service) {
        let (topology, region) = (&*self.topology.name, &*self.topology.region);
        let name = iam_role::name(topology, region, &service.name);
        let path = iam_role::path(topology, region);
        let role = iam_role::IamRole {
            name: name.clone(),
            path: path.clone(),
            assume_role_policy: policy(vec![json!({
                "Effect": "Allow",
                "Principal": { "Service": "ec2.amazonaws.com" },
                "Action": "sts:AssumeRole",
            })]),
            policy: policy(statements(self.topology, service)),
            secret_policy: secrets(self.topology, service),
            other_policies: Vec::new(),
        };
        self.add(&iam_role::SCHEMA, &service.key, &role, service.key.span);
        if service.name.span == service.key.span {
            self.named_by_key(&iam_role::SCHEMA, &service.key);
        }
        let role = link(&iam_role::SCHEMA, &service.key);
        let profile = instance_profile::InstanceProfile { name, path, role };
        self.add(&instance_profile::SCHEMA, &service.key, &profile, service.key.span);
        for setting in boot::settings(self.topology, service) {
            let name = format!("{}/{}", *service.key, setting.name);
            let spec = ssm_parameter::SsmParameter {
                name: format!("/{}/{}/{}", *self.topology.name, *service.name, setting.name),
                r#type: ssm_parameter::type_of(&setting.value).to_owned(),
                value: setting.value,
            };
            self.add(&ssm_parameter::SCHEMA, &name, &spec, service.key.span);
        }
    }
}

fn policy(statements: Vec<Value>) -> Value {
    json!({ "Version": VERSION, "Statement": statements })
}

fn allow(id: &str, action: &str, resource: &Value) -> Value {
    json!({ "Sid": id, "Effect": "Allow", "Action": action, "Resource": resource })
}

/// Its settings and its artifact. No key of KMS: secrets and buckets that AWS's own keys encrypt need none,
/// and a customer's own are not supported.
fn statements(topology: &Topology, service: &Service) -> Vec<Value> {
    let partition = partition(&topology.region);
    let settings = format!(
        "arn:{partition}:ssm:{}:{}:parameter/{}/{}",
        *topology.region, *topology.account, *topology.name, *service.name
    );
    let mut statements = vec![allow("Settings", "ssm:GetParametersByPath", &settings.into())];
    let source = service.artifact.as_ref().map(|artifact| &artifact.source);
    if let Some(Source::S3 { url, .. }) = source
        && let Some((bucket, key)) = bucket_and_key(url)
    {
        let object = format!("arn:{partition}:s3:::{bucket}/{key}");
        statements.push(allow("Artifact", "s3:GetObject", &object.into()));
    }
    statements
}

/// The passwords of the databases it uses, which AWS makes late.
fn secrets(topology: &Topology, service: &Service) -> Value {
    let secrets: Vec<Value> = service
        .uses
        .iter()
        .filter_map(|used| match &used.value {
            Use::Database(key) => topology.database(key).map(boot::secret),
            Use::Cache(_) => None,
        })
        .collect();
    if secrets.is_empty() {
        return Value::Null;
    }
    policy(vec![allow("Password", "secretsmanager:GetSecretValue", &secrets.into())])
}
