//! What stands in braces in the table's resources and conditions, filled in from a topology.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::desired::Desired;
use crate::model::Scope;
use crate::topology::partition;

/// IAM's conditions: operator, key, values.
pub type Conditions = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// A topology, and the lookup in question.
pub struct Fill<'a> {
    pub desired: &'a Desired,
    pub lookup: &'a str,
}

/// Whether the service's ARNs have no region.
pub fn is_global(service: &str) -> bool {
    ["iam", "route53", "sts"].contains(&service)
}

impl Fill<'_> {
    /// The ARNs that a resource of the table stands for; none where the topology has nothing of the kind.
    pub fn arns(&self, service: &str, resource: &str) -> Vec<String> {
        let whole = ["arn:", "*", "{lookup}"].iter().any(|start| resource.starts_with(start));
        let region = if is_global(service) { "" } else { "{region}" };
        match whole {
            true => self.texts(resource),
            false => {
                self.texts(&format!("arn:{{partition}}:{service}:{region}:{{account}}:{resource}"))
            }
        }
    }

    pub fn conditions(&self, scope: Option<&Scope>) -> Conditions {
        let mut all = Conditions::new();
        for condition in scope.into_iter().flat_map(|scope| scope.conditions) {
            let values = condition.values.iter().flat_map(|value| self.texts(value)).collect();
            let keys = all.entry(condition.operator.to_owned()).or_default();
            keys.insert(condition.key.to_owned(), values);
        }
        all
    }

    /// One text for each value of what is in braces.
    fn texts(&self, template: &str) -> Vec<String> {
        let named = template.split_once('{').and_then(|(before, rest)| {
            let (name, after) = rest.split_once('}')?;
            Some((before, name, after))
        });
        let Some((before, name, after)) = named else { return vec![template.to_owned()] };
        let rest = self.texts(after);
        let values = self.values(name);
        let joined = values
            .iter()
            .flat_map(|value| rest.iter().map(move |rest| format!("{before}{value}{rest}")));
        joined.collect()
    }

    fn values(&self, name: &str) -> BTreeSet<String> {
        let desired = self.desired;
        match name {
            "partition" => [partition(&desired.region).to_owned()].into(),
            "region" => [desired.region.clone()].into(),
            "account" => [desired.account.clone()].into(),
            "topology" => [desired.topology.clone()].into(),
            "lookup" => [self.lookup.to_owned()].into(),
            field => {
                let (kind, field) = field.split_once('.').unwrap_or_default();
                let ours = desired.resources.iter().filter(|(address, _)| address.kind() == kind);
                let values = ours.filter_map(|(_, body)| body.get(field).and_then(Value::as_str));
                values.map(str::to_owned).collect()
            }
        }
    }
}

/// The types of these resources, within a Sid: `InstanceVolume`.
pub fn types(arns: &BTreeSet<String>) -> String {
    let names = arns.iter().filter_map(|arn| arn.splitn(6, ':').nth(5));
    let types: BTreeSet<String> =
        names.filter_map(|name| name.split(['/', ':']).next()).map(camel).collect();
    types.into_iter().collect()
}

/// `instance-profile` as `InstanceProfile`: IAM takes letters and digits in a Sid.
pub fn camel(words: &str) -> String {
    let words = words.split(|c: char| !c.is_ascii_alphanumeric());
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    words.map(word).collect()
}
