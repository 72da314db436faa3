//! Snapshot -> Terraform: a resource for each that is managed and its parts, and an import block for each of these.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::hcl::{Block, Expression, Item};
use super::names::Names;
use crate::kinds::terraform::{Argument, OUR_TAGS, One, Terraform, called, document, tags, worded};
use crate::kinds::{REGISTRY, by_name, instance};
use crate::model::{Address, Late, late};
use crate::snapshot::{Resource, Snapshot};

/// The files there may be.
pub const FILES: [&str; 5] =
    ["providers.tf", "imports.tf", "main.tf", "user_data.tf", "attachments.tf"];

/// One file.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    pub name: &'static str,
    pub text: String,
}

/// What there is to leave with.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    pub files: Vec<File>,
    /// How many resources of Terraform's are imported.
    pub imports: usize,
    /// How many it can't import.
    pub others: usize,
}

/// The variable that has Terraform take over what it can't import.
const ATTACHMENTS: &str = "manage_attachments";

/// Everything of the snapshot that stays, as Terraform is to find it.
pub fn export(snapshot: &Snapshot, account: &str, region: &str) -> Export {
    let kept = |kind: &str| {
        let kind = kind.to_owned();
        snapshot.resources.values().filter(move |one| one.address.kind() == kind)
    };
    let all: Vec<&Resource> = REGISTRY.iter().flat_map(|kind| kept(kind.schema().kind)).collect();
    let mut names = Names::default();
    let scripts = scripts(&all, &mut names);
    let known = all.iter().filter_map(|one| {
        let terraform = terraform(&one.address)?;
        let name = names.of(terraform.resource, one.address.name());
        Some((&one.address, format!("{}.{name}", terraform.resource)))
    });
    let writer = Writer { known: known.collect(), scripts: &scripts };
    let mut written = Parts::default();
    for resource in all {
        writer.resource(resource, &mut names, &mut written);
    }
    // A block each: `terraform fmt` would have the equals signs of one block below each other.
    let locals = scripts.iter().filter_map(|(digest, name)| {
        let text = Expression::Text(snapshot.texts.get(digest)?.clone());
        Some(Block::new("locals").with(name, text))
    });
    let (imports, others) = (written.imports.len(), written.others.len());
    let switch = (others > 0).then(variable);
    let texts = [
        providers(account, region),
        written.imports,
        written.all,
        locals.collect(),
        switch.into_iter().chain(written.others).collect(),
    ];
    let files = FILES.iter().zip(texts).filter(|(_, blocks)| !blocks.is_empty());
    let files = files.map(|(name, blocks)| File { name, text: text(&blocks) }).collect();
    Export { files, imports, others }
}

fn text(blocks: &[Block]) -> String {
    blocks.iter().map(Block::text).collect::<Vec<_>>().join("\n")
}

fn terraform(address: &Address) -> Option<&'static Terraform> {
    by_name(address.kind()).map(|kind| kind.terraform())
}

/// The long texts' digests, and the locals that hold them: named by the service that is first to use one.
fn scripts(all: &[&Resource], names: &mut Names) -> Vec<(String, String)> {
    let mut known: Vec<(String, String)> = Vec::new();
    for resource in all {
        for (field, value) in &resource.body {
            let Some(Late::Text(digest)) = late(value) else { continue };
            if known.iter().any(|(one, _)| *one == digest) {
                continue;
            }
            let user = instance::service(&resource.address).unwrap_or(resource.address.name());
            known.push((digest, names.of("local", &format!("{field}_{user}"))));
        }
    }
    known
}

/// What is written so far.
#[derive(Default)]
struct Parts {
    all: Vec<Block>,
    imports: Vec<Block>,
    others: Vec<Block>,
}

impl Parts {
    fn import(&mut self, to: &str, id: String) {
        let to = Expression::Plain(to.to_owned());
        self.imports.push(Block::new("import").with("to", to).with("id", Expression::Text(id)));
    }
}

struct Writer<'a> {
    /// The resources by address, as Terraform names them.
    known: BTreeMap<&'a Address, String>,
    scripts: &'a [(String, String)],
}

