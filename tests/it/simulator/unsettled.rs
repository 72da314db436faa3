//! A run that is stopped leaves nothing behind that the next one, right after it, would make again because listings
//! don't show it yet.

use std::time::Duration;

use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::{FaultyCloud, Rates};
use ecdeploy::desired::Desired;
use ecdeploy::plan::{Origin, Plan};
use ecdeploy::reconcile::{Halt, Outcome, Stop};
use ecdeploy::snapshot;

use super::world::*;

/// Makes what the topology wants, until stopping is wished while so many changes are under way or done.
async fn make(cloud: &FaultyCloud<'_>, desired: &Desired, changes: usize) -> Outcome {
    let snapshot = snapshot::read(cloud, desired).await.unwrap();
    let plan = Plan::to_reach(desired, &snapshot, &parting(), Origin::default()).unwrap();
    let stop = Stop::default();
    let signal = async {
        while cloud.changes() < changes {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stop.request(Halt::Signal(2));
        std::future::pending::<()>().await;
    };
    tokio::select! {
        outcome = carry_out(&plan, &snapshot, cloud, &stop, &Silent) => outcome,
        () = signal => unreachable!("it only rings"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_listings_do_not_show_yet_is_waited_for_before_the_end() {
    let desired = drawn(&[]);
    for changes in (1..40).step_by(8) {
        let cloud = empty_account();
        let lagging = Rates { lagging: 1.0, ..Rates::default() };
        let first = FaultyCloud::new(&cloud, changes as u64, lagging, None);
        assert!(!make(&first, &desired, changes).await.is_complete());

        // At once, and told what the other was told.
        let next = FaultyCloud::new(&cloud, 0, Rates::default(), None).after(first.unseen());
        let outcome = make(&next, &desired, usize::MAX).await;
        assert!(outcome.is_complete(), "{changes}: {:#?}", outcome.states);
        assert_eq!(cloud.account().objects().count(), desired.resources.len(), "{changes}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_shown_is_not_waited_for() {
    let cloud = empty_account();
    let prompt = FaultyCloud::new(&cloud, 1, Rates::default(), None);
    let begun = prompt.now();
    make(&prompt, &drawn(&[]), 1).await;
    let took = prompt.now() - begun;
    assert!(took < Duration::from_secs(3), "{took:?}");
}
