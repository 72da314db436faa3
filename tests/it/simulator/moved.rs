//! What was given another address in the file goes on in the account: only its tags change.

use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::desired::Desired;
use ecdeploy::diff::Action;
use ecdeploy::plan::{Origin, Plan, Verb};
use ecdeploy::reconcile::Stop;
use ecdeploy::report;

use super::world::*;

const MOVED: &str = "[[moved]]\nfrom = \"database.user\"\nto = \"database.account\"\n";

/// The user's database under another key. Its names in AWS, which would follow from the key, are written out.
fn renamed(moved: &str) -> Desired {
    let block = format!(
        "{moved}[database.account]\nidentifier = \"ecommerce-user-db\"\ndb_name = \"user_db\"\n"
    );
    drawn(&[("\"database.user\"", "\"database.account\""), ("[database.user]\n", &block)])
}

async fn applied() -> SimCloud {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    cloud
}

#[tokio::test(start_paused = true)]
async fn a_database_under_another_key_stays_and_gets_its_new_tags() {
    let cloud = applied().await;
    let (id, before) = (id_of(&cloud, "db_instance.user"), ids(&cloud));
    let (plan, _) = apply_fully(&cloud, &renamed(MOVED)).await;
    assert_eq!(changes(&plan), [("db_instance.account".to_owned(), Action::Update)]);
    let [step] = &plan.steps[..] else { panic!("{:?}", plan.steps) };
    assert_eq!((step.verb, step.fields.len()), (Verb::Update, 0), "it is touched");
    let text = anstream::adapter::strip_str(&report::plan::text(&plan, "")).to_string();
    assert!(
        text.contains("~ db_instance.account  ecommerce-user-db  moved from db_instance.user\n"),
        "{text}"
    );
    assert_eq!(id_of(&cloud, "db_instance.account"), id);
    assert_eq!(ids(&cloud), before);
    let name = cloud.account().get("db_instance", &id).unwrap().tags["Name"].clone();
    assert_eq!(name, "ecommerce-account");
    assert!(self::plan(&cloud, &renamed("")).await.is_empty(), "the block is needed once only");
}

#[tokio::test(start_paused = true)]
async fn a_single_resource_moves_by_its_address() {
    let cloud = applied().await;
    let address = "[[moved]]\nfrom = \"db_instance.user\"\nto = \"db_instance.account\"\n";
    let (plan, _) = apply_fully(&cloud, &renamed(address)).await;
    assert_eq!(changes(&plan), [("db_instance.account".to_owned(), Action::Update)]);
}

#[tokio::test(start_paused = true)]
async fn what_others_name_moves_without_them() {
    let cloud = applied().await;
    let before = ids(&cloud);
    let front = drawn(&[
        ("public-1", "front-1"),
        ("front-1  = {", "front-1   = {"),
        ("[vpc]", "[[moved]]\nfrom = \"subnet.public-1\"\nto = \"subnet.front-1\"\n[vpc]"),
    ]);
    let (plan, _) = apply_fully(&cloud, &front).await;
    assert_eq!(changes(&plan), [("subnet.front-1".to_owned(), Action::Update)]);
    assert_eq!(ids(&cloud), before);
}

#[tokio::test(start_paused = true)]
async fn a_change_is_made_together_with_the_move() {
    let cloud = applied().await;
    let id = id_of(&cloud, "db_instance.user");
    let mut desired = renamed(MOVED);
    let address = "db_instance.account".parse().unwrap();
    desired.resources.get_mut(&address).unwrap().insert("multi_az".into(), false.into());
    let (plan, _) = apply_fully(&cloud, &desired).await;
    let text = anstream::adapter::strip_str(&report::plan::text(&plan, "")).to_string();
    assert!(text.contains("moved from db_instance.user, change\n"), "{text}");
    assert_eq!(id_of(&cloud, "db_instance.account"), id);
}

/// The user service under another key, with these lines before its block and in it.
fn account(before: &str, within: &str) -> Desired {
    drawn(&[("[service.user]\n", &format!("{before}[service.account]\n{within}"))])
}

fn moved(kind: &str, from: &str, to: &str) -> String {
    format!("[[moved]]\nfrom = \"{kind}.{from}\"\nto = \"{kind}.{to}\"\n")
}

/// Applies, and sees that nothing but tags is changed.
async fn only_tags_change(cloud: &SimCloud, desired: &Desired) {
    let strip = |cloud: &SimCloud| {
        let account = cloud.account();
        let facts = account.objects().map(|o| (o.id.clone(), o.body.clone(), o.passing.is_some()));
        facts.collect::<Vec<_>>()
    };
    let before = strip(cloud);
    let (plan, _) = apply_fully(cloud, desired).await;
    assert!(!plan.is_empty());
    let touched = |change: &ecdeploy::diff::Change| {
        change.action == Action::Update && change.fields.is_empty() && change.moved_from.is_some()
    };
    assert!(plan.changes.iter().all(touched), "{:#?}", changes(&plan));
    assert_eq!(strip(cloud), before);
}

