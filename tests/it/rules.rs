//! The rules of a listener in another order, on the wire: one SetRulePriorities call.

use serde_json::json;

use crate::drawn::Drawn;
use crate::emulator::{Account, Emulator};
use crate::inventory::Inventory;
use crate::product::Shop;
use crate::wire::changing;

const RULES: [&str; 8] = [
    "/api/users/*",
    "/api/auth/*",
    "/api/products/*",
    "/api/categories/*",
    "/api/orders/*",
    "/api/payments/*",
    "/api/notifications/*",
    "/api/*",
];

on_each_emulator!(
    any_new_order_of_rules_is_one_call,
    a_rule_comes_where_another_leaves,
    an_order_that_was_killed_goes_on_from_there,
);

fn any_new_order_of_rules_is_one_call(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.apply();
    let before = Inventory::take(&mut account.raw);
    let mut old = [1, 2, 3, 4, 5, 6, 7, 8];
    for new in [
        [2, 1, 4, 3, 6, 5, 8, 7],
        [3, 4, 1, 2, 5, 7, 6, 8],
        [4, 5, 2, 3, 6, 8, 7, 9],
        [1, 2, 3, 4, 5, 6, 7, 8],
    ] {
        reorder(&shop, &old, &new);
        let (_, calls) = account.calls_during(|_| shop.apply());
        let changing = changing(&calls);
        let of = |name: &str| changing.iter().filter(|call| call.operation == name).count();
        let moved = old.iter().zip(&new).filter(|(old, new)| old != new).count();
        // Each rule's tags say what is coming, and then what came.
        assert_eq!((of("SetRulePriorities"), of("AddTags")), (1, 2 * moved), "{changing:?}");
        assert_eq!(changing.len(), 1 + 2 * moved, "{changing:?}");
        assert_eq!(priorities(&mut account), new);
        shop.expect_no_changes();
        old = new;
    }
    let after = Inventory::take(&mut account.raw);
    Drawn::in_account(&after).assert_complete();
    after.assert_same(&before, "when all is in the drawn order again");
}

fn a_rule_comes_where_another_leaves(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.apply();
    shop.edit(
        "{ priority = 1, path = \"/api/users/*\" }, { priority = 2, path = \"/api/auth/*\" }",
        "{ priority = 1, path = \"/api/search/*\" }, { priority = 2, path = \"/api/users/*\" }",
    );

    let (ran, calls) = account.calls_during(|_| shop.apply());

    ran.says("listener_rule.api-users");
    let order: Vec<&str> = changing(&calls).iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(order, ["DeleteRule", "AddTags", "SetRulePriorities", "AddTags", "CreateRule"]);
    shop.expect_no_changes();
}

fn an_order_that_was_killed_goes_on_from_there(emulator: Emulator) {
    let mut account = emulator.lend();
    let shop = Shop::on(&account);
    shop.apply();
    let (drawn, new) = ([1, 2, 3, 4, 5, 6, 7, 8], [8, 7, 6, 5, 4, 3, 2, 1]);
    reorder(&shop, &drawn, &new);
    let seen = account.calls().len();
    shop.apply_until(|| {
        account.calls()[seen..].iter().any(|call| call.operation == "SetRulePriorities")
    });

    assert_eq!(shop.plan()["summary"]["drift"], json!(0));
    shop.apply();

    assert_eq!(priorities(&mut account), new);
    shop.expect_no_changes();
}

/// Edits the priorities in the file.
fn reorder(shop: &Shop, old: &[u32; 8], new: &[u32; 8]) {
    let text = |priority: &u32, path: &str| format!("priority = {priority}, path = \"{path}\"");
    for (path, (old, new)) in RULES.iter().zip(old.iter().zip(new)) {
        shop.edit(&text(old, path), &text(new, path));
    }
}

/// The priorities of the rules in the account.
fn priorities(account: &mut Account) -> [u32; 8] {
    let inventory = Inventory::take(&mut account.raw);
    let rules = inventory.of_kind("listener_rule");
    RULES.map(|path| {
        let own = |values: &serde_json::Value| values[0]["Values"][0] == path;
        let mut found = rules.iter().filter(|rule| own(&rule.facts["Conditions"]));
        let rule = found.next().unwrap_or_else(|| panic!("no rule for {path}"));
        rule.text("Priority").parse().expect("a number")
    })
}
