//! Reads: positions, iterators, GetRecords.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::check::{self, invalid};
use super::put::Meter;
use super::sequence::Sequence;
use super::shards::{self, HashKeyRange, Row};
use super::streams::{self, Stream};
use crate::clock::now_ms;
use crate::config::Config;
use crate::error::ApiError;
use crate::store::Tx;
use crate::wire::types::{Blob, Timestamp};

/// Records in one answer of GetRecords (GetRecords).
const MAX_RECORDS: i64 = 10_000;

/// Data in one answer of GetRecords (GetRecords: 10 MiB).
const MAX_BYTES: usize = 10 * 1024 * 1024;

/// How long an iterator is good (GetShardIterator: 5 minutes).
const ITERATOR_LIFE_MS: i64 = 300_000;

/// How far in the future a timestamp may seem to be: that of a client on the same machine, rounded up.
const ROUNDING_MS: i64 = 1;

/// Calls of GetRecords a second on one shard (Kinesis quotas).
pub const SHARD_READS_PER_SECOND: f64 = 5.0;

/// Bytes a second out of one shard (Kinesis quotas: 2 MB/s, meant as MiB). A call that gave more makes the next ones wait.
const SHARD_BYTES_PER_SECOND: f64 = 2.0 * 1_048_576.0;

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
    /// The sequence number to go on after (`Position::After`), also when there were no records: the way to keep hold of
    /// `Latest`.
    pub after: String,
}

/// Reads up to `limit` records and `max_bytes` of data (at least one record, whatever its size) from a shard.
pub fn read(
    db: &Connection,
    stream: &str,
    shard: &str,
    from: &Position,
    limit: usize,
    max_bytes: usize,
) -> Result<Batch, ApiError> {
    let stream = shards::existing(db, stream)?;
    let shard = shards::find(db, &stream, shard)?.ok_or_else(|| {
        let message = format!("Shard {shard} in stream {} does not exist", stream.name);
        ApiError::bad_request("ResourceNotFoundException", message)
    })?;
    let start = resolve(db, &stream, &shard, from)?;
    Ok(read_from(db, &stream, &shard, start, limit, max_bytes, now_ms())?.batch)
}

/// The index at which a position begins.
fn resolve(db: &Connection, stream: &Stream, shard: &Row, position: &Position) -> Result<i64, ApiError> {
    match position {
        Position::TrimHorizon => Ok(1),
        Position::Latest => Ok(shard.last_index + 1),
        Position::AtTimestamp(at) => {
            let mut statement = db.prepare_cached(
                "SELECT ix FROM kinesis_records WHERE shard = ?1 AND arrival >= ?2 ORDER BY arrival, ix LIMIT 1",
            )?;
            let first = statement.query_row((shard.key, at), |row| row.get(0)).optional()?;
            Ok(first.unwrap_or(shard.last_index + 1))
        }
        Position::At(number) => index_of(stream, shard, number),
        Position::After(number) => Ok(index_of(stream, shard, number)?.saturating_add(1)),
    }
}

fn index_of(stream: &Stream, shard: &Row, number: &str) -> Result<i64, ApiError> {
    let ours = |sequence: &Sequence| (sequence.created, sequence.shard) == (shard.sequence_second, shard.number);
    Sequence::parse(number).filter(ours).map(|sequence| sequence.index).ok_or_else(|| {
        invalid(format!(
            "StartingSequenceNumber {number} used in GetShardIterator on shard {} in stream {} is invalid because it did not \
             come from this stream.",
            shards::id(shard.number),
            stream.name,
        ))
    })
}

struct Found {
    batch: Batch,
    bytes: usize,
    next: i64,
}

