//! SNS: topics, subscriptions to SQS and Lambda, raw delivery, filter policies.
//!
//! A publication is delivered by the transaction that publishes it: for each subscription whose filter policy lets it pass, a
//! queue entry or an asynchronous event is written beside whatever the publisher wrote. There is nothing to retry; a
//! subscription whose queue or function is gone sends to its own dead-letter queue, or loses the message with a warning.
//!
//! Absent: every other protocol than SQS and Lambda, FIFO topics, signatures (the envelope's is empty), access policies (kept,
//! not enforced).

mod delivery;
mod errors;
mod filter;
mod operations;
mod subscriptions;
#[cfg(test)]
mod tests;
mod topics;

pub use delivery::publish;
pub use operations::call;
pub use subscriptions::ensure_subscription;
pub use topics::ensure_topic;

/// The tables.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS sns_topics (
    name TEXT PRIMARY KEY,
    attributes TEXT NOT NULL,
    tags TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE TABLE IF NOT EXISTS sns_subscriptions (
    arn TEXT PRIMARY KEY,
    topic_arn TEXT NOT NULL,
    protocol TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    raw INTEGER NOT NULL,
    filter_policy TEXT,
    filter_body INTEGER NOT NULL,
    redrive_arn TEXT,
    UNIQUE (topic_arn, protocol, endpoint)
) STRICT;
";

/// A subscription as the template or Subscribe wants it.
#[derive(Debug, Clone)]
pub struct SubscriptionSpec {
    /// The topic.
    pub topic_arn: String,
    /// `sqs` or `lambda`.
    pub protocol: String,
    /// The queue's or function's ARN.
    pub endpoint: String,
    /// `RawMessageDelivery`.
    pub raw: bool,
    /// `FilterPolicy`.
    pub filter_policy: Option<serde_json::Value>,
    /// `FilterPolicyScope`: `MessageBody` instead of `MessageAttributes`.
    pub filter_body: bool,
}

/// A message to publish.
#[derive(Debug, Clone, Default)]
pub struct Publication {
    /// The topic.
    pub topic_arn: String,
    /// `Subject`.
    pub subject: Option<String>,
    /// At most 256 KiB of text.
    pub message: String,
    /// `MessageAttributes`, as given: name to `{DataType, StringValue | BinaryValue}`.
    pub attributes: serde_json::Map<String, serde_json::Value>,
}
