//! Puts: the shard of a partition key, the rate of a shard, the record's index.

use bytes::Bytes;
use md5::{Digest, Md5};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::check::{self, hash_key, invalid};
use super::shards::{self, Row};
use super::streams::{self, Stream};
use crate::error::ApiError;
use crate::faults;
use crate::store::{Tx, Wake};
use crate::wire::types::Blob;

/// Records in one PutRecords (service model).
pub const MAX_RECORDS: usize = 500;

/// Data and partition keys of one PutRecords (PutRecords: 10 MiB).
const MAX_REQUEST_BYTES: usize = 10 * 1024 * 1024;

/// Characters in a partition key (service model).
const MAX_PARTITION_KEY: usize = 256;

/// Records a second into one shard (Kinesis quotas).
pub const SHARD_RECORDS_PER_SECOND: f64 = 1000.0;

/// Bytes of data and partition keys a second into one shard (Kinesis quotas: 1 MB/s, meant as MiB).
pub const SHARD_BYTES_PER_SECOND: f64 = 1_048_576.0;

/// How many expired records a put removes at most: bounds what one put costs.
const EXPIRE_AT_ONCE: i64 = 2000;

/// A record to put.
#[derive(Debug, Clone)]
pub struct NewRecord {
    /// 1 to 256 characters; its MD5 chooses the shard.
    pub partition_key: String,
    /// Chooses the shard in its place: decimal, below 2^128.
    pub explicit_hash_key: Option<String>,
    /// The data.
    pub data: Bytes,
}

/// Where a record went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// `shardId-000000000000`.
    pub shard_id: String,
    /// Its sequence number.
    pub sequence_number: String,
}

/// Puts records in their order. A record that breaks a rule refuses them all; one whose shard is over its rate fails alone, with
/// `ProvisionedThroughputExceededException` in its place.
pub fn put(tx: &Tx<'_>, stream: &str, records: Vec<NewRecord>) -> Result<Vec<Result<Put, ApiError>>, ApiError> {
    let stream = shards::existing(tx, stream)?;
    let mut targets = Vec::with_capacity(records.len());
    for (index, record) in records.iter().enumerate() {
        targets.push(check_record(&stream, record, &format!("records.{}.member", index + 1))?);
    }
    let mut shards = writable(tx, &stream.name)?;
    let mut results = Vec::with_capacity(records.len());
    for (record, hash) in records.into_iter().zip(targets) {
        let place = shards.partition_point(|shard| shard.row.hash_end < hash);
        let shard = shards.get_mut(place).ok_or_else(|| ApiError::internal(format!("no open shard for {hash}")))?;
        results.push(match shard.admit(tx.now(), record.partition_key.len() + record.data.len()) {
            true => Ok(shard.append(tx, &record)?),
            false => Err(too_fast(tx, &stream, &shard.row)),
        });
    }
    shards.iter().filter(|shard| shard.touched).try_for_each(|shard| shard.save(tx))?;
    expire(tx, &stream)?;
    if results.iter().any(Result::is_ok) {
        tx.wake(Wake::Stream(stream.name));
    }
    Ok(results)
}

/// Checks a record and returns its hash key.
fn check_record(stream: &Stream, record: &NewRecord, path: &str) -> Result<u128, ApiError> {
    check::length(&record.partition_key, &format!("{path}.partitionKey"), 1, MAX_PARTITION_KEY)?;
    let max = stream.max_record_kib as usize * 1024;
    if record.data.len() > max {
        let value = format!("'{} bytes'", record.data.len());
        let constraint = format!("have length less than or equal to {max}");
        return Err(check::validation(&value, &format!("{path}.data"), &constraint));
    }
    let size = record.data.len() + record.partition_key.len();
    if size > max {
        let message = format!(
            "{path} has {size} bytes of data and partition key: more than the {} KiB that a record of stream {} may have.",
            stream.max_record_kib, stream.name
        );
        return Err(invalid(message));
    }
    match &record.explicit_hash_key {
        Some(key) => hash_key(key, &format!("{path}.explicitHashKey")),
        None => Ok(u128::from_be_bytes(Md5::digest(&record.partition_key).into())),
    }
}

fn too_fast(tx: &Tx<'_>, stream: &Stream, shard: &Row) -> ApiError {
    let id = shards::id(shard.number);
    let account = &tx.config().account;
    let message = format!("Rate exceeded for shard {id} in stream {} under account {account}.", stream.name);
    ApiError::bad_request("ProvisionedThroughputExceededException", message)
}

