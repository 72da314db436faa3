//! `ecdeploy export terraform`: Terraform itself finds in what is written nothing to add and nothing to destroy.
//!
//! Where Terraform and its AWS provider are not on the machine, the tests that need it say so and are done.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::emulator::{Account, Emulator};
use crate::product::Shop;
use crate::way_in::{BY_DOMAIN, NAME, ZONE, dns, issued, with_way_in, zone};

on_each_emulator!(
    terraform_finds_nothing_to_add_and_nothing_to_destroy,
    applying_it_changes_nothing_that_runs,
);

/// The folders between a mirror and a provider's file: registry host, namespace, type, version, platform.
const BELOW_MIRROR: usize = 6;

/// The arguments that AWS never tells, and so are new to Terraform.
const UNTOLD: [&str; 5] = [
    "aws_db_instance apply_immediately",
    "aws_db_instance final_snapshot_identifier",
    "aws_db_instance skip_final_snapshot",
    "aws_secretsmanager_secret force_overwrite_replica_secret",
    "aws_secretsmanager_secret recovery_window_in_days",
];
const MACHINES: usize = 14;
/// What an emulator does not tell and AWS does, or tells otherwise: attributes at their defaults.
const UNTOLD_THERE: [&str; 1] = ["aws_lb.main"];

/// The settings by which Terraform takes the provider that is on the machine, if it is there.
fn mirror() -> Option<&'static PathBuf> {
    static MIRROR: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = MIRROR.get_or_init(|| {
        Command::new("terraform")
            .arg("version")
            .output()
            .ok()
            .filter(|ran| ran.status.success())?;
        let search = ["/", "-xdev", "-name", "terraform-provider-aws*", "-type", "f"];
        let found = Command::new("find").args(search).output().ok()?;
        let first = String::from_utf8_lossy(&found.stdout).lines().next()?.to_owned();
        Path::new(&first).ancestors().nth(BELOW_MIRROR).map(Path::to_owned)
    });
    if found.is_none() {
        eprintln!(
            "NOT TESTED: Terraform, or its AWS provider in a mirror, is not on this machine, and nobody has read the export"
        );
    }
    found.as_ref()
}

/// Terraform in the folder of an export, its provider led to the shop's endpoint.
struct Terraform<'a> {
    shop: &'a Shop,
    endpoint: String,
    folder: PathBuf,
    settings: PathBuf,
}

impl<'a> Terraform<'a> {
    fn of(shop: &'a Shop, endpoint: &str, mirror: &Path) -> Self {
        let settings = shop.path("terraform.tfrc");
        let mirror = mirror.display();
        let text = format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = \"{mirror}\"\n  }}\n}}\n"
        );
        fs::write(&settings, text).expect("its settings");
        let (endpoint, folder) = (endpoint.to_owned(), shop.path("tf"));
        Self { shop, endpoint, folder, settings }
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Output {
        let home = self.shop.path("");
        let ran = Command::new("terraform")
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs([
                ("AWS_ENDPOINT_URL", self.endpoint.as_str()),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
                ("AWS_EC2_METADATA_DISABLED", "true"),
            ])
            .env("HOME", home)
            .env("TF_CLI_CONFIG_FILE", &self.settings)
            .output()
            .expect("terraform");
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        let complained = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(ran.status.success(), "terraform {arguments:?}:\n{said}{complained}");
        ran
    }

    /// A plan's changes, but for those that do nothing.
    #[track_caller]
    fn plan(&self, more: &[&str]) -> Vec<Change> {
        self.run(&[&["plan", "-input=false", "-out=plan"], more].concat());
        let told = self.run(&["show", "-json", "plan"]);
        let told: Value = serde_json::from_slice(&told.stdout).expect("a plan");
        let all = told["resource_changes"].as_array().expect("changes").iter();
        all.map(Change::of).collect()
    }
}

/// One resource of a plan of Terraform's.
struct Change {
    address: String,
    action: String,
    imported: bool,
    /// The arguments that are other than before.
    fields: BTreeSet<String>,
}

impl Change {
    fn of(told: &Value) -> Self {
        let change = &told["change"];
        let [before, after] = ["before", "after"].map(|side| change[side].as_object());
        let fields = before.zip(after).map(|(before, after)| {
            let names = after.iter().filter(|(name, value)| before.get(*name) != Some(value));
            names.map(|(name, _)| name.clone()).collect()
        });
        let actions = change["actions"].as_array().expect("actions").iter();
        let actions: Vec<&str> = actions.filter_map(Value::as_str).collect();
        Self {
            address: told["address"].as_str().expect("an address").to_owned(),
            action: actions.join(" and "),
            imported: change["importing"].is_object(),
            fields: fields.unwrap_or_default(),
        }
    }

