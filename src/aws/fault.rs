//! AWS's errors, classified once.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::gate::Refused;
use crate::model::{Class, Fault, NOT_SENT};

/// Turns the SDK's error into ours: `.map_err(fault("ec2:CreateVpc"))`.
pub fn fault<E>(operation: &'static str) -> impl Fn(SdkError<E, HttpResponse>) -> Fault
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    move |error| match error.raw_response().map(|answer| answer.status().as_u16()) {
        Some(status) => answered(operation, status, &error),
        None => unanswered(operation, &error),
    }
}

fn answered<E>(operation: &str, status: u16, error: &SdkError<E, HttpResponse>) -> Fault
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let code = error.code().unwrap_or_default();
    let message = match error.message() {
        Some(message) => message.to_owned(),
        None => format!("HTTP {status}: {}", root(error)),
    };
    let request_id = error.raw_response().and_then(|answer| {
        ["x-amzn-requestid", "x-amz-request-id"]
            .iter()
            .find_map(|header| answer.headers().get(*header))
            .map(str::to_owned)
    });
    let class = match class(code, status) {
        // A profile that IAM has just made, and EC2 has not heard of, or not of its role.
        Class::Fatal if code == "InvalidParameterValue" && names_profile(&message) => Class::NotYet,
        class => class,
    };
    Fault { request_id, ..Fault::new(class, operation, code, message) }
}

/// Source: hashicorp/terraform#1885 and #4306, the two messages of RunInstances.
fn names_profile(message: &str) -> bool {
    message.contains("Invalid IAM Instance Profile")
        || (message.contains("IAM Instance Profile")
            && message.contains("has no associated IAM Roles"))
}

/// What lies at the bottom of an error.
fn root(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), root)
}

fn unanswered<E>(operation: &str, error: &SdkError<E, HttpResponse>) -> Fault
where
    E: std::error::Error + 'static,
{
    let mut source = std::error::Error::source(error);
    let mut last = error.to_string();
    while let Some(cause) = source {
        if let Some(error) = cause.downcast_ref::<CredentialsError>() {
            let why = match error {
                CredentialsError::CredentialsNotLoaded(_) => NOWHERE.to_owned(),
                _ => root(cause),
            };
            return Fault::new(Class::Credentials, operation, "", why);
        }
        if cause.is::<Refused>() {
            return Fault::new(Class::Fatal, operation, NOT_SENT, cause.to_string());
        }
        last = cause.to_string();
        source = cause.source();
    }
    Fault::new(Class::Unreachable, operation, "", last)
}

/// Where the SDK tells of each place that it has none.
const NOWHERE: &str = "none in the environment, in a profile, or given by the machine";

/// The class of an error code. Sources: the "common errors" page of each service's API reference.
fn class(code: &str, status: u16) -> Class {
    match code {
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "AuthFailure"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "OptInRequired"
        | "MissingAuthenticationToken" => Class::Credentials,
        "UnauthorizedOperation"
        | "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedAccess" => Class::Denied,
        "DependencyViolation"
        | "ResourceInUse"
        | "IncorrectState"
        | "IncorrectInstanceState"
        | "InvalidDBInstanceState"
        | "InvalidDBSubnetGroupStateFault"
        | "InvalidCacheClusterState"
        | "InvalidReplicationGroupState"
        | "CacheSubnetGroupInUse"
        | "DeleteConflict"
        | "EntityTemporarilyUnmodifiable"
        | "ConcurrentModification"
        | "PriorRequestNotComplete"
        | "InvalidTarget" => Class::NotYet,
        "Resource.AlreadyAssociated" => Class::Exists,
        "Gateway.NotAttached"
        | "NoSuchEntity"
        | "NoSuchHostedZone"
        | "ResourceNotFoundException" => Class::NotFound,
        _ if code.ends_with(".NotFound")
            || code.ends_with("NotFound")
            || code.ends_with("NotFoundFault") =>
        {
            Class::NotFound
        }
        _ if code.ends_with("AlreadyExists")
            || code.ends_with("AlreadyExistsFault")
            || code.ends_with(".Duplicate")
            || code.starts_with("Duplicate") =>
        {
            Class::Exists
        }
        _ if code.contains("Throttl")
            || code == "RequestLimitExceeded"
            || code == "TooManyRequestsException"
            || code == "TooManyUpdates"
            || code == "InsufficientInstanceCapacity" =>
        {
            Class::Throttled
        }
        // An answer of success that was cut short says nothing of what was done.
        "" if (200..300).contains(&status) => Class::Transient,
        "RequestTimeout" | "RequestTimeoutException" => Class::Transient,
        _ if status >= 500 => Class::Transient,
        _ => Class::Fatal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_just_made_is_asked_for_again() {
        for (message, expected) in [
            (
                "Value (shop-user) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
                true,
            ),
            (
                "IAM Instance Profile \"arn:aws:iam::1:instance-profile/a\" has no associated IAM Roles",
                true,
            ),
            ("Value (t9.huge) for parameter instanceType is invalid", false),
        ] {
            assert_eq!(names_profile(message), expected, "{message}");
        }
    }

    #[test]
    fn a_code_has_one_class_whatever_service_says_it() {
        for (code, status, expected) in [
            ("InvalidVpcID.NotFound", 400, Class::NotFound),
            ("DBInstanceNotFound", 404, Class::NotFound),
            ("TargetGroupNotFound", 400, Class::NotFound),
            ("DBInstanceAlreadyExists", 400, Class::Exists),
            ("InvalidGroup.Duplicate", 400, Class::Exists),
            ("DuplicateLoadBalancerName", 400, Class::Exists),
            ("DependencyViolation", 400, Class::NotYet),
            ("RequestLimitExceeded", 503, Class::Throttled),
            ("Throttling", 400, Class::Throttled),
            ("InternalError", 500, Class::Transient),
            ("RequestTimeout", 400, Class::Transient),
            ("", 200, Class::Transient),
            ("UnauthorizedOperation", 403, Class::Denied),
            // Of the services, EC2 says the third, the Query ones the first, the JSON ones the second.
            ("ExpiredToken", 403, Class::Credentials),
            ("ExpiredTokenException", 400, Class::Credentials),
            ("RequestExpired", 400, Class::Credentials),
            ("InvalidSignatureException", 400, Class::Credentials),
            ("InvalidParameterValue", 400, Class::Fatal),
            ("NoSuchEntity", 404, Class::NotFound),
            ("EntityAlreadyExists", 409, Class::Exists),
            ("DeleteConflict", 409, Class::NotYet),
            ("ParameterNotFound", 400, Class::NotFound),
            ("ParameterAlreadyExists", 400, Class::Exists),
            ("PriorRequestNotComplete", 400, Class::NotYet),
            ("ResourceNotFoundException", 400, Class::NotFound),
        ] {
            assert_eq!(class(code, status), expected, "{code}");
        }
    }
}
