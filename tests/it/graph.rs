//! `ecdeploy graph` as people run it: in the terminal, in Graphviz, and its page in a browser.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

#[cfg(unix)]
use crate::browser::Page;
use crate::product::{Ran, Shop};
use crate::programs::{need_of, output};

/// A shop whose account nobody must ask: nothing answers there.
fn offline() -> Shop {
    Shop::at("http://127.0.0.1:9")
}

fn sandbox(shop: &Shop, arguments: &[&str]) -> Ran {
    shop.run(&[arguments, &["--sandbox", "--sandbox-speed=100000"]].concat())
}

#[test]
fn the_drawn_system_in_a_terminal() {
    let ran = offline().run(&["graph"]).exits(0);
    insta::assert_snapshot!(ran.stdout);
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{ran}");
}

#[test]
fn what_the_drawing_has_no_need_of_in_a_terminal() {
    let shop = offline().with_file(include_str!("../topologies/workers.toml"));
    insta::assert_snapshot!(shop.run(&["graph"]).exits(0).stdout);
}

#[test]
fn in_mermaid() {
    insta::assert_snapshot!(offline().run(&["graph", "--format", "mermaid"]).exits(0).stdout);
}

#[test]
fn graphviz_draws_what_it_says_in_dot() {
    let shop = offline();
    // A path may hold what means something to DOT.
    shop.edit("path = \"/api/auth/*\"", "path = \"/a\\\"&'$~@:+?/*\"");
    shop.run(&["graph", "--out", "shop.dot"]).exits(0);
    let drawn = output(need_of("dot", &["graphviz"]).arg("-Tsvg").arg(shop.path("shop.dot")));
    for name in ["user&#45;1", "ecommerce&#45;alb", "standby", "Redis&#45;SG", "ssm_parameter"] {
        assert!(drawn.contains(name), "{name} is not in the picture");
    }
    assert!(drawn.contains("/a&quot;&amp;&#39;$~@:+?/*"), "{drawn}");
}

#[test]
fn a_plan_colours_what_it_would_change() {
    let shop = offline();
    sandbox(&shop, &["graph", "--plan"]).exits(0).says("+ 103 to create");
    sandbox(&shop, &["apply", "-y"]).exits(0);
    sandbox(&shop, &["graph", "--plan"]).exits(0).says("no changes");
    shop.edit("[service.frontend]\n", "[service.frontend]\ninstance_type = \"t3.medium\"\n");
    shop.edit("[database.notification]\n", "");
    shop.edit("uses      = [\"database.notification\"]\n", "");
    let ran = sandbox(&shop, &["graph", "--plan"]).exits(0);
    insta::assert_snapshot!(ran.stdout);
    let ran = sandbox(&shop, &["graph", "--plan", "--format", "svg"]).exits(0);
    assert!(ran.stdout.contains("class=\"database sign leaf delete\""), "{ran}");
    assert!(ran.says("instance_type: t3.small \u{2192} t3.medium").stderr.is_empty());
}

#[test]
fn the_account_shows_its_health() {
    let shop = offline();
    sandbox(&shop, &["apply", "-y"]).exits(0);
    insta::assert_snapshot!(sandbox(&shop, &["graph", "--live"]).exits(0).stdout);
    // One more than there are is none that is sick.
    shop.edit("count           = 2", "count           = 3");
    sandbox(&shop, &["graph", "--live"]).exits(0).says("7 not there yet").says("\u{25e6} user-3");
}

#[test]
fn in_an_empty_account_nothing_is_sick_but_not_there_yet() {
    let shop = offline();
    let text = sandbox(&shop, &["graph", "--live"]).exits(0).says("\u{25e6} 103 not there yet");
    assert!(!text.stdout.contains('!'), "{text}");
    let svg = sandbox(&shop, &["graph", "--live", "--format", "svg"]).exits(0);
    assert!(svg.stdout.contains("class=\"machine sign leaf absent\""), "{svg}");
    assert!(!svg.stdout.contains("leaf unhealthy"), "{svg}");
}

#[test]
fn a_part_of_a_plan_is_drawn_alone_and_says_so() {
    let shop = offline();
    let part = ["graph", "--plan", "--only", "service.user"];
    let ran = sandbox(&shop, &part).exits(0).says("only service.user;").says("+ user-1");
    assert!(ran.says("\u{25e6} order-1").stdout.contains("other changes are left out"));
    sandbox(&shop, &["apply", "-y"]).exits(0);
    shop.edit("[service.frontend]\n", "[service.frontend]\ninstance_type = \"t3.medium\"\n");
    let ran = sandbox(&shop, &part).exits(0).says("2 other changes are left out");
    assert!(ran.stdout.contains("  frontend-1      t3.small"), "as it is and stays: {ran}");
    shop.edit("[database.order]\n", "[database.order]\nprotect = true\n");
    sandbox(&shop, &["apply", "-y"]).exits(0);
    let destroy = ["graph", "--plan", "--destroy"];
    sandbox(&shop, &destroy).exits(1).says("db_instance.order").says("--lift-protection");
    let all = [&destroy[..], &["--lift-protection", "--skip-final-snapshots"]].concat();
    sandbox(&shop, &all).exits(0).says("\u{2212} 103 to delete");
    let rest = [&destroy[..], &["--except", "database.order"]].concat();
    let ran = sandbox(&shop, &rest).exits(0).says("except database.order");
    assert!(ran.stdout.contains("  order         postgres 16"), "what stays is drawn, too: {ran}");
    // Where no plan is drawn, they would say nothing.
    sandbox(&shop, &["graph", "--only", "service.user"]).fails_plainly().says("graph --plan");
}

