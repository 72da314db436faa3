//! What no topology manages and a plan needs to know: public parameters, certificates, hosted zones.

use aws_sdk_acm::primitives::DateTime;
use aws_sdk_acm::types::{CertificateStatus, CertificateSummary, Filters, KeyAlgorithm};

use super::{Aws, Reading, fault};
use crate::model::{ANYWHERE, Class, Fault, Grant, Lookup, Operation, covers};

/// The keys that a load balancer takes. ACM lists certificates of RSA 2048 alone unless asked for more.
/// Source: https://docs.aws.amazon.com/acm/latest/APIReference/API_ListCertificates.html
const KEYS: [KeyAlgorithm; 6] = [
    KeyAlgorithm::Rsa2048,
    KeyAlgorithm::Rsa3072,
    KeyAlgorithm::Rsa4096,
    KeyAlgorithm::EcPrime256v1,
    KeyAlgorithm::EcSecp384r1,
    KeyAlgorithm::EcSecp521r1,
];

const PARAMETERS: &str = "ssm:GetParameters";
const DESCRIBE: &str = "acm:DescribeCertificate";
const LIST: &str = "acm:ListCertificates";
const ZONES: &str = "route53:ListHostedZones";

static PUBLIC_PARAMETER: Operation = Operation::plan(
    PARAMETERS,
    &[Grant::named(&["arn:{partition}:ssm:{region}::parameter{lookup}"])],
);
static PARAMETER: Operation = Operation::plan(PARAMETERS, &[Grant::named(&["parameter{lookup}"])]);
static CHECKED: Operation = Operation::plan(DESCRIBE, &[Grant::named(&["{lookup}"])]);
static CERTIFICATE: Operation = Operation::plan(LIST, ANYWHERE);
static ZONE: Operation = Operation::plan(ZONES, ANYWHERE);

/// Every operation that a lookup may send.
pub static OPERATIONS: &[&Operation] =
    &[&PUBLIC_PARAMETER, &PARAMETER, &CHECKED, &CERTIFICATE, &ZONE];

/// The operation that answers this lookup, and what `{lookup}` stands for in its resources.
pub fn operation(lookup: &Lookup) -> (&'static Operation, &str) {
    match lookup {
        Lookup::Parameter(path) if path.starts_with("/aws/") => (&PUBLIC_PARAMETER, path),
        Lookup::Parameter(path) => (&PARAMETER, path),
        Lookup::Certificate(arn) if arn.starts_with("arn:") => (&CHECKED, arn),
        Lookup::Certificate(domain) => (&CERTIFICATE, domain),
        Lookup::Zone(name) => (&ZONE, name),
    }
}

/// What a lookup finds.
pub struct Answer {
    pub value: String,
    /// When it expires, in seconds since 1970: a certificate does.
    pub expires: Option<i64>,
}

impl From<String> for Answer {
    fn from(value: String) -> Self {
        Self { value, expires: None }
    }
}

/// The answer to a lookup. What is not there is a fault of class `NotFound` that says so.
pub async fn of(read: &Reading<'_>, lookup: &Lookup) -> Result<Answer, Fault> {
    match lookup {
        Lookup::Parameter(path) => parameter(read, path).await.map(Answer::from),
        Lookup::Certificate(arn) if arn.starts_with("arn:") => checked(read.aws, arn).await,
        Lookup::Certificate(domain) => certificate(read.aws, domain).await,
        Lookup::Zone(name) => zone(read, name).await.map(Answer::from),
    }
}

async fn parameter(read: &Reading<'_>, path: &str) -> Result<String, Fault> {
    let missing = || {
        let message = format!("SSM has no parameter {path}");
        Fault::new(Class::NotFound, PARAMETERS, "ParameterNotFound", message)
    };
    read.ssm.values(read).await?.get(path).cloned().ok_or_else(missing)
}

/// The certificate of this ARN, if a load balancer would take it.
async fn checked(aws: &Aws, arn: &str) -> Result<Answer, Fault> {
    let answer = aws.acm.describe_certificate().certificate_arn(arn).send().await;
    let found = answer.map_err(fault(DESCRIBE))?.certificate;
    let expires = found.as_ref().and_then(|found| found.not_after()).map(DateTime::secs);
    match found.and_then(|found| found.status) {
        Some(CertificateStatus::Issued) => Ok(Answer { value: arn.to_owned(), expires }),
        status => {
            let status = status.as_ref().map_or("unknown", CertificateStatus::as_str);
            let message = format!("its status is {status}, not ISSUED");
            Err(Fault::new(Class::NotFound, DESCRIBE, "", message))
        }
    }
}

/// The issued certificate for this domain; of several the one that is valid longest, so that a renewed one takes over.
async fn certificate(aws: &Aws, domain: &str) -> Result<Answer, Fault> {
    let call = aws.acm.list_certificates().certificate_statuses(CertificateStatus::Issued);
    let call = call.includes(Filters::builder().set_key_types(Some(KEYS.to_vec())).build());
    let pages = call.into_paginator().items().send();
    let all: Vec<CertificateSummary> =
        pages.collect::<Result<_, _>>().await.map_err(fault(LIST))?;
    all.into_iter()
        // Asked again on this side, since not every answer is filtered.
        .filter(|found| found.status().is_none_or(|status| *status == CertificateStatus::Issued))
        .filter(|found| names(found).any(|name| covers(name, domain)))
        .max_by_key(|found| {
            (found.not_after().map(|time| time.secs()), found.certificate_arn.clone())
        })
        .and_then(|found| {
            let expires = found.not_after().map(DateTime::secs);
            Some(Answer { value: found.certificate_arn?, expires })
        })
        .ok_or_else(|| {
            let message = format!("no issued certificate is for {domain}");
            Fault::new(Class::NotFound, LIST, "", message)
        })
}

fn names(found: &CertificateSummary) -> impl Iterator<Item = &str> {
    let others = found.subject_alternative_name_summaries().iter().map(String::as_str);
    found.domain_name().into_iter().chain(others)
}

/// The public zone of this name.
async fn zone(read: &Reading<'_>, name: &str) -> Result<String, Fault> {
    let missing = |message| Fault::new(Class::NotFound, ZONES, "", message);
    let zones = read.route53.public_zones(read).await?;
    let found: Vec<_> = zones.iter().filter(|zone| zone.name.eq_ignore_ascii_case(name)).collect();
    match found[..] {
        [zone] => Ok(zone.id.clone()),
        [] => Err(missing(format!("there is no public hosted zone {name}"))),
        _ => Err(missing(format!("{} public hosted zones are called {name}", found.len()))),
    }
}
