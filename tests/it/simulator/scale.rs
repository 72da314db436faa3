//! A thousand machines: AWS's buckets are kept to, and used.

use std::sync::Mutex;
use std::time::Duration;

use ecdeploy::desired::{Desired, desired};
use ecdeploy::reconcile::{Event, Observer, Stop, What};
use ecdeploy::topology;

use super::world::*;

/// The drawn services, `count` machines each, in subnets that have room for them.
fn many(count: usize) -> Desired {
    let mut text = DRAWN.replace("count           = 2", &format!("count           = {count}"));
    for most in [10, 8, 6, 4] {
        text = text.replace(&format!("max_count = {most}\n"), &format!("max_count = {count}\n"));
        text = text.replace(&format!("max_count    = {most}\n"), &format!("max_count = {count}\n"));
    }
    for (small, large) in [("10.0.1.0/24", "10.0.64.0/18"), ("10.0.2.0/24", "10.0.128.0/18")] {
        text = text.replace(small, large);
    }
    let topology = topology::parse("topology.toml", &text, &[])
        .unwrap_or_else(|errors| panic!("the topology is wrong: {errors:?}"));
    desired(&topology)
}

/// When the first machine was begun, and when the last had its tags.
#[derive(Default)]
struct Machines(Mutex<Vec<Duration>>);

impl Observer for Machines {
    fn event(&self, event: &Event) {
        let counts = matches!(event.what, What::Started | What::Exists { .. });
        if event.address.kind() == "instance" && counts {
            self.0.lock().unwrap().push(event.at);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_machines_are_made_as_fast_as_the_buckets_let_them() {
    let cloud = empty_account();
    apply_fully(&cloud, &many(2)).await;
    let before = cloud.traffic();
    let desired = many(145);
    let snapshot = read(&cloud, &desired).await;
    let plan = plan(&cloud, &desired).await;
    let times = Machines::default();
    let outcome = carry_out(&plan, &snapshot, &cloud, &Stop::default(), &times).await;
    assert!(outcome.is_complete(), "{:#?}", failures(&plan, &outcome));
    assert!(self::plan(&cloud, &desired).await.is_empty());

    let traffic = cloud.traffic();
    assert_eq!(traffic.throttled, 0);
    let launches = traffic.calls["instance:Create"] - before.calls["instance:Create"];
    assert!(launches <= 30, "{launches} RunInstances");
    // Each is given its own name, a call each: CreateTags has a burst of 100, and ten a second after that.
    let times = times.0.into_inner().unwrap();
    let took = (*times.iter().max().unwrap() - *times.iter().min().unwrap()).as_secs_f64();
    let bound = (1001.0 - 100.0) / 10.0;
    assert!((bound..bound * 1.1).contains(&took), "{took} s of {bound} s");

    destroy(&cloud, &desired).await;
    assert_eq!(ids(&cloud), Vec::<String>::new());
    let traffic = cloud.traffic();
    assert_eq!(traffic.throttled, 0);
    let ends = traffic.calls["instance:Delete"];
    assert!(ends <= 30, "{ends} TerminateInstances");
}
