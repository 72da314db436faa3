//! The system as it is drawn, told independently of `topology.toml`, and compared with what raw calls see.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::inventory::{Inventory, Item, each};

/// Service, port, health check.
const SERVICES: &[(&str, u16, &str)] = &[
    ("user", 3001, "/health"),
    ("product", 3002, "/health"),
    ("order", 3003, "/health"),
    ("payment", 3004, "/health"),
    ("notification", 3005, "/health"),
    ("gateway", 8080, "/health"),
    ("frontend", 3000, "/"),
];

/// The listener's rules in order; the frontend is the default.
const ROUTES: &[(&str, &str)] = &[
    ("/api/users/*", "user"),
    ("/api/auth/*", "user"),
    ("/api/products/*", "product"),
    ("/api/categories/*", "product"),
    ("/api/orders/*", "order"),
    ("/api/payments/*", "payment"),
    ("/api/notifications/*", "notification"),
    ("/api/*", "gateway"),
];

const DATABASES: &[&str] = &["user", "product", "order", "payment", "notification"];

/// Subnet, block, zone, whether it gives public addresses.
const SUBNETS: &[(&str, &str, &str, bool)] = &[
    ("public-1", "10.0.1.0/24", "ap-southeast-1a", true),
    ("public-2", "10.0.2.0/24", "ap-southeast-1b", true),
    ("private-1", "10.0.11.0/24", "ap-southeast-1a", false),
    ("private-2", "10.0.12.0/24", "ap-southeast-1b", false),
];

/// How many settings the services have in all.
const SETTINGS: usize = 38;

const SSH_FROM: &str = "203.0.113.10/32";

/// A look at the drawn system: its resources by address.
pub struct Drawn<'a> {
    inventory: &'a Inventory,
    ours: BTreeMap<String, &'a Item>,
}

impl<'a> Drawn<'a> {
    pub fn in_account(inventory: &'a Inventory) -> Self {
        Self { inventory, ours: inventory.of_topology("ecommerce") }
    }

