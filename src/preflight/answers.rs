//! The answers to what checks want to know: from the memory, else from the account.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Memory;
use crate::cloud::Cloud;
use crate::error::Result;
use crate::model::{Class, Fault, Question};

#[derive(Default)]
pub struct Answers {
    known: BTreeMap<Question, Result<Value, Fault>>,
    remembered: BTreeSet<Question>,
}

impl Answers {
    /// Asks all of these at once. What has no answer is none by then.
    pub async fn ask(
        &mut self,
        questions: BTreeSet<Question>,
        cloud: &dyn Cloud,
        memory: &Memory,
    ) -> Result<()> {
        let (mut open, mut known) = (Vec::new(), Vec::new());
        for question in questions {
            match memory.recall(&question) {
                Some(answer) => known.push((question, answer)),
                None => open.push(question),
            }
        }
        let answers = join_all(open.iter().map(|question| cloud.ask(question))).await;
        for (question, answer) in open.into_iter().zip(answers) {
            match answer {
                Err(fault) if fault.ends_credentials() => return Err(fault.into()),
                answer => self.known.insert(question, answer),
            };
        }
        for (question, answer) in known {
            self.remembered.insert(question.clone());
            self.known.insert(question, Ok(answer));
        }
        Ok(())
    }

    pub fn has(&self, question: &Question) -> bool {
        self.known.contains_key(question)
    }

    /// The answer, where there is one.
    pub fn get<T: DeserializeOwned>(&self, question: &Question) -> Option<T> {
        T::deserialize(self.known.get(question)?.as_ref().ok()?).ok()
    }

    /// Why there is no answer to what was asked.
    pub fn why_not(&self, question: &Question) -> Option<String> {
        let fault = self.known.get(question)?.as_ref().err()?;
        let operation = &fault.operation;
        Some(match fault.class {
            Class::Denied => format!("these credentials may not call {operation}"),
            _ if fault.code.is_empty() => format!("{operation}: {}", fault.message),
            _ => format!("{operation}: {}", fault.code),
        })
    }

    /// Takes back what is from the memory, to be asked; whether there was any.
    pub fn forget_remembered(&mut self) -> bool {
        let remembered = std::mem::take(&mut self.remembered);
        self.known.retain(|question, _| !remembered.contains(question));
        !remembered.is_empty()
    }

    /// What was asked just now and holds for a while.
    pub fn lasting(&self) -> impl Iterator<Item = (&Question, &Value)> {
        let fresh =
            self.known.iter().filter(|(one, _)| one.lasts() && !self.remembered.contains(one));
        fresh.filter_map(|(question, answer)| Some((question, answer.as_ref().ok()?)))
    }
}
