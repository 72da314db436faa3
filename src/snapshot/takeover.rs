//! What goes on under another address without being told to: a rule of another name is still the rule for its paths.

use super::{LEAVING, Resource, rank};
use crate::desired::Desired;
use crate::model::{Address, Body, Field, Schema};

/// Gives what has no place in the topology the address of what is wanted and not there, where all that identifies a
/// thing of its kind is the same. Deleted and made again, it would be missing in between.
pub(super) fn take_over(schema: &Schema, all: &mut [Resource], desired: &Desired) {
    let identifying: Vec<&Field> = schema.fields.iter().filter(|field| field.identifies).collect();
    if identifying.is_empty() {
        return;
    }
    let borne = |address: &Address| all.iter().any(|resource| resource.address == *address);
    let mut free: Vec<(&Address, &Body)> = desired
        .resources
        .iter()
        .filter(|(address, _)| address.kind() == schema.kind && !borne(address))
        .collect();
    for resource in all {
        if desired.resources.contains_key(&resource.address) || rank(&resource.status) == LEAVING {
            continue;
        }
        let same = |(_, wanted): &(&Address, &Body)| {
            identifying.iter().all(|field| resource.body.get(field.name) == wanted.get(field.name))
        };
        if let Some(at) = free.iter().position(same) {
            resource.address = free.remove(at).0.clone();
        }
    }
}