#[test]
fn a_saved_plan_is_drawn_without_an_account() {
    let shop = offline();
    sandbox(&shop, &["apply", "-y"]).exits(0);
    shop.edit("[service.frontend]\n", "[service.frontend]\ninstance_type = \"t3.medium\"\n");
    let now = sandbox(&shop, &["graph", "--plan"]).exits(0);
    sandbox(&shop, &["plan", "--out", "shop.plan"]).exits(0);
    // The account is elsewhere by now, and nobody is asked.
    fs::rename(shop.path(".ecdeploy"), shop.path("aside")).expect("the sandbox");
    for saved in [vec!["graph", "--plan", "shop.plan"], vec!["graph", "--plan=shop.plan"]] {
        let ran = shop.bare(&saved).exits(0).says("~ 2 to change").says("shop.plan: ecommerce");
        let body = |ran: &Ran| ran.stdout.split_once('\n').map(|(_, body)| body.to_owned());
        assert_eq!(body(&ran), body(&now));
    }
    shop.bare(&["graph", "--plan", "shop.plan", "--out", "plan.svg"]).exits(0);
    let svg = fs::read_to_string(shop.path("plan.svg")).expect("the picture");
    assert!(svg.contains("2 to change"), "{svg}");

    let with = ["graph", "--plan", "shop.plan", "--only", "service.user"];
    shop.bare(&with).fails_plainly().says("flags can't change them");
    shop.bare(&["graph", "--plan", "gone.plan"]).fails_plainly().says("gone.plan");
    shop.edit("t3.medium", "t3.large");
    shop.bare(&["graph", "--plan", "shop.plan"]).fails_plainly().says("has changed since");
}

#[test]
fn of_many_that_stand_as_one_it_is_told_how_many_change() {
    let shop = offline();
    shop.edit("max_count    = 6", "count = 12");
    sandbox(&shop, &["apply", "-y"]).exits(0);
    shop.edit("count = 12", "count = 13");
    for format in ["mermaid", "dot"] {
        let ran = sandbox(&shop, &["graph", "--plan", "--format", format]).exits(0);
        let fleet = ran.stdout.lines().find(|line| line.contains("frontend-13")).expect("it");
        assert!(fleet.contains("1 to create") && fleet.contains("7 \u{d7} t3.small"), "{fleet}");
        ran.says("what apply would change");
    }
    let text = sandbox(&shop, &["graph", "--plan", "--format", "text"]).exits(0);
    let svg = sandbox(&shop, &["graph", "--plan", "--format", "svg"]).exits(0);
    svg.says("7 \u{d7} t3.small :3000 (1 +)");
    text.says("7 (1 +) \u{d7} t3.");
}

#[test]
fn a_plan_without_changes_says_so_in_every_format() {
    let shop = offline();
    sandbox(&shop, &["apply", "-y"]).exits(0);
    for format in ["text", "svg", "html", "mermaid", "dot"] {
        sandbox(&shop, &["graph", "--plan", "--format", format]).exits(0).says("no changes");
    }
}

#[test]
fn the_ending_of_a_file_says_the_format() {
    let shop = offline();
    for (file, begins) in [
        ("a.svg", "<svg "),
        ("a.html", "<!doctype html>"),
        ("a.mmd", "flowchart "),
        ("a.gv", "digraph "),
        ("a.txt", "ecommerce as "),
    ] {
        shop.run(&["graph", "--out", file]).exits(0).says(file);
        let text = fs::read_to_string(shop.path(file)).expect("the picture");
        assert!(text.starts_with(begins), "{file}: {text}");
    }
    shop.run(&["graph", "--out", "picture"]).fails_plainly().says("--format");
    shop.run(&["graph", "--out", "nowhere/a.svg"]).fails_plainly().says("nowhere/a.svg");
    shop.run(&["graph", "--plan", "--live"]).exits(1).says("--live");
}

#[cfg(unix)]
const ONE: &str = "[...document.querySelectorAll('[data-at]')].find((one) => \
    one.getAttribute('aria-label')?.split(',')[0] === ";

/// The titles of those that bear a class.
#[cfg(unix)]
fn those(page: &mut Page, class: &str) -> BTreeSet<String> {
    let script = format!(
        "[...document.querySelectorAll('[data-at].{class}')].map((one) => one.getAttribute('aria-label')?.split(',')[0] ?? '')"
    );
    let found: Value = page.ask(&script);
    let found = found.as_array().expect("a list").iter().filter_map(Value::as_str);
    found.filter(|one| !one.is_empty()).map(str::to_owned).collect()
}

