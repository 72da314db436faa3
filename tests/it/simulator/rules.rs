//! A listener's rules in another order: by one call, and at every moment each path goes where it should.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use async_trait::async_trait;
use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::{Object, SimCloud};
use ecdeploy::diff::Cause;
use ecdeploy::kinds::{self, Kind, Live};
use ecdeploy::model::{Body, Class, Created, Fault, Tags};
use ecdeploy::plan::{Choice, Origin, Plan, Verb};
use ecdeploy::reconcile::{State, Stop};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::world::*;

/// The drawn rules' paths, in the drawn order.
const PATHS: [&str; 8] = [
    "/api/users/*",
    "/api/auth/*",
    "/api/products/*",
    "/api/categories/*",
    "/api/orders/*",
    "/api/payments/*",
    "/api/notifications/*",
    "/api/*",
];

/// Where each path goes.
type Routes = BTreeMap<&'static str, String>;

/// Edits that give the drawn rules these priorities.
fn with_priorities(priorities: &[u32]) -> Vec<(String, String)> {
    let text = |priority: u32, path: &str| format!("priority = {priority}, path = \"{path}\"");
    let rules = PATHS.iter().zip(1..).zip(priorities);
    rules.map(|((path, old), new)| (text(old, path), text(*new, path))).collect()
}

fn borrowed(edits: &[(String, String)]) -> Vec<(&str, &str)> {
    edits.iter().map(|(old, new)| (old.as_str(), new.as_str())).collect()
}

/// Where each path goes now; what no rule takes goes to the listener's default.
fn routes(cloud: &SimCloud) -> Routes {
    let account = cloud.account();
    let rules = || account.objects().filter(|object| object.kind == "listener_rule");
    let takes = |rule: &Object, path: &str| {
        let patterns = rule.body["paths"].as_array().into_iter().flatten();
        patterns.filter_map(Value::as_str).any(|own| path.starts_with(own.trim_end_matches('*')))
    };
    let all = PATHS.iter().map(|path| {
        let taking = rules().filter(|rule| takes(rule, path));
        let first = taking.min_by_key(|rule| rule.body["priority"].as_u64());
        (*path, first.map_or_else(String::new, |rule| rule.text("target_group").to_owned()))
    });
    all.collect()
}

/// Notes after each call where the paths go; answers no more of them than allowed, as if it were killed.
struct Watched<'a> {
    cloud: &'a SimCloud,
    allowed: usize,
    begun: Mutex<usize>,
    calls: Mutex<Vec<(&'static str, Routes)>>,
}

impl<'a> Watched<'a> {
    fn new(cloud: &'a SimCloud, allowed: usize) -> Faulty<Self> {
        Faulty(Self { cloud, allowed, begun: Mutex::default(), calls: Mutex::default() })
    }

    fn count(&self, call: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|(name, _)| *name == call).count()
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
        body: &Body,
        all: &[Tags],
        token: &str,
    ) -> Result<Vec<Created>, Fault> {
        self.cloud.create(kind, body, all, token).await
    }

    async fn begins(&self) -> Result<(), Fault> {
        let mut begun = self.begun.lock().unwrap();
        if *begun == self.allowed {
            return Err(Fault::new(Class::Fatal, "sim", "Killed", "it was killed"));
        }
        *begun += 1;
        Ok(())
    }

    async fn ended(&self, call: &'static str) {
        self.calls.lock().unwrap().push((call, routes(self.cloud)));
    }
}

/// From the drawn order to this one: one call, before it all is as it was, and after it all is as wanted.
async fn reorder(priorities: &[u32]) {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let before = routes(&cloud);
    let edits = with_priorities(priorities);
    let watched = Watched::new(&cloud, usize::MAX);

    let (plan, outcome) = apply_fully(&watched, &drawn(&borrowed(&edits))).await;

    assert!(outcome.is_complete());
    let moved = (1..).zip(priorities).filter(|(old, new)| old != *new).count();
    assert_eq!((plan.changes.len(), plan.summary.drift), (moved, 0));
    assert_eq!(plan.steps.len(), usize::from(moved > 0));
    assert_eq!(watched.0.count("update_all"), usize::from(moved > 0), "calls for all at once");
    // With each rule it is written down what is about to be, and then what is.
    assert_eq!((watched.0.count("update"), watched.0.count("tag")), (0, 2 * moved));
    let after = routes(&cloud);
    let seen = watched.0.calls.lock().unwrap();
    let known = |routes| [&before, &after].contains(&routes);
    assert!(seen.iter().all(|(_, routes)| known(routes)), "{before:#?} -> {seen:#?}");
}

