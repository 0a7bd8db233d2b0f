//! Sends what is in an outbox: at least once, each row with the same `_id` each time.

use ledger::{Effect, Head, HeadError, Loaded};

use crate::outside::Outside;
use crate::state::State;

/// Records of a call (Firehose quotas, `PutRecordBatch`).
const CALL_RECORDS: usize = 500;

/// Bytes of a call: 4 MiB (Firehose quotas, `PutRecordBatch`).
const CALL_BYTES: usize = 4 * 1024 * 1024;

/// Sends effects from `first` on and removes those that were taken. What is not stays in the outbox, and the next one who passes
/// sends it.
pub async fn send<O: Outside>(
    outside: &O,
    head: &Head<State>,
    committed: &Loaded<State>,
    first: u64,
) -> Result<(), HeadError> {
    let mut waiting: Vec<&Effect> = committed.outbox.waiting().iter().filter(|effect| effect.id >= first).collect();
    // By stream, each in its order.
    waiting.sort_by(|a, b| a.target.cmp(&b.target));
    let mut done = Vec::new();
    for of_stream in waiting.chunk_by(|a, b| a.target == b.target) {
        let mut rest = of_stream;
        while !rest.is_empty() {
            let (call, others) = rest.split_at(call_length(rest));
            rest = others;
            let stream = &call[0].target;
            let records: Vec<&str> = call.iter().map(|effect| effect.payload.as_str()).collect();
            match outside.put(stream, &records).await {
                Ok(results) => {
                    for (effect, result) in call.iter().zip(results) {
                        match result {
                            None => done.push(effect.id),
                            Some(error) => tracing::warn!(stream, error, "rows not taken, they are sent again"),
                        }
                    }
                }
                Err(error) => {
                    tracing::warn!(stream, error, "rows not taken, they are sent again");
                    break;
                }
            }
        }
    }
    if !done.is_empty() {
        head.update(|_, outbox| outbox.done(&done)).await?;
    }
    Ok(())
}

/// Effects that fit into a call; at least one.
fn call_length(effects: &[&Effect]) -> usize {
    let mut bytes = 0;
    let fits = |effect: &&&Effect| {
        bytes += effect.payload.len();
        bytes <= CALL_BYTES
    };
    effects.iter().take(CALL_RECORDS).take_while(fits).count().max(1)
}