    fn resource(&self) -> &str {
        self.address.split('.').next().unwrap_or_default()
    }
}

/// The drawn system and of each kind that it has none of, one; some of it protected.
fn everything(account: &mut Account) -> Shop {
    issued(account, NAME);
    zone(&mut account.raw, ZONE);
    let shop = with_way_in(account, BY_DOMAIN, &dns(NAME));
    shop.edit("[load_balancer]\n", "[load_balancer]\nprotect = true\n");
    shop.edit("[database.user]\n", "[database.user]\nreplicas = 1\nprotect = true\n");
    shop.edit("max_count = 10\n", "max_count = 10\nprotect = true\n");
    let sessions = "[cache.sessions]\nreplicas = 1\nzone = \"a\"\nengine_version = \"7.1\"\n\
                    node_type = \"cache.t3.micro\"\nsubnets = [\"private-1\", \"private-2\"]\n\
                    security_groups = [\"redis\"]\n\n";
    shop.edit("[cache.redis]\n", &format!("{sessions}[cache.redis]\n"));
    shop.edit(
        "uses      = [\"database.order\"]",
        "uses      = [\"database.order\", \"cache.sessions\"]",
    );
    shop
}

fn terraform_finds_nothing_to_add_and_nothing_to_destroy(emulator: Emulator) {
    let Some(mirror) = mirror() else { return };
    let mut account = emulator.lend();
    let shop = everything(&mut account);
    shop.apply();
    let exported = shop.run(&["export", "terraform", "--out", "tf"]).exits(0);
    let terraform = Terraform::of(&shop, &account.url(), mirror);
    terraform.run(&["fmt", "-check", "-diff"]);
    terraform.run(&["init", "-input=false"]);
    terraform.run(&["validate"]);

    let plan = terraform.plan(&[]);

    let imported = plan.iter().filter(|change| change.imported).count();
    assert_eq!(imported, plan.len(), "all that there is");
    exported.says(&format!("{imported} resources of Terraform's to import"));
    let others = plan.iter().filter(|one| !["no-op", "update"].contains(&&*one.action));
    let others: Vec<_> = others.map(|one| (&one.address, &one.action)).collect();
    assert_eq!(others, [], "something to add or to destroy");
    let changes: BTreeSet<String> = plan
        .iter()
        .filter(|one| one.action == "update")
        .filter(|one| !there(emulator, &one.address))
        .flat_map(|one| one.fields.iter().map(|field| format!("{} {field}", one.resource())))
        .collect();
    assert_eq!(changes, UNTOLD.map(str::to_owned).into());

    // With the registrations, which Terraform 5 can't import, those are all that it adds.
    let plan = terraform.plan(&["-var", "manage_attachments=true"]);
    let added: Vec<&str> =
        plan.iter().filter(|one| one.action == "create").map(|one| one.address.as_str()).collect();
    assert_eq!(added.len(), MACHINES);
    let registers = |address: &&str| address.starts_with("aws_lb_target_group_attachment.");
    assert!(added.iter().all(registers), "{added:?}");
}

fn applying_it_changes_nothing_that_runs(emulator: Emulator) {
    let Some(mirror) = mirror() else { return };
    let mut account = emulator.lend();
    let shop = everything(&mut account);
    shop.apply();
    tell_what_aws_tells(&mut account);
    shop.run(&["export", "terraform", "--out", "tf"]).exits(0);
    let terraform = Terraform::of(&shop, &account.url(), mirror);
    terraform.run(&["init", "-input=false"]);

    let (_, calls) = account.calls_during(|_| {
        terraform.run(&["apply", "-input=false", "-auto-approve"]);
    });

    let sent = calls.iter().filter(|call| call.changes());
    let sent: Vec<&str> = sent.map(|call| call.operation.as_str()).collect();
    // ministack forgets that a machine is protected.
    let forgotten = if emulator == Emulator::Ministack { 2 } else { 0 };
    assert_eq!(sent, vec!["ModifyInstanceAttribute"; forgotten], "what it sends");
    let left = terraform.plan(&[]).into_iter().filter(|one| one.action != "no-op");
    let left: Vec<String> = left.map(|one| one.address).collect();
    assert_eq!(left.len(), forgotten, "{left:?} once more");
    shop.run(&["plan", "--detailed-exitcode"]).exits(0).says("No changes.");

    // With the registrations.
    let (_, calls) = account.calls_during(|_| {
        let add = ["-var", "manage_attachments=true", "-input=false", "-auto-approve"];
        terraform.run(&[&["apply"], &add[..]].concat());
    });
    let sent = calls.iter().filter(|call| call.changes());
    let (registered, other): (Vec<_>, Vec<_>) =
        sent.partition(|call| call.operation == "RegisterTargets");
    assert_eq!((registered.len(), other.len()), (MACHINES, forgotten), "{other:?}");
    shop.run(&["plan", "--detailed-exitcode"]).exits(0).says("No changes.");
}

