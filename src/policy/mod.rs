//! What a plan may do: the rules of the file, and of flags, held against it. Pure.

mod built_in;
mod expression;
mod healthy;
mod hours;
mod names;
mod own;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::cost::Costs;
use crate::desired::Desired;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Address;
use crate::plan::Plan;
use crate::rehearsal::Rehearsal;
use crate::topology::{Diagnostic, Diagnostics, Level, Policy, Span, Topology, suggest};

use self::built_in::Origin;
pub use healthy::{hint, too_few};
pub use own::check;

/// What the rules are held against.
pub struct Facts<'a> {
    pub plan: &'a Plan,
    pub desired: &'a Desired,
    /// Of a plan with nothing to do there is none.
    pub rehearsal: Option<&'a Rehearsal>,
    pub costs: &'a Costs,
    pub now: Timestamp,
}

/// What a plan does against a rule.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Violation {
    pub rule: String,
    pub level: Level,
    /// Whether somebody has said that it is to be so nevertheless.
    pub overridden: bool,
    /// What violates it, where that is one resource.
    pub address: Option<Address>,
    pub message: String,
    /// The file that the lines are of.
    pub file: Option<String>,
    /// The line of the rule; a flag has none.
    pub line: Option<usize>,
    /// The line of the block to blame.
    pub block: Option<usize>,
    #[serde(skip)]
    diagnostic: Diagnostic,
}

impl Violation {
    /// The places of the rule and of the block to blame, each as `topology.toml:12`.
    pub fn places(&self) -> impl Iterator<Item = String> {
        let lines = self.line.into_iter().chain(self.block);
        self.file
            .iter()
            .flat_map(move |file| lines.clone().map(move |line| format!("{file}:{line}")))
    }

    /// Whether the plan is refused for it.
    pub fn refuses(&self) -> bool {
        self.level != Level::Advisory && !self.overridden
    }
}

/// The rules of a run.
pub struct Rules<'a> {
    topology: &'a Topology,
    /// Those of the command line. Who gives them need not override them.
    flags: Policy,
    overridden: &'a [String],
}

impl<'a> Rules<'a> {
    /// # Errors
    /// When what is overridden is no rule, or can't be.
    pub fn of(topology: &'a Topology, flags: Policy, overridden: &'a [String]) -> Result<Self> {
        let policy = &topology.policy;
        let own = policy.rules.iter().map(|rule| (rule.key.as_str(), rule.level));
        let known: Vec<(&str, Level)> = built_in::levels(policy).chain(own).collect();
        for name in overridden {
            let names = known.iter().map(|(known, _)| *known);
            match known.iter().find(|(known, _)| known == name) {
                Some((_, Level::HardMandatory)) => {
                    let message =
                        format!("the rule {name} is hard-mandatory: it can't be overridden");
                    return Err(Error::new(ErrorKind::Policy, message)
                        .hint("whoever may change the topology may give it another `level`"));
                }
                Some(_) => {}
                None => {
                    let message = format!("the topology has no rule `{name}` to override");
                    let error = Error::new(ErrorKind::Usage, message);
                    return Err(match suggest::hint(name, names) {
                        Some(hint) => error.hint(hint),
                        None => error,
                    });
                }
            }
        }
        Ok(Self { topology, flags, overridden })
    }

    /// Whether any asks for what only a rehearsal tells.
    pub fn need_rehearsal(&self) -> bool {
        let bound = |policy: &Policy| policy.min_healthy.is_some();
        bound(&self.topology.policy) || bound(&self.flags) || own::need_rehearsal(self.topology)
    }

    /// What the plan does against them, in the order of the file.
    ///
    /// # Errors
    /// When the system gives no room to evaluate expressions.
    pub fn judge(&self, facts: &Facts<'_>) -> Result<Vec<Violation>> {
        let of = |policy, origin| built_in::judge(policy, origin, self.topology, facts);
        let mut found = of(&self.topology.policy, Origin::File);
        found.extend(of(&self.flags, Origin::Flags));
        found.extend(own::judge(self.topology, facts)?);
        let mut seen = BTreeSet::new();
        found.retain(|finding| seen.insert((finding.place, finding.title())));
        found.sort_by_key(|finding| finding.place);
        Ok(found.into_iter().map(|finding| self.violation(finding)).collect())
    }

    fn violation(&self, finding: Finding) -> Violation {
        let title = finding.title();
        let Finding { rule, level, place, address, message, label, blame, hint } = finding;
        let overridden = self.overridden.contains(&rule);
        let line = |span: Span| self.topology.line(span);
        let hint = match level {
            _ if overridden => Some(format!("overridden by --override-policy {rule}")),
            Level::SoftMandatory => {
                let way = format!("to go ahead nevertheless: --override-policy {rule}");
                Some(hint.map_or_else(|| way.clone(), |hint| format!("{hint}\n{way}")))
            }
            _ => hint,
        };
        let block = blame.first().map(|(span, _)| line(*span));
        // A flag has no place: what stands first is the block to blame.
        let mut places = place.map(|place| (place, label)).into_iter().chain(blame);
        let diagnostic = match places.next() {
            Some((place, label)) => Diagnostic::at(place, title).label(label),
            None => Diagnostic::nowhere(title),
        };
        let diagnostic =
            places.fold(diagnostic, |diagnostic, (span, label)| diagnostic.also(span, label));
        Violation {
            file: place.map(line).or(block).map(|_| self.topology.path.display().to_string()),
            line: place.map(line),
            block,
            diagnostic: diagnostic.hint(hint),
            rule,
            level,
            overridden,
            address,
            message,
        }
    }
}

/// The violations that a test picks, each with its place in the file.
pub fn told<'a>(
    violations: impl IntoIterator<Item = &'a Violation>,
    topology: &Topology,
) -> Diagnostics {
    topology.complaint(violations.into_iter().map(|found| found.diagnostic.clone()).collect())
}

/// Refuses the plan if any violation does.
///
/// # Errors
/// [`ErrorKind::Policy`].
pub fn refuse(violations: &[Violation]) -> Result<()> {
    let rules: BTreeSet<&str> = violations
        .iter()
        .filter(|violation| violation.refuses())
        .map(|violation| violation.rule.as_str())
        .collect();
    if rules.is_empty() {
        return Ok(());
    }
    let names = rules.into_iter().collect::<Vec<_>>().join(", ");
    Err(Error::new(ErrorKind::Policy, format!("the plan is against the policy: {names}"))
        .hint("nothing was changed; what is wrong with it stands above"))
}

/// What was found, before it is known who overrides it.
struct Finding {
    rule: String,
    level: Level,
    place: Option<Span>,
    address: Option<Address>,
    message: String,
    label: String,
    /// The places of blocks, and what they have to do with it.
    blame: Vec<(Span, String)>,
    hint: Option<String>,
}

impl Finding {
    fn title(&self) -> String {
        match &self.address {
            Some(address) => format!("{}: {address}: {}", self.rule, self.message),
            None => format!("{}: {}", self.rule, self.message),
        }
    }
}

/// The line of the block that a resource comes from; what no block asks for has none.
fn blame(topology: &Topology, desired: &Desired, address: &Address) -> Option<Span> {
    desired.spans.get(address).map(|span| topology.whole_line(topology.line(*span)))
}
