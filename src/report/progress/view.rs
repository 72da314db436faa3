//! The state of all steps in a few lines that stay as many. Pure: it is told the time and the size of the terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::words;
use crate::model::Need;
use crate::plan::{Plan, Step};
use crate::reconcile::What;
use crate::report::style::{CHANGE, CREATE, DIM, ERROR, paint};
use crate::report::value::{blanks, cut, printable, width};
use crate::report::{count, duration};

/// Steps that usually take no longer come and go too fast to be read.
pub const BRIEF: Duration = Duration::from_secs(5);
/// So many lines at most, of them so many for single steps.
const HEIGHT: usize = 18;
const RUNNING: usize = 4;
const GAUGE: usize = 8;
/// So much longer than usual, and it is told.
const LATE: f64 = 1.5;
/// The room that times take on a step's line, and a note at least.
const TIMES: usize = 18;
const NOTE: usize = 18;
/// On a terminal that is narrower, gauges leave their room to words.
const NARROW: usize = 56;

/// How a step stands.
#[derive(Clone, Debug, PartialEq)]
enum State {
    Waiting,
    Running { since: Duration, refused: Option<String> },
    Done,
    Failed,
    Blocked,
    Left,
}

/// All steps, and how they stand.
pub struct View<'a> {
    steps: &'a [Step],
    typical: Vec<Duration>,
    states: Vec<State>,
    /// The steps that wait for each.
    followers: Vec<Vec<usize>>,
    /// The parts of the system, and which of them each step is of.
    parts: Vec<String>,
    part_of: Vec<usize>,
    /// The bar never goes back.
    share: f64,
}

/// How many steps of a part stand how.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    all: usize,
    done: usize,
    running: usize,
    waiting: usize,
    failed: usize,
    blocked: usize,
    left: usize,
}

impl<'a> View<'a> {
    /// `typical` is how long each step usually takes.
    pub fn new(plan: &'a Plan, typical: Vec<Duration>) -> Self {
        let steps = &plan.steps[..];
        let mut followers = vec![Vec::new(); steps.len()];
        for (index, step) in steps.iter().enumerate() {
            step.after.iter().for_each(|after| followers[after.step].push(index));
        }
        let services = words::services(steps);
        let of: Vec<words::Part> =
            steps.iter().map(|step| words::part(&step.address, &services)).collect();
        let order: BTreeSet<&words::Part> = of.iter().collect();
        let places: BTreeMap<_, _> = order.iter().zip(0..).map(|(part, at)| (*part, at)).collect();
        let part_of = of.iter().map(|part| places[part]).collect();
        let parts = order.iter().map(|part| part.name.clone()).collect();
        let states = vec![State::Waiting; steps.len()];
        Self { steps, typical, states, followers, parts, part_of, share: 0.0 }
    }

    /// Something happened to a step.
    pub fn event(&mut self, step: usize, what: &What, now: Duration) {
        let state = &mut self.states[step];
        match (what, state) {
            (What::Started, state) => {
                *state = State::Running { since: now, refused: None };
            }
            (What::Exists { .. }, State::Running { refused, .. }) => *refused = None,
            (What::Retrying { error }, State::Running { refused, .. }) => {
                *refused = Some(error.clone());
            }
            (What::Exists { .. } | What::Retrying { .. }, _) => {}
            (What::Done { .. }, state) => *state = State::Done,
            (What::Failed { .. }, state) => *state = State::Failed,
            (What::Blocked { .. }, state) => *state = State::Blocked,
            (What::Left, state) => *state = State::Left,
        }
    }

    /// The lines, as many whatever happens, none wider than the terminal, and fewer than it has rows.
    pub fn lines(&mut self, now: Duration, columns: usize, rows: usize) -> Vec<String> {
        let columns = columns.saturating_sub(1);
        let height = rows.saturating_sub(2).clamp(1, HEIGHT);
        let singles = RUNNING.min(self.steps.len()).min(height.saturating_sub(1) / 3);
        let parts = self.parts.len().min(height - 1 - singles);
        let mut lines = vec![self.header(now, columns)];
        lines.extend(self.parts(parts, columns));
        lines.extend(self.running(now, singles, columns));
        lines.resize(1 + parts + singles, String::new());
        lines
    }

    fn tally(&self, counts: impl Fn(usize) -> bool) -> Tally {
        let mut tally = Tally::default();
        for (_, state) in self.states.iter().enumerate().filter(|(step, _)| counts(*step)) {
            tally.all += 1;
            *match state {
                State::Waiting => &mut tally.waiting,
                State::Running { .. } => &mut tally.running,
                State::Done => &mut tally.done,
                State::Failed => &mut tally.failed,
                State::Blocked => &mut tally.blocked,
                State::Left => &mut tally.left,
            } += 1;
        }
        tally
    }

