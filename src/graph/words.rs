//! What stands at a thing: its name, and what people ask first about it.

use serde_json::Value;

use super::picture::Picture;
use crate::kinds::{
    db_instance, instance, load_balancer, record, security_group, subnet, target_group, vpc,
};
use crate::model::{Address, Body, printable};
use crate::trace::{link, number, text};

impl Picture {
    /// The name that people know a thing by.
    pub fn title(&self, address: &Address) -> String {
        let body = self.body(address);
        let own = |field| body.map(|body| text(body, field)).filter(|name| !name.is_empty());
        let named = match address.kind() {
            kind if kind == record::SCHEMA.kind
                || kind == load_balancer::SCHEMA.kind
                || kind == security_group::SCHEMA.kind =>
            {
                own("name")
            }
            _ => None,
        };
        printable(named.unwrap_or(address.name()))
    }

    /// What there is to say beside the name, shortly.
    pub fn subtitle(&self, address: &Address) -> String {
        let Some(body) = self.body(address) else { return String::new() };
        let said = match address.kind() {
            kind if kind == instance::SCHEMA.kind => {
                words([text(body, "instance_type").to_owned(), self.served(body)])
            }
            kind if kind == target_group::SCHEMA.kind => {
                words([text(body, "protocol").to_owned(), port(body)])
            }
            kind if kind == load_balancer::SCHEMA.kind => text(body, "scheme").to_owned(),
            kind if kind == record::SCHEMA.kind => words([text(body, "type").to_owned()]),
            kind if kind == subnet::SCHEMA.kind || kind == vpc::SCHEMA.kind => {
                text(body, "cidr_block").to_owned()
            }
            _ => words([
                text(body, "engine").to_owned(),
                text(body, "engine_version").to_owned(),
                port(body),
            ]),
        };
        printable(&said)
    }

    /// The size of a database or cache.
    pub fn size(&self, address: &Address) -> String {
        let Some(body) = self.body(address) else { return String::new() };
        let class = match address.kind() {
            kind if kind == db_instance::SCHEMA.kind => text(body, "instance_class"),
            _ => text(body, "node_type"),
        };
        let storage = number(body, "allocated_storage").map(|size| format!("{size} GB"));
        printable(&words([class.to_owned(), storage.unwrap_or_default()]))
    }

    /// The port on which a machine serves: its target group's.
    fn served(&self, machine: &Body) -> String {
        let group = link(machine, target_group::SCHEMA.kind);
        let group = group.and_then(|named| self.body(named.ours()?));
        group.map(port).unwrap_or_default()
    }
}

fn port(body: &Body) -> String {
    let port = body.get("port").and_then(Value::as_u64);
    port.map(|port| format!(":{port}")).unwrap_or_default()
}

fn words(words: impl IntoIterator<Item = String>) -> String {
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(" ")
}
