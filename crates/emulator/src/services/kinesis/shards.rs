//! Shards: their hash key ranges, their lineage, and the lists of them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::check::{self, invalid};
use super::sequence::{self, Sequence};
use super::streams::{self, Stream};
use crate::clock::now_ms;
use crate::config::Config;
use crate::error::ApiError;
use crate::store::Tx;
use crate::wire::types::Timestamp;

/// Shards in one answer of ListShards unless asked otherwise (ListShards).
const DEFAULT_RESULTS: i64 = 1000;

/// The most shards that ListShards can be asked for (service model).
const MAX_RESULTS: i64 = 10_000;

/// How long a NextToken of ListShards is good (ListShards).
const TOKEN_LIFE_MS: i64 = 300_000;

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

/// The shards of a stream whose records are still kept, oldest first; parents that are no longer kept are not named.
pub fn shards(db: &Connection, stream: &str) -> Result<Vec<Shard>, ApiError> {
    let kept = kept(db, &existing(db, stream)?, now_ms())?;
    let is_kept = |number: &i64| kept.iter().any(|shard| shard.number == *number);
    Ok(kept
        .iter()
        .map(|shard| Shard {
            id: id(shard.number),
            parents: shard.parents().filter(|number| is_kept(number)).map(id).collect(),
            closed: shard.closed.is_some(),
        })
        .collect())
}

/// The stream of this name, for callers inside the emulator.
pub fn existing(db: &Connection, stream: &str) -> Result<Stream, ApiError> {
    let found = streams::find(db, stream)?;
    found.ok_or_else(|| ApiError::bad_request("ResourceNotFoundException", format!("Stream {stream} not found.")))
}

/// A shard's row.
#[derive(Debug, Clone)]
pub struct Row {
    pub key: i64,
    pub number: i64,
    pub parent: Option<i64>,
    pub adjacent_parent: Option<i64>,
    pub hash_start: u128,
    pub hash_end: u128,
    /// The second in the sequence numbers: later than that of every parent.
    pub sequence_second: i64,
    pub opened: i64,
    pub closed: Option<i64>,
    /// Index of the last record.
    pub last_index: i64,
}

