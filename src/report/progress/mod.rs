//! Progress for people: on a terminal a few lines that stand and change, elsewhere a line for each event.

#[cfg(test)]
mod tests;
mod view;
mod words;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::style::{CHANGE, CREATE, DELETE, DIM, ERROR, paint};
use super::value::{cut, printable, short};
use super::{duration, screen};
use crate::kinds;
use crate::model::Address;
use crate::plan::{Plan, Step, Verb};
use crate::reconcile::{Event, Observer, Outcome, What};
use crate::rehearsal::Rehearsal;
use view::{BRIEF, View};

/// How often what stands on the terminal is drawn anew, where it has changed.
const TICK: Duration = Duration::from_millis(200);
/// So much of an error stands on its event's line.
const LONGEST: usize = 80;

/// Shows the events of a run on stderr.
pub struct Progress<'a> {
    steps: &'a [Step],
    /// How long each step usually takes.
    typical: Vec<Duration>,
    /// What stands on the terminal, where there is one.
    view: Option<Mutex<View<'a>>>,
    speed: f64,
    started: Instant,
}

impl<'a> Progress<'a> {
    /// `speed` is how many of the account's seconds pass in one of ours. How long a step takes is told by the rehearsal,
    /// or else by its kind.
    pub fn new(plan: &'a Plan, rehearsal: Option<&Rehearsal>, speed: f64) -> Self {
        let typical = expected(plan, rehearsal);
        let stands = screen::size().is_some() && !plan.steps.is_empty();
        Self {
            steps: &plan.steps,
            view: stands.then(|| Mutex::new(View::new(plan, typical.clone()))),
            typical,
            speed,
            started: Instant::now(),
        }
    }

    /// Does the work, and shows meanwhile how far it is.
    pub async fn during(&self, work: impl Future<Output = Outcome>) -> Outcome {
        if self.view.is_none() {
            return work.await;
        }
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                outcome = &mut work => return outcome,
                () = tokio::time::sleep(TICK) => self.draw(),
            }
        }
    }

    /// What has passed since it began, on the account's clock.
    fn now(&self) -> Duration {
        self.started.elapsed().mul_f64(self.speed)
    }

    fn view(&self) -> Option<MutexGuard<'_, View<'a>>> {
        Some(self.view.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn draw(&self) {
        if let (Some(mut view), Some((columns, rows))) = (self.view(), screen::size()) {
            screen::stand(view.lines(self.now(), columns, rows));
        }
    }

    /// On a terminal, what went wrong stays above what stands; all else changes in it.
    fn stays(&self, event: &Event) -> bool {
        match event.what {
            What::Failed { .. } => true,
            What::Started => self.view.is_none() && self.typical[event.step] > BRIEF,
            What::Exists { .. } => false,
            What::Retrying { .. } | What::Done { .. } | What::Blocked { .. } | What::Left => {
                self.view.is_none()
            }
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        screen::clear();
    }
}

impl Observer for Progress<'_> {
    fn stopping(&self) {
        super::say(
            "Stopping: nothing new is begun, calls under way are finished. Again to leave at once.",
        );
    }

    fn event(&self, event: &Event) {
        if let Some(mut view) = self.view() {
            view.event(event.step, &event.what, self.now());
        }
        if self.stays(event) {
            super::say(&line(event, &self.steps[event.step]));
        }
    }
}

/// An event on a line of its own.
fn line(event: &Event, step: &Step) -> String {
    let at = paint(DIM, &format!("{:>7}", duration(event.at)));
    let doing = words::doing(step);
    match &event.what {
        What::Started | What::Exists { .. } => format!("{at}  {doing} ..."),
        What::Done { elapsed, id } => {
            let detail = paint(DIM, &format!("{} in {}", short(id), duration(*elapsed)));
            format!("{at}  {} {}  {detail}", paint(CREATE, "✓"), words::done(step))
        }
        What::Retrying { error } => {
            format!("{at}  {} {doing}: not yet: {}", paint(CHANGE, "…"), printable(error))
        }
        What::Failed { elapsed, error } => {
            let after = duration(*elapsed);
            // The whole of it stands at the end, where it is looked for.
            let error = cut(&printable(error), LONGEST);
            format!("{at}  {} {doing}: failed after {after}: {error}", paint(ERROR, "✗"))
        }
        What::Blocked { by } => format!("{at}  {} {doing}: blocked by {by}", paint(DELETE, "-")),
        What::Left => format!("{at}  {} {doing}: left for the next run", paint(CHANGE, "…")),
    }
}

/// How long each step is expected to take.
fn expected(plan: &Plan, rehearsal: Option<&Rehearsal>) -> Vec<Duration> {
    let mut rehearsed: BTreeMap<(&Address, Verb), Duration> = BTreeMap::new();
    for step in rehearsal.iter().flat_map(|rehearsal| &rehearsal.timeline) {
        let took = Duration::try_from_secs_f64(step.ends - step.begins).unwrap_or_default();
        let known = rehearsed.entry((&step.address, step.verb)).or_default();
        *known = took.max(*known);
    }
    let of = |step: &Step| {
        let known = rehearsed.get(&(&step.address, step.verb)).copied();
        known.unwrap_or_else(|| typical(step))
    };
    plan.steps.iter().map(of).collect()
}

fn typical(step: &Step) -> Duration {
    let seconds = kinds::by_name(step.address.kind()).map_or(0, |kind| {
        let timing = kind.schema().timing;
        match step.verb {
            Verb::Create => timing.create,
            Verb::Update => timing.update,
            Verb::Delete => timing.delete,
            Verb::Prepare | Verb::Attach | Verb::Detach | Verb::Serve | Verb::Revoke => 1,
        }
    });
    Duration::from_secs(seconds.into())
}
