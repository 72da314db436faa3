//! The shop stays up through every change on the wire: its healthy targets are sampled past ecdeploy while it applies,
//! and counted again from the log of calls, in which nothing happens between two looks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};

use crate::emulator::{Account, Call, Emulator};
use crate::inventory::{Inventory, each};
use crate::product::Shop;
use crate::raw::Raw;
use crate::wire::changing;

const SERVICES: [&str; 7] =
    ["frontend", "gateway", "notification", "order", "payment", "product", "user"];
const IMAGE: &str =
    "{ ssm = \"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64\" }";

/// Machines by target group.
type Machines = BTreeMap<String, BTreeSet<String>>;

#[test]
fn a_type_change_of_all_leaves_one_of_two_healthy_throughout() {
    let mut roll = Roll::begin();
    roll.shop.edit("\"t3.small\"", "\"t3.medium\"");

    let seen = roll.during(|shop, _| drop(shop.apply()));

    assert_eq!(seen.named("StopInstances").len(), 14);
    assert_eq!(seen.named("DeregisterTargets"), seen.named("StopInstances"));
    assert_eq!(seen.fewest, all(1));
    seen.assert_never_below(1);
    roll.shop.expect_no_changes();
}

#[test]
fn another_image_of_all_leaves_two_healthy_throughout() {
    let mut roll = Roll::begin();
    let images = roll.account.raw.ec2("describe_images", json!({"Owners": ["amazon"]}));
    let now = roll.account.raw.ec2("describe_instances", json!({}));
    let now = &now["Reservations"][0]["Instances"][0]["ImageId"];
    let other = each(&images["Images"])
        .find(|image| image["ImageId"] != *now && image["Architecture"] == "x86_64")
        .expect("another image");
    roll.shop.edit(IMAGE, &other["ImageId"].to_string());

    let seen = roll.during(|shop, _| drop(shop.apply()));

    assert_eq!(seen.named("TerminateInstances").len(), 14);
    assert_eq!(seen.fewest, all(2));
    seen.assert_never_below(2);
    roll.shop.expect_no_changes();
}

#[test]
fn scaling_out_and_in_leaves_two_healthy_throughout() {
    let mut roll = Roll::begin();
    let scale = |shop: &Shop, count: usize| {
        let counts = SERVICES.map(|service| format!("{service}={count}"));
        let counts = counts.iter().map(String::as_str);
        shop.run(&["scale", "-y"].into_iter().chain(counts).collect::<Vec<_>>()).exits(0);
    };

    let seen = roll.during(|shop, _| {
        scale(shop, 4);
        scale(shop, 2);
    });

    assert_eq!(seen.named("TerminateInstances").len(), 14);
    assert_eq!(seen.fewest, all(2));
    seen.assert_never_below(2);
    roll.shop.expect_no_changes();
}

#[test]
fn swapped_rules_lead_everywhere_as_before_or_as_after() {
    let mut roll = Roll::begin();
    roll.shop.edit("priority = 2, path = \"/api/auth/*\"", "priority = 8, path = \"/api/auth/*\"");
    roll.shop.edit("priority = 8, path = \"/api/*\"", "priority = 2, path = \"/api/*\"");

    let seen = roll.during(|shop, _| drop(shop.apply()));

    let tables: Vec<&Routes> = seen.samples.iter().map(|sample| &sample.routes).collect();
    let (before, after) = (tables[0], tables[tables.len() - 1]);
    let path = |routes: &Routes, place: usize| routes[place].0.clone();
    assert_eq!((path(before, 1), path(before, 7)), (path(after, 7), path(after, 1)));
    assert!(tables.iter().all(|table| *table == before || *table == after), "{tables:?}");
    // No rule went, came, or led elsewhere meanwhile, sampled or not: a priority that AWS refuses changes nothing.
    let balancing = changing(&seen.calls)
        .into_iter()
        .filter(|call| call.service == "elasticloadbalancing" && !call.operation.ends_with("Tags"));
    let operations: Vec<&str> = balancing.map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["SetRulePriorities"]);
    assert_eq!(seen.fewest, all(2));
    seen.assert_never_below(2);
    roll.shop.expect_no_changes();
}

