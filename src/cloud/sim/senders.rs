//! What sends requests: listeners and their rules, each for one load balancer.

use std::collections::{BTreeMap, BTreeSet};

use super::Account;
use super::object::Object;
use super::rules::Refusal;
use crate::model::{ADDRESS, Body, Status, TargetHealth};

/// The fields by which these name the groups that get the requests, and the one that stands ready.
const SENDS: [&str; 2] = ["target_group", "default_target_group"];
const STANDBY: &str = "standby_target_group";

/// The target groups that a listener or rule sends requests to, or stands ready to.
pub fn used(body: &Body) -> impl Iterator<Item = &str> {
    SENDS.into_iter().chain([STANDBY]).filter_map(|field| body.get(field)?.as_str())
}

fn is_sender(object: &Object) -> bool {
    matches!(object.kind.as_str(), "listener" | "listener_rule")
}

impl Account {
    /// The load balancer whose requests a listener or rule of this body sends on.
    fn balancer<'a>(&'a self, body: &'a Body) -> &'a str {
        let text = |body: &'a Body, field| body.get(field).and_then(|id| id.as_str());
        let listener = || self.get("listener", text(body, "listener")?);
        let own = text(body, "load_balancer");
        own.or_else(|| text(&listener()?.body, "load_balancer")).unwrap_or_default()
    }

    /// A group gets requests from one load balancer only:
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html>
    pub(super) fn check_association(&self, body: &Body) -> Result<(), Refusal> {
        let own = self.balancer(body);
        for other in self.objects().filter(|object| is_sender(object)) {
            let group = used(&other.body).find(|group| used(body).any(|own| own == *group));
            if let Some(group) = group.filter(|_| self.balancer(&other.body) != own) {
                return Err(Refusal::fatal(
                    "TargetGroupAssociationLimit",
                    format!("{group} is associated with another load balancer"),
                ));
            }
        }
        Ok(())
    }

    /// The healthy targets of each service: of those groups that rules send requests to, the fewest. While one load
    /// balancer takes over from another, people come by the one that serves.
    pub fn serving(&self) -> BTreeMap<String, usize> {
        let mut sent: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for object in self.objects().filter(|object| is_sender(object)) {
            if object.status() != Status::Deleting {
                let groups = SENDS.into_iter().map(|field| object.text(field));
                sent.entry(self.balancer(&object.body)).or_default().extend(groups);
            }
        }
        let groups: Vec<String> = sent.values().flatten().map(|id| (*id).to_owned()).collect();
        let mut healthy: BTreeMap<String, usize> = BTreeMap::new();
        for one in self.health(&groups).into_iter().filter(TargetHealth::is_healthy) {
            *healthy.entry(one.group).or_default() += 1;
        }
        let mut serving: BTreeMap<String, usize> = BTreeMap::new();
        for groups in sent.values() {
            for (service, fewest) in self.fewest_of(groups, &healthy) {
                let most = serving.entry(service).or_default();
                *most = fewest.max(*most);
            }
        }
        serving
    }

    fn fewest_of(
        &self,
        groups: &BTreeSet<&str>,
        healthy: &BTreeMap<String, usize>,
    ) -> BTreeMap<String, usize> {
        let mut fewest: BTreeMap<String, usize> = BTreeMap::new();
        for group in groups {
            let of = self.get("target_group", group).and_then(|found| found.tags.get(ADDRESS));
            let Some(service) = of else { continue };
            let healthy = healthy.get(*group).copied().unwrap_or_default();
            let known = fewest.entry(service.clone()).or_insert(healthy);
            *known = healthy.min(*known);
        }
        fewest
    }
}
