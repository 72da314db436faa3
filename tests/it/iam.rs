//! What IAM has to allow: every call against the table that `iam-policy` prints, and its policies on an account that
//! enforces them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::process::Stdio;

use ecdeploy::model::Side;
use ecdeploy::{aws, kinds};
use serde_json::{Value, json};

use crate::emulator::{Account, Call, Emulator};
use crate::product::Shop;
use crate::venv;
use crate::way_in::{BY_DOMAIN, NAME, ZONE, dns, issued, with_way_in, zone};

on_each_emulator!(every_call_is_in_the_table_and_on_its_side);

/// Rows that none of these runs sends, and when they are sent.
const SELDOM: &[(&str, &str)] = &[
    ("acm:DescribeCertificate", "a certificate by its ARN"),
    ("ec2:AssociateIamInstanceProfile", "somebody took a machine's profile away"),
    ("ec2:AuthorizeSecurityGroupEgress", "somebody took the rule for what leaves away"),
    ("ec2:DeleteRoute", "somebody added a route"),
    ("ec2:DescribeIamInstanceProfileAssociations", "a machine has another profile"),
    ("ec2:DescribeInstanceAttribute", "a machine is adopted"),
    ("ec2:DescribeKeyPairs", "machines are launched with a key pair"),
    ("ec2:DescribeSecurityGroupRules", "an export"),
    ("ec2:DisassociateIamInstanceProfile", "a machine is to have none"),
    ("ec2:DisassociateRouteTable", "a subnet that stays is no longer public"),
    ("ec2:ModifyInstanceMetadataOptions", "somebody changed them"),
    ("ec2:ReplaceIamInstanceProfileAssociation", "somebody gave a machine another profile"),
    ("ec2:ReplaceRoute", "somebody changed a route"),
    ("ec2:ReplaceRouteTableAssociation", "somebody gave a subnet another route table"),
    ("ec2:RevokeSecurityGroupEgress", "somebody added a rule for what leaves"),
    ("elasticache:DescribeCacheEngineVersions", "moto has no such call, and logs none"),
    ("elasticache:DescribeReservedCacheNodesOfferings", "moto has no such call, and logs none"),
    ("elasticache:ModifyCacheSubnetGroup", "a cache gets another subnet"),
    ("elasticloadbalancing:DescribeTargetGroupAttributes", "an export"),
    ("elasticloadbalancing:ModifyRule", "a rule leads to another target group"),
    ("elasticloadbalancing:SetSubnets", "the load balancer gets another subnet"),
    ("iam:DetachRolePolicy", "somebody gave a role a policy"),
    ("iam:GetRole", "a role is waited for"),
    ("iam:SimulatePrincipalPolicy", "the caller is a user or a role, as moto's is not"),
    ("iam:ListInstanceProfileTags", "an instance profile has not the role of its name"),
    ("iam:UpdateAssumeRolePolicy", "somebody changed who may have a role"),
    ("rds:DescribeAccountAttributes", "moto has no such call, and logs none"),
    ("rds:DescribeDBEngineVersions", "moto has no such call, and logs none"),
    ("rds:ModifyDBSubnetGroup", "a database gets another subnet"),
    ("secretsmanager:RestoreSecret", "somebody deleted a secret"),
    ("secretsmanager:TagResource", "a secret is adopted, moved or restored"),
    ("secretsmanager:UpdateSecret", "the topology's name is in its description"),
    ("ssm:ListTagsForResource", "somebody set a parameter by hand"),
];
/// Of the plan's those that are asked for only where something is unusual.
const SELDOM_PLANNED: [&str; 5] = [
    // There is a replication group.
    "elasticache:DescribeReplicationGroups",
    "iam:ListInstanceProfileTags",
    "secretsmanager:DescribeSecret",
    // `status` tells who holds the lock, and goes on without.
    "ssm:GetParametersByPath",
    "ssm:ListTagsForResource",
];

