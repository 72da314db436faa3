//! A live resource with what AWS does not report of it.

use super::Resource;
use crate::desired::Desired;
use crate::model::Body;

impl Resource {
    /// What AWS does not report is taken to be as it is wanted, where it was applied so.
    pub fn whole(&self, desired: &Desired) -> Body {
        let mut body = self.live.body.clone();
        for (field, wanted) in desired.resources.get(&self.address).into_iter().flatten() {
            if self.applied.holds(field, wanted) && !body.contains_key(field) {
                body.insert(field.clone(), wanted.clone());
            }
        }
        body
    }
}
