//! The pictures of the book. `ECDEPLOY_PICTURES=write cargo test --test it pictures` makes them anew, by Chromium; look at
//! them before they are kept. One is a text, and held to what is drawn.

use std::fs;
use std::path::PathBuf;

use crate::browser::Page;
use crate::product::{Ran, Shop};
use crate::venv;

fn offline() -> Shop {
    Shop::at("http://127.0.0.1:9")
}

fn sandbox(shop: &Shop, arguments: &[&str]) -> Ran {
    shop.run(&[arguments, &["--sandbox", "--sandbox-speed=60000"]].concat()).exits(0)
}

fn wanted() -> bool {
    std::env::var("ECDEPLOY_PICTURES").as_deref() == Ok("write")
}

fn kept(name: &str) -> PathBuf {
    venv::root().join("docs/pictures").join(name)
}

#[test]
fn the_drawn_system_is_in_the_book_as_it_is_drawn() {
    let shop = offline();
    shop.run(&["graph", "--out", "shop.svg"]).exits(0);
    let drawn = fs::read_to_string(shop.path("shop.svg")).expect("the picture");
    if wanted() {
        fs::write(kept("shop.svg"), &drawn).expect("a picture that can be written");
    }
    let there = fs::read_to_string(kept("shop.svg")).unwrap_or_default();
    let hint = "ECDEPLOY_PICTURES=write cargo test --test it pictures";
    assert!(there == drawn, "docs/pictures/shop.svg is drawn otherwise by now: {hint}");
}

#[test]
fn the_others_are_taken_where_that_is_wanted() {
    if !wanted() {
        return;
    }
    let shop = offline();
    let text = fs::read_to_string(shop.path("topology.toml")).expect("the topology");
    let lines = text.lines().filter(|line| !line.starts_with("max_count"));
    fs::write(shop.path("topology.toml"), lines.collect::<Vec<_>>().join("\n")).expect("it");
    for (service, count) in [
        ("user", 20),
        ("product", 16),
        ("order", 16),
        ("payment", 12),
        ("notification", 10),
        ("gateway", 14),
        ("frontend", 12),
    ] {
        let block = format!("[service.{service}]\n");
        shop.edit(&block, &format!("{block}count = {count}\n"));
    }
    shop.run(&["graph", "--out", "hundred.svg"]).exits(0);
    whole(&shop, "hundred.svg", "light", "hundred.png");

    let shop = offline();
    sandbox(&shop, &["apply", "-y"]);
    shop.edit("[database.notification]\n", "");
    shop.edit("uses      = [\"database.notification\"]\n", "");
    shop.edit(
        "[service.frontend]\n",
        "[service.frontend]\ninstance_type = \"t3.medium\"\ncount = 3\n",
    );
    shop.edit("[service.order]\n", "[service.order]\nroot_volume = { size = 20 }\n");
    sandbox(&shop, &["graph", "--plan", "--out", "plan.svg"]);
    whole(&shop, "plan.svg", "dark", "plan-dark.png");
    sandbox(&shop, &["graph", "--plan", "--out", "plan.html"]);
    let mut page = Page::open(&shop.path("plan.html"), "#at=instance.order-2");
    page.sized((1400, 1050));
    page.ask("dispatchEvent(new HashChangeEvent('hashchange'))");
    page.ask("document.getAnimations().forEach((one) => one.finish())");
    fs::write(kept("page.png"), page.picture()).expect("a picture that can be written");
    let review = shop.run(&["plan", "--format", "html", "--sandbox"]).exits(0).stdout;
    fs::write(shop.path("review.html"), review).expect("the page");
    whole(&shop, "review.html", "light", "review.png");
}

/// Keeps a picture of all that there is.
fn whole(shop: &Shop, file: &str, scheme: &str, name: &str) {
    let mut page = Page::open(&shop.path(file), "");
    page.prefer(scheme);
    let wide = if file.ends_with(".svg") { "width.baseVal.value" } else { "dataset.wide ?? 1280" };
    let wide = page.ask(&format!("Number(document.documentElement.{wide})")).as_u64();
    let size = |number: Option<u64>| u32::try_from(number.expect("a number")).expect("a size");
    page.sized((size(wide), 900));
    let high = page.ask("Math.ceil(document.documentElement.getBoundingClientRect().height)");
    page.sized((size(wide), size(high.as_u64())));
    fs::write(kept(name), page.picture()).expect("a picture that can be written");
}
