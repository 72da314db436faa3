//! The few lines in which a run of many steps stands, at several moments and sizes.

use anstream::adapter::strip_str;

use super::*;
use crate::desired::desired;
use crate::plan::{Origin, Parting};
use crate::report::value::width;
use crate::snapshot::Snapshot;
use crate::topology;

fn drawn(edits: &[(&str, &str)]) -> Plan {
    let mut text = include_str!("../../../topology.toml").to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "topology.toml has no `{from}`");
        text = text.replace(from, to);
    }
    let topology = topology::parse("topology.toml", &text, &[]).expect("the drawn system");
    let desired = desired(&topology);
    let (nothing, origin) = (Snapshot::default(), Origin::default());
    Plan::to_reach(&desired, &nothing, &Parting::default(), origin).expect("a plan")
}

fn view(plan: &Plan) -> View<'_> {
    View::new(plan, expected(plan, None))
}

const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn done() -> What {
    What::Done { elapsed: at(1), id: "id".into() }
}

/// What is brief is done, what takes long is under way: the network's and the roles' steps, then the stores' and the load
/// balancer's.
fn shadow_of_rds(plan: &Plan, view: &mut View<'_>) {
    let long = |step: &Step| typical(step) > BRIEF;
    let waits = |step: &Step| {
        step.after
            .iter()
            .any(|after| after.need == crate::model::Need::Ready && long(&plan.steps[after.step]))
    };
    for (index, step) in plan.steps.iter().enumerate() {
        match (long(step), waits(step)) {
            (_, true) => {}
            (true, false) => view.event(index, &What::Started, at(20)),
            (false, false) => {
                view.event(index, &What::Started, at(1));
                view.event(index, &done(), at(2));
            }
        }
    }
}

fn shown(view: &mut View<'_>, now: u64, columns: usize, rows: usize) -> String {
    let lines = view.lines(at(now), columns, rows);
    let lines: Vec<String> = lines.iter().map(|line| strip_str(line).to_string()).collect();
    for line in &lines {
        assert!(width(line) < columns, "wider than {columns}: {line}");
    }
    assert!(lines.len() < rows.max(2), "{} lines on {rows} rows", lines.len());
    lines.join("\n")
}

#[test]
fn a_hundred_steps_on_a_common_terminal() {
    let plan = drawn(&[]);
    let mut view = view(&plan);
    shadow_of_rds(&plan, &mut view);
    insta::assert_snapshot!(shown(&mut view, 200, 80, 24));
}

#[test]
fn on_a_small_terminal_what_is_under_way_is_shown_and_the_rest_counted() {
    let plan = drawn(&[]);
    let mut view = view(&plan);
    shadow_of_rds(&plan, &mut view);
    let sizes = [(60, 15), (40, 10), (20, 6)];
    let all = sizes.map(|(columns, rows)| shown(&mut view, 200, columns, rows));
    insta::assert_snapshot!(all.join("\n\n"));
}

#[test]
fn what_fails_what_is_refused_and_what_takes_long_is_told() {
    let plan = drawn(&[]);
    let mut view = view(&plan);
    shadow_of_rds(&plan, &mut view);
    let place = |address: &str| {
        plan.steps.iter().position(|step| step.address.to_string() == address).expect("a step")
    };
    let error = || "LimitExceeded: you have reached the limit".to_owned();
    view.event(place("db_instance.user"), &What::Failed { elapsed: at(9), error: error() }, at(29));
    for (index, step) in plan.steps.iter().enumerate() {
        if step.after.iter().any(|after| after.step == place("db_instance.user")) {
            view.event(index, &What::Blocked { by: "create db_instance.user".into() }, at(30));
        }
    }
    view.event(place("db_instance.order"), &What::Retrying { error: error() }, at(30));
    insta::assert_snapshot!(shown(&mut view, 700, 80, 24));
}

#[test]
fn it_is_as_high_at_the_begin_as_at_the_end() {
    let plan = drawn(&[]);
    let mut view = view(&plan);
    let begin = view.lines(at(0), 80, 24).len();
    shadow_of_rds(&plan, &mut view);
    assert_eq!(view.lines(at(60), 80, 24).len(), begin);
    (0..plan.steps.len()).for_each(|step| view.event(step, &done(), at(700)));
    assert_eq!(view.lines(at(701), 80, 24).len(), begin);
    assert!(shown(&mut view, 701, 80, 24).contains("140 of 140 steps"));
}

#[test]
fn many_services_take_no_more_lines() {
    let blocks: Vec<String> = (1..=60)
        .map(|n| format!("[service.s{n}]\nport = {}\nroutes = [{{ priority = {n}00, path = \"/s{n}/*\" }}]\n", 4000 + n))
        .collect();
    let plan =
        drawn(&[("[defaults.database]", &format!("{}\n[defaults.database]", blocks.join("\n")))]);
    let mut view = view(&plan);
    shadow_of_rds(&plan, &mut view);
    insta::assert_snapshot!(shown(&mut view, 200, 80, 24));
}

#[test]
fn the_bar_never_goes_back() {
    let plan = drawn(&[]);
    let mut view = view(&plan);
    shadow_of_rds(&plan, &mut view);
    let full = |text: String| text.lines().next().map(|line| line.matches('━').count());
    let mut last = Some(0);
    for now in [100, 300, 600, 640, 900, 2000] {
        let next = full(shown(&mut view, now, 80, 24));
        assert!(next >= last, "{next:?} after {last:?} at {now}");
        last = next;
    }
}
