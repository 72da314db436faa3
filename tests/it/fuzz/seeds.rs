//! Whole documents of each form, to begin with.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use ecdeploy::cloud::sim::Account;
use ecdeploy::desired::Desired;
use ecdeploy::model::Holder;
use serde_json::json;

use super::sandbox::paused;
use crate::simulator::world::{self, DRAWN};

/// The drawn system, and everything in `tests/topologies`.
pub fn topologies() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/topologies");
    let files = ["", "broken"].map(|name| fs::read_dir(folder.join(name)).expect("topologies"));
    let mut files: Vec<_> = files.into_iter().flatten().flatten().map(|f| f.path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    files.sort();
    let read = |path: &_| fs::read_to_string(path).expect("a topology");
    // What is sound leads further, so it comes oftener.
    let sound = [DRAWN.to_owned(), rich(), DRAWN.to_owned(), rich()];
    std::iter::repeat_n(sound, 6).flatten().chain(files.iter().map(read)).collect()
}

/// What the drawn system has not: HTTPS and a name, replicas, protection, a move, a policy.
fn rich() -> String {
    let text = DRAWN
        .replace("[database.user]\n", "[database.user]\nreplicas = 1\nprotect = true\n")
        .replace("[service.user]\n", "[service.user]\ncount = 3\nrolling = { max_parallel = 2 }\n");
    let dns = "\n[dns]\nzone = \"example.com\"\nname = \"shop.example.com\"\n";
    let moved = "\n[[moved]]\nfrom = \"database.account\"\nto = \"database.user\"\n";
    let certificate = "[load_balancer]\ncertificate = { domain = \"shop.example.com\" }\n";
    text.replace("[load_balancer]\n", certificate) + dns + moved + POLICY
}

const POLICY: &str = r#"
[policy]
protect_databases = true
open_ports = [80, 443]
max_replacements = 1
max_deletions = 1
min_healthy = 2
max_monthly_cost = 100
working_hours = { days = ["mon", "sun"], from = "09:00", to = "17:30", time_zone = "Asia/Singapore" }

[policy.level]
open_ports = "advisory"

[policy.rule.families]
when    = "change.kind == 'instance' && change.action != 'delete'"
require = "change.after.instance_type.startsWith('t3.')"
message = "machines are of the t3 family"

[policy.rule.slow]
deny    = "plan.duration > 60.0 || plan.summary.update > 20"
message = "too much at once"
level   = "hard-mandatory"
"#;

/// In CEL, as rules have them.
pub fn expressions() -> Vec<String> {
    [
        "change.kind == 'instance' && has(change.after.instance_type) && !change.drift",
        "change.action in ['delete', 'replace'] ? size(change.before) > 3 : change.name.endsWith('1')",
        "change.fields.exists(f, f.field == 'ingress' && f.after.all(r, r.peer != '0.0.0.0/0'))",
        "plan.summary.delete + plan.summary.replace * 2 > 3 || plan.duration >= 60.5 || plan.cost < 1e3",
        "plan.min_healthy.filter(name, plan.min_healthy[name] < 1).map(name, name + '!') == []",
        "{'a': [1u, 2.5, null, b'x']}['a'][0] == dyn(1) && string(1) == \"1\" && -(3 % 2) < 0",
    ]
    .map(str::to_owned)
    .into()
}

pub fn drawn() -> Desired {
    world::drawn(&[])
}

/// The account with the drawn system in it, as JSON.
pub fn applied() -> &'static str {
    static APPLIED: OnceLock<String> = OnceLock::new();
    APPLIED.get_or_init(|| {
        let cloud = world::empty_account();
        paused(async { world::apply_fully(&cloud, &drawn()).await });
        serde_json::to_string(&*cloud.account()).expect("an account is JSON")
    })
}

pub fn account() -> Account {
    serde_json::from_str(applied()).expect("an account")
}

/// As the sandbox keeps them.
pub fn accounts() -> Vec<String> {
    vec![format!("{{\"written\":1790000000000,\"account\":{}}}", applied())]
}

/// From nothing, of an edit, and to nothing again.
pub fn plans() -> Vec<String> {
    use ecdeploy::cloud::sim::SimCloud;
    use ecdeploy::plan::{Origin, Plan};
    let account = account();
    paused(async {
        let cloud = SimCloud::in_memory(account, 1.0);
        let edited = world::drawn(&[("interval = 30", "interval = 15")]);
        let desired = drawn();
        let first = world::plan(&world::empty_account(), &desired).await;
        let change = world::plan(&cloud, &edited).await;
        let snapshot = world::read(&cloud, &desired).await;
        let last = Plan::to_destroy(&desired, &snapshot, &world::parting(), Origin::default());
        let same = world::plan(&cloud, &desired).await;
        let plans = [first, change, last.expect("a plan"), same];
        plans.iter().map(|plan| serde_json::to_string(plan).expect("JSON")).collect()
    })
}

pub fn holders() -> Vec<String> {
    let word = || "word".to_owned();
    let holder = Holder {
        id: word(),
        command: "apply".to_owned(),
        user: word(),
        host: word(),
        process: 1,
        place: word(),
        since: "2026-11-22T15:04:05Z".to_owned(),
    };
    let number = |number: u64| {
        json!({ "number": number, "holder": &holder, "topology": "ecommerce", "version": 1, "renewed": 0 }).to_string()
    };
    vec![number(1), number(u64::MAX)]
}

/// Those of everything in the applied account.
pub fn tags() -> Vec<String> {
    let account = account();
    let all = account.objects().flat_map(|object| object.tags.values().cloned());
    let mut all: BTreeMap<String, ()> = all.map(|tag| (tag, ())).collect();
    for more in [
        "instance.user-1 3 5",
        "heritage=ecdeploy,ecdeploy:topology=shop,ecdeploy:address=record.a",
        "zone example.com",
        "*.example.com",
        "%7B%22Version%22%3A%222012-10-17%22%7D",
        "sun:17:00-sun:17:30",
        "1-65535",
        "",
    ] {
        all.insert(more.to_owned(), ());
    }
    all.into_keys().collect()
}

pub fn paths() -> Vec<String> {
    ["/", "/api/auth/register", "/api/users/1?x=%41#top", "https://shop.example.com/a", "/%C3%BC"]
        .map(str::to_owned)
        .into()
}

/// Arguments, one a line.
pub fn flags() -> Vec<String> {
    [
        "plan\n--sandbox\n--var\nadmin_cidr=10.0.0.0/8\n--only\nservice.user",
        "trace\n/api/users/1\n--from\n10.0.0.1",
        "scale\nuser=4\norder=3\n--sandbox\n-y",
        "adopt\nvpc.main\nvpc-1\n--sandbox\n-y",
        "rehearse\n--sandbox\n--sandbox-speed\n1000\n--min-healthy\n1",
        "apply\n--sandbox\n--parallelism\n1\n--format\njson\nsome.plan",
        "validate\n--format\njson\n-f\ntopology.toml",
    ]
    .map(str::to_owned)
    .into()
}
