//! Streams: made, described, listed, kept for so many hours, deleted.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::check::{self, invalid, no_stream};
use super::{shards, tags};
use crate::clock::now_ms;
use crate::config::Config;
use crate::error::ApiError;
use crate::store::{Tx, Wake};
use crate::wire::types::Timestamp;

/// Shards of a new on-demand stream (developer guide, "On-demand mode").
const ON_DEMAND_SHARDS: i64 = 4;

/// Open shards of provisioned streams in the account (Kinesis quotas, us-east-1).
pub const SHARD_LIMIT: i64 = 20_000;

/// The shortest retention (IncreaseStreamRetentionPeriod), and that of a new stream.
pub const MIN_RETENTION_HOURS: i64 = 24;

/// The longest retention: 365 days (IncreaseStreamRetentionPeriod).
pub const MAX_RETENTION_HOURS: i64 = 8760;

/// `MaxRecordSizeInKiB` of a new stream, and its least value (service model).
const DEFAULT_RECORD_KIB: i64 = 1024;

/// The largest `MaxRecordSizeInKiB` (service model).
const MAX_RECORD_KIB: i64 = 10_240;

/// Streams in one answer of ListStreams unless asked otherwise (ListStreams).
const DEFAULT_STREAMS: i64 = 100;

/// Shards in one answer of DescribeStream unless asked otherwise (DescribeStream).
const DEFAULT_SHARDS: i64 = 100;

/// The most streams or shards that an answer can be asked to hold (service model).
const MAX_PAGE: i64 = 10_000;

const HOUR_MS: i64 = 3_600_000;

/// A stream's row.
#[derive(Debug, Clone)]
pub struct Stream {
    pub name: String,
    pub mode: Mode,
    pub retention_hours: i64,
    pub max_record_kib: i64,
    pub created: i64,
}

/// Whether its shards are counted by the user or by the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Provisioned,
    OnDemand,
}

impl Mode {
    fn as_str(self) -> &'static str {
        match self {
            Mode::Provisioned => "PROVISIONED",
            Mode::OnDemand => "ON_DEMAND",
        }
    }
}

impl Stream {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mode: String = row.get("mode")?;
        Ok(Stream {
            name: row.get("name")?,
            mode: if mode == Mode::OnDemand.as_str() { Mode::OnDemand } else { Mode::Provisioned },
            retention_hours: row.get("retention_hours")?,
            max_record_kib: row.get("max_record_kib")?,
            created: row.get("created")?,
        })
    }

    /// Records that arrived before this are gone.
    pub fn horizon(&self, now: i64) -> i64 {
        now - self.retention_hours * HOUR_MS
    }

    fn arn(&self, config: &Config) -> String {
        config.arn("kinesis", &format!("stream/{}", self.name))
    }
}

/// The stream of this name, if there is one.
pub fn find(db: &Connection, name: &str) -> Result<Option<Stream>, ApiError> {
    let mut statement = db.prepare_cached("SELECT * FROM kinesis_streams WHERE name = ?1")?;
    Ok(statement.query_row([name], Stream::from_row).optional()?)
}

/// The stream that a request names.
pub fn named(
    db: &Connection,
    config: &Config,
    name: &Option<String>,
    arn: &Option<String>,
) -> Result<Stream, ApiError> {
    let name = check::stream_name(config, name.as_deref(), arn.as_deref())?;
    find(db, &name)?.ok_or_else(|| no_stream(config, &name))
}

/// Makes a provisioned stream of `shards` shards, or brings the retention of the one that is there to `retention_hours` (its
/// shards are left as they are); returns its ARN.
pub fn ensure_stream(tx: &Tx<'_>, name: &str, shards: u32, retention_hours: u32) -> Result<String, ApiError> {
    check::check_name(name)?;
    let hours = check_retention(name, i64::from(retention_hours))?;
    let arn = tx.config().arn("kinesis", &format!("stream/{name}"));
    match find(tx, name)? {
        Some(stream) => set_retention(tx, &stream, hours)?,
        None => make(tx, name, Mode::Provisioned, i64::from(shards.max(1)), hours, DEFAULT_RECORD_KIB)?,
    }
    Ok(arn)
}

