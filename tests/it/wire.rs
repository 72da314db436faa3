//! The life of the drawn system on the wire, on each emulator: from nothing to nothing.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::drawn::Drawn;
use crate::emulator::{Call, Emulator};
use crate::inventory::{ADDRESS, Inventory, TOPOLOGY, each};
use crate::product::Shop;
use crate::raw::Raw;

on_each_emulator!(
    apply_from_nothing_makes_the_drawn_system,
    a_second_plan_is_empty_and_a_second_apply_changes_nothing,
    edits_behind_its_back_are_found_as_drift_and_mended,
    a_changed_file_changes_just_that,
    an_apply_that_is_killed_goes_on_from_there,
    destroy_leaves_nothing_of_ours,
);

fn apply_from_nothing_makes_the_drawn_system(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    let first = shop.run(&["plan", "--detailed-exitcode"]).exits(2);
    assert!(!first.stdout.contains("drift"), "nothing can have drifted yet\n{first}");

    let (_, calls) = account.calls_during(|_| shop.apply());

    // How often it looks whether something is ready depends on the machine; what it changes does not.
    assert!(changing(&calls).len() <= 207, "{} changing calls", changing(&calls).len());
    // Of these, what is asked beforehand and until listings show what was made.
    assert!(calls.len() <= 350, "{} calls", calls.len());
    let inventory = Inventory::take(&mut account.raw);
    Drawn::in_account(&inventory).assert_complete();
    for item in inventory.of_topology("ecommerce").values() {
        let keys: BTreeSet<&str> = item.tags.keys().map(String::as_str).collect();
        let ours = BTreeSet::from([TOPOLOGY, ADDRESS, "ecdeploy:applied"]);
        assert!(ours.is_subset(&keys), "tags of {}: {keys:?}", item.id);
    }
}

fn a_second_plan_is_empty_and_a_second_apply_changes_nothing(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.apply();
    let before = Inventory::take(&mut account.raw);

    let (_, calls) = account.calls_during(|_| shop.expect_no_changes());
    assert!(calls.len() <= 38, "{} calls: {calls:?}", calls.len());
    let (_, calls) = account.calls_during(|_| {
        assert_eq!(shop.plan()["changes"], json!([]));
        shop.apply();
    });

    assert_eq!(changing(&calls), [] as [&Call; 0]);
    Inventory::take(&mut account.raw)
        .assert_same(&before, "after a plan and an apply with nothing to do");
}

fn edits_behind_its_back_are_found_as_drift_and_mended(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.apply();
    let before = Inventory::take(&mut account.raw);
    let drawn = Drawn::in_account(&before);
    let edited = &drawn.at("instance.user-1").id;

    let raw = &mut account.raw;
    open_port(raw, &drawn.at("security_group.rds").id, 5433);
    change_type(raw, edited, "t3.large");
    deregister(raw, &drawn.at("target_group.order").id, &drawn.at("instance.order-2").id);

    let human = shop.run(&["plan", "--detailed-exitcode"]).exits(2).says("drift");
    let plan = shop.plan();
    let found: BTreeSet<(&str, &str, &str)> = fields(&plan);
    let expected = BTreeSet::from([
        ("security_group.rds", "ingress", "drift"),
        ("instance.user-1", "instance_type", "drift"),
        ("instance.order-2", "target_group", "drift"),
    ]);
    assert_eq!(found, expected, "{human}");
    assert_eq!(
        plan["summary"],
        json!({"create": 0, "update": 3, "replace": 0, "delete": 0, "drift": 3})
    );
    let moved = field(&plan, "instance.user-1", "instance_type");
    assert_eq!((&moved["before"], &moved["after"]), (&json!("t3.large"), &json!("t3.small")));

    shop.apply();

    let after = Inventory::take(&mut account.raw);
    Drawn::in_account(&after).assert_complete();
    assert_eq!(after.moved(&before, "ecommerce"), BTreeSet::new(), "ids are what they were");
    let untouched = |inventory: &Inventory| {
        let mut rest = inventory.clone();
        // A stop and a start give an instance a new public address and launch time.
        rest.0.retain(|id, item| id != edited && !item.facts.to_string().contains(edited.as_str()));
        rest
    };
    untouched(&after).assert_same(&untouched(&before), "after drift was mended");
    shop.expect_no_changes();
}