    fn header(&mut self, now: Duration, columns: usize) -> String {
        let tally = self.tally(|_| true);
        let left = self.remaining(now);
        let whole = (now + left).as_secs_f64();
        if whole > 0.0 {
            self.share = self.share.max(now.as_secs_f64() / whole);
        }
        let mut words = format!("{} of {}", tally.done, count(tally.all, "step"));
        words.push_str(&format!("  {}", duration(now)));
        if !left.is_zero() {
            words.push_str(&format!(", about {} left", duration(left.max(Duration::from_secs(1)))));
        }
        let trouble = [(tally.failed, "failed"), (tally.blocked, "blocked")];
        let trouble = trouble.into_iter().filter(|(number, _)| *number > 0);
        let trouble: Vec<String> =
            trouble.map(|(number, word)| format!(", {number} {word}")).collect();
        let trouble = trouble.concat();
        let room = columns.saturating_sub(width(&words) + width(&trouble) + 2);
        if room < GAUGE {
            return cut(&format!("{words}{trouble}"), columns);
        }
        let bar = paint(CREATE, &gauge(self.share, room.min(40)));
        format!("{bar}  {words}{}", paint(ERROR, &trouble))
    }

    /// How long it usually takes until all is done: the longest way through what is left.
    fn remaining(&self, now: Duration) -> Duration {
        let brief = Duration::from_secs(1);
        let mut begins = vec![Duration::ZERO; self.steps.len()];
        let mut ends = vec![Duration::ZERO; self.steps.len()];
        for (index, state) in self.states.iter().enumerate() {
            match state {
                // What takes longer than usual is taken to end soon.
                State::Running { since, .. } => {
                    let typical = self.typical[index];
                    ends[index] = typical.saturating_sub(now.saturating_sub(*since));
                    ends[index] = ends[index].max(typical / 20);
                }
                State::Waiting => {
                    let after = self.steps[index].after.iter().map(|after| match after.need {
                        Need::Ready => ends[after.step],
                        Need::Exists => ends[after.step].min(begins[after.step] + brief),
                    });
                    begins[index] = after.max().unwrap_or_default();
                    ends[index] = begins[index] + self.typical[index];
                }
                _ => {}
            }
        }
        ends.into_iter().max().unwrap_or_default()
    }

    /// A line for each part of the system; where there are more than `most`, those with least to tell are counted.
    fn parts(&self, most: usize, columns: usize) -> Vec<String> {
        let tallies: Vec<Tally> = (0..self.parts.len())
            .map(|part| self.tally(|step| self.part_of[step] == part))
            .collect();
        let mut shown: Vec<usize> = (0..self.parts.len()).collect();
        if shown.len() > most {
            shown.sort_by_key(|part| tallies[*part].rank());
            shown.truncate(most.saturating_sub(1));
            shown.sort_unstable();
        }
        let name = shown.iter().map(|part| width(&self.parts[*part])).max().unwrap_or(0).min(24);
        let digits = tallies.iter().map(|tally| tally.all.to_string().len()).max().unwrap_or(1);
        let mut lines: Vec<String> = shown
            .iter()
            .map(|part| tallies[*part].line(&self.parts[*part], name, digits, columns))
            .collect();
        if shown.len() < self.parts.len() && most > 0 {
            let hidden = || (0..self.parts.len()).filter(|part| !shown.contains(part));
            let done = hidden().filter(|part| tallies[*part].is_done()).count();
            let others = hidden().count() - done;
            let told = [(done, "done"), (others, "not yet")];
            let told = told.into_iter().filter(|(number, _)| *number > 0);
            let told: Vec<String> = told.map(|(number, word)| format!("{number} {word}")).collect();
            let text = format!("  and {} more: {}", hidden().count(), told.join(", "));
            lines.push(paint(DIM, &cut(&text, columns)));
        }
        lines
    }

    /// The steps that have been running longest, and what they wait for.
    fn running(&self, now: Duration, most: usize, columns: usize) -> Vec<String> {
        let states = self.states.iter().enumerate();
        let mut running: Vec<(Duration, usize)> = states
            .filter_map(|(step, state)| match state {
                State::Running { since, .. } => Some((*since, step)),
                _ => None,
            })
            .filter(|(since, step)| {
                self.typical[*step] > BRIEF || now.saturating_sub(*since) > BRIEF
            })
            .collect();
        running.sort_unstable();
        running.truncate(most);
        let doing: Vec<String> =
            running.iter().map(|(_, step)| printable(&words::doing(&self.steps[*step]))).collect();
        let room = doing.iter().map(|text| width(text)).max().unwrap_or(0);
        let room = room.min(columns.saturating_sub(TIMES).max(columns / 2));
        let line = |((since, step), doing): (&(Duration, usize), &String)| {
            let doing = cut(doing, room);
            let doing = format!("{doing}{}", blanks(&doing, room));
            self.single(*step, now.saturating_sub(*since), &doing, columns)
        };
        running.iter().zip(&doing).map(line).collect()
    }

