//! CloudWatch Logs: groups, streams, events; what functions print goes to their group.
//!
//! An event is one row with an id that is never used again; order is (timestamp, id), so that events of one instant stay in
//! the order in which they came, and a page's token is the place of an event in that order. Events older than their group keeps
//! them are never read, and are removed by whoever writes to the group next, a bounded number at a time.
//!
//! Absent: subscription filters, metric filters and Logs Insights (a 501 each), filter patterns beyond plain terms and quoted
//! phrases.

mod errors;
mod events;
mod groups;
mod operations;
mod pattern;
mod query;
mod streams;
#[cfg(test)]
mod tests;

pub use events::append;
pub use groups::ensure_group;
pub use operations::call;

/// The tables.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS logs_groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    retention_days INTEGER,
    bytes INTEGER NOT NULL DEFAULT 0,
    tags TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE TABLE IF NOT EXISTS logs_streams (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    first_event INTEGER,
    last_event INTEGER,
    last_ingested INTEGER,
    UNIQUE (group_id, name)
) STRICT;
CREATE TABLE IF NOT EXISTS logs_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: it is in the ids and tokens that clients keep
    group_id INTEGER NOT NULL,
    stream_id INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    ingested_at INTEGER NOT NULL,
    message TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS logs_events_stream ON logs_events (stream_id, timestamp);
CREATE INDEX IF NOT EXISTS logs_events_group ON logs_events (group_id, timestamp);
";
