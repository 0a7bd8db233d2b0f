//! A Kinesis stream as the source: its shards, each from where the last read ended.
//!
//! A shard without a position is read from the instant at which the delivery stream was made: Firehose begins at LATEST, and
//! this is LATEST made durable, so that what arrives before the first read is not lost. A shard is read after the shards it came
//! from have ended.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;

use super::aggregation;
use super::answer::{Fault, KinesisMetadata};
use super::journal;
use super::put::{Arrived, enter};
use super::records::{self, Stage};
use super::settings::{Settings, Source};
use super::streams::{self, Stream};
use super::worker::Next;
use crate::Ctx;
use crate::clock::now_ms;
use crate::error::ApiError;
use crate::services::kinesis::{self, Batch, Position};
use crate::store::{Tx, Wake};

/// Records of one read of a shard: one transaction's worth of rows.
const READ_RECORDS: usize = 1_000;

/// Bytes of one read of a shard.
const READ_BYTES: usize = 4 * 1024 * 1024;

/// What waits in a stream before its source is read no further; Kinesis keeps the rest.
const MAX_BACKLOG: i64 = 256 * 1024 * 1024;

/// Pause after a source that could not be read, ms.
const RETRY_MS: i64 = 5_000;

/// A shard and where to read on.
struct Cursor {
    shard: String,
    position: Position,
}

/// Reads each shard once.
pub async fn step(ctx: &Ctx, stream: &Stream, settings: &Settings) -> Result<Next, ApiError> {
    let Some(source) = settings.source.clone() else { return Ok(Next::Wait(None)) };
    let (this, from) = (stream.clone(), source.clone());
    let cursors = match ctx.store.read(move |db| cursors(db, &this, &from)).await {
        Ok(cursors) => cursors,
        Err(e) => {
            let fault = Fault::new("Kinesis.SourceUnreadable", format!("{}: {e}", source.arn));
            journal::report(ctx, stream, settings, &source.arn, &fault).await;
            return Ok(Next::Wait(Some(now_ms() + RETRY_MS)));
        }
    };
    let mut next = Next::Wait(None);
    for cursor in cursors {
        if read_shard(ctx, stream, &source, cursor).await? {
            next = Next::Again;
        }
    }
    Ok(next)
}

/// The shards that can be read now; none while too much waits.
fn cursors(db: &Connection, stream: &Stream, source: &Source) -> Result<Vec<Cursor>, ApiError> {
    let waiting = records::head(db, stream.id, Stage::Raw)?.bytes + records::head(db, stream.id, Stage::Ready)?.bytes;
    if waiting >= MAX_BACKLOG {
        return Ok(Vec::new());
    }
    let mut positions: HashMap<String, (Option<String>, bool)> = HashMap::new();
    let mut statement = db.prepare_cached("SELECT shard, after, ended FROM firehose_positions WHERE stream = ?1")?;
    let mut rows = statement.query([stream.id])?;
    while let Some(row) = rows.next()? {
        positions.insert(row.get(0)?, (row.get(1)?, row.get(2)?));
    }
    let shards = kinesis::shards(db, &source.stream)?;
    let ended = |id: &str| positions.get(id).is_some_and(|(_, ended)| *ended);
    let unfinished: HashSet<String> = shards.iter().map(|s| s.id.clone()).filter(|id| !ended(id)).collect();
    let readable = shards.into_iter().filter(|shard| {
        unfinished.contains(&shard.id) && !shard.parents.iter().any(|parent| unfinished.contains(parent))
    });
    Ok(readable
        .map(|shard| {
            let after = positions.remove(&shard.id).and_then(|(after, _)| after);
            let position = after.map_or(Position::AtTimestamp(stream.created), Position::After);
            Cursor { shard: shard.id, position }
        })
        .collect())
}

/// Reads a shard once; whether there was anything.
async fn read_shard(ctx: &Ctx, stream: &Stream, source: &Source, cursor: Cursor) -> Result<bool, ApiError> {
    let (name, shard) = (source.stream.clone(), cursor.shard.clone());
    let read = move |db: &Connection| kinesis::read(db, &name, &shard, &cursor.position, READ_RECORDS, READ_BYTES);
    let batch = ctx.store.read(read).await?;
    if batch.records.is_empty() && !batch.ended {
        return Ok(false);
    }
    let id = stream.id;
    ctx.store.write(move |tx| take(tx, id, &cursor.shard, &batch)).await?;
    Ok(true)
}

/// Makes the rows of what was read and moves the position behind it. The configuration is that of this instant: it may have
/// changed since the stream was read.
pub fn take(tx: &Tx<'_>, id: i64, shard: &str, batch: &Batch) -> Result<(), ApiError> {
    streams::check_alive(tx, id)?;
    let Some(stream) = streams::by_id(tx, id)? else { return Ok(()) };
    for record in &batch.records {
        let about = |partition_key: &str, subsequence: usize| {
            let metadata = KinesisMetadata {
                sequence_number: record.sequence_number.clone(),
                subsequence_number: subsequence.to_string(),
                partition_key: partition_key.to_owned(),
                shard_id: shard.to_owned(),
                approximate_arrival_timestamp: record.arrival,
            };
            serde_json::to_string(&metadata).ok()
        };
        let arrival = record.arrival;
        match aggregation::split(&record.data) {
            None => {
                let plain = Arrived { arrival, data: &record.data, about: about(&record.partition_key, 0) };
                enter(tx, id, &stream.configuration, std::iter::once(plain))?;
            }
            Some(users) => {
                let users = users.iter().enumerate().map(|(index, user)| Arrived {
                    arrival,
                    data: user.data,
                    about: about(user.partition_key, index),
                });
                enter(tx, id, &stream.configuration, users)?;
            }
        }
    }
    let last = batch.records.last().map(|record| record.sequence_number.as_str());
    tx.prepare_cached(
        "INSERT INTO firehose_positions VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET after = coalesce(excluded.after, after), ended = excluded.ended",
    )?
    .execute((id, shard, last, batch.ended))?;
    tx.wake(Wake::Delivery(stream.name));
    Ok(())
}
