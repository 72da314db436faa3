//! A run that is stopped leaves nothing behind that the next one, right after it, would make again.

use std::sync::Mutex;
use std::time::Duration;

use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::{FaultyCloud, Rates};
use ecdeploy::plan::{Origin, Plan};
use ecdeploy::reconcile::{Event, Halt, Observer, Stop, What};
use ecdeploy::snapshot;

use super::world::*;

/// Wishes to stop as soon as there is something of this kind.
struct StopsAt<'a>(&'static str, &'a Stop, Mutex<Duration>);

impl Observer for StopsAt<'_> {
    fn event(&self, event: &Event) {
        if event.address.kind() == self.0 && matches!(event.what, What::Exists { .. }) {
            self.1.request(Halt::Signal(2));
            *self.2.lock().unwrap() = event.at;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_listings_do_not_show_yet_is_waited_for_before_the_lock_is_given_back() {
    for (seed, kind) in ["vpc", "internet_gateway", "route_table", "instance"].iter().enumerate() {
        let cloud = empty_account();
        let desired = drawn(&[]);
        let lagging = Rates { lagging: 1.0, ..Rates::default() };
        let faulty = FaultyCloud::new(&cloud, seed as u64, lagging, None);
        let stop = Stop::default();
        let at = StopsAt(kind, &stop, Mutex::default());
        let snapshot = snapshot::read(&faulty, &desired).await.unwrap();
        let plan = Plan::to_reach(&desired, &snapshot, &parting(), Origin::default()).unwrap();
        let begun = faulty.now();
        let outcome = carry_out(&plan, &snapshot, &faulty, &stop, &at).await;
        assert!(!outcome.is_complete());
        let waited = faulty.now() - begun - *at.2.lock().unwrap();
        assert!(waited < Duration::from_secs(60), "{kind}: {waited:?}");

        // At once, and told what the other was told.
        let next = FaultyCloud::new(&cloud, 7, Rates::default(), None).after(faulty.unseen());
        let snapshot = snapshot::read(&next, &desired).await.unwrap();
        let plan = Plan::to_reach(&desired, &snapshot, &parting(), Origin::default()).unwrap();
        let outcome = carry_out(&plan, &snapshot, &next, &Stop::default(), &Silent).await;
        assert!(outcome.is_complete(), "{kind}: {:#?}", failures(&plan, &outcome));
        let made = cloud.account().objects().filter(|object| object.kind == *kind).count();
        let wanted = desired.resources.keys().filter(|address| address.kind() == *kind).count();
        assert_eq!(made, wanted, "{kind}");
    }
}
