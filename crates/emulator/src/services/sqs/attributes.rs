//! Queue attributes as the API writes them: strings by name.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::Deserialize;
use serde_json::{Value, json};

use super::queues::Queue;
use super::{QueueSpec, errors};
use crate::config::Config;
use crate::error::ApiError;

/// Seconds that a received message can be hidden ("Amazon SQS message quotas": 12 hours).
pub const VISIBILITY_SECONDS: RangeInclusive<i64> = 0..=43_200;
/// Seconds that a message is kept (quotas: one minute to 14 days).
const RETENTION_SECONDS: RangeInclusive<i64> = 60..=1_209_600;
/// Seconds before a message can be seen (quotas: 15 minutes).
pub const DELAY_SECONDS: RangeInclusive<i64> = 0..=900;
/// Seconds that a receive can wait (quotas: 20).
pub const WAIT_SECONDS: RangeInclusive<i64> = 0..=20;
/// The longest message that a queue can be set to take (quotas: 1 KiB to 1 MiB since August 2025; 256 KiB before).
const MESSAGE_BYTES: RangeInclusive<i64> = 1_024..=1_048_576;
/// `maxReceiveCount` of a redrive policy (SetQueueAttributes).
const RECEIVE_COUNT: RangeInclusive<i64> = 1..=1_000;

/// Attributes that are kept and shown, and mean nothing here.
const KEPT: &[&str] =
    &["KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "Policy", "RedriveAllowPolicy", "SqsManagedSseEnabled"];

impl QueueSpec {
    /// A queue with the defaults of CreateQueue.
    pub fn new(name: impl Into<String>) -> Self {
        QueueSpec {
            name: name.into(),
            visibility_timeout: 30,
            retention: 345_600,
            delay: 0,
            receive_wait: 0,
            redrive: None,
            attributes: BTreeMap::new(),
        }
    }

    /// `MaximumMessageSize`, bytes.
    pub(super) fn maximum_message_size(&self) -> usize {
        let set = self.attributes.get("MaximumMessageSize").and_then(|text| text.parse().ok());
        set.unwrap_or(*MESSAGE_BYTES.end() as usize)
    }

    /// Sets attributes as CreateQueue and SetQueueAttributes give them; an empty value clears what can be cleared.
    pub(super) fn set(&mut self, attributes: &BTreeMap<String, String>) -> Result<(), ApiError> {
        for (name, value) in attributes {
            match name.as_str() {
                "VisibilityTimeout" => self.visibility_timeout = number(name, value)?,
                "MessageRetentionPeriod" => self.retention = number(name, value)?,
                "DelaySeconds" => self.delay = number(name, value)?,
                "ReceiveMessageWaitTimeSeconds" => self.receive_wait = number(name, value)?,
                "RedrivePolicy" => self.redrive = redrive(value)?,
                "MaximumMessageSize" => drop(self.attributes.insert(name.clone(), value.clone())),
                "FifoQueue" | "ContentBasedDeduplication" | "DeduplicationScope" | "FifoThroughputLimit" => {
                    return Err(ApiError::not_emulated("sqs", "FIFO queues"));
                }
                kept if KEPT.contains(&kept) && value.is_empty() => drop(self.attributes.remove(kept)),
                kept if KEPT.contains(&kept) => drop(self.attributes.insert(kept.to_owned(), value.clone())),
                _ => return Err(errors::unknown_attribute(name)),
            }
        }
        self.check()
    }

    /// Refuses values outside the quotas of SQS.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        within("VisibilityTimeout", self.visibility_timeout, VISIBILITY_SECONDS)?;
        within("MessageRetentionPeriod", self.retention, RETENTION_SECONDS)?;
        within("DelaySeconds", self.delay, DELAY_SECONDS)?;
        within("ReceiveMessageWaitTimeSeconds", self.receive_wait, WAIT_SECONDS)?;
        if let Some((_, count)) = &self.redrive {
            within("maxReceiveCount", i64::from(*count), RECEIVE_COUNT)?;
        }
        if let Some(size) = self.attributes.get("MaximumMessageSize") {
            within("MaximumMessageSize", number("MaximumMessageSize", size)?, MESSAGE_BYTES)?;
        }
        for json in ["Policy", "RedriveAllowPolicy"] {
            if let Some(text) = self.attributes.get(json)
                && serde_json::from_str::<serde_json::Map<String, Value>>(text).is_err()
            {
                return Err(errors::attribute_value(json, "a JSON object"));
            }
        }
        Ok(())
    }

    /// What was set, as GetQueueAttributes shows it.
    pub(super) fn show(&self) -> BTreeMap<String, String> {
        let mut shown = self.attributes.clone();
        let mut add = |name: &str, value: String| shown.insert(name.to_owned(), value);
        add("VisibilityTimeout", self.visibility_timeout.to_string());
        add("MessageRetentionPeriod", self.retention.to_string());
        add("DelaySeconds", self.delay.to_string());
        add("ReceiveMessageWaitTimeSeconds", self.receive_wait.to_string());
        add("MaximumMessageSize", self.maximum_message_size().to_string());
        if let Some((arn, count)) = &self.redrive {
            let policy = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": count });
            add("RedrivePolicy", policy.to_string());
        }
        shown.entry("SqsManagedSseEnabled".to_owned()).or_insert_with(|| "true".to_owned());
        shown
    }
}

