//! SQS: standard queues, visibility, redrive.

use crate::Ctx;
use crate::error::ApiError;
use crate::store::Tx;
use crate::wire::protocol::{Call, Reply};
use std::collections::BTreeMap;

/// The tables.
pub const SCHEMA: &str = "";

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
}

/// Makes a queue or brings it to `spec`; returns its ARN.
pub fn ensure_queue(_tx: &Tx<'_>, spec: &QueueSpec) -> Result<String, ApiError> {
    Err(ApiError::not_emulated("sqs", &spec.name))
}

/// Puts a message into the queue of this ARN; returns its id.
pub fn enqueue(_tx: &Tx<'_>, queue_arn: &str, _message: NewMessage) -> Result<String, ApiError> {
    Err(ApiError::not_emulated("sqs", queue_arn))
}

/// Receives up to `max` visible messages and hides them for `visibility_ms` (`None`: the queue's own time-out). Messages over
/// the redrive policy's count go to the dead-letter queue instead.
pub fn receive(
    _tx: &Tx<'_>,
    queue_arn: &str,
    _max: usize,
    _visibility_ms: Option<i64>,
) -> Result<Vec<Received>, ApiError> {
    Err(ApiError::not_emulated("sqs", queue_arn))
}

/// Deletes received messages by receipt handle; one that is gone is no error.
pub fn delete(_tx: &Tx<'_>, queue_arn: &str, _receipt_handles: &[String]) -> Result<(), ApiError> {
    Err(ApiError::not_emulated("sqs", queue_arn))
}

/// When the next hidden message of the queue becomes visible, epoch ms; `None` with none hidden.
pub fn next_visible_at(_db: &rusqlite::Connection, queue_arn: &str) -> Result<Option<i64>, ApiError> {
    Err(ApiError::not_emulated("sqs", queue_arn))
}

/// Answers an operation.
pub async fn call(_ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    match call.operation.as_str() {
        other => Err(ApiError::not_emulated("sqs", other)),
    }
}