impl Row {
    fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Row {
            key: row.get("id")?,
            number: row.get("number")?,
            parent: row.get("parent")?,
            adjacent_parent: row.get("adjacent_parent")?,
            hash_start: u128::from_be_bytes(row.get("hash_start")?),
            hash_end: u128::from_be_bytes(row.get("hash_end")?),
            sequence_second: row.get("sequence_second")?,
            opened: row.get("opened")?,
            closed: row.get("closed")?,
            last_index: row.get("last_index")?,
        })
    }

    /// The sequence number of the record of this index and arrival.
    pub fn sequence(&self, index: i64, arrival: i64) -> Sequence {
        Sequence { created: self.sequence_second, shard: self.number, index, arrived: arrival.div_euclid(1000) }
    }

    /// The shards that it came from.
    pub fn parents(&self) -> impl Iterator<Item = i64> {
        self.parent.into_iter().chain(self.adjacent_parent)
    }

    /// As ListShards and DescribeStream show it.
    pub fn described(&self) -> Described {
        let ending = self.closed.map(|closed| self.sequence(sequence::END, closed).to_decimal());
        Described {
            shard_id: id(self.number),
            parent_shard_id: self.parent.map(id),
            adjacent_parent_shard_id: self.adjacent_parent.map(id),
            hash_key_range: self.range(),
            sequence_number_range: SequenceRange {
                starting_sequence_number: self.sequence(0, self.opened).to_decimal(),
                ending_sequence_number: ending,
            },
        }
    }

    /// Its range on the wire.
    pub fn range(&self) -> HashKeyRange {
        HashKeyRange { starting_hash_key: self.hash_start.to_string(), ending_hash_key: self.hash_end.to_string() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Described {
    shard_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_shard_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    adjacent_parent_shard_id: Option<String>,
    hash_key_range: HashKeyRange,
    sequence_number_range: SequenceRange,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct HashKeyRange {
    starting_hash_key: String,
    ending_hash_key: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SequenceRange {
    starting_sequence_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ending_sequence_number: Option<String>,
}

/// `shardId-000000000000`.
pub fn id(number: i64) -> String {
    format!("shardId-{number:012}")
}

/// The number in a shard's id.
pub fn number(id: &str) -> Result<i64, ApiError> {
    let number = id.strip_prefix("shardId-").and_then(|digits| digits.parse::<i64>().ok());
    number.filter(|n| *n >= 0).ok_or_else(|| invalid(format!("{id} is not a shard's id: shardId-000000000000.")))
}

/// The shard of a stream with this id.
pub fn find(db: &Connection, stream: &Stream, id: &str) -> Result<Option<Row>, ApiError> {
    let Ok(number) = number(id) else { return Ok(None) };
    let mut statement = db.prepare_cached("SELECT * FROM kinesis_shards WHERE stream = ?1 AND number = ?2")?;
    Ok(statement.query_row((&stream.name, number), Row::from_row).optional()?)
}

/// The shard of a stream that a request names.
pub fn named(db: &Connection, config: &Config, stream: &Stream, id: &str) -> Result<Row, ApiError> {
    find(db, stream, id)?.ok_or_else(|| {
        let account = &config.account;
        let message = format!("Shard {id} in stream {} under account {account} does not exist", stream.name);
        ApiError::bad_request("ResourceNotFoundException", message)
    })
}

/// The shard of this key, and the stream it belongs to.
pub fn by_key(db: &Connection, key: i64) -> Result<Option<(String, Row)>, ApiError> {
    let mut statement = db.prepare_cached("SELECT * FROM kinesis_shards WHERE id = ?1")?;
    Ok(statement.query_row([key], |row| Ok((row.get("stream")?, Row::from_row(row)?))).optional()?)
}

/// The open shards of a stream in the order of their ranges, which cover every hash key.
pub fn open(db: &Connection, stream: &str) -> Result<Vec<Row>, ApiError> {
    let mut statement =
        db.prepare_cached("SELECT * FROM kinesis_shards WHERE stream = ?1 AND closed IS NULL ORDER BY hash_start")?;
    Ok(statement.query_map([stream], Row::from_row)?.collect::<Result<_, _>>()?)
}

/// The shards of a stream that may still hold records: the open ones and those closed within the retention.
pub fn kept(db: &Connection, stream: &Stream, now: i64) -> Result<Vec<Row>, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT * FROM kinesis_shards WHERE stream = ?1 AND (closed IS NULL OR closed >= ?2) ORDER BY number",
    )?;
    Ok(statement.query_map((&stream.name, stream.horizon(now)), Row::from_row)?.collect::<Result<_, _>>()?)
}

/// The shards whose parent is this one.
pub fn children(db: &Connection, stream: &str, number: i64) -> Result<Vec<Row>, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT * FROM kinesis_shards WHERE stream = ?1 AND (parent = ?2 OR adjacent_parent = ?2) ORDER BY number",
    )?;
    Ok(statement.query_map((stream, number), Row::from_row)?.collect::<Result<_, _>>()?)
}

/// Where the range `index` of `count` equal ones begins: `index` times 2^128 / `count`, rounded down as the service does.
pub fn uniform_start(index: i64, count: i64) -> u128 {
    let (index, count) = (index as u128, count as u128);
    // 2^128 itself is no u128; for a count of 1 the width wraps to 0, and the only index is 0.
    let width = (u128::MAX / count).wrapping_add(u128::from(u128::MAX % count == count - 1));
    index * width
}

/// Opens the first shards of a stream.
pub fn open_uniform(tx: &Tx<'_>, stream: &str, count: i64) -> Result<(), ApiError> {
    for index in 0..count {
        let end = if index + 1 == count { u128::MAX } else { uniform_start(index + 1, count) - 1 };
        open_one(tx, stream, tx.now() / 1000, (uniform_start(index, count), end), None, None)?;
    }
    Ok(())
}

