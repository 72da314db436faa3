//! What is asked of AWS before anything is changed, and the forms of the answers: what it offers, how much it gives, and
//! what it would let these credentials do.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Tags;

/// A question to the account, in its region. Each has one form of answer, which stands behind it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// In which zones each of these instance types is offered: [`Zones`].
    Offered(BTreeSet<String>),
    /// What these instance types are, those that there are: [`Machines`].
    Machines(BTreeSet<String>),
    /// What these images are, those that there are: [`Images`].
    Images(BTreeSet<String>),
    /// Which of these key pairs there are: a set of names.
    KeyPairs(BTreeSet<String>),
    /// The versions of a database's engine that can be had: a set.
    DatabaseVersions { engine: String },
    /// To which versions RDS makes a database of this one: a set.
    DatabaseUpgrades { engine: String, version: String },
    /// As what a database of this version and class can be had: [`Orders`].
    DatabaseOrders { engine: String, version: String, class: String },
    /// The versions of a cache's engine that can be had: a set.
    CacheVersions { engine: String },
    /// The types of nodes that caches can be had on: a set.
    CacheNodes,
    /// How much AWS gives: a number.
    Quota(Quota),
    /// How many of the vCPUs of [`Quota::Vcpus`] run: a number.
    RunningVcpus,
    /// The VPCs there are: [`Vpcs`].
    Vpcs,
    /// How much of load balancing AWS gives, and what is used of it: [`Rooms`].
    BalancingRoom,
    /// The same of databases: [`Rooms`].
    DatabaseRoom,
    /// Which of these names of database snapshots are taken: a set.
    Snapshots(BTreeSet<String>),
    /// What has which of these names of a kind, whoever it belongs to: [`Namesakes`].
    Names { kind: String, topology: String, names: BTreeSet<Name> },
    /// Which of these the credentials don't give leave for: a set of actions.
    Denied(BTreeSet<Leave>),
}

/// Zones by what is offered in them.
pub type Zones = BTreeMap<String, BTreeSet<String>>;
pub type Machines = BTreeMap<String, Machine>;
pub type Images = BTreeMap<String, Image>;
pub type Orders = Vec<Order>;
pub type Vpcs = BTreeMap<String, Network>;
pub type Rooms = BTreeMap<String, Room>;
pub type Namesakes = Vec<Namesake>;

/// What may stand only once: the values of [`Schema::unique`](super::Schema::unique), references as ids.
pub type Name = Vec<String>;

/// What has a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namesake {
    pub name: Name,
    pub id: String,
    /// Those that it bears, as far as they are told.
    pub tags: Tags,
}

/// What AWS gives an account so much of, as Service Quotas has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quota {
    /// Of running instances of the standard families.
    Vcpus,
    Vpcs,
    /// Of one security group, each way.
    GroupRules,
    /// Security groups of one network interface.
    InterfaceGroups,
}

/// An instance type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub architectures: BTreeSet<String>,
    pub vcpus: u64,
}

/// An image. Without an architecture it is known to be there, and no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    pub architecture: Option<String>,
    /// In GiB, of the snapshot that its root volume is made from, where AWS says so.
    pub root_volume_size: Option<u64>,
}

/// One way in which a database can be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub storage_type: String,
    pub zones: BTreeSet<String>,
    pub multi_az: bool,
    pub replicas: bool,
    /// In GiB, where AWS says so.
    pub storage: Option<(u32, u32)>,
}

/// A VPC: its blocks, and the topology whose tag it bears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    pub blocks: Vec<String>,
    pub topology: Option<String>,
}

/// A value as it is part of a name; what is to be known only later is none.
pub fn named(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// How much there is at most, and how much of it is used, where that is counted over the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    pub most: u64,
    pub used: u64,
}

/// One action on some resources, with what the request tells for conditions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Leave {
    pub action: String,
    pub resources: BTreeSet<String>,
    pub context: BTreeMap<String, BTreeSet<String>>,
}

impl Question {
    /// Whether the answer holds for a day: it is about AWS, not about the account.
    pub fn lasts(&self) -> bool {
        match self {
            Self::Offered(_)
            | Self::Machines(_)
            | Self::DatabaseVersions { .. }
            | Self::DatabaseUpgrades { .. }
            | Self::DatabaseOrders { .. }
            | Self::CacheVersions { .. }
            | Self::CacheNodes => true,
            Self::Images(_)
            | Self::KeyPairs(_)
            | Self::Quota(_)
            | Self::RunningVcpus
            | Self::Vpcs
            | Self::BalancingRoom
            | Self::DatabaseRoom
            | Self::Snapshots(_)
            | Self::Names { .. }
            | Self::Denied(_) => false,
        }
    }

    /// Whether this has the form of its answer.
    pub fn fits(&self, answer: &Value) -> bool {
        fn is<T: DeserializeOwned>(answer: &Value) -> bool {
            T::deserialize(answer).is_ok()
        }
        match self {
            Self::Offered(_) => is::<Zones>(answer),
            Self::Machines(_) => is::<Machines>(answer),
            Self::Images(_) => is::<Images>(answer),
            Self::DatabaseOrders { .. } => is::<Orders>(answer),
            Self::DatabaseVersions { .. }
            | Self::DatabaseUpgrades { .. }
            | Self::CacheVersions { .. }
            | Self::CacheNodes
            | Self::KeyPairs(_)
            | Self::Snapshots(_)
            | Self::Denied(_) => is::<BTreeSet<String>>(answer),
            Self::Quota(_) | Self::RunningVcpus => is::<u64>(answer),
            Self::Names { .. } => is::<Namesakes>(answer),
            Self::Vpcs => is::<Vpcs>(answer),
            Self::BalancingRoom | Self::DatabaseRoom => is::<Rooms>(answer),
        }
    }
}

/// Whether instances of this type count among [`Quota::Vcpus`]: those of the standard families do.
/// <https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html>
pub fn is_standard(instance_type: &str) -> bool {
    let family = instance_type.split('.').next().unwrap_or_default();
    let letters: String = family.chars().take_while(char::is_ascii_alphabetic).collect();
    ["a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"].contains(&letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::is_standard;

    #[test]
    fn the_standard_families_share_a_quota() {
        for (name, expected) in [
            ("t3.small", true),
            ("c7gn.xlarge", true),
            ("im4gn.large", true),
            ("g4dn.xlarge", false),
            ("p5.48xlarge", false),
            ("inf2.xlarge", false),
            ("mac2.metal", false),
            ("u-6tb1.metal", false),
            ("hpc7a.96xlarge", false),
            ("x2iedn.xlarge", false),
            ("dl1.24xlarge", false),
            ("trn1.2xlarge", false),
        ] {
            assert_eq!(is_standard(name), expected, "{name}");
        }
    }
}