/// Changes of the drawn system that are made in place.
const EDITS: [(&str, &str); 7] = [
    (
        "priority = 1, path = \"/api/users/*\" }, { priority = 2,",
        "priority = 2, path = \"/api/users/*\" }, { priority = 1,",
    ),
    ("unhealthy_threshold = 3", "unhealthy_threshold = 4"),
    ("security_groups = [\"alb\"]", "security_groups = [\"alb\", \"ec2\"]"),
    ("default_service = \"frontend\"", "default_service = \"gateway\""),
    ("db.t3.micro", "db.t3.small"),
    ("[cache.redis]\n", "[cache.redis]\nreplicas = 1\n"),
    ("[load_balancer]\n", "[load_balancer]\nprotect = true\n"),
];

/// The drawn system with HTTPS, a name, and read replicas.
fn everything(account: &mut Account) -> Shop {
    issued(account, NAME);
    zone(&mut account.raw, ZONE);
    let shop = with_way_in(account, BY_DOMAIN, &dns(NAME));
    shop.edit("[database.user]\n", "[database.user]\nreplicas = 1\n");
    shop
}

fn names(calls: &[Call]) -> BTreeSet<String> {
    calls.iter().map(|call| format!("{}:{}", call.service, call.operation)).collect()
}

fn every_call_is_in_the_table_and_on_its_side(emulator: Emulator) {
    let table = aws::table(kinds::operations());
    let mut account = emulator.lend();
    let shop = everything(&mut account);
    let run = |account: &mut Account, verb: &[&str], allowed: &[Side]| {
        let (_, calls) = account.calls_during(|_| shop.run(verb).exits(0));
        for name in names(&calls) {
            let side = table.get(name.as_str());
            assert!(
                side.is_some_and(|side| allowed.contains(side)),
                "{name} of {verb:?}: {side:?}"
            );
        }
        names(&calls)
    };
    let looks = |account: &mut Account, verb: &[&str]| run(account, verb, &[Side::Plan]);
    let changes = |account: &mut Account, verb: &[&str]| {
        run(account, verb, &[Side::Plan, Side::Apply, Side::Change])
    };
    let mut all = looks(&mut account, &["plan"]);
    all.extend(changes(&mut account, &["apply", "-y"]));
    for verb in [&["plan"][..], &["rehearse"], &["trace", "--all", "--live"]] {
        all.extend(looks(&mut account, verb));
    }
    shop.edit("\"t3.small\"", "\"t3.medium\"");
    shop.edit("cache.t3.micro", "cache.t3.small");
    all.extend(changes(&mut account, &["apply", "-y"]));
    all.extend(changes(&mut account, &["scale", "-y", "user=3"]));
    all.extend(changes(&mut account, &["scale", "-y", "user=2"]));
    // Whatever else a file can have changed in place.
    for (from, to) in EDITS {
        shop.edit(from, to);
    }
    all.extend(changes(&mut account, &["apply", "-y"]));
    for count in [2, 1] {
        let other = 3 - count;
        let replicas = |count| format!("[cache.redis]\nreplicas = {count}\n");
        shop.edit(&replicas(other), &replicas(count));
        all.extend(changes(&mut account, &["apply", "-y"]));
    }
    shop.edit("cache.t3.small", "cache.t3.medium");
    all.extend(changes(&mut account, &["apply", "-y"]));
    all.extend(changes(&mut account, &["destroy", "-y", "--lift-protection"]));
    if emulator == Emulator::Moto {
        let unused: BTreeSet<&str> =
            table.keys().copied().filter(|name| !all.contains(*name)).collect();
        let known: BTreeSet<&str> = SELDOM.iter().map(|(name, _)| *name).collect();
        assert_eq!(unused, known, "rows that nothing sends, and those that are known for it");
    }
}