/// Why there is no plan.
async fn refusal(cloud: &SimCloud, desired: &Desired) -> ecdeploy::error::Error {
    let snapshot = read(cloud, desired).await;
    Plan::to_reach(desired, &snapshot, &parting(), Origin::default()).unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn of_a_renamed_service_only_tags_change() {
    let cloud = applied().await;
    let block = moved("service", "user", "account");
    only_tags_change(&cloud, &account(&block, "")).await;

    let (plan, _) = apply_fully(&cloud, &account(&block, "instance_type = \"t3.large\"\n")).await;
    let rolled = ["instance.account-1", "instance.account-2"];
    assert_eq!(changes(&plan), rolled.map(|one| (one.to_owned(), Action::Update)));
}

#[tokio::test(start_paused = true)]
async fn without_its_moved_block_a_renamed_service_is_not_replaced_unasked() {
    let cloud = applied().await;
    apply_fully(&cloud, &account(&moved("service", "user", "account"), "")).await;
    let error = refusal(&cloud, &account("", "")).await;
    assert!(error.message.contains("`ecommerce-user-ap-southeast-1`"), "{}", error.message);
    let hint = error.hint.unwrap();
    assert!(hint.contains("`name = \"user\"`") && hint.contains("`name = \"account\"`"), "{hint}");
    assert!(plan(&cloud, &account("", "name = \"user\"\n")).await.is_empty());
    let (plan, _) = apply_fully(&cloud, &account("", "name = \"account\"\n")).await;
    assert!(plan.changes.iter().any(|change| change.action == Action::Replace));
}

#[tokio::test(start_paused = true)]
async fn of_a_renamed_database_or_cache_only_tags_change() {
    let database = |before: &str, within: &str| {
        let block = format!("{before}[database.account]\n{within}");
        drawn(&[("\"database.user\"", "\"database.account\""), ("[database.user]\n", &block)])
    };
    let cloud = applied().await;
    only_tags_change(&cloud, &database(&moved("database", "user", "account"), "")).await;
    let error = refusal(&cloud, &database("", "")).await;
    assert!(error.message.contains("`ecommerce-user-db`"), "{}", error.message);
    assert!(plan(&cloud, &database("", "name = \"user\"\n")).await.is_empty());

    let cache = |before: &str, within: &str| {
        let block = format!("{before}[cache.store]\n{within}");
        drawn(&[("\"cache.redis\"", "\"cache.store\""), ("[cache.redis]\n", &block)])
    };
    let cloud = applied().await;
    only_tags_change(&cloud, &cache(&moved("cache", "redis", "store"), "")).await;
    assert!(refusal(&cloud, &cache("", "")).await.hint.unwrap().contains("`name = \"redis\"`"));
    assert!(plan(&cloud, &cache("", "name = \"redis\"\n")).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_move_that_was_cut_short_is_finished() {
    let cloud = applied().await;
    let before = ids(&cloud);
    let desired = drawn(&[
        ("public-1", "front-1"),
        ("public-2", "front-2"),
        (
            "[vpc]",
            "[[moved]]\nfrom = \"subnet.public-1\"\nto = \"subnet.front-1\"\n[[moved]]\nfrom = \"subnet.public-2\"\nto = \"subnet.front-2\"\n[vpc]",
        ),
    ]);
    let snapshot = read(&cloud, &desired).await;
    let plan = Plan::to_reach(&desired, &snapshot, &parting(), Origin::default()).unwrap();
    assert_eq!(plan.steps.len(), 2);
    let stop = Stop::default();
    let observer = StopAfter { steps: 1, stop: &stop, done: Default::default() };
    ecdeploy::reconcile::run(&plan, &snapshot, &cloud, 1, &stop, &observer).await;
    let bearing = |address: &str| {
        let account = cloud.account();
        account.objects().any(|o| o.tags.get("ecdeploy:address").is_some_and(|a| a == address))
    };
    assert!(bearing("subnet.front-1"));
    apply_fully(&cloud, &desired).await;
    assert_eq!(ids(&cloud), before);
    assert!(!bearing("subnet.public-1") && !bearing("subnet.public-2"));
}

#[tokio::test(start_paused = true)]
async fn destroy_takes_down_what_has_not_moved_yet() {
    let cloud = applied().await;
    destroy(&cloud, &renamed(MOVED)).await;
    assert_eq!(ids(&cloud), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_saved_plan_of_a_move_is_carried_out_or_refused_like_any_other() {
    let cloud = applied().await;
    let desired = renamed(MOVED);
    let snapshot = read(&cloud, &desired).await;
    let plan = Plan::to_reach(&desired, &snapshot, &parting(), Origin::default()).unwrap();
    let saved: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    saved.check_fresh(&desired, &read(&cloud, &desired).await).unwrap();
    apply_fully(&cloud, &desired).await;
    let error = saved.check_fresh(&desired, &read(&cloud, &desired).await).unwrap_err();
    assert!(error.message.contains("db_instance.account"), "{}", error.message);
}

#[tokio::test(start_paused = true)]
async fn of_two_the_one_that_bears_the_new_address_stays() {
    let cloud = applied().await;
    let twin = {
        let account = cloud.account();
        let mut twin =
            account.get("target_group", &id(&account, "target_group.user")).unwrap().clone();
        twin.body.insert("name".into(), "twin".into());
        twin
    };
    let mut tags = twin.tags.clone();
    tags.insert("ecdeploy:address".into(), "target_group.former".into());
    let kind = ecdeploy::kinds::by_name("target_group").unwrap();
    cloud.create(kind, &twin.body, &[tags], "twin").await.unwrap();
    let desired = drawn(&[(
        "[vpc]",
        "[[moved]]\nfrom = \"target_group.former\"\nto = \"target_group.user\"\n[vpc]",
    )]);
    let kept = id_of(&cloud, "target_group.user");
    apply_fully(&cloud, &desired).await;
    assert_eq!(id_of(&cloud, "target_group.user"), kept);
}

fn id(account: &ecdeploy::cloud::sim::Account, address: &str) -> String {
    let mut all = account.objects();
    all.find(|o| o.tags.get("ecdeploy:address").is_some_and(|a| a == address)).unwrap().id.clone()
}

fn changes(plan: &Plan) -> Vec<(String, Action)> {
    plan.changes.iter().map(|change| (change.address.to_string(), change.action)).collect()
}
