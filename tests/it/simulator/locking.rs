//! One change at a time: who has the lock, who gets it, and when it ends.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::error::{Error, ErrorKind};
use ecdeploy::kinds::Kind;
use ecdeploy::lock::{self, Claim, Lock};
use ecdeploy::model::{Body, Class, Created, Fault, Holder, Lease, Tags};
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
    Claim::look(cloud, SHOP, "apply", |_: &Lease| {}).await?.take().await
}

/// A process of this machine that is no more has left its lease.
async fn died_here(cloud: &dyn Cloud) {
    drop(take(cloud).await.unwrap());
    let left = cloud.leases(SHOP).await.unwrap().remove(0);
    let mut child = std::process::Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let holder = Holder { id: "dead".into(), process: child.id(), ..left.holder };
    cloud.drop_lease(SHOP, left.number).await.unwrap();
    cloud.put_lease(SHOP, left.number, &holder, true).await.unwrap();
}

/// What comes of the calls for the lock: each entry waits for its turn.
#[derive(Default)]
struct Trouble(Mutex<VecDeque<(&'static str, Comes)>>);

#[derive(Clone, Copy)]
enum Comes {
    Well,
    Fails(Class),
    /// It never answers again.
    Hangs,
    Unlock,
}

struct Troubled<'a>(&'a SimCloud, Trouble);

fn troubled<'a>(cloud: &'a SimCloud, comes: &[(&'static str, Comes)]) -> Faulty<Troubled<'a>> {
    Faulty(Troubled(cloud, Trouble(Mutex::new(comes.iter().copied().collect()))))
}

#[async_trait]
impl Spoiled for Troubled<'_> {
    fn sound(&self) -> &SimCloud {
        self.0
    }

    async fn lock_is(&self, what: &'static str) -> Result<(), Fault> {
        let comes = {
            let mut all = self.1.0.lock().unwrap();
            let Some((_, comes)) = all.front().copied().filter(|(awaited, _)| *awaited == what)
            else {
                return Ok(());
            };
            if !matches!(comes, Comes::Hangs) {
                all.pop_front();
            }
            comes
        };
        match comes {
            Comes::Well => Ok(()),
            Comes::Fails(class) => Err(Fault::new(class, "ssm:PutParameter", "", "trouble")),
            Comes::Hangs => std::future::pending().await,
            Comes::Unlock => self.0.drop_lease(SHOP, 1).await,
        }
    }

    async fn spoil(
        &self,
        kind: &'static dyn Kind,
        body: &Body,
        all: &[Tags],
        token: &str,
    ) -> Result<Vec<Created>, Fault> {
        self.0.create(kind, body, all, token).await
    }
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
    assert!(Claim::look(&cloud, "another", "apply", |_: &Lease| {}).await.is_ok());
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

#[tokio::test(start_paused = true)]
async fn what_a_process_that_died_here_had_sent_is_waited_for() {
    let cloud = empty_account();
    died_here(&cloud).await;
    let next = take(&cloud).await.unwrap();
    assert_eq!(next.unsettled(), Some(Duration::from_secs(15)));
    next.release().await.unwrap();

    died_here(&cloud).await;
    tokio::time::sleep(Duration::from_secs(80)).await;
    assert_eq!(take(&cloud).await.unwrap().unsettled(), None, "long ago");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_does_not_lock_its_own_caller_out() {
    let cloud = empty_account();
    let way = troubled(&cloud, &[("put", Comes::Fails(Class::Transient))]);
    let lock = take(&way).await.unwrap();
    assert_eq!(cloud.leases(SHOP).await.unwrap().len(), 1);
    lock.release().await.unwrap();
    assert_eq!(cloud.leases(SHOP).await.unwrap(), vec![]);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_for_the_lock_is_made_again() {
    let cloud = empty_account();
    let throttled = Comes::Fails(Class::Throttled);
    let calls = ["looked at", "looked at", "to be put", "to be put"].map(|call| (call, throttled));
    let way = troubled(&cloud, &calls);
    take(&way).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_fails_after_its_lease_was_put_leaves_none() {
    let cloud = empty_account();
    died_here(&cloud).await;
    let denied = Comes::Fails(Class::Denied);
    let after_the_put = [("looked at", Comes::Well), ("put", Comes::Well), ("looked at", denied)];
    let dropping = [("looked at", Comes::Well), ("looked at", Comes::Well), ("dropped", denied)];
    for trouble in [after_the_put, dropping] {
        let way = troubled(&cloud, &trouble);
        assert!(take(&way).await.is_err());
        let left = cloud.leases(SHOP).await.unwrap();
        assert_eq!(left.iter().map(|lease| &*lease.holder.id).collect::<Vec<_>>(), ["dead"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_gets_no_answer_gives_up_before_others_may_take_over() {
    let cloud = empty_account();
    // To take it takes two looks.
    let taken = [("looked at", Comes::Well); 2];
    let way = troubled(&cloud, &[&taken[..], &[("looked at", Comes::Hangs)]].concat());
    let begun = tokio::time::Instant::now();
    let why = take(&way).await.unwrap().keep().await;
    assert!(why.contains("could not be renewed for 60 s"), "{why}");
    assert!((59..=62).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());

    let cloud = empty_account();
    let failing = vec![("looked at", Comes::Fails(Class::Unreachable)); 60];
    let way = troubled(&cloud, &[&taken[..], &*failing].concat());
    let begun = tokio::time::Instant::now();
    let why = take(&way).await.unwrap().keep().await;
    assert!(why.contains("could not be renewed for 60 s: "), "{why}");
    assert!(begun.elapsed().as_secs() <= 62, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_renewal_does_not_bring_back_to_life_what_was_taken_away() {
    let cloud = empty_account();
    let way = troubled(&cloud, &[("to be put", Comes::Well), ("to be put", Comes::Unlock)]);
    let why = take(&way).await.unwrap().keep().await;
    assert!(why.contains("taken away"), "{why}");
    assert_eq!(cloud.leases(SHOP).await.unwrap(), vec![]);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_taken_away_only_from_the_holder_that_was_shown() {
    let cloud = empty_account();
    cloud.put_lease(SHOP, 1, &stranger("next"), true).await.unwrap();
    assert!(!lock::take_away(&cloud, SHOP, 1, "shown").await.unwrap());
    assert_eq!(cloud.leases(SHOP).await.unwrap().len(), 1);
    assert!(lock::take_away(&cloud, SHOP, 1, "next").await.unwrap());
    assert_eq!(cloud.leases(SHOP).await.unwrap(), vec![]);
}

#[tokio::test(start_paused = true)]
async fn of_two_that_take_different_numbers_at_most_one_has_the_lock() {
    let cloud = empty_account();
    died_here(&cloud).await;
    // One has seen the lease of the dead, the other looked when somebody had taken it away.
    let look = || Claim::look(&cloud, SHOP, "apply", |_: &Lease| {});
    let slow = look().await.unwrap();
    cloud.drop_lease(SHOP, 1).await.unwrap();
    let quick = look().await.unwrap();
    let first = slow.take().await.unwrap();
    let second = quick.take().await.err().expect("the other has it");
    assert_eq!(second.kind, ErrorKind::Locked);
    first.release().await.unwrap();
    assert!(cloud.leases(SHOP).await.unwrap().is_empty());
}
