//! The team's own rules, `[policy.rule.NAME]`: one that speaks of `change` is asked of each, any other once.

use std::sync::Arc;

use cel::{Context, Env};

use super::expression::{Expression, Wrong, aside};
use super::{Facts, Finding, blame, names};
use crate::diff::Change;
use crate::error::{Error, ErrorKind, Result};
use crate::topology::{Diagnostic, Diagnostics, OwnRule, Placed, Topology};

/// What is wrong with the expressions of a topology's rules.
///
/// # Errors
/// With their places in the file.
pub fn check(topology: &Topology) -> Result<(), Diagnostics> {
    let rules = &topology.policy.rules;
    if rules.is_empty() {
        return Ok(());
    }
    let errors = aside(|| {
        let wrong = |text: &Placed<String>| {
            Expression::read(text).err().map(|wrong| diagnostic(topology, text, wrong))
        };
        let of_rule = |rule: &OwnRule| -> Vec<Diagnostic> {
            let said = [&rule.when, &rule.deny, &rule.require];
            said.into_iter().flatten().filter_map(wrong).chain(shape(rule)).collect()
        };
        rules.iter().flat_map(of_rule).collect()
    });
    let errors = errors.unwrap_or_else(|| vec![Diagnostic::nowhere("no room to read expressions")]);
    if errors.is_empty() { Ok(()) } else { Err(topology.complaint(errors)) }
}

/// It says one thing.
fn shape(rule: &OwnRule) -> Option<Diagnostic> {
    let error = match (&rule.deny, &rule.require) {
        (None, None) => Diagnostic::at(rule.key.span, format!("`rule.{}` says nothing", *rule.key))
            .label("has neither `deny` nor `require`"),
        (Some(deny), Some(require)) => {
            Diagnostic::at(require.span, format!("`rule.{}` says two things", *rule.key))
                .label("`require` as well")
                .also(deny.span, "and `deny`")
        }
        _ => return None,
    };
    Some(
        error
            .hint("write one of them: `deny` what may not be, `require` what has to be".to_owned()),
    )
}

fn diagnostic(topology: &Topology, text: &Placed<String>, wrong: Wrong) -> Diagnostic {
    Diagnostic::at(topology.part(text, wrong.at), wrong.message).label(wrong.label).hint(wrong.hint)
}

/// Whether any speaks of what only a rehearsal tells.
pub fn need_rehearsal(topology: &Topology) -> bool {
    let rules = &topology.policy.rules;
    let asks = |text: &Placed<String>| {
        Expression::read(text).is_ok_and(|expression| expression.of_rehearsal)
    };
    let any = || {
        let said = rules.iter().flat_map(|rule| [&rule.when, &rule.deny, &rule.require]);
        said.flatten().any(asks)
    };
    !rules.is_empty() && aside(any).unwrap_or(true)
}

/// What each rule finds.
///
/// # Errors
/// When the system gives no room for it.
pub fn judge(topology: &Topology, facts: &Facts<'_>) -> Result<Vec<Finding>> {
    let rules = &topology.policy.rules;
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let found = aside(|| {
        let env = Arc::new(Env::stdlib());
        let asked = Asked { topology, facts, env, plan: names::plan(facts) };
        rules.iter().flat_map(|rule| asked.of(rule)).collect()
    });
    found.ok_or_else(|| {
        Error::new(ErrorKind::File, "the policy could not be evaluated: there is no room for it")
    })
}

struct Asked<'a> {
    topology: &'a Topology,
    facts: &'a Facts<'a>,
    env: Arc<Env>,
    plan: cel::Value,
}

/// The expressions of a rule, and what they are to say.
struct Read {
    when: Option<Expression>,
    said: Expression,
    /// What it says where it is violated.
    violated: bool,
}

impl Asked<'_> {
    fn of(&self, rule: &OwnRule) -> Vec<Finding> {
        let read = match read(rule) {
            Ok(read) => read,
            // The file was checked: this is never so.
            Err(wrong) => return vec![self.finding(rule, None, Some(wrong.message))],
        };
        let of_change =
            read.said.of_change || read.when.as_ref().is_some_and(|when| when.of_change);
        if !of_change {
            return self.ask(rule, &read, None).into_iter().collect();
        }
        let changes = self.facts.plan.changes.iter();
        changes.filter_map(|change| self.ask(rule, &read, Some(change))).collect()
    }

    fn ask(&self, rule: &OwnRule, read: &Read, change: Option<&Change>) -> Option<Finding> {
        let mut context = Context::with_env(self.env.clone());
        context.add_variable_from_value(names::PLAN, self.plan.clone());
        if let Some(change) = change {
            context.add_variable_from_value(names::CHANGE, names::change(change));
        }
        let violates = match &read.when {
            Some(when) => match when.holds(&context) {
                Ok(true) => read.said.holds(&context),
                other => other.map(|_| !read.violated),
            },
            None => read.said.holds(&context),
        };
        match violates {
            Ok(said) if said == read.violated => Some(self.finding(rule, change, None)),
            Ok(_) => None,
            // What can't be told is not allowed.
            Err(why) => Some(self.finding(rule, change, Some(why))),
        }
    }

    fn finding(&self, rule: &OwnRule, change: Option<&Change>, untold: Option<String>) -> Finding {
        let said = rule.deny.as_ref().or(rule.require.as_ref());
        let place = said.map_or(rule.key.span, |said| said.span);
        let message = match &untold {
            Some(why) => format!("it can't be told: {why}"),
            None => rule.message.clone(),
        };
        let address = change.map(|change| change.address.clone());
        let block = address.as_ref();
        let block = block.and_then(|address| blame(self.topology, self.facts.desired, address));
        let label = match (&untold, &rule.deny) {
            (Some(_), _) => "can't be told",
            (None, Some(_)) => "is so",
            (None, None) => "is not so",
        };
        let hint = untold.map(|_| {
            "ask with `has(change.after.FIELD)` whether a field is there, or say in `when` of what kind this is true"
                .to_owned()
        });
        Finding {
            rule: rule.key.value.clone(),
            level: rule.level,
            place: Some(place),
            message,
            label: label.to_owned(),
            blame: block.map(|block| (block, "of this block".to_owned())).into_iter().collect(),
            address,
            hint,
        }
    }
}

fn read(rule: &OwnRule) -> Result<Read, Wrong> {
    let when = rule.when.as_ref().map(|when| Expression::read(when)).transpose()?;
    let said = rule.deny.as_ref().or(rule.require.as_ref());
    Ok(Read {
        when,
        said: Expression::read(said.map_or("", |said| said))?,
        violated: rule.deny.is_some(),
    })
}
