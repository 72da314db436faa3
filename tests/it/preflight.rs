//! What AWS would refuse is refused by the plan, at its place in the file, on the wire: by what each emulator can be asked.

use std::fs;

use serde_json::{Value, json};

use crate::emulator::{Account, Call, Emulator};
use crate::product::{Ran, Shop};

/// Where in the drawn file a text begins, as errors say it.
fn place(shop: &Shop, text: &str) -> String {
    let file = fs::read_to_string(shop.path("topology.toml")).expect("the topology");
    let found = file.lines().enumerate().find_map(|(n, line)| Some((n + 1, line.find(text)? + 1)));
    let (line, column) = found.unwrap_or_else(|| panic!("`{text}` in the topology"));
    format!("topology.toml:{line}:{column}")
}

/// A plan that is refused, with nothing on stdout.
#[track_caller]
fn refused(shop: &Shop) -> Ran {
    let ran = shop.run(&["plan"]).exits(1);
    assert!(ran.stdout.is_empty(), "{ran}");
    ran
}

fn names(calls: &[Call]) -> Vec<&str> {
    calls.iter().map(|call| call.operation.as_str()).collect()
}

#[test]
fn an_instance_type_that_is_not_there_is_refused_at_its_place() {
    let account = Emulator::Moto.lend();
    let shop = Shop::on(&account);
    shop.edit("\"t3.small\"", "\"t9.small\"");
    let at = place(&shop, "\"t9.small\"");
    refused(&shop).says(&at).says("EC2 has no instance type `t9.small` in ap-southeast-1");
}

#[test]
fn a_type_that_one_zone_lacks_is_refused_with_the_zones_that_have_it() {
    let account = Emulator::Moto.lend();
    let shop = Shop::on(&account);
    shop.edit("\"t3.small\"", "\"c5ad.large\"");
    let at = place(&shop, "\"c5ad.large\"");
    refused(&shop)
        .says(&at)
        .says("EC2 has no `c5ad.large` in ap-southeast-1a")
        .says("there it is: `ap-southeast-1b`, `ap-southeast-1c`");
}

#[test]
fn an_image_that_is_not_there_or_does_not_run_on_the_type_is_refused() {
    let account = Emulator::Moto.lend();
    let shop = Shop::on(&account);
    shop.edit("\"t3.small\"", "\"t4g.small\"");
    let at = place(&shop, "\"/aws/service/");
    refused(&shop).says(&at).says("`t4g.small` runs arm64").says("is for x86_64");
    shop.edit("default-x86_64", "default-arm64");
    shop.run(&["plan"]).exits(0);

    shop.edit("[service.user]\n", "[service.user]\nami = \"ami-0123456789abcdef0\"\n");
    let at = place(&shop, "\"ami-0123456789abcdef0\"");
    refused(&shop).says(&at).says("there is no image ami-0123456789abcdef0 in ap-southeast-1");
}

fn a_key_pair_that_is_not_there_is_refused_at_its_place(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    account.raw.ec2("create_key_pair", json!({"KeyName": "others"}));
    shop.edit("[service.user]\n", "[service.user]\nkey_name = \"ops\"\n");
    let at = place(&shop, "\"ops\"");
    refused(&shop).says(&at).says("there is no key pair `ops` in ap-southeast-1");
    account.raw.ec2("create_key_pair", json!({"KeyName": "ops"}));
    shop.run(&["plan"]).exits(0);
}

#[test]
fn one_vpc_too_many_is_refused() {
    let mut account = Emulator::Moto.lend();
    let shop = Shop::on(&account);
    for third in 1..4 {
        account.raw.ec2("create_vpc", json!({"CidrBlock": format!("10.{third}.0.0/16")}));
    }
    shop.run(&["plan"]).exits(0);
    account.raw.ec2("create_vpc", json!({"CidrBlock": "10.4.0.0/16"}));
    let at = place(&shop, "\"10.0.0.0/16\"");
    refused(&shop).says(&at).says("6 VPCs would be in ap-southeast-1, and the quota is 5");
}

