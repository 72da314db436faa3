//! A rehearsal tells how a plan will go, and touches nothing.

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
    let snapshot = read(&cloud, &desired).await;
    let plan = Plan::to_reach(&desired, &snapshot, &parting(), Origin::default()).unwrap();
    rehearse(&plan, &desired, &snapshot).unwrap()
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
    let text = report::rehearsal::text(&rehearsal, "ecommerce in account 123456789012");
    insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string());
}
