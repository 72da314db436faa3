//! Expressions: what they may name, and that nothing a file can hold brings their reader down. And working hours.

use cel::{Context, Env};
use jiff::Timestamp;

use super::expression::{Expression, Wrong, aside};
use super::hours;
use crate::topology::{WorkingHours, parse};

fn wrong(text: &str) -> Option<Wrong> {
    aside(|| Expression::read(text).err()).expect("a thread")
}

/// What is marked in the text, and what is said of it.
#[track_caller]
fn marked(text: &str) -> (String, String) {
    let wrong = wrong(text).unwrap_or_else(|| panic!("`{text}` is taken"));
    (text.get(wrong.at).expect("a place in the text").to_owned(), wrong.message)
}

/// Whether it holds where nothing is given.
fn holds(text: &str) -> Result<bool, String> {
    let hold =
        || Expression::read(text).expect("CEL").holds(&Context::with_env(Env::stdlib().into()));
    aside(hold).expect("a thread")
}

#[test]
fn an_unknown_name_is_marked_where_it_stands() {
    let cases = [
        ("chnge.kind == 'a'", "chnge", "unknown variable `chnge`"),
        ("'ü🦀' == plan.region || nobody", "nobody", "unknown variable `nobody`"),
        ("change.adress == 'a'", "adress", "`change` has no `adress`"),
        ("plan.summary.deletes > 1", "deletes", "`plan.summary` has no `deletes`"),
        ("has(change.afer)", "has", "`change` has no `afer`"),
        ("change.kind.beginsWith('a')", "beginsWith", "unknown function `beginsWith`"),
        ("[1].all(x, y > x)", "y", "unknown variable `y`"),
        ("[1].all(x, x > 0) && x > 1", "x", "unknown variable `x`"),
    ];
    for (text, mark, message) in cases {
        let found = marked(text);
        assert_eq!(found.1, message);
        if !text.starts_with("has") {
            assert_eq!(found.0, mark, "{text}");
        }
    }
}

#[test]
fn what_is_no_cel_is_marked_where_it_ends_to_be() {
    assert_eq!(marked("change.kind == ").0, "");
    assert_eq!(marked("change.kind = 'a'").0, "=");
    assert_eq!(marked("change.kind == 'a' and true").0, "a");
    assert_eq!(marked("true\n  && && false").0, "&");
    assert!(marked("").1.starts_with("this is not CEL"));
}

#[test]
fn what_rules_speak_of_is_known() {
    for text in [
        "change.kind == 'instance' && has(change.after.instance_type)",
        "change.after.whatever.there[0] == 'x'",
        "change.fields.exists(f, f.field == 'x' && f.before != f.after)",
        "plan.summary.delete + plan.summary.replace <= 3",
        "plan.min_healthy.all(name, plan.min_healthy[name] > 0)",
        "type(plan.duration) == double && size(change.name) < 3",
        "change.action in ['delete', 'replace'] ? false : true",
    ] {
        assert_eq!(wrong(text), None, "{text}");
    }
}

#[test]
fn a_rule_is_asked_of_each_change_where_it_speaks_of_one() {
    let of = |text: &str| {
        aside(|| Expression::read(text).map(|read| (read.of_change, read.of_rehearsal)))
    };
    assert_eq!(of("plan.summary.delete > 1"), Some(Ok((false, false))));
    assert_eq!(of("plan.duration > 60.0"), Some(Ok((false, true))));
    assert_eq!(of("size(plan) > 1"), Some(Ok((false, true))));
    assert_eq!(of("[1].exists(x, x == size(change.name))"), Some(Ok((true, false))));
}

#[test]
fn what_is_not_true_or_false_is_told_as_that() {
    assert_eq!(holds("1 < 2"), Ok(true));
    assert!(holds("1 + 1").is_err_and(|why| why.contains("int")));
    assert!(holds("'a' < 1").is_err());
    assert!(holds("9223372036854775807 + 1 > 0").is_err());
    assert!(holds("1 / 0 == 1").is_err());
    let told = holds(&format!("{{'{}': 1}} < 1", "long".repeat(200))).expect_err("no order");
    assert!(told.chars().count() <= 200, "{told}");
}

/// Each as long as may be, and as deep as that gets. An overflow would end this process.
#[test]
fn the_deepest_expressions_are_read_and_evaluated() {
    let between = |begin: &str, piece: &str, end: &str| {
        let times = (1000 - begin.len() - end.len()) / piece.len();
        format!("{begin}{}{end}", piece.repeat(times))
    };
    let repeated = |piece: &str, end: &str| between("", piece, end);
    for text in [
        repeated("1+", "1"),
        repeated("1<", "1"),
        repeated("1-", "1"),
        repeated("(", ""),
        repeated("[", ""),
        repeated("{1:", ""),
        repeated("!", "true"),
        repeated("- ", "1"),
        repeated("-(", "1"),
        repeated("true?1:", "1"),
        repeated("[1][", "0"),
        repeated("size(", "'a'"),
        repeated("true&&", "true"),
        repeated("plan.", "a"),
        between("'a'", ".size()", ""),
        between("plan", "['a']", ""),
        between(&("(".repeat(30) + "1" + &")".repeat(30)), "*1", ""),
        repeated("[1].all(x,", "true"),
        repeated("\u{0}", ""),
        repeated("'", ""),
        repeated("🦀", ""),
        repeated("\\", ""),
        repeated("`", ""),
        repeated("?", ""),
    ] {
        assert!(text.len() <= 1000);
        aside(|| {
            let context = Context::with_env(Env::stdlib().into());
            Expression::read(&text).map(|read| read.holds(&context))
        })
        .unwrap_or_else(|| panic!("`{text}` brings it down"))
        .ok();
    }
    let long = "1 == 1 || ".repeat(101) + "true";
    assert!(wrong(&long).is_some_and(|wrong| wrong.message.contains("too long")));
}