/// A user with these policies, and how it logs in.
fn user(account: &mut Account, name: &str, policies: &[Value]) -> [String; 2] {
    let raw = &mut account.raw;
    raw.call("iam", "create_user", json!({"UserName": name}));
    for (number, policy) in policies.iter().enumerate() {
        let asked = json!({
            "PolicyName": format!("{name}-{number}"), "PolicyDocument": policy.to_string(),
        });
        let made = raw.call("iam", "create_policy", asked);
        let asked = json!({"UserName": name, "PolicyArn": made["Policy"]["Arn"]});
        raw.call("iam", "attach_user_policy", asked);
    }
    let key = &raw.call("iam", "create_access_key", json!({"UserName": name}))["AccessKey"];
    ["AccessKeyId", "SecretAccessKey"].map(|part| key[part].as_str().expect("text").to_owned())
}

fn printed(shop: &Shop, purpose: &str) -> Vec<Value> {
    let ran = shop.run(&["iam-policy", purpose, "--format", "json"]).exits(0);
    let told: Vec<Value> = serde_json::from_str(&ran.stdout).expect("JSON");
    told.into_iter().map(|mut one| one["policy"].take()).collect()
}

/// The shop, as this user sees it.
fn seen_by(shop: &Shop, [id, secret]: &[String; 2]) -> Shop {
    let seen = shop.again().with("AWS_ACCESS_KEY_ID", id).with("AWS_SECRET_ACCESS_KEY", secret);
    fs::copy(shop.path("topology.toml"), seen.path("topology.toml")).expect("the topology");
    seen
}

#[test]
fn who_may_plan_plans_and_who_may_apply_applies_and_destroys() {
    let mut account = Emulator::Moto.lend();
    let shop = everything(&mut account);
    let planner = user(&mut account, "planner", &printed(&shop, "plan"));
    let applier = user(&mut account, "applier", &printed(&shop, "apply"));
    let (planner, applier) = (seen_by(&shop, &planner), seen_by(&shop, &applier));
    account.enforce_policies(true);

    planner.run(&["plan"]).exits(0).says("to create");
    planner.run(&["apply", "-y"]).exits(1).says("ssm:");
    applier.apply();
    planner.run(&["plan", "--detailed-exitcode"]).exits(0);
    planner.run(&["destroy", "-y"]).exits(1).says("ssm:");
    applier.edit("\"t3.small\"", "\"t3.medium\"");
    applier.apply();
    applier.run(&["scale", "-y", "user=3"]).exits(0);
    applier.destroy();
}

#[test]
fn every_action_of_the_plans_policy_is_needed() {
    let mut account = Emulator::Moto.lend();
    let shop = everything(&mut account);
    shop.apply();
    let policies = printed(&shop, "plan");
    let actions: BTreeSet<String> = policies.iter().flat_map(actions).collect();
    let whole = user(&mut account, "whole", &policies);
    let whole = seen_by(&shop, &whole);
    let mut users: BTreeMap<String, Shop> = BTreeMap::new();
    for (number, action) in actions.iter().enumerate() {
        let less: Vec<Value> = policies.iter().map(|policy| without(policy, action)).collect();
        let user = user(&mut account, &format!("user-{number}"), &less);
        users.insert(action.clone(), seen_by(&shop, &user));
    }
    account.enforce_policies(true);

    whole.run(&["plan"]).exits(0);
    // What is asked of what a plan changes: this one changes nothing, and others go without an answer.
    let beforehand = |action: &str| aws::questions::OPERATIONS.iter().any(|row| row.name == action);
    let idle: Vec<&String> = users
        .iter()
        .filter(|(_, shop)| shop.run(&["plan"]).code == Some(0))
        .map(|(action, _)| action)
        .filter(|action| !beforehand(action))
        .collect();

    assert_eq!(idle, SELDOM_PLANNED);
}

fn actions(policy: &Value) -> Vec<String> {
    let statements = policy["Statement"].as_array().expect("statements").iter();
    let actions = statements.flat_map(|one| one["Action"].as_array().expect("actions"));
    actions.map(|action| action.as_str().expect("text").to_owned()).collect()
}

