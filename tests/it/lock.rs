//! The lock on the wire: an SSM parameter that one apply has at a time.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::emulator::Emulator;
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

    // Killed, it has left its lock; on the same machine that is known at once.
    shop.run(&["unlock"]).exits(1).says("is held by `ecdeploy apply` of");
    shop.apply();
    shop.run(&["unlock"]).exits(0).says("Nobody holds the lock on ecommerce.");
    shop.expect_no_changes();
}
