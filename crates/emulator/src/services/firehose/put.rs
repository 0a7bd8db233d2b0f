//! PutRecord and PutRecordBatch: the limits, and the rows they make.

use rusqlite::OptionalExtension;

use super::configuration::{Configuration, invalid};
use super::records::{self, Stage};
use super::streams::{self, invalid_value};
use crate::error::ApiError;
use crate::store::{Tx, Wake};
use crate::wire::types::Blob;

/// Records of a PutRecordBatch (Firehose quotas).
pub const MAX_BATCH_RECORDS: usize = 500;

/// Bytes of a record before base64: 1,000 KiB (Firehose quotas).
pub const MAX_RECORD_BYTES: usize = 1_024_000;

/// Bytes of a PutRecordBatch: 4 MiB (Firehose quotas).
pub const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;

/// The regions with the larger quotas of direct put.
const LARGE_REGIONS: [&str; 3] = ["us-east-1", "us-west-2", "eu-west-1"];

/// What a stream takes in a second, as direct put (Firehose quotas).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    requests: f64,
    records: f64,
    bytes: f64,
}

const LARGE_QUOTA: Quota = Quota { requests: 2_000.0, records: 500_000.0, bytes: 5.0 * 1024.0 * 1024.0 };
const SMALL_QUOTA: Quota = Quota { requests: 1_000.0, records: 100_000.0, bytes: 1024.0 * 1024.0 };

/// The quota of a region.
pub fn quota(region: &str) -> Quota {
    if LARGE_REGIONS.contains(&region) { LARGE_QUOTA } else { SMALL_QUOTA }
}

/// Token buckets that hold a second's worth. A record larger than what is left of the bytes is taken on credit, or one above a
/// second's worth never could be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Buckets {
    at: i64,
    left: Quota,
}

impl Buckets {
    fn full(at: i64, quota: Quota) -> Buckets {
        Buckets { at, left: quota }
    }

    fn refill(&mut self, now: i64, quota: Quota) {
        let seconds = (now - self.at).max(0) as f64 / 1000.0;
        self.at = self.at.max(now);
        let add = |left: f64, rate: f64| (left + rate * seconds).min(rate);
        self.left = Quota {
            requests: add(self.left.requests, quota.requests),
            records: add(self.left.records, quota.records),
            bytes: add(self.left.bytes, quota.bytes),
        };
    }

    fn take_request(&mut self) -> bool {
        let granted = self.left.requests >= 1.0;
        self.left.requests -= f64::from(u8::from(granted));
        granted
    }

    fn take_record(&mut self, bytes: usize) -> bool {
        let granted = self.left.records >= 1.0 && self.left.bytes > 0.0;
        if granted {
            self.left.records -= 1.0;
            self.left.bytes -= bytes as f64;
        }
        granted
    }
}

/// What a client sees when a stream is asked for more than its quota.
pub fn slow_down() -> ApiError {
    ApiError::new(http::StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableException", "Slow down.")
}

/// Checks a call against the limits of the service.
pub fn check(records: &[Blob]) -> Result<(), ApiError> {
    let constraint = |most: usize| format!("Member must have length less than or equal to {most}");
    if records.is_empty() {
        return Err(invalid_value("records", None, "Member must have length greater than or equal to 1"));
    }
    if records.len() > MAX_BATCH_RECORDS {
        return Err(invalid_value("records", None, &constraint(MAX_BATCH_RECORDS)));
    }
    for (index, record) in records.iter().enumerate() {
        if record.0.len() > MAX_RECORD_BYTES {
            let member = format!("records.{}.member.data", index + 1);
            return Err(invalid_value(&member, None, &constraint(MAX_RECORD_BYTES)));
        }
    }
    if records.iter().map(|record| record.0.len()).sum::<usize>() > MAX_BATCH_BYTES {
        return Err(invalid("Records size exceeds 4 MB limit"));
    }
    Ok(())
}

/// Puts records into a direct-put stream. For each, in order: whether it was taken; the rest is over the stream's quota, or
/// `refused` (by injected faults; empty without).
pub fn put(tx: &Tx<'_>, name: &str, records: &[Blob], refused: &[bool]) -> Result<Vec<bool>, ApiError> {
    let stream = streams::get(tx, tx.config(), name)?;
    if stream.configuration.kinesis_stream_source_configuration.is_some() {
        let message = "This operation is not permitted on KinesisStreamAsSource delivery stream type.";
        return Err(invalid(message));
    }
    let quota = quota(&tx.config().region);
    let mut buckets = load(tx, stream.id)?.unwrap_or_else(|| Buckets::full(tx.now(), quota));
    buckets.refill(tx.now(), quota);
    if !buckets.take_request() {
        return Err(slow_down());
    }
    let mut take =
        |(index, record): (usize, &Blob)| refused.get(index) != Some(&true) && buckets.take_record(record.0.len());
    let taken: Vec<bool> = records.iter().enumerate().map(&mut take).collect();
    save(tx, stream.id, &buckets)?;
    let accepted = records.iter().zip(&taken).filter(|(_, taken)| **taken).map(|(record, _)| Arrived {
        arrival: tx.now(),
        data: &record.0,
        about: None,
    });
    enter(tx, stream.id, &stream.configuration, accepted)?;
    tx.wake(Wake::Delivery(name.to_owned()));
    Ok(taken)
}

/// A record that comes into a stream.
pub struct Arrived<'a> {
    pub arrival: i64,
    pub data: &'a [u8],
    /// [`super::answer::KinesisMetadata`] as JSON.
    pub about: Option<String>,
}

