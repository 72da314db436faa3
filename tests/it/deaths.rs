//! Deaths of the built binary on the wire, by SIGKILL: before a call is sent on, or after it is done and before its
//! answer is here. Whoever runs the same again ends in the same account.
//!
//! A sample: `simulator::deaths` dies at every call, and shows the logic; this shows the process, the connection and the
//! lock it leaves. `ECDEPLOY_DEATHS=100` tries so many, `ECDEPLOY_SEED=7` those of another number.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::between::{self, Passing, scattered};
use crate::emulator::{Account, Emulator};
use crate::inventory::{ADDRESS, Inventory, TOPOLOGY};
use crate::product::{Running, Shop};
use crate::raw::Raw;

/// One for each stage of a life, four lives.
const DEATHS: usize = 12;

/// One service of the drawn shop's seven, with all the kinds of call that they make: around a death it is run three times
/// and looked at twice, which takes some 3 s here, and with the whole shop too long for a test that is always run.
const SMALL: &str = r#"
name    = "ecommerce"
account = "123456789012"
region  = "ap-southeast-1"

[vpc]
cidr_block = "10.0.0.0/16"

[subnet]
public-1  = { cidr_block = "10.0.1.0/24", zone = "a", public = true }
public-2  = { cidr_block = "10.0.2.0/24", zone = "b", public = true }
private-1 = { cidr_block = "10.0.11.0/24", zone = "a" }
private-2 = { cidr_block = "10.0.12.0/24", zone = "b" }

[security_group.alb]
ingress = [{ port = 80, from = "0.0.0.0/0" }]
[security_group.ec2]
[security_group.rds]
[security_group.redis]

[load_balancer]
name            = "shop"
subnets         = ["public-1", "public-2"]
security_groups = ["alb"]
default_service = "user"

[service.user]
port            = 3001
count           = 2
ami             = { ssm = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64" }
instance_type   = "t3.small"
subnets         = ["public-1", "public-2"]
security_groups = ["ec2"]
uses            = ["database.user", "cache.redis"]
routes          = [{ priority = 1, path = "/api/users/*" }]
health_check    = { path = "/health" }

[database.user]
engine_version    = "16"
instance_class    = "db.t3.micro"
allocated_storage = 20
subnets           = ["private-1", "private-2"]
security_groups   = ["rds"]

[cache.redis]
engine_version  = "7.1"
node_type       = "cache.t3.micro"
zone            = "a"
subnets         = ["private-1", "private-2"]
security_groups = ["redis"]
"#;

/// At which call that changes something, and on which side of it.
#[derive(Clone, Copy, Debug)]
enum Death {
    Before(usize),
    After(usize),
}

/// Kills ecdeploy at a call.
#[derive(Default)]
struct Killer {
    /// Changes that came since a run began.
    changes: AtomicUsize,
    /// Calls that are under way.
    passing: AtomicUsize,
    aim: Mutex<Option<(Death, Option<Arc<Running>>)>>,
    known: Condvar,
}

impl Killer {
    fn pass(&self, call: Passing) -> io::Result<()> {
        self.passing.fetch_add(1, Ordering::SeqCst);
        let passed = self.pass_on(call);
        self.passing.fetch_sub(1, Ordering::SeqCst);
        passed
    }

    fn pass_on(&self, mut call: Passing) -> io::Result<()> {
        let number =
            if call.changes() { self.changes.fetch_add(1, Ordering::SeqCst) + 1 } else { 0 };
        if self.strikes(|death| matches!(death, Death::Before(at) if at == number)) {
            println!("    killed before {}", call.operation());
            return Ok(());
        }
        let (head, body) = call.forward()?;
        if self.strikes(|death| matches!(death, Death::After(at) if at == number)) {
            println!("    killed after {}", call.operation());
            return Ok(());
        }
        call.answer(&head, &body)
    }

    fn strikes(&self, now: impl Fn(Death) -> bool) -> bool {
        let aim = self.aim.lock().unwrap_or_else(PoisonError::into_inner);
        if !aim.as_ref().is_some_and(|(death, _)| now(*death)) {
            return false;
        }
        // The first call may be here before the test knows whose it is.
        let unknown =
            |aim: &mut Option<(Death, Option<Arc<Running>>)>| matches!(aim, Some((_, None)));
        let mut aim = self.known.wait_while(aim, unknown).unwrap_or_else(PoisonError::into_inner);
        let Some((_, Some(running))) = aim.take() else { return false };
        running.kill();
        true
    }

    /// Runs it, and kills it there; whether it came so far.
    fn run(&self, shop: &Shop, arguments: &[&str], death: Death) -> bool {
        self.changes.store(0, Ordering::SeqCst);
        let aim = |aimed| *self.aim.lock().unwrap_or_else(PoisonError::into_inner) = aimed;
        aim(Some((death, None)));
        let running = Arc::new(shop.start(arguments));
        aim(Some((death, Some(running.clone()))));
        self.known.notify_all();
        while running.runs() {
            sleep(Duration::from_millis(5));
        }
        // What was in flight beside it arrives, as it would with AWS.
        sleep(Duration::from_millis(50));
        while self.passing.load(Ordering::SeqCst) > 0 {
            sleep(Duration::from_millis(5));
        }
        self.aim.lock().unwrap_or_else(PoisonError::into_inner).take().is_none()
    }
}

/// A run that changes the shop, and how many changes it makes when nobody kills it.
struct Stage {
    name: &'static str,
    arguments: &'static [&'static str],
    changes: usize,
}

