//! The ground under those who are served: groups, ports, rules and services change, and at every call everybody is reached.

mod sight;

use std::collections::BTreeSet;
use std::sync::Mutex;

use async_trait::async_trait;
use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::desired::Desired;
use ecdeploy::kinds::{Kind, Live};
use ecdeploy::model::{Created, Fault, Tags};
use ecdeploy::plan::{Choice, Origin, Plan, Verb};
use ecdeploy::reconcile::Stop;
use ecdeploy::report;

use super::world::*;
use sight::{Sight, look, named, of_kind};

/// Looks after each call, and before each machine is terminated.
struct Watched<'a> {
    cloud: &'a SimCloud,
    allowed: usize,
    begun: Mutex<usize>,
    sights: Mutex<Vec<Sight>>,
    undrained: Mutex<BTreeSet<String>>,
}

impl<'a> Watched<'a> {
    fn new(cloud: &'a SimCloud, allowed: usize) -> Faulty<Self> {
        let (begun, sights, undrained) = Default::default();
        Faulty(Self { cloud, allowed, begun, sights, undrained })
    }
}

#[async_trait]
impl Spoiled for Watched<'_> {
    fn sound(&self) -> &SimCloud {
        self.cloud
    }

    async fn spoil(
        &self,
        kind: &'static dyn Kind,
        body: &ecdeploy::model::Body,
        all: &[Tags],
        token: &str,
    ) -> Result<Vec<Created>, Fault> {
        self.cloud.create(kind, body, all, token).await
    }

    async fn begins(&self) -> Result<(), Fault> {
        let mut begun = self.begun.lock().unwrap();
        if *begun == self.allowed {
            let killed = ecdeploy::model::Class::Fatal;
            return Err(Fault::new(killed, "sim", "Killed", "it was killed"));
        }
        *begun += 1;
        Ok(())
    }

    fn deletes(&self, kind: &'static dyn Kind, all: &[Live]) {
        if kind.schema().kind != "instance" {
            return;
        }
        let account = self.cloud.account();
        let groups: Vec<String> = of_kind(&account, "target_group").map(|g| g.id.clone()).collect();
        let registered = account.health(&groups);
        let still = all.iter().filter(|live| registered.iter().any(|one| one.target == live.id));
        let names = still.map(|live| named(&account, "instance", &live.id));
        self.undrained.lock().unwrap().extend(names);
    }

    async fn ended(&self, _: &'static str) {
        self.sights.lock().unwrap().push(look(self.cloud));
    }
}

/// From the drawn system, changed by `first`, to it changed by `edits`: what is seen at each call.
async fn through(first: &[(&str, &str)], edits: &[(&str, &str)], floor: usize) -> Plan {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(first)).await;
    // Until everybody is healthy.
    tokio::time::sleep(std::time::Duration::from_secs(600)).await;
    let before = look(&cloud);
    assert!(before.healthy.values().all(|n| *n == 2), "{before:#?}");
    assert!(before.cut_off.is_empty(), "{before:#?}");
    let watched = Watched::new(&cloud, usize::MAX);

    let (plan, _) = apply_fully(&watched, &drawn(edits)).await;

    let after = look(&cloud);
    let sights = watched.0.sights.lock().unwrap();
    assert!(!sights.is_empty());
    for sight in sights.iter() {
        for (path, to) in &sight.routes {
            let known = [&before.routes[path], &after.routes[path]].contains(&to);
            assert!(known, "{path} goes to {to}: {sight:#?}");
            let healthy = sight.healthy.get(to).copied().unwrap_or(0);
            assert!(healthy >= floor, "{path} is served by {healthy} of {to}: {sight:#?}");
        }
        assert_eq!(sight.cut_off, [] as [String; 0]);
    }
    assert_eq!(*watched.0.undrained.lock().unwrap(), BTreeSet::new(), "terminated undrained");
    plan
}

fn place(plan: &Plan, address: &str, verb: Verb) -> usize {
    let found = plan.steps.iter().position(|s| s.address.to_string() == address && s.verb == verb);
    found.unwrap_or_else(|| panic!("{verb:?} {address} in {:#?}", plan.steps))
}

#[tokio::test(start_paused = true)]
async fn the_machines_group_is_replaced_under_them() {
    let plan = through(&[], &[("EC2-SG", "EC2b-SG")], 1).await;
    let last = place(&plan, "instance.user-2", Verb::Update);
    assert!(place(&plan, "security_group.rds", Verb::Update) < last);
    assert!(place(&plan, "security_group.rds", Verb::Revoke) > last);
    assert!(place(&plan, "security_group.ec2", Verb::Detach) > last);
}

