//! Locks on topologies in the simulated account.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Account;
use crate::model::{Class, Fault, Holder, Lease};

/// One lease, as the account keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    topology: String,
    number: u64,
    holder: Holder,
    version: i64,
    /// By the account's clock, in milliseconds.
    renewed: u64,
}

impl Account {
    pub fn leases(&self, topology: &str) -> Vec<Lease> {
        let own = self.locks.iter().filter(|kept| kept.topology == topology);
        let lease = |kept: &Kept| Lease {
            number: kept.number,
            holder: kept.holder.clone(),
            age: self.clock().saturating_sub(Duration::from_millis(kept.renewed)),
            version: kept.version,
        };
        own.map(lease).collect()
    }

    pub fn put_lease(
        &mut self,
        topology: &str,
        number: u64,
        holder: &Holder,
        new: bool,
    ) -> Result<i64, Fault> {
        let renewed = self.clock_millis();
        let mut own =
            self.locks.iter_mut().filter(|kept| kept.topology == topology && kept.number == number);
        match own.next() {
            Some(_) if new => {
                let message = "the parameter already exists";
                return Err(Fault::new(
                    Class::Exists,
                    "ssm:PutParameter",
                    "ParameterAlreadyExists",
                    message,
                ));
            }
            Some(kept) => {
                kept.holder = holder.clone();
                kept.version = kept.version.saturating_add(1);
                kept.renewed = renewed;
                return Ok(kept.version);
            }
            None => self.locks.push(Kept {
                topology: topology.to_owned(),
                number,
                holder: holder.clone(),
                version: 1,
                renewed,
            }),
        }
        Ok(1)
    }

    pub fn drop_lease(&mut self, topology: &str, number: u64) {
        self.locks.retain(|kept| (kept.topology.as_str(), kept.number) != (topology, number));
    }
}
