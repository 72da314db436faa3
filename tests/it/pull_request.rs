//! What a pull request is told of a plan, by the built binary: the comment, the page, and the prices they go by.

use std::fs;

#[cfg(unix)]
use crate::browser::Page;
use crate::product::{Ran, Shop};

const PRICES: &str = include_str!("../../src/cost/ap-southeast-1.toml");
/// What a comment on GitHub may have.
const ROOM: usize = 65_536;

/// A shop whose account nobody must ask: nothing answers there.
fn offline() -> Shop {
    Shop::at("http://127.0.0.1:9")
}

fn sandbox(shop: &Shop, arguments: &[&str]) -> Ran {
    shop.run(&[arguments, &["--sandbox", "--sandbox-speed=100000"]].concat())
}

/// A shop that is there, and a file that has moved: a database goes, machines are replaced, one comes.
fn moved() -> Shop {
    let shop = offline();
    sandbox(&shop, &["apply", "-y"]).exits(0);
    shop.edit("[database.notification]\n", "");
    shop.edit("uses      = [\"database.notification\"]\n", "");
    shop.edit("[service.frontend]\n", "[service.frontend]\ncount = 3\n");
    shop
}

/// Where a text stands in another.
#[track_caller]
fn place(of: &str, text: &str) -> usize {
    text.find(of).unwrap_or_else(|| panic!("`{of}` is not in\n{text}"))
}

#[test]
fn the_comment_is_all_that_is_printed_and_a_job_finds_it_again() {
    let shop = offline();
    let marker = "<!-- ecdeploy plan: ecommerce 123456789012 ap-southeast-1 -->\n### Plan for ";
    for verdict in ["**103 to create**", "**No changes."] {
        let ran = sandbox(&shop, &["plan", "--format", "markdown"]).exits(0);
        assert!(ran.stdout.starts_with(marker), "{ran}");
        assert!(ran.stdout.contains(verdict) && ran.stdout.len() <= ROOM, "{ran}");
        assert!(ran.stderr.is_empty() && !ran.stdout.contains('\u{1b}'), "{ran}");
        sandbox(&shop, &["apply", "-y"]).exits(0);
    }
}

#[test]
fn in_the_comment_the_verdict_comes_first_and_then_what_is_dangerous() {
    let text = sandbox(&moved(), &["plan", "--format", "markdown"]).exits(0).stdout;
    let verdict =
        place("**1 to create, 1 to change, 2 to replace, 5 to delete** · takes about", &text);
    let twice = place("**Look twice at:**", &text);
    let database = place("⚠️ <b>database <code>notification</code></b>: 1 to delete", &text);
    let harmless = place("<b>service <code>frontend</code></b>: 1 to create", &text);
    assert!(verdict < twice && twice < database && database < harmless, "{text}");
    assert!(text.contains("· fewest healthy 2 of 2 in each of 7 services ·"), "{text}");
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
}

#[test]
fn its_exit_code_is_that_of_any_plan() {
    let shop = moved();
    for format in ["markdown", "html"] {
        let plan = ["plan", "--format", format];
        sandbox(&shop, &[&plan[..], &["--detailed-exitcode"]].concat()).exits(2);
        let against = sandbox(&shop, &[&plan[..], &["--max-deletions=0"]].concat()).exits(4);
        against.says("It is against the policy:");
    }
}

#[test]
fn the_prices_of_a_file_are_what_every_format_goes_by() {
    let shop = offline();
    let dear = PRICES.replacen("small = 0.0264", "small = 10", 1);
    fs::write(shop.path("dear.toml"), &dear).expect("the prices");
    let of = |format: &str, file: &[&str]| {
        sandbox(&shop, &[&["plan", "--format", format][..], file].concat()).exits(0).stdout
    };
    for (format, known, own) in [
        ("human", "Costs about $610 a month", "Costs about $102,540 a month"),
        ("markdown", "about $610 a month", "about $102,540 a month"),
        ("html", "Costs about $610 a month", "Costs about $102,540 a month"),
    ] {
        let text = of(format, &[]);
        assert!(text.contains(known), "{format}: {text}");
        let text = of(format, &["--price-file", "dear.toml"]);
        assert!(text.contains(own), "{format}: {text}");
    }
}