#[tokio::test(start_paused = true)]
async fn the_load_balancers_group_is_replaced_under_it() {
    through(&[], &[("ALB-SG", "ALBb-SG")], 2).await;
}

#[tokio::test(start_paused = true)]
async fn the_groups_of_the_stores_are_replaced_under_them() {
    for (old, new) in [("RDS-SG", "RDSb-SG"), ("Redis-SG", "Redisb-SG")] {
        through(&[], &[(old, new)], 2).await;
    }
}

#[tokio::test(start_paused = true)]
async fn all_groups_are_replaced_at_once() {
    let edits = [("ALB-SG", "b"), ("EC2-SG", "c"), ("RDS-SG", "d"), ("Redis-SG", "e")];
    through(&[], &edits, 1).await;
}

const PORT: (&str, &str) = ("port      = 3001", "port      = 3101");

#[tokio::test(start_paused = true)]
async fn a_port_is_closed_when_its_machines_are_gone() {
    let plan = through(&[], &[PORT], 2).await;
    let gone = place(&plan, "instance.user-2", Verb::Delete);
    assert!(place(&plan, "security_group.ec2", Verb::Revoke) > gone);
    through(&[], &[PORT, ("EC2-SG", "EC2b-SG"), ("ALB-SG", "ALBb-SG")], 1).await;
}

fn part(only: &[&str], except: &[&str]) -> Origin {
    let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect();
    let choice = Choice { only: names(only), except: names(except) };
    Origin { choice, ..Origin::default() }
}

async fn part_of(cloud: &SimCloud, desired: &Desired, origin: Origin) -> Plan {
    let snapshot = read(cloud, desired).await;
    let plan = Plan::to_reach(desired, &snapshot, &parting(), origin).unwrap();
    let outcome = carry_out(&plan, &snapshot, cloud, &Stop::default(), &Silent).await;
    assert!(outcome.is_complete(), "{:#?}", failures(&plan, &outcome));
    plan
}

#[tokio::test(start_paused = true)]
async fn a_part_closes_nothing_that_what_it_leaves_out_needs() {
    for origin in [
        part(&[], &["service.user"]),
        part(&[], &["instance.user-1"]),
        part(&["security_group.ec2"], &[]),
    ] {
        let cloud = empty_account();
        apply_fully(&cloud, &drawn(&[])).await;
        tokio::time::sleep(std::time::Duration::from_secs(600)).await;
        cloud.count_healthy();
        let plan = part_of(&cloud, &drawn(&[PORT]), origin.clone()).await;
        assert!(plan.steps.iter().all(|step| step.verb != Verb::Revoke), "{:#?}", plan.steps);
        let said = report::plan::text(&plan, "it");
        assert!(said.contains("tcp 3001 from security_group.alb  stays"), "{said}");
        let fewest = cloud.fewest_healthy();
        assert!(fewest.values().all(|n| *n == 2), "{fewest:?}");
        // The same part again has nothing left to do to the group; the whole closes it.
        let again = part_of(&cloud, &drawn(&[PORT]), origin).await;
        assert!(again.changes.iter().all(|c| c.address.kind() != "security_group"));
        let rest = super::world::plan(&cloud, &drawn(&[PORT])).await;
        assert_eq!(rest.summary.drift, 0, "{:#?}", rest.changes);
        apply_fully(&cloud, &drawn(&[PORT])).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_opening_made_by_hand_is_closed_at_once() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let by_hand = serde_json::json!([{"protocol": "tcp", "ports": "5432", "peer": "0.0.0.0/0"}]);
    edit(&cloud, "security_group.redis", "ingress", by_hand);
    let (plan, _) = apply_fully(&cloud, &drawn(&[("t3.small", "t3.large")])).await;
    let revoke = &plan.steps[place(&plan, "security_group.redis", Verb::Revoke)];
    let update = place(&plan, "security_group.redis", Verb::Update);
    assert_eq!(revoke.after.iter().map(|after| after.step).collect::<Vec<_>>(), [update]);
}

#[tokio::test(start_paused = true)]
async fn the_plan_names_the_old_group_and_the_new_one() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let old = id_of(&cloud, "security_group.ec2");
    let plan = super::world::plan(&cloud, &drawn(&[("EC2-SG", "EC2b-SG")])).await;
    let text = anstream::adapter::strip_str(&report::plan::text(&plan, "it")).to_string();
    assert!(text.contains(&format!("- tcp 5432 from security_group.ec2 ({old})")), "{text}");
    assert!(text.contains("+ tcp 5432 from security_group.ec2 (id known after apply)"), "{text}");
    assert!(text.contains(&format!("- security_group.ec2 ({old})")), "{text}");
}

