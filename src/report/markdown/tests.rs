//! Whatever others have written, a comment is not longer than it may be, and nothing in it is markup but ours.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::desired::{Desired, desired};
use crate::diff::{Cause, Change, FieldChange};
use crate::model::{Address, Body};
use crate::plan::{Origin, Parting, Pending, PendingField};
use crate::snapshot::Snapshot;
use crate::topology;

fn drawn() -> Desired {
    let text = include_str!("../../../topology.toml");
    desired(&topology::parse("topology.toml", text, &[]).unwrap())
}

/// A plan without changes, to be filled.
fn empty() -> Plan {
    let nothing = Desired {
        topology: "shop".to_owned(),
        account: "123456789012".to_owned(),
        region: "ap-southeast-1".to_owned(),
        ..Desired::default()
    };
    let (snapshot, parting) = (Snapshot::default(), Parting::default());
    Plan::to_reach(&nothing, &snapshot, &parting, Origin::default()).unwrap()
}

fn of(plan: &Plan, rehearsal: Option<&Rehearsal>, limit: usize) -> String {
    let costs = Costs::default();
    let of = "shop in account 1 (`x`)";
    text(&Review { plan, rehearsal, costs: &costs, violations: &[], of }, limit)
}

/// With a name as others may give it: what steers a terminal makes it none.
fn address(kind: &str, name: &str) -> Address {
    Address::new(kind, &name.replace(crate::model::steers, ""))
}

fn change(kind: &str, name: &str, action: Action, said: &str) -> Change {
    let body: Body = [("instance_type".to_owned(), json!(said))].into();
    let field = FieldChange {
        field: "instance_type".to_owned(),
        before: Some(json!(said)),
        after: json!([said, { "k": said }]),
        cause: Cause::Drift,
        waits: None,
        keeps: Vec::new(),
        replaces: action == Action::Replace,
    };
    let moves = matches!(action, Action::Update | Action::Replace);
    Change {
        address: address(kind, name),
        action,
        id: Some(said.to_owned()),
        moved_from: None,
        protect: false,
        protected: action == Action::Delete,
        reason: (action == Action::Delete).then(|| said.to_owned()),
        fields: if moves { vec![field] } else { Vec::new() },
        before: (action != Action::Create).then(|| body.clone()),
        after: (action != Action::Delete).then_some(body),
    }
}

/// What stands outside of code, where Markdown and HTML would be read. Fails where a fence or a fold is open at the end.
fn markup(comment: &str) -> String {
    let mut fence: Option<&str> = None;
    let mut outside = String::new();
    for line in comment.lines() {
        let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
        match fence {
            Some(open) if ticks.len() >= open.len() && line.len() == ticks.len() => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 && !line[ticks.len()..].contains('`') => fence = Some(ticks),
            // From here to the blank line below it is HTML.
            None if line.starts_with("<details>") => outside += &format!("{line}\n"),
            None => outside += &(without_spans(line) + "\n"),
        }
    }
    assert_eq!(fence, None, "a fence is open: {comment}");
    let count = |what: &str| outside.matches(what).count();
    assert_eq!(count("<details>"), count("</details>"), "{comment}");
    assert_eq!(count("<code>"), count("</code>"), "{comment}");
    outside
}

fn without_spans(line: &str) -> String {
    let Some(begin) = line.find('`') else { return line.to_owned() };
    let rest = &line[begin..];
    let ticks = rest.len() - rest.trim_start_matches('`').len();
    let mut at = ticks;
    while let Some(found) = rest[at..].find('`') {
        let run = &rest[at + found..];
        let length = run.len() - run.trim_start_matches('`').len();
        at += found + length;
        if length == ticks {
            return line[..begin].to_owned() + &without_spans(&rest[at..]);
        }
    }
    panic!("a span is open: {line}")
}

const HOSTILE: &[&str] = &[
    "<script>hostile</script>",
    "`hostile`",
    "```\n</details>hostile",
    "\n\n# hostile",
    "@hostile",
    "| hostile |",
    "[hostile](javascript:x)",
    "*hostile*",
    "<!-- hostile -->",
    "`",
    "``````",
    " ",
    "&lt;hostile",
    "\u{202e}hostile",
];

fn hostile() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(HOSTILE), 1..5).prop_map(|parts| parts.concat())
}