fn make(tx: &Tx<'_>, name: &str, mode: Mode, count: i64, hours: i64, max_record_kib: i64) -> Result<(), ApiError> {
    check_shard_limit(tx, count)?;
    tx.prepare_cached(
        "INSERT INTO kinesis_streams (name, mode, retention_hours, max_record_kib, created) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((name, mode.as_str(), hours, max_record_kib, tx.now()))?;
    shards::open_uniform(tx, name, count)?;
    tx.wake(Wake::Resources);
    Ok(())
}

/// Refuses `more` shards when the account would have too many.
pub fn check_shard_limit(tx: &Tx<'_>, more: i64) -> Result<(), ApiError> {
    let open: i64 = tx
        .prepare_cached("SELECT count(*) FROM kinesis_shards WHERE closed IS NULL")?
        .query_row([], |row| row.get(0))?;
    if open + more <= SHARD_LIMIT {
        return Ok(());
    }
    let message = format!(
        "This request would exceed the shard limit for the account {} in {}. Current shard count for the account: {open}. \
         Limit: {SHARD_LIMIT}. Number of additional shards that would have resulted from this request: {more}.",
        tx.config().account,
        tx.config().region,
    );
    Err(ApiError::bad_request("LimitExceededException", message))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Create {
    stream_name: Option<String>,
    shard_count: Option<i64>,
    stream_mode_details: Option<ModeDetails>,
    #[serde(rename = "MaxRecordSizeInKiB")]
    max_record_kib: Option<i64>,
    record_distribution_strategy: Option<String>,
    tags: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ModeDetails {
    stream_mode: Option<String>,
}

/// CreateStream.
pub fn create(tx: &Tx<'_>, input: Create) -> Result<(), ApiError> {
    let name = check::required(input.stream_name, "streamName")?;
    check::check_name(&name)?;
    if input.record_distribution_strategy.as_deref() == Some("AUTO") {
        return Err(ApiError::not_emulated("kinesis", "CreateStream with RecordDistributionStrategy AUTO"));
    }
    let mode = match input.stream_mode_details.unwrap_or_default().stream_mode.as_deref() {
        None | Some("PROVISIONED") => Mode::Provisioned,
        Some("ON_DEMAND") => Mode::OnDemand,
        Some(other) => {
            let constraint = "satisfy enum value set: [PROVISIONED, ON_DEMAND]";
            return Err(check::validation(&format!("'{other}'"), "streamModeDetails.streamMode", constraint));
        }
    };
    let count = match (mode, input.shard_count) {
        (Mode::OnDemand, None) => ON_DEMAND_SHARDS,
        (Mode::OnDemand, Some(_)) => {
            let message = "ShardCount must not be given for a stream in ON_DEMAND mode";
            return Err(ApiError::bad_request("ValidationException", message));
        }
        (Mode::Provisioned, None) => {
            let message = "ShardCount must be given for a stream in PROVISIONED mode";
            return Err(ApiError::bad_request("ValidationException", message));
        }
        (Mode::Provisioned, Some(count)) => check::within(count, "shardCount", 1, i64::from(i32::MAX))?,
    };
    let kib = input.max_record_kib.unwrap_or(DEFAULT_RECORD_KIB);
    check::within(kib, "maxRecordSizeInKiB", DEFAULT_RECORD_KIB, MAX_RECORD_KIB)?;
    if find(tx, &name)?.is_some() {
        let message = format!("Stream {name} under account {} already exists.", tx.config().account);
        return Err(ApiError::bad_request("ResourceInUseException", message));
    }
    make(tx, &name, mode, count, MIN_RETENTION_HOURS, kib)?;
    tags::set(tx, &name, &input.tags.unwrap_or_default())
}

/// An operation on a stream without further input.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Named {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
}

/// DeleteStream.
pub fn delete(tx: &Tx<'_>, input: Named) -> Result<(), ApiError> {
    let stream = named(tx, tx.config(), &input.stream_name, &input.stream_arn)?;
    for statement in [
        "DELETE FROM kinesis_records WHERE shard IN (SELECT id FROM kinesis_shards WHERE stream = ?1)",
        "DELETE FROM kinesis_shards WHERE stream = ?1",
        "DELETE FROM kinesis_tags WHERE stream = ?1",
        "DELETE FROM kinesis_streams WHERE name = ?1",
    ] {
        tx.prepare_cached(statement)?.execute([&stream.name])?;
    }
    tx.wake(Wake::Stream(stream.name));
    tx.wake(Wake::Resources);
    Ok(())
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Describe {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    limit: Option<i64>,
    exclusive_start_shard_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Described {
    stream_description: Description,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Summarised {
    stream_description_summary: Description,
}

/// What DescribeStream and DescribeStreamSummary have in common, and what only one of them has.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    stream_name: String,
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    stream_status: &'static str,
    stream_mode_details: serde_json::Value,
    retention_period_hours: i64,
    stream_creation_timestamp: Timestamp,
    enhanced_monitoring: serde_json::Value,
    encryption_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    shards: Option<Vec<shards::Described>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_more_shards: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    open_shard_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer_count: Option<usize>,
    #[serde(rename = "MaxRecordSizeInKiB", skip_serializing_if = "Option::is_none")]
    max_record_kib: Option<i64>,
}

impl Description {
    fn of(config: &Config, stream: &Stream) -> Self {
        Description {
            stream_name: stream.name.clone(),
            stream_arn: stream.arn(config),
            stream_status: "ACTIVE",
            stream_mode_details: json!({ "StreamMode": stream.mode.as_str() }),
            retention_period_hours: stream.retention_hours,
            stream_creation_timestamp: Timestamp(stream.created),
            enhanced_monitoring: json!([{ "ShardLevelMetrics": [] }]),
            encryption_type: "NONE",
            shards: None,
            has_more_shards: None,
            open_shard_count: None,
            consumer_count: None,
            max_record_kib: None,
        }
    }
}

/// DescribeStream.
pub fn describe(db: &Connection, config: &Config, input: Describe) -> Result<Described, ApiError> {
    let stream = named(db, config, &input.stream_name, &input.stream_arn)?;
    let limit = check::within(input.limit.unwrap_or(DEFAULT_SHARDS), "limit", 1, MAX_PAGE)? as usize;
    let after = input.exclusive_start_shard_id.as_deref().map(shards::number).transpose()?;
    let mut kept = shards::kept(db, &stream, now_ms())?;
    kept.retain(|shard| after.is_none_or(|after| shard.number > after));
    let more = kept.len() > limit;
    kept.truncate(limit);
    let mut description = Description::of(config, &stream);
    description.shards = Some(kept.iter().map(shards::Row::described).collect());
    description.has_more_shards = Some(more);
    Ok(Described { stream_description: description })
}

/// DescribeStreamSummary.
pub fn summary(db: &Connection, config: &Config, input: Named) -> Result<Summarised, ApiError> {
    let stream = named(db, config, &input.stream_name, &input.stream_arn)?;
    let mut description = Description::of(config, &stream);
    description.open_shard_count = Some(shards::open(db, &stream.name)?.len());
    description.consumer_count = Some(0);
    description.max_record_kib = Some(stream.max_record_kib);
    Ok(Summarised { stream_description_summary: description })
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct List {
    limit: Option<i64>,
    exclusive_start_stream_name: Option<String>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Listed {
    stream_names: Vec<String>,
    has_more_streams: bool,
    stream_summaries: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    stream_name: String,
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    stream_status: &'static str,
    stream_mode_details: serde_json::Value,
    stream_creation_timestamp: Timestamp,
}

/// ListStreams.
pub fn list(db: &Connection, config: &Config, input: List) -> Result<Listed, ApiError> {
    let limit = check::within(input.limit.unwrap_or(DEFAULT_STREAMS), "limit", 1, MAX_PAGE)?;
    let after = match input.next_token {
        Some(token) => token_name(&token)?,
        None => input.exclusive_start_stream_name.unwrap_or_default(),
    };
    let mut statement = db.prepare_cached("SELECT * FROM kinesis_streams WHERE name > ?1 ORDER BY name LIMIT ?2")?;
    let mut streams = statement.query_map((after, limit + 1), Stream::from_row)?.collect::<Result<Vec<_>, _>>()?;
    let more = streams.len() as i64 > limit;
    streams.truncate(limit as usize);
    let last = streams.last().filter(|_| more);
    Ok(Listed {
        next_token: last.map(|stream| BASE64_STANDARD.encode(&stream.name)),
        has_more_streams: more,
        stream_names: streams.iter().map(|stream| stream.name.clone()).collect(),
        stream_summaries: streams
            .iter()
            .map(|stream| Summary {
                stream_name: stream.name.clone(),
                stream_arn: stream.arn(config),
                stream_status: "ACTIVE",
                stream_mode_details: json!({ "StreamMode": stream.mode.as_str() }),
                stream_creation_timestamp: Timestamp(stream.created),
            })
            .collect(),
    })
}

fn token_name(token: &str) -> Result<String, ApiError> {
    let bytes = BASE64_STANDARD.decode(token).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| invalid("NextToken is invalid."))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Retention {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    retention_period_hours: Option<i64>,
}

/// IncreaseStreamRetentionPeriod.
pub fn increase_retention(tx: &Tx<'_>, input: Retention) -> Result<(), ApiError> {
    let stream = named(tx, tx.config(), &input.stream_name, &input.stream_arn)?;
    let hours = check::required(input.retention_period_hours, "retentionPeriodHours")?;
    let hours = check_retention(&stream.name, hours)?;
    if hours < stream.retention_hours {
        return Err(invalid(format!(
            "Requested retention period ({hours} hours) for stream {} can not be shorter than existing retention period \
             ({} hours). Use DecreaseRetentionPeriod API.",
            stream.name, stream.retention_hours
        )));
    }
    set_retention(tx, &stream, hours)
}

/// DecreaseStreamRetentionPeriod.
pub fn decrease_retention(tx: &Tx<'_>, input: Retention) -> Result<(), ApiError> {
    let stream = named(tx, tx.config(), &input.stream_name, &input.stream_arn)?;
    let hours = check::required(input.retention_period_hours, "retentionPeriodHours")?;
    let hours = check_retention(&stream.name, hours)?;
    if hours > stream.retention_hours {
        return Err(invalid(format!(
            "Requested retention period ({hours} hours) for stream {} can not be longer than existing retention period \
             ({} hours). Use IncreaseRetentionPeriod API.",
            stream.name, stream.retention_hours
        )));
    }
    set_retention(tx, &stream, hours)
}

fn check_retention(stream: &str, hours: i64) -> Result<i64, ApiError> {
    let bound = match hours {
        ..MIN_RETENTION_HOURS => format!("Minimum allowed retention period is {MIN_RETENTION_HOURS} hours"),
        MIN_RETENTION_HOURS..=MAX_RETENTION_HOURS => return Ok(hours),
        _ => format!("Maximum allowed retention period is {MAX_RETENTION_HOURS} hours"),
    };
    let side = if hours < MIN_RETENTION_HOURS { "short" } else { "long" };
    Err(invalid(format!("{bound}. Requested retention period ({hours} hours) for stream {stream} is too {side}.")))
}

fn set_retention(tx: &Tx<'_>, stream: &Stream, hours: i64) -> Result<(), ApiError> {
    tx.prepare_cached("UPDATE kinesis_streams SET retention_hours = ?2 WHERE name = ?1")?
        .execute((&stream.name, hours))?;
    Ok(())
}
