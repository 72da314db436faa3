//! Policies as IAM takes them, and how many it takes.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::fill::Conditions;

/// The version of IAM's language.
const VERSION: &str = "2012-10-17";

/// How many characters a managed policy may have, white space aside:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub const LIMIT: usize = 6144;

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Document {
    version: &'static str,
    pub statement: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    pub sid: String,
    effect: &'static str,
    pub action: BTreeSet<String>,
    pub resource: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub condition: Conditions,
}

impl Statement {
    pub fn allow(
        sid: String,
        action: BTreeSet<String>,
        resource: BTreeSet<String>,
        condition: Conditions,
    ) -> Self {
        Self { sid, effect: "Allow", action, resource, condition }
    }

    /// Two that say the same: half of the longer list each. None where both lists have one entry.
    fn halves(&self) -> Option<[Self; 2]> {
        let half = |set: &BTreeSet<String>, second: bool| -> BTreeSet<String> {
            let middle = set.len() / 2;
            let (from, to) = if second { (middle, set.len()) } else { (0, middle) };
            set.iter().take(to).skip(from).cloned().collect()
        };
        let longer = self.action.len().max(self.resource.len());
        if longer < 2 {
            return None;
        }
        Some([false, true].map(|second| match self.resource.len() == longer {
            true => Self { resource: half(&self.resource, second), ..self.clone() },
            false => Self { action: half(&self.action, second), ..self.clone() },
        }))
    }
}

impl Document {
    fn of(statement: Vec<Statement>) -> Self {
        Self { version: VERSION, statement }
    }

    /// Its length as IAM counts it.
    pub fn characters(&self) -> usize {
        let text = serde_json::to_string(self).unwrap_or_default();
        text.chars().filter(|c| !c.is_whitespace()).count()
    }

    /// A Sid stands once in a document.
    fn with_sids_of_their_own(mut self) -> Self {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for statement in &mut self.statement {
            let times = seen.entry(statement.sid.clone()).or_default();
            *times += 1;
            if *times > 1 {
                statement.sid.push_str(&times.to_string());
            }
        }
        self
    }
}

/// As few documents as the statements fill in their order.
pub fn pack(statements: Vec<Statement>) -> Vec<Document> {
    let mut documents: Vec<Vec<Statement>> = Vec::new();
    let mut waiting: Vec<Statement> = statements.into_iter().rev().collect();
    while let Some(statement) = waiting.pop() {
        if !fits(&[], &statement)
            && let Some([first, second]) = statement.halves()
        {
            waiting.extend([second, first]);
            continue;
        }
        match documents.last_mut() {
            Some(last) if fits(last, &statement) => last.push(statement),
            _ => documents.push(vec![statement]),
        }
    }
    let documents = documents.into_iter().map(Document::of);
    documents.map(Document::with_sids_of_their_own).collect()
}

/// Whether a document has room for one more. A few characters stay for numbers behind Sids.
fn fits(some: &[Statement], more: &Statement) -> bool {
    const SPARE: usize = 40;
    let all = some.iter().chain([more]).cloned().collect();
    Document::of(all).characters() + SPARE <= LIMIT
}
