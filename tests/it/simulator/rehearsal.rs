//! A rehearsal tells how a plan will go, and touches nothing.

use std::time::Duration;

use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::desired::Desired;
use ecdeploy::model::Status;
use ecdeploy::plan::{Origin, Plan, Verb};
use ecdeploy::reconcile::Stop;
use ecdeploy::rehearsal::{Healthy, Rehearsal, rehearse};
use ecdeploy::report;

use super::world::*;

const EDITS: &[(&str, &str)] = &[
    ("t3.small", "t3.large"),
    ("size = 8", "size = 9"),
    ("count           = 2", "count = 3"),
    ("port      = 3001", "port      = 3101"),
    ("priority = 1,", "priority = 9,"),
];

#[tokio::test(start_paused = true)]
async fn it_goes_as_it_was_rehearsed() {
    for edit in EDITS {
        let cloud = empty_account();
        apply_fully(&cloud, &drawn(&[])).await;
        tokio::time::sleep(std::time::Duration::from_secs(600)).await;
        cloud.count_healthy();
        let desired = drawn(&[*edit]);
        let snapshot = read(&cloud, &desired).await;
        let plan = Plan::to_reach(&desired, &snapshot, &parting(), Origin::default()).unwrap();
        let before = format!("{:?}", cloud.account().objects().collect::<Vec<_>>());
        let rehearsal = rehearse(&plan, &desired, &snapshot).unwrap();
        let after = format!("{:?}", cloud.account().objects().collect::<Vec<_>>());
        assert_eq!(before, after, "it is a rehearsal");
        assert_eq!(rehearsal.failures, Vec::<String>::new(), "{edit:?}");

        let outcome = carry_out(&plan, &snapshot, &cloud, &Stop::default(), &Silent).await;

        assert!(outcome.is_complete(), "{:#?}", failures(&plan, &outcome));
        let (rehearsed, real) = (rehearsal.seconds, outcome.elapsed.as_secs_f64());
        assert!((rehearsed - real).abs() < 2.0, "{edit:?}: {rehearsed} s, and {real} s");
        for (service, fewest) in cloud.fewest_healthy() {
            let service = service.trim_start_matches("target_group.");
            assert_eq!(
                rehearsal.services[service],
                Healthy { now: 2, fewest },
                "{edit:?} {service}"
            );
        }
        assert_eq!(rehearsal.timeline.len(), plan.steps.len());
    }
}

async fn rehearsal(edits: &[(&str, &str)], applied: bool) -> Rehearsal {
    let cloud = empty_account();
    if applied {
        apply_fully(&cloud, &drawn(&[])).await;
    }
    let desired = drawn(edits);
    tokio::time::sleep(Duration::from_secs(600)).await;
    of(&cloud, &desired).await
}

/// The plan, rehearsed on the account as it is.
async fn of(cloud: &SimCloud, desired: &Desired) -> Rehearsal {
    let snapshot = read(cloud, desired).await;
    let plan = Plan::to_reach(desired, &snapshot, &parting(), Origin::default()).unwrap();
    rehearse(&plan, desired, &snapshot).unwrap()
}

/// The drawn system, applied and in service.
async fn serving() -> SimCloud {
    let cloud = empty_account();
    apply_fully(&cloud, &drawn(&[])).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    cloud
}

