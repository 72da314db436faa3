//! What a machine was told at its birth: asked of one that is adopted, since AWS tells it of one machine a call.

use aws_sdk_ec2::types::InstanceAttributeName;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use crate::aws::{Aws, fault};
use crate::model::Fault;

/// Its user data, null where it has none. Nothing where that is no text: then it can't be compared.
pub(super) async fn told(aws: &Aws, id: &str) -> Result<Option<Value>, Fault> {
    let call = aws.ec2.describe_instance_attribute().instance_id(id);
    let answer = call.attribute(InstanceAttributeName::UserData).send().await;
    let answer = answer.map_err(fault("ec2:DescribeInstanceAttribute"))?;
    let encoded = answer.user_data.and_then(|data| data.value).unwrap_or_default();
    if encoded.is_empty() {
        return Ok(Some(Value::Null));
    }
    let script = BASE64.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(script.map(Value::from))
}
