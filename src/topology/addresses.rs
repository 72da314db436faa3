//! How many addresses a subnet has for what stands in it, and in which one each machine stands.

use ipnet::Ipv4Net;

use super::types::{Names, Subnet, Topology};

/// How many are free in each of its subnets when a load balancer is made, and the longest prefix of their blocks:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#subnets-load-balancer>
pub const FOR_LOAD_BALANCER: u64 = 8;
pub const LOAD_BALANCER_PREFIX: u8 = 27;

/// AWS keeps the first four and the last one: <https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html>
pub const KEPT: u64 = 5;

/// How many of a subnet's block can be had.
pub fn usable(block: &Ipv4Net) -> u64 {
    let all = 1_u64 << (block.max_prefix_len() - block.prefix_len());
    all.saturating_sub(KEPT)
}

impl Topology {
    /// The subnet of each instance in turn: zone after zone, within a zone one subnet after the other. So every number of
    /// instances is spread evenly, the last one stands in a fullest zone, and none moves when others come or go.
    pub fn spread<'a>(&'a self, keys: &Names) -> impl Iterator<Item = &'a Subnet> {
        let mut zones: Vec<Vec<&Subnet>> = Vec::new();
        for subnet in keys.iter().filter_map(|key| self.subnet(key)) {
            match zones.iter_mut().find(|zone| *zone[0].zone == *subnet.zone) {
                Some(zone) => zone.push(subnet),
                None => zones.push(vec![subnet]),
            }
        }
        (0..).map_while(move |n: usize| {
            let zone = zones.get(n.checked_rem(zones.len())?)?;
            zone.get(n / zones.len() % zone.len()).copied()
        })
    }
}
