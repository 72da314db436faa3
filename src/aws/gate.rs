//! The gate that every request passes: what has no row in the table of operations is not sent, nor does a client made for
//! looking send what changes the account.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use crate::model::{Operation, Side};

/// The operations that may be sent, by name.
pub type Table = BTreeMap<&'static str, Side>;

/// The table of these rows. Of rows with one name the strictest holds.
pub fn table(rows: impl IntoIterator<Item = &'static Operation>) -> Table {
    let mut table = Table::new();
    for row in rows {
        table.entry(row.name).and_modify(|side| *side = row.side.max(*side)).or_insert(row.side);
    }
    table
}

/// Stands before one service's client.
#[derive(Debug)]
pub struct Gate {
    /// The service as IAM calls it.
    pub service: &'static str,
    pub table: Arc<Table>,
    /// Whether what changes the account may pass.
    pub changes: bool,
}

/// Why a request was not sent.
#[derive(Debug)]
pub enum Refused {
    Unlisted(String),
    Changes(String),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unlisted(name) => {
                write!(f, "{name} is not in the table of operations, and was not sent")
            }
            Self::Changes(name) => {
                write!(
                    f,
                    "{name} changes the account, and was not sent by a client made for looking"
                )
            }
        }
    }
}

impl std::error::Error for Refused {}

impl Gate {
    fn check(&self, operation: &str) -> Result<(), Refused> {
        let name = format!("{}:{operation}", self.service);
        match self.table.get(name.as_str()) {
            None => Err(Refused::Unlisted(name)),
            Some(Side::Change) if !self.changes => Err(Refused::Changes(name)),
            Some(_) => Ok(()),
        }
    }
}

#[dyn_dispatch_hint]
impl Intercept for Gate {
    fn name(&self) -> &'static str {
        "Gate"
    }

    /// Before there are attempts: an error here is final.
    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let name = bag.load::<Metadata>().map_or("?", |call| call.name());
        Ok(self.check(name)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Aws, Clients, fault};
    use super::*;
    use crate::error::{Error, ErrorKind};
    use crate::model::{ANYWHERE, Class};

    static ROWS: [Operation; 3] = [
        Operation::plan("ec2:DescribeVpcs", ANYWHERE),
        Operation::change("ec2:DeleteVpc", ANYWHERE),
        Operation::plan("ec2:DeleteVpc", ANYWHERE),
    ];

    #[test]
    fn a_row_that_changes_makes_its_operation_one_that_changes() {
        let known = table(&ROWS);
        let expected = [("ec2:DeleteVpc", Side::Change), ("ec2:DescribeVpcs", Side::Plan)];
        assert_eq!(known, expected.into());
    }

    #[tokio::test]
    async fn what_may_not_be_sent_ends_as_an_error_for_people() {
        let Clients { reads, changes, .. } = Aws::connect("ap-southeast-1", table(&ROWS)).await;

        let refused = reads.ec2.delete_vpc().vpc_id("vpc-1").send().await;
        let unlisted = changes.ec2.delete_subnet().subnet_id("subnet-1").send().await;

        let refused = refused.map_err(fault("ec2:DeleteVpc")).expect_err("it looks only");
        let unlisted = unlisted.map_err(fault("ec2:DeleteSubnet")).expect_err("no row");
        for (fault, word) in [(refused, "made for looking"), (unlisted, "not in the table")] {
            assert_eq!((fault.class, fault.code.as_str()), (Class::Fatal, "NotSent"), "{fault}");
            let error = Error::from(fault);
            assert!(error.message.contains(word), "{error}");
            assert!(matches!(error.kind, ErrorKind::Refused) && error.hint.is_some(), "{error:?}");
        }
    }
}
