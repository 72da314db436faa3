//! A topology all the way: read, told what is wrong with it, or wanted, compared, planned, shown, rehearsed, traced.

use ecdeploy::cloud::Cloud;
use ecdeploy::cloud::sim::{Account, SimCloud};
use ecdeploy::cost::Costs;
use ecdeploy::desired::{self, Desired};
use ecdeploy::error::Error;
use ecdeploy::plan::{Origin, Plan};
use ecdeploy::policy::{self, Facts, Rules};
use ecdeploy::rehearsal::{Rehearsal, rehearse};
use ecdeploy::snapshot::{self, Snapshot};
use ecdeploy::topology::{Policy, Topology};
use ecdeploy::trace::{Scene, Uses, audit, trace, uses};
use ecdeploy::{report, topology};
use jiff::Timestamp;
use serde_json::Value;

use super::neat::neat;
use super::sandbox::paused;
use super::seeds;
use crate::simulator::world;

/// So many resources are enough to go wrong.
const MANY: usize = 300;

pub fn topology(text: &str) {
    let topology = match topology::parse("topology.toml", text, &[]) {
        Ok(topology) => topology,
        Err(errors) => {
            assert!(!errors.errors().is_empty());
            for width in [20, 80] {
                neat(&report::diagnostics::render(&errors, false, width));
            }
            serde_json::to_string(&errors).expect("errors are JSON");
            return neat(&report::error::text(&Error::from(errors)));
        }
    };
    let desired = desired::desired(&topology);
    if let Err(error) = desired::check(&topology, &desired) {
        return neat(&report::error::text(&Error::from(error)));
    }
    if let Err(error) = policy::check(&topology) {
        return neat(&report::error::text(&Error::from(error)));
    }
    if desired.resources.len() > MANY {
        return;
    }
    let uses = uses(&topology);
    let empty = Account::new(&desired.account, &desired.region);
    let cloud = SimCloud::in_memory(empty, 1.0);
    go_on(&cloud, &desired, &uses);
    if topology.policy != Policy::default()
        && let Some(snapshot) = or_said(paused(async { snapshot::read(&cloud, &desired).await }))
        && let Some(plan) =
            or_said(Plan::to_reach(&desired, &snapshot, &world::parting(), Origin::default()))
    {
        let rehearsal = rehearse(&plan, &desired, &snapshot).expect("a plan can be rehearsed");
        judged(&topology, &desired, &plan, Some(&rehearsal));
    }
    go_on(&SimCloud::in_memory(applied_to(&desired), 1.0), &desired, &uses);
}

/// The account with the drawn system in it, as the one that this topology is for.
fn applied_to(desired: &Desired) -> Account {
    let mut account: Value = serde_json::from_str(seeds::applied()).expect("an account");
    account["id"] = desired.account.as_str().into();
    account["region"] = desired.region.as_str().into();
    serde_json::from_value(account).expect("an account")
}

/// What the plan does against the policy, and how that is told.
pub fn judged(topology: &Topology, desired: &Desired, plan: &Plan, rehearsal: Option<&Rehearsal>) {
    let rules = Rules::of(topology, Policy::default(), &[]).expect("nothing is overridden");
    let facts =
        Facts { plan, desired, rehearsal, costs: &Costs::default(), now: Timestamp::UNIX_EPOCH };
    let violations = rules.judge(&facts).expect("room to judge");
    neat(&report::policy::text(&violations, topology, false, 80));
    serde_json::to_string(&violations).expect("JSON");
}

/// From the account as it is to plans, and all that is said of them.
pub fn go_on(cloud: &dyn Cloud, desired: &Desired, uses: &Uses) {
    let read = paused(async { snapshot::read(cloud, desired).await });
    let Some(snapshot) = or_said(read) else { return };
    for make in [Plan::to_reach, Plan::to_destroy] {
        if let Some(plan) = or_said(make(desired, &snapshot, &world::parting(), Origin::default()))
        {
            shown(&plan, desired, &snapshot);
        }
    }
    for scene in [Scene::of_file(desired, uses), Scene::of_account(&snapshot, uses)] {
        traced(&scene);
    }
}

fn shown(plan: &Plan, desired: &Desired, snapshot: &Snapshot) {
    neat(&report::plan::text(plan, "somewhere"));
    let text = serde_json::to_string(plan).expect("a plan is JSON");
    let again: Plan = serde_json::from_str(&text).expect("what was written is read");
    assert!(again == *plan, "a saved plan is not what it was");
    again.check_fresh(desired, snapshot).expect("a plan just made holds");
    let rehearsal = rehearse(plan, desired, snapshot).expect("a plan can be rehearsed");
    neat(&report::rehearsal::text(&rehearsal, "somewhere", 20));
    serde_json::to_string(&rehearsal).expect("a rehearsal is JSON");
}

fn traced(scene: &Scene<'_>) {
    let every = audit(scene, None);
    neat(&report::trace::table(&every, "somewhere"));
    serde_json::to_string(&every).expect("JSON");
    for path in ["/", "/api/auth/register"] {
        let walk = trace(scene, &path.parse().expect("a path"), None);
        neat(&report::trace::text(&walk, "somewhere"));
        serde_json::to_string(&walk).expect("JSON");
    }
}

/// What came of it; or the error, said.
pub fn or_said<T>(result: Result<T, Error>) -> Option<T> {
    result.map_err(|error| neat(&report::error::text(&error))).ok()
}
