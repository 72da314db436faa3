//! What is said of machines that do not get healthy, or can't be spared.

use crate::model::{Class, Fault, Serving, TargetHealth};

pub(super) const LOOK: &str = "elasticloadbalancing:DescribeTargetHealth";

pub(super) fn unhealthy(id: &str, seconds: u32, word: Option<&TargetHealth>) -> Fault {
    let found = word.map_or("not registered".to_owned(), TargetHealth::to_string);
    let reason = word.and_then(|word| word.reason.as_deref()).unwrap_or_default();
    let message = format!("{id} is not healthy after {seconds} s: {found}; {}", look_at(reason));
    Fault::new(Class::Fatal, LOOK, "NotHealthy", message)
}

/// Why a machine stays in service: who else there is, and how they are.
pub(super) fn not_spared(id: &str, serving: Serving, found: &[TargetHealth]) -> Fault {
    let others: Vec<String> = found
        .iter()
        .filter(|one| one.target != id)
        .map(|one| format!("{} is {one}", one.target))
        .collect();
    let message = format!(
        "{id} serves on: min_healthy is {}, and without it there were fewer for {} s ({}); mend those first, or \
         lower min_healthy",
        serving.min_healthy,
        serving.healthy_deadline,
        if others.is_empty() { "no other is registered".to_owned() } else { others.join(", ") },
    );
    Fault::new(Class::Fatal, LOOK, "NotSpared", message)
}

pub(super) fn too_few(group: &str, serving: Serving, found: &[TargetHealth]) -> Fault {
    let sick = found.iter().filter(|one| !one.is_healthy());
    let sick: Vec<String> = sick.map(|one| format!("{} is {one}", one.target)).collect();
    let message = format!(
        "requests are not sent to {group}: fewer than {} of its targets are healthy after {} s ({})",
        serving.min_healthy,
        serving.healthy_deadline,
        if sick.is_empty() { "none is registered".to_owned() } else { sick.join(", ") },
    );
    Fault::new(Class::Fatal, LOOK, "NotHealthy", message)
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
