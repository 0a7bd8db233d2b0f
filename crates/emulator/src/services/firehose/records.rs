//! The rows: records in their stages.

use delivery::{Buffer, Hints};
use rusqlite::{Connection, OptionalExtension};

use crate::error::ApiError;
use crate::store::Tx;

/// What a record waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The function.
    Raw = 0,
    /// Its object.
    Ready = 1,
    /// The error object.
    Failed = 2,
    /// The object of untouched records.
    Backup = 3,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub seq: i64,
    pub arrival: i64,
    pub data: Vec<u8>,
    pub about: Option<String>,
}

/// Rows of a stage that are dealt with together: those from `first` to `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    pub first: i64,
    pub last: i64,
    pub records: i64,
    pub bytes: i64,
}

impl Batch {
    /// The batch with one more row.
    pub fn with(batch: Option<Batch>, row: &Row) -> Batch {
        let bytes = row.data.len() as i64;
        match batch {
            None => Batch { first: row.seq, last: row.seq, records: 1, bytes },
            Some(b) => Batch { last: row.seq, records: b.records + 1, bytes: b.bytes + bytes, ..b },
        }
    }
}

/// A batch that failed and is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// The batch's last row.
    pub last: i64,
    /// How often it was tried.
    pub attempts: u32,
    /// When it first failed.
    pub since: i64,
    /// When it is tried again.
    pub next_at: i64,
}

/// How a stage stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    pub records: i64,
    pub bytes: i64,
    /// When its first row came into the stage.
    pub since: i64,
    /// When its first row arrived.
    pub arrival: i64,
    pub retry: Option<Retry>,
}

impl Head {
    /// The stage as a buffer with these hints.
    pub fn buffer(&self, hints: Hints) -> Buffer {
        Buffer::resume(hints, self.records as u64, self.bytes as u64, self.since)
    }
}

/// Appends a record to a stage; [`add`] counts it.
pub fn insert(
    tx: &Tx<'_>,
    stream: i64,
    stage: Stage,
    arrival: i64,
    data: &[u8],
    about: Option<&str>,
) -> Result<(), ApiError> {
    tx.prepare_cached(
        "INSERT INTO firehose_records (stream, stage, entered, arrival, data, about) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute((stream, stage as i64, tx.now(), arrival, data, about))?;
    Ok(())
}

/// Counts records that were appended to, or taken from (negative), a stage.
pub fn add(tx: &Tx<'_>, stream: i64, stage: Stage, records: i64, bytes: i64) -> Result<(), ApiError> {
    tx.prepare_cached(
        "INSERT INTO firehose_buffers VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET records = records + excluded.records, bytes = bytes + excluded.bytes",
    )?
    .execute((stream, stage as i64, records, bytes))?;
    Ok(())
}

/// How the stage stands.
pub fn head(db: &Connection, stream: i64, stage: Stage) -> Result<Head, ApiError> {
    let sums = db
        .prepare_cached("SELECT records, bytes FROM firehose_buffers WHERE stream = ?1 AND stage = ?2")?
        .query_row((stream, stage as i64), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (records, bytes) = sums.unwrap_or_default();
    let first = db
        .prepare_cached(
            "SELECT entered, arrival FROM firehose_records WHERE stream = ?1 AND stage = ?2 ORDER BY seq LIMIT 1",
        )?
        .query_row((stream, stage as i64), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (since, arrival) = first.unwrap_or_default();
    let retry = db
        .prepare_cached("SELECT last, attempts, since, next_at FROM firehose_retries WHERE stream = ?1 AND stage = ?2")?
        .query_row((stream, stage as i64), |row| {
            Ok(Retry { last: row.get(0)?, attempts: row.get(1)?, since: row.get(2)?, next_at: row.get(3)? })
        })
        .optional()?;
    Ok(Head { records, bytes, since, arrival, retry })
}

/// Shows the rows of a stage in order until `see` has enough (`false`).
pub fn visit(
    db: &Connection,
    stream: i64,
    stage: Stage,
    mut see: impl FnMut(Row) -> Result<bool, ApiError>,
) -> Result<(), ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT seq, arrival, data, about FROM firehose_records WHERE stream = ?1 AND stage = ?2 ORDER BY seq",
    )?;
    let mut rows = statement.query((stream, stage as i64))?;
    while let Some(row) = rows.next()? {
        let row = Row { seq: row.get(0)?, arrival: row.get(1)?, data: row.get(2)?, about: row.get(3)? };
        if !see(row)? {
            break;
        }
    }
    Ok(())
}

/// Takes the rows of a batch out of a stage for good. An error when they are not there any more.
pub fn remove(tx: &Tx<'_>, stream: i64, stage: Stage, batch: &Batch) -> Result<(), ApiError> {
    let removed = tx
        .prepare_cached("DELETE FROM firehose_records WHERE stream = ?1 AND stage = ?2 AND seq BETWEEN ?3 AND ?4")?
        .execute((stream, stage as i64, batch.first, batch.last))?;
    if removed as i64 != batch.records {
        let message = format!("firehose: {removed} rows where a batch of {} was read", batch.records);
        return Err(ApiError::internal(message));
    }
    add(tx, stream, stage, -batch.records, -batch.bytes)
}

/// Moves a row to another stage, with other data where it changed; [`add`] counts it.
pub fn advance(
    tx: &Tx<'_>,
    seq: i64,
    from: Stage,
    to: Stage,
    data: Option<&[u8]>,
    about: Option<&str>,
) -> Result<(), ApiError> {
    let moved = tx
        .prepare_cached(
            "UPDATE firehose_records SET stage = ?3, entered = ?4, data = coalesce(?5, data), about = ?6
             WHERE seq = ?1 AND stage = ?2",
        )?
        .execute((seq, from as i64, to as i64, tx.now(), data, about))?;
    if moved == 1 { Ok(()) } else { Err(ApiError::internal(format!("firehose: row {seq} is not where it was read"))) }
}

/// Takes a row out of a stage for good; [`add`] counts it.
pub fn discard(tx: &Tx<'_>, seq: i64, stage: Stage) -> Result<(), ApiError> {
    let removed = tx
        .prepare_cached("DELETE FROM firehose_records WHERE seq = ?1 AND stage = ?2")?
        .execute((seq, stage as i64))?;
    if removed == 1 { Ok(()) } else { Err(ApiError::internal(format!("firehose: row {seq} is not where it was read"))) }
}

/// Remembers that the batch at a stage's head failed.
pub fn set_retry(tx: &Tx<'_>, stream: i64, stage: Stage, retry: &Retry) -> Result<(), ApiError> {
    tx.prepare_cached("INSERT OR REPLACE INTO firehose_retries VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute((
        stream,
        stage as i64,
        retry.last,
        retry.attempts,
        retry.since,
        retry.next_at,
    ))?;
    Ok(())
}

/// Forgets it.
pub fn clear_retry(tx: &Tx<'_>, stream: i64, stage: Stage) -> Result<(), ApiError> {
    tx.prepare_cached("DELETE FROM firehose_retries WHERE stream = ?1 AND stage = ?2")?
        .execute((stream, stage as i64))?;
    Ok(())
}
