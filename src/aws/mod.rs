//! The way to AWS: clients, error classes, and what several kinds read in common. Only here and in `kinds` is an SDK
//! named.

pub mod absent;
mod call;
pub mod ec2;
pub mod elasticache;
pub mod elb;
mod fault;
mod gate;
pub mod iam;
pub mod lease;
pub mod lookup;
pub mod marks;
pub mod questions;
pub mod rds;
mod reading;
pub mod route53;
pub mod ssm;

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

pub use fault::fault;
pub use gate::{Table, table};
pub use reading::Reading;

use crate::model::{Fault, Operation};

/// Attempts at one call that only looks before its error counts: enough to outlast a burst of throttling.
const ATTEMPTS: u32 = 8;
/// The same for a call that changes something: whoever asked for it tries again, and slows down where AWS wants it.
const CHANGE_ATTEMPTS: u32 = 2;
const FIRST_ATTEMPTS: u32 = 3;
/// The same for a question that can go without an answer.
const ASK_ATTEMPTS: u32 = 2;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);

/// IAM always allows it.
static CALLER: Operation = Operation::plan("sts:GetCallerIdentity", &[]);

/// What is sent whatever the topology is of: who asks, the lock, and what is asked before anything is changed.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    lease::OPERATIONS.iter().chain([&CALLER]).chain(questions::OPERATIONS)
}

/// A client of each service, all on one HTTP client.
pub struct Aws {
    pub region: String,
    pub acm: aws_sdk_acm::Client,
    pub ec2: aws_sdk_ec2::Client,
    pub elb: aws_sdk_elasticloadbalancingv2::Client,
    pub iam: aws_sdk_iam::Client,
    pub rds: aws_sdk_rds::Client,
    pub elasticache: aws_sdk_elasticache::Client,
    pub route53: aws_sdk_route53::Client,
    pub secretsmanager: aws_sdk_secretsmanager::Client,
    pub servicequotas: aws_sdk_servicequotas::Client,
    pub ssm: aws_sdk_ssm::Client,
    pub sts: aws_sdk_sts::Client,
    pub(crate) root_devices: ec2::RootDevices,
}

/// Clients that differ in what they send, and in how often.
pub struct Clients {
    pub reads: Aws,
    pub changes: Aws,
    pub asks: Aws,
}

/// Whose the credentials are.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    pub account: String,
    pub arn: String,
}

impl Aws {
    /// Clients for `region`, with credentials and endpoint from where every AWS tool takes them: those for looking, those
    /// for changing, and those for what need not be answered. They send what is in the table and nothing else; all but
    /// the second nothing that changes the account. No call is made.
    pub async fn connect(region: &str, table: Table) -> Clients {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .http_client(http)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                    .build(),
            )
            .load()
            .await;
        let attempts = |attempts| {
            let few = RetryConfig::standard().with_max_attempts(attempts);
            config.to_builder().retry_config(few).build()
        };
        let table = Arc::new(table);
        Clients {
            reads: Self::with(region, &config, &table, false),
            changes: Self::with(region, &attempts(CHANGE_ATTEMPTS), &table, true),
            asks: Self::with(region, &attempts(ASK_ATTEMPTS), &table, false),
        }
    }

    fn with(region: &str, config: &SdkConfig, table: &Arc<Table>, changes: bool) -> Self {
        macro_rules! client {
            ($sdk:ident, $service:literal) => {{
                let gate = gate::Gate { service: $service, table: table.clone(), changes };
                let config = $sdk::config::Builder::from(config).interceptor(call::Log);
                $sdk::Client::from_conf(config.interceptor(gate).build())
            }};
        }
        Self {
            region: region.to_owned(),
            acm: client!(aws_sdk_acm, "acm"),
            ec2: client!(aws_sdk_ec2, "ec2"),
            elb: client!(aws_sdk_elasticloadbalancingv2, "elasticloadbalancing"),
            iam: client!(aws_sdk_iam, "iam"),
            rds: client!(aws_sdk_rds, "rds"),
            elasticache: client!(aws_sdk_elasticache, "elasticache"),
            route53: client!(aws_sdk_route53, "route53"),
            secretsmanager: client!(aws_sdk_secretsmanager, "secretsmanager"),
            servicequotas: client!(aws_sdk_servicequotas, "servicequotas"),
            ssm: client!(aws_sdk_ssm, "ssm"),
            sts: client!(aws_sdk_sts, "sts"),
            root_devices: ec2::RootDevices::default(),
        }
    }

    /// Whom the credentials belong to. The first call of all: where the way to AWS is closed, that is to be said soon.
    pub async fn caller(&self) -> Result<Caller, Fault> {
        let few = RetryConfig::standard().with_max_attempts(FIRST_ATTEMPTS);
        let call = self.sts.get_caller_identity().customize();
        let call = call.config_override(aws_sdk_sts::config::Builder::new().retry_config(few));
        let answer = call.send().await.map_err(fault("sts:GetCallerIdentity"))?;
        let (account, arn) = (answer.account.unwrap_or_default(), answer.arn.unwrap_or_default());
        Ok(Caller { account, arn })
    }
}
