//! Kinesis Data Streams: shards by MD5 hash key, sequence numbers, iterators, split and merge, retention, limits.

use crate::Ctx;
use crate::error::ApiError;
use crate::store::Tx;
use crate::wire::protocol::{Call, Reply};
use bytes::Bytes;

/// The tables.
pub const SCHEMA: &str = "";

/// A record of a shard.
#[derive(Debug, Clone)]
pub struct Record {
    /// Decimal, increasing within its shard.
    pub sequence_number: String,
    /// The data.
    pub data: Bytes,
    /// Its partition key.
    pub partition_key: String,
    /// Arrival, epoch ms.
    pub arrival: i64,
}

/// A shard, for readers of all of it.
#[derive(Debug, Clone)]
pub struct Shard {
    /// `shardId-000000000000`.
    pub id: String,
    /// The shards it came from; they are read to their end first.
    pub parents: Vec<String>,
    /// Closed by a split or merge: after its last record there will be none.
    pub closed: bool,
}

/// Where to begin in a shard.
#[derive(Debug, Clone)]
pub enum Position {
    /// At the oldest record kept.
    TrimHorizon,
    /// After everything that is there now.
    Latest,
    /// At the first record that arrived at or after this, epoch ms.
    AtTimestamp(i64),
    /// At this sequence number.
    At(String),
    /// After this sequence number.
    After(String),
}

/// What a read of a shard gave.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// In order.
    pub records: Vec<Record>,
    /// Age of the oldest record not read yet; 0 at the tip.
    pub millis_behind_latest: i64,
    /// The shard is closed and this was the last of it.
    pub ended: bool,
}

/// Makes a stream or brings its retention to `retention_hours`; returns its ARN.
pub fn ensure_stream(_tx: &Tx<'_>, name: &str, _shards: u32, _retention_hours: u32) -> Result<String, ApiError> {
    Err(ApiError::not_emulated("kinesis", name))
}

/// The shards of a stream whose records are still kept.
pub fn shards(_db: &rusqlite::Connection, stream: &str) -> Result<Vec<Shard>, ApiError> {
    Err(ApiError::not_emulated("kinesis", stream))
}

/// Reads up to `limit` records and `max_bytes` of data from a shard.
pub fn read(
    _db: &rusqlite::Connection,
    stream: &str,
    _shard: &str,
    _from: &Position,
    _limit: usize,
    _max_bytes: usize,
) -> Result<Batch, ApiError> {
    Err(ApiError::not_emulated("kinesis", stream))
}

/// Answers an operation.
pub async fn call(_ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    match call.operation.as_str() {
        other => Err(ApiError::not_emulated("kinesis", other)),
    }
}
