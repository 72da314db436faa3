//! From one load balancer to another: the old one goes on until the new one serves.

use serde_json::Value;

use super::rolling::{SENDERS, Services, names};
use super::step::Verb;
use super::steps::{Graph, Target, kept_target, live_target, schema_of};
use crate::diff::Change;
use crate::model::{Address, Body, Late, Need, late};
use crate::snapshot::Resource;

/// The fields by which a rule names its listener, and a listener its load balancer.
const LISTENER: &str = "listener";
const LOAD_BALANCER: &str = "load_balancer";
/// Seconds until nobody comes by a name's old answer: as long as Route 53 takes to tell its servers, and then an alias's
/// time to live. Sources: <https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetChange.html> ("generally within 60
/// seconds"), <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-alias-common.html> (60).
const REMEMBERED: u32 = 60 + 60;

/// Requests that go another way.
struct Handed {
    /// Deletes what sends them now.
    delete: usize,
    /// Whom that sends them to, where it is not as before.
    groups: Vec<Address>,
    /// Makes the load balancer that they come by.
    active: Option<usize>,
    /// Leads a name to that load balancer.
    led: Vec<usize>,
    /// Whether one leads there, now or then.
    is_named: bool,
}

impl Graph<'_> {
    /// What sends requests and goes, while another comes or is there in its stead, goes when enough machines are healthy
    /// that the other sends them to, its load balancer is active, and names lead there.
    pub(super) fn hand_over(&mut self, services: &Services) {
        let mut handed: Vec<Handed> =
            self.changes.iter().filter_map(|change| self.handed(change)).collect();
        handed.sort_by_key(|handed| self.steps[handed.delete].address.kind() == LISTENER);
        for handed in handed {
            for step in handed.active.into_iter().chain(handed.led) {
                self.wait(handed.delete, step, Need::Ready);
            }
            // A listener goes after its rules, which have waited.
            let after = &self.steps[handed.delete].after;
            let has_waited = after.iter().any(|on| self.steps[on.step].remembered > 0);
            if handed.is_named && !has_waited {
                self.steps[handed.delete].remembered = REMEMBERED;
            }
            for group in handed.groups {
                self.steps[handed.delete].serving =
                    services.get(group.name()).map(|rolling| rolling.serving);
                for serve in self.serves(&group) {
                    self.wait(handed.delete, serve, Need::Ready);
                }
            }
        }
    }

    /// What is handed over when this change deletes its resource.
    fn handed(&self, change: &Change) -> Option<Handed> {
        if !SENDERS.contains(&change.address.kind()) {
            return None;
        }
        let old = live_target(change)?;
        let delete = self.place(&old, Verb::Delete)?;
        let next = self.next(&change.address)?;
        let schema = schema_of(&change.address)?;
        let fields = schema.fields.iter().filter(|field| field.standby.is_some());
        let before = self.live(change.address.kind(), change.id.as_deref()?)?;
        let balancer = self.balancer(next)?;
        let active = self.place(&Target::New(balancer.clone()), Verb::Create);
        let stays = self.kept(&balancer).map(|kept| kept.live.id.as_str());
        let is_other = stays.is_none() || stays != self.balancer_of(before).as_deref();
        let led = self.led(&balancer).filter(|_| is_other).collect::<Vec<_>>();
        let stays_named = || self.kept_all().any(|kept| tells_of(&kept.body, &balancer));
        let is_named = is_other && (!led.is_empty() || stays_named());
        let groups = fields.filter_map(|field| {
            let group = address_of(next.get(field.name)?)?;
            let kept = self.kept(&group).map(|kept| kept.live.id.as_str());
            let same = kept == before.live.body.get(field.name).and_then(Value::as_str);
            (!same).then_some(group)
        });
        Some(Handed { delete, groups: groups.collect(), active, led, is_named })
    }

    /// The body of what will stand at the address.
    fn next(&self, address: &Address) -> Option<&Body> {
        let coming = self.changes_at(address).find_map(|other| other.after.as_ref());
        coming.or_else(|| self.kept(address).map(|kept| &kept.body))
    }

    /// The load balancer that stands above what will have this body.
    fn balancer(&self, body: &Body) -> Option<Address> {
        let above = |field: &str| body.get(field).and_then(address_of);
        let own = || self.balancer(self.next(&above(LISTENER)?)?);
        above(LOAD_BALANCER).or_else(own)
    }

    /// The id of the load balancer that it stands on.
    fn balancer_of(&self, sends: &Resource) -> Option<String> {
        let id = |of: &Resource, field: &str| Some(of.live.body.get(field)?.as_str()?.to_owned());
        id(sends, LOAD_BALANCER)
            .or_else(|| id(self.live(LISTENER, &id(sends, LISTENER)?)?, LOAD_BALANCER))
    }

    /// The steps that tell others of the load balancer: its name in Route 53, above all.
    fn led(&self, balancer: &Address) -> impl Iterator<Item = usize> {
        let told = self
            .changes
            .iter()
            .filter(|change| change.after.as_ref().is_some_and(|after| tells_of(after, balancer)));
        told.flat_map(move |change| {
            let target = kept_target(change);
            [Verb::Create, Verb::Update]
                .into_iter()
                .filter_map(move |verb| self.place(&target, verb))
        })
    }

    /// The steps after which machines of the group are healthy.
    fn serves(&self, group: &Address) -> Vec<usize> {
        let named = self.changes.iter().filter(|change| names(change, group));
        named.filter_map(|change| self.place(&kept_target(change), Verb::Serve)).collect()
    }
}

/// Whether an output of what bears the address stands in it.
fn tells_of(body: &Body, address: &Address) -> bool {
    let is_output = |value| matches!(late(value), Some(Late::Ref { address: of, output: Some(_) }) if of == *address);
    body.values().any(is_output)
}

fn address_of(value: &Value) -> Option<Address> {
    match late(value)? {
        Late::Ref { address, .. } => Some(address),
        _ => None,
    }
}
