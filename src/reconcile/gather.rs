//! Requests that one call can serve are gathered until it goes out: while it waits for its turn, others join it.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::model::{Class, Fault};

/// What waits for calls that are yet to go out, by what they have in common.
pub struct Gather<I, O> {
    open: Mutex<BTreeMap<String, Arc<Batch<I, O>>>>,
}

/// Who waits for the answer to one request.
type Asker<O> = oneshot::Sender<Result<O, Fault>>;

struct Batch<I, O>(Mutex<Vec<(I, Asker<O>)>>);

impl<I, O> Default for Gather<I, O> {
    fn default() -> Self {
        Self { open: Mutex::default() }
    }
}

impl<I: Clone, O> Gather<I, O> {
    /// Answers one request, by a call of its own or with others of the same `key`, in the order in which they came.
    /// `turn` is awaited once a call, then `call` makes it for all that have joined; each gets its own answer.
    ///
    /// # Errors
    /// Those of the call, to each of its requests.
    pub async fn ask<T, C>(
        &self,
        key: String,
        item: I,
        fits: impl Fn(&[&I], &I) -> bool,
        turn: T,
        call: impl Fn(Vec<I>) -> C,
    ) -> Result<O, Fault>
    where
        T: Future<Output = Result<(), Fault>>,
        C: Future<Output = Result<Vec<O>, Fault>>,
    {
        let (asker, answer) = oneshot::channel();
        let leads = self.join(&key, item, asker, fits);
        if let Some(batch) = leads {
            let turn = turn.await;
            let requests = self.close(&key, &batch);
            let (items, askers): (Vec<I>, Vec<Asker<O>>) = requests.into_iter().unzip();
            let answers = match turn {
                Ok(()) => call(items).await,
                Err(fault) => Err(fault),
            };
            // Nobody listens where the asking was given up.
            match answers {
                Ok(answers) => {
                    for (asker, answer) in askers.into_iter().zip(answers) {
                        let _ = asker.send(Ok(answer));
                    }
                }
                Err(fault) => {
                    for asker in askers {
                        let _ = asker.send(Err(fault.clone()));
                    }
                }
            }
        }
        answer.await.unwrap_or_else(|_| {
            let message = "the call that was to serve it was given up";
            Err(Fault::new(Class::Transient, "gather", "NoAnswer", message))
        })
    }

    /// Joins the open batch of this key; or begins one, and leads it.
    fn join(
        &self,
        key: &str,
        item: I,
        asker: Asker<O>,
        fits: impl Fn(&[&I], &I) -> bool,
    ) -> Option<Arc<Batch<I, O>>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(batch) = open.get(key) {
            let mut requests = batch.0.lock().unwrap_or_else(PoisonError::into_inner);
            let known: Vec<&I> = requests.iter().map(|(item, _)| item).collect();
            if fits(&known, &item) {
                requests.push((item, asker));
                return None;
            }
        }
        let batch = Arc::new(Batch(Mutex::new(vec![(item, asker)])));
        open.insert(key.to_owned(), batch.clone());
        Some(batch)
    }

    /// Nobody joins the batch any more.
    fn close(&self, key: &str, batch: &Arc<Batch<I, O>>) -> Vec<(I, Asker<O>)> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.get(key).is_some_and(|current| Arc::ptr_eq(current, batch)) {
            open.remove(key);
        }
        std::mem::take(&mut *batch.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
