//! Firehose: direct put and Kinesis source, transformation, buffering, S3 destination.
//!
//! A record is a row of `firehose_records` in one of four stages: `Raw` waits for the function, `Ready` for its object,
//! `Failed` for the error object, `Backup` for the object of untouched records. [`put`] (or [`source`], which follows the shards
//! of a Kinesis stream) makes the row; [`transform`] takes a batch of raw rows to the function and, by the rules of [`answer`],
//! turns them into ready and failed ones; [`deliver`] turns a batch of rows into one object. Each step is one transaction that
//! takes the rows of the stage before and leaves what follows from them, the object and its notifications included: killed
//! anywhere, a stream goes on where it was, and only an invocation whose answer was not yet written is made again. Three tasks
//! a stream ([`worker`]) make these steps when a commit or the clock wakes them; when a batch is due is [`delivery::Buffer`]'s
//! decision.

mod aggregation;
mod answer;
mod configuration;
mod deliver;
mod journal;
mod operations;
mod overview;
mod put;
mod records;
mod settings;
mod source;
mod streams;
#[cfg(test)]
mod tests;
mod transform;
mod worker;

pub use operations::call;
pub use overview::{Overview, overview};
pub use streams::ensure_stream;
pub use worker::start;

/// The tables.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS firehose_streams (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- of this incarnation: a stream made again has another
    name TEXT NOT NULL UNIQUE,
    spec TEXT NOT NULL,                   -- configuration::Configuration, JSON
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,             -- epoch ms, as all times
    updated INTEGER NOT NULL,
    objects INTEGER NOT NULL DEFAULT 0,   -- delivered so far
    delivered_at INTEGER,
    delivered_key TEXT,
    error_at INTEGER,
    error TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS firehose_tags (
    stream INTEGER NOT NULL, key TEXT NOT NULL, value TEXT, PRIMARY KEY (stream, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS firehose_records (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    stream INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    entered INTEGER NOT NULL,             -- the stage
    arrival INTEGER NOT NULL,             -- at Firehose or at Kinesis
    data BLOB NOT NULL,
    about TEXT                            -- JSON: where it stood in Kinesis (raw), why it failed (failed)
) STRICT;
CREATE INDEX IF NOT EXISTS firehose_records_stage ON firehose_records (stream, stage, seq);
CREATE TABLE IF NOT EXISTS firehose_buffers ( -- sums over firehose_records
    stream INTEGER NOT NULL, stage INTEGER NOT NULL, records INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (stream, stage)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS firehose_retries ( -- of the batch at the head of a stage
    stream INTEGER NOT NULL, stage INTEGER NOT NULL,
    last INTEGER NOT NULL,                -- the batch is the stage's rows up to this seq
    attempts INTEGER NOT NULL,
    since INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    PRIMARY KEY (stream, stage)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS firehose_positions (
    stream INTEGER NOT NULL, shard TEXT NOT NULL,
    after TEXT,                           -- the sequence number read last
    ended INTEGER NOT NULL,
    PRIMARY KEY (stream, shard)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS firehose_rates (   -- token buckets, as left at `at`
    stream INTEGER PRIMARY KEY, at INTEGER NOT NULL, requests REAL NOT NULL, records REAL NOT NULL, bytes REAL NOT NULL
) STRICT;
";
