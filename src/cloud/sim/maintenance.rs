//! What a simulated database changes later than it is asked, and how its storage grows.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rules::Refusal;
use crate::model::{APPLY_IMMEDIATELY, Body, Maintenance, Schema};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const WEEK: u64 = 7 * 24 * HOUR;
/// AWS chooses a window at random within eight hours of the night; here it is always as far from the creation.
const AHEAD: u64 = 6 * HOUR;
const LENGTH: u64 = 30 * MINUTE;
/// <https://repost.aws/knowledge-center/rds-autoscaling-low-free-storage>
const BETWEEN_GROWTHS: u64 = 6 * HOUR;
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// An object's window, and what waits for it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Upkeep {
    /// Milliseconds from the week's begin; the account's clock begins with a week.
    window: u64,
    /// The later values.
    pub coming: Body,
    /// When they are set.
    pub due: u64,
    /// When its storage last grew.
    grown: Option<u64>,
}

impl Upkeep {
    /// For what has a field that may wait.
    pub fn new(schema: &Schema, clock: u64) -> Option<Self> {
        let begins = (clock % WEEK + AHEAD).next_multiple_of(LENGTH) % WEEK;
        let waits = schema.fields.iter().any(|field| field.in_window);
        waits.then(|| Self { window: begins, ..Self::default() })
    }

    /// As AWS tells it.
    pub fn told(&self, body: &Body) -> Maintenance {
        let end = |at: u64| {
            let minutes = at % WEEK / MINUTE;
            let day = DAYS[usize::try_from(minutes / (24 * 60)).unwrap_or(0) % DAYS.len()];
            format!("{day}:{:02}:{:02}", minutes / 60 % 24, minutes % 60)
        };
        let until_then = self.coming.keys();
        let until_then =
            until_then.filter_map(|name| Some((name.clone(), body.get(name)?.clone())));
        Maintenance {
            window: format!("{}-{}", end(self.window), end(self.window % WEEK + LENGTH)),
            until_then: until_then.collect(),
        }
    }

    /// Takes what is asked of a body: what is to be set at once, which is nothing where all of it waits.
    ///
    /// # Errors
    /// When AWS would refuse it.
    pub fn ask(
        &mut self,
        schema: &Schema,
        body: &Body,
        asked: &Body,
        clock: u64,
    ) -> Result<Body, Refusal> {
        let mut asked = asked.clone();
        if let Some(size) = self.grow(body, &asked, clock)? {
            asked.insert(STORAGE.to_owned(), size.into());
        }
        let said = asked.get(APPLY_IMMEDIATELY).or(body.get(APPLY_IMMEDIATELY));
        let mut at_once = Body::new();
        if said == Some(&Value::Bool(false)) {
            for (name, value) in asked {
                let field = schema.field(&name);
                let now = body.get(&name).unwrap_or(&Value::Null);
                if !field.is_some_and(|field| field.waits(now, &value)) {
                    at_once.insert(name, value);
                } else if body.get(&name) == Some(&value) {
                    self.coming.remove(&name);
                } else {
                    self.coming.insert(name, value);
                }
            }
            // The first window that opens from now on.
            self.due = (clock - clock % WEEK).saturating_add(self.window % WEEK);
            if self.due <= clock {
                self.due = self.due.saturating_add(WEEK);
            }
        } else {
            at_once = std::mem::take(&mut self.coming);
            at_once.extend(asked);
        }
        self.note_growth(body, &at_once, clock);
        Ok(at_once)
    }

    /// What is set by now, of what waited.
    pub fn open(&mut self, body: &Body, clock: u64) -> Body {
        if self.due > clock {
            return Body::new();
        }
        let coming = std::mem::take(&mut self.coming);
        self.note_growth(body, &coming, self.due);
        coming
    }

    /// The size that storage gets. AWS makes it grow by a tenth at least:
    /// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html>
    fn grow(&self, body: &Body, asked: &Body, clock: u64) -> Result<Option<u64>, Refusal> {
        let number = |body: &Body| body.get(STORAGE).and_then(Value::as_u64);
        let (Some(now), Some(wanted)) = (number(body), number(asked)) else { return Ok(None) };
        if wanted == now {
            return Ok(None);
        }
        if wanted < now {
            let message = format!(
                "Requested size ({wanted}GB) cannot be smaller than the current size ({now}GB)."
            );
            return Err(Refusal::fatal("InvalidParameterCombination", message));
        }
        if self.grown.is_some_and(|grown| clock < grown.saturating_add(BETWEEN_GROWTHS)) {
            let message = "You can't currently modify the storage of this DB instance because the previous storage \
                           change is being optimized.";
            return Err(Refusal::fatal("InvalidParameterCombination", message));
        }
        Ok(Some(wanted.max(now.saturating_add(now.div_ceil(10)))))
    }

    fn note_growth(&mut self, body: &Body, set: &Body, clock: u64) {
        if set.get(STORAGE).is_some_and(|size| Some(size) != body.get(STORAGE)) {
            self.grown = Some(clock);
        }
    }
}

const STORAGE: &str = "allocated_storage";