/// Makes the rows of records that came into a stream: for the function or for delivery, and for the backup.
pub fn enter<'a>(
    tx: &Tx<'_>,
    stream: i64,
    configuration: &Configuration,
    arrived: impl Iterator<Item = Arrived<'a>>,
) -> Result<(), ApiError> {
    let stage = if configuration.transforms() { Stage::Raw } else { Stage::Ready };
    let backup = configuration.backs_up();
    let (mut count, mut bytes) = (0, 0);
    for record in arrived {
        count += 1;
        bytes += record.data.len() as i64;
        records::insert(tx, stream, stage, record.arrival, record.data, record.about.as_deref())?;
        if backup {
            records::insert(tx, stream, Stage::Backup, record.arrival, record.data, None)?;
        }
    }
    records::add(tx, stream, stage, count, bytes)?;
    if backup { records::add(tx, stream, Stage::Backup, count, bytes) } else { Ok(()) }
}

fn load(tx: &Tx<'_>, stream: i64) -> Result<Option<Buckets>, ApiError> {
    Ok(tx
        .prepare_cached("SELECT at, requests, records, bytes FROM firehose_rates WHERE stream = ?1")?
        .query_row([stream], |row| {
            let left = Quota { requests: row.get(1)?, records: row.get(2)?, bytes: row.get(3)? };
            Ok(Buckets { at: row.get(0)?, left })
        })
        .optional()?)
}

fn save(tx: &Tx<'_>, stream: i64, buckets: &Buckets) -> Result<(), ApiError> {
    let left = buckets.left;
    tx.prepare_cached("INSERT OR REPLACE INTO firehose_rates VALUES (?1, ?2, ?3, ?4, ?5)")?.execute((
        stream,
        buckets.at,
        left.requests,
        left.records,
        left.bytes,
    ))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_a_second() {
        let quota = Quota { requests: 2.0, records: 3.0, bytes: 100.0 };
        let mut buckets = Buckets::full(0, quota);
        assert_eq!([(); 3].map(|()| buckets.take_request()), [true, true, false]);
        // The second record goes on credit; then there are none left.
        assert_eq!([99, 150, 1].map(|bytes| buckets.take_record(bytes)), [true, true, false]);
        buckets.refill(1000, quota);
        assert!(!buckets.take_record(1), "149 bytes of credit are not paid back in a second");
        buckets.refill(2000, quota);
        assert_eq!([(); 4].map(|()| buckets.take_record(0)), [true, true, true, false]);
        buckets.refill(1, quota);
        assert!(!buckets.take_record(0), "a clock that goes back gives nothing");
        buckets.refill(60_000, quota);
        assert_eq!(buckets.left, quota);
    }

    #[test]
    fn calls_beyond_the_limits_are_refused_whole() {
        let of = |sizes: &[usize]| check(&sizes.iter().map(|n| Blob(vec![0; *n].into())).collect::<Vec<_>>());
        assert!(of(&[0]).is_ok());
        assert!(of(&[1; 500]).is_ok());
        assert!(of(&[MAX_RECORD_BYTES; 4]).is_ok());
        for (sizes, code) in [
            (vec![], "ValidationException"),
            (vec![1; 501], "ValidationException"),
            (vec![MAX_RECORD_BYTES + 1], "ValidationException"),
            (vec![MAX_RECORD_BYTES; 5], "InvalidArgumentException"),
        ] {
            assert_eq!(of(&sizes).unwrap_err().code, code);
        }
    }
}
