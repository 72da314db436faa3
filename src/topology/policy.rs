//! `[policy]`: what a plan may do. Its keys, and what they say.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;

use super::block::{Block, number};
use super::diagnostic::{Placed, Span};
use super::shape::Shape::{Flag, Integer, List, Named, Table, Text, Word};
use super::shape::{Flaw, Key};
use super::suggest;
use super::text;
use super::tree::Item;
use super::types::Topology;

/// How much a rule is worth, in Sentinel's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// It warns.
    Advisory,
    /// It holds unless it is overridden by name.
    #[default]
    SoftMandatory,
    /// It holds.
    HardMandatory,
}

const LEVELS: &[&str] = &["advisory", "soft-mandatory", "hard-mandatory"];
const DAYS: &[&str] = &["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

pub const PROTECT_DATABASES: &str = "protect_databases";
pub const OPEN_PORTS: &str = "open_ports";
pub const MAX_REPLACEMENTS: &str = "max_replacements";
pub const MAX_DELETIONS: &str = "max_deletions";
pub const MIN_HEALTHY: &str = "min_healthy";
pub const MAX_MONTHLY_COST: &str = "max_monthly_cost";
pub const WORKING_HOURS: &str = "working_hours";

/// The rules that have keys of their own.
pub const BUILT_IN: &[&str] = &[
    PROTECT_DATABASES,
    OPEN_PORTS,
    MAX_REPLACEMENTS,
    MAX_DELETIONS,
    MIN_HEALTHY,
    MAX_MONTHLY_COST,
    WORKING_HOURS,
];

/// More than any plan has changes.
const MOST: i64 = 1_000_000;

pub static POLICY: &[Key] = &[
    Key::optional(
        PROTECT_DATABASES,
        Flag,
        "whether databases are neither deleted nor replaced; false by default",
    ),
    Key::optional(
        OPEN_PORTS,
        List(&Integer(1, 65535)),
        "the ports that may be open to the world; any by default",
    ),
    Key::optional(MAX_REPLACEMENTS, Integer(0, MOST), "how many resources a plan may replace"),
    Key::optional(MAX_DELETIONS, Integer(0, MOST), "how many resources a plan may delete"),
    Key::optional(
        MIN_HEALTHY,
        Integer(0, MOST),
        "how many targets of each service a plan has to leave healthy at any moment",
    ),
    Key::optional(
        MAX_MONTHLY_COST,
        Integer(0, MOST),
        "what it all may cost a month by ecdeploy's estimate, in US dollars",
    ),
    Key::optional(WORKING_HOURS, Table(HOURS), "when something may be changed"),
    Key::optional("level", Table(LEVEL), "what each of these is worth; soft-mandatory by default"),
    Key::optional("rule", Named(text::key, RULE), "rules of your own"),
];

const WORTH: &str = "`advisory` warns, `soft-mandatory` can be overridden, `hard-mandatory` can't";

static LEVEL: &[Key] = &[
    Key::optional(PROTECT_DATABASES, Word(LEVELS), WORTH),
    Key::optional(OPEN_PORTS, Word(LEVELS), WORTH),
    Key::optional(MAX_REPLACEMENTS, Word(LEVELS), WORTH),
    Key::optional(MAX_DELETIONS, Word(LEVELS), WORTH),
    Key::optional(MIN_HEALTHY, Word(LEVELS), WORTH),
    Key::optional(MAX_MONTHLY_COST, Word(LEVELS), WORTH),
    Key::optional(WORKING_HOURS, Word(LEVELS), WORTH),
];

static HOURS: &[Key] = &[
    Key::required("days", List(&Word(DAYS)), "the days, `mon` to `sun`"),
    Key::required("from", Text(clock), "the time of day at which they begin, `09:00`"),
    Key::required("to", Text(clock), "the time of day at which they end, `17:00`"),
    Key::required("time_zone", Text(time_zone), "whose clock that is, like `Asia/Singapore`"),
];

static RULE: &[Key] = &[
    Key::optional("when", Text(text::any), "in CEL: whether it is asked at all; always by default"),
    Key::optional("deny", Text(text::any), "in CEL: what may not be"),
    Key::optional("require", Text(text::any), "in CEL: what has to be"),
    Key::required("message", Text(text::any), "what is said of what violates it"),
    Key::optional("level", Word(LEVELS), WORTH),
];

/// What a plan may do. What the file doesn't say is allowed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    pub protect_databases: Option<Placed<bool>>,
    pub open_ports: Option<Placed<Vec<u16>>>,
    pub max_replacements: Option<Placed<usize>>,
    pub max_deletions: Option<Placed<usize>>,
    pub min_healthy: Option<Placed<usize>>,
    pub max_monthly_cost: Option<Placed<usize>>,
    pub working_hours: Option<WorkingHours>,
    /// Of those above, by their keys.
    pub levels: BTreeMap<String, Level>,
    pub rules: Vec<OwnRule>,
}

/// When something may be changed. Where it ends no later than it begins, it goes on past midnight.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkingHours {
    pub span: Span,
    /// By their numbers; 0 is Monday.
    pub days: Vec<i8>,
    pub from: Time,
    pub to: Time,
    pub time_zone: String,
}

/// A rule of the team's own. Its expressions are read by the room of policies.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnRule {
    pub key: Placed<String>,
    pub when: Option<Placed<String>>,
    pub deny: Option<Placed<String>>,
    pub require: Option<Placed<String>>,
    pub message: String,
    pub level: Level,
}

