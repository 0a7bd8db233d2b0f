//! SNS: topics, subscriptions to SQS and Lambda, raw delivery, filter policies.

use crate::Ctx;
use crate::error::ApiError;
use crate::store::Tx;
use crate::wire::protocol::{Call, Reply};
use std::collections::BTreeMap;

/// The tables.
pub const SCHEMA: &str = "";

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

/// Makes a topic; returns its ARN.
pub fn ensure_topic(_tx: &Tx<'_>, name: &str, _attributes: &BTreeMap<String, String>) -> Result<String, ApiError> {
    Err(ApiError::not_emulated("sns", name))
}

/// Makes a subscription or brings it to `spec`; returns its ARN.
pub fn ensure_subscription(_tx: &Tx<'_>, spec: &SubscriptionSpec) -> Result<String, ApiError> {
    Err(ApiError::not_emulated("sns", &spec.topic_arn))
}

/// Publishes: every subscription's queue entry or asynchronous event is written by this transaction. Returns the message id.
pub fn publish(_tx: &Tx<'_>, publication: &Publication) -> Result<String, ApiError> {
    Err(ApiError::not_emulated("sns", &publication.topic_arn))
}

/// Answers an operation.
pub async fn call(_ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    match call.operation.as_str() {
        other => Err(ApiError::not_emulated("sns", other)),
    }
}
