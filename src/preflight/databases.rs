//! Versions of databases, and the classes, disks and zones that they can be had with.

use std::collections::BTreeSet;

use super::Finding;
use super::answers::Answers;
use super::planned::Planned;
use super::version::{is_of, is_older, major, numbers, sorted};
use crate::diff::{Action, Change};
use crate::kinds::db_instance;
use crate::model::question::{Order, Orders};
use crate::model::{Address, Body, Question};
use crate::topology::{Diagnostic, suggest};

/// What decides whether a database can be had.
const FIELDS: &[&str] =
    &["engine_version", "instance_class", "storage_type", "allocated_storage", "multi_az"];

/// One that is to be, or to be so.
struct Wish<'a> {
    address: &'a Address,
    body: &'a Body,
    engine: String,
    version: String,
    /// What runs, where that changes.
    running: Option<String>,
    class: String,
    /// The version is new to it: what runs on one that AWS gives nobody any more goes on.
    new_version: bool,
}

fn wishes<'a>(planned: &Planned<'a>) -> Vec<Wish<'a>> {
    let coming = planned.setting(db_instance::SCHEMA.kind, FIELDS);
    let wishes = coming.filter_map(|(change, body)| {
        let new_version = change.action != Action::Update || changes(change, "engine_version");
        let running = planned.running(change, "engine_version");
        let asked = planned.text(body, "engine_version")?;
        Some(Wish {
            address: &change.address,
            body,
            engine: planned.text(body, "engine")?,
            version: match &running {
                Some(running) if !new_version => running.clone(),
                _ => asked,
            },
            running: running.filter(|_| new_version),
            class: planned.text(body, "instance_class")?,
            new_version,
        })
    });
    wishes.collect()
}

fn changes(change: &Change, field: &str) -> bool {
    change.fields.iter().any(|one| one.field == field)
}

impl Wish<'_> {
    /// The newest of the versions that its own stands for, as AWS takes it.
    fn whole_version(&self, answers: &Answers) -> Option<String> {
        if !self.new_version {
            return Some(self.version.clone());
        }
        let known = versions(&self.engine, answers)?;
        known.into_iter().filter(|one| is_of(one, &self.version)).max_by_key(|one| numbers(one))
    }

    fn orders(&self, answers: &Answers) -> Option<Question> {
        let (engine, class) = (self.engine.clone(), self.class.clone());
        let version = self.whole_version(answers)?;
        Some(Question::DatabaseOrders { engine, version, class })
    }

    fn upgrades(&self) -> Option<Question> {
        let (engine, version) = (self.engine.clone(), self.running.clone()?);
        Some(Question::DatabaseUpgrades { engine, version })
    }

    fn is(&self, field: &str) -> bool {
        self.body.get(field) == Some(&true.into())
    }
}

fn versions(engine: &str, answers: &Answers) -> Option<BTreeSet<String>> {
    answers.get(&Question::DatabaseVersions { engine: engine.to_owned() })
}

pub fn wants(planned: &Planned<'_>, answers: &Answers) -> Vec<Question> {
    let mut questions = Vec::new();
    for wish in wishes(planned) {
        questions.extend(wish.orders(answers));
        questions.extend(wish.upgrades());
        if wish.new_version {
            questions.push(Question::DatabaseVersions { engine: wish.engine });
        }
    }
    questions
}

pub fn verdict(planned: &Planned<'_>, answers: &Answers) -> Vec<Finding> {
    let refused = wishes(planned).into_iter().filter_map(|wish| {
        if let Some(known) = versions(&wish.engine, answers).filter(|_| wish.new_version)
            && wish.whole_version(answers).is_none()
        {
            return Some(no_version(&wish, &known, planned));
        }
        if let Some(error) = no_upgrade(&wish, answers, planned) {
            return Some(error);
        }
        let orders: Orders = answers.get(&wish.orders(answers)?)?;
        not_so(&wish, &orders, planned)
    });
    refused.map(Finding::Refused).collect()
}

fn no_version(wish: &Wish<'_>, known: &BTreeSet<String>, planned: &Planned<'_>) -> Diagnostic {
    let Wish { address, engine, version, .. } = wish;
    let region = &planned.desired.region;
    let near = of_its_major(version, known);
    let near = match near.is_empty() {
        true => sorted(known.iter().map(|one| major(one).to_owned()).collect()),
        false => near,
    };
    planned
        .blame(address, "engine_version", format!("RDS has no {engine} {version} in {region}"))
        .label("no database of this version can be made")
        .hint(format!("there are {}", suggest::list(near.iter().map(String::as_str))))
}

/// Those of the same major version, in their order.
fn of_its_major(version: &str, known: &BTreeSet<String>) -> Vec<String> {
    sorted(known.iter().filter(|one| major(one) == major(version)).cloned().collect())
}