/// Killed after every call in turn: what the next run finds is no drift, and it ends in the same.
async fn killed_anywhere(first: &[(&str, &str)], edits: &[(&str, &str)], stride: usize) {
    let edited = drawn(edits);
    for allowed in (0..).step_by(stride) {
        let cloud = empty_account();
        apply_fully(&cloud, &drawn(first)).await;
        let (_, outcome) = apply(&Watched::new(&cloud, allowed), &edited).await;
        let rest = plan(&cloud, &edited).await;
        let drift: Vec<_> = rest.changes.iter().filter(|change| change.drifted()).collect();
        assert!(drift.is_empty(), "taken for drift after {allowed} calls: {drift:#?}");
        apply_fully(&cloud, &edited).await;
        assert_eq!(cloud.account().objects().count(), edited.resources.len());
        if outcome.is_complete() {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn groups_and_ports_killed_after_any_call_are_taken_up() {
    let admin = ("port = 22,", "port = 23,");
    killed_anywhere(&[], &[("Redis-SG", "Redisb-SG"), admin], 1).await;
    killed_anywhere(&[], &[("ALB-SG", "ALBb-SG"), ("EC2-SG", "EC2b-SG")], 7).await;
    killed_anywhere(&[], &[PORT], 3).await;
}

#[tokio::test(start_paused = true)]
async fn rules_and_services_killed_after_any_call_are_taken_up() {
    killed_anywhere(&[], &[NAMED, ("priority = 1,", "priority = 9,")], 1).await;
    killed_anywhere(&HIDDEN, &SHOWN, 1).await;
    killed_anywhere(&SHOWN, &HIDDEN, 1).await;
    killed_anywhere(&[], &[GATEWAY], 2).await;
    killed_anywhere(&[], &[(&payment(), "")], 2).await;
}

const NAMED: (&str, &str) =
    ("path = \"/api/users/*\"", "path = \"/api/users/*\", name = \"people\"");
const GATEWAY: (&str, &str) = ("default_service = \"frontend\"", "default_service = \"gateway\"");
/// Rules that stand in the shadow of `/api/*`.
const HIDDEN: [(&str, &str); 3] = [
    ("priority = 1,", "priority = 9,"),
    ("priority = 8,", "priority = 1,"),
    ("priority = 9,", "priority = 8,"),
];
/// The same rule before that one, and to another service.
const SHOWN: [(&str, &str); 2] = [
    ("{ priority = 1, path = \"/api/users/*\" }, ", ""),
    (
        "{ priority = 5, path = \"/api/orders/*\" }",
        "{ priority = 5, path = \"/api/orders/*\" }, { priority = 1, path = \"/api/users/*\" }",
    ),
];

/// The block of one service.
fn payment() -> String {
    let from = DRAWN.find("[service.payment]").expect("it is drawn");
    let to = DRAWN.find("[service.notification]").expect("it is drawn");
    DRAWN[from..to].to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_rule_of_another_name_is_taken_over() {
    let plan = through(&[], &[NAMED], 2).await;
    assert_eq!((plan.changes.len(), plan.summary.update), (1, 1), "{:#?}", plan.changes);
    let both = [NAMED, ("priority = 1,", "priority = 9,")];
    assert_eq!(through(&[], &both, 2).await.summary.update, 1);
}

#[tokio::test(start_paused = true)]
async fn rules_that_swap_their_places_and_their_targets_send_nobody_astray() {
    // Out of the shadow, and into it.
    through(&HIDDEN, &SHOWN, 2).await;
    through(&SHOWN, &HIDDEN, 2).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_served_by_default_leaves_after_the_switch() {
    through(&[], &[GATEWAY], 2).await;
    // And comes back before it.
    through(&[GATEWAY], &[("max_count    = 6", "max_count = 6")], 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_service_that_goes_is_drained_after_its_rule_is_gone() {
    let plan = through(&[], &[(&payment(), "")], 2).await;
    let rule = place(&plan, "listener_rule.api-payments", Verb::Delete);
    assert!(rule < place(&plan, "instance.payment-1", Verb::Detach));
}

#[tokio::test(start_paused = true)]
async fn everybody_moves_to_other_groups_that_were_not_there() {
    let web = [
        ("[security_group.rds]", "[security_group.web]\nname = \"WEB-SG\"\n\n[security_group.rds]"),
        ("security_groups = [\"ec2\"]", "security_groups = [\"web\"]"),
    ];
    through(&[], &web, 1).await;
    let front = [
        (
            "[security_group.rds]",
            "[security_group.front]\nname = \"FRONT-SG\"\n\n[security_group.rds]",
        ),
        ("security_groups = [\"alb\"]", "security_groups = [\"front\"]"),
    ];
    through(&[], &front, 2).await;
    through(&[], &[web[0], web[1], front[0], front[1]], 1).await;
}
