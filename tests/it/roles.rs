//! What our roles may do is what the file says: what somebody adds is drift, taken back, and no obstacle.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::emulator::Emulator;
use crate::inventory::{Inventory, each};
use crate::product::Shop;
use crate::raw::Raw;
use crate::wire::fields;

on_each_emulator!(
    a_policy_that_somebody_added_is_drift_and_taken_back,
    a_policy_that_somebody_added_does_not_hold_up_destroy,
);

const ROLE: &str = "ecommerce-user-ap-southeast-1";

fn a_policy_that_somebody_added_is_drift_and_taken_back(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.apply();
    let before = policies(&mut account.raw, ROLE);
    assert_eq!(before, names(["ecdeploy", "ecdeploy-secret"]));
    let arn = widen(&mut account.raw, ROLE);
    assert_eq!(policies(&mut account.raw, ROLE).len(), 4, "both are there");

    let human = shop.run(&["plan", "--detailed-exitcode"]).exits(2);
    let human = human.says("drift").says("by-hand").says(&arn);
    let expected = BTreeSet::from([("iam_role.user", "other_policies", "drift")]);
    assert_eq!(fields(&shop.plan()), expected, "{human}");

    shop.apply();

    assert_eq!(policies(&mut account.raw, ROLE), before);
    assert_is_there(&mut account.raw, &arn);
    shop.expect_no_changes();
}

fn a_policy_that_somebody_added_does_not_hold_up_destroy(emulator: Emulator) {
    let mut account = emulator.lend();
    let empty = Inventory::take(&mut account.raw);
    let shop = Shop::on(&account);
    shop.apply();
    let arn = widen(&mut account.raw, ROLE);

    shop.destroy();

    Inventory::take(&mut account.raw).assert_same(&empty, "after destroy");
    assert_is_there(&mut account.raw, &arn);
}

/// Allows a role everything twice: by an inline policy `by-hand`, and by an attached one, whose ARN this is.
fn widen(raw: &mut Raw, role: &str) -> String {
    let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let all = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let inline = json!({"RoleName": role, "PolicyName": "by-hand", "PolicyDocument": all});
    raw.call("iam", "put_role_policy", inline);
    let managed = json!({"PolicyName": "everything", "PolicyDocument": all});
    let arn = raw.call("iam", "create_policy", managed)["Policy"]["Arn"].clone();
    raw.call("iam", "attach_role_policy", json!({"RoleName": role, "PolicyArn": arn}));
    arn.as_str().expect("an ARN").to_owned()
}

/// A role's policies: inline ones by name, attached ones by ARN.
fn policies(raw: &mut Raw, role: &str) -> BTreeSet<String> {
    let role = json!({"RoleName": role});
    let inline = raw.call("iam", "list_role_policies", role.clone());
    let attached = raw.call("iam", "list_attached_role_policies", role);
    let attached = each(&attached["AttachedPolicies"]).map(|policy| &policy["PolicyArn"]);
    let all = each(&inline["PolicyNames"]).chain(attached);
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

/// The managed policy itself is somebody else's, and stays.
#[track_caller]
fn assert_is_there(raw: &mut Raw, arn: &str) {
    raw.call("iam", "get_policy", json!({"PolicyArn": arn}));
}
