//! Progress for people: on a terminal a line for each running step, elsewhere a line for each event.

use std::collections::BTreeMap;
use std::fmt;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::duration;
use super::style::{CHANGE, CREATE, DELETE, DIM, ERROR, paint};
use super::value::{printable, short};
use crate::kinds;
use crate::model::Address;
use crate::plan::{Plan, Step, Verb};
use crate::reconcile::{Event, Observer, What};

/// Steps that usually take no longer are not worth a line of their own while they run.
const BRIEF: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(120);

/// Shows the events of a run on stderr.
pub struct Progress {
    steps: Vec<String>,
    done: Vec<String>,
    /// How long AWS usually takes for each step.
    typical: Vec<Duration>,
    bars: Option<Bars>,
}

struct Bars {
    speed: f64,
    screen: MultiProgress,
    total: ProgressBar,
    running: Mutex<BTreeMap<usize, ProgressBar>>,
}

impl Progress {
    /// `speed` is how many of the account's seconds pass in one of ours.
    pub fn new(plan: &Plan, speed: f64) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self {
            steps: plan.steps.iter().map(doing).collect(),
            done: plan.steps.iter().map(done).collect(),
            typical: plan.steps.iter().map(typical).collect(),
            bars: (terminal && !plan.steps.is_empty()).then(|| Bars::new(plan.steps.len(), speed)),
        }
    }

    fn print(&self, line: &str) {
        match &self.bars {
            Some(bars) => bars.screen.suspend(|| super::say(line)),
            None => super::say(line),
        }
    }
}

impl Observer for Progress {
    fn stopping(&self) {
        self.print(
            "Stopping: nothing new is begun, calls under way are finished. Again to leave at once.",
        );
    }

    fn event(&self, event: &Event) {
        let step = &self.steps[event.step];
        if let Some(bars) = &self.bars {
            bars.event(event, step, self.typical[event.step]);
        }
        let at = paint(DIM, &format!("{:>7}", duration(event.at)));
        match &event.what {
            What::Started if self.bars.is_none() && self.typical[event.step] > BRIEF => {
                self.print(&format!("{at}  {step} ..."));
            }
            What::Started | What::Exists { .. } => {}
            What::Done { elapsed, id } => {
                let done = &self.done[event.step];
                let detail = paint(DIM, &format!("{} in {}", short(id), duration(*elapsed)));
                self.print(&format!("{at}  {} {done}  {detail}", paint(CREATE, "✓")));
            }
            What::Retrying { error } => {
                let error = printable(error);
                self.print(&format!("{at}  {} {step}: not yet: {error}", paint(CHANGE, "…")));
            }
            What::Failed { elapsed, error } => {
                let after = duration(*elapsed);
                // The whole of it stands at the end, where it is looked for.
                let error = shortened(&printable(error));
                self.print(&format!(
                    "{at}  {} {step}: failed after {after}: {error}",
                    paint(ERROR, "✗")
                ));
            }
            What::Blocked { by } => {
                self.print(&format!("{at}  {} {step}: blocked by {by}", paint(DELETE, "-")));
            }
            What::Left => {
                self.print(&format!("{at}  {} {step}: left for the next run", paint(CHANGE, "…")));
            }
        }
    }
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bars) = &self.bars {
            bars.total.finish_and_clear();
            let _ = bars.screen.clear();
        }
    }
}

impl Bars {
    fn new(steps: usize, speed: f64) -> Self {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let total = screen.add(ProgressBar::new(steps as u64));
        total.set_style(style("{bar:30.green/dim} {pos}/{len} steps"));
        Self { speed, screen, total, running: Mutex::default() }
    }

    fn event(&self, event: &Event, step: &str, typical: Duration) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match &event.what {
            What::Started => {
                let bar = self.screen.insert_before(&self.total, ProgressBar::new_spinner());
                let speed = self.speed;
                let elapsed = move |state: &ProgressState, out: &mut dyn fmt::Write| {
                    let _ = write!(out, "{:>7}", duration(state.elapsed().mul_f64(speed)));
                };
                let share = move |state: &ProgressState, out: &mut dyn fmt::Write| {
                    let _ = out.write_str(&gauge(state.elapsed().mul_f64(speed), typical));
                };
                let look = style("{account_time:.dim}  {spinner} {share:.green} {wide_msg}");
                bar.set_style(look.with_key("account_time", elapsed).with_key("share", share));
                let usual = match typical > BRIEF {
                    true => format!("  (usually {})", duration(typical)),
                    false => String::new(),
                };
                bar.set_message(format!("{step}{usual}"));
                bar.enable_steady_tick(TICK);
                running.insert(event.step, bar);
            }
            What::Exists { .. } | What::Retrying { .. } => {}
            _ => {
                if let Some(bar) = running.remove(&event.step) {
                    bar.finish_and_clear();
                }
                self.total.inc(1);
            }
        }
    }
}

/// How much of the usual time has passed, as a bar. It is never full: what usually takes so long may take longer.
fn gauge(elapsed: Duration, typical: Duration) -> String {
    const WIDTH: usize = 10;
    if typical <= BRIEF {
        return " ".repeat(WIDTH);
    }
    let share = elapsed.as_secs_f64() / typical.as_secs_f64();
    let full = (1..WIDTH).take_while(|cells| share * 10.0 >= *cells as f64).count();
    format!("{}{}", "━".repeat(full), "─".repeat(WIDTH - full))
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━━─")
}

fn doing(step: &Step) -> String {
    let verb = match step.verb {
        Verb::Create => "creating",
        Verb::Update => "changing",
        Verb::Prepare => "preparing",
        Verb::Attach => "attaching",
        Verb::Serve => "waiting until healthy",
        Verb::Revoke => "revoking rules of",
        Verb::Detach if serves(&step.address) => "draining",
        Verb::Detach => "detaching",
        Verb::Delete => "deleting",
    };
    format!("{verb} {}", step.target())
}

/// Whether it is put into service and taken out.
fn serves(address: &Address) -> bool {
    let kind = kinds::by_name(address.kind());
    kind.is_some_and(|kind| kind.schema().fields.iter().any(|field| field.serves))
}

fn done(step: &Step) -> String {
    let verb = match step.verb {
        Verb::Create => "created",
        Verb::Update => "changed",
        Verb::Prepare => "prepared",
        Verb::Attach => "attached",
        Verb::Serve => "healthy",
        Verb::Revoke => "rules revoked",
        Verb::Detach if serves(&step.address) => "drained",
        Verb::Detach => "detached",
        Verb::Delete => "deleted",
    };
    format!("{} {verb}", step.target())
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
