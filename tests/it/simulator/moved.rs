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

#[tokio::test(start_paused = true)]
async fn of_a_renamed_service_the_plan_says_what_its_name_replaces() {
    let cloud = applied().await;
    let renamed = drawn(&[(
        "[service.user]\n",
        "[[moved]]\nfrom = \"service.user\"\nto = \"service.account\"\n[service.account]\n",
    )]);
    let before = ids(&cloud).len();
    let (plan, _) = apply_fully(&cloud, &renamed).await;
    let moved = plan.changes.iter().filter(|change| change.moved_from.is_some());
    let mut kinds: Vec<(&str, Action)> =
        moved.map(|change| (change.address.kind(), change.action)).collect();
    kinds.dedup();
    let all = ["iam_role", "instance", "instance_profile", "ssm_parameter", "target_group"];
    assert_eq!(kinds, all.map(|kind| (kind, Action::Replace)));
    let others = plan.changes.iter().filter(|change| change.moved_from.is_none());
    assert!(others.clone().all(|change| change.action == Action::Update), "{:#?}", changes(&plan));
    assert!(!others.clone().any(|change| change.address.kind() == "db_instance"));
    assert_eq!(ids(&cloud).len(), before, "something was left behind, or lost");
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
