//! Kinesis Data Streams: shards by MD5 hash key, sequence numbers, iterators, split and merge, retention, limits.
//!
//! A record goes to the open shard whose range holds the MD5 of its partition key ([`put`]), gets the shard's next index, and is
//! read back by index ([`read`]); on the wire the index is part of a 56-digit sequence number (`sequence`). Splitting and merging
//! closes shards and opens their children in one transaction (`reshard`), so a put never meets a closed one. Records older than
//! the retention are invisible at once; puts to their stream remove them, some at a time.
//!
//! Differences from the service: a stream is ACTIVE (or gone) when the call that makes, changes or deletes it returns; an
//! on-demand stream keeps its four shards. Consumers inside the emulator (event source mappings, Firehose) read without the
//! limits of GetRecords. Absent: de-aggregation of KPL records, which belongs to the consumers; enhanced fan-out.

mod check;
mod put;
mod read;
mod reshard;
mod sequence;
mod shards;
mod streams;
mod tags;
#[cfg(test)]
mod tests;

pub use put::{NewRecord, Put, put};
pub use read::{Batch, Position, Record, read};
pub use shards::{Shard, shards};
pub use streams::ensure_stream;

use rusqlite::Connection;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Ctx;
use crate::config::Config;
use crate::error::ApiError;
use crate::store::Tx;
use crate::wire::protocol::{Call, Reply};

/// The tables. Hash keys are big-endian, so that their order is that of the bytes; instants are epoch milliseconds.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS kinesis_streams (
    name TEXT PRIMARY KEY,
    mode TEXT NOT NULL,
    retention_hours INTEGER NOT NULL,
    max_record_kib INTEGER NOT NULL,
    created INTEGER NOT NULL,
    scalings INTEGER NOT NULL DEFAULT 0,
    scalings_since INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS kinesis_shards (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stream TEXT NOT NULL,
    number INTEGER NOT NULL,
    parent INTEGER,
    adjacent_parent INTEGER,
    hash_start BLOB NOT NULL,
    hash_end BLOB NOT NULL,
    sequence_second INTEGER NOT NULL,
    opened INTEGER NOT NULL,
    closed INTEGER,
    last_index INTEGER NOT NULL DEFAULT 0,
    last_arrival INTEGER NOT NULL DEFAULT 0,
    metered INTEGER NOT NULL DEFAULT 0,
    written_records REAL NOT NULL DEFAULT 0,
    written_bytes REAL NOT NULL DEFAULT 0,
    read_metered INTEGER NOT NULL DEFAULT 0,
    read_calls REAL NOT NULL DEFAULT 0,
    read_bytes REAL NOT NULL DEFAULT 0,
    UNIQUE (stream, number)
) STRICT;
CREATE TABLE IF NOT EXISTS kinesis_records (
    shard INTEGER NOT NULL,
    ix INTEGER NOT NULL,
    arrival INTEGER NOT NULL,
    partition_key TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (shard, ix)
) STRICT;
CREATE INDEX IF NOT EXISTS kinesis_records_arrival ON kinesis_records (shard, arrival, ix);
CREATE TABLE IF NOT EXISTS kinesis_tags (
    stream TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (stream, key)
) STRICT, WITHOUT ROWID;
";

/// Answers an operation.
pub async fn call(ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    match call.operation.as_str() {
        "AddTagsToStream" => update(ctx, call, tags::add).await,
        "CreateStream" => update(ctx, call, streams::create).await,
        "DecreaseStreamRetentionPeriod" => update(ctx, call, streams::decrease_retention).await,
        "DeleteStream" => update(ctx, call, streams::delete).await,
        "DescribeStream" => look(ctx, call, streams::describe).await,
        "DescribeStreamSummary" => look(ctx, call, streams::summary).await,
        "GetRecords" => change(ctx, call, read::get_records).await,
        "GetShardIterator" => look(ctx, call, read::get_shard_iterator).await,
        "IncreaseStreamRetentionPeriod" => update(ctx, call, streams::increase_retention).await,
        "ListShards" => look(ctx, call, shards::list).await,
        "ListStreams" => look(ctx, call, streams::list).await,
        "ListTagsForStream" => look(ctx, call, tags::list).await,
        "MergeShards" => update(ctx, call, reshard::merge_shards).await,
        "PutRecord" => change(ctx, call, put::put_record).await,
        "PutRecords" => {
            let refused = ctx.faults.entries(put::MAX_RECORDS);
            change(ctx, call, move |tx, input| put::put_records(tx, input, &refused)).await
        }
        "RemoveTagsFromStream" => update(ctx, call, tags::remove).await,
        "SplitShard" => update(ctx, call, reshard::split_shard).await,
        "UpdateShardCount" => change(ctx, call, reshard::update_shard_count).await,
        other => Err(ApiError::not_emulated("kinesis", other)),
    }
}

/// An operation that changes the state and has no output.
async fn update<I>(ctx: &Ctx, call: &Call, operation: fn(&Tx<'_>, I) -> Result<(), ApiError>) -> Result<Reply, ApiError>
where
    I: DeserializeOwned + Send + 'static,
{
    let input = call.input()?;
    ctx.store.write(move |tx| operation(tx, input)).await?;
    call.empty()
}

/// An operation that changes the state and has an output.
async fn change<I, O>(
    ctx: &Ctx,
    call: &Call,
    operation: impl FnOnce(&Tx<'_>, I) -> Result<O, ApiError> + Send + 'static,
) -> Result<Reply, ApiError>
where
    I: DeserializeOwned + Send + 'static,
    O: Serialize + Send + 'static,
{
    let input = call.input()?;
    let output = ctx.store.write(move |tx| operation(tx, input)).await?;
    call.reply(&output)
}

/// An operation that only looks.
async fn look<I, O>(
    ctx: &Ctx,
    call: &Call,
    operation: fn(&Connection, &Config, I) -> Result<O, ApiError>,
) -> Result<Reply, ApiError>
where
    I: DeserializeOwned + Send + 'static,
    O: Serialize + Send + 'static,
{
    let input = call.input()?;
    let config = ctx.config.clone();
    let output = ctx.store.read(move |db| operation(db, &config, input)).await?;
    call.reply(&output)
}
