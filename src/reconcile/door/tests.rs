//! What becomes of calls that wait for AWS's token bucket when stopping is wished.

use std::collections::BTreeMap;

use super::*;
use crate::cloud::sim::{Account, FaultyCloud, Rates, SimCloud};
use crate::kinds;

/// Writes the tags of a target group that is not there, behind so many calls of others; what comes of it, and after how
/// long.
async fn tagged(sort: Sort, halt: Halt, others: usize) -> (Fault, Duration) {
    let cloud = SimCloud::in_memory(Account::new("123456789012", "eu-west-1"), 1.0);
    let (stop, texts) = (Stop::default(), Texts::default());
    let door = Door::new(&cloud, 1, &stop, &texts);
    let kind = kinds::by_name("target_group").unwrap();
    door.pacer.take(kind.schema().calls.tag.unwrap(), others, door.now());
    let live = Live {
        id: "gone".to_owned(),
        outputs: BTreeMap::new(),
        body: Body::new(),
        tags: Tags::new(),
    };
    let begun = door.now();
    let soon = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.request(halt);
    };
    let tags = Tags::new();
    let (answer, ()) = tokio::join!(door.tag(sort, kind, &live, &tags), soon);
    (answer.unwrap_err(), door.now() - begun)
}

const SIGNAL: Halt = Halt::Signal(15);

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_bucket_has_its_turn_in_the_end() {
    let (fault, after) = tagged(Sort::Change, SIGNAL, 0).await;
    assert_eq!((fault.class, after < Duration::from_secs(2)), (Class::NotFound, true));
}

#[tokio::test(start_paused = true)]
async fn a_change_that_waits_for_the_bucket_is_given_up() {
    for halt in [SIGNAL, Halt::LockLost, Halt::Credentials] {
        let (fault, after) = tagged(Sort::Change, halt, 1000).await;
        assert_eq!((fault.code.as_str(), after), (INTERRUPTED, Duration::from_secs(1)));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_done_does_not_wait_behind_changes_that_are_not_made_any_more() {
    let (fault, after) = tagged(Sort::Note, SIGNAL, 1000).await;
    assert_eq!(fault.class, Class::NotFound, "it went out: {fault}");
    assert!(after < Duration::from_secs(2), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn without_the_lock_or_credentials_nothing_is_written_down_either() {
    for halt in [Halt::LockLost, Halt::Credentials] {
        let (fault, _) = tagged(Sort::Note, halt, 1000).await;
        assert_eq!(fault.code, INTERRUPTED);
    }
}

#[tokio::test(start_paused = true)]
async fn what_repeating_cannot_mend_ends_a_creation_whatever_became_of_an_earlier_call() {
    let cloud = SimCloud::in_memory(Account::new("123456789012", "eu-west-1"), 1.0);
    // The first call is done, and its answer lost; then the credentials are over.
    let rates = Rates { lost: 1.0, ..Rates::default() };
    let faulty = FaultyCloud::new(&cloud, 1, rates, None).expiring(1);
    let (stop, texts) = (Stop::default(), Texts::default());
    let door = Door::new(&faulty, 1, &stop, &texts);
    let kind = kinds::by_name("route_table").unwrap();
    assert!(kind.schema().calls.token);
    let begun = door.now();
    let fault = door.create(kind, &Body::new(), &Tags::new(), "token").await.unwrap_err();
    assert_eq!((fault.class, faulty.changes()), (Class::Credentials, 2));
    assert!(door.now() - begun < Duration::from_secs(60));
}