#[cfg(unix)]
#[test]
fn a_page_is_searched_and_tells_of_what_the_pointer_is_on() {
    let shop = offline();
    shop.run(&["graph", "--out", "shop.html"]).exits(0);
    let mut page = Page::open(&shop.path("shop.html"), "");

    // The pointer on a machine: what it is, and all that a request for it goes through.
    page.hover(&format!("{ONE}'instance.user-1')"));
    let about = page.ask("document.querySelector('aside').innerText");
    let about = about.as_str().expect("a text");
    assert!(about.contains("instance.user-1") && about.contains("t3.small"), "{about}");
    let on = those(&mut page, "on");
    for wanted in [
        "instance.user-1",
        "target_group.user",
        "listener_rule.api-users",
        "load_balancer.main",
        "db_instance.user",
        "cache_cluster.redis",
        "security_group.ec2",
    ] {
        assert!(on.contains(wanted), "{wanted} is not among {on:?}");
    }
    for other in ["instance.order-1", "instance.user-2", "db_instance.order", "target_group.order"]
    {
        assert!(!on.contains(other), "{other} is among {on:?}");
    }
    // What fades has faded.
    page.ask("document.getAnimations().forEach((one) => one.finish())");
    let faint = "getComputedStyle(document.querySelector('.fading .leaf-item:not(.on)')).opacity";
    assert_ne!(page.ask(faint), "1");
    assert!(page.ask("document.querySelectorAll('.edge.on').length").as_u64() > Some(3));

    // Away from it, nothing of that is left.
    page.hover("document.querySelector('.bar')");
    assert_eq!(page.ask("document.querySelector('aside').hidden"), true);
    assert!(those(&mut page, "on").is_empty());

    // A search, by hand.
    page.click("document.querySelector('input')");
    page.write("T3.small order");
    let hits = those(&mut page, "hit");
    assert_eq!(hits, ["instance.order-1", "instance.order-2"].map(str::to_owned).into());
    assert_eq!(page.ask("document.querySelector('output').textContent"), "2 found");
    assert_eq!(page.ask("location.hash"), "#q=T3.small+order");
    page.press("Enter", 13);
    page.press("Enter", 13);
    assert_eq!(page.ask("document.querySelector('aside h3').textContent"), "instance.order-2");
    page.press("Escape", 27);
    page.press("Escape", 27);
    assert!(those(&mut page, "hit").is_empty());

    // Nothing came from anywhere else, and nothing went wrong.
    page.came_from_nowhere_else();
}

/// The texts that cross an edge of what they stand in. A drum has a lid, and is round below.
#[cfg(unix)]
const CROSSING: &str = "[...document.querySelectorAll('.leaf-item')].flatMap((item) => { \
    const shape = item.querySelector(':scope > rect, :scope > path.body'); \
    const [lid, foot] = shape.tagName === 'path' ? [8, 5] : [0, 0]; \
    const box = shape.getBBox(); \
    return [...item.querySelectorAll('text')].filter((text) => text.textContent !== '').filter((text) => { \
        const { x, y, width, height } = text.getBBox(); \
        return x < box.x || x + width > box.x + box.width || y < box.y + lid || y + height > box.y + box.height - foot; \
    }).map((text) => text.textContent); })";

#[cfg(unix)]
#[test]
fn no_text_crosses_an_edge_of_what_it_stands_in() {
    let drawn = offline();
    drawn.run(&["graph", "--out", "shop.html"]).exits(0);
    let workers = offline().with_file(include_str!("../topologies/workers.toml"));
    workers.run(&["graph", "--out", "shop.html"]).exits(0);
    let marked = offline();
    sandbox(&marked, &["graph", "--plan", "--out", "shop.html"]).exits(0);
    for shop in [drawn, workers, marked] {
        let mut page = Page::open(&shop.path("shop.html"), "");
        let texts = page.ask("document.querySelectorAll('.leaf-item text').length");
        assert!(texts.as_u64() > Some(20), "there are some to look at: {texts}");
        assert_eq!(page.ask(CROSSING), serde_json::json!([]));
    }
}

#[cfg(unix)]
#[test]
fn a_link_to_a_page_searches_and_points() {
    let shop = offline();
    sandbox(&shop, &["graph", "--plan", "--out", "plan.html"]).exits(0);
    let mut page = Page::open(&shop.path("plan.html"), "#q=payment&at=db_instance.payment");
    assert_eq!(page.ask("document.querySelector('input').value"), "payment");
    assert!(those(&mut page, "hit").contains("instance.payment-2"));
    let about = page.ask("document.querySelector('aside').innerText");
    let about = about.as_str().expect("a text");
    assert!(about.contains("db_instance.payment") && about.contains("create"), "{about}");
    // For who likes it light and who likes it dark.
    let paper = "getComputedStyle(document.querySelector('.paper')).fill";
    page.prefer("light");
    let light = page.ask(paper);
    page.prefer("dark");
    assert_ne!(page.ask(paper), light);
    assert_eq!(page.complaints, Vec::<Value>::new());
}
