//! Sends what is in an outbox: at least once, each row with the same `_id` each time.
//!
//! Each receiver on its own: one that takes nothing holds up nobody but, when the outbox is full, the source.

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use ledger::{Effect, Head, HeadError, Loaded, ObjectStore, Precondition, StoreError};

use crate::outside::Outside;
use crate::records::{self, Record};
use crate::state::State;
use crate::target::Target;

/// Records of a call (Firehose and Kinesis quotas, `PutRecordBatch` and `PutRecords`).
const CALL_RECORDS: usize = 500;

/// Bytes of a call to Firehose: 4 MiB (Firehose quotas, `PutRecordBatch`).
const FIREHOSE_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of a call to Kinesis, keys included: 5 MiB (Kinesis quotas, `PutRecords`; newer ones say 10).
const KINESIS_BYTES: usize = 5 * 1024 * 1024;

/// How often records that a shard throttles are tried before they wait for the next one who passes.
const KINESIS_TRIES: u32 = 3;

/// Before the second of these; doubled for the third.
const KINESIS_BACKOFF: Duration = Duration::from_millis(250);

/// What became of effects.
#[derive(Default)]
struct Sent {
    /// They were taken.
    done: Vec<u64>,
    /// They were taken in part; this is left.
    rest: Vec<(u64, String)>,
}

/// Sends effects from `first` on and removes those that were taken. What is not stays in the outbox, and the next one who passes
/// sends it.
pub async fn send<O: Outside>(
    outside: &O,
    lake: &dyn ObjectStore,
    head: &Head<State>,
    committed: &Loaded<State>,
    first: u64,
) -> Result<(), HeadError> {
    let mut waiting: Vec<&Effect> = committed.outbox.waiting().iter().filter(|effect| effect.id >= first).collect();
    // By receiver, each in its order.
    waiting.sort_by(|a, b| a.target.cmp(&b.target));
    let mut sent = Sent::default();
    for of_one in waiting.chunk_by(|a, b| a.target == b.target) {
        match Target::parse(&of_one[0].target) {
            Target::Firehose(stream) => firehose(outside, stream, of_one, &mut sent).await,
            Target::Kinesis(stream) => kinesis(outside, stream, of_one, &mut sent).await,
            Target::Lake(key) => object(lake, key, of_one, &mut sent).await,
        }
    }
    if !sent.done.is_empty() || !sent.rest.is_empty() {
        let update = |outbox: &mut ledger::Outbox| {
            outbox.done(&sent.done);
            sent.rest.iter().for_each(|(id, rest)| outbox.leave(*id, rest));
        };
        head.update(|_, outbox| update(outbox)).await?;
    }
    Ok(())
}

async fn firehose<O: Outside>(outside: &O, stream: &str, effects: &[&Effect], sent: &mut Sent) {
    let mut rest = effects;
    while !rest.is_empty() {
        let (call, others) = rest.split_at(call_length(rest, FIREHOSE_BYTES, |effect| effect.payload.len()));
        rest = others;
        let records: Vec<&str> = call.iter().map(|effect| effect.payload.as_str()).collect();
        match outside.put(stream, &records).await {
            Ok(results) => {
                for (effect, result) in call.iter().zip(results) {
                    match result {
                        None => sent.done.push(effect.id),
                        Some(error) => tracing::warn!(stream, error, "rows not taken, they are sent again"),
                    }
                }
            }
            Err(error) => return tracing::warn!(stream, error, "rows not taken, they are sent again"),
        }
    }
}

/// Of an effect, the records that were not taken are left.
async fn kinesis<O: Outside>(outside: &O, stream: &str, effects: &[&Effect], sent: &mut Sent) {
    let mut left = Vec::new();
    for (number, effect) in effects.iter().enumerate() {
        left.extend(records::read(&effect.payload).into_iter().map(|record| (number, record)));
    }
    for attempt in 0..KINESIS_TRIES {
        let before = left.len();
        let (again, error) = put_records(outside, stream, left).await;
        left = again;
        if let Some(error) = error {
            tracing::warn!(stream, error, records = left.len(), "rows not taken, they are sent again");
        }
        // Where nothing is taken, it is not a matter of throttled shards.
        if left.is_empty() || left.len() == before || attempt + 1 == KINESIS_TRIES {
            break;
        }
        tokio::time::sleep(KINESIS_BACKOFF * 2_u32.pow(attempt)).await;
    }
    // They are still in their order.
    let mut left = &left[..];
    for (number, effect) in effects.iter().enumerate() {
        let (of_it, others) = left.split_at(left.partition_point(|(of, _)| *of == number));
        left = others;
        if of_it.is_empty() {
            sent.done.push(effect.id);
        } else {
            let rest = records::write(of_it.iter().map(|(_, record)| record));
            if rest.len() < effect.payload.len() {
                sent.rest.push((effect.id, rest));
            }
        }
    }
}

/// Puts records, call by call; gives those that were not taken, and why one was not.
async fn put_records<'a, O: Outside>(
    outside: &O,
    stream: &str,
    records: Vec<(usize, Record<'a>)>,
) -> (Vec<(usize, Record<'a>)>, Option<String>) {
    let (mut left, mut why, mut rest) = (Vec::new(), None, &records[..]);
    while !rest.is_empty() {
        let bytes = |(_, record): &(usize, Record<'_>)| record.key.len() + record.data.len();
        let (call, others) = rest.split_at(call_length(rest, KINESIS_BYTES, bytes));
        let of_call: Vec<Record<'_>> = call.iter().map(|(_, record)| *record).collect();
        match outside.put_records(stream, &of_call).await {
            Ok(results) => {
                for (record, result) in call.iter().zip(results) {
                    if result.is_some() {
                        left.push(*record);
                    }
                    why = result.or(why);
                }
            }
            Err(error) => {
                left.extend_from_slice(rest);
                return (left, Some(error));
            }
        }
        rest = others;
    }
    (left, why)
}

/// An object is written once: that it is there already is success.
async fn object(lake: &dyn ObjectStore, key: &str, effects: &[&Effect], sent: &mut Sent) {
    for effect in effects {
        let body = match key.ends_with(".gz") {
            true => gzip(effect.payload.as_bytes()),
            false => Bytes::from(effect.payload.clone()),
        };
        match lake.put(key, body, &Precondition::Absent).await {
            Ok(_) | Err(StoreError::Precondition { .. }) => sent.done.push(effect.id),
            Err(error) => tracing::warn!(%error, "rows not taken, they are sent again"),
        }
    }
}

fn gzip(lines: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(lines.len() / 4), Compression::fast());
    // Into memory: that cannot fail.
    let _ = encoder.write_all(lines);
    Bytes::from(encoder.finish().unwrap_or_default())
}

/// How many fit into a call; at least one.
fn call_length<T>(all: &[T], max: usize, size: impl Fn(&T) -> usize) -> usize {
    let mut bytes = 0;
    let fits = |one: &&T| {
        bytes += size(one);
        bytes <= max
    };
    all.iter().take(CALL_RECORDS).take_while(fits).count().max(1)
}
