//! All that an account holds, as raw calls tell it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value, json};

use crate::raw::Raw;

pub const TOPOLOGY: &str = "ecdeploy:topology";
pub const ADDRESS: &str = "ecdeploy:address";

/// ELB tells the tags of so many resources a call.
const TAGS_PER_CALL: usize = 20;

/// What differs between two looks at the same thing, or follows from what stands in it.
const VOLATILE: &[&str] = &["LatestRestorableTime", "AvailableIpAddressCount"];

/// One resource, whoever it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub kind: &'static str,
    pub id: String,
    pub tags: BTreeMap<String, String>,
    pub facts: Value,
}

impl Item {
    /// A fact that is text.
    pub fn text(&self, name: &str) -> &str {
        self.facts[name].as_str().unwrap_or_default()
    }

    fn tag(&self, name: &str) -> &str {
        self.tags.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// All resources by id.
#[derive(Clone, Debug, PartialEq)]
pub struct Inventory(pub BTreeMap<String, Item>);

/// Where a kind's resources are listed: kind, service, operation, key of the list, key of the id.
const LISTINGS: &[(&str, &str, &str, &str, &str)] = &[
    ("vpc", "ec2", "describe_vpcs", "Vpcs", "VpcId"),
    ("subnet", "ec2", "describe_subnets", "Subnets", "SubnetId"),
    (
        "internet_gateway",
        "ec2",
        "describe_internet_gateways",
        "InternetGateways",
        "InternetGatewayId",
    ),
    ("route_table", "ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    ("security_group", "ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    ("volume", "ec2", "describe_volumes", "Volumes", "VolumeId"),
    ("load_balancer", "elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
    ("target_group", "elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn"),
    ("db_instance", "rds", "describe_db_instances", "DBInstances", "DBInstanceArn"),
    ("db_subnet_group", "rds", "describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupArn"),
    ("cache_cluster", "elasticache", "describe_cache_clusters", "CacheClusters", "ARN"),
    (
        "cache_subnet_group",
        "elasticache",
        "describe_cache_subnet_groups",
        "CacheSubnetGroups",
        "ARN",
    ),
];

impl Inventory {
    /// Looks at everything. An instance that is terminated is no more.
    pub fn take(raw: &mut Raw) -> Self {
        let mut items = Vec::new();
        for &(kind, service, operation, list, id) in LISTINGS {
            let answer = raw.call(service, operation, json!({}));
            items.extend(each(&answer[list]).map(|facts| item(kind, id, facts)));
        }
        items.extend(instances(raw));
        items.extend(services(raw));
        items.extend(listeners(raw, &items));
        with_targets(raw, &mut items);
        with_tags(raw, &mut items);
        Self(items.into_iter().map(|item| (item.id.clone(), item)).collect())
    }

    pub fn of_kind(&self, kind: &str) -> Vec<&Item> {
        self.0.values().filter(|item| item.kind == kind).collect()
    }

    /// What bears a topology's tag, by address.
    pub fn of_topology(&self, name: &str) -> BTreeMap<String, &Item> {
        let ours = self.0.values().filter(|item| item.tag(TOPOLOGY) == name);
        // A root volume is tagged too, under its instance's address.
        ours.filter(|item| item.kind != "volume")
            .map(|item| (item.tag(ADDRESS).to_owned(), item))
            .collect()
    }

    /// Everything but what bears a topology's tag.
    pub fn beside(&self, name: &str) -> Self {
        let others = self.0.iter().filter(|(_, item)| item.tag(TOPOLOGY) != name);
        Self(others.map(|(id, item)| (id.clone(), item.clone())).collect())
    }

    /// Which addresses are not the same resources as before.
    pub fn moved(&self, before: &Self, name: &str) -> BTreeSet<String> {
        let (now, then) = (self.of_topology(name), before.of_topology(name));
        let addresses: BTreeSet<&String> = now.keys().chain(then.keys()).collect();
        let same = |address: &String| {
            now.get(address).map(|item| &item.id) == then.get(address).map(|item| &item.id)
        };
        addresses.into_iter().filter(|address| !same(address)).cloned().collect()
    }

    /// Fails, saying what differs, unless both are the same to the last field.
    #[track_caller]
    pub fn assert_same(&self, before: &Self, when: &str) {
        let mut told = String::new();
        let ids: BTreeSet<&String> = self.0.keys().chain(before.0.keys()).collect();
        for id in ids {
            match (before.0.get(id), self.0.get(id)) {
                (Some(item), None) => writeln!(told, "gone: {} {id}", item.kind),
                (None, Some(item)) => writeln!(told, "new: {} {id} {:?}", item.kind, item.tags),
                (Some(then), Some(now)) if then != now => {
                    writeln!(told, "changed: {} {id}{}", now.kind, differences(then, now))
                }
                _ => Ok(()),
            }
            .expect("text");
        }
        assert!(told.is_empty(), "{when}, the account is not as before:\n{told}");
    }
}

fn differences(then: &Item, now: &Item) -> String {
    let mut told = String::new();
    if then.tags != now.tags {
        told += &format!("\n  tags\n    before {:?}\n    after  {:?}", then.tags, now.tags);
    }
    let facts = |item: &Item| item.facts.as_object().cloned().unwrap_or_default();
    let (then, now) = (facts(then), facts(now));
    let names: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    for name in names.into_iter().filter(|name| then.get(*name) != now.get(*name)) {
        let told_of = |facts: &serde_json::Map<String, Value>| {
            facts.get(name).map_or("(nothing)".to_owned(), Value::to_string)
        };
        told += &format!("\n  {name}\n    before {}\n    after  {}", told_of(&then), told_of(&now));
    }
    told
}

/// The elements of a list.
pub fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

fn item(kind: &'static str, id: &str, facts: &Value) -> Item {
    let mut facts = facts.clone();
    if let Value::Object(map) = &mut facts {
        map.retain(|key, _| !VOLATILE.contains(&key.as_str()));
    }
    let tags = if facts["TagList"].is_array() { &facts["TagList"] } else { &facts["Tags"] };
    let id = facts[id].as_str().unwrap_or_else(|| panic!("{id} of {facts}")).to_owned();
    Item { kind, id, tags: tags_of(tags), facts }
}

fn tags_of(list: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    each(list).map(|tag| (text(&tag["Key"]), text(&tag["Value"]))).collect()
}

fn instances(raw: &mut Raw) -> Vec<Item> {
    let answer = raw.ec2("describe_instances", json!({}));
    each(&answer["Reservations"])
        .flat_map(|reservation| each(&reservation["Instances"]))
        .filter(|instance| instance["State"]["Name"] != "terminated")
        .map(|instance| item("instance", "InstanceId", instance))
        .collect()
}

/// Roles, profiles and settings.
fn services(raw: &mut Raw) -> Vec<Item> {
    let roles = raw.call("iam", "get_account_authorization_details", json!({"Filter": ["Role"]}));
    let mut found: Vec<Item> =
        each(&roles["RoleDetailList"]).map(|facts| item("iam_role", "Arn", facts)).collect();
    let profiles = raw.call("iam", "list_instance_profiles", json!({}));
    for facts in each(&profiles["InstanceProfiles"]) {
        let name = json!({"InstanceProfileName": facts["InstanceProfileName"]});
        let told = raw.call("iam", "list_instance_profile_tags", name);
        found.push(Item { tags: tags_of(&told["Tags"]), ..item("instance_profile", "Arn", facts) });
    }
    for facts in parameters(raw) {
        let name = json!({"ResourceType": "Parameter", "ResourceId": facts["Name"]});
        let told = raw.call("ssm", "list_tags_for_resource", name);
        let value = raw.call("ssm", "get_parameter", json!({"Name": facts["Name"]}));
        let mut found_one =
            Item { tags: tags_of(&told["TagList"]), ..item("ssm_parameter", "Name", &facts) };
        found_one.facts["Value"] = value["Parameter"]["Value"].clone();
        found.push(found_one);
    }
    found
}

/// The settings of the topologies in these tests: without AWS's own, which moto lists and AWS does not.
fn parameters(raw: &mut Raw) -> Vec<Value> {
    let mut found = Vec::new();
    for topology in ["/ecommerce/", "/second/"] {
        let named = json!([{"Key": "Name", "Option": "BeginsWith", "Values": [topology]}]);
        let asked = json!({"MaxResults": 50, "ParameterFilters": named});
        let answer = raw.call("ssm", "describe_parameters", asked);
        assert!(answer["NextToken"].is_null(), "more parameters than a page holds");
        found.extend(each(&answer["Parameters"]).cloned());
    }
    found
}

/// Listeners and their rules, which are listed by parent. The default rule is the listener's own.
fn listeners(raw: &mut Raw, items: &[Item]) -> Vec<Item> {
    let mut found = Vec::new();
    for balancer in items.iter().filter(|item| item.kind == "load_balancer") {
        let answer = raw.elb("describe_listeners", json!({"LoadBalancerArn": balancer.id}));
        found
            .extend(each(&answer["Listeners"]).map(|facts| item("listener", "ListenerArn", facts)));
    }
    let mut rules = Vec::new();
    for listener in &found {
        let answer = raw.elb("describe_rules", json!({"ListenerArn": listener.id}));
        let explicit = each(&answer["Rules"]).filter(|rule| rule["IsDefault"] != true);
        rules.extend(explicit.map(|facts| item("listener_rule", "RuleArn", facts)));
    }
    found.append(&mut rules);
    found
}

/// Puts who is registered with a target group among its facts, as `Targets`.
fn with_targets(raw: &mut Raw, items: &mut [Item]) {
    for group in items.iter_mut().filter(|item| item.kind == "target_group") {
        let answer = raw.elb("describe_target_health", json!({"TargetGroupArn": group.id}));
        let mut targets: Vec<Value> = each(&answer["TargetHealthDescriptions"]).cloned().collect();
        targets.sort_by_key(Value::to_string);
        group.facts["Targets"] = Value::Array(targets);
    }
}

/// Adds the tags that a description lacks.
fn with_tags(raw: &mut Raw, items: &mut [Item]) {
    let of_elb = ["load_balancer", "listener", "listener_rule", "target_group"];
    let arns: Vec<String> = items
        .iter()
        .filter(|item| of_elb.contains(&item.kind))
        .map(|item| item.id.clone())
        .collect();
    let mut tags = BTreeMap::new();
    for some in arns.chunks(TAGS_PER_CALL) {
        let answer = raw.elb("describe_tags", json!({"ResourceArns": some}));
        for told in each(&answer["TagDescriptions"]) {
            let arn = told["ResourceArn"].as_str().expect("an ARN").to_owned();
            tags.insert(arn, tags_of(&told["Tags"]));
        }
    }
    for item in items {
        let service = match item.kind {
            "db_subnet_group" => "rds",
            "cache_cluster" | "cache_subnet_group" => "elasticache",
            _ => {
                if let Some(found) = tags.remove(&item.id) {
                    item.tags = found;
                }
                continue;
            }
        };
        let answer = raw.call(service, "list_tags_for_resource", json!({"ResourceName": item.id}));
        item.tags = tags_of(&answer["TagList"]);
    }
}