    fn single(&self, step: usize, elapsed: Duration, doing: &str, columns: usize) -> String {
        let typical = self.typical[step];
        let mut text = doing.to_owned();
        let mut lead = width(doing);
        let refused = match &self.states[step] {
            State::Running { refused, .. } => refused.as_deref(),
            _ => None,
        };
        if typical > BRIEF && refused.is_none() && lead + 2 + GAUGE + TIMES + NOTE <= columns {
            // Never full: what usually takes so long may take longer.
            let share = (elapsed.as_secs_f64() / typical.as_secs_f64()).min(0.95);
            text.push_str(&format!("  {}", paint(CREATE, &gauge(share, GAUGE))));
            lead += 2 + GAUGE;
        }
        let mut words = format!("  {}", duration(elapsed));
        if typical > BRIEF {
            words.push_str(&format!(" of {}", duration(typical)));
        }
        let late = typical > BRIEF && elapsed > typical.mul_f64(LATE);
        let (style, note) = match (refused, self.held_up(step)) {
            (Some(error), _) => (CHANGE, format!("not yet: {}", printable(error))),
            (None, _) if late => (CHANGE, "longer than usual".to_owned()),
            (None, 0) => (DIM, String::new()),
            (None, number) => (DIM, format!("holds up {}", count(number, "step"))),
        };
        let words = cut(&words, columns.saturating_sub(lead));
        lead += width(&words);
        text.push_str(&paint(DIM, &words));
        if !note.is_empty() && lead + 2 < columns {
            text.push_str(&format!("  {}", paint(style, &cut(&note, columns - lead - 2))));
        }
        text
    }

    /// How many steps can't begin before this one is done.
    fn held_up(&self, step: usize) -> usize {
        let mut seen = vec![false; self.steps.len()];
        let mut next = vec![step];
        let mut number = 0;
        while let Some(step) = next.pop() {
            for follower in &self.followers[step] {
                if !seen[*follower] && self.states[*follower] == State::Waiting {
                    seen[*follower] = true;
                    number += 1;
                    next.push(*follower);
                }
            }
        }
        number
    }
}

impl Tally {
    fn is_done(&self) -> bool {
        self.done == self.all
    }

    /// What there is most to tell of comes first.
    fn rank(&self) -> u8 {
        match self {
            _ if self.failed + self.blocked + self.left > 0 => 0,
            _ if self.running > 0 => 1,
            _ if self.is_done() => 3,
            _ => 2,
        }
    }

    fn line(&self, name: &str, room: usize, digits: usize, columns: usize) -> String {
        let name = cut(&printable(name), room);
        let mut text = format!("  {name}{}", blanks(&name, room));
        let mut lead = 2 + room;
        if columns >= NARROW {
            #[expect(clippy::cast_precision_loss, reason = "a share of a bar")]
            let share = self.done as f64 / self.all.max(1) as f64;
            let style = if self.failed > 0 { ERROR } else { CREATE };
            text.push_str(&format!("  {}", paint(style, &gauge(share, GAUGE))));
            lead += 2 + GAUGE;
        }
        let numbers = format!("  {:>digits$} of {:>digits$}", self.done, self.all);
        text.push_str(&numbers);
        let mut room = columns.saturating_sub(lead + width(&numbers));
        let states = [
            (self.failed, "failed", ERROR),
            (self.blocked, "blocked", ERROR),
            (self.left, "left for the next run", CHANGE),
            (self.running, "running", CHANGE),
            (self.waiting, "waiting", DIM),
        ];
        for (number, (many, word, style)) in
            states.into_iter().filter(|(many, ..)| *many > 0).enumerate()
        {
            let between = if number == 0 { "  " } else { ", " };
            let told = cut(&format!("{between}{many} {word}"), room);
            room -= width(&told);
            text.push_str(&paint(style, &told));
        }
        text
    }
}

/// A bar of this many columns.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "columns of a terminal"
)]
fn gauge(share: f64, columns: usize) -> String {
    let full = ((share * columns as f64) as usize).min(columns);
    format!("{}{}", "━".repeat(full), "─".repeat(columns - full))
}
