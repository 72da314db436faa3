//! What the topology names, and is not there.

use crate::desired::Desired;
use crate::model::{Fault, Lookup};
use crate::topology::Diagnostic;

/// Why what the topology names can't be had.
pub fn missing(lookup: &Lookup, fault: &Fault, desired: &Desired) -> Diagnostic {
    let Desired { account, region, .. } = desired;
    let why = &fault.message;
    let (message, hint) = match lookup {
        Lookup::Parameter(path) => (
            format!("there is no SSM parameter {path} in {region}"),
            "correct its name; AWS's own begin with /aws/service/".to_owned(),
        ),
        Lookup::Certificate(arn) if arn.starts_with("arn:") => (
            format!("the certificate {arn} can't be used: {why}"),
            format!(
                "it has to be in account {account}, in {region}, and issued; `aws acm describe-certificate` tells more"
            ),
        ),
        Lookup::Certificate(domain) => (
            format!("no issued certificate in {region} is for {domain}"),
            format!(
                "request one in ACM, in {region}, and have it validated; one for the parent's wildcard serves too"
            ),
        ),
        Lookup::Zone(_) => (
            format!("{why}, in account {account}"),
            "name the zone, not the record in it; make it in Route 53, or leave out [dns]"
                .to_owned(),
        ),
    };
    let span = desired.lookups.get(lookup).copied();
    Diagnostic { span, ..Diagnostic::nowhere(message) }.hint(hint)
}