/// As Terraform changes a type: what the tests above find must not be found here.
#[test]
fn machines_that_are_stopped_all_at_once_are_seen() {
    let mut roll = Roll::begin();
    let machines: Vec<String> = roll.machines().into_values().flatten().collect();
    assert_eq!(machines.len(), 14);

    let seen =
        roll.during(|_, raw| drop(raw.ec2("stop_instances", json!({"InstanceIds": machines}))));

    assert_eq!(seen.fewest, all(0));
    assert_eq!(seen.sampled(), all(0));
    assert_eq!(seen.cut_off.len(), 14);
}

/// The drawn system on moto, applied. ministack can't change an instance.
struct Roll {
    account: Account,
    shop: Shop,
    /// The services' addresses by their target groups.
    services: BTreeMap<String, String>,
}

impl Roll {
    fn begin() -> Self {
        let mut account = Emulator::Moto.lend();
        let shop = Shop::on(&account);
        shop.apply();
        let inventory = Inventory::take(&mut account.raw);
        let services = inventory
            .of_topology("ecommerce")
            .into_iter()
            .filter_map(|(address, item)| {
                Some((item.id.clone(), address.strip_prefix("target_group.")?.to_owned()))
            })
            .collect();
        Self { account, shop, services }
    }

    /// Who is registered now.
    fn machines(&mut self) -> Machines {
        let groups = self.services.keys();
        groups.map(|group| (group.clone(), targets(&mut self.account.raw, group, None))).collect()
    }

    /// What is seen of the account while `work` runs.
    fn during(&mut self, work: impl FnOnce(&Shop, &mut Raw)) -> Seen {
        let machines = self.machines();
        let mut sampler = Sampler::new(Raw::start(&self.account.url()));
        let mut samples = vec![sampler.look()];
        let before = self.account.calls().len();
        let ended = AtomicBool::new(false);
        thread::scope(|scope| {
            let sampling = scope.spawn(|| {
                let mut samples = Vec::new();
                loop {
                    let last = ended.load(Ordering::SeqCst);
                    samples.push(sampler.look());
                    if last {
                        break samples;
                    }
                }
            });
            {
                // However `work` ends.
                let _end = Ended(&ended);
                work(&self.shop, &mut self.account.raw);
            }
            samples.extend(sampling.join().expect("samples"));
        });
        let calls = self.account.calls().split_off(before);
        let (fewest, cut_off) = replay(machines, &calls);
        let fewest =
            fewest.into_iter().map(|(group, count)| (self.services[&group].clone(), count));
        Seen { fewest: fewest.collect(), cut_off, samples, calls, services: self.services.clone() }
    }
}

struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Seen {
    /// By the log of calls, the fewest machines in service at any moment.
    fewest: BTreeMap<String, usize>,
    /// Machines that were stopped while requests were still sent to them.
    cut_off: BTreeSet<String>,
    samples: Vec<Sample>,
    calls: Vec<Call>,
    services: BTreeMap<String, String>,
}

impl Seen {
    /// The fewest healthy targets of each service in any sample.
    fn sampled(&self) -> BTreeMap<String, usize> {
        let mut fewest = BTreeMap::new();
        for (group, healthy) in self.samples.iter().flat_map(|sample| &sample.healthy) {
            let count = fewest.entry(self.services[group].clone()).or_insert(usize::MAX);
            *count = healthy.len().min(*count);
        }
        fewest
    }

    #[track_caller]
    fn assert_never_below(&self, floor: usize) {
        let sampled = self.sampled();
        println!("{} samples, fewest healthy {sampled:?}", self.samples.len());
        assert_eq!(sampled.keys().collect::<Vec<_>>(), all(0).keys().collect::<Vec<_>>());
        assert!(sampled.values().all(|count| *count >= floor), "{sampled:?}");
        assert_eq!(self.cut_off, BTreeSet::new());
    }