fn run(work: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().unwrap().block_on(work);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_the_drawn_rules_takes_one_call(
        priorities in Just((1..=8).collect::<Vec<u32>>()).prop_shuffle(),
    ) {
        run(reorder(&priorities));
    }

    #[test]
    fn so_does_any_order_with_gaps(
        priorities in prop::sample::subsequence((1..=14).collect::<Vec<u32>>(), 8).prop_shuffle(),
    ) {
        run(reorder(&priorities));
    }
}

#[test]
fn a_swap_a_turn_and_shifts_take_one_call() {
    run(reorder(&[1, 2, 3, 4, 6, 5, 7, 8]));
    run(reorder(&[2, 3, 4, 5, 6, 7, 8, 1]));
    run(reorder(&[2, 3, 4, 5, 6, 7, 8, 9]));
    run(reorder(&[101, 102, 103, 104, 105, 106, 107, 50000]));
}

/// A rule goes, one comes at a priority that another leaves, and all others move.
const MOVED_ON: &[(&str, &str)] = &[
    (
        "{ priority = 1, path = \"/api/users/*\" }, { priority = 2, path = \"/api/auth/*\" }",
        "{ priority = 3, path = \"/api/users/*\" }, { priority = 1, path = \"/api/search/*\" }",
    ),
    ("priority = 3, path = \"/api/products/*\"", "priority = 2, path = \"/api/products/*\""),
    ("priority = 8, path = \"/api/*\"", "priority = 7, path = \"/api/*\""),
    (
        "priority = 7, path = \"/api/notifications/*\"",
        "priority = 6, path = \"/api/notifications/*\"",
    ),
    ("priority = 6, path = \"/api/payments/*\"", "priority = 8, path = \"/api/admin/*\""),
];

#[tokio::test(start_paused = true)]
async fn rules_come_and_go_around_an_order_that_changes() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let before = routes(&cloud);
    let watched = Watched::new(&cloud, usize::MAX);

    let (plan, _) = apply_fully(&watched, &drawn(MOVED_ON)).await;

    assert_eq!((plan.summary.create, plan.summary.delete, plan.summary.update), (2, 2, 4));
    let after = routes(&cloud);
    let seen = watched.0.calls.lock().unwrap();
    for path in PATHS {
        let allowed = BTreeSet::from([&before[path], &after[path]]);
        assert!(
            seen.iter().all(|(_, routes)| allowed.contains(&routes[path])),
            "{path}: {seen:#?}"
        );
    }
    let order: Vec<&str> =
        seen.iter().map(|(call, _)| *call).filter(|call| *call != "tag").collect();
    assert_eq!(order, ["delete", "delete", "update_all", "create", "create"]);
}