#[test]
fn a_group_with_more_rules_than_the_quota_is_refused() {
    let account = Emulator::Moto.lend();
    let shop = Shop::on(&account);
    let rules = |most| {
        let rules: Vec<String> =
            (0..most).map(|n| format!("{{ port = {}, from = \"0.0.0.0/0\" }}", 1000 + n)).collect();
        format!("ingress = [{}]", rules.join(", "))
    };
    let drawn =
        "ingress = [{ port = 80, from = \"0.0.0.0/0\" }, { port = 443, from = \"0.0.0.0/0\" }]";
    shop.edit(drawn, &rules(60));
    shop.run(&["plan"]).exits(0);
    shop.edit(&rules(60), &rules(61));
    refused(&shop).says("security_group.alb would have 61 rules of ingress, and the quota is 60");
}

#[test]
fn more_security_groups_than_an_interface_takes_are_refused() {
    let account = Emulator::Moto.lend();
    let shop = Shop::on(&account);
    shop.edit(
        "[security_group.rds]\n",
        "[security_group.g1]\n[security_group.g2]\n[security_group.rds]\n",
    );
    let five = "security_groups = [\"ec2\", \"alb\", \"rds\", \"redis\", \"g1\"]";
    shop.edit("security_groups = [\"ec2\"]", five);
    shop.run(&["plan"]).exits(0);
    shop.edit("\"redis\", \"g1\"]", "\"redis\", \"g1\", \"g2\"]");
    let at = place(&shop, "[\"ec2\", \"alb\"");
    refused(&shop).says(&at).says("would have 6 security groups, and the quota is 5");
}

#[test]
fn another_vpc_with_the_same_addresses_is_a_warning() {
    let mut account = Emulator::Moto.lend();
    let shop = Shop::on(&account);
    let vpc = account.raw.ec2("create_vpc", json!({"CidrBlock": "10.0.0.0/16"}));
    let id = vpc["Vpc"]["VpcId"].as_str().expect("an id");
    let warning = format!(
        "warning: {}: 10.0.0.0/16 overlaps 10.0.0.0/16 of {id}",
        place(&shop, "\"10.0.0.0/16\"")
    );
    shop.run(&["plan"]).exits(0).says(&warning);
    shop.apply().says(&warning);
    // It stands by then, and that is no news.
    let again = shop.run(&["plan"]).exits(0);
    assert!(!again.stderr.contains("warning"), "{again}");
}

/// RDS said so of the first database, minutes into apply.
#[test]
fn versions_and_classes_that_are_not_there_are_refused_by_plan_and_by_apply() {
    let mut account = Emulator::Ministack.lend();
    let shop = Shop::on(&account);
    shop.edit("engine_version    = \"16\"", "engine_version    = \"99\"");
    shop.edit("engine_version  = \"7.1\"", "engine_version  = \"9.9\"");
    refused(&shop)
        .says(&place(&shop, "\"99\""))
        .says("RDS has no postgres 99 in ap-southeast-1")
        .says(&place(&shop, "\"9.9\""))
        .says("ElastiCache has no redis 9.9 in ap-southeast-1");

    let (ran, calls) = account.calls_during(|_| shop.run(&["apply", "-y"]));
    ran.exits(1).says("RDS has no postgres 99");
    assert!(!calls.iter().any(Call::changes), "{calls:?}");

    shop.edit("\"99\"", "\"16\"");
    shop.edit("\"9.9\"", "\"7.1\"");
    shop.edit("\"db.t3.micro\"", "\"db.t9.micro\"");
    refused(&shop)
        .says(&place(&shop, "\"db.t9.micro\""))
        .says("RDS has no `db.t9.micro` for postgres 16");
}

#[test]
fn versions_older_than_what_runs_are_refused() {
    let account = Emulator::Ministack.lend();
    let shop = Shop::on(&account);
    shop.apply();
    shop.edit("engine_version    = \"16\"", "engine_version    = \"15\"");
    shop.edit("engine_version  = \"7.1\"", "engine_version  = \"7.0\"");
    refused(&shop)
        .says(&place(&shop, "\"15\""))
        .says("RDS goes back to no older version")
        .says(&place(&shop, "\"7.0\""))
        .says("ElastiCache goes back to no older one");
}

