//! What a service has to know to find the others: published as SSM parameters, named like the variables of its
//! environment.

use serde_json::Value;

use crate::kinds::{db_instance, replication_group, secret};
use crate::model::{Address, Late, Schema};
use crate::topology::{Database, Service, Topology, Use};

/// One parameter, `/TOPOLOGY/SERVICE/NAME`.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    pub name: String,
    /// Text, or late by what AWS gives a database or cache.
    pub value: Value,
    /// Whether a machine waits for it. What its user data says too is there from the start.
    pub awaited: bool,
}

/// Everything published for a service.
pub fn settings(topology: &Topology, service: &Service) -> Vec<Setting> {
    let mut settings = vec![
        Setting { name: "PORT".into(), value: service.port.to_string().into(), awaited: false },
        // SSM takes no name that speaks of AWS.
        Setting { name: "REGION".into(), value: (**topology.region).into(), awaited: false },
    ];
    let databases = service.uses.iter().filter(|used| matches!(used.value, Use::Database(_)));
    let several = |count: usize| count > 1;
    let (databases, caches) = {
        let databases = databases.count();
        (several(databases), several(service.uses.len() - databases))
    };
    let mut add = |name: String, value: Value| {
        // A machine serves without replicas: it is not changed for them, and finds them when they are there.
        let awaited = !value.is_array();
        settings.push(Setting { name, value, awaited });
    };
    for used in &service.uses {
        match &used.value {
            Use::Database(key) => {
                let Some(database) = topology.database(key) else { continue };
                let name = |what: &str| named("DATABASE", &database.name, databases, what);
                add(name("HOST"), output(&db_instance::SCHEMA, key, "endpoint"));
                add(name("PORT"), database.port.to_string().into());
                add(name("NAME"), database.db_name.as_str().into());
                // Where the password is, never the password.
                add(name("SECRET_ARN"), secret(database));
                if *database.replicas > 0 {
                    let host = |n| output_of(db_instance::replica_address(key, n), "endpoint");
                    add(name("REPLICA_HOSTS"), (1..=*database.replicas).map(host).collect());
                }
            }
            Use::Cache(key) => {
                let Some(cache) = topology.cache(key) else { continue };
                let name = |what: &str| named("REDIS", &cache.name, caches, what);
                let schema = replication_group::schema_of_cache(*cache.replicas);
                // With replicas, the primary's, whichever node that is.
                add(name("HOST"), output(schema, key, "endpoint"));
                add(name("PORT"), cache.port.to_string().into());
            }
        }
    }
    settings
}

/// `DATABASE_HOST`; `ORDERS_DATABASE_HOST` where the service uses several.
fn named(kind: &str, key: &str, several: bool, what: &str) -> String {
    let key = key.to_uppercase().replace('-', "_");
    if several { format!("{key}_{kind}_{what}") } else { format!("{kind}_{what}") }
}

/// The ARN of the secret with the database's password: RDS's own, or of a database with replicas ours.
pub fn secret(database: &Database) -> Value {
    match *database.replicas {
        0 => output(&db_instance::SCHEMA, &database.key, "secret_arn"),
        _ => output(&secret::SCHEMA, &database.key, "arn"),
    }
}

fn output(schema: &Schema, key: &str, output: &str) -> Value {
    output_of(Address::new(schema.kind, key), output)
}

fn output_of(address: Address, output: &str) -> Value {
    Late::Ref { address, output: Some(output.to_owned()) }.to_value()
}
