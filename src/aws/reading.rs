//! One reading of the account: what several kinds need is asked for once. It is of what bears a topology's tag, or of one
//! thing by its id, whoever it belongs to.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::Filter;

use super::{Aws, ec2, elasticache, elb, rds, route53, ssm};
use crate::model::{Fault, Lookup, TOPOLOGY, Tags};

/// What the reading of one thing looks up.
static NONE: BTreeSet<Lookup> = BTreeSet::new();

/// One reading of what bears a topology's tag.
pub struct Reading<'a> {
    pub aws: &'a Aws,
    /// The topology's name, the value of its tag.
    pub topology: &'a str,
    /// What the topology looks up.
    pub lookups: &'a BTreeSet<Lookup>,
    /// The id of the one thing that is read, in place of what bears the tag.
    one: Option<&'a str>,
    pub ec2: ec2::Shared,
    pub elb: elb::Shared,
    pub elasticache: elasticache::Shared,
    pub rds: rds::Shared,
    pub route53: route53::Shared,
    pub ssm: ssm::Shared,
}

impl<'a> Reading<'a> {
    pub fn new(aws: &'a Aws, topology: &'a str, lookups: &'a BTreeSet<Lookup>) -> Self {
        Self {
            aws,
            topology,
            lookups,
            one: None,
            ec2: ec2::Shared::default(),
            elb: elb::Shared::default(),
            elasticache: elasticache::Shared::default(),
            rds: rds::Shared::default(),
            route53: route53::Shared::default(),
            ssm: ssm::Shared::default(),
        }
    }

    /// A reading that looks nothing up.
    pub fn plain(aws: &'a Aws, topology: &'a str) -> Self {
        Self::new(aws, topology, &NONE)
    }

    /// A reading of one thing. Where AWS tells only of all there are, the listing holds others, too.
    pub fn of_one(aws: &'a Aws, topology: &'a str, id: &'a str) -> Self {
        Self { one: Some(id), ..Self::plain(aws, topology) }
    }

    /// The id of the one thing that is read, where it is one.
    pub fn one(&self) -> Option<&str> {
        self.one
    }

    /// Lets through what is read. `id` is EC2's name for the filter by the kind's id.
    pub fn filter(&self, id: &str) -> Filter {
        match self.one {
            Some(one) => ec2::filter(id, one),
            None => ec2::tagged(self.topology),
        }
    }

    /// Whether a resource with these tags is to be read: the topology's.
    pub fn owns(&self, tags: &Tags) -> bool {
        self.one.is_some() || tags.get(TOPOLOGY).is_some_and(|name| name == self.topology)
    }

    /// Tells what is likely the topology's before its own tags are known: what stands in a VPC of ours, or where the
    /// answer names no VPC.
    pub async fn likely(&self) -> Result<impl Fn(Option<&str>) -> bool, Fault> {
        let vpcs = match self.one {
            Some(_) => &[],
            None => self.ec2.vpcs(self).await?,
        };
        let ours = vpcs.iter().filter(|vpc| {
            let mut tags = vpc.tags().iter();
            tags.any(|tag| tag.key() == Some(TOPOLOGY) && tag.value() == Some(self.topology))
        });
        let ours: BTreeSet<&str> = ours.filter_map(|vpc| vpc.vpc_id()).collect();
        let any = self.one.is_some();
        Ok(move |vpc: Option<&str>| any || vpc.is_none_or(|vpc| ours.contains(vpc)))
    }
}