/// The policy with an action less.
fn without(policy: &Value, action: &str) -> Value {
    let mut less = policy.clone();
    let statements = less["Statement"].as_array_mut().expect("statements");
    for statement in statements.iter_mut() {
        let actions = statement["Action"].as_array_mut().expect("actions");
        actions.retain(|one| one != action);
    }
    statements.retain(|statement| statement["Action"] != json!([]));
    less
}

/// What the one who lacks an action can't do, for actions that stand for all there are: what is asked itself, and what a
/// call takes besides.
#[test]
fn without_one_action_apply_fails() {
    for action in [
        "ec2:CreateTags",
        "iam:PassRole",
        "iam:CreateServiceLinkedRole",
        "secretsmanager:TagResource",
        "kms:DescribeKey",
        "ssm:AddTagsToResource",
        "elasticache:CreateCacheCluster",
        "route53:ChangeResourceRecordSets",
    ] {
        let mut account = Emulator::Moto.lend();
        let shop = everything(&mut account);
        let whole = printed(&shop, "apply");
        let less: Vec<Value> = whole.iter().map(|policy| without(policy, action)).collect();
        assert_ne!(less, whole, "{action} is in the policy");
        let user = user(&mut account, "user", &less);
        let shop = seen_by(&shop, &user);
        account.enforce_policies(true);
        shop.run(&["apply", "-y"]).exits(1);
    }
}

/// A shop without credentials, and without an account that would answer.
fn offline() -> Shop {
    let shop = Shop::at("http://127.0.0.1:9");
    shop.without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY")
}

#[test]
fn the_policy_to_plan() {
    let ran = offline().run(&["iam-policy", "plan"]).exits(0);
    let policy: Value = serde_json::from_str(&ran.stdout).expect("one JSON document, for a pipe");
    assert_eq!(policy["Version"], "2012-10-17");
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn both_policies() {
    insta::assert_snapshot!(offline().run(&["iam-policy"]).exits(0).stdout);
}

#[test]
fn one_document_of_several_is_for_a_pipe() {
    let shop = offline();
    let all = printed(&shop, "apply");
    for (policy, number) in all.iter().zip(1..) {
        let number = format!("{number}");
        let ran = shop.run(&["iam-policy", "apply", "--document", &number]).exits(0);
        assert_eq!(serde_json::from_str::<Value>(&ran.stdout).expect("JSON"), *policy);
    }
    shop.run(&["iam-policy", "apply", "--document", "9"]).fails_plainly().says("no document 9");
}

/// The reference's complaints of these policies.
fn complaints(policies: &str) -> String {
    let mut check =
        venv::reference().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("check.py");
    let mut input = check.stdin.take().expect("its input");
    input.write_all(policies.as_bytes()).expect("it reads");
    drop(input);
    let answer = check.wait_with_output().expect("its answer");
    assert!(answer.status.success());
    String::from_utf8(answer.stdout).expect("text")
}

#[test]
fn awss_reference_knows_each_action_on_these_resources_and_conditions() {
    let shop = offline();
    shop.edit("[database.user]\n", "[database.user]\nreplicas = 1\n");
    let default = "default_service = \"frontend\"\n";
    shop.edit(default, &format!("{default}{BY_DOMAIN}\n\n{}\n", dns(NAME)));
    shop.edit("[cache.redis]\n", "[cache.redis]\nreplicas = 1\n");
    let printed = shop.run(&["iam-policy", "adopt", "--format", "json"]).exits(0).stdout;

    assert_eq!(complaints(&printed), "");

    for (from, to, complaint) in [
        ("ec2:CreateVpc\"", "ec2:MakeVpc\"", "no such action"),
        ("ec2:DescribeVpcs\"", "ec2:DeleteVpc\"", "is allowed on everything"),
        (":targetgroup/*", ":targets/*", "is narrowed to what is none of"),
        ("iam:PassedToService", "iam:GivenToService", "knows no iam:GivenToService"),
    ] {
        let wrong = printed.replace(from, to);
        assert!(complaints(&wrong).contains(complaint), "{from} as {to}");
    }
}