fn a_changed_file_changes_just_that(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.apply();
    let before = Inventory::take(&mut account.raw);

    shop.edit(
        "[service.user]\n",
        "[service.user]\ncount     = 3\nhealth_check = { interval = 15 }\n",
    );

    let plan = shop.plan();
    assert_eq!(
        plan["summary"],
        json!({"create": 1, "update": 1, "replace": 0, "delete": 0, "drift": 0})
    );
    assert_eq!(
        fields(&plan),
        BTreeSet::from([("target_group.user", "health_check_interval", "change")])
    );
    let made: Vec<&Value> =
        each(&plan["changes"]).filter(|change| change["action"] == "create").collect();
    assert_eq!(made[0]["address"], "instance.user-3");

    shop.apply();

    let after = Inventory::take(&mut account.raw);
    assert_eq!(after.moved(&before, "ecommerce"), BTreeSet::from(["instance.user-3".to_owned()]));
    let drawn = Drawn::in_account(&after);
    let group = drawn.at("target_group.user");
    assert_eq!(group.facts["HealthCheckIntervalSeconds"], json!(15));
    assert_eq!(group.text("HealthCheckPath"), "/health");
    assert_eq!(each(&group.facts["Targets"]).count(), 3);
    let added = &drawn.at("instance.user-3").id;
    let rest = |inventory: &Inventory| {
        let mut rest = inventory.clone();
        rest.0
            .retain(|id, item| *id != group.id && !item.facts.to_string().contains(added.as_str()));
        rest
    };
    rest(&after).assert_same(&rest(&before), "after the file changed");
    shop.expect_no_changes();
}

fn an_apply_that_is_killed_goes_on_from_there(emulator: Emulator) {
    let mut account = emulator.lend();
    let empty = Inventory::take(&mut account.raw);
    let shop = Shop::on(&account);
    let before = account.calls().len();
    // While the network is made, while the machines are launched, and while rules and targets are attached.
    for seen in [40, 90, 130] {
        let killed = shop.apply_until(|| account.calls().len() >= before + seen);
        assert!(killed, "apply ended before call {seen}");
    }

    shop.apply();

    let after = Inventory::take(&mut account.raw);
    Drawn::in_account(&after).assert_complete();
    shop.expect_no_changes();
    // Nothing was made twice and lost sight of.
    shop.destroy();
    Inventory::take(&mut account.raw).assert_same(&empty, "after destroy");
}

fn destroy_leaves_nothing_of_ours(emulator: Emulator) {
    let mut account = emulator.lend();
    let empty = Inventory::take(&mut account.raw);
    let shop = Shop::on(&account);
    shop.apply();

    shop.destroy().says("final snapshot");

    Inventory::take(&mut account.raw).assert_same(&empty, "after destroy");
    let snapshots = account.raw.rds("describe_db_snapshots", json!({"SnapshotType": "manual"}));
    assert_eq!(
        each(&snapshots["DBSnapshots"]).count(),
        5,
        "a last snapshot of each database is kept"
    );

    let (again, calls) = account.calls_during(|_| shop.destroy());
    again.says("othing");
    assert_eq!(changing(&calls), [] as [&Call; 0]);
}

/// Those that may have changed the account.
pub fn changing(calls: &[Call]) -> Vec<&Call> {
    calls.iter().filter(|call| call.changes()).collect()
}

/// Every field that a plan moves: address, field, cause.
pub fn fields(plan: &Value) -> BTreeSet<(&str, &str, &str)> {
    fn text(value: &Value) -> &str {
        value.as_str().unwrap_or_default()
    }
    let mut found = BTreeSet::new();
    for change in each(&plan["changes"]) {
        for field in each(&change["fields"]) {
            found.insert((text(&change["address"]), text(&field["field"]), text(&field["cause"])));
        }
    }
    found
}

fn field<'a>(plan: &'a Value, address: &str, name: &str) -> &'a Value {
    let change = each(&plan["changes"]).find(|change| change["address"] == address);
    let mut fields = each(&change.unwrap_or_else(|| panic!("{address} in {plan}"))["fields"]);
    fields.find(|field| field["field"] == name).unwrap_or_else(|| panic!("{name} in {plan}"))
}

fn open_port(raw: &mut Raw, group: &str, port: u16) {
    let rule = json!({"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "198.51.100.0/24"}]});
    raw.ec2("authorize_security_group_ingress", json!({"GroupId": group, "IpPermissions": [rule]}));
}

fn change_type(raw: &mut Raw, instance: &str, kind: &str) {
    raw.ec2("stop_instances", json!({"InstanceIds": [instance]}));
    raw.ec2(
        "modify_instance_attribute",
        json!({"InstanceId": instance, "InstanceType": {"Value": kind}}),
    );
    raw.ec2("start_instances", json!({"InstanceIds": [instance]}));
}

fn deregister(raw: &mut Raw, group: &str, instance: &str) {
    raw.elb("deregister_targets", json!({"TargetGroupArn": group, "Targets": [{"Id": instance}]}));
}
