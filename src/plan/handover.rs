//! From one load balancer to another: the old one goes on until the new one serves.

use serde_json::Value;

use super::rolling::{SENDERS, Services, names};
use super::step::Verb;
use super::steps::{Graph, Target, kept_target, live_target, schema_of};
use crate::diff::Change;
use crate::model::{Address, Body, Late, Need, late};

/// The fields by which a rule names its listener, and a listener its load balancer.
const LISTENER: &str = "listener";
const LOAD_BALANCER: &str = "load_balancer";

/// Requests that go another way.
struct Handed {
    /// Deletes what sends them now.
    delete: usize,
    /// Whom that sends them to, where it is not as before.
    groups: Vec<Address>,
    /// Makes the load balancer that they come by.
    active: Option<usize>,
}

impl Graph<'_> {
    /// What sends requests and goes, while another comes or is there in its stead, goes when enough machines are healthy
    /// that the other sends them to, and its load balancer is active.
    pub(super) fn hand_over(&mut self, services: &Services) {
        let handed: Vec<Handed> =
            self.changes.iter().filter_map(|change| self.handed(change)).collect();
        for handed in handed {
            handed.active.into_iter().for_each(|step| self.wait(handed.delete, step, Need::Ready));
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
        let active = self.place(&Target::New(self.balancer(next)?), Verb::Create);
        let before = self.live(change.address.kind(), change.id.as_deref()?)?;
        let groups = fields.filter_map(|field| {
            let group = address_of(next.get(field.name)?)?;
            let kept = self.kept(&group).map(|kept| kept.live.id.as_str());
            let same = kept == before.live.body.get(field.name).and_then(Value::as_str);
            (!same).then_some(group)
        });
        Some(Handed { delete, groups: groups.collect(), active })
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

    /// The steps after which machines of the group are healthy.
    fn serves(&self, group: &Address) -> Vec<usize> {
        let named = self.changes.iter().filter(|change| names(change, group));
        named.filter_map(|change| self.place(&kept_target(change), Verb::Serve)).collect()
    }
}

fn address_of(value: &Value) -> Option<Address> {
    match late(value)? {
        Late::Ref { address, .. } => Some(address),
        _ => None,
    }
}
