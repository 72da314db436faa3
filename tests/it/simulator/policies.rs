//! The rules of `[policy]`: for each a plan that violates it, and one that doesn't.

use ecdeploy::cloud::sim::SimCloud;
use ecdeploy::cost::{Prices, costs};
use ecdeploy::desired::{Desired, desired};
use ecdeploy::plan::{Goal, Origin, Plan};
use ecdeploy::policy::{self, Facts, Rules, Violation};
use ecdeploy::rehearsal::rehearse;
use ecdeploy::report;
use ecdeploy::topology::{self, Level, Policy, Topology};
use jiff::Timestamp;

use super::world::*;

/// The drawn file with texts replaced, and a policy behind it.
fn with_policy(edits: &[(&str, &str)], policy: &str) -> Topology {
    let mut text = DRAWN.to_owned();
    for (old, new) in edits {
        assert!(text.contains(old), "topology.toml has no `{old}`");
        text = text.replace(old, new);
    }
    text.push_str("\n[policy]\n");
    text.push_str(policy);
    let topology = topology::parse("topology.toml", &text, &[])
        .unwrap_or_else(|errors| panic!("the topology is wrong: {errors}"));
    policy::check(&topology).unwrap_or_else(|errors| panic!("the policy is wrong: {errors}"));
    topology
}

struct Judged {
    topology: Topology,
    violations: Vec<Violation>,
}

impl Judged {
    fn text(&self) -> String {
        report::policy::text(&self.violations, &self.topology, false, 100)
    }

    /// `rule address: message`, each.
    fn said(&self) -> Vec<String> {
        let said = self.violations.iter().map(|one| {
            let address = one.address.as_ref().map(|address| format!(" {address}"));
            format!("{}{}: {}", one.rule, address.unwrap_or_default(), one.message)
        });
        said.collect()
    }
}

/// A Friday morning in Singapore.
const NOW: &str = "2026-11-27T02:00:00Z";

async fn planned(
    cloud: &SimCloud,
    wanted: &Desired,
    goal: Goal,
) -> (Plan, ecdeploy::snapshot::Snapshot) {
    let snapshot = read(cloud, wanted).await;
    let make = match goal {
        Goal::Reach => Plan::to_reach,
        Goal::Destroy => Plan::to_destroy,
    };
    (make(wanted, &snapshot, &parting(), Origin::default()).unwrap(), snapshot)
}

async fn judged_for(
    goal: Goal,
    edits: &[(&str, &str)],
    policy: &str,
    overridden: &[&str],
) -> Judged {
    let cloud = drawn_account().await;
    let topology = with_policy(edits, policy);
    let wanted = desired(&topology);
    let (plan, snapshot) = planned(&cloud, &wanted, goal).await;
    let rehearsal = (!plan.is_empty()).then(|| rehearse(&plan, &wanted, &snapshot).unwrap());
    let facts = Facts {
        plan: &plan,
        desired: &wanted,
        rehearsal: rehearsal.as_ref(),
        costs: &costs(&plan, &wanted, &snapshot, &Prices::known(&wanted.region).unwrap()),
        now: NOW.parse::<Timestamp>().unwrap(),
    };
    let overridden: Vec<String> = overridden.iter().map(|rule| (*rule).to_owned()).collect();
    let violations = {
        let rules = Rules::of(&topology, Policy::default(), &overridden).unwrap();
        rules.judge(&facts).unwrap()
    };
    Judged { topology, violations }
}

async fn judged(edits: &[(&str, &str)], policy: &str) -> Judged {
    judged_for(Goal::Reach, edits, policy, &[]).await
}

const NO_NOTIFICATION: &[(&str, &str)] =
    &[("[database.notification]\n", ""), ("uses      = [\"database.notification\"]\n", "")];