fn plans() -> impl Strategy<Value = (Plan, Rehearsal)> {
    let kinds =
        ["instance", "db_instance", "vpc", "cache_cluster", "nothing_known", "ssm_parameter"];
    let actions = [Action::Create, Action::Update, Action::Replace, Action::Delete];
    let parts = (
        prop::sample::select(kinds.to_vec()),
        prop::sample::select(actions.to_vec()),
        hostile(),
        hostile(),
    );
    let one = parts.prop_map(|(kind, action, name, said)| change(kind, &name, action, &said));
    (prop::collection::vec(one, 0..25), hostile()).prop_map(
        |(changes, said): (Vec<Change>, String)| {
            let pending = Pending {
                address: address("db_instance", &said),
                window: said.clone(),
                fields: vec![PendingField {
                    field: said.clone(),
                    before: Value::Null,
                    after: json!(said),
                }],
            };
            let mut origin = Origin::default();
            origin.choice.only = vec![said.clone()];
            let rehearsal = Rehearsal {
                seconds: 1.0,
                decisive: None,
                timeline: Vec::new(),
                services: [(said.clone(), crate::rehearsal::Healthy { now: 2, fewest: 0 })].into(),
                failures: vec![said.clone(); 20],
            };
            let topology = said;
            (Plan { changes, pending: vec![pending], origin, topology, ..empty() }, rehearsal)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nothing_that_others_wrote_is_markup((plan, rehearsal) in plans()) {
        let comment = of(&plan, Some(&rehearsal), LIMIT);
        let (marker, rest) = comment.split_once('\n').unwrap_or_default();
        let name = |c: char| c.is_ascii_alphanumeric() || " -".contains(c);
        prop_assert!(marker[5..marker.len() - 3].replace(':', "").chars().all(name), "{marker}");
        let outside = markup(rest);
        for line in outside.lines().filter(|line| line.contains("hostile")) {
            // A key in the heading of a fold: there Markdown is not read, and HTML is escaped.
            let key = line.split("<code>").nth(1).and_then(|rest| rest.split("</code>").next()).unwrap_or_default();
            prop_assert!(line.starts_with("<details><summary>"), "{line}");
            prop_assert!(!key.contains(['<', '>', '"']) && !line.replace(key, "").contains("hostile"), "{line}");
        }
        prop_assert!(!comment.contains(|c: char| c != '\n' && crate::model::steers(c)));
    }

    #[test]
    fn a_comment_is_cut_between_blocks((plan, _) in plans(), limit in 9_000_usize..20_000) {
        let whole = of(&plan, None, LIMIT);
        let cut = of(&plan, None, limit);
        prop_assert!(cut.len() <= limit.max(whole.len()), "{} of {limit}", cut.len());
        markup(&cut);
        let shown: usize = groups(&plan).iter().flat_map(blocks).filter(|block| cut.contains(&block.text)).count();
        let said = cut.lines().find(|line| line.contains("left out here"));
        prop_assert!(shown == plan.changes.len() || said.is_some(), "{cut}");
    }
}

#[test]
fn a_plan_beyond_all_bounds_is_cut_to_the_limit_and_says_how_much_is_left_out() {
    let mut plan = empty();
    let long = "x".repeat(500);
    for n in 0..1_000 {
        plan.changes.push(change("instance", &format!("user-{n}"), Action::Update, &long));
        plan.changes.push(change("ssm_parameter", &format!("s{n}/PORT"), Action::Update, "80"));
    }
    plan.changes.push(change("db_instance", "user", Action::Delete, "gone"));
    let comment = of(&plan, None, LIMIT);
    assert!(comment.len() <= LIMIT && comment.len() > LIMIT - 1_500, "{}", comment.len());
    markup(&comment);
    assert!(comment.contains("- db_instance.user"), "the dangerous one is there");
    let shown =
        comment.lines().filter(|line| line.starts_with("! i") || line.starts_with("! ssm")).count()
            + 1;
    let left_out = format!("**{} changes are left out here**", 2_001 - shown);
    assert!(comment.contains(&left_out), "{left_out}\n{}", &comment[comment.len() - 2_000..]);
    assert_eq!(of(&plan, None, LIMIT), comment, "the same plan gives the same comment");
}

#[test]
fn the_drawn_system_fits_into_a_comment_as_a_whole() {
    let (snapshot, parting) = (Snapshot::default(), Parting::default());
    let plan = Plan::to_reach(&drawn(), &snapshot, &parting, Origin::default()).unwrap();
    let comment = of(&plan, None, LIMIT);
    assert!(!comment.contains("left out"), "{}", comment.len());
    assert_eq!(markup(&comment).matches("<details>").count(), 16);
    assert!(comment.starts_with("<!-- ecdeploy plan: ecommerce 123456789012 ap-southeast-1 -->\n"));
}

#[test]
fn a_plan_that_was_not_rehearsed_says_why_and_what_tells() {
    let snapshot = Snapshot::default();
    let plan = Plan::to_reach(&drawn(), &snapshot, &Parting::default(), Origin::default()).unwrap();
    let comment = of(&plan, None, LIMIT);
    let said = format!(
        "· not rehearsed, for its {} steps: `ecdeploy rehearse` tells how long it takes, and who serves meanwhile",
        plan.steps.len()
    );
    assert!(comment.contains(&said), "{comment}");
    assert!(plan.steps.len() > 100);
}
