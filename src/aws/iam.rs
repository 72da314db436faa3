//! What the kinds of IAM share: tags, and policies as they travel.

use aws_sdk_iam::types::Tag;
use futures_util::future::join;
use serde_json::Value;

use super::absent::away;
use super::{Aws, fault};
use crate::model::{Class, Condition, Fault, Grant, Scope, Tags};

/// Leave to hand our roles to machines:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html>
pub const PASS_ROLE: Grant =
    Grant::within(&PASSED, &["role/ecdeploy/{region}/{topology}/*"]).of("iam:PassRole");
static PASSED: Scope = Scope::new(
    "RolesForMachines",
    &[Condition::new("StringEquals", "iam:PassedToService", &["ec2.amazonaws.com"])],
);

/// Tags as the SDK takes them.
pub fn to_sdk(operation: &str, tags: &Tags) -> Result<Vec<Tag>, Fault> {
    let written = tags.iter();
    written
        .map(|(key, value)| {
            let tag = Tag::builder().key(key).value(value).build();
            tag.map_err(|error| Fault::new(Class::Fatal, operation, "", error.to_string()))
        })
        .collect()
}

pub fn from_sdk(tags: &[Tag]) -> Tags {
    tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}

/// A policy as an answer has it: JSON, percent-encoded. One that is no JSON is its text, which equals nothing of ours.
pub fn policy(document: &str) -> Value {
    let text = percent_decoded(document);
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

/// Every `%41` an `A`. What is not encoded so stays.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sets one inline policy of a role, or takes it away where it is null.
pub async fn put_policy(aws: &Aws, role: &str, name: &str, policy: &Value) -> Result<(), Fault> {
    if policy.is_null() {
        return remove_policy(aws, role, name).await;
    }
    let call = aws.iam.put_role_policy().role_name(role).policy_name(name);
    let answer = call.policy_document(policy.to_string()).send().await;
    answer.map(drop).map_err(fault("iam:PutRolePolicy"))
}

/// Every policy of a role: inline ones by name, attached ones by ARN. A name holds no colon.
pub async fn policies(aws: &Aws, role: &str) -> Result<Vec<String>, Fault> {
    let inline = aws.iam.list_role_policies().role_name(role).into_paginator().items().send();
    let attached = aws.iam.list_attached_role_policies().role_name(role).into_paginator().items();
    let (inline, attached): (Result<Vec<_>, _>, Result<Vec<_>, _>) =
        join(inline.collect(), attached.send().collect()).await;
    let mut all = inline.map_err(fault("iam:ListRolePolicies"))?;
    let attached = attached.map_err(fault("iam:ListAttachedRolePolicies"))?;
    all.extend(attached.into_iter().filter_map(|policy| policy.policy_arn));
    Ok(all)
}

/// Deletes an inline policy of a role, or detaches what is named by its ARN.
pub async fn remove_policy(aws: &Aws, role: &str, policy: &str) -> Result<(), Fault> {
    if policy.starts_with("arn:") {
        let answer = aws.iam.detach_role_policy().role_name(role).policy_arn(policy).send().await;
        return away(answer.map_err(fault("iam:DetachRolePolicy")));
    }
    let answer = aws.iam.delete_role_policy().role_name(role).policy_name(policy).send().await;
    away(answer.map_err(fault("iam:DeleteRolePolicy")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_is_read_encoded_or_plain() {
        let expected = json!({"Resource": "arn:aws:s3:::a/*", "Sid": "50% ü"});
        let plain = expected.to_string();
        let encoded: String = plain.bytes().map(|byte| format!("%{byte:02X}")).collect();
        assert_eq!(policy(&encoded), expected);
        assert_eq!(policy(&plain), expected);
        assert_eq!(policy("not JSON"), json!("not JSON"));
    }
}