#[test]
fn whoever_runs_it_again_ends_in_the_same_account() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let wanted = number("ECDEPLOY_DEATHS").map_or(DEATHS, |deaths| deaths as usize);
    let seed = number("ECDEPLOY_SEED").unwrap_or(5);
    println!("ECDEPLOY_SEED={seed} ECDEPLOY_DEATHS={wanted}");
    let begun = Instant::now();
    let mut account = Emulator::Moto.lend();
    let empty = Inventory::take(&mut account.raw);
    let killer = Arc::new(Killer::default());
    let shared = killer.clone();
    let way = between::listen(&account.url(), move |call| shared.pass(call));
    let shop = Shop::on(&account).by_way_of(&way).with_file(SMALL);

    let stages = undisturbed(&mut account, &shop, &killer);
    let whole = Inventory::take(&mut account.raw);
    assert_eq!(whole.of_topology("ecommerce").len(), 0);

    let (mut tried, mut died) = (0, 0);
    while tried < wanted {
        for stage in &stages {
            let chance = scattered(seed.wrapping_mul(1 << 20).wrapping_add(tried as u64));
            let at = 1 + (chance / 2 % stage.changes as u64) as usize;
            let death = if chance.is_multiple_of(2) { Death::Before(at) } else { Death::After(at) };
            println!("{} of {} changes, {death:?}", stage.name, stage.changes);
            let before = Inventory::take(&mut account.raw);
            prepare(stage, &shop);
            died += usize::from(killer.run(&shop, stage.arguments, death));
            tried += 1;

            // What was in flight has landed. That it is waited for, also by `unlock`, is tested with the lock.
            forget_locks(&mut account.raw);
            shop.run(stage.arguments).exits(0);

            let after = Inventory::take(&mut account.raw);
            if stage.name == "destroy" {
                after.assert_same(&empty, "after destroy");
                continue;
            }
            each_once(&after);
            shop.expect_no_changes();
            if stage.name == "roll" {
                assert!(after.moved(&before, "ecommerce").is_empty(), "ids are what they were");
            }
        }
    }
    println!("{died} deaths of {tried} in {:.1?}", begun.elapsed());
    // Calls that are made together or apart, as it happens, are not always as many.
    assert!(died * 4 >= tried * 3, "only {died} of {tried} died");
}

fn prepare(stage: &Stage, shop: &Shop) {
    match stage.name {
        "apply" => shop.edit("t3.medium", "t3.small"),
        "roll" => shop.edit("t3.small", "t3.medium"),
        _ => {}
    }
}

/// A life without a death.
fn undisturbed(account: &mut Account, shop: &Shop, killer: &Killer) -> Vec<Stage> {
    let mut stages = Vec::new();
    for (name, arguments) in [
        ("apply", ["apply", "-y"].as_slice()),
        ("roll", &["apply", "-y"]),
        ("destroy", &["destroy", "-y"]),
    ] {
        if name == "roll" {
            each_once(&Inventory::take(&mut account.raw));
            shop.edit("t3.small", "t3.medium");
        }
        killer.changes.store(0, Ordering::SeqCst);
        shop.run(arguments).exits(0);
        let changes = killer.changes.load(Ordering::SeqCst);
        assert!(changes > 5, "{name}: {changes} changes");
        stages.push(Stage { name, arguments, changes });
    }
    stages
}

/// Nothing of ours is there twice, and no machine without its tags.
#[track_caller]
fn each_once(inventory: &Inventory) {
    let mut found = BTreeMap::<(&str, &str), Vec<&str>>::new();
    for item in inventory.0.values().filter(|item| item.tags.contains_key(TOPOLOGY)) {
        found.entry((item.kind, &item.tags[ADDRESS])).or_default().push(&item.id);
    }
    found.retain(|_, ids| ids.len() > 1);
    assert!(found.is_empty(), "twice: {found:?}");
    for kind in ["instance", "load_balancer", "db_instance", "iam_role"] {
        let ours = |item: &&&crate::inventory::Item| item.tags.contains_key(TOPOLOGY);
        let all = inventory.of_kind(kind);
        assert_eq!(all.iter().filter(ours).count(), all.len(), "{kind}: {all:#?}");
    }
}

/// Takes the locks away past the product.
fn forget_locks(raw: &mut Raw) {
    let asked = json!({"Path": "/ecdeploy/ecommerce/lock", "Recursive": true});
    let found = raw.call("ssm", "get_parameters_by_path", asked);
    for lock in found["Parameters"].as_array().into_iter().flatten() {
        raw.call("ssm", "delete_parameter", json!({"Name": lock["Name"]}));
    }
}
