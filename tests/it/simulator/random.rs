//! From any topology to any other: each plan is carried out and leaves nothing to do, or is refused beforehand.

use std::collections::BTreeMap;

use ecdeploy::desired::Desired;
use ecdeploy::error::ErrorKind;
use ecdeploy::plan::{Origin, Parting, Plan};
use ecdeploy::reconcile::Stop;
use proptest::prelude::*;

use super::world::*;

/// Edits of the drawn file that don't get in each other's way.
const EDITS: &[(&str, &str)] = &[
    ("count           = 2", "count = 3"),
    ("t3.small", "t3.medium"),
    ("interval = 30", "interval = 15"),
    ("port      = 3002", "port      = 3102"),
    ("priority = 1,", "priority = 9,"),
    ("priority = 5, path = \"/api/orders/*\"", "priority = 6, path = \"/api/orders/*\""),
    ("priority = 6, path = \"/api/payments/*\"", "priority = 5, path = \"/api/payments/*\""),
    ("[database.notification]\n", ""),
    ("uses      = [\"database.notification\"]\n", ""),
    ("name = \"RDS-SG\"", "name = \"Databases-SG\""),
    ("name = \"Redis-SG\"", "name = \"Redis-SG\"\ningress = [{ port = 6380, from = \"rds\" }]"),
    ("default_service = \"frontend\"", "default_service = \"gateway\""),
    ("203.0.113.10/32", "198.51.100.7/32"),
    ("path = \"/api/users/*\"", "path = \"/api/people/*\""),
    ("db.t3.micro", "db.t3.small"),
    ("multi_az          = true", "multi_az = false"),
    ("zone            = \"a\"", "zone = \"a\"\nreplicas = 1"),
    ("allocated_storage = 20", "allocated_storage = 40"),
    ("root_volume     = { size = 8,", "root_volume     = { size = 12,"),
    ("cache.t3.micro", "cache.t3.small"),
];

/// Edits that only make sense together.
const PAIRED: &[&[usize]] = &[&[5, 6], &[7, 8]];

fn edits(chosen: &[bool]) -> Vec<(&'static str, &'static str)> {
    let on = |index: usize| {
        let group = PAIRED.iter().find(|group| group.contains(&index));
        group.map_or(chosen[index], |group| chosen[group[0]])
    };
    (0..EDITS.len()).filter(|index| on(*index)).map(|index| EDITS[index]).collect()
}

/// No service falls below its floor, or below what it had where that was less.
fn serves_throughout(
    before: &BTreeMap<String, usize>,
    fewest: &BTreeMap<String, usize>,
    desired: &Desired,
) {
    for (service, rolling) in &desired.rolling {
        let group = format!("target_group.{service}");
        let Some(had) = before.get(&group) else { continue };
        let floor = (rolling.serving.min_healthy as usize).min(*had);
        assert!(fewest[&group] >= floor, "{service}: {} of {floor}", fewest[&group]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, ..ProptestConfig::default() })]

    #[test]
    fn every_step_from_one_topology_to_another_ends_with_an_empty_plan(
        topologies in prop::collection::vec(prop::collection::vec(any::<bool>(), EDITS.len()), 1..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let cloud = empty_account();
            let mut last = drawn(&[]);
            apply_fully(&cloud, &last).await;
            for (turn, chosen) in topologies.iter().enumerate() {
                let next = drawn(&edits(chosen));
                let snapshot = read(&cloud, &next).await;
                // A database that comes and goes twice leaves two snapshots.
                let parting = Parting { stamp: turn.to_string(), ..parting() };
                match Plan::to_reach(&next, &snapshot, &parting, Origin::default()) {
                    Ok(way) => {
                        let stop = Stop::default();
                        cloud.count_healthy();
                        let before = cloud.fewest_healthy();
                        let outcome = carry_out(&way, &snapshot, &cloud, &stop, &Silent).await;
                        assert!(outcome.is_complete(), "{:#?}", failures(&way, &outcome));
                        serves_throughout(&before, &cloud.fewest_healthy(), &next);
                        let again = plan(&cloud, &next).await;
                        assert!(again.is_empty(), "not empty: {:#?}", again.changes);
                        last = next;
                    }
                    Err(error) => assert_eq!(error.kind, ErrorKind::Refused, "{error}"),
                }
            }
            destroy(&cloud, &last).await;
            assert_eq!(ids(&cloud), Vec::<String>::new());
        });
    }
}