pub fn policy(block: Block<'_>) -> Policy {
    let levels = block.block("level");
    let level = |rule: &&str| Some(((*rule).to_owned(), level(levels, rule)?));
    let entries = block.get("rule").and_then(Item::table);
    let entries = entries.map(|table| table.entries()).unwrap_or_default();
    let count = |key| block.get(key).map(|_| block.number(key));
    Policy {
        protect_databases: block
            .get(PROTECT_DATABASES)
            .map(|_| block.value(PROTECT_DATABASES, Item::flag)),
        open_ports: block.get(OPEN_PORTS).map(|_| block.value(OPEN_PORTS, ports)),
        max_replacements: count(MAX_REPLACEMENTS),
        max_deletions: count(MAX_DELETIONS),
        min_healthy: count(MIN_HEALTHY),
        max_monthly_cost: count(MAX_MONTHLY_COST),
        working_hours: block.get(WORKING_HOURS).and_then(|_| hours(block.block(WORKING_HOURS))),
        levels: BUILT_IN.iter().filter_map(level).collect(),
        rules: entries.iter().map(|entry| rule(entry.key.clone(), Block::of(entry))).collect(),
    }
}

fn ports(item: &Item) -> Option<Vec<u16>> {
    Some(item.list()?.iter().filter_map(number).collect())
}

fn hours(block: Block<'_>) -> Option<WorkingHours> {
    Some(WorkingHours {
        span: block.span,
        days: block.names("days").iter().filter_map(|name| day(name)).collect(),
        from: time(&block.text("from"))?,
        to: time(&block.text("to"))?,
        time_zone: block.text("time_zone").value,
    })
}

/// `mon-fri 09:00-17:00 Asia/Singapore`; days may also be listed, `mon,wed,fri`, and go on past Sunday, `sat-mon`.
impl FromStr for WorkingHours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let said = |flaw: Flaw| {
            let near = flaw.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
            format!("{}: {}{near}", flaw.message, flaw.wanted)
        };
        let [days, clocks, zone] = text.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err("days, hours and a time zone are wanted, with blanks between".to_owned());
        };
        let Some((from, to)) = clocks.split_once('-') else {
            return Err(format!("`{clocks}` are no hours: they look like `09:00-17:00`"));
        };
        time_zone(zone).map_err(said)?;
        let clock = |text: &str| time(text).ok_or_else(|| said(no_time(text)));
        Ok(Self {
            span: Span::default(),
            days: all_days(days)?,
            from: clock(from)?,
            to: clock(to)?,
            time_zone: zone.to_owned(),
        })
    }
}

/// Days by their numbers, of a list with ranges in it.
fn all_days(text: &str) -> Result<Vec<i8>, String> {
    let number = |name: &str| {
        let wrong = || format!("`{name}` is not a day: they are {}", DAYS.join(", "));
        day(name).ok_or_else(wrong)
    };
    let mut all = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first)?, number(last)?);
        let many = (last - first).rem_euclid(7);
        all.extend((0..=many).map(|after| (first + after) % 7));
    }
    Ok(all)
}

fn day(name: &str) -> Option<i8> {
    DAYS.iter().position(|day| *day == name).and_then(|number| i8::try_from(number).ok())
}

fn rule(key: Placed<String>, block: Block<'_>) -> OwnRule {
    let expression = |key| block.get(key).map(|_| block.text(key));
    OwnRule {
        when: expression("when"),
        deny: expression("deny"),
        require: expression("require"),
        message: block.text("message").value,
        level: level(block, "level").unwrap_or_default(),
        key,
    }
}

fn level(block: Block<'_>, key: &str) -> Option<Level> {
    match block.get(key)?.text()? {
        "advisory" => Some(Level::Advisory),
        "hard-mandatory" => Some(Level::HardMandatory),
        _ => Some(Level::SoftMandatory),
    }
}

fn clock(text: &str) -> Result<(), Flaw> {
    time(text).map(drop).ok_or_else(|| no_time(text))
}

fn no_time(text: &str) -> Flaw {
    let message = format!("`{text}` is not a time of day");
    Flaw { message, wanted: "a time looks like `09:00`", hint: None }
}

fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

fn time_zone(text: &str) -> Result<(), Flaw> {
    if TimeZone::get(text).is_ok() {
        return Ok(());
    }
    let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    let near = suggest::nearest(text, known.iter().map(String::as_str));
    Err(Flaw {
        message: format!("`{text}` is not a time zone"),
        wanted: "a name of the tz database, like `Asia/Singapore`",
        hint: near.map(|near| format!("did you mean `{near}`?")),
    })
}

impl Topology {
    /// Where a part of a string's value stands in the file; the whole string, where escapes or variables in it leave that
    /// open.
    pub fn part(&self, string: &Placed<String>, part: std::ops::Range<usize>) -> Span {
        let raw = self.text.get(string.span.start..string.span.end).unwrap_or_default();
        match raw.find(string.as_str()) {
            Some(at) => {
                let start = string.span.start + at;
                Span::new(start + part.start, start + part.end)
            }
            None => string.span,
        }
    }

    /// A line of the file, without the blanks around it.
    pub fn whole_line(&self, line: usize) -> Span {
        let start = self.lines.start(line);
        let rest = self.text.get(start..).unwrap_or_default();
        let text = rest.lines().next().unwrap_or_default();
        let start = start + (text.len() - text.trim_start().len());
        Span::new(start, start + text.trim().len())
    }
}