    /// The instances that an operation was asked for.
    fn named(&self, operation: &str) -> BTreeSet<&String> {
        let calls = self.calls.iter().filter(|call| call.operation == operation);
        calls.flat_map(|call| &call.names).filter(|name| name.starts_with("i-")).collect()
    }
}

fn all(count: usize) -> BTreeMap<String, usize> {
    SERVICES.map(|service| (service.to_owned(), count)).into()
}

/// Which paths lead to which target group, by priority; the default last.
type Routes = Vec<(String, String)>;

struct Sample {
    routes: Routes,
    /// Of the groups that get requests.
    healthy: Machines,
}

struct Sampler {
    raw: Raw,
    listener: Value,
}

impl Sampler {
    fn new(mut raw: Raw) -> Self {
        let balancers = raw.elb("describe_load_balancers", json!({}));
        let balancer = &balancers["LoadBalancers"][0]["LoadBalancerArn"];
        let listeners = raw.elb("describe_listeners", json!({"LoadBalancerArn": balancer}));
        let listener = listeners["Listeners"][0]["ListenerArn"].clone();
        Self { raw, listener }
    }

    fn look(&mut self) -> Sample {
        let rules = self.raw.elb("describe_rules", json!({"ListenerArn": self.listener}));
        let mut rules: Vec<&Value> = each(&rules["Rules"]).collect();
        let priority = |rule: &Value| rule["Priority"].as_str().and_then(|text| text.parse().ok());
        rules.sort_by_key(|rule| priority(rule).unwrap_or(u32::MAX));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let routes: Routes = rules
            .into_iter()
            .map(|rule| {
                let group = text(&rule["Actions"][0]["TargetGroupArn"]);
                (text(&rule["Conditions"][0]["Values"][0]), group)
            })
            .collect();
        let groups: BTreeSet<&String> = routes.iter().map(|(_, group)| group).collect();
        let healthy = groups
            .into_iter()
            .map(|group| (group.clone(), targets(&mut self.raw, group, Some("healthy"))))
            .collect();
        Sample { routes, healthy }
    }
}

/// Who is registered with a group, or who of these is in a state. moto calls every machine healthy but those that are
/// stopped, and terminating one takes it out; so one call tells who can answer at that moment.
fn targets(raw: &mut Raw, group: &str, state: Option<&str>) -> BTreeSet<String> {
    let answer = raw.elb("describe_target_health", json!({"TargetGroupArn": group}));
    each(&answer["TargetHealthDescriptions"])
        .filter(|told| state.is_none_or(|state| told["TargetHealth"]["State"] == state))
        .filter_map(|told| told["Target"]["Id"].as_str().map(str::to_owned))
        .collect()
}

/// By the log of calls: the fewest that were registered and running in each group between any two calls, and those that
/// were stopped while registered.
fn replay(mut machines: Machines, calls: &[Call]) -> (BTreeMap<String, usize>, BTreeSet<String>) {
    let (mut down, mut cut_off) = (BTreeSet::new(), BTreeSet::new());
    let mut fewest: BTreeMap<String, usize> =
        machines.iter().map(|(group, of)| (group.clone(), of.len())).collect();
    for call in calls {
        let mut instances = call.names.clone();
        instances.retain(|name| name.starts_with("i-"));
        let group = call.names.iter().find(|name| name.starts_with("arn:"));
        let registered = machines.entry(group.cloned().unwrap_or_default()).or_default();
        match call.operation.as_str() {
            "RegisterTargets" => registered.extend(instances),
            "DeregisterTargets" => registered.retain(|one| !instances.contains(one)),
            "StartInstances" => down.retain(|one| !instances.contains(one)),
            "StopInstances" | "TerminateInstances" => {
                let serving: BTreeSet<&String> = machines.values().flatten().collect();
                cut_off.extend(instances.iter().filter(|one| serving.contains(one)).cloned());
                down.extend(instances);
            }
            _ => {}
        }
        for (group, least) in &mut fewest {
            *least = machines[group].difference(&down).count().min(*least);
        }
    }
    (fewest, cut_off)
}