/// The counts of a queue.
pub struct Counts {
    /// `ApproximateNumberOfMessages`.
    pub visible: i64,
    /// `ApproximateNumberOfMessagesNotVisible`.
    pub in_flight: i64,
    /// `ApproximateNumberOfMessagesDelayed`.
    pub delayed: i64,
}

/// Everything that GetQueueAttributes shows.
pub fn show(config: &Config, queue: &Queue, counts: &Counts) -> BTreeMap<String, String> {
    let mut shown = queue.spec.show();
    for (name, value) in [
        ("QueueArn", config.arn("sqs", &queue.spec.name)),
        ("CreatedTimestamp", (queue.created_at / 1000).to_string()),
        ("LastModifiedTimestamp", (queue.modified_at / 1000).to_string()),
        ("ApproximateNumberOfMessages", counts.visible.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", counts.in_flight.to_string()),
        ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
    ] {
        shown.insert(name.to_owned(), value);
    }
    shown
}

/// Whether GetQueueAttributes can be asked for it.
pub fn is_known(name: &str) -> bool {
    const SHOWN: &[&str] = &[
        "All",
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesDelayed",
        "ApproximateNumberOfMessagesNotVisible",
        "ContentBasedDeduplication",
        "CreatedTimestamp",
        "DeduplicationScope",
        "DelaySeconds",
        "FifoQueue",
        "FifoThroughputLimit",
        "LastModifiedTimestamp",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "QueueArn",
        "ReceiveMessageWaitTimeSeconds",
        "RedrivePolicy",
        "VisibilityTimeout",
    ];
    SHOWN.contains(&name) || KEPT.contains(&name)
}

/// Refuses a number outside its bounds.
pub fn within(name: &str, value: i64, bounds: RangeInclusive<i64>) -> Result<(), ApiError> {
    if bounds.contains(&value) {
        return Ok(());
    }
    Err(errors::attribute_value(name, &format!("a number from {} to {}, found {value}", bounds.start(), bounds.end())))
}

fn number(name: &str, value: &str) -> Result<i64, ApiError> {
    value.parse().map_err(|_| errors::attribute_value(name, "a number"))
}

/// `{"deadLetterTargetArn": ARN, "maxReceiveCount": N}`; the number may be written as text.
fn redrive(text: &str) -> Result<Option<(String, u32)>, ApiError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Policy {
        dead_letter_target_arn: String,
        max_receive_count: Value,
    }
    if text.is_empty() {
        return Ok(None);
    }
    let expected = "{\"deadLetterTargetArn\": ARN, \"maxReceiveCount\": 1 to 1000}";
    let wrong = || errors::attribute_value("RedrivePolicy", expected);
    let policy: Policy = serde_json::from_str(text).map_err(|_| wrong())?;
    let count = match &policy.max_receive_count {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64().and_then(|count| u32::try_from(count).ok()),
    };
    Ok(Some((policy.dead_letter_target_arn, count.ok_or_else(wrong)?)))
}