#[test]
fn what_aws_offers_is_remembered_and_what_is_broken_is_asked_again() {
    let mut account = Emulator::Moto.lend();
    let shop = Shop::on(&account);
    let asks = |account: &mut Account| {
        let (_, calls) = account.calls_during(|_| shop.run(&["plan"]).exits(0));
        let asked = names(&calls);
        (asked.contains(&"DescribeInstanceTypeOfferings"), asked.contains(&"DescribeImages"))
    };
    assert_eq!(asks(&mut account), (true, true));
    assert_eq!(asks(&mut account), (false, true), "an image may go any day");

    let folder = shop.path(".cache/ecdeploy");
    let files: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|f| f.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&files[0]).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    fs::write(&files[0], "[{\"question\": 1}]").expect("a broken file");
    assert_eq!(asks(&mut account), (true, true));
    assert_eq!(asks(&mut account), (false, true));
}

/// What was remembered is not the last word, where it refuses.
#[test]
fn a_refusal_by_memory_is_asked_again() {
    let account = Emulator::Moto.lend();
    let shop = Shop::on(&account);
    shop.run(&["plan"]).exits(0);
    let folder = shop.path(".cache/ecdeploy");
    let file = fs::read_dir(folder).expect("a folder").next().expect("a file").unwrap().path();
    let kept = fs::read_to_string(&file).expect("what is kept");
    let wrong = kept.replace("ap-southeast-1a", "ap-southeast-1c");
    assert_ne!(wrong, kept);
    fs::write(&file, wrong).expect("what is kept");
    shop.run(&["plan"]).exits(0);
}

/// A user of ministack with these statements, and how it logs in.
fn user(account: &mut Account, name: &str, statements: Value) -> [String; 2] {
    let raw = &mut account.raw;
    raw.call("iam", "create_user", json!({"UserName": name}));
    let document = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let asked = json!({"UserName": name, "PolicyName": "own", "PolicyDocument": document});
    raw.call("iam", "put_user_policy", asked);
    let key = &raw.call("iam", "create_access_key", json!({"UserName": name}))["AccessKey"];
    ["AccessKeyId", "SecretAccessKey"].map(|part| key[part].as_str().expect("text").to_owned())
}

#[test]
fn who_may_not_make_it_is_told_by_plan_and_refused_by_apply() {
    let mut account = Emulator::Ministack.lend();
    let allow = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let deny = json!({"Effect": "Deny", "Action": ["rds:CreateDBInstance"], "Resource": "*"});
    let [id, secret] = user(&mut account, "limited", json!([allow, deny]));
    let shop = Shop::on(&account).without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
    let shop = shop.with("AWS_ACCESS_KEY_ID", &id).with("AWS_SECRET_ACCESS_KEY", &secret);

    let planned = shop.run(&["plan", "--out", "shop.plan"]).exits(0);
    planned.says("warning: these credentials may not rds:CreateDBInstance");
    let apply = || shop.run(&["apply", "-y"]);
    // Whoever planned it may be another than who applies it.
    let saved = || shop.bare(&["apply", "-y", "shop.plan"]);
    for begin in [&apply as &dyn Fn() -> Ran, &saved] {
        let (ran, calls) = account.calls_during(|_| begin());
        ran.exits(1).says("error: these credentials may not rds:CreateDBInstance");
        assert!(!calls.iter().any(Call::changes), "{calls:?}");
    }
}

on_each_emulator!(
    a_key_pair_that_is_not_there_is_refused_at_its_place,
    a_check_that_can_not_be_made_is_said_and_holds_up_nothing,
);

