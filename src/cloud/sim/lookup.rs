//! What the simulated account answers to lookups.

use super::Account;
use super::account::hex;
use crate::model::{Class, Fault, Lookup};

impl Account {
    pub fn lookup(&mut self, lookup: &Lookup) -> Result<String, Fault> {
        let found = answer(self.id(), self.region(), lookup)?;
        if let Lookup::Parameter(path) = lookup {
            self.found_image(&found, path);
        }
        Ok(found)
    }
}

/// There is AWS's every public parameter, each naming an image, and a certificate and a hosted zone for every domain, so
/// that anybody's topology can be tried. To see one missing, name a domain below `.invalid`, which RFC 2606 keeps free of
/// owners.
fn answer(account: &str, region: &str, lookup: &Lookup) -> Result<String, Fault> {
    let digits = hex(lookup.to_string().as_bytes());
    let there = |name: &str| !name.trim_end_matches('.').ends_with(".invalid");
    let missing = |operation: &str, code: &str| {
        let message = format!("the simulated account has no {lookup}");
        Err(Fault::new(Class::NotFound, operation, code, message))
    };
    match lookup {
        Lookup::Parameter(path) if path.starts_with("/aws/service/") => Ok(format!("ami-{digits}")),
        Lookup::Parameter(_) => missing("ssm:GetParameter", "ParameterNotFound"),
        Lookup::Certificate(arn) if arn.starts_with("arn:") => Ok(arn.clone()),
        Lookup::Certificate(domain) if there(domain) => {
            Ok(format!("arn:aws:acm:{region}:{account}:certificate/{digits}"))
        }
        Lookup::Certificate(_) => missing("acm:ListCertificates", ""),
        Lookup::Zone(name) if there(name) => Ok(format!("Z{}", digits.to_uppercase())),
        Lookup::Zone(_) => missing("route53:ListHostedZonesByName", ""),
    }
}
