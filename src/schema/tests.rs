//! The schemas against the readers: what these take, those take; and what is broken in its form, neither.

use clap::ValueEnum;
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value, json};
use toml::{Table, Value as Toml};

use super::{Document, schema};
use crate::desired::{Desired, desired};
use crate::topology::shape::{Key, Shape, Test};
use crate::topology::{self, FILE};

const DRAWN: &str = include_str!("../../topology.toml");
const WORKERS: &str = include_str!("../../tests/topologies/workers.toml");

/// A block of each kind, with as little in it as it can be.
const BARE: &str = r#"
name = "shop"
account = "123456789012"
region = "eu-west-1"
moved = []

[variable.release]
default = "one"

[vpc]
cidr_block = "10.0.0.0/16"

[subnet]
x = { cidr_block = "10.0.1.0/24", zone = "a" }
y = { cidr_block = "10.0.2.0/24", zone = "b" }
front-x = { cidr_block = "10.0.3.0/24", zone = "a", public = true }
front-y = { cidr_block = "10.0.4.0/24", zone = "b", public = true }

[security_group.x]
ingress = [{ port = 80, from = "0.0.0.0/0" }]
egress = [{ ports = "1-65535", to = "0.0.0.0/0" }]

[load_balancer]
name = "shop"
scheme = "internet-facing"
subnets = ["front-x", "front-y"]
security_groups = ["x"]
default_service = "x"
certificate = { domain = "shop.example.com" }

[service.x]
port = 3000
ami = "ami-0123456789abcdef0"
instance_type = "t3.small"
subnets = ["front-x", "front-y"]
security_groups = ["x"]
artifact = { git = "https://git.example.com/shop.git", commit = "8f4b1c2d9e6a7035f1c8d2b4a6e9073518c4d2fb" }
routes = [{ priority = 1, path = "/api/*" }]

[database.x]
engine_version = "16"
instance_class = "db.t3.micro"
allocated_storage = 20
subnets = ["x", "y"]
security_groups = ["x"]

[cache.x]
engine_version = "7.1"
node_type = "cache.t3.micro"
zone = "a"
subnets = ["x", "y"]
security_groups = ["x"]
"#;

fn validator(of: Document) -> Validator {
    jsonschema::validator_for(&schema(of)).expect("a schema")
}

fn json(toml: &str) -> Value {
    toml::from_str(toml).expect("TOML")
}

/// Where the schema finds fault with a file, and which.
fn complaints(toml: &str) -> String {
    let (validator, file) = (validator(Document::Topology), json(toml));
    let lines = validator.iter_errors(&file);
    let mut lines: Vec<String> =
        lines.map(|error| format!("{}: {error}", error.instance_path())).collect();
    lines.sort();
    lines.join("\n")
}

#[test]
fn each_schema_is_one() {
    for document in Document::value_variants() {
        let schema = schema(*document);
        jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{document:?}: {error}"));
        assert!(schema["$id"].as_str().is_some_and(|id| id.starts_with("urn:ecdeploy:")));
    }
}

#[test]
fn what_is_a_topology_the_schema_takes() {
    for topology in [DRAWN, WORKERS, BARE] {
        if let Err(errors) = topology::parse("topology.toml", topology, &[]) {
            panic!("{errors}");
        }
        assert_eq!(complaints(topology), "");
    }
}

#[test]
fn a_variable_may_stand_for_a_number_a_boolean_or_a_part_of_a_word() {
    let with = BARE
        .replace("port = 3000", "port = '${var.port}'\nprotect = '${var.protect}'")
        .replace("'internet-facing'", "'inter${var.net}'")
        .replace("db.t3.micro", "db.${var.size}");
    assert_eq!(complaints(&with), "");
    let partly = BARE.replace("port = 3000", "port = '3${var.port}'");
    assert!(complaints(&partly).starts_with("/service/x/port: "), "{}", complaints(&partly));
}

#[test]
fn unknown_keys_wrong_types_and_what_is_missing_are_refused() {
    let broken = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/topologies/broken");
        std::fs::read_to_string(format!("{folder}/{name}.toml")).expect("a broken file")
    };
    insta::assert_snapshot!(complaints(&broken("unknown-keys")));
    insta::assert_snapshot!(complaints(&broken("types").replace("99999999999999999999", "99999")));
    insta::assert_snapshot!(complaints(&broken("missing")));
}

