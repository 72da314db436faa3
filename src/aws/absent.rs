//! Asking about many resources of which some may be gone: that is an answer too, no error.

use std::future::Future;

use futures_util::future::try_join_all;

use crate::model::{Class, Fault};

/// What one call of ELB takes at most.
const BATCH: usize = 20;

/// Asks about `ids` a batch at a time. AWS refuses a batch for one member that is gone: then each is asked about alone.
pub async fn in_batches<T, F>(
    ids: &[String],
    ask: impl Fn(Vec<String>) -> F,
) -> Result<Vec<T>, Fault>
where
    F: Future<Output = Result<Vec<T>, Fault>>,
{
    let ask = &ask;
    let batches = ids.chunks(BATCH).map(|batch| async move {
        match ask(batch.to_vec()).await {
            Err(fault) if fault.class == Class::NotFound && batch.len() > 1 => {
                let alone = batch.iter().map(|id| ask(vec![id.clone()]));
                let alone = alone.map(|answer| async { unless_gone(answer.await) });
                Ok(try_join_all(alone).await?.into_iter().flatten().collect())
            }
            answer => unless_gone(answer),
        }
    });
    Ok(try_join_all(batches).await?.into_iter().flatten().collect())
}

/// Asks about one of `ids` by its name, or about all there are: where a call takes one name or none.
pub async fn one_or_all<T, F>(
    ids: &[String],
    ask: impl Fn(Option<String>) -> F,
) -> Result<Vec<T>, Fault>
where
    F: Future<Output = Result<Vec<T>, Fault>>,
{
    match ids {
        [] => Ok(Vec::new()),
        [only] => unless_gone(ask(Some(only.clone())).await),
        _ => ask(None).await,
    }
}

/// Nothing, where what was asked about is gone.
pub fn unless_gone<T>(answer: Result<Vec<T>, Fault>) -> Result<Vec<T>, Fault> {
    match answer {
        Err(fault) if fault.class == Class::NotFound => Ok(Vec::new()),
        answer => answer,
    }
}

/// The outcome of taking something away: what is gone already is no error.
pub fn away<T>(outcome: Result<T, Fault>) -> Result<(), Fault> {
    match outcome {
        Err(fault) if fault.class != Class::NotFound => Err(fault),
        _ => Ok(()),
    }
}