#[tokio::test(start_paused = true)]
async fn sick_machines_are_sick_in_the_rehearsal() {
    let cloud = serving().await;
    let subnet = id_of(&cloud, "subnet.public-2");
    cloud.account().fail_checks("subnet", subnet.into());
    // Rolled, but not started again.
    let edit = ("security_groups = [\"ec2\"]", "security_groups = [\"ec2\", \"redis\"]");
    let desired = drawn(&[edit]);
    let rehearsal = of(&cloud, &desired).await;
    assert_eq!(rehearsal.services.len(), 7);
    assert!(rehearsal.services.values().all(|found| *found == Healthy { now: 1, fewest: 1 }));
    assert_eq!(rehearsal.failures.len(), 7, "{:#?}", rehearsal.failures);
    assert!(!apply(&cloud, &desired).await.1.is_complete(), "and so it goes");
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_is_started_again_is_taken_to_be_mended() {
    let cloud = serving().await;
    let larger = ("[service.user]\n", "[service.user]\ninstance_type = \"t3.large\"\n");
    let desired = drawn(&[larger]);
    let mut snapshot = read(&cloud, &desired).await;
    let (sick, group) = (id_of(&cloud, "instance.user-1"), id_of(&cloud, "target_group.user"));
    let all = snapshot.resources.values_mut().flat_map(|one| &mut one.vitals.health);
    for found in all.filter(|found| found.group == group) {
        found.state = if found.target == sick { "unhealthy" } else { "healthy" }.to_owned();
    }
    let plan = Plan::to_reach(&desired, &snapshot, &parting(), Origin::default()).unwrap();
    let rehearsal = rehearse(&plan, &desired, &snapshot).unwrap();
    assert_eq!(rehearsal.failures, Vec::<String>::new());
    assert_eq!(rehearsal.services["user"], Healthy { now: 1, fewest: 1 });
}

#[tokio::test(start_paused = true)]
async fn a_stopped_machine_serves_nobody() {
    let cloud = serving().await;
    edit(&cloud, "instance.user-2", "running", false.into());
    tokio::time::sleep(Duration::from_secs(600)).await;
    let rehearsal = of(&cloud, &drawn(&[])).await;
    assert_eq!(rehearsal.failures, Vec::<String>::new());
    assert_eq!(rehearsal.services["user"], Healthy { now: 1, fewest: 1 });
    assert_eq!(rehearsal.services["order"], Healthy { now: 2, fewest: 2 });
}

#[tokio::test(start_paused = true)]
async fn what_is_on_its_way_is_waited_for() {
    let cloud = empty_account();
    let desired = drawn(&[]);
    let snapshot = read(&cloud, &desired).await;
    let plan = Plan::to_reach(&desired, &snapshot, &parting(), Origin::default()).unwrap();
    let stop = Stop::default();
    let observer = StopAfter { steps: 70, stop: &stop, done: Default::default() };
    carry_out(&plan, &snapshot, &cloud, &stop, &observer).await;
    let snapshot = read(&cloud, &desired).await;
    let address = "db_instance.user".parse().unwrap();
    assert_eq!(snapshot.resources[&address].status, Status::Pending("creating".into()));
    let rehearsal = of(&cloud, &desired).await;
    assert_eq!(rehearsal.failures, Vec::<String>::new());
    let (_, outcome) = apply_fully(&cloud, &desired).await;
    // When its creation began is not known: it is taken to begin now.
    assert!(rehearsal.seconds >= outcome.elapsed.as_secs_f64(), "{}", rehearsal.seconds);
}

#[tokio::test(start_paused = true)]
async fn from_nothing_a_database_decides_how_long_it_takes() {
    let rehearsal = rehearsal(&[], false).await;
    let decisive = &rehearsal.timeline[rehearsal.decisive.unwrap()];
    assert_eq!((decisive.address.kind(), decisive.verb), ("db_instance", Verb::Create));
    assert!(rehearsal.services.is_empty(), "nobody is served yet");
}

#[tokio::test(start_paused = true)]
async fn its_timeline() {
    let larger = "[service.user]\ninstance_type = \"t3.large\"\n";
    let rehearsal = rehearsal(&[("[service.user]\n", larger)], true).await;
    let text = |columns| {
        let text =
            report::rehearsal::text(&rehearsal, "ecommerce in account 123456789012", columns);
        anstream::adapter::strip_str(&text).to_string()
    };
    let rows = |text: &str| {
        let rows = text.lines().filter(|line| line.starts_with("  "));
        rows.map(|row| row.chars().count()).max().unwrap_or_default()
    };
    for columns in [40, 60, 80, 200] {
        assert!(rows(&text(columns)) <= columns, "{}", text(columns));
    }
    let text = text(80);
    insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string());
}

#[tokio::test(start_paused = true)]
async fn what_it_makes_takes_no_place_of_what_is_there() {
    // More than the account had ids for when it was made.
    let more = rehearsal(
        &[
            ("count           = 2", "count = 14"),
            ("max_count = 10", "max_count = 14"),
            ("max_count = 8", "max_count = 14"),
            ("max_count = 6", "max_count = 14"),
            ("max_count = 4\n", "max_count = 14\n"),
            ("max_count    = 6", "max_count = 14"),
        ],
        true,
    )
    .await;
    assert!(more.services.values().all(|one| one.fewest == 2), "{:?}", more.services);
}

#[tokio::test(start_paused = true)]
async fn of_a_service_that_goes_no_health_is_told() {
    let block = "[service.gateway]\nport      = 8080\nmax_count = 6\nroutes    = [{ priority = 8, path = \"/api/*\" }]\n";
    let less = rehearsal(&[(block, "")], true).await;
    let services: Vec<&str> = less.services.keys().map(String::as_str).collect();
    assert_eq!(services, ["frontend", "notification", "order", "payment", "product", "user"]);
}