    #[track_caller]
    pub fn at(&self, address: &str) -> &'a Item {
        self.ours.get(address).unwrap_or_else(|| {
            panic!("no {address} among {:?}", self.ours.keys().collect::<Vec<_>>())
        })
    }

    fn id(&self, address: &str) -> &'a str {
        &self.at(address).id
    }

    /// Everything on the drawing is there, as drawn, and nothing else bears our tags.
    pub fn assert_complete(&self) {
        self.network();
        self.security_groups();
        self.balancing();
        self.instances();
        self.databases();
        self.cache();
        self.services();
        let services = SERVICES.len();
        let network = 1 + 1 + 2 + SUBNETS.len() + 4;
        let balancing = 1 + 1 + ROUTES.len() + services;
        let data = 1 + DATABASES.len() + 2;
        assert_eq!(
            self.ours.len(),
            network + balancing + 4 * services + data + SETTINGS,
            "{:?}",
            self.ours.keys()
        );
    }

    /// Each service has a role of its own, its machines bear it, and its settings are published.
    fn services(&self) {
        for &(name, port, _) in SERVICES {
            let role = self.at(&format!("iam_role.{name}"));
            let profile = self.at(&format!("instance_profile.{name}"));
            assert_eq!(profile.facts["Roles"][0]["Arn"], json!(role.id), "{name}");
            for machine in ["1", "2"] {
                let machine = self.at(&format!("instance.{name}-{machine}"));
                assert_eq!(machine.facts["IamInstanceProfile"]["Arn"], json!(profile.id), "{name}");
            }
            let setting = self.at(&format!("ssm_parameter.{name}/PORT"));
            assert_eq!(setting.text("Name"), format!("/ecommerce/{name}/PORT"));
            assert_eq!(setting.text("Value"), port.to_string());
        }
        for name in DATABASES {
            let database = self.at(&format!("db_instance.{name}"));
            let setting = |key: &str| {
                self.at(&format!("ssm_parameter.{name}/DATABASE_{key}")).facts["Value"].clone()
            };
            let secret = &database.facts["MasterUserSecret"]["SecretArn"];
            assert_eq!(setting("HOST"), database.facts["Endpoint"]["Address"], "{name}");
            assert_eq!(setting("SECRET_ARN"), *secret, "{name}");
            let policies = self.at(&format!("iam_role.{name}")).facts["RolePolicyList"].to_string();
            assert!(policies.contains(secret.as_str().unwrap_or_default()), "{name}: {policies}");
        }
    }

    fn network(&self) {
        let vpc = self.at("vpc.main");
        assert_eq!(vpc.text("CidrBlock"), "10.0.0.0/16");
        let gateway = self.at("internet_gateway.main");
        assert_eq!(gateway.facts["Attachments"][0]["VpcId"], json!(vpc.id));
        for &(name, block, zone, public) in SUBNETS {
            let subnet = self.at(&format!("subnet.{name}"));
            let seen = ["VpcId", "CidrBlock", "AvailabilityZone"].map(|fact| subnet.text(fact));
            assert_eq!(seen, [vpc.id.as_str(), block, zone], "{name}");
            assert_eq!(subnet.facts["MapPublicIpOnLaunch"], json!(public), "{name}");
            let table = self.at(if public { "route_table.public" } else { "route_table.private" });
            let mut associated = each(&table.facts["Associations"]);
            assert!(
                associated.any(|one| one["SubnetId"] == json!(subnet.id)),
                "table of {name}: {table:?}"
            );
        }
        let out = |table: &str| -> Vec<Value> {
            each(&self.at(table).facts["Routes"])
                .filter(|route| route["DestinationCidrBlock"] == "0.0.0.0/0")
                .map(|route| route["GatewayId"].clone())
                .collect()
        };
        assert_eq!(out("route_table.public"), [json!(gateway.id)]);
        assert_eq!(out("route_table.private"), [] as [Value; 0]);
    }

    fn security_groups(&self) {
        let [balancer, machines] =
            ["alb", "ec2"].map(|name| self.id(&format!("security_group.{name}")));
        let mut into_machines = vec![(22, SSH_FROM)];
        into_machines.extend(SERVICES.iter().map(|&(_, port, _)| (i64::from(port), balancer)));
        for (key, name, ingress) in [
            ("alb", "ALB-SG", vec![(80, "0.0.0.0/0"), (443, "0.0.0.0/0")]),
            ("ec2", "EC2-SG", into_machines),
            ("rds", "RDS-SG", vec![(5432, machines)]),
            ("redis", "Redis-SG", vec![(6379, machines)]),
        ] {
            let group = self.at(&format!("security_group.{key}"));
            assert_eq!(group.text("GroupName"), name);
            assert_eq!(group.text("VpcId"), self.id("vpc.main"));
            let drawn: BTreeSet<String> =
                ingress.iter().map(|(port, from)| format!("tcp {port}-{port} {from}")).collect();
            assert_eq!(rules(&group.facts["IpPermissions"]), drawn, "into {name}");
            let all = BTreeSet::from(["-1 - 0.0.0.0/0".to_owned()]);
            assert_eq!(rules(&group.facts["IpPermissionsEgress"]), all, "out of {name}");
        }
    }

    fn balancing(&self) {
        let balancer = self.at("load_balancer.main");
        assert_eq!(balancer.text("LoadBalancerName"), "ecommerce-alb");
        assert_eq!(balancer.text("Scheme"), "internet-facing");
        assert_eq!(balancer.facts["SecurityGroups"], json!([self.id("security_group.alb")]));
        let placed: BTreeSet<&str> = each(&balancer.facts["AvailabilityZones"])
            .filter_map(|zone| zone["SubnetId"].as_str())
            .collect();
        assert_eq!(
            placed,
            BTreeSet::from([self.id("subnet.public-1"), self.id("subnet.public-2")])
        );

        let listener = self.at("listener.http");
        assert_eq!((&listener.facts["Port"], listener.text("Protocol")), (&json!(80), "HTTP"));
        assert_eq!(target_of(&listener.facts["DefaultActions"]), self.id("target_group.frontend"));
        let rules = self.inventory.of_kind("listener_rule");
        let seen: BTreeMap<&str, (&str, &str)> = rules
            .iter()
            .filter(|rule| {
                rule.id.starts_with(&listener.id.replace(":listener/", ":listener-rule/"))
            })
            .map(|rule| {
                let path = rule.facts["Conditions"][0]["Values"][0].as_str().unwrap_or_default();
                (rule.text("Priority"), (path, target_of(&rule.facts["Actions"])))
            })
            .collect();
        let priorities: Vec<String> =
            (1..=ROUTES.len()).map(|priority| priority.to_string()).collect();
        let drawn = ROUTES
            .iter()
            .zip(&priorities)
            .map(|(&(path, to), priority)| {
                (priority.as_str(), (path, self.id(&format!("target_group.{to}"))))
            })
            .collect();
        assert_eq!(seen, drawn);

        for &(service, port, path) in SERVICES {
            let group = self.at(&format!("target_group.{service}"));
            let facts = &group.facts;
            assert_eq!(facts["Port"], json!(port), "{service}");
            assert_eq!(group.text("HealthCheckPath"), path, "{service}");
            let check = ["HealthCheckIntervalSeconds", "HealthCheckTimeoutSeconds"]
                .map(|fact| &facts[fact]);
            assert_eq!(check, [&json!(30), &json!(5)], "{service}");
            let thresholds =
                ["HealthyThresholdCount", "UnhealthyThresholdCount"].map(|fact| &facts[fact]);
            assert_eq!(thresholds, [&json!(2), &json!(3)], "{service}");
            let targets: BTreeSet<(&str, u64)> = each(&facts["Targets"])
                .map(|one| &one["Target"])
                .map(|one| {
                    (
                        one["Id"].as_str().unwrap_or_default(),
                        one["Port"].as_u64().unwrap_or_default(),
                    )
                })
                .collect();
            let drawn =
                [1, 2].map(|n| (self.id(&format!("instance.{service}-{n}")), u64::from(port)));
            assert_eq!(targets, BTreeSet::from(drawn), "targets of {service}");
        }
    }

    fn instances(&self) {
        let groups = json!([self.id("security_group.ec2")]);
        for (service, n) in SERVICES.iter().flat_map(|&(service, ..)| [(service, 1), (service, 2)])
        {
            let name = format!("instance.{service}-{n}");
            let facts = &self.at(&name).facts;
            assert_eq!(facts["State"]["Name"], "running", "{name}");
            assert_eq!(facts["InstanceType"], "t3.small", "{name}");
            assert_eq!(facts["SubnetId"], json!(self.id(&format!("subnet.public-{n}"))), "{name}");
            let zone = if n == 1 { "ap-southeast-1a" } else { "ap-southeast-1b" };
            assert_eq!(facts["Placement"]["AvailabilityZone"], zone, "{name}");
            let seen: Value =
                each(&facts["SecurityGroups"]).map(|group| group["GroupId"].clone()).collect();
            assert_eq!(seen, groups, "{name}");
            assert!(facts["PublicIpAddress"].is_string(), "{name} has no public address");
            assert_eq!(facts["MetadataOptions"]["HttpTokens"], "required", "{name}");
            let volumes: Vec<&Item> = each(&facts["BlockDeviceMappings"])
                .filter_map(|mapping| self.inventory.0.get(mapping["Ebs"]["VolumeId"].as_str()?))
                .collect();
            let seen: Vec<_> =
                volumes.iter().map(|one| (&one.facts["Encrypted"], &one.facts["Size"])).collect();
            assert_eq!(seen, [(&json!(true), &json!(8))], "volumes of {name}");
        }
    }

    fn databases(&self) {
        let private =
            BTreeSet::from(["subnet.private-1", "subnet.private-2"].map(|name| self.id(name)));
        for database in DATABASES {
            let one = self.at(&format!("db_instance.{database}"));
            for (fact, drawn) in [
                ("Engine", json!("postgres")),
                ("DBInstanceClass", json!("db.t3.micro")),
                ("AllocatedStorage", json!(20)),
                ("MultiAZ", json!(true)),
                ("StorageEncrypted", json!(true)),
                ("PubliclyAccessible", json!(false)),
            ] {
                assert_eq!(one.facts[fact], drawn, "{fact} of {database}");
            }
            assert_eq!(one.facts["Endpoint"]["Port"], json!(5432), "{database}");
            assert!(
                one.facts["MasterUserSecret"]["SecretArn"].is_string(),
                "{database} keeps no secret"
            );
            let groups = &one.facts["VpcSecurityGroups"];
            assert_eq!(
                groups[0]["VpcSecurityGroupId"],
                json!(self.id("security_group.rds")),
                "{database}"
            );
            let subnets: BTreeSet<&str> = each(&one.facts["DBSubnetGroup"]["Subnets"])
                .filter_map(|subnet| subnet["SubnetIdentifier"].as_str())
                .collect();
            assert_eq!(subnets, private, "{database}");
        }
    }

    fn cache(&self) {
        let cache = self.at("cache_cluster.redis");
        let seen =
            ["Engine", "CacheNodeType", "PreferredAvailabilityZone"].map(|fact| cache.text(fact));
        assert_eq!(seen, ["redis", "cache.t3.micro", "ap-southeast-1a"]);
        assert_eq!(cache.facts["NumCacheNodes"], json!(1));
        let group = &cache.facts["SecurityGroups"][0]["SecurityGroupId"];
        assert_eq!(group, &json!(self.id("security_group.redis")));
        let subnets = self.at("cache_subnet_group.redis");
        assert_eq!(cache.text("CacheSubnetGroupName"), subnets.text("CacheSubnetGroupName"));
    }
}