#[tokio::test(start_paused = true)]
async fn a_database_that_would_go_is_a_violation() {
    let kept = "protect_databases = true";
    let deleted = judged(NO_NOTIFICATION, kept).await;
    assert_eq!(deleted.said(), ["protect_databases db_instance.notification: it would be deleted"]);
    let replaced =
        judged(&[("[database.user]\n", "[database.user]\nidentifier = \"people\"\n")], kept).await;
    assert_eq!(replaced.said(), ["protect_databases db_instance.user: it would be replaced"]);
    let block = replaced.violations[0].block.unwrap();
    assert_eq!(DRAWN.lines().nth(block - 1), Some("[database.user]"));

    assert_eq!(judged(&[("t3.small", "t3.large")], kept).await.said(), [""; 0]);
    assert_eq!(judged(NO_NOTIFICATION, "protect_databases = false").await.said(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_port_that_is_open_to_the_world_is_a_violation_unless_it_may_be() {
    let open = "open_ports = [80, 443]";
    assert_eq!(judged(&[], open).await.said(), [""; 0]);
    assert_eq!(
        judged(&[], "open_ports = [443]").await.said(),
        ["open_ports security_group.alb: tcp 80 is open to 0.0.0.0/0"]
    );
    let ssh = &[("from = \"${var.admin_cidr}\"", "from = \"0.0.0.0/1\"")];
    assert_eq!(
        judged(ssh, open).await.said(),
        ["open_ports security_group.ec2: tcp 22 is open to 0.0.0.0/1"]
    );
    let all =
        &[("{ port = 22,", "{ protocol = \"all\","), ("\"${var.admin_cidr}\"", "\"0.0.0.0/0\"")];
    assert_eq!(
        judged(all, open).await.said(),
        ["open_ports security_group.ec2: every port is open to 0.0.0.0/0"]
    );
    let range =
        &[("{ port = 22,", "{ ports = \"80-81\","), ("\"${var.admin_cidr}\"", "\"0.0.0.0/0\"")];
    assert_eq!(
        judged(range, open).await.said(),
        ["open_ports security_group.ec2: tcp 80-81 is open to 0.0.0.0/0"]
    );
    let ping =
        &[("{ port = 22,", "{ protocol = \"icmp\","), ("\"${var.admin_cidr}\"", "\"0.0.0.0/0\"")];
    assert_eq!(judged(ping, open).await.said(), [""; 0]);
    assert_eq!(judged_for(Goal::Destroy, ssh, open, &[]).await.said(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn more_replacements_and_deletions_than_may_be_are_violations() {
    let bigger = &[("size = 8", "size = 9")];
    let replaced = judged(bigger, "max_replacements = 13").await;
    assert_eq!(
        replaced.said(),
        [
            "max_replacements: 14 replacements: instance.frontend-1, instance.frontend-2, instance.gateway-1 and 11 more"
        ]
    );
    assert_eq!(judged(bigger, "max_replacements = 14\nmax_deletions = 0").await.said(), [""; 0]);

    let gone = judged_for(Goal::Destroy, &[], "max_deletions = 102", &[]).await;
    assert_eq!(gone.violations.len(), 1, "{:?}", gone.said());
    assert!(gone.said()[0].starts_with("max_deletions: 103 deletions: "), "{:?}", gone.said());
    assert_eq!(judged_for(Goal::Destroy, &[], "max_deletions = 103", &[]).await.said(), [""; 0]);
    let one = &[(", { priority = 4, path = \"/api/categories/*\" }", "")];
    let one = judged(one, "max_deletions = 0").await;
    assert_eq!(
        one.said(),
        ["max_deletions listener_rule.api-categories: 1 deletion: listener_rule.api-categories"]
    );
}

#[tokio::test(start_paused = true)]
async fn fewer_healthy_than_have_to_be_is_a_violation() {
    let rolled = &[("[service.user]\n", "[service.user]\ninstance_type = \"t3.large\"\n")];
    let two = judged(rolled, "min_healthy = 2").await;
    assert_eq!(two.said(), ["min_healthy target_group.user: 1 of 2 healthy at some moment"]);
    assert_eq!(judged(rolled, "min_healthy = 1").await.said(), [""; 0]);
    assert_eq!(judged(&[], "min_healthy = 2").await.said(), [""; 0]);
    let none_there = judged(&[], "min_healthy = 9").await;
    assert_eq!(none_there.said(), [""; 0], "a plan that takes none away lowers nothing");
}

#[tokio::test(start_paused = true)]
async fn a_change_out_of_hours_is_a_violation() {
    let hours = |days: &str| {
        format!(
            "working_hours = {{ days = [{days}], from = \"09:00\", to = \"17:00\", time_zone = \"Asia/Singapore\" }}"
        )
    };
    let edit = &[("interval = 30", "interval = 20")];
    let out = judged(edit, &hours("\"mon\", \"tue\"")).await;
    assert_eq!(out.said(), ["working_hours: it is Fri 10:00 in Asia/Singapore"]);
    assert_eq!(judged(edit, &hours("\"fri\"")).await.said(), [""; 0]);
    assert_eq!(judged(&[], &hours("\"mon\"")).await.said(), [""; 0], "nothing is changed");
}

#[tokio::test(start_paused = true)]
async fn more_a_month_than_may_be_is_a_violation() {
    let bigger = &[("[service.user]\n", "[service.user]\ninstance_type = \"t3.large\"\n")];
    let dear = judged(bigger, "max_monthly_cost = 100").await;
    let said = dear.said();
    assert!(said[0].starts_with("max_monthly_cost: about $"), "{said:?}");
    assert!(said[0].ends_with(" more than now") && said.len() == 1, "{said:?}");
    assert_eq!(judged(bigger, "max_monthly_cost = 10000").await.said(), [""; 0]);
    assert_eq!(judged(&[], "max_monthly_cost = 100").await.said().len(), 1, "as it stands");
    let less = &[("[service.user]\n", "[service.user]\ninstance_type = \"t3.micro\"\n")];
    assert_eq!(judged(less, "max_monthly_cost = 100").await.said(), [""; 0], "it saves");
    let unknown = &[("[service.user]\n", "[service.user]\ninstance_type = \"x1e.xlarge\"\n")];
    let said = judged(unknown, "max_monthly_cost = 100000").await.said();
    let untold = "max_monthly_cost: it can't be told: there is no price here for x1e.xlarge";
    assert_eq!(said, [untold]);
    let both = [unknown, NO_NOTIFICATION].concat();
    let said = judged(&both, "max_monthly_cost = 100").await.said();
    assert_eq!(said, [untold], "what is known saves, what is not may cost more than that");
    let bound = "max_monthly_cost = 0";
    assert_eq!(judged_for(Goal::Destroy, &[], bound, &[]).await.said(), [""; 0], "nothing is left");
}

const OWN: &str = r#"
[policy.rule.families]
when    = "change.kind == 'instance' && change.action != 'delete'"
require = "change.after.instance_type.startsWith('t3.')"
message = "machines are of the t3 family"

[policy.rule.slow]
deny    = "plan.duration > 3600.0 || plan.summary.update > 20"
message = "too much at once"
level   = "advisory"

[policy.rule.untold]
deny    = "change.after.instance_type == 'm5.large'"
message = "no m5.large"
level   = "hard-mandatory"
"#;

#[tokio::test(start_paused = true)]
async fn a_rule_of_the_team_is_asked_of_each_change_or_of_the_plan() {
    let user = &[("[service.user]\n", "[service.user]\ninstance_type = \"m5.large\"\n")];
    let found = judged(user, OWN).await;
    insta::assert_snapshot!(found.text());
    assert_eq!(
        found.said(),
        [
            "families instance.user-1: machines are of the t3 family",
            "families instance.user-2: machines are of the t3 family",
            "untold instance.user-1: no m5.large",
            "untold instance.user-2: no m5.large",
        ]
    );
    let within = &[("[service.user]\n", "[service.user]\ninstance_type = \"t3.large\"\n")];
    assert_eq!(judged(within, OWN).await.said(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_cannot_be_told_is_violated() {
    let edit = &[("interval = 30", "interval = 20")];
    let found = judged(edit, OWN).await;
    assert!(!found.violations.is_empty());
    for one in &found.violations {
        assert_eq!(one.rule, "untold");
        assert_eq!(one.message, "it can't be told: No such key: instance_type");
    }
    let text = found.text();
    assert!(text.contains("has(change.after.FIELD)") && !text.contains(" is so"), "{text}");
    assert!(text.contains("^ can't be told"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_rule_is_worth_what_its_level_says() {
    let own =
        "max_deletions = 0\nmax_replacements = 0\n[policy.level]\nmax_deletions = \"advisory\"\n";
    let edits = &[("size = 8", "size = 9"), ("{ priority = 8, path = \"/api/*\" }", "")];
    let found = judged(edits, own).await;
    let levels: Vec<(&str, Level, bool)> =
        found.violations.iter().map(|one| (one.rule.as_str(), one.level, one.refuses())).collect();
    assert_eq!(
        levels,
        [
            ("max_deletions", Level::Advisory, false),
            ("max_replacements", Level::SoftMandatory, true)
        ]
    );
    let lifted = judged_for(Goal::Reach, edits, own, &["max_replacements"]).await;
    assert!(lifted.violations.iter().all(|one| !one.refuses()), "{:?}", lifted.violations);
    policy::refuse(&lifted.violations).unwrap();
    assert_eq!(policy::refuse(&found.violations).unwrap_err().exit_code(), 4);
    insta::assert_snapshot!(lifted.text());
}

#[test]
fn only_a_soft_mandatory_rule_of_the_file_can_be_overridden() {
    let topology = with_policy(&[], OWN);
    let of = |rule: &str| {
        let overridden = [rule.to_owned()];
        Rules::of(&topology, Policy::default(), &overridden).map(|_| ()).map_err(|e| e.to_string())
    };
    assert_eq!(of("families"), Ok(()));
    assert!(of("untold").is_err_and(|why| why.contains("hard-mandatory")));
    assert!(of("familes").is_err_and(|why| why.contains("no rule `familes`")));
    assert!(of("max_deletions").is_err(), "the file does not set it");
}
