//! What AWS bills of a resource: read from its body, as it is desired or as it is there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::kinds::{
    cache_cluster, db_instance, instance, load_balancer, replication_group, secret,
};
use crate::model::{Address, Body};

/// A list of prices, by what they are for and the unit that they are for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum List {
    Ec2Hour,
    EbsGbMonth,
    LoadBalancerHour,
    PublicIpv4Hour,
    RdsPostgresHour,
    RdsPostgresMultiAzHour,
    RdsGbMonth,
    RdsMultiAzGbMonth,
    ElasticacheRedisHour,
    SecretMonth,
}

/// The hours of a month, as AWS's own calculator counts them.
const HOURS: u64 = 730;

impl List {
    /// Under which of AWS's services people look for it.
    pub fn service(self) -> &'static str {
        match self {
            List::Ec2Hour => "EC2 instances",
            List::EbsGbMonth => "EBS volumes",
            List::LoadBalancerHour => "Load balancer",
            List::PublicIpv4Hour => "Public IPv4 addresses",
            List::RdsPostgresHour
            | List::RdsPostgresMultiAzHour
            | List::RdsGbMonth
            | List::RdsMultiAzGbMonth => "RDS",
            List::ElasticacheRedisHour => "ElastiCache",
            List::SecretMonth => "Secrets Manager",
        }
    }

    /// How often a month its price is paid.
    pub fn a_month(self) -> u64 {
        if self.gigabytes() || self == List::SecretMonth { 1 } else { HOURS }
    }

    /// Whether it is for gigabytes, not for things.
    pub fn gigabytes(self) -> bool {
        matches!(self, List::EbsGbMonth | List::RdsGbMonth | List::RdsMultiAzGbMonth)
    }

    /// The list for the same with one zone. AWS bills a standby, and its storage, like the first:
    /// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_OnDemandDBInstances.html>
    pub fn without_standby(self) -> Option<List> {
        match self {
            List::RdsPostgresMultiAzHour => Some(List::RdsPostgresHour),
            List::RdsMultiAzGbMonth => Some(List::RdsGbMonth),
            _ => None,
        }
    }
}

/// So much of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub list: List,
    /// Its name in the list: `t3.small`, `gp3`.
    pub name: String,
    pub quantity: u64,
}

/// What has no name or size, for AWS does not report it.
const UNKNOWN: &str = "(not reported by AWS)";

/// What AWS bills of this resource. Of most kinds it is nothing; of none is it what depends on use, like requests, traffic
/// and backups.
pub fn items(address: &Address, body: &Body) -> Vec<Item> {
    let body = Billed(body);
    match address.kind() {
        kind if kind == instance::SCHEMA.kind => body.instance(),
        kind if kind == load_balancer::SCHEMA.kind => body.load_balancer(),
        kind if kind == db_instance::SCHEMA.kind => body.database(),
        kind if kind == cache_cluster::SCHEMA.kind => body.cache("num_cache_nodes"),
        kind if kind == replication_group::SCHEMA.kind => body.cache("num_cache_clusters"),
        kind if kind == secret::SCHEMA.kind => vec![one(List::SecretMonth, "secret")],
        _ => Vec::new(),
    }
}

fn one(list: List, name: &str) -> Item {
    Item { list, name: name.to_owned(), quantity: 1 }
}

struct Billed<'a>(&'a Body);

impl Billed<'_> {
    fn text(&self, field: &str) -> &str {
        self.0.get(field).and_then(Value::as_str).unwrap_or(UNKNOWN)
    }

    fn flag(&self, field: &str) -> bool {
        self.0.get(field) == Some(&Value::Bool(true))
    }

    /// So much, or so many, of it; of unknown size it has no price.
    fn many(&self, list: List, name: &str, field: &str) -> Item {
        match self.0.get(field).and_then(Value::as_u64) {
            Some(quantity) => Item { list, name: name.to_owned(), quantity },
            None => one(list, UNKNOWN),
        }
    }

    /// One that is stopped has its disk, and nothing else that is paid for.
    fn instance(&self) -> Vec<Item> {
        let volume = self.many(List::EbsGbMonth, self.text("root_volume_type"), "root_volume_size");
        if self.0.get("running") == Some(&Value::Bool(false)) {
            return vec![volume];
        }
        let public = self.flag("associate_public_ip_address");
        let address = public.then(|| one(List::PublicIpv4Hour, "in_use"));
        let machine = one(List::Ec2Hour, self.text("instance_type"));
        [machine, volume].into_iter().chain(address).collect()
    }

    /// It has an address in each of its subnets, where it faces the internet.
    fn load_balancer(&self) -> Vec<Item> {
        let subnets = self.0.get("subnets").and_then(Value::as_array).map_or(0, Vec::len);
        let public = self.text("scheme") == "internet-facing";
        let quantity = if public { u64::try_from(subnets).unwrap_or(u64::MAX) } else { 0 };
        let addresses = Item { list: List::PublicIpv4Hour, name: "in_use".to_owned(), quantity };
        let all = [one(List::LoadBalancerHour, "application"), addresses];
        all.into_iter().filter(|item| item.quantity > 0).collect()
    }

    /// The password that RDS keeps is a secret as any other.
    fn database(&self) -> Vec<Item> {
        let (hour, storage) = match self.flag("multi_az") {
            true => (List::RdsPostgresMultiAzHour, List::RdsMultiAzGbMonth),
            false => (List::RdsPostgresHour, List::RdsGbMonth),
        };
        let class = self.of_engine("postgres", self.text("instance_class"));
        let disk = self.many(storage, self.text("storage_type"), "allocated_storage");
        let kept = self.flag("manage_master_user_password");
        let secret = kept.then(|| one(List::SecretMonth, "secret"));
        [one(hour, &class), disk].into_iter().chain(secret).collect()
    }

    fn cache(&self, nodes: &str) -> Vec<Item> {
        let node = self.of_engine("redis", self.text("node_type"));
        vec![self.many(List::ElasticacheRedisHour, &node, nodes)]
    }

    /// Another engine has other prices.
    fn of_engine(&self, listed: &str, name: &str) -> String {
        match self.text("engine") {
            engine if engine == listed || engine == UNKNOWN => name.to_owned(),
            engine => format!("{engine} {name}"),
        }
    }
}
