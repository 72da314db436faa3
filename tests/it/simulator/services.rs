//! What the services run on: roles, profiles, settings, certificate and name, from their creation to their end.

use ecdeploy::desired::Desired;
use ecdeploy::kinds::{iam_role, instance_profile, listener, record, ssm_parameter};
use ecdeploy::model::{Address, Late, Link, Lookup, Schema, to_body};
use ecdeploy::plan::{Plan, Verb};
use ecdeploy::reconcile::{Event, Observer, Stop, What};
use ecdeploy::snapshot;
use ecdeploy::topology::Span;
use serde::Serialize;
use serde_json::{Value, json};

use super::world::{
    apply_fully, carry_out, destroy, drawn, edit, empty_account, id_of, ids, parting, plan, read,
};

const MACHINE: &str = "instance.user-1";

/// The drawn system with a role, a profile, settings, an HTTPS listener and a name beside what it has.
fn served() -> Desired {
    let mut desired = drawn(&[]);
    let name = iam_role::name("ecommerce", "ap-southeast-1", "extra");
    let path = iam_role::path("ecommerce", "ap-southeast-1");
    let allow = |resource: Value| {
        let statement = json!([{"Effect": "Allow", "Action": ["x:Get"], "Resource": [resource]}]);
        json!({"Version": "2012-10-17", "Statement": statement})
    };
    add(
        &mut desired,
        &iam_role::SCHEMA,
        "extra",
        &iam_role::IamRole {
            name: name.clone(),
            path: path.clone(),
            assume_role_policy: json!({"Version": "2012-10-17", "Statement": []}),
            policy: allow(json!("arn:aws:s3:::artifacts/user/*")),
            secret_policy: allow(output("db_instance", "user", "secret_arn")),
            other_policies: Vec::new(),
        },
    );
    let role = Link::to(&Address::new("iam_role", "extra"));
    let profile = instance_profile::InstanceProfile { name, path, role };
    add(&mut desired, &instance_profile::SCHEMA, "extra", &profile);
    for (key, value) in [
        ("port", json!("3001")),
        ("database", output("db_instance", "user", "endpoint")),
        ("redis", output("cache_cluster", "redis", "endpoint")),
    ] {
        let name = format!("/ecommerce/extra/{key}");
        let spec = ssm_parameter::SsmParameter { name, value, r#type: "String".to_owned() };
        add(&mut desired, &ssm_parameter::SCHEMA, &format!("extra-{key}"), &spec);
    }
    let certificate = Lookup::Certificate("shop.example.com".into());
    let zone = Lookup::Zone("example.com".into());
    let balancer = Address::new("load_balancer", "main");
    add(
        &mut desired,
        &listener::SCHEMA,
        "extra",
        &listener::Listener {
            load_balancer: Link::to(&balancer),
            port: 8443,
            protocol: "HTTPS".to_owned(),
            certificate: certificate.to_value(),
            ssl_policy: Some(listener::MODERN_TLS.to_owned()),
            redirect_to_https: false,
            standby_target_group: Link::default(),
            default_target_group: Link::to(&Address::new("target_group", "user")),
        },
    );
    add(
        &mut desired,
        &record::SCHEMA,
        "extra",
        &record::Record {
            zone: zone.to_value(),
            zone_name: "example.com".to_owned(),
            name: "extra.example.com".to_owned(),
            r#type: "A".to_owned(),
            alias_dns_name: output("load_balancer", "main", "dns_name"),
            alias_zone_id: output("load_balancer", "main", "zone_id"),
        },
    );
    desired.lookups.extend([certificate, zone].map(|lookup| (lookup, Span::default())));
    if let Some(machine) =
        desired.resources.get_mut(&MACHINE.parse::<Address>().expect("an address"))
    {
        let profile = Address::new("instance_profile", "extra");
        machine.insert("instance_profile".into(), json!({"$ref": profile.to_string()}));
    }
    desired
}

fn output(kind: &str, name: &str, output: &str) -> Value {
    Late::Ref { address: Address::new(kind, name), output: Some(output.to_owned()) }.to_value()
}

fn add(desired: &mut Desired, schema: &Schema, name: &str, spec: &impl Serialize) {
    desired.resources.insert(Address::new(schema.kind, name), to_body(spec));
}

#[tokio::test(start_paused = true)]
async fn they_are_made_filled_in_and_taken_down() {
    let cloud = empty_account();
    let desired = served();

    let (_, outcome) = apply_fully(&cloud, &desired).await;

    let text = |kind: &str, id: &str, field: &str| {
        cloud.account().get(kind, id).expect("it is there").body[field].clone()
    };
    let endpoint = text("ssm_parameter", "/ecommerce/extra/database", "value");
    assert!(endpoint.as_str().expect("text").ends_with(".rds.amazonaws.com"), "{endpoint}");
    let role = id_of(&cloud, "iam_role.extra");
    let secret = text("iam_role", &role, "secret_policy")["Statement"][0]["Resource"][0].clone();
    assert!(secret.as_str().expect("text").starts_with("arn:aws:secretsmanager:"), "{secret}");
    let user = &outcome.outputs[&Address::new("db_instance", "user")];
    assert_eq!(json!(user["endpoint"]), endpoint);

    destroy(&cloud, &desired).await;
    assert_eq!(ids(&cloud), [] as [String; 0]);
}

/// When each step was done.
#[derive(Default)]
struct Times(std::sync::Mutex<Vec<(String, f64)>>);

impl Observer for Times {
    fn event(&self, event: &Event) {
        if let What::Done { .. } = event.what {
            let step = format!("{:?} {}", event.verb, event.address);
            self.0.lock().expect("not poisoned").push((step, event.at.as_secs_f64()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn machines_start_in_the_shadow_of_their_database() {
    let cloud = empty_account();
    let desired = served();
    let snapshot = read(&cloud, &desired).await;
    let plan = Plan::to_reach(&desired, &snapshot, &parting(), Default::default()).expect("a plan");
    let times = Times::default();

    let outcome = carry_out(&plan, &snapshot, &cloud, &Stop::default(), &times).await;

    assert!(outcome.is_complete());
    let times = times.0.into_inner().expect("not poisoned");
    let at = |step: &str| {
        times.iter().find(|(done, _)| done == step).unwrap_or_else(|| panic!("{step}")).1
    };
    assert!(at(&format!("Create {MACHINE}")) < 120.0, "the machine waited for the database");
    let ready = at("Create db_instance.user");
    for late in ["Create ssm_parameter.extra-database", "Attach iam_role.extra"] {
        assert!((ready..ready + 30.0).contains(&at(late)), "{late}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_setting_edited_by_hand_is_drift_and_a_replaced_machine_moves_what_names_it() {
    let cloud = empty_account();
    let desired = served();
    apply_fully(&cloud, &desired).await;
    edit(&cloud, "ssm_parameter.extra-redis", "value", json!("elsewhere"));
    edit(&cloud, "iam_role.extra", "secret_policy", json!({"Statement": []}));

    let plan = plan(&cloud, &desired).await;

    let found: Vec<_> = plan
        .changes
        .iter()
        .flat_map(|c| c.fields.iter().map(|f| (c.address.to_string(), format!("{:?}", f.cause))))
        .collect();
    let drift = |address: &str| (address.to_owned(), "Drift".to_owned());
    assert_eq!(found, [drift("iam_role.extra"), drift("ssm_parameter.extra-redis")]);
    apply_fully(&cloud, &desired).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_cut_short_before_the_database_was_ready_goes_on() {
    let cloud = empty_account();
    let desired = served();
    let snapshot = read(&cloud, &desired).await;
    let plan = Plan::to_reach(&desired, &snapshot, &parting(), Default::default()).expect("a plan");
    let stop = Stop::default();
    let soon = super::world::StopAfter { steps: 60, stop: &stop, done: Default::default() };
    let outcome = carry_out(&plan, &snapshot, &cloud, &stop, &soon).await;
    assert!(!outcome.is_complete());

    let left = self::plan(&cloud, &desired).await;
    let waits = left.steps.iter().any(|step| {
        step.address.to_string() == "ssm_parameter.extra-database" && step.verb == Verb::Create
    });
    assert!(waits, "it had no endpoint yet");

    apply_fully(&cloud, &desired).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_said_when_planning() {
    let cloud = empty_account();
    let mut desired = drawn(&[]);
    let places = ["account", "region"].map(|key| {
        let at = desired.text.find(&format!("\n{key}")).expect("the key") + 1;
        let line = desired.text[..at].lines().count() + 1;
        (Span::new(at, at + key.len()), format!("topology.toml:{line}:1: "))
    });
    let lookups = [Lookup::Certificate("shop.invalid".into()), Lookup::Zone("shop.invalid".into())];
    desired.lookups = lookups.into_iter().zip(places.clone().map(|(span, _)| span)).collect();

    let error = snapshot::read(&cloud, &desired).await.expect_err("they are not there");

    let [(_, certificate), (_, zone)] = places;
    let (first, second) = error.message.split_once('\n').expect("both are said");
    let said = "no issued certificate in ap-southeast-1 is for shop.invalid";
    assert_eq!(first, format!("{certificate}{said}"));
    assert!(second.starts_with(&zone) && second.contains("zone shop.invalid"), "{second}");
    assert!(error.hint.as_deref().is_some_and(|said| said.contains("ACM")), "{:?}", error.hint);
}
