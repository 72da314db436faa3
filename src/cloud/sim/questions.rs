//! What the simulated account answers to questions: from small tables, so that anybody's topology can be tried.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::{Account, offers};
use crate::kinds;
use crate::model::question::{Image, Network, Order, Quota, Room, Zones};
use crate::model::{Class, Fault, Question, TOPOLOGY};
use crate::topology::zones;

/// The versions that can be had.
const POSTGRES: &[(u32, u32)] = &[(13, 23), (14, 20), (15, 15), (16, 11), (17, 7), (18, 1)];
const REDIS: &[&str] = &["5.0.6", "6.0", "6.2", "7.0", "7.1"];
/// In GiB, the root volume of Amazon Linux 2023.
const AL2023: u64 = 8;
/// What an account is given at first; of machines and databases more, so that large topologies can be tried, too.
const VCPUS: u64 = 100_000;
const DATABASES: u64 = 1000;
const VPCS: u64 = 5;
const GROUP_RULES: u64 = 60;
const INTERFACE_GROUPS: u64 = 5;

/// What it is told to answer.
#[derive(Clone, Debug, Default)]
pub struct Told {
    answers: BTreeMap<Question, Result<Value, Fault>>,
    /// The actions that it says nobody has leave for.
    denied: BTreeSet<String>,
    /// The public parameters that were looked up, by the images that they name.
    images: BTreeMap<String, String>,
}

impl Told {
    /// What the parameter's name tells of an image; nothing, where nobody looked it up.
    fn image(&self, id: &str) -> Image {
        let path = self.images.get(id).map_or("", String::as_str);
        let architecture = [("arm64", "arm64"), ("x86_64", "x86_64"), ("amd64", "x86_64")];
        let mut known = architecture.into_iter().filter(|(word, _)| path.contains(word));
        Image {
            architecture: known.next().map(|(_, architecture)| architecture.to_owned()),
            root_volume_size: path.contains("/al2023-ami-kernel-").then_some(AL2023),
        }
    }
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

    /// Takes note of what names an image.
    pub(super) fn found_image(&mut self, id: &str, parameter: &str) {
        self.told.images.insert(id.to_owned(), parameter.to_owned());
    }

    pub(super) fn ask(&self, question: &Question) -> Result<Value, Fault> {
        if let Some(answer) = self.told.answers.get(question) {
            return answer.clone();
        }
        let region = self.region();
        match question {
            Question::Offered(types) => {
                let here = |name: &str| match offers::has_machine(name) {
                    true => zones(region).into_iter().collect(),
                    false => BTreeSet::new(),
                };
                told(types.iter().map(|name| (name.clone(), here(name))).collect::<Zones>())
            }
            Question::Machines(types) => {
                let known = types.iter().filter(|name| offers::has_machine(name));
                told(known.map(|name| (name, offers::machine(name))).collect::<BTreeMap<_, _>>())
            }
            Question::Images(images) => {
                let image = |id: &String| self.told.image(id);
                told(images.iter().map(|id| (id, image(id))).collect::<BTreeMap<_, _>>())
            }
            // Nobody puts any there, and none is needed to try a topology.
            Question::KeyPairs(names) => told(names),
            Question::DatabaseVersions { .. } => {
                let minors = |(major, last): &(u32, u32)| {
                    let major = *major;
                    (1..=*last).map(move |minor| format!("{major}.{minor}"))
                };
                told(POSTGRES.iter().flat_map(minors).collect::<BTreeSet<_>>())
            }
            Question::DatabaseUpgrades { version, .. } => told(upgrades(version)),
            Question::DatabaseOrders { class, .. } if !offers::has_class(class) => {
                told([] as [Order; 0])
            }
            Question::DatabaseOrders { .. } => told(["gp2", "gp3"].map(|storage| Order {
                storage_type: storage.to_owned(),
                zones: zones(region).into_iter().collect(),
                multi_az: true,
                replicas: true,
                storage: Some((20, 65536)),
            })),
            Question::CacheVersions { .. } => told(REDIS),
            Question::CacheNodes => told(offers::nodes()),
            Question::Quota(Quota::Vcpus) => told(VCPUS),
            Question::Quota(Quota::Vpcs) => told(VPCS),
            Question::Quota(Quota::GroupRules) => told(GROUP_RULES),
            Question::Quota(Quota::InterfaceGroups) => told(INTERFACE_GROUPS),
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
        running.map(|one| offers::machine(one.text("instance_type")).vcpus).sum()
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

/// PostgreSQL's minor versions come out together, and so the last of each major one are of the same day. A version is made
/// into those that are no older: of its own major version, and of later ones.
fn upgrades(version: &str) -> BTreeSet<String> {
    let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
    let own = numbers.next().and_then(|own| POSTGRES.iter().find(|(major, _)| *major == own));
    let Some((own, last)) = own else { return BTreeSet::new() };
    let minor = numbers.next().unwrap_or(*last);
    let age = last.saturating_sub(minor);
    let later = POSTGRES.iter().filter(|(major, _)| major >= own);
    let all = later.flat_map(|(major, last)| {
        (last.saturating_sub(age).max(1)..=*last).map(move |minor| (*major, minor))
    });
    let newer = all.filter(|one| *one != (*own, minor));
    newer.map(|(major, minor)| format!("{major}.{minor}")).collect()
}

fn told(answer: impl Serialize) -> Result<Value, Fault> {
    serde_json::to_value(answer)
        .map_err(|error| Fault::new(Class::Fatal, "sim:ask", "InvalidAnswer", error.to_string()))
}
