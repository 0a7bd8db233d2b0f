//! SQS: standard queues, visibility, redrive.
//!
//! A message is one row. `visible_at` alone decides whether it can be received: a delay, a receipt and a change of visibility
//! set it; `receipt` tells a message in flight from a delayed one. A receive takes the visible rows in the order in which they
//! became visible, and buries those that were received too often in the dead-letter queue. Messages older than the queue keeps
//! them are removed by whoever uses the queue next, a bounded number at a time, and are never given out.
//!
//! Absent: FIFO queues, the query protocol of SDKs from before 2023 (both answered by a clear 501), access policies (kept, not
//! enforced).

mod attributes;
mod batch;
mod errors;
mod md5;
mod messages;
mod moves;
mod operations;
mod queues;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use messages::{delete, enqueue, next_visible_at, receive};
pub use operations::call;
pub use queues::ensure_queue;

use std::collections::BTreeMap;

/// The tables.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS sqs_queues (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again, so that a queue made anew does not find old messages
    name TEXT NOT NULL UNIQUE,
    visibility_timeout INTEGER NOT NULL,
    retention INTEGER NOT NULL,
    delay INTEGER NOT NULL,
    receive_wait INTEGER NOT NULL,
    redrive_arn TEXT,
    redrive_count INTEGER,
    attributes TEXT NOT NULL,
    tags TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    purged_at INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS sqs_messages (
    id INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    body TEXT NOT NULL,
    md5 TEXT NOT NULL,
    attributes TEXT NOT NULL,
    trace TEXT, -- AWSTraceHeader
    source_arn TEXT, -- of a dead letter: where it was
    sent_at INTEGER NOT NULL,
    visible_at INTEGER NOT NULL,
    first_received_at INTEGER,
    receive_count INTEGER NOT NULL DEFAULT 0,
    receipt TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS sqs_messages_visible ON sqs_messages (queue, visible_at);
CREATE INDEX IF NOT EXISTS sqs_messages_sent ON sqs_messages (queue, sent_at);
CREATE INDEX IF NOT EXISTS sqs_messages_in_flight ON sqs_messages (queue, visible_at) WHERE receipt IS NOT NULL;
CREATE TABLE IF NOT EXISTS sqs_moves (
    id INTEGER PRIMARY KEY,
    handle TEXT NOT NULL,
    source_arn TEXT NOT NULL,
    destination_arn TEXT,
    moved INTEGER NOT NULL,
    started_at INTEGER NOT NULL
) STRICT;
";

/// A queue as the template or CreateQueue wants it. Times in seconds, as SQS has them.
#[derive(Debug, Clone)]
pub struct QueueSpec {
    /// Its name.
    pub name: String,
    /// `VisibilityTimeout`, default 30.
    pub visibility_timeout: i64,
    /// `MessageRetentionPeriod`, default 345,600.
    pub retention: i64,
    /// `DelaySeconds`, default 0.
    pub delay: i64,
    /// `ReceiveMessageWaitTimeSeconds`, default 0.
    pub receive_wait: i64,
    /// `RedrivePolicy`: the dead-letter queue's ARN and how often a message is received before it goes there.
    pub redrive: Option<(String, u32)>,
    /// Everything else that was set (`Policy`, `SqsManagedSseEnabled`, …), kept to be shown.
    pub attributes: BTreeMap<String, String>,
}

/// A message to put into a queue.
#[derive(Debug, Clone, Default)]
pub struct NewMessage {
    /// At most 1 MiB of text.
    pub body: String,
    /// `MessageAttributes`, as given: name to `{DataType, StringValue | BinaryValue}`.
    pub attributes: serde_json::Map<String, serde_json::Value>,
    /// Before it can be seen, ms; `None` takes the queue's.
    pub delay_ms: Option<i64>,
}

/// A message that was received and not yet deleted.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its id, the same at each receipt.
    pub message_id: String,
    /// The handle of this receipt.
    pub receipt_handle: String,
    /// The text.
    pub body: String,
    /// MD5 of the text, hex.
    pub md5: String,
    /// `MessageAttributes`, as given.
    pub attributes: serde_json::Map<String, serde_json::Value>,
    /// When it was sent, epoch ms.
    pub sent_at: i64,
    /// When it was first received, epoch ms.
    pub first_received_at: i64,
    /// How often it was received, this time included.
    pub receive_count: u32,
    /// `AWSTraceHeader`, when it was sent with one.
    pub trace_header: Option<String>,
    /// `DeadLetterQueueSourceArn`: the queue that gave it up.
    pub dead_letter_source: Option<String>,
}
