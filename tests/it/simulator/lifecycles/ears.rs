//! Whatever a run says, to look in it for what it must never say.

use std::collections::BTreeSet;
use std::sync::Mutex;

use ecdeploy::cloud::sim::{Object, SimCloud};
use ecdeploy::plan::Plan;
use ecdeploy::reconcile::{Event, Observer, Outcome};
use ecdeploy::report;

/// Every password that AWS has kept in this life.
#[derive(Default)]
pub struct Secrets(BTreeSet<String>);

impl Secrets {
    pub fn learn(&mut self, cloud: &SimCloud) {
        self.0.extend(cloud.account().objects().filter_map(Object::password));
    }

    pub fn are_kept(&self, said: &str) {
        let leaked = self.0.iter().find(|secret| said.contains(secret.as_str()));
        assert_eq!(leaked, None, "a password is told");
    }
}

/// All that was said in one run.
pub struct Ears {
    said: Mutex<String>,
    /// Whether it is told on, as one life that is looked at is.
    tells: bool,
}

impl Ears {
    pub fn new(tells: bool) -> Self {
        Self { said: Mutex::default(), tells }
    }

    pub fn hear(&self, said: &str) {
        self.said.lock().unwrap().push_str(said);
    }

    /// The file that a plan is saved to, and what people are shown.
    pub fn plan(&self, plan: &Plan, shown: bool) {
        self.hear(&serde_json::to_string(plan).unwrap());
        if shown {
            self.hear(&report::plan::text(plan, ""));
        }
    }

    pub fn outcome(&self, plan: &Plan, outcome: &Outcome) {
        self.hear(&report::outcome::text(plan, outcome));
    }

    pub fn said(&self) -> String {
        std::mem::take(&mut *self.said.lock().unwrap())
    }
}

impl Observer for Ears {
    fn event(&self, event: &Event) {
        let said = serde_json::to_string(event).unwrap();
        if self.tells {
            eprintln!("{:>9.1?}   {} {:?}: {:?}", event.at, event.address, event.verb, event.what);
        }
        self.hear(&said);
    }
}