#[test]
fn what_would_take_for_ever_is_refused() {
    let nested = |n: usize| "[1,2].all(x, ".repeat(n) + "true" + &")".repeat(n);
    assert_eq!(wrong(&nested(2)), None);
    assert!(wrong(&nested(3)).is_some_and(|wrong| wrong.message.contains("too long")));
    let chained = |n: usize| "['a']".to_owned() + &".map(x, x)".repeat(n) + " == []";
    assert_eq!(wrong(&chained(8)), None);
    assert!(wrong(&chained(9)).is_some());
    let doubled = "['a']".to_owned() + &".map(x, x+x+x+x)".repeat(6) + " == []";
    assert!(wrong(&doubled).is_some_and(|wrong| wrong.message.contains("more than 16")));
}

/// The worst that these bounds leave: it ends, and soon.
#[test]
fn what_is_taken_ends() {
    let longest = format!("[{}]", vec!["0"; 200].join(","));
    let walked = format!("{longest}.all(x, {longest}.all(y, x == y))");
    assert_eq!(holds(&walked), Ok(true));
    let grown =
        "['aaaaaaaa']".to_owned() + &".map(x, x+x+x)".repeat(7) + ".all(x, size(x) == 17496)";
    assert_eq!(holds(&grown), Ok(true));
}

/// Of Singapore, eight hours before Greenwich.
fn hours(days: &str, from: &str, to: &str) -> WorkingHours {
    let text = format!(
        "name = \"shop\"\naccount = \"123456789012\"\nregion = \"ap-southeast-1\"\n[vpc]\ncidr_block = \"10.0.0.0/16\"\n\
         [policy]\nworking_hours = {{ days = {days}, from = \"{from}\", to = \"{to}\", time_zone = \"Asia/Singapore\" }}"
    );
    let topology = parse("topology.toml", &text, &[]).expect("a topology");
    topology.policy.working_hours.expect("working hours")
}

fn within(hours: &WorkingHours, at: &str) -> bool {
    hours::within(hours, at.parse::<Timestamp>().expect("a time")).0
}

#[test]
fn working_hours_are_those_of_their_time_zone() {
    let office = hours("[\"mon\", \"fri\"]", "09:00", "17:00");
    // 2026-11-27 is a Friday.
    for (at, expected) in [
        ("2026-11-27T00:59:59Z", false),
        ("2026-11-27T01:00:00Z", true),
        ("2026-11-27T08:59:59Z", true),
        ("2026-11-27T09:00:00Z", false),
        ("2026-11-26T03:00:00Z", false),
        ("2026-11-30T03:00:00Z", true),
    ] {
        assert_eq!(within(&office, at), expected, "{at}");
    }
}

#[test]
fn working_hours_may_go_past_midnight() {
    let night = hours("[\"fri\"]", "22:00", "02:00");
    for (at, expected) in [
        ("2026-11-27T13:59:00Z", false),
        ("2026-11-27T14:00:00Z", true),
        ("2026-11-27T17:59:00Z", true),
        ("2026-11-27T18:00:00Z", false),
        // Midnight of Thursday's night.
        ("2026-11-26T17:00:00Z", false),
    ] {
        assert_eq!(within(&night, at), expected, "{at}");
    }
}

#[test]
fn working_hours_of_a_flag_are_those_of_the_file() {
    let read = |text: &str| text.parse::<WorkingHours>();
    let file = hours("[\"fri\", \"sat\", \"sun\", \"mon\"]", "22:00", "02:00");
    for text in ["fri-mon 22:00-02:00 Asia/Singapore", "fri,sat-sun,mon 22:00-02:00 Asia/Singapore"]
    {
        let flag = read(text).expect("working hours");
        assert_eq!(WorkingHours { span: file.span, ..flag }, file, "{text}");
    }
    for (text, said) in [
        ("mon-fri 09:00-17:00", "days, hours and a time zone"),
        ("mon-fri 09:00-17:00 Asia/Singapore now", "days, hours and a time zone"),
        ("mo-fri 09:00-17:00 Asia/Singapore", "`mo` is not a day: they are mon, tue"),
        ("mon- 09:00-17:00 Asia/Singapore", "`` is not a day"),
        ("mon-fri 9-17 Asia/Singapore", "`9` is not a time of day: a time looks like `09:00`"),
        ("mon-fri 09:00 Asia/Singapore", "`09:00` are no hours: they look like `09:00-17:00`"),
        ("mon-fri 09:00-24:00 Asia/Singapore", "`24:00` is not a time of day"),
        ("mon-fri 09:00-17:00 Asia/Singapur", "did you mean `Asia/Singapore`?"),
    ] {
        let told = read(text).expect_err(text);
        assert!(told.contains(said), "{text}: {told}");
    }
}