fn a_check_that_can_not_be_made_is_said_and_holds_up_nothing(emulator: Emulator) {
    let account = emulator.lend();
    let shop = Shop::on(&account);
    let ran = shop.run(&["plan"]).exits(0).says("103 to create");
    let said: Vec<&str> =
        ran.stderr.lines().filter(|line| line.starts_with("not checked: ")).collect();
    assert!(said.iter().any(|line| line.contains("rds:DescribeAccountAttributes")), "{ran}");
}

/// A sandbox of its own.
fn sandbox() -> Shop {
    Shop::at("http://127.0.0.1:9")
}

fn in_sandbox(shop: &Shop, arguments: &[&str]) -> Ran {
    shop.run(&[arguments, &["--sandbox", "--sandbox-speed", "2000"]].concat())
}

#[test]
fn the_sandbox_refuses_types_that_are_nowhere_to_be_had() {
    for (there, wrong, said) in [
        ("\"t3.small\"", "\"t9.small\"", "EC2 has no instance type `t9.small`"),
        ("\"t3.small\"", "\"t3.4xlarge\"", "EC2 has no instance type `t3.4xlarge`"),
        ("\"t3.small\"", "\"t4g.small\"", "`t4g.small` runs arm64"),
        ("\"db.t3.micro\"", "\"db.t9.micro\"", "RDS has no `db.t9.micro` for postgres 16"),
        ("\"cache.t3.micro\"", "\"cache.t3.nano\"", "ElastiCache lists no `cache.t3.nano`"),
        ("size = 8", "size = 4", "a root volume of 4 GiB is smaller than the 8 GiB"),
    ] {
        let shop = sandbox();
        shop.edit(there, wrong);
        let ran = in_sandbox(&shop, &["plan"]).exits(1).says(said);
        assert!(ran.stdout.is_empty(), "{ran}");
    }
    let shop = sandbox();
    shop.edit("\"t3.small\"", "\"t4g.small\"");
    shop.edit("default-x86_64", "default-arm64");
    in_sandbox(&shop, &["plan"]).exits(0);
}

#[test]
fn what_a_wrong_check_refuses_can_be_let_pass() {
    let shop = sandbox();
    shop.edit("\"cache.t3.micro\"", "\"cache.t3.nano\"");
    in_sandbox(&shop, &["plan"]).exits(1).says("pass --ignore-check caches");
    let other = ["plan", "--ignore-check", "machines", "--ignore-check", "quotas"];
    in_sandbox(&shop, &other).exits(1);

    let warned = "ElastiCache lists no `cache.t3.nano` in ap-southeast-1";
    let saved = ["plan", "--ignore-check", "caches", "--out", "shop.plan"];
    let ran = in_sandbox(&shop, &saved).exits(0).says("103 to create");
    ran.says("warning: topology.toml:").says(warned);
    // It is checked again, and has in it what to let pass.
    in_sandbox(&shop, &["apply", "shop.plan", "-y"]).exits(0).says(warned);
}

#[test]
fn whatever_makes_checks_can_ignore_some() {
    let shop = sandbox();
    shop.edit("\"cache.t3.micro\"", "\"cache.t3.nano\"");
    in_sandbox(&shop, &["apply", "-y"]).exits(1);
    let ran = in_sandbox(&shop, &["apply", "-y", "--ignore-check", "caches"]).exits(0);
    ran.says("warning: topology.toml:").says("ElastiCache lists no `cache.t3.nano`");

    shop.edit("\"cache.t3.nano\"", "\"cache.t3.xlarge\"");
    let more = ["scale", "user=3", "-y"];
    in_sandbox(&shop, &more).exits(1).says("ElastiCache lists no `cache.t3.xlarge`");
    in_sandbox(&shop, &[&more[..], &["--ignore-check", "caches"]].concat()).exits(0);
    let all = ["destroy", "-y", "--ignore-check=snapshots", "--skip-final-snapshots"];
    in_sandbox(&shop, &all).exits(0);
}

#[test]
fn only_checks_that_there_are_can_be_ignored() {
    let ran = in_sandbox(&sandbox(), &["plan", "--ignore-check", "cashes"]).exits(1);
    ran.says("machines, databases, caches, quotas, networks, names, snapshots, permissions");
}
