//! How what was observed is put under addresses.

use serde_json::json;

use super::*;
use crate::model::TOPOLOGY;

fn seen(kind: &str, address: &str, id: &str, body: Value) -> Observed {
    let tags = [(TOPOLOGY, "shop"), (ADDRESS, address)];
    Observed {
        kind: kind.into(),
        id: id.into(),
        tags: tags.map(|(key, value)| (key.into(), value.into())).into(),
        body: serde_json::from_value(body).unwrap(),
        outputs: BTreeMap::new(),
        status: Status::Ready,
        maintenance: None,
        place: 0,
        duty: Default::default(),
        vitals: Default::default(),
    }
}

#[test]
fn ids_of_ours_become_addresses_and_others_stay() {
    let snapshot = assemble(
        vec![
            seen("vpc", "vpc.main", "vpc-1", json!({})),
            seen("subnet", "subnet.a", "subnet-1", json!({"vpc": "vpc-1", "route_table": "rtb-9"})),
        ],
        &Desired::default(),
    );
    let subnet = &snapshot.resources[&Address::new("subnet", "a")];
    assert_eq!(subnet.body["vpc"], json!({"$ref": "vpc.main"}));
    assert_eq!(subnet.body["route_table"], json!("rtb-9"));
    assert_eq!(subnet.live.body["vpc"], json!("vpc-1"));
}

#[test]
fn outputs_of_ours_become_references_wherever_they_stand() {
    let mut database = seen("db_instance", "db_instance.user", "shop-user", json!({}));
    database.outputs = [("secret_arn", "arn:s"), ("endpoint", "user.rds")]
        .map(|(name, text)| (name.into(), text.into()))
        .into();
    let role = json!({"policy": {"Statement": [{"Resource": ["arn:s", "arn:other"]}]}});
    let mut plain = seen("ssm_parameter", "ssm_parameter.b", "/b", json!({"value": "user.rds"}));
    let applied: Fingerprint = [("value", &json!("user.rds"))].into_iter().collect();
    plain.tags.insert(APPLIED.into(), applied.to_tag());
    let snapshot = assemble(
        vec![
            database,
            seen("iam_role", "iam_role.user", "shop-user", role),
            seen("ssm_parameter", "ssm_parameter.a", "/a", json!({"value": "user.rds"})),
            plain,
        ],
        &Desired::default(),
    );
    let body = |kind, name| &snapshot.resources[&Address::new(kind, name)].body;
    let output = |name| json!({"$ref": "db_instance.user", "output": name});
    assert_eq!(
        body("iam_role", "user")["policy"]["Statement"][0]["Resource"],
        json!([output("secret_arn"), "arn:other"])
    );
    assert_eq!(body("ssm_parameter", "a")["value"], output("endpoint"));
    assert_eq!(body("ssm_parameter", "b")["value"], json!("user.rds"), "applied as text");
}

#[test]
fn of_two_at_one_address_the_ready_one_stays() {
    let mut young = seen("instance", "instance.a-1", "i-1", json!({}));
    young.status = Status::Pending("pending".into());
    let snapshot = assemble(
        vec![young, seen("instance", "instance.a-1", "i-2", json!({}))],
        &Desired::default(),
    );
    assert_eq!(snapshot.resources[&Address::new("instance", "a-1")].live.id, "i-2");
    assert_eq!(snapshot.extras[0].live.id, "i-1");
}

#[test]
fn of_two_alike_the_one_that_others_stand_on_stays_whatever_its_id() {
    for (used, other) in [("vpc-1", "vpc-2"), ("vpc-2", "vpc-1")] {
        let vpc = |id| seen("vpc", "vpc.main", id, json!({"cidr_block": "10.0.0.0/16"}));
        let subnet = seen("subnet", "subnet.a", "subnet-1", json!({"vpc": used}));
        let snapshot = assemble(vec![vpc(other), vpc(used), subnet], &Desired::default());
        assert_eq!(snapshot.resources[&Address::new("vpc", "main")].live.id, used);
        assert_eq!(snapshot.extras[0].live.id, other);
    }
}

#[test]
fn of_two_at_one_address_the_one_that_is_wanted_stays_and_users_of_the_other_still_name_it() {
    let group = |id: &str, name: &str| {
        seen("security_group", "security_group.db", id, json!({ "name": name }))
    };
    let user = json!({ "security_groups": ["sg-1"] });
    let wanted: Body = [("name".to_owned(), json!("new"))].into();
    let mut desired = Desired::default();
    desired.resources.insert(Address::new("security_group", "db"), wanted);
    let snapshot = assemble(
        vec![
            group("sg-1", "old"),
            group("sg-2", "new"),
            seen("instance", "instance.a", "i-1", user),
        ],
        &desired,
    );
    assert_eq!(snapshot.resources[&Address::new("security_group", "db")].live.id, "sg-2");
    let user = &snapshot.resources[&Address::new("instance", "a")].body["security_groups"];
    assert_eq!(*user, json!(["sg-1"]));
    let field = kinds::by_name("instance").unwrap().schema().field("security_groups").unwrap();
    let desired = json!([{ "$ref": "security_group.db" }]);
    assert!(snapshot.names_leaving(field, user, &desired));
}

#[test]
fn of_two_applied_alike_the_one_that_names_what_stays_is_kept() {
    let wanted = json!({ "$ref": "load_balancer.main" });
    let applied: Fingerprint = [("load_balancer", &wanted)].into_iter().collect();
    let mut desired = Desired::default();
    let renamed: Body = [("name".to_owned(), json!("new"))].into();
    desired.resources.insert(Address::new("load_balancer", "main"), renamed);
    let listens: Body = [("load_balancer".to_owned(), wanted)].into();
    desired.resources.insert(Address::new("listener", "http"), listens);
    let listener = |id: &str, on: &str| {
        let mut listener = seen("listener", "listener.http", id, json!({ "load_balancer": on }));
        listener.tags.insert(APPLIED.into(), applied.to_tag());
        listener
    };
    for (old, young) in [("listener-1", "listener-2"), ("listener-2", "listener-1")] {
        let snapshot = assemble(
            vec![
                seen("load_balancer", "load_balancer.main", "lb-1", json!({ "name": "old" })),
                seen("load_balancer", "load_balancer.main", "lb-2", json!({ "name": "new" })),
                listener(old, "lb-1"),
                listener(young, "lb-2"),
            ],
            &desired,
        );
        let kept = &snapshot.resources[&Address::new("listener", "http")];
        assert_eq!(kept.live.id, young);
    }
}

#[test]
fn what_has_no_address_of_its_kind_is_not_managed() {
    let snapshot = assemble(
        vec![
            seen("vpc", "subnet.main", "vpc-1", json!({})),
            seen("vpc", "", "vpc-2", json!({})),
            seen("volume", "volume.a", "vol-1", json!({})),
        ],
        &Desired::default(),
    );
    assert!(snapshot.resources.is_empty() && snapshot.extras.is_empty());
}