/// Opens a shard with the next number of its stream.
pub fn open_one(
    tx: &Tx<'_>,
    stream: &str,
    sequence_second: i64,
    range: (u128, u128),
    parent: Option<i64>,
    adjacent_parent: Option<i64>,
) -> Result<Row, ApiError> {
    // The highest number is always that of an open shard (children come after their parents), so it is never removed.
    let mut statement = tx.prepare_cached(
        "INSERT INTO kinesis_shards
             (stream, number, parent, adjacent_parent, hash_start, hash_end, sequence_second, opened)
         SELECT ?1, (SELECT ifnull(max(number) + 1, 0) FROM kinesis_shards WHERE stream = ?1), ?2, ?3, ?4, ?5, ?6, ?7
         RETURNING *",
    )?;
    let (start, end) = (range.0.to_be_bytes(), range.1.to_be_bytes());
    let values = (stream, parent, adjacent_parent, start, end, sequence_second, tx.now());
    Ok(statement.query_row(values, Row::from_row)?)
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct List {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    next_token: Option<String>,
    exclusive_start_shard_id: Option<String>,
    max_results: Option<i64>,
    stream_creation_timestamp: Option<Timestamp>,
    shard_filter: Option<Filter>,
}

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Filter {
    #[serde(rename = "Type")]
    kind: String,
    shard_id: Option<String>,
    timestamp: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Listed {
    shards: Vec<Described>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// What a NextToken holds.
#[derive(Serialize, Deserialize)]
struct Token {
    stream: String,
    after: i64,
    filter: Option<Filter>,
    issued: i64,
}

/// ListShards.
pub fn list(db: &Connection, config: &Config, input: List) -> Result<Listed, ApiError> {
    let now = now_ms();
    let limit = check::within(input.max_results.unwrap_or(DEFAULT_RESULTS), "maxResults", 1, MAX_RESULTS)? as usize;
    let (stream, after, filter) = match &input.next_token {
        Some(_) if input.stream_name.is_some() || input.exclusive_start_shard_id.is_some() => {
            return Err(invalid("NextToken and StreamName cannot be provided together."));
        }
        Some(token) => {
            let token = read_token(token, now)?;
            let stream = streams::named(db, config, &Some(token.stream), &None)?;
            (stream, Some(token.after), token.filter)
        }
        None => {
            let stream = streams::named(db, config, &input.stream_name, &input.stream_arn)?;
            if input.stream_creation_timestamp.is_some_and(|at| at.0 / 1000 != stream.created / 1000) {
                return Err(check::no_stream(config, &stream.name));
            }
            let after = input.exclusive_start_shard_id.as_deref().map(number).transpose()?;
            (stream, after, input.shard_filter)
        }
    };
    let mut found = kept(db, &stream, now)?;
    found.retain(|shard| after.is_none_or(|after| shard.number > after));
    if let Some(filter) = &filter {
        apply(filter, &mut found, stream.horizon(now))?;
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let next_token = match found.last().filter(|_| more) {
        Some(last) => Some(write_token(&Token { stream: stream.name, after: last.number, filter, issued: now })?),
        None => None,
    };
    Ok(Listed { shards: found.iter().map(Row::described).collect(), next_token })
}

/// Keeps the shards that a filter asks for; `horizon` is the oldest instant still kept.
fn apply(filter: &Filter, shards: &mut Vec<Row>, horizon: i64) -> Result<(), ApiError> {
    let timestamp = || {
        let at = filter.timestamp.ok_or_else(|| invalid(format!("ShardFilter {} needs a Timestamp.", filter.kind)))?;
        Ok::<i64, ApiError>(at.0.max(horizon))
    };
    let open_at = |at: i64| move |shard: &Row| shard.opened <= at && shard.closed.is_none_or(|closed| closed >= at);
    match filter.kind.as_str() {
        "AT_LATEST" => shards.retain(|shard| shard.closed.is_none()),
        // A stream younger than its retention begins with its first shards.
        "AT_TRIM_HORIZON" => {
            let at = shards.iter().map(|shard| shard.opened).min().unwrap_or(horizon).max(horizon);
            shards.retain(open_at(at));
        }
        "FROM_TRIM_HORIZON" => {}
        "AT_TIMESTAMP" => shards.retain(open_at(timestamp()?)),
        "FROM_TIMESTAMP" => {
            let at = timestamp()?;
            shards.retain(|shard| shard.closed.is_none_or(|closed| closed >= at));
        }
        "AFTER_SHARD_ID" => {
            let id =
                filter.shard_id.as_deref().ok_or_else(|| invalid("ShardFilter AFTER_SHARD_ID needs a ShardId."))?;
            let after = number(id)?;
            shards.retain(|shard| shard.number > after);
        }
        other => {
            let constraint = "satisfy enum value set: [AFTER_SHARD_ID, AT_TRIM_HORIZON, FROM_TRIM_HORIZON, AT_LATEST, \
                              AT_TIMESTAMP, FROM_TIMESTAMP]";
            return Err(check::validation(&format!("'{other}'"), "shardFilter.type", constraint));
        }
    }
    Ok(())
}

fn write_token(token: &Token) -> Result<String, ApiError> {
    Ok(BASE64_STANDARD.encode(serde_json::to_vec(token).map_err(ApiError::internal)?))
}

fn read_token(text: &str, now: i64) -> Result<Token, ApiError> {
    let bytes = BASE64_STANDARD.decode(text).ok();
    let token: Token =
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(|| invalid("NextToken is invalid."))?;
    if now - token.issued > TOKEN_LIFE_MS {
        let message = format!("NextToken has expired: it is good for {TOKEN_LIFE_MS} milliseconds.");
        return Err(ApiError::bad_request("ExpiredNextTokenException", message));
    }
    Ok(token)
}
