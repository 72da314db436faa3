//! What AWS has said of itself, remembered for a day: a file of the user's own, one an account, region and endpoint. One
//! that can't be read is as none.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answers::Answers;
use crate::model::{Question, digest};
use crate::private;

/// For so long, in seconds, an answer holds.
const DAY: u64 = 24 * 60 * 60;

#[derive(Debug, Default)]
pub struct Memory {
    path: Option<PathBuf>,
    kept: Vec<Kept>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    question: Question,
    answer: Value,
    /// When it was given, in seconds of Unix time.
    given: u64,
}

impl Memory {
    /// Of what was asked in this account and region, by the endpoint that leads there.
    pub fn of(account: &str, region: &str) -> Self {
        let endpoints = ["", "_EC2", "_RDS", "_ELASTICACHE"]
            .map(|service| std::env::var(format!("AWS_ENDPOINT_URL{service}")).unwrap_or_default());
        let name = match endpoints.iter().all(String::is_empty) {
            true => format!("{account}-{region}.json"),
            false => {
                let mark = digest(endpoints.join("\n").as_bytes());
                format!("{account}-{region}-{}.json", mark.get(..12).unwrap_or_default())
            }
        };
        folder().map_or_else(Self::none, |folder| Self::at(folder.join(name)))
    }

    /// One that remembers nothing.
    pub fn none() -> Self {
        Self::default()
    }

    fn at(path: PathBuf) -> Self {
        let text = fs::read(&path).unwrap_or_default();
        let kept: Vec<Kept> = serde_json::from_slice(&text).unwrap_or_default();
        let now = now();
        let holds = |kept: &Kept| {
            (kept.given..kept.given.saturating_add(DAY)).contains(&now)
                && kept.question.lasts()
                && kept.question.fits(&kept.answer)
        };
        Self { path: Some(path), kept: kept.into_iter().filter(holds).collect() }
    }

    pub fn recall(&self, question: &Question) -> Option<Value> {
        let kept = self.kept.iter().find(|kept| kept.question == *question)?;
        Some(kept.answer.clone())
    }

    /// Keeps what was asked just now. Without a place for it, it is asked again.
    pub fn keep(&self, answers: &Answers) {
        let fresh: BTreeMap<&Question, &Value> = answers.lasting().collect();
        let (Some(path), false) = (&self.path, fresh.is_empty()) else { return };
        let older = self.kept.iter().filter(|kept| !fresh.contains_key(&kept.question)).cloned();
        let given = now();
        let newer = fresh.iter().map(|(question, answer)| Kept {
            question: (*question).clone(),
            answer: (*answer).clone(),
            given,
        });
        let all: Vec<Kept> = older.chain(newer).collect();
        let written = serde_json::to_vec(&all).map_err(std::io::Error::from).and_then(|text| {
            path.parent().map_or(Ok(()), private::make_directory)?;
            private::write(path, &text)
        });
        if let Err(error) = written {
            tracing::debug!(path = %path.display(), %error, "answers are not kept");
        }
    }
}

/// <https://specifications.freedesktop.org/basedir-spec/latest/>
fn folder() -> Option<PathBuf> {
    let path = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let cache = path("XDG_CACHE_HOME").or_else(|| Some(path("HOME")?.join(".cache")))?;
    Some(cache.join("ecdeploy"))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn nodes() -> Question {
        Question::CacheNodes
    }

    fn file(text: &str) -> (tempfile::TempDir, Memory) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.json");
        fs::write(&path, text).unwrap();
        (folder, Memory::at(path))
    }

    fn kept(question: &Question, answer: Value, given: u64) -> String {
        json!([{ "question": question, "answer": answer, "given": given }]).to_string()
    }

    #[test]
    fn an_answer_holds_for_a_day() {
        let answer = json!(["cache.t3.micro"]);
        for (age, holds) in [(0, true), (DAY - 60, true), (DAY + 60, false)] {
            let (_folder, memory) = file(&kept(&nodes(), answer.clone(), now() - age));
            assert_eq!(memory.recall(&nodes()).is_some(), holds, "{age}");
        }
        let (_folder, memory) = file(&kept(&nodes(), answer, now() + 3600));
        assert_eq!(memory.recall(&nodes()), None, "from the future");
    }

    #[test]
    fn what_is_broken_is_as_none() {
        for text in [
            "".to_owned(),
            "[".to_owned(),
            "{}".to_owned(),
            kept(&nodes(), json!({"t3": 1}), now()),
            kept(&Question::Vpcs, json!({}), now()),
        ] {
            let (_folder, memory) = file(&text);
            assert!(memory.kept.is_empty(), "{text}");
        }
    }
}
