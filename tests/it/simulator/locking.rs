//! One change at a time: who has the lock, who gets it, and when it ends.

use std::time::Duration;

use ecdeploy::cloud::Cloud;
use ecdeploy::error::{Error, ErrorKind};
use ecdeploy::lock::Lock;
use ecdeploy::model::{Holder, Lease};
use ecdeploy::reconcile::{Halt, Stop};

use super::world::*;

const SHOP: &str = "ecommerce";

/// Somebody on another machine.
fn stranger(id: &str) -> Holder {
    Holder {
        id: id.into(),
        command: "apply".into(),
        user: "ada".into(),
        host: "elsewhere".into(),
        process: 7,
        place: "another".into(),
        since: "2026-11-22T10:00:00Z".into(),
    }
}

async fn take<'a>(cloud: &'a dyn Cloud) -> Result<Lock<'a>, Error> {
    Lock::acquire(cloud, SHOP, "apply", |_: &Lease| {}).await
}

fn refused(result: Result<Lock<'_>, Error>) -> String {
    let Err(error) = result else { panic!("the lock was given") };
    assert_eq!((error.kind, error.exit_code()), (ErrorKind::Locked, 3));
    error.message
}

#[tokio::test(start_paused = true)]
async fn of_two_one_gets_it_and_the_other_is_told_who() {
    let cloud = empty_account();
    let (one, other) = tokio::join!(take(&cloud), take(&cloud));
    assert!(one.is_ok() != other.is_ok(), "one of them");
    let (held, missed) = if one.is_ok() { (one, other) } else { (other, one) };
    let message = refused(missed);
    assert!(message.contains("`ecdeploy apply` of "), "{message}");
    held.unwrap().release().await.unwrap();
    assert_eq!(cloud.leases(SHOP).await.unwrap(), vec![]);
    take(&cloud).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn topologies_do_not_lock_each_other() {
    let cloud = empty_account();
    let _ours = take(&cloud).await.unwrap();
    assert!(Lock::acquire(&cloud, "another", "apply", |_: &Lease| {}).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_renews_keeps_it_for_hours() {
    let cloud = empty_account();
    let lock = take(&cloud).await.unwrap();
    tokio::select! {
        why = lock.keep() => panic!("lost: {why}"),
        () = async {
            for _ in 0..100 {
                tokio::time::sleep(Duration::from_secs(97)).await;
                refused(take(&cloud).await);
            }
        } => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_holders_lease_ends_and_one_of_many_takes_over() {
    let cloud = empty_account();
    cloud.put_lease(SHOP, 4, &stranger("dead"), true).await.unwrap();
    let message = refused(take(&cloud).await);
    assert!(message.contains("ada on elsewhere (process 7), since 2026-11-22"), "{message}");
    tokio::time::sleep(Duration::from_secs(90)).await;
    let begun = tokio::time::Instant::now();
    let all = tokio::join!(take(&cloud), take(&cloud), take(&cloud));
    let given = [all.0.is_ok(), all.1.is_ok(), all.2.is_ok()];
    assert_eq!(given.iter().filter(|given| **given).count(), 1, "{given:?}");
    assert!(begun.elapsed() >= Duration::from_secs(30), "it was watched first");
    let left = cloud.leases(SHOP).await.unwrap();
    assert_eq!(left.len(), 1, "the dead one's is taken away");
    assert_ne!(left[0].holder.id, "dead");
}

#[tokio::test(start_paused = true)]
async fn a_holder_whose_clock_goes_wrong_is_not_robbed() {
    let cloud = empty_account();
    cloud.put_lease(SHOP, 1, &stranger("slow"), true).await.unwrap();
    tokio::time::sleep(Duration::from_secs(95)).await;
    let alive = async {
        tokio::time::sleep(Duration::from_secs(15)).await;
        cloud.put_lease(SHOP, 1, &stranger("slow"), false).await.unwrap();
    };
    let (tried, ()) = tokio::join!(take(&cloud), alive);
    refused(tried);
}

#[tokio::test(start_paused = true)]
async fn a_holder_learns_that_its_lock_was_taken_away() {
    let cloud = empty_account();
    let lock = take(&cloud).await.unwrap();
    let unlock = async {
        tokio::time::sleep(Duration::from_secs(50)).await;
        cloud.drop_lease(SHOP, 1).await.unwrap();
        cloud.put_lease(SHOP, 1, &stranger("next"), true).await.unwrap();
    };
    let (why, ()) = tokio::join!(lock.keep(), unlock);
    assert!(why.contains("taken by `ecdeploy apply` of ada on elsewhere"), "{why}");
    lock.release().await.unwrap();
    let left = cloud.leases(SHOP).await.unwrap();
    assert_eq!(left[0].holder.id, "next", "what is another's stays");
}

#[tokio::test(start_paused = true)]
async fn who_has_lost_it_begins_nothing_more() {
    let cloud = empty_account();
    let desired = drawn(&[]);
    let snapshot = read(&cloud, &desired).await;
    let way = plan(&cloud, &desired).await;
    let stop = Stop::default();
    let lose = async {
        tokio::time::sleep(Duration::from_secs(30)).await;
        stop.request(Halt::LockLost);
    };
    let (outcome, ()) = tokio::join!(carry_out(&way, &snapshot, &cloud, &stop, &Silent), lose);
    assert_eq!(outcome.interrupted, Some(Halt::LockLost));
    assert!(!outcome.is_complete());
    apply_fully(&cloud, &desired).await;
}
