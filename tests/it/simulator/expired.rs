//! Credentials that end halfway: it is said at once, once, and what to do; nothing new is begun; a rerun finishes.

use std::sync::Mutex;

use anstream::adapter::strip_str;
use ecdeploy::cloud::sim::{FaultyCloud, Rates, SimCloud};
use ecdeploy::desired::Desired;
use ecdeploy::plan::{Origin, Plan};
use ecdeploy::reconcile::{Event, Halt, Observer, Outcome, State, Stop, What};
use ecdeploy::report;

use super::world::*;

/// How often something was begun after AWS had said no.
#[derive(Default)]
struct Late {
    /// Whether it has, and how many steps were begun since.
    seen: Mutex<(bool, usize)>,
}

impl Observer for Late {
    fn event(&self, event: &Event) {
        let mut seen = self.seen.lock().unwrap();
        match &event.what {
            What::Failed { error, .. } => {
                assert!(error.contains("RequestExpired"), "{error}");
                seen.0 = true;
            }
            What::Started if seen.0 => seen.1 += 1,
            _ => {}
        }
    }
}

struct Cut {
    plan: Plan,
    outcome: Outcome,
    /// Steps begun after it was known.
    begun_late: usize,
    /// Calls that were made with credentials that were over.
    refused: usize,
}

/// Applies with credentials that end after so many calls that change something.
async fn cut(cloud: &SimCloud, desired: &Desired, calls: usize) -> Cut {
    let snapshot = read(cloud, desired).await;
    let plan = Plan::to_reach(desired, &snapshot, &parting(), Origin::default()).unwrap();
    let expiring = FaultyCloud::new(cloud, 0, Rates::default(), None).expiring(calls);
    let late = Late::default();
    let outcome = carry_out(&plan, &snapshot, &expiring, &Stop::default(), &late).await;
    let begun_late = late.seen.lock().unwrap().1;
    Cut { plan, outcome, begun_late, refused: expiring.refused() }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_begun_after_they_have_ended_and_a_rerun_finishes() {
    let desired = drawn(&[]);
    for calls in [0, 1, 10, 40, 80, 120] {
        let cloud = empty_account();
        let Cut { outcome, begun_late, refused, .. } = cut(&cloud, &desired, calls).await;
        assert_eq!(outcome.interrupted, Some(Halt::Credentials), "after {calls}");
        assert!(!outcome.is_complete());
        assert_eq!(begun_late, 0, "after {calls}");
        // What was under way when it came out, each with its one call.
        assert!(refused <= 16, "after {calls}: {refused} calls were refused");
        apply_fully(&cloud, &desired).await;
        assert_eq!(cloud.account().objects().count(), desired.resources.len(), "after {calls}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_roll_goes_on_where_they_ended() {
    for calls in [3, 15, 30] {
        let cloud = drawn_account().await;
        cloud.count_healthy();
        let larger = drawn(&[("t3.small", "t3.medium")]);
        let Cut { outcome, begun_late, .. } = cut(&cloud, &larger, calls).await;
        assert_eq!((outcome.interrupted, begun_late), (Some(Halt::Credentials), 0));
        apply_fully(&cloud, &larger).await;
        let fewest = cloud.fewest_healthy();
        assert!(fewest.values().all(|healthy| *healthy >= 1), "after {calls}: {fewest:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_said_once_with_what_to_do() {
    let cloud = empty_account();
    let Cut { plan, outcome, .. } = cut(&cloud, &drawn(&[]), 40).await;
    let failed = outcome.states.iter().filter(|state| matches!(state, State::Failed(_)));
    assert_eq!(failed.count(), 1, "the others are left for the next run");
    let text = strip_str(&report::outcome::text(&plan, &outcome)).to_string();
    assert_eq!(text.matches("RequestExpired").count(), 1, "{text}");
    assert!(text.contains("hint: AWS does not take these credentials any more: log in"), "{text}");
    assert!(text.contains("left for the next run:"), "{text}");
}
