//! Random topologies that are valid, small, and have a bit of everything; and random edits of them.

use std::collections::BTreeSet;
use std::fmt::Write;

use fastrand::Rng;

/// What a topology is written from.
#[derive(Clone, Debug)]
pub struct Shape {
    services: Vec<Service>,
    databases: Vec<Database>,
    /// How many replicas the cache has, if there is one.
    cache: Option<u8>,
    cache_type: &'static str,
    ssh: u8,
    group: u8,
    balancer: u8,
    /// The blocks that are protected, by what stands in their brackets.
    protected: BTreeSet<String>,
}

#[derive(Clone, Debug)]
struct Service {
    name: &'static str,
    port: u16,
    count: u8,
    kind: &'static str,
    volume: u8,
    ami: &'static str,
    interval: u8,
    swapped: bool,
    uses: Option<&'static str>,
    cached: bool,
    parallel: u8,
}

#[derive(Clone, Debug)]
struct Database {
    name: &'static str,
    class: &'static str,
    storage: u16,
    now: bool,
}

const SERVICES: &[&str] = &["user", "order", "gateway"];
const DATABASES: &[&str] = &["user", "order"];
const TYPES: &[&str] = &["t3.small", "t3.medium", "t3.large"];
const AMIS: &[&str] = &["ami-0123456789abcdef0", "ami-0123456789abcdef1"];

fn one<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.usize(..of.len())]
}

impl Shape {
    pub fn random(rng: &mut Rng) -> Self {
        let services = rng.usize(1..=2);
        let mut shape = Self {
            services: Vec::new(),
            databases: Vec::new(),
            cache: rng.bool().then_some(0),
            cache_type: "cache.t3.micro",
            ssh: 10,
            group: 0,
            balancer: 0,
            protected: BTreeSet::new(),
        };
        for name in &SERVICES[..services] {
            shape.add(rng, name);
        }
        if rng.bool() {
            shape.databases.push(database("user"));
        }
        shape.link();
        shape
    }

    fn add(&mut self, rng: &mut Rng, name: &'static str) {
        let place = SERVICES.iter().position(|known| *known == name).unwrap_or(0);
        self.services.push(Service {
            name,
            port: 3000 + u16::try_from(place).unwrap_or(0),
            count: rng.u8(1..=3),
            kind: one(rng, TYPES),
            volume: 8,
            ami: AMIS[0],
            interval: 30,
            swapped: false,
            uses: None,
            cached: false,
            parallel: 1,
        });
    }

    /// Services use the database of their name, and the cache, where there is one.
    fn link(&mut self) {
        for service in &mut self.services {
            let own = self.databases.iter().find(|database| database.name == service.name);
            service.uses = own.map(|own| own.name);
            service.cached = self.cache.is_some() && service.name == "user";
        }
    }

    /// Somebody edits the file.
    pub fn edit(&mut self, rng: &mut Rng) {
        for _ in 0..rng.usize(1..=3) {
            self.edit_once(rng);
        }
        self.link();
    }

    /// Somebody protects something, or takes that back. What is gone is not spoken of any more.
    fn protect(&mut self, rng: &mut Rng) {
        let blocks = self.blocks();
        let block = &blocks[rng.usize(..blocks.len())];
        if !self.protected.remove(block) {
            self.protected.insert(block.clone());
        }
        self.protected.retain(|block| blocks.contains(block));
    }

    fn blocks(&self) -> Vec<String> {
        let plain = ["vpc", "load_balancer", "security_group.rds", "security_group.ec2"];
        let services = self.services.iter().map(|service| format!("service.{}", service.name));
        let databases = self.databases.iter().map(|one| format!("database.{}", one.name));
        let cache = self.cache.map(|_| "cache.redis".to_owned());
        plain.map(str::to_owned).into_iter().chain(services).chain(databases).chain(cache).collect()
    }