/// Has an emulator tell of the way in what AWS tells without being told.
fn tell_what_aws_tells(account: &mut Account) {
    let found = account.raw.elb("describe_load_balancers", json!({}));
    let balancer = &found["LoadBalancers"][0]["LoadBalancerArn"];
    let attributes = [
        ("client_keep_alive.seconds", "3600"),
        ("connection_logs.s3.enabled", "false"),
        ("idle_timeout.timeout_seconds", "60"),
        ("routing.http.desync_mitigation_mode", "defensive"),
        ("routing.http.drop_invalid_header_fields.enabled", "false"),
        ("routing.http.preserve_host_header.enabled", "false"),
        ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false"),
        ("routing.http.xff_client_port.enabled", "false"),
        ("routing.http.xff_header_processing.mode", "append"),
        ("routing.http2.enabled", "true"),
        ("waf.fail_open.enabled", "false"),
        ("zonal_shift.config.enabled", "false"),
    ]
    .map(|(key, value)| json!({ "Key": key, "Value": value }));
    account.raw.elb(
        "modify_load_balancer_attributes",
        json!({ "LoadBalancerArn": balancer, "Attributes": attributes }),
    );
    let found = account.raw.elb("describe_listeners", json!({ "LoadBalancerArn": balancer }));
    let all = found["Listeners"].as_array().expect("listeners");
    let listener = all.iter().find(|one| one["Port"] == 80).expect("one for HTTP");
    let redirect = json!({
        "Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301",
        "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}",
    });
    let action = json!({ "Type": "redirect", "RedirectConfig": redirect });
    let action = json!({ "ListenerArn": listener["ListenerArn"], "DefaultActions": [action] });
    account.raw.elb("modify_listener", action);
}

/// Whether it changes there for what the emulator is not like AWS in.
fn there(emulator: Emulator, address: &str) -> bool {
    // moto leaves out where a redirect leads to but for its protocol and port.
    let redirects = emulator == Emulator::Moto && address == "aws_lb_listener.http";
    // ministack forgets that a machine is protected.
    let protected = emulator == Emulator::Ministack && address.starts_with("aws_instance.user_");
    redirects || protected || UNTOLD_THERE.contains(&address)
}

#[test]
fn an_export_of_the_sandbox_is_one_text_with_every_resource_in_it() {
    let shop = Shop::at("http://127.0.0.1:9");
    shop.run(&["apply", "-y", "--sandbox", "--sandbox-speed", "1000000"]).exits(0);

    let ran = shop.run(&["export", "terraform", "--sandbox"]).exits(0);

    let count = |text: &str| ran.stdout.matches(text).count();
    assert_eq!(count("resource \"aws_instance\""), MACHINES);
    assert_eq!(count("\nimport {"), count("resource \"") - MACHINES, "all but the registrations");
    assert_eq!(count("id = \"sgr-"), count("resource \"aws_vpc_security_group_"));
    assert_eq!(count(" null\n") + count("[null"), 0, "a reference leads nowhere");
}

#[test]
fn a_directory_that_is_not_empty_is_kept_unless_forced() {
    let shop = Shop::at("http://127.0.0.1:9");
    let run = |more: &[&str]| {
        shop.run(&[&["export", "terraform", "--sandbox", "--out", "tf"], more].concat())
    };
    run(&[]).exits(0).says("0 resources").says("terraform -chdir=tf init");
    let files = || {
        let entries = fs::read_dir(shop.path("tf")).expect("the directory");
        let names = entries.map(|entry| entry.expect("a file").file_name());
        names.filter_map(|name| name.into_string().ok()).collect::<BTreeSet<_>>()
    };
    assert_eq!(files(), ["providers.tf".to_owned()].into(), "of nothing there is nothing else");
    fs::write(shop.path("tf/terraform.tfstate"), "state").expect("a state");
    fs::write(shop.path("tf/main.tf"), "of an earlier export").expect("a file");

    run(&[]).says("tf is not empty").says("--force").fails_plainly();
    assert_eq!(fs::read_to_string(shop.path("tf/main.tf")).expect("it"), "of an earlier export");

    run(&["--force"]).exits(0);
    let left = ["providers.tf", "terraform.tfstate"].map(str::to_owned);
    assert_eq!(files(), left.into(), "what there is none of any more goes, and nothing else");
    fs::write(shop.path("file"), "").expect("a file");
    let onto = ["export", "terraform", "--sandbox", "--out", "file"];
    shop.run(&onto).says("can't write to file").fails_plainly();
}
