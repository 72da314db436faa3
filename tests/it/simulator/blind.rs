//! A look at the health of targets that fails tells nothing: not that nobody is there, either.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::kinds::Kind;
use ecdeploy::model::{Body, Class, Created, Fault, Tags};
use ecdeploy::plan::{Origin, Plan, Verb};
use ecdeploy::reconcile::{Event, Observer, Stop, What};

use super::world::*;

/// Every other look is throttled.
struct Blinking<'a> {
    cloud: &'a SimCloud,
    looks: AtomicUsize,
}

#[async_trait]
impl Spoiled for Blinking<'_> {
    fn sound(&self) -> &SimCloud {
        self.cloud
    }

    fn looks(&self) -> Result<(), Fault> {
        match self.looks.fetch_add(1, Ordering::Relaxed) % 2 {
            0 => Err(Fault::new(Class::Throttled, "DescribeTargetHealth", "Throttling", "no")),
            _ => Ok(()),
        }
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
}

/// How long each machine had to finish what it had begun.
#[derive(Default)]
struct Drains(Mutex<Vec<Duration>>);

impl Observer for Drains {
    fn event(&self, event: &Event) {
        if let (What::Done { elapsed, .. }, Verb::Detach) = (&event.what, event.verb) {
            self.0.lock().unwrap().push(*elapsed);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn machines_drain_to_the_end_though_looks_fail() {
    let cloud = drawn_account().await;
    let larger = drawn(&[("t3.small", "t3.large")]);
    let snapshot = read(&cloud, &larger).await;
    let plan = Plan::to_reach(&larger, &snapshot, &parting(), Origin::default()).unwrap();
    let blinking = Faulty(Blinking { cloud: &cloud, looks: AtomicUsize::new(0) });
    let drains = Drains::default();
    let outcome = carry_out(&plan, &snapshot, &blinking, &Stop::default(), &drains).await;
    assert!(outcome.is_complete(), "{:#?}", failures(&plan, &outcome));
    let drains = drains.0.into_inner().unwrap();
    assert_eq!(drains.len(), 14);
    assert!(drains.iter().all(|time| *time >= Duration::from_secs(30)), "{drains:?}");
}
