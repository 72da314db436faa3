//! Machines in service: put in until they are healthy, taken out when enough others are, and then until they have
//! finished what they began.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex as Turns;

use super::Run;
use crate::model::{Body, Class, Fault, Field, Schema, Serving, TargetHealth};

const FIRST_LOOK: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Beyond a group's delay, for the word to get round.
const GRACE: u32 = 60;

/// What was last seen of each target group, for all that wait for some of its targets.
#[derive(Default)]
pub(super) struct Groups {
    seen: Mutex<BTreeMap<String, Arc<Group>>>,
}

#[derive(Default)]
struct Group {
    last: Turns<Option<(Duration, Vec<TargetHealth>)>>,
    /// Whoever takes a target out first looks whether enough others are healthy; one after the other.
    leaving: Turns<()>,
}

impl Groups {
    fn of(&self, id: &str) -> Arc<Group> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.entry(id.to_owned()).or_default().clone()
    }
}

/// The target group that the body names, by the field that puts it into service.
pub(super) fn group(schema: &Schema, fields: &[&str], body: &Body) -> Option<String> {
    let mut serving = schema.fields.iter().filter(|field| field.serves);
    let field: &Field = serving.find(|field| fields.contains(&field.name))?;
    body.get(field.name)?.as_str().map(str::to_owned)
}

impl Run<'_> {
    /// Returns when the target group says that the machine is healthy.
    pub(super) async fn until_healthy(
        &self,
        id: &str,
        group: &str,
        serving: Serving,
    ) -> Result<(), Fault> {
        if serving.healthy_deadline == 0 {
            return Ok(());
        }
        let last = self.until(group, serving.healthy_deadline, |found| {
            found.iter().any(|one| one.target == id && one.is_healthy())
        });
        let Err(found) = last.await? else { return Ok(()) };
        let word = found.iter().find(|one| one.target == id);
        Err(unhealthy(id, serving.healthy_deadline, word))
    }

    /// Takes the machine out as soon as enough others are healthy: `out` does it.
    pub(super) async fn when_spared<T>(
        &self,
        id: &str,
        group: &str,
        serving: Serving,
        out: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let turns = self.groups.of(group);
        let _turn = turns.leaving.lock().await;
        if serving.healthy_deadline > 0 {
            let enough = |found: &[TargetHealth]| {
                let serves = found.iter().any(|one| one.target == id && one.is_healthy());
                let others = found.iter().filter(|one| one.target != id && one.is_healthy());
                !serves || others.count() >= serving.min_healthy as usize
            };
            if let Err(found) = self.until(group, serving.healthy_deadline, enough).await? {
                return Err(not_spared(id, serving, &found));
            }
        }
        let done = out.await?;
        // What was seen before tells of it as if it were there.
        *turns.last.lock().await = None;
        Ok(done)
    }

    /// Returns when the machine has finished what it had begun when it was taken out.
    pub(super) async fn until_drained(
        &self,
        id: &str,
        group: &str,
        serving: Serving,
    ) -> Result<(), Fault> {
        let drained = |found: &[TargetHealth]| !found.iter().any(|one| one.target == id);
        let patience = serving.deregistration_delay.saturating_add(GRACE);
        // A group that never tells has had its time.
        self.until(group, patience, drained).await.map(drop)
    }

    /// Looks at the group until `done` says so. After so many seconds: what was seen last.
    async fn until(
        &self,
        group: &str,
        seconds: u32,
        done: impl Fn(&[TargetHealth]) -> bool,
    ) -> Result<Result<(), Vec<TargetHealth>>, Fault> {
        let begun = self.cloud.now();
        let patience = Duration::from_secs(seconds.into());
        let mut pause = Duration::ZERO;
        let mut found = Vec::new();
        loop {
            match self.look(group, pause / 2).await {
                Ok(seen) => found = seen,
                Err(fault) if fault.class == Class::Transient => {}
                Err(fault) => return Err(fault),
            }
            if done(&found) {
                return Ok(Ok(()));
            }
            if self.cloud.now().saturating_sub(begun) >= patience {
                return Ok(Err(found));
            }
            pause = (pause * 2).clamp(FIRST_LOOK, LONGEST_PAUSE);
            tokio::select! {
                () = self.cloud.sleep(pause) => {}
                () = self.stop.requested() => {
                    let message = format!("stopped waiting for targets of {group}");
                    return Err(Fault::new(Class::Fatal, LOOK, "Interrupted", message));
                }
            }
        }
    }

    /// What the group finds of its targets; a look of another that is not older than `fresh` serves as well.
    async fn look(&self, group: &str, fresh: Duration) -> Result<Vec<TargetHealth>, Fault> {
        let looks = self.groups.of(group);
        let mut last = looks.last.lock().await;
        let now = self.cloud.now();
        if let Some((at, found)) = &*last
            && now.saturating_sub(*at) < fresh
        {
            return Ok(found.clone());
        }
        let found = {
            let _permit = self.calls.acquire().await;
            self.cloud.health(&[group.to_owned()]).await?
        };
        *last = Some((now, found.clone()));
        Ok(found)
    }
}

const LOOK: &str = "elasticloadbalancing:DescribeTargetHealth";

fn unhealthy(id: &str, seconds: u32, word: Option<&TargetHealth>) -> Fault {
    let found = word.map_or("not registered".to_owned(), TargetHealth::to_string);
    let reason = word.and_then(|word| word.reason.as_deref()).unwrap_or_default();
    let message = format!("{id} is not healthy after {seconds} s: {found}; {}", look_at(reason));
    Fault::new(Class::Fatal, LOOK, "NotHealthy", message)
}

fn not_spared(id: &str, serving: Serving, found: &[TargetHealth]) -> Fault {
    let sick = found.iter().filter(|one| one.target != id && !one.is_healthy());
    let sick: Vec<String> = sick.map(|one| format!("{} is {one}", one.target)).collect();
    let message = format!(
        "{id} serves on: min_healthy is {}, and without it there were fewer for {} s ({}); {}",
        serving.min_healthy,
        serving.healthy_deadline,
        if sick.is_empty() { "no other is registered".to_owned() } else { sick.join(", ") },
        "mend those first, or lower min_healthy",
    );
    Fault::new(Class::Fatal, LOOK, "NotSpared", message)
}

/// What to look at, by the reason that AWS gives.
/// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html>
fn look_at(reason: &str) -> &'static str {
    match reason {
        "Target.ResponseCodeMismatch" => {
            "its health check's path answers with another code than 200: look into SERVICE-err.log"
        }
        "Target.Timeout" => {
            "its health check's path does not answer in time: look at the security groups \
             (`ecdeploy trace PATH --live`) and into SERVICE-err.log"
        }
        "Target.FailedHealthChecks" => {
            "nothing answers on its port: look into boot.log and SERVICE-err.log on it, and at the security groups \
             (`ecdeploy trace PATH --live`)"
        }
        "Target.NotInUse" => "no listener or rule sends requests to its target group",
        "Target.InvalidState" => "it is stopped or going away: look at its state and system log",
        "Target.IpUnusable" => "its address is used by a load balancer",
        "Elb.InternalError" => "the load balancer has trouble of its own: run it again",
        _ => {
            "look into boot.log on it: is it still being set up? healthy_deadline says how long it may take"
        }
    }
}
