//! `ecdeploy status`: how the system is, on one screen; and again, for who watches.

use std::time::Duration;

use clap::{Args, ValueEnum};
use futures_util::future::join;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::context::Wanted;
use super::signals::Signals;
use super::{Global, SUCCESS, within};
use crate::cloud::Cloud;
use crate::desired::Desired;
use crate::error::Result;
use crate::model::Lease;
use crate::report::screen::Whole;
use crate::report::status::Frame;
use crate::report::{self, status};
use crate::snapshot::{self, Snapshot};
use crate::status::{Lock, Overview, Sight, Verdict, overview};
use crate::topology::Topology;

/// Something is missing that serves, or not well.
const UNHEALTHY: u8 = 5;
/// All is well, but not as the file says.
const DIFFERS: u8 = 6;

/// Who watches sees at least so often what no look at states alone can tell: drift, say.
const WHOLE: Duration = Duration::from_secs(60);
/// How often it is looked whether the terminal has another size.
const SIZE: Duration = Duration::from_millis(250);

/// Show how the system is: services, databases, cache, load balancer, drift, and who holds the lock
#[derive(Args)]
#[command(
    after_help = "Exit codes:\n  0 healthy and as the file says, 1 error, 5 something is missing or not healthy, \
                  6 healthy but not as the file says, or nothing is there; 130, 143 --watch was ended by SIGINT, SIGTERM\n\n\
                  Examples:\n  ecdeploy status --watch\n  ecdeploy status --format json | jq '.services[] | select(.healthy < .wanted)'"
)]
pub struct Status {
    /// Look again every so many seconds, 5 by default, until Ctrl-C
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true,
          default_missing_value = "5", value_parser = within(1..=3600))]
    watch: Option<u16>,
    /// How to print it; with --watch, json gives one document a line
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

impl Status {
    pub async fn run(&self, global: &Global) -> Result<u8> {
        let Wanted { topology, desired } = global.wanted()?;
        let cloud = global.cloud(&desired).await?;
        let look = Look {
            topology: &topology,
            desired: &desired,
            cloud: cloud.as_ref(),
            of: global.account_line(&desired),
            apply: global.next("apply", []),
        };
        match self.watch {
            Some(seconds) => self.watch(&look, Duration::from_secs(seconds.into())).await,
            None => {
                let seen = look.whole().await?;
                match self.format {
                    Format::Human => {
                        report::print(&look.text(&seen, &look.of, report::columns(), None))?
                    }
                    Format::Json => report::print_json(&seen.overview)?,
                }
                Ok(match seen.overview.verdict {
                    Verdict::Healthy => SUCCESS,
                    Verdict::Unhealthy => UNHEALTHY,
                    Verdict::Differs | Verdict::Nothing => DIFFERS,
                })
            }
        }
    }

    /// Looks until a signal comes, or nobody reads any more.
    async fn watch(&self, look: &Look<'_>, every: Duration) -> Result<u8> {
        let mut signals = Signals::listen();
        let mut seen = tokio::select! {
            seen = look.whole() => seen?,
            signal = signals.next() => return Ok(128 + signal),
        };
        let screen = if self.format == Format::Human { Whole::open() } else { None };
        let code = loop {
            let showing = async {
                match &screen {
                    Some(screen) => look.stand(&seen, screen, every).await,
                    None => {
                        let reads = self.log(look, &seen)?;
                        sleep(every).await;
                        Ok(reads)
                    }
                }
            };
            let reads = tokio::select! {
                reads = showing => reads?,
                signal = signals.next() => break 128 + signal,
            };
            if !reads {
                break SUCCESS;
            }
            tokio::select! {
                () = look.again(&mut seen) => {}
                signal = signals.next() => break 128 + signal,
            }
        };
        if let Some(screen) = screen {
            drop(screen);
            report::print(&look.text(&seen, &look.of, report::columns(), None))?;
        }
        Ok(code)
    }

    /// One block a time; whether anybody reads it.
    fn log(&self, look: &Look<'_>, seen: &Seen) -> Result<bool> {
        match self.format {
            Format::Json => report::offer_line(&seen.overview),
            Format::Human => {
                let title = format!("{}: {}", seen.overview.at, look.of);
                report::offer(&(look.text(seen, &title, report::columns(), None) + "\n"))
            }
        }
    }
}

/// What is looked at.
struct Look<'a> {
    topology: &'a Topology,
    desired: &'a Desired,
    cloud: &'a dyn Cloud,
    of: String,
    apply: String,
}

/// What was seen last.
struct Seen {
    snapshot: Snapshot,
    leases: Vec<Lease>,
    overview: Overview,
    read: Instant,
    /// Why the last look failed.
    failed: Option<String>,
}

impl Look<'_> {
    /// Reads all of the account, and who holds the lock.
    async fn whole(&self) -> Result<Seen> {
        let Self { topology, desired, cloud, .. } = *self;
        snapshot::guard(cloud, desired).await?;
        let (looked, leases) =
            join(snapshot::look(cloud, desired), cloud.leases(&desired.topology)).await;
        let (snapshot, unknown) = looked?;
        // Without leave to see the lock, the rest is of use.
        let (leases, lock) = match leases {
            Ok(leases) => (leases.clone(), Lock::of(&leases)),
            Err(fault) => {
                (Vec::new(), Lock { holders: Vec::new(), unknown: Some(fault.to_string()) })
            }
        };
        let not_compared = unknown.map(|error| error.message);
        let now = Timestamp::now();
        let sight = Sight { topology, desired, snapshot: &snapshot, not_compared, lock, now };
        let overview = overview(sight);
        Ok(Seen { snapshot, leases, overview, read: Instant::now(), failed: None })
    }

    /// Looks again: by few calls, and where these see that something has moved, at all of it.
    async fn again(&self, seen: &mut Seen) {
        let still = seen.read.elapsed() < WHOLE && seen.leases.is_empty();
        if still && matches!(self.is_as_before(seen).await, Ok(true)) {
            seen.overview.at = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            seen.failed = None;
            return;
        }
        match self.whole().await {
            Ok(now) => *seen = now,
            Err(error) => seen.failed = Some(error.message),
        }
    }

    async fn is_as_before(&self, seen: &Seen) -> Result<bool> {
        let (moved, leases) =
            join(seen.snapshot.has_moved(self.cloud), self.cloud.leases(&self.desired.topology))
                .await;
        // Who may not see the lock may watch the rest.
        let locked = leases.is_ok_and(|leases| !leases.is_empty());
        Ok(!moved? && !locked)
    }

    /// Has it stand on the screen, whatever size that takes meanwhile.
    async fn stand(&self, seen: &Seen, screen: &Whole, every: Duration) -> Result<bool> {
        let until = Instant::now() + every;
        let mut drawn = None;
        loop {
            let size = screen.size().unwrap_or((80, 24));
            if drawn != Some(size) {
                let (columns, rows) = size;
                let clock = seen.overview.at.get(11..19).unwrap_or_default();
                let title = format!("{clock} UTC, every {} s: {}", every.as_secs(), self.of);
                screen.draw(&self.text(seen, &title, columns, Some(rows)));
                drawn = Some(size);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(true);
            }
            sleep(left.min(SIZE)).await;
        }
    }

    fn text(&self, seen: &Seen, title: &str, columns: usize, rows: Option<usize>) -> String {
        let failed = seen.failed.as_deref();
        let frame = Frame { of: title, apply: &self.apply, failed, columns, rows };
        status::text(&seen.overview, &frame)
    }
}