/// An open shard while records are put into it.
struct Writable {
    row: Row,
    last_arrival: i64,
    records: Meter,
    bytes: Meter,
    touched: bool,
}

fn writable(db: &Connection, stream: &str) -> Result<Vec<Writable>, ApiError> {
    let rows = shards::open(db, stream)?;
    let mut statement = db.prepare_cached(
        "SELECT last_arrival, metered, written_records, written_bytes FROM kinesis_shards WHERE id = ?1",
    )?;
    rows.into_iter()
        .map(|row| {
            Ok(statement.query_row([row.key], |columns| {
                let at = columns.get(1)?;
                Ok(Writable {
                    last_arrival: columns.get(0)?,
                    records: Meter { at, level: columns.get(2)?, rate: SHARD_RECORDS_PER_SECOND },
                    bytes: Meter { at, level: columns.get(3)?, rate: SHARD_BYTES_PER_SECOND },
                    touched: false,
                    row,
                })
            })?)
        })
        .collect()
}

impl Writable {
    /// Whether the shard's rate has room for one more record.
    fn admit(&mut self, now: i64, bytes: usize) -> bool {
        let bytes = bytes as f64;
        // Both, always: they share the instant that is saved.
        let room = (self.records.has_room(now, 1.0), self.bytes.has_room(now, bytes));
        let admitted = room == (true, true);
        if admitted {
            self.records.add(1.0);
            self.bytes.add(bytes);
        }
        admitted
    }

    fn append(&mut self, tx: &Tx<'_>, record: &NewRecord) -> Result<Put, ApiError> {
        self.row.last_index += 1;
        // Arrivals never go back in a shard, whatever the clock does: AT_TIMESTAMP and the retention rely on it.
        self.last_arrival = self.last_arrival.max(tx.now());
        self.touched = true;
        tx.prepare_cached(
            "INSERT INTO kinesis_records (shard, ix, arrival, partition_key, data) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((
            self.row.key,
            self.row.last_index,
            self.last_arrival,
            &record.partition_key,
            &record.data[..],
        ))?;
        Ok(Put {
            shard_id: shards::id(self.row.number),
            sequence_number: self.row.sequence(self.row.last_index, self.last_arrival).to_decimal(),
        })
    }

    fn save(&self, tx: &Tx<'_>) -> Result<(), ApiError> {
        tx.prepare_cached(
            "UPDATE kinesis_shards SET last_index = ?2, last_arrival = ?3, metered = ?4, written_records = ?5,
                 written_bytes = ?6 WHERE id = ?1",
        )?
        .execute((
            self.row.key,
            self.row.last_index,
            self.last_arrival,
            self.records.at,
            self.records.level,
            self.bytes.level,
        ))?;
        Ok(())
    }
}

/// A leaking bucket: what was used, minus what a constant rate has since given back. It holds one second's worth.
#[derive(Debug, Clone, Copy)]
pub struct Meter {
    /// When `level` was so, epoch milliseconds.
    pub at: i64,
    /// What is used.
    pub level: f64,
    /// What a second gives back.
    pub rate: f64,
}

impl Meter {
    /// Whether `amount` more may be used now. On an idle shard one record passes however large it is.
    pub fn has_room(&mut self, now: i64, amount: f64) -> bool {
        // A clock that went back gives nothing back.
        let elapsed = now.saturating_sub(self.at).max(0) as f64 / 1000.0;
        self.level = (self.level - elapsed * self.rate).max(0.0);
        self.at = now;
        self.level == 0.0 || self.level + amount <= self.rate
    }

    /// Uses `amount`.
    pub fn add(&mut self, amount: f64) {
        self.level += amount;
    }
}

/// Removes some of the stream's records that are past the retention, and closed shards that have none left.
fn expire(tx: &Tx<'_>, stream: &Stream) -> Result<(), ApiError> {
    let horizon = stream.horizon(tx.now());
    tx.prepare_cached(
        "DELETE FROM kinesis_records WHERE rowid IN (
             SELECT r.rowid FROM kinesis_shards s JOIN kinesis_records r ON r.shard = s.id AND r.arrival < ?2
             WHERE s.stream = ?1 LIMIT ?3)",
    )?
    .execute((&stream.name, horizon, EXPIRE_AT_ONCE))?;
    tx.prepare_cached(
        "DELETE FROM kinesis_shards WHERE stream = ?1 AND closed < ?2
             AND NOT EXISTS (SELECT 1 FROM kinesis_records WHERE shard = kinesis_shards.id)",
    )?
    .execute((&stream.name, horizon))?;
    Ok(())
}