fn read_from(
    db: &Connection,
    stream: &Stream,
    shard: &Row,
    start: i64,
    limit: usize,
    max_bytes: usize,
    now: i64,
) -> Result<Found, ApiError> {
    let horizon = stream.horizon(now);
    // The plus keeps the index of arrivals out of it: what is wanted is the order of `ix`.
    let mut statement = db.prepare_cached(
        "SELECT ix, arrival, partition_key, data FROM kinesis_records
         WHERE shard = ?1 AND ix >= ?2 AND +arrival >= ?3 ORDER BY ix LIMIT ?4",
    )?;
    let mut rows = statement.query((shard.key, start, horizon, limit as i64))?;
    let (mut records, mut bytes, mut last) = (Vec::new(), 0, (start.saturating_sub(1), shard.opened));
    while let Some(row) = rows.next()? {
        let data = row.get_ref(3)?.as_bytes().map_err(ApiError::internal)?;
        if !records.is_empty() && bytes + data.len() > max_bytes {
            break;
        }
        bytes += data.len();
        last = (row.get(0)?, row.get(1)?);
        records.push(Record {
            sequence_number: shard.sequence(last.0, last.1).to_decimal(),
            data: Bytes::copy_from_slice(data),
            partition_key: row.get(2)?,
            arrival: last.1,
        });
    }
    let next = last.0.saturating_add(1);
    let unread: Option<i64> = db
        .prepare_cached(
            "SELECT arrival FROM kinesis_records WHERE shard = ?1 AND ix >= ?2 AND +arrival >= ?3 ORDER BY ix LIMIT 1",
        )?
        .query_row((shard.key, next, horizon), |row| row.get(0))
        .optional()?;
    let batch = Batch {
        records,
        millis_behind_latest: unread.map_or(0, |arrival| (now - arrival).max(0)),
        ended: shard.closed.is_some() && unread.is_none(),
        after: shard.sequence(last.0, last.1).to_decimal(),
    };
    Ok(Found { batch, bytes, next })
}

/// What an iterator holds: opaque to clients.
#[derive(Serialize, Deserialize)]
struct ShardIterator {
    /// The shard's key: another one when a stream is made again under the same name.
    #[serde(rename = "s")]
    shard: i64,
    #[serde(rename = "i")]
    index: i64,
    /// When it was given out, epoch ms.
    #[serde(rename = "t")]
    issued: i64,
}

impl ShardIterator {
    fn write(&self) -> Result<String, ApiError> {
        Ok(BASE64_STANDARD.encode(serde_json::to_vec(self).map_err(ApiError::internal)?))
    }

