//! Waiting: one listing serves all that wait for things of one kind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Stop;
use super::door::Door;
use crate::kinds::Kind;
use crate::model::{Class, Fault, INTERRUPTED, STILL, Standing, Status};

/// The first look after something is asked for, and how much later each next one is.
const FIRST_LOOK: Duration = Duration::from_millis(500);
/// A thing just created may be unknown for as long.
const UNKNOWN: Duration = Duration::from_secs(60);

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    Ready,
    Gone,
}

pub struct Watch<'a> {
    door: Arc<Door<'a>>,
    stop: &'a Stop,
    kinds: Mutex<BTreeMap<&'static str, Arc<Looks>>>,
}

/// The looks at things of one kind.
#[derive(Default)]
struct Looks {
    waiting: Mutex<BTreeSet<String>>,
    last: tokio::sync::Mutex<Option<Look>>,
}

struct Look {
    /// When it was begun.
    at: Duration,
    of: BTreeSet<String>,
    standings: BTreeMap<String, Standing>,
}

impl<'a> Watch<'a> {
    pub fn new(door: Arc<Door<'a>>, stop: &'a Stop) -> Self {
        Self { door, stop, kinds: Mutex::default() }
    }

    /// Returns when the resource is ready, with the outputs it then has, or gone.
    ///
    /// # Errors
    /// When AWS gives up on it, it takes six times what it usually takes, or stopping is wished.
    pub async fn wait(
        &self,
        kind: &'static dyn Kind,
        id: &str,
        goal: Goal,
    ) -> Result<BTreeMap<String, String>, Fault> {
        let timing = kind.schema().timing;
        let poll = Duration::from_secs(timing.poll.into());
        let typical = timing.create.max(timing.update).max(timing.delete);
        let patience = Duration::from_secs(u64::from(typical) * 6 + 300);
        let looks = {
            let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
            kinds.entry(kind.schema().kind).or_default().clone()
        };
        looks.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
        let begun = self.door.now();
        let mut pause = FIRST_LOOK;
        let mut seen = begun;
        let result = loop {
            tokio::select! {
                () = self.door.sleep(pause) => {}
                () = self.stop.requested() => break Err(fault(kind, INTERRUPTED, format!("stopped waiting for {id}"))),
            }
            let waited = self.door.now() - begun;
            // A look begun in the later half of the pause is as good as one of our own.
            let looked = self.look(kind, &looks, id, pause / 2).await;
            pause = (pause * 2).min(poll).max(FIRST_LOOK);
            let (status, outputs) = match looked {
                Ok(Some(Standing { status, outputs })) => (Some(status), outputs),
                Ok(None) => (None, BTreeMap::new()),
                // What could not be seen is neither there nor gone.
                Err(fault)
                    if matches!(fault.class, Class::Transient | Class::Throttled)
                        && waited < patience =>
                {
                    continue;
                }
                Err(fault) => break Err(fault),
            };
            if !matches!(status, None | Some(Status::Gone | Status::Deleting)) {
                seen = self.door.now();
            }
            let missing = self.door.now().saturating_sub(seen);
            let state = word(status.as_ref());
            match (status, goal) {
                (Some(Status::Ready), Goal::Ready) => break Ok(outputs),
                (None | Some(Status::Gone), Goal::Gone) => break Ok(outputs),
                (Some(Status::Failed(why)), _) => {
                    break Err(fault(kind, "Failed", format!("{id} is `{why}`")));
                }
                (None | Some(Status::Gone | Status::Deleting), Goal::Ready)
                    if missing > UNKNOWN =>
                {
                    break Err(fault(kind, "Disappeared", format!("{id} is gone")));
                }
                _ => {}
            }
            if waited > patience {
                let message = format!("{id} is still {state} after {} s", waited.as_secs());
                break Err(fault(kind, STILL, message));
            }
        };
        looks.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        result
    }

    async fn look(
        &self,
        kind: &'static dyn Kind,
        looks: &Looks,
        id: &str,
        fresh: Duration,
    ) -> Result<Option<Standing>, Fault> {
        let mut last = looks.last.lock().await;
        let now = self.door.now();
        let usable = |look: &Look| look.of.contains(id) && now.saturating_sub(look.at) <= fresh;
        if !last.as_ref().is_some_and(usable) {
            let of = looks.waiting.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let ids: Vec<String> = of.iter().cloned().collect();
            let standings = self.door.status(kind, &ids).await?;
            *last = Some(Look { at: now, of, standings });
        }
        Ok(last.as_ref().and_then(|look| look.standings.get(id).cloned()))
    }
}

/// AWS's word for how far it is.
fn word(status: Option<&Status>) -> String {
    match status {
        Some(Status::Pending(word) | Status::Failed(word)) => format!("`{word}`"),
        Some(Status::Deleting) => "`deleting`".to_owned(),
        Some(Status::Ready) => "there".to_owned(),
        Some(Status::Gone) | None => "unknown to AWS".to_owned(),
    }
}

fn fault(kind: &'static dyn Kind, code: &str, message: String) -> Fault {
    Fault::new(Class::Fatal, &format!("wait for {}", kind.schema().kind), code, message)
}
