//! How the machines of a service are changed while it serves.

use super::Build;
use crate::kinds::target_group;
use crate::model::{Address, Body, Serving, reference};
use crate::topology::Service;

/// How a service's machines are changed while it serves.
#[derive(Clone, Debug, PartialEq)]
pub struct Rolling {
    /// How many at a time.
    pub max_parallel: usize,
    pub serving: Serving,
    /// What has to be there before its machines can serve.
    pub needs: Vec<Address>,
}

impl Build<'_> {
    pub(super) fn rolling(&mut self, service: &Service) {
        let rolling = &service.rolling;
        let group = Address::new(target_group::SCHEMA.kind, &service.key);
        // Whatever sends requests here, the machines' role, and what they wait for at their start.
        let sends = |body: &Body| {
            ["target_group", "default_target_group"]
                .iter()
                .any(|field| body.get(*field) == Some(&reference(&group)))
        };
        let settings = format!("{}/", *service.key);
        let needs = self.desired.resources.iter().filter(|(address, body)| match address.kind() {
            "listener" | "listener_rule" => sends(body),
            "ssm_parameter" => address.name().starts_with(&settings),
            "iam_role" => address.name() == *service.key,
            _ => false,
        });
        let rolling = Rolling {
            max_parallel: *rolling.max_parallel as usize,
            serving: Serving {
                min_healthy: self.topology.min_healthy(service),
                healthy_deadline: rolling.healthy_deadline,
                deregistration_delay: service.deregistration_delay,
            },
            needs: needs.map(|(address, _)| address.clone()).collect(),
        };
        self.desired.rolling.insert(service.key.value.clone(), rolling);
    }
}
