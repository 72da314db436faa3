//! Who is healthy, where each path leads and who reaches the stores, at one moment.

use std::collections::BTreeMap;

use ecdeploy::cloud::sim::{Account, Object, SimCloud};
use ecdeploy::model::ADDRESS;
use ecdeploy::trace::matches;
use serde_json::Value;

const PATHS: [&str; 9] = [
    "/",
    "/api/users/1",
    "/api/auth/1",
    "/api/products/1",
    "/api/categories/1",
    "/api/orders/1",
    "/api/payments/1",
    "/api/notifications/1",
    "/api/other",
];

/// The services with a store, and on which port.
const STORES: [(&str, &str, &str); 7] = [
    ("user", "db_instance.user", "5432"),
    ("product", "db_instance.product", "5432"),
    ("order", "db_instance.order", "5432"),
    ("payment", "db_instance.payment", "5432"),
    ("notification", "db_instance.notification", "5432"),
    ("user", "cache_cluster.redis", "6379"),
    ("product", "cache_cluster.redis", "6379"),
];

/// What is seen at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Sight {
    pub healthy: BTreeMap<String, usize>,
    /// The service to which each path goes.
    pub routes: BTreeMap<&'static str, String>,
    /// Healthy machines that don't reach a store of theirs.
    pub cut_off: Vec<String>,
}

pub fn named(account: &Account, kind: &str, id: &str) -> String {
    let address = account.get(kind, id).and_then(|object| object.tags.get(ADDRESS));
    address
        .and_then(|address| address.split_once('.'))
        .map_or("nobody", |(_, name)| name)
        .to_owned()
}

pub fn of_kind<'a>(account: &'a Account, kind: &'a str) -> impl Iterator<Item = &'a Object> {
    account.objects().filter(move |object| object.kind == kind)
}

fn texts<'a>(object: &'a Object, field: &str) -> impl Iterator<Item = &'a str> {
    object.body[field].as_array().into_iter().flatten().filter_map(Value::as_str)
}

pub fn look(cloud: &SimCloud) -> Sight {
    let account = cloud.account();
    let healthy = account.serving().into_iter();
    let healthy = healthy.map(|(name, n)| (name.replace("target_group.", ""), n)).collect();
    let routes = PATHS.map(|path| {
        let takes = |rule: &&Object| texts(rule, "paths").any(|own| matches(own, path));
        let rules = of_kind(&account, "listener_rule").filter(takes);
        let first = rules.min_by_key(|rule| rule.body["priority"].as_u64());
        let default = of_kind(&account, "listener").next().expect("a listener");
        let group = first.map_or(default.text("default_target_group"), |r| r.text("target_group"));
        (path, named(&account, "target_group", group))
    });
    let mut cut_off = Vec::new();
    let groups: Vec<String> = of_kind(&account, "target_group").map(|g| g.id.clone()).collect();
    for target in account.health(&groups).iter().filter(|one| one.is_healthy()) {
        let name = named(&account, "instance", &target.target);
        let machine = account.get("instance", &target.target).expect("a machine");
        for (service, address, port) in STORES {
            let store =
                account.objects().find(|o| o.tags.get(ADDRESS).is_some_and(|a| a == address));
            let Some(store) = store.filter(|_| name.rsplit_once('-').unwrap().0 == service) else {
                continue;
            };
            if !admits(&account, store, port, machine) {
                cut_off.push(format!("{name} from {address}"));
            }
        }
    }
    Sight { healthy, routes: routes.into(), cut_off }
}

fn admits(account: &Account, store: &Object, port: &str, machine: &Object) -> bool {
    let groups = texts(store, "security_groups");
    let rules = groups
        .filter_map(|id| account.get("security_group", id))
        .flat_map(|group| group.body["ingress"].as_array().into_iter().flatten());
    rules.into_iter().any(|rule| {
        rule["ports"].as_str() == Some(port)
            && texts(machine, "security_groups").any(|group| rule["peer"] == group)
    })
}