    fn read(text: &str) -> Result<Self, ApiError> {
        let bytes = BASE64_STANDARD.decode(text).ok();
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(|| invalid("Invalid ShardIterator."))
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GetIterator {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    shard_id: Option<String>,
    shard_iterator_type: Option<String>,
    starting_sequence_number: Option<String>,
    timestamp: Option<Timestamp>,
    dry_run: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GotIterator {
    shard_iterator: String,
}

/// GetShardIterator.
pub fn get_shard_iterator(db: &Connection, config: &Config, input: GetIterator) -> Result<GotIterator, ApiError> {
    check::no_dry_run(input.dry_run, "GetShardIterator")?;
    let now = now_ms();
    let stream = streams::named(db, config, &input.stream_name, &input.stream_arn)?;
    let id = check::required(input.shard_id.as_deref(), "shardId")?;
    let shard = shards::named(db, config, &stream, id)?;
    let index = resolve(db, &stream, &shard, &wanted(&input, now)?)?;
    let shard_iterator = ShardIterator { shard: shard.key, index, issued: now }.write()?;
    Ok(GotIterator { shard_iterator })
}

fn wanted(input: &GetIterator, now: i64) -> Result<Position, ApiError> {
    let kind = check::required(input.shard_iterator_type.as_deref(), "shardIteratorType")?;
    let number = || {
        let missing = || invalid(format!("Must specify StartingSequenceNumber for the ShardIteratorType {kind}."));
        input.starting_sequence_number.clone().ok_or_else(missing)
    };
    match kind {
        "TRIM_HORIZON" => Ok(Position::TrimHorizon),
        "LATEST" => Ok(Position::Latest),
        "AT_SEQUENCE_NUMBER" => Ok(Position::At(number()?)),
        "AFTER_SEQUENCE_NUMBER" => Ok(Position::After(number()?)),
        "AT_TIMESTAMP" => {
            let missing = || invalid("Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP.");
            let at = input.timestamp.ok_or_else(missing)?.0;
            if at > now + ROUNDING_MS {
                return Err(invalid(format!(
                    "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. \
                     timestampInMillis: {at}, currentTimestampInMillis: {now}"
                )));
            }
            Ok(Position::AtTimestamp(at))
        }
        other => {
            let constraint = "satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, \
                              AT_SEQUENCE_NUMBER, TRIM_HORIZON]";
            Err(check::validation(&format!("'{other}'"), "shardIteratorType", constraint))
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Get {
    shard_iterator: Option<String>,
    limit: Option<i64>,
    dry_run: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Got {
    records: Vec<GotRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_shard_iterator: Option<String>,
    millis_behind_latest: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    child_shards: Vec<Child>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GotRecord {
    sequence_number: String,
    approximate_arrival_timestamp: Timestamp,
    data: Blob,
    partition_key: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Child {
    shard_id: String,
    parent_shards: Vec<String>,
    hash_key_range: HashKeyRange,
}

/// GetRecords. A write, since it is metered.
pub fn get_records(tx: &Tx<'_>, input: Get) -> Result<Got, ApiError> {
    check::no_dry_run(input.dry_run, "GetRecords")?;
    let limit = check::within(input.limit.unwrap_or(MAX_RECORDS), "limit", 1, MAX_RECORDS)? as usize;
    let iterator = ShardIterator::read(&check::required(input.shard_iterator, "shardIterator")?)?;
    check_age(iterator.issued, tx.now())?;
    let (stream, shard) = shards::by_key(tx, iterator.shard)?.ok_or_else(|| {
        ApiError::bad_request("ResourceNotFoundException", "The shard of this ShardIterator does not exist.")
    })?;
    let stream = shards::existing(tx, &stream)?;
    let meters = admit(tx, &stream, &shard)?;
    let Found { batch, bytes, next } = read_from(tx, &stream, &shard, iterator.index, limit, MAX_BYTES, tx.now())?;
    charge(tx, &shard, meters, bytes)?;

    let (next_shard_iterator, children) = match batch.ended {
        true => (None, shards::children(tx, &stream.name, shard.number)?),
        false => (Some(ShardIterator { shard: shard.key, index: next, issued: tx.now() }.write()?), Vec::new()),
    };
    Ok(Got {
        records: batch.records.into_iter().map(GotRecord::from).collect(),
        next_shard_iterator,
        millis_behind_latest: batch.millis_behind_latest,
        child_shards: children.iter().map(Child::from).collect(),
    })
}

impl From<Record> for GotRecord {
    fn from(record: Record) -> Self {
        GotRecord {
            sequence_number: record.sequence_number,
            approximate_arrival_timestamp: Timestamp(record.arrival),
            data: Blob(record.data),
            partition_key: record.partition_key,
        }
    }
}

impl From<&Row> for Child {
    fn from(shard: &Row) -> Self {
        Child {
            shard_id: shards::id(shard.number),
            parent_shards: shard.parents().map(shards::id).collect(),
            hash_key_range: shard.range(),
        }
    }
}

fn check_age(issued: i64, now: i64) -> Result<(), ApiError> {
    if now - issued <= ITERATOR_LIFE_MS {
        return Ok(());
    }
    let date = |ms: i64| match jiff::Timestamp::from_millisecond(ms) {
        Ok(at) => at.strftime("%a %b %d %H:%M:%S UTC %Y").to_string(),
        Err(_) => ms.to_string(),
    };
    let message = format!(
        "Iterator expired. The iterator was created at time {} while right now it is {} which is further in the future than \
         the tolerated delay of {ITERATOR_LIFE_MS} milliseconds.",
        date(issued),
        date(now),
    );
    Err(ApiError::bad_request("ExpiredIteratorException", message))
}

/// The meters of a shard's readers, if they have room for one more call.
fn admit(tx: &Tx<'_>, stream: &Stream, shard: &Row) -> Result<(Meter, Meter), ApiError> {
    let (mut calls, mut bytes) = tx
        .prepare_cached("SELECT read_metered, read_calls, read_bytes FROM kinesis_shards WHERE id = ?1")?
        .query_row([shard.key], |row| {
            let at = row.get(0)?;
            let calls = Meter { at, level: row.get(1)?, rate: SHARD_READS_PER_SECOND };
            Ok((calls, Meter { at, level: row.get(2)?, rate: SHARD_BYTES_PER_SECOND }))
        })?;
    if calls.has_room(tx.now(), 1.0) && bytes.has_room(tx.now(), 1.0) {
        return Ok((calls, bytes));
    }
    let message = format!(
        "Rate exceeded for shard {} in stream {} under account {}.",
        shards::id(shard.number),
        stream.name,
        tx.config().account,
    );
    Err(ApiError::bad_request("ProvisionedThroughputExceededException", message))
}

fn charge(tx: &Tx<'_>, shard: &Row, (mut calls, mut bytes): (Meter, Meter), read: usize) -> Result<(), ApiError> {
    calls.add(1.0);
    bytes.add(read as f64);
    tx.prepare_cached("UPDATE kinesis_shards SET read_metered = ?2, read_calls = ?3, read_bytes = ?4 WHERE id = ?1")?
        .execute((shard.key, tx.now(), calls.level, bytes.level))?;
    Ok(())
}