/// Each rule as `protocol ports source`.
fn rules(permissions: &Value) -> BTreeSet<String> {
    let number =
        |value: &Value| value.as_i64().filter(|port| *port >= 0).map(|port| port.to_string());
    let mut found = BTreeSet::new();
    for permission in each(permissions) {
        let [from, to] =
            ["FromPort", "ToPort"].map(|end| number(&permission[end]).unwrap_or_default());
        let blocks = each(&permission["IpRanges"]).map(|one| &one["CidrIp"]);
        let wide = each(&permission["Ipv6Ranges"]).map(|one| &one["CidrIpv6"]);
        let groups = each(&permission["UserIdGroupPairs"]).map(|one| &one["GroupId"]);
        for source in blocks.chain(wide).chain(groups).filter_map(Value::as_str) {
            let protocol = permission["IpProtocol"].as_str().unwrap_or_default();
            found.insert(format!("{protocol} {from}-{to} {source}"));
        }
    }
    found
}

/// The one target group that actions forward to.
fn target_of(actions: &Value) -> &str {
    let action = &actions[0];
    let simple = action["TargetGroupArn"].as_str();
    let weighted = action["ForwardConfig"]["TargetGroups"][0]["TargetGroupArn"].as_str();
    simple.or(weighted).unwrap_or_default()
}
