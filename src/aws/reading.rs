//! One reading of the account: what several kinds need is asked for once.

use std::collections::BTreeSet;

use super::{Aws, ec2, elasticache, elb, route53, ssm};
use crate::model::{Fault, Lookup, TOPOLOGY, Tags};

/// One reading of what bears a topology's tag.
pub struct Reading<'a> {
    pub aws: &'a Aws,
    /// The topology's name, the value of its tag.
    pub topology: &'a str,
    /// What the topology looks up.
    pub lookups: &'a BTreeSet<Lookup>,
    pub ec2: ec2::Shared,
    pub elb: elb::Shared,
    pub elasticache: elasticache::Shared,
    pub route53: route53::Shared,
    pub ssm: ssm::Shared,
}

impl<'a> Reading<'a> {
    pub fn new(aws: &'a Aws, topology: &'a str, lookups: &'a BTreeSet<Lookup>) -> Self {
        Self {
            aws,
            topology,
            lookups,
            ec2: ec2::Shared::default(),
            elb: elb::Shared::default(),
            elasticache: elasticache::Shared::default(),
            route53: route53::Shared::default(),
            ssm: ssm::Shared::default(),
        }
    }

    /// Whether a resource with these tags is the topology's.
    pub fn owns(&self, tags: &Tags) -> bool {
        tags.get(TOPOLOGY).is_some_and(|name| name == self.topology)
    }

    /// Tells what is likely the topology's before its own tags are known: what stands in a VPC of ours, or where the
    /// answer names no VPC.
    pub async fn likely(&self) -> Result<impl Fn(Option<&str>) -> bool, Fault> {
        let vpcs = self.ec2.vpcs(self).await?.iter();
        let ours = vpcs.filter(|vpc| {
            let mut tags = vpc.tags().iter();
            tags.any(|tag| tag.key() == Some(TOPOLOGY) && tag.value() == Some(self.topology))
        });
        let ours: BTreeSet<&str> = ours.filter_map(|vpc| vpc.vpc_id()).collect();
        Ok(move |vpc: Option<&str>| vpc.is_none_or(|vpc| ours.contains(vpc)))
    }
}