#[test]
fn prices_that_are_wrong_are_told_by_their_line_before_anybody_is_asked() {
    let shop = offline();
    for (file, text, place, hint) in [
        (
            "typo.toml",
            PRICES.replacen("micro = 0.0132", "micro = \"much\"", 1),
            "typo.toml:13:",
            "[prices.usd]",
        ),
        (
            "far.toml",
            PRICES.replacen("ap-southeast-1", "eu-west-1", 2),
            "far.toml:5:10",
            "give a file of those of ap-southeast-1",
        ),
    ] {
        fs::write(shop.path(file), text).expect("the prices");
        for command in [
            vec!["plan"],
            vec!["plan", "--format", "markdown"],
            vec!["plan", "--format", "html"],
            vec!["apply", "-y"],
            vec!["destroy", "-y"],
            vec!["scale", "user=3", "-y"],
        ] {
            let ran = shop.run(&[&command[..], &["--price-file", file]].concat()).exits(1);
            assert!(ran.stdout.is_empty(), "{ran}");
            ran.says(place).says(hint);
        }
    }
    for command in ["plan", "apply", "destroy"] {
        let ran = shop.run(&[command, "--price-file", "gone.toml"]).fails_plainly();
        ran.says("can't read gone.toml").says("--price-file FILE");
    }
}

#[cfg(unix)]
#[test]
fn the_page_stands_alone_and_its_picture_is_searched() {
    let shop = moved();
    let ran = sandbox(&shop, &["plan", "--format", "html"]).exits(0);
    assert!(ran.stderr.is_empty(), "{ran}");
    fs::write(shop.path("plan.html"), &ran.stdout).expect("the page");
    let mut page = Page::open(&shop.path("plan.html"), "");

    // What is dangerous is open, what is not is folded.
    let open = page.ask("[...document.querySelectorAll('details')].map((one) => one.open)");
    assert_eq!(open, serde_json::json!([true, true, false]));

    // The pointer on what goes: what it is, and that it goes.
    page.hover(
        "[...document.querySelectorAll('[data-at]')].find((one) => \
                one.getAttribute('aria-label')?.startsWith('db_instance.notification'))",
    );
    let about = page.ask("document.querySelector('aside').innerText");
    let about = about.as_str().expect("a text");
    assert!(about.contains("db_instance.notification") && about.contains("delete"), "{about}");
    page.hover("document.querySelector('h1')");
    assert_eq!(page.ask("document.querySelector('aside').hidden"), true);

    page.click("document.querySelector('input')");
    page.write("frontend-3 create");
    assert_eq!(page.ask("document.querySelector('output').textContent"), "1 found");

    // The page's colours are not the picture's: what is marked is read as well as what is not.
    let ink = |title: &str| {
        format!(
            "getComputedStyle([...document.querySelectorAll('.machine')].find((one) => \
                 one.getAttribute('aria-label').startsWith('{title}')).querySelector('.t')).fill"
        )
    };
    for scheme in ["light", "dark"] {
        page.prefer(scheme);
        assert_eq!(page.ask(&ink("instance.frontend-3")), page.ask(&ink("instance.user-1")));
    }

    // Nothing makes the page wider than its window; where letters would get too small, the picture moves in its frame.
    for (width, moves) in [(1600, false), (1024, false), (390, true)] {
        page.sized((width, 850));
        let wider = |page: &mut Page, element: &str| {
            page.ask(&format!(
                "(({{ scrollWidth, clientWidth }}) => scrollWidth > clientWidth)({element})"
            ))
        };
        assert_eq!(wider(&mut page, "document.documentElement"), false, "at {width}");
        assert_eq!(wider(&mut page, "document.querySelector('.view')"), moves, "at {width}");
    }
    page.came_from_nowhere_else();
}