/// RDS makes one version into some of the newer ones, and goes back to none:
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.PostgreSQL.html>
fn no_upgrade(wish: &Wish<'_>, answers: &Answers, planned: &Planned<'_>) -> Option<Diagnostic> {
    let Wish { address, engine, version, .. } = wish;
    let running = wish.running.as_ref().filter(|running| !is_of(running, version))?;
    let targets: Option<BTreeSet<String>> = answers.get(&wish.upgrades()?);
    let targets = targets.unwrap_or_default();
    let back = is_older(version, running);
    // What lists no target tells none.
    if !back && (targets.is_empty() || targets.iter().any(|one| is_of(one, version))) {
        return None;
    }
    let (message, label) = match back {
        true => (
            format!("{engine} {running} runs, and RDS goes back to no older version"),
            "older than what runs",
        ),
        false => (
            format!("RDS makes no {engine} {version} of the {running} that runs"),
            "no upgrade leads there at once",
        ),
    };
    let near = of_its_major(version, &targets);
    let near = if near.is_empty() { sorted(targets) } else { near };
    let keep = format!("write `{running}` to keep it");
    let hint = match near.is_empty() {
        true => keep,
        false => {
            let near = suggest::list(near.iter().map(String::as_str));
            let there = format!("from {running} it goes to {near}");
            if back { format!("{keep}; {there}") } else { there }
        }
    };
    Some(planned.blame(address, "engine_version", message).label(label).hint(hint))
}

/// Why it can't be had as it is asked for.
fn not_so(wish: &Wish<'_>, orders: &[Order], planned: &Planned<'_>) -> Option<Diagnostic> {
    let Wish { address, engine, version, class, .. } = wish;
    let region = &planned.desired.region;
    let of_class = |message: String| {
        planned.blame(address, "instance_class", format!("RDS has no `{class}` {message}"))
    };
    if orders.is_empty() {
        let error = of_class(format!("for {engine} {version} in {region}"));
        return Some(error.label("this version is not offered on this class"));
    }
    let storage = planned.text(wish.body, "storage_type")?;
    let on_disk: Vec<&Order> =
        orders.iter().filter(|order| order.storage_type == storage).collect();
    if on_disk.is_empty() {
        let known: BTreeSet<&str> =
            orders.iter().map(|order| order.storage_type.as_str()).collect();
        let message = format!("RDS has no `{storage}` for `{class}` in {region}");
        let error = planned.blame(address, "storage_type", message);
        return Some(error.label("not offered on this class").hint(suggest::hint(&storage, known)));
    }
    let standby = wish.is("multi_az");
    if standby && !on_disk.iter().any(|order| order.multi_az) {
        return Some(
            of_class(format!("with a standby in {region}")).label("multi_az is not offered"),
        );
    }
    let replica = wish.body.get("source").is_some_and(|source| !source.is_null());
    if replica && !on_disk.iter().any(|order| order.replicas) {
        return Some(of_class(format!("for read replicas in {region}")).label("not offered"));
    }
    let offered: BTreeSet<&String> = on_disk.iter().flat_map(|order| &order.zones).collect();
    let own = zones(wish, planned);
    let reached = own.iter().filter(|zone| offered.contains(zone)).count();
    if !offered.is_empty() && !own.is_empty() && reached < if standby { 2 } else { 1 } {
        let there = suggest::list(offered.iter().map(|zone| zone.as_str()));
        let what = if standby { "in two zones of its subnets" } else { "in a zone of its subnets" };
        let error = of_class(what.to_owned()).label("not offered there");
        let error = error.hint(format!("RDS has it in {there}"));
        return Some(match planned.span(address, "subnet_group") {
            Some(subnets) => error.also(subnets, "its subnets"),
            None => error,
        });
    }
    let size = wish.body.get("allocated_storage")?.as_u64()?;
    let fits = |(least, most): (u32, u32)| (u64::from(least)..=u64::from(most)).contains(&size);
    let ranges: Vec<(u32, u32)> = on_disk.iter().filter_map(|order| order.storage).collect();
    let (least, most) = *ranges.first().filter(|_| !ranges.iter().any(|range| fits(*range)))?;
    let message = format!("RDS has no {size} GiB of `{storage}` for `{class}`");
    let error = planned.blame(address, "allocated_storage", message);
    Some(error.label(format!("{least} to {most} GiB are offered")))
}

/// The zones that its group of subnets is in.
fn zones(wish: &Wish<'_>, planned: &Planned<'_>) -> BTreeSet<String> {
    let group = wish.body.get("subnet_group").and_then(|group| planned.named(group));
    let subnets = group.and_then(|(_, body)| body.get("subnets")?.as_array());
    subnets.into_iter().flatten().filter_map(|subnet| planned.zone(subnet)).collect()
}