/// PutRecord's input. SequenceNumberForOrdering is not read: sequence numbers rise with every put anyway.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct One {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    partition_key: Option<String>,
    explicit_hash_key: Option<String>,
    data: Option<Blob>,
    dry_run: bool,
}

/// Where PutRecord put it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OneResult {
    shard_id: String,
    sequence_number: String,
}

/// PutRecord.
pub fn put_record(tx: &Tx<'_>, input: One) -> Result<OneResult, ApiError> {
    check::no_dry_run(input.dry_run, "PutRecord")?;
    let stream = streams::named(tx, tx.config(), &input.stream_name, &input.stream_arn)?;
    let record = NewRecord {
        partition_key: check::required(input.partition_key, "partitionKey")?,
        explicit_hash_key: input.explicit_hash_key,
        data: check::required(input.data, "data")?.0,
    };
    let result = put(tx, &stream.name, vec![record])?.pop().ok_or_else(|| ApiError::internal("no result of a put"))?;
    let Put { shard_id, sequence_number } = result?;
    Ok(OneResult { shard_id, sequence_number })
}

/// PutRecords' input.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Many {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    records: Option<Vec<Entry>>,
    dry_run: bool,
}

/// A record of PutRecords.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Entry {
    partition_key: Option<String>,
    explicit_hash_key: Option<String>,
    data: Option<Blob>,
}

/// What became of the records of PutRecords, in their order.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ManyResult {
    pub failed_record_count: usize,
    pub records: Vec<EntryResult>,
}

/// What became of one record.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EntryResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

/// PutRecords; the records `refused` (by injected faults; empty without) are answered as if their shard had throttled them.
pub fn put_records(tx: &Tx<'_>, input: Many, refused: &[bool]) -> Result<ManyResult, ApiError> {
    check::no_dry_run(input.dry_run, "PutRecords")?;
    let stream = streams::named(tx, tx.config(), &input.stream_name, &input.stream_arn)?;
    let entries = check::required(input.records, "records")?;
    check_count(entries.len())?;
    let mut records = Vec::with_capacity(entries.len());
    for (index, entry) in entries.into_iter().enumerate() {
        let path = format!("records.{}.member", index + 1);
        records.push(NewRecord {
            partition_key: check::required(entry.partition_key, &format!("{path}.partitionKey"))?,
            explicit_hash_key: entry.explicit_hash_key,
            data: check::required(entry.data, &format!("{path}.data"))?.0,
        });
    }
    let bytes: usize = records.iter().map(|record| record.data.len() + record.partition_key.len()).sum();
    if bytes > MAX_REQUEST_BYTES {
        let mib = MAX_REQUEST_BYTES / (1024 * 1024);
        return Err(invalid(format!("Records size exceeds {mib} MB limit")));
    }
    let mut kept = Vec::with_capacity(records.len());
    let mut answers: Vec<Option<EntryResult>> = Vec::with_capacity(records.len());
    for (index, record) in records.into_iter().enumerate() {
        let refused = refused.get(index) == Some(&true);
        answers.push(refused.then(|| EntryResult::from(Err(faults::throttled("kinesis")))));
        if !refused {
            kept.push(record);
        }
    }
    let mut put = put(tx, &stream.name, kept)?.into_iter().map(EntryResult::from);
    let records: Vec<EntryResult> =
        answers.into_iter().map(|refused| refused.or_else(|| put.next()).unwrap_or_default()).collect();
    let failed_record_count = records.iter().filter(|record| record.error_code.is_some()).count();
    Ok(ManyResult { failed_record_count, records })
}

fn check_count(count: usize) -> Result<(), ApiError> {
    let bound = match count {
        0 => "greater than or equal to 1".to_owned(),
        1..=MAX_RECORDS => return Ok(()),
        _ => format!("less than or equal to {MAX_RECORDS}"),
    };
    Err(check::validation(&format!("'[{count} records]'"), "records", &format!("have length {bound}")))
}

impl From<Result<Put, ApiError>> for EntryResult {
    fn from(result: Result<Put, ApiError>) -> Self {
        match result {
            Ok(Put { shard_id, sequence_number }) => EntryResult {
                shard_id: Some(shard_id),
                sequence_number: Some(sequence_number),
                ..EntryResult::default()
            },
            Err(error) => EntryResult {
                error_code: Some(error.code),
                error_message: Some(error.message),
                ..EntryResult::default()
            },
        }
    }
}
