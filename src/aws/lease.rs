//! The lock on a topology: an SSM parameter for each lease, `/ecdeploy/TOPOLOGY/lock/NUMBER`.

use std::time::{Duration, SystemTime};

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_ssm::config::Builder;
use aws_sdk_ssm::types::{ParameterType, Tag};

use super::{Aws, fault};
use crate::aws::absent::away;
use crate::model::{Class, Fault, Grant, Holder, Lease, Operation};

const TAG: &str = "ecdeploy:lock";

const LOCK: &[&str] = &["parameter/ecdeploy/{topology}/lock/*"];

/// Leave to list goes by the path itself:
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html>
pub static OPERATIONS: &[Operation] = &[
    Operation::plan(
        "ssm:GetParametersByPath",
        &[Grant::named(&["parameter/ecdeploy/{topology}/lock"])],
    ),
    Operation::change(
        "ssm:PutParameter",
        &[Grant::named(LOCK), Grant::named(LOCK).of("ssm:AddTagsToResource")],
    ),
    Operation::change("ssm:DeleteParameter", &[Grant::named(LOCK)]),
];

fn path(topology: &str) -> String {
    format!("/ecdeploy/{topology}/lock")
}

/// Who holds the lock must know soon whether it still does: few attempts, of a few seconds.
fn soon() -> Builder {
    let timeout = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(5))
        .build();
    let few = RetryConfig::standard().with_max_attempts(2);
    Builder::new().timeout_config(timeout).retry_config(few)
}

/// Every lease there is.
pub async fn all(aws: &Aws, topology: &str) -> Result<Vec<Lease>, Fault> {
    let mut found = Vec::new();
    let mut next = None;
    loop {
        let call = aws.ssm.get_parameters_by_path().path(path(topology)).set_next_token(next);
        let page = call.customize().config_override(soon()).send().await;
        let page = page.map_err(fault("ssm:GetParametersByPath"))?;
        found.extend(page.parameters.unwrap_or_default());
        next = page.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            break;
        }
    }
    let leases = found.into_iter().filter_map(|found| {
        let number = found.name()?.rsplit('/').next()?.parse().ok()?;
        let renewed = found.last_modified_date().and_then(|date| SystemTime::try_from(*date).ok());
        let age = renewed.and_then(|renewed| renewed.elapsed().ok()).unwrap_or(Duration::ZERO);
        let holder = serde_json::from_str(found.value()?).unwrap_or_else(|_| stranger());
        Some(Lease { number, holder, age, version: found.version() })
    });
    Ok(leases.collect())
}

/// Makes it, or renews it; its version.
pub async fn put(
    aws: &Aws,
    topology: &str,
    number: u64,
    holder: &Holder,
    new: bool,
) -> Result<i64, Fault> {
    let misbuilt =
        |error: &dyn ToString| Fault::new(Class::Fatal, "ssm:PutParameter", "", error.to_string());
    let value = serde_json::to_string(holder).map_err(|error| misbuilt(&error))?;
    let call = aws.ssm.put_parameter().name(format!("{}/{number}", path(topology))).value(value);
    let call = call.r#type(ParameterType::String);
    let call = match new {
        true => {
            let tag = Tag::builder().key(TAG).value(topology).build();
            call.overwrite(false).tags(tag.map_err(|error| misbuilt(&error))?)
        }
        false => call.overwrite(true),
    };
    let put = call.customize().config_override(soon()).send().await;
    put.map(|put| put.version).map_err(fault("ssm:PutParameter"))
}

/// Takes it away; one that is gone is no error.
pub async fn remove(aws: &Aws, topology: &str, number: u64) -> Result<(), Fault> {
    let call = aws.ssm.delete_parameter().name(format!("{}/{number}", path(topology)));
    let gone = call.customize().config_override(soon()).send().await;
    away(gone.map_err(fault("ssm:DeleteParameter")))
}

/// Who wrote something there that we can't read.
fn stranger() -> Holder {
    let unknown = || "?".to_owned();
    Holder {
        id: String::new(),
        command: unknown(),
        user: unknown(),
        host: unknown(),
        process: 0,
        place: String::new(),
        since: unknown(),
    }
}