/// Kills the way to the edited system after every number of calls, and goes on from there.
async fn killed_anywhere(edits: &[(&str, &str)]) {
    let begun = empty_account();
    apply_fully(&begun, &drawn(&[])).await;
    let begun = begun.account().clone();
    let edited = drawn(edits);
    for allowed in 0.. {
        let cloud = SimCloud::in_memory(begun.clone(), 1.0);
        let watched = Watched::new(&cloud, allowed);
        let (_, outcome) = apply(&watched, &edited).await;
        let rest = plan(&cloud, &edited).await;
        let drift: Vec<_> = rest.changes.iter().filter(|change| change.drifted()).collect();
        assert!(drift.is_empty(), "taken for drift after {allowed} calls: {drift:#?}");
        // Nor is it drift when somebody takes the edit back.
        let back = plan(&cloud, &drawn(&[])).await;
        let fields = back.changes.iter().flat_map(|change| &change.fields);
        let orders = fields.filter(|moved| moved.field == "priority");
        let drift: Vec<_> = orders.filter(|moved| moved.cause != Cause::Change).collect();
        assert!(drift.is_empty(), "taken back after {allowed} calls: {drift:#?}");
        apply_fully(&cloud, &edited).await;
        assert_eq!(cloud.account().objects().count(), edited.resources.len());
        if outcome.is_complete() {
            assert!(allowed > 4, "there was nothing to kill");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_order_killed_after_any_call_is_taken_up() {
    let edits = with_priorities(&[2, 3, 4, 1, 6, 5, 7, 9]);
    let mut edits = borrowed(&edits);
    killed_anywhere(&edits).await;
    killed_anywhere(MOVED_ON).await;
    // A rule that is to be protected has a step of its own as well.
    edits.push(("[service.order]", "[service.order]\nprotect = true"));
    killed_anywhere(&edits).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_order_of_rules_that_are_switched_as_well_is_taken_up_too() {
    let mut edits = with_priorities(&[8, 1, 2, 3, 4, 5, 6, 7]);
    // Its machines are replaced, and so it is switched to another group; and it bears another address.
    for (old, new) in [
        ("port      = 3001", "port      = 3101"),
        ("path = \"/api/users/*\" }", "path = \"/api/users/*\", name = \"u\" }"),
        (
            "[service.user]",
            "[[moved]]\nfrom = \"listener_rule.api-users\"\nto = \"listener_rule.u\"\n\n[service.user]",
        ),
    ] {
        edits.push((old.to_owned(), new.to_owned()));
    }
    killed_anywhere(&borrowed(&edits)).await;
}

#[tokio::test(start_paused = true)]
async fn an_order_changed_by_hand_is_mended_in_one_call() {
    let cloud = empty_account();
    let desired = drawn(&[]);
    apply_fully(&cloud, &desired).await;
    for (address, priority) in [("api-orders", 90), ("api-payments", 5), ("api-orders", 6)] {
        edit(&cloud, &format!("listener_rule.{address}"), "priority", json!(priority));
    }
    let watched = Watched::new(&cloud, usize::MAX);
    let (plan, _) = apply_fully(&watched, &desired).await;
    assert_eq!((plan.summary.update, plan.summary.drift), (2, 2));
    assert_eq!((watched.0.count("update_all"), watched.0.count("update")), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn each_listener_has_an_order_of_its_own() {
    const ARN: &str = "arn:aws:acm:ap-southeast-1:123456789012:certificate/0f1e2d3c";
    let both = format!("[load_balancer]\ncertificate = {{ arn = \"{ARN}\" }}\nredirect = false");
    let both = ("[load_balancer]", both.as_str());
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[both])).await;
    let edits = with_priorities(&[2, 1, 3, 4, 5, 6, 7, 8]);
    let mut edits = borrowed(&edits);
    edits.push(both);
    let watched = Watched::new(&cloud, usize::MAX);
    let (plan, _) = apply_fully(&watched, &drawn(&edits)).await;
    assert_eq!((plan.summary.update, plan.steps.len()), (4, 2));
    assert_eq!(watched.0.count("update_all"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_part_of_an_order_is_all_that_changes_places() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let edits = with_priorities(&[2, 1, 3, 4, 6, 5, 7, 9]);
    let desired = drawn(&borrowed(&edits));
    let part = |only: &[&str], except: &[&str]| {
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect();
        let choice = Choice { only: names(only), except: names(except) };
        Origin { choice, ..Origin::default() }
    };
    for (origin, changes) in [
        (part(&["listener_rule.api-users"], &[]), 2),
        (part(&[], &["listener_rule.api"]), 2),
        (part(&[], &["listener_rule.api-orders"]), 1),
    ] {
        let snapshot = read(&cloud, &desired).await;
        let plan = Plan::to_reach(&desired, &snapshot, &parting(), origin).unwrap();
        assert_eq!(plan.changes.len(), changes);
        let outcome = carry_out(&plan, &snapshot, &cloud, &Stop::default(), &Silent).await;
        assert!(outcome.is_complete(), "{:#?}", failures(&plan, &outcome));
    }
}

#[tokio::test(start_paused = true)]
async fn a_priority_that_two_would_have_is_refused_and_nothing_moves() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let before = routes(&cloud);
    let kind = kinds::by_name("listener_rule").unwrap();
    let to = |rule: &str, priority: u32| {
        let id = id_of(&cloud, &format!("listener_rule.{rule}"));
        let body = cloud.account().get("listener_rule", &id).unwrap().body.clone();
        let mut after = body.clone();
        after.insert("priority".to_owned(), json!(priority));
        (Live { id, outputs: BTreeMap::new(), body, tags: Tags::new() }, after)
    };
    for all in [vec![to("api-users", 8), to("api-auth", 1)], vec![to("api-users", 9), to("api", 9)]]
    {
        let refused = cloud.update(kind, &all, &["priority"]).await.unwrap_err();
        assert_eq!((refused.code.as_str(), refused.class), ("PriorityInUse", Class::Fatal));
        assert_eq!(routes(&cloud), before);
    }
    let one = [to("api-users", 8)];
    let refused = cloud.update(kind, &one, &["priority"]);
    assert_eq!(refused.await.unwrap_err().code, "PriorityInUse");
}

#[tokio::test(start_paused = true)]
async fn the_step_is_there_for_all_of_its_rules() {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    let edits = with_priorities(&[2, 3, 1, 4, 5, 6, 7, 8]);
    let desired = drawn(&borrowed(&edits));
    let (plan, outcome) = apply(&Watched::new(&cloud, 0), &desired).await;
    let [step] = &plan.steps[..] else { panic!("{:#?}", plan.steps) };
    assert_eq!((step.verb, step.batch.len()), (Verb::Update, 3));
    assert_eq!(step.to_string(), "update listener_rule.api-auth and 2 more");
    assert!(matches!(outcome.states[..], [State::Failed(_)]));
    assert_eq!(plan.changes.len(), 3);
}
