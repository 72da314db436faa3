//! The lock on the wire: an SSM parameter that one apply has at a time.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::between;
use crate::drawn::Drawn;
use crate::emulator::Emulator;
use crate::inventory::Inventory;
use crate::product::Shop;

on_each_emulator!(an_apply_keeps_others_out_and_leaves_nothing_behind);

fn an_apply_keeps_others_out_and_leaves_nothing_behind(emulator: Emulator) {
    let account = emulator.lend();
    let shop = Shop::on(&account);

    // Neither a plan nor an apply without a yes takes or leaves it.
    shop.run(&["plan"]).exits(0);
    shop.run(&["unlock"]).exits(0).says("Nobody holds the lock on ecommerce.");
    shop.run(&["apply"]).exits(1);
    shop.run(&["unlock"]).exits(0).says("Nobody holds the lock on ecommerce.");

    // While one is at work, another is told who, and how to get past it.
    let tried = Cell::new(false);
    let begun = Instant::now();
    let killed = shop.apply_until(|| {
        if begun.elapsed() > Duration::from_millis(300) {
            let other = shop.run(&["apply", "-y"]);
            if other.code == Some(3) {
                other.says("this topology is being changed by `ecdeploy apply` of").says("unlock");
                tried.set(true);
            }
        }
        tried.get()
    });
    assert!(killed, "it was still at work");

    // Killed, it has left its lock; on the same machine that is known, and it is taken over.
    shop.run(&["unlock"]).exits(1).says("is held by `ecdeploy apply` of");
    shop.apply();
    shop.run(&["unlock"]).exits(0).says("Nobody holds the lock on ecommerce.");
    shop.expect_no_changes();
}

#[test]
fn a_call_that_is_in_flight_at_a_kill_is_not_made_again_by_the_next_run() {
    let mut account = Emulator::Moto.lend();
    let empty = Inventory::take(&mut account.raw);
    let sent = Arc::new(AtomicBool::new(false));
    let shared = sent.clone();
    let way = between::listen(&account.url(), move |mut call| {
        if call.operation() == "CreateVpc" && !shared.swap(true, Ordering::SeqCst) {
            sleep(Duration::from_secs(4));
        }
        let (head, body) = call.forward()?;
        call.answer(&head, &body)
    });
    let shop = Shop::on(&account).by_way_of(&way);
    assert!(shop.apply_until(|| sent.load(Ordering::SeqCst)), "it was still at work");

    shop.apply().says("may still come to pass");

    Drawn::in_account(&Inventory::take(&mut account.raw)).assert_complete();
    shop.expect_no_changes();
    shop.destroy();
    Inventory::take(&mut account.raw).assert_same(&empty, "after destroy");
}

#[test]
fn a_lost_answer_to_the_call_for_the_lock_does_not_lock_its_caller_out() {
    let account = Emulator::Moto.lend();
    let lost = AtomicBool::new(false);
    let way = between::listen(&account.url(), move |mut call| {
        let (head, body) = call.forward()?;
        if call.operation() == "PutParameter"
            && call.is_of_lock()
            && !lost.swap(true, Ordering::SeqCst)
        {
            return Ok(());
        }
        call.answer(&head, &body)
    });
    Shop::on(&account).by_way_of(&way).apply();
    Shop::on(&account).run(&["unlock"]).exits(0).says("Nobody holds the lock on ecommerce.");
}