impl Writer<'_> {
    fn resource(&self, resource: &Resource, names: &mut Names, export: &mut Parts) {
        let Resource { address, body, tags, live, .. } = resource;
        let (Some(terraform), Some(name)) = (terraform(address), self.known.get(address)) else {
            return;
        };
        let one = One { address, body, tags, live };
        let mut block = Block::new(head(name));
        for argument in terraform.arguments {
            let (name, value) = said(argument, &one);
            self.put(name, &value, &mut block.items);
        }
        export.all.push(block);
        export.import(name, import_id(terraform.import, &one));
        for part in (terraform.parts)(&one) {
            let wanted = match part.suffix.as_str() {
                "" => address.name().to_owned(),
                suffix => format!("{}_{suffix}", address.name()),
            };
            let name = format!("{}.{}", part.resource, names.of(part.resource, &wanted));
            let mut block = Block::new(head(&name));
            if part.import.is_none() {
                let count = format!("var.{ATTACHMENTS} ? 1 : 0");
                block = block.with("count", Expression::Plain(count));
            }
            for (name, value) in part.arguments {
                self.put(name, &value, &mut block.items);
            }
            match part.import {
                Some(id) => {
                    export.all.push(block);
                    export.import(&name, id);
                }
                None => export.others.push(block),
            }
        }
    }

    /// Adds an argument, in the block that its name leads to.
    fn put(&self, name: &str, value: &Value, items: &mut Vec<Item>) {
        if value.is_null() {
            return;
        }
        if let Some((head, rest)) = name.split_once('.') {
            let there = items
                .iter()
                .position(|item| matches!(item, Item::Block(block) if block.head == head));
            let at = there.unwrap_or_else(|| {
                items.push(Item::Block(Block::new(head)));
                items.len() - 1
            });
            if let Item::Block(block) = &mut items[at] {
                self.put(rest, value, &mut block.items);
            }
            return;
        }
        // Tags are a table, and so no block.
        let tables = match value {
            _ if name == "tags" => Vec::new(),
            Value::Array(all) => all.iter().filter_map(table).collect(),
            one => table(one).into_iter().collect(),
        };
        if tables.is_empty() {
            items.push(Item::Argument(name.to_owned(), self.expression(value)));
        }
        for table in tables {
            let mut block = Block::new(name);
            for (name, value) in table {
                self.put(name, value, &mut block.items);
            }
            items.push(Item::Block(block));
        }
    }

    fn expression(&self, value: &Value) -> Expression {
        match value {
            Value::String(text) => Expression::Text(text.clone()),
            Value::Array(items) => {
                Expression::List(items.iter().map(|item| self.expression(item)).collect())
            }
            Value::Object(map) => {
                if let Some(found) = late(value) {
                    return Expression::Plain(self.leads_to(&found));
                }
                if let Some((function, arguments)) = called(map) {
                    let arguments = arguments.iter().map(|one| self.expression(one)).collect();
                    return Expression::Call(function.to_owned(), arguments);
                }
                if let Some(word) = worded(map) {
                    return Expression::Plain(word.to_owned());
                }
                let entries = map.iter().map(|(key, item)| (key.clone(), self.expression(item)));
                Expression::Table(entries.collect())
            }
            other => Expression::Plain(other.to_string()),
        }
    }

    /// What stands for another resource. A snapshot names none that is not in it, and holds no lookups.
    fn leads_to(&self, named: &Late) -> String {
        let found = match named {
            Late::Text(digest) => {
                let mut known = self.scripts.iter();
                known.find(|(one, _)| one == digest).map(|(_, name)| format!("local.{name}"))
            }
            Late::Lookup(_) => None,
            Late::Ref { address, output } => self.known.get(address).and_then(|name| {
                let terraform = terraform(address)?;
                let attribute = match output {
                    None => terraform.named_by,
                    Some(output) => {
                        let mut known = terraform.outputs.iter();
                        known.find(|(known, _)| known == output)?.1
                    }
                };
                Some(format!("{name}.{attribute}"))
            }),
        };
        found.unwrap_or_else(|| "null".to_owned())
    }
}

/// A value as a table that is neither a reference, a call nor a word.
fn table(value: &Value) -> Option<&Map<String, Value>> {
    let map = value.as_object()?;
    (late(value).is_none() && called(map).is_none() && worded(map).is_none()).then_some(map)
}

/// An argument's name, and what it is of this resource.
fn said(argument: &Argument, one: &One<'_>) -> (&'static str, Value) {
    match argument {
        Argument::Field(name, field) => (name, one.field(field)),
        Argument::Document(name, field) => (name, document(&one.field(field))),
        Argument::Always(name, fixed) => (name, fixed.value()),
        Argument::Made(name, _, make) => (name, make(one)),
        Argument::Tags => {
            let all = one.tags.iter().map(|(key, value)| (key, value.as_str().into()));
            ("tags", tags(all))
        }
    }
}

/// `resource "aws_vpc" "main"`, of `aws_vpc.main`.
fn head(name: &str) -> String {
    let (resource, name) = name.split_once('.').unwrap_or_default();
    format!("resource \"{resource}\" \"{name}\"")
}

/// The id by which Terraform imports it.
fn import_id(form: &str, one: &One<'_>) -> String {
    match form.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        None | Some("id") => one.live.id.clone(),
        Some(field) => one.text(field).to_owned(),
    }
}

/// The version that the mappings are held to.
const PROVIDER: &str = "~> 5.100";

fn providers(account: &str, region: &str) -> Vec<Block> {
    let text = |text: &str| Expression::Text(text.to_owned());
    let aws =
        vec![("source".to_owned(), text("hashicorp/aws")), ("version".to_owned(), text(PROVIDER))];
    let required = Block::new("required_providers").with("aws", Expression::Table(aws));
    let mut terraform = Block::new("terraform").with("required_version", text(">= 1.5"));
    terraform.items.push(Item::Block(required));
    let mut ignored = Block::new("ignore_tags");
    ignored.items.push(Item::Comment(
        "ecdeploy's own tags stay as they are. Without this block, the next apply takes them away."
            .to_owned(),
    ));
    let ignored = ignored.with("key_prefixes", Expression::List(vec![text(OUR_TAGS)]));
    let mut provider = Block::new("provider \"aws\"")
        .with("region", text(region))
        .with("allowed_account_ids", Expression::List(vec![text(account)]));
    provider.items.push(Item::Block(ignored));
    vec![terraform, provider]
}

fn variable() -> Block {
    let text = |text: &str| Expression::Text(text.to_owned());
    let why = "Whether Terraform has the machines' registrations, too. Version 5 of its AWS provider can't import them: a plan adds them, and to register again who is registered changes nothing.";
    Block::new(format!("variable \"{ATTACHMENTS}\""))
        .with("description", text(why))
        .with("type", Expression::Plain("bool".to_owned()))
        .with("default", Expression::flag(false))
}
