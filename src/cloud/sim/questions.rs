//! What the simulated account answers to questions: from small tables, so that anybody's topology can be tried.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::Account;
use crate::kinds;
use crate::model::question::{Image, Machine, Network, Order, Quota, Room, Zones};
use crate::model::{Class, Fault, Question, TOPOLOGY};
use crate::topology::zones;

/// The versions that can be had.
const POSTGRES: &[(u32, u32)] = &[(13, 23), (14, 20), (15, 15), (16, 11), (17, 7), (18, 1)];
const REDIS: &[&str] = &["5.0.6", "6.0", "6.2", "7.0", "7.1"];
/// The families and the sizes of caches' nodes.
const NODES: &[&str] = &["t2", "t3", "t4g", "m5", "m6g", "m7g", "r5", "r6g", "r6gd", "r7g", "c7gn"];
const SIZES: &[&str] =
    &["micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge"];
/// What an account is given at first; of machines and databases more, so that large topologies can be tried, too.
const VCPUS: u64 = 100_000;
const DATABASES: u64 = 1000;
const VPCS: u64 = 5;
const GROUP_RULES: u64 = 60;

/// What it is told to answer.
#[derive(Clone, Debug, Default)]
pub struct Told {
    answers: BTreeMap<Question, Result<Value, Fault>>,
    /// The actions that it says nobody has leave for.
    denied: BTreeSet<String>,
}

impl Account {
    /// Has a question answered so from now on.
    pub fn answer(&mut self, question: Question, answer: Result<Value, Fault>) {
        self.told.answers.insert(question, answer);
    }

    /// Says of an action, when asked, that there is no leave for it.
    pub fn deny(&mut self, action: &str) {
        self.told.denied.insert(action.to_owned());
    }

    pub(super) fn ask(&self, question: &Question) -> Result<Value, Fault> {
        if let Some(answer) = self.told.answers.get(question) {
            return answer.clone();
        }
        let region = self.region();
        match question {
            Question::Offered(types) => {
                let here: BTreeSet<String> = zones(region).into_iter().collect();
                told(types.iter().map(|name| (name.clone(), here.clone())).collect::<Zones>())
            }
            Question::Machines(types) => told(of_each(types, machine)),
            Question::Images(images) => told(of_each(images, |_| Image { architecture: None })),
            Question::DatabaseVersions { .. } => {
                let minors = |(major, last): &(u32, u32)| {
                    let major = *major;
                    (1..=*last).map(move |minor| format!("{major}.{minor}"))
                };
                told(POSTGRES.iter().flat_map(minors).collect::<BTreeSet<_>>())
            }
            Question::DatabaseOrders { .. } => told(["gp2", "gp3"].map(|storage| Order {
                storage_type: storage.to_owned(),
                zones: zones(region).into_iter().collect(),
                multi_az: true,
                replicas: true,
                storage: Some((20, 65536)),
            })),
            Question::CacheVersions { .. } => told(REDIS),
            Question::CacheNodes => told(nodes()),
            Question::Quota(Quota::Vcpus) => told(VCPUS),
            Question::Quota(Quota::Vpcs) => told(VPCS),
            Question::Quota(Quota::GroupRules) => told(GROUP_RULES),
            Question::RunningVcpus => told(self.running_vcpus()),
            Question::Vpcs => told(self.networks()),
            Question::BalancingRoom => told(BTreeMap::from([
                ("application-load-balancers", self.room(50, "load_balancer")),
                ("target-groups", self.room(3000, "target_group")),
                ("targets-per-target-group", Room { most: 1000, used: 0 }),
                ("rules-per-application-load-balancer", Room { most: 100, used: 0 }),
            ])),
            Question::DatabaseRoom => {
                told(BTreeMap::from([("DBInstances", self.room(DATABASES, "db_instance"))]))
            }
            Question::Snapshots(names) => {
                told(names.intersection(&self.snapshots).collect::<Vec<_>>())
            }
            Question::Names { kind, names, .. } => told(
                kinds::by_name(kind)
                    .map(|kind| self.namesakes(kind.schema(), names))
                    .unwrap_or_default(),
            ),
            Question::Denied(leaves) => {
                let asked: BTreeSet<&String> = leaves.iter().map(|leave| &leave.action).collect();
                told(self.told.denied.iter().filter(|one| asked.contains(one)).collect::<Vec<_>>())
            }
        }
    }

    fn running_vcpus(&self) -> u64 {
        let running =
            self.of_kind("instance").filter(|one| one.body.get("running") == Some(&true.into()));
        running.map(|one| machine(one.text("instance_type")).vcpus).sum()
    }

    fn networks(&self) -> BTreeMap<String, Network> {
        let network = |vpc: &super::Object| {
            let blocks = vec![vpc.text("cidr_block").to_owned()];
            (vpc.id.clone(), Network { blocks, topology: vpc.tags.get(TOPOLOGY).cloned() })
        };
        self.of_kind("vpc").map(network).collect()
    }

    fn room(&self, most: u64, kind: &'static str) -> Room {
        Room { most, used: self.of_kind(kind).count() as u64 }
    }
}

fn of_each<T>(names: &BTreeSet<String>, of: impl Fn(&str) -> T) -> BTreeMap<&str, T> {
    names.iter().map(|name| (name.as_str(), of(name))).collect()
}

/// As names of types go: a `g` behind the number is Graviton, and an `xlarge` has four.
fn machine(name: &str) -> Machine {
    let (family, size) = name.split_once('.').unwrap_or((name, ""));
    let behind = family.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let architecture = if behind.contains('g') { "arm64" } else { "x86_64" };
    let vcpus = match size.strip_suffix("xlarge") {
        Some("") => 4,
        Some(times) => times.parse::<u64>().unwrap_or(1).saturating_mul(4),
        None => 2,
    };
    Machine { architectures: [architecture.to_owned()].into(), vcpus }
}

fn nodes() -> BTreeSet<String> {
    let all = NODES.iter().flat_map(|family| SIZES.iter().map(move |size| (family, size)));
    all.map(|(family, size)| format!("cache.{family}.{size}")).collect()
}

fn told(answer: impl Serialize) -> Result<Value, Fault> {
    serde_json::to_value(answer)
        .map_err(|error| Fault::new(Class::Fatal, "sim:ask", "InvalidAnswer", error.to_string()))
}