    fn edit_once(&mut self, rng: &mut Rng) {
        let at = rng.usize(..self.services.len());
        let service = &mut self.services[at];
        match rng.u8(..22) {
            0 | 1 => service.count = rng.u8(1..=4),
            2 | 3 => service.kind = one(rng, TYPES),
            4 => service.volume = rng.u8(8..12),
            5 => service.ami = one(rng, AMIS),
            6 => {
                service.port =
                    if service.port < 3100 { service.port + 100 } else { service.port - 100 }
            }
            7 => service.interval = rng.u8(10..40),
            8 => service.swapped = !service.swapped,
            9 => service.parallel = rng.u8(1..=2),
            10 => {
                let absent =
                    SERVICES.iter().find(|name| self.services.iter().all(|s| s.name != **name));
                if let Some(name) = absent {
                    self.add(rng, name);
                }
            }
            11 if self.services.len() > 1 => {
                self.services.pop();
            }
            12 => self.cache = if self.cache.is_some() { None } else { Some(rng.u8(0..2)) },
            13 => self.cache_type = one(rng, &["cache.t3.micro", "cache.t3.small"]),
            14 => {
                let absent =
                    DATABASES.iter().find(|name| self.databases.iter().all(|d| d.name != **name));
                match absent {
                    Some(name) => self.databases.push(database(name)),
                    None => {
                        self.databases.pop();
                    }
                }
            }
            15 => {
                if let Some(database) = self.databases.first_mut() {
                    database.class = one(rng, &["db.t3.micro", "db.t3.small"]);
                    database.now = rng.bool();
                }
            }
            16 => self.ssh = rng.u8(1..20),
            17 => self.group = 1 - self.group,
            18..=20 => self.protect(rng),
            21 => self.balancer = 1 - self.balancer,
            _ => {}
        }
    }

    /// The file.
    pub fn text(&self) -> String {
        let mut text = String::from(
            r#"name = "shop"
account = "123456789012"
region = "ap-southeast-1"
[vpc]
cidr_block = "10.0.0.0/16"
[subnet]
a = { cidr_block = "10.0.1.0/24", zone = "a", public = true }
b = { cidr_block = "10.0.2.0/24", zone = "b", public = true }
[security_group.alb]
name = "ALB-SG"
ingress = [{ port = 80, from = "0.0.0.0/0" }]
[security_group.rds]
name = "RDS-SG"
[defaults.service]
deregistration_delay = 10
subnets = ["a", "b"]
security_groups = ["ec2"]
health_check = { path = "/health", interval = 30, timeout = 5 }
[defaults.database]
engine_version = "16"
allocated_storage = 20
subnets = ["a", "b"]
security_groups = ["rds"]
"#,
        );
        let Self { ssh, group, balancer, .. } = self;
        let _ = writeln!(
            text,
            "[security_group.ec2]\nname = \"EC2-SG{group}\"\ningress = [{{ port = 22, from = \"203.0.113.{ssh}/32\" }}]"
        );
        let default = self.services[0].name;
        let _ = writeln!(
            text,
            "[load_balancer]\nname = \"alb{balancer}\"\nsubnets = [\"a\", \"b\"]\nsecurity_groups = [\"alb\"]\ndefault_service = \"{default}\""
        );
        for (index, service) in self.services.iter().enumerate() {
            let Service { name, port, count, kind, volume, ami, interval, swapped, .. } = service;
            let first = 10 * (index + 1);
            let (one, two) = if *swapped { (first + 1, first) } else { (first, first + 1) };
            let mut uses: Vec<String> =
                service.uses.iter().map(|name| format!("\"database.{name}\"")).collect();
            if service.cached {
                uses.push("\"cache.redis\"".to_owned());
            }
            let parallel = service.parallel.min(*count);
            let least = count - parallel;
            let _ = writeln!(
                text,
                "[service.{name}]\nport = {port}\ncount = {count}\ninstance_type = \"{kind}\"\nami = \"{ami}\"\n\
                 root_volume = {{ size = {volume}, type = \"gp3\" }}\nuses = [{}]\n\
                 health_check = {{ path = \"/health\", interval = {interval}, timeout = 5 }}\n\
                 rolling = {{ max_parallel = {parallel}, min_healthy = {least} }}\n\
                 routes = [{{ priority = {one}, path = \"/{name}/a/*\" }}, {{ priority = {two}, path = \"/{name}/*\" }}]",
                uses.join(", ")
            );
        }
        for Database { name, class, storage, now } in &self.databases {
            let _ = writeln!(
                text,
                "[database.{name}]\ninstance_class = \"{class}\"\nallocated_storage = {storage}\napply_immediately = {now}"
            );
        }
        if let Some(replicas) = self.cache {
            let _ = writeln!(
                text,
                "[security_group.redis]\nname = \"Redis-SG\"\n[cache.redis]\nengine_version = \"7.1\"\nnode_type = \"{}\"\nzone = \"a\"\n\
                 replicas = {replicas}\nsubnets = [\"a\", \"b\"]\nsecurity_groups = [\"redis\"]",
                self.cache_type
            );
        }
        for block in &self.protected {
            let head = format!("[{block}]\n");
            text = text.replacen(&head, &format!("{head}protect = true\n"), 1);
        }
        text
    }
}

fn database(name: &'static str) -> Database {
    Database { name, class: "db.t3.micro", storage: 20, now: true }
}