#[test]
fn what_the_defaults_say_no_block_has_to() {
    let port = "[service.x]\nport = 3000";
    let without = BARE.replace(port, "[service.x]");
    assert_eq!(complaints(&without), r#"/service/x: "port" is a required property"#);
    let by_default = without.replace("[service.x]", "[defaults.service]\nport = 3000\n[service.x]");
    assert_eq!(complaints(&by_default), "");
}

/// Everything that what the file says leads to, but its own hash.
fn meaning(file: &Table) -> Desired {
    let text = toml::to_string(file).expect("TOML");
    let topology = topology::parse("topology.toml", &text, &[])
        .unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    let Desired { resources, texts, rolling, protected, final_snapshot, .. } = desired(&topology);
    Desired { resources, texts, rolling, protected, final_snapshot, ..Desired::default() }
}

/// Calls `visit` with each key and the way to it in [`BARE`].
fn each_key(
    keys: &'static [Key],
    way: &[&'static str],
    visit: &mut impl FnMut(&'static Key, &[&'static str]),
) {
    for key in keys {
        let way = [way, &[key.name]].concat();
        visit(key, &way);
        match &key.shape {
            Shape::Named(_, keys) => each_key(keys, &[&way[..], &["x"]].concat(), visit),
            Shape::List(Shape::Table(keys)) | Shape::Table(keys) => each_key(keys, &way, visit),
            _ => {}
        }
    }
}

/// Puts a value where the way leads, through the first item of lists.
fn put(at: &mut Toml, way: &[&str], value: Toml) {
    match at {
        Toml::Array(items) => put(items.first_mut().expect("an item"), way, value),
        Toml::Table(table) => match way {
            [last] => {
                table.insert((*last).to_owned(), value);
            }
            [first, rest @ ..] => {
                let next = table.entry((*first).to_owned());
                put(next.or_insert_with(|| Toml::Table(Table::new())), rest, value);
            }
            [] => {}
        },
        _ => {}
    }
}

#[test]
fn a_default_of_the_format_is_what_a_file_means_that_does_not_say() {
    let bare: Table = toml::from_str(BARE).expect("TOML");
    let meant = meaning(&bare);
    let mut seen = 0;
    each_key(FILE, &[], &mut |key, way| {
        let (Some(default), false) = (key.default, way[0] == "defaults") else { return };
        let default = match super::topology::typed(default, &key.shape) {
            Value::Bool(flag) => Toml::Boolean(flag),
            Value::Number(number) => Toml::Integer(number.as_i64().expect("a whole number")),
            _ => Toml::String(default.to_owned()),
        };
        let mut said = Toml::Table(bare.clone());
        put(&mut said, way, default);
        let Toml::Table(said) = said else { return };
        assert!(meaning(&said) == meant, "{} by default", way.join("."));
        seen += 1;
    });
    assert!(seen > 30, "{seen} defaults");
}

/// The tests of strings that have a form, with it.
fn forms() -> Vec<(Test, &'static str)> {
    fn of(shape: &'static Shape) -> Option<Test> {
        match shape {
            Shape::Text(test) | Shape::Named(test, _) => Some(*test),
            Shape::List(shape) | Shape::Either(shape, _) => of(shape),
            _ => None,
        }
    }
    let mut forms = Vec::new();
    each_key(FILE, &[], &mut |key, _| forms.extend(of(&key.shape).zip(key.form)));
    forms
}

proptest! {
    /// Else an editor would find fault with what is right.
    #[test]
    fn what_a_test_takes_its_form_takes(
        (test, form, text) in prop::sample::select(forms()).prop_flat_map(|(test, form)| {
            let like = prop::string::string_regex(form.trim_matches(['^', '$'])).expect("a pattern");
            (Just(test), Just(form), like)
        }),
        other in ".",
        at in any::<prop::sample::Index>(),
    ) {
        let mut text = text;
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        for text in [text.clone(), { text.insert_str(places[at.index(places.len())], &other); text }] {
            if test(&text).is_ok() {
                let schema = json!({ "pattern": form });
                prop_assert!(jsonschema::is_valid(&schema, &json!(text)), "{form} for {text:?}");
            }
        }
    }
}
