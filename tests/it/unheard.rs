//! Calls that AWS has done and whose answer nobody heard: one apply makes the drawn system, and each thing once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::between::{self, Passing};
use crate::drawn::Drawn;
use crate::emulator::Emulator;
use crate::inventory::Inventory;
use crate::product::Shop;

/// Listings of rules that know of none yet, once the answer to the creation of one was lost. A reading asks one for each
/// listener, and so does whoever looks who has the priority.
const LAGGING: usize = 6;

/// Cuts the connection of the first call of this operation once the emulator has done it.
struct Cut {
    operation: &'static str,
    done: AtomicBool,
    lagged: AtomicUsize,
}

impl Cut {
    fn pass(&self, mut call: Passing) -> io::Result<()> {
        let operation = call.operation();
        let (head, body) = call.forward()?;
        if operation == self.operation && !self.done.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        let lags = operation == "DescribeRules"
            && self.operation == "CreateRule"
            && self.done.load(Ordering::SeqCst)
            && self.lagged.fetch_add(1, Ordering::SeqCst) < LAGGING;
        if lags {
            let none: &[u8] = b"<DescribeRulesResponse><DescribeRulesResult><Rules/></DescribeRulesResult></DescribeRulesResponse>";
            return call.answer(&head, none);
        }
        call.answer(&head, &body)
    }
}

/// Applies once; the account afterwards, and how many listings lagged.
#[track_caller]
fn applied_though_unheard(operation: &'static str) -> (Inventory, usize) {
    let mut account = Emulator::Moto.lend();
    let cut =
        Arc::new(Cut { operation, done: AtomicBool::default(), lagged: AtomicUsize::default() });
    let shared = cut.clone();
    let way = between::listen(&account.url(), move |call| shared.pass(call));
    Shop::on(&account).by_way_of(&way).run(&["apply", "-y"]).exits(0);
    assert!(cut.done.load(Ordering::SeqCst), "no {operation} was cut off");
    let inventory = Inventory::take(&mut account.raw);
    Drawn::in_account(&inventory).assert_complete();
    Shop::on(&account).expect_no_changes();
    (inventory, cut.lagged.load(Ordering::SeqCst))
}

/// Neither a name nor a token keeps it from being made twice.
#[test]
fn a_vpc_is_made_once() {
    let before = Inventory::take(&mut Emulator::Moto.lend().raw);
    let (after, _) = applied_though_unheard("CreateVpc");
    // An account has a VPC from the beginning.
    let vpcs = |inventory: &Inventory| inventory.of_kind("vpc").len();
    assert_eq!(vpcs(&after), vpcs(&before) + 1);
}

#[test]
fn a_rule_that_the_listing_does_not_show_yet_is_waited_for() {
    let (_, lagged) = applied_though_unheard("CreateRule");
    assert!(lagged >= LAGGING, "{lagged}");
}

/// IAM refuses a role that the profile has already.
#[test]
fn a_role_is_put_into_its_profile_once() {
    applied_though_unheard("AddRoleToInstanceProfile");
}
