//! Destinations: who hears how an asynchronous event or a batch ended.

use serde_json::Value;

use crate::Ctx;
use crate::error::ApiError;
use crate::services::{lambda, s3, sns, sqs};
use crate::store::Tx;

/// A record ready to be delivered by a transaction.
#[derive(Clone)]
pub enum Delivery {
    /// To a queue.
    Queue { arn: String, message: sqs::NewMessage },
    /// To a topic.
    Topic(sns::Publication),
    /// To a function, asynchronously.
    Function { arn: String, payload: String },
    /// To a bucket; the body is on disk.
    Object(s3::NewObject),
}

/// Makes a record ready for a destination; `key` names it in a bucket.
pub async fn prepare(ctx: &Ctx, arn: &str, key: &str, record: String) -> Result<Delivery, ApiError> {
    match arn.split(':').nth(2) {
        Some("sqs") => {
            let message = sqs::NewMessage { body: record, ..Default::default() };
            Ok(Delivery::Queue { arn: arn.to_owned(), message })
        }
        Some("sns") => {
            Ok(Delivery::Topic(sns::Publication { topic_arn: arn.to_owned(), message: record, ..Default::default() }))
        }
        Some("lambda") => Ok(Delivery::Function { arn: arn.to_owned(), payload: record }),
        Some("s3") => {
            let body = s3::write_body(ctx, record.into()).await?;
            Ok(Delivery::Object(s3::NewObject {
                bucket: arn.rsplit(':').next().unwrap_or_default().to_owned(),
                key: key.to_owned(),
                body,
                headers: [("content-type".to_owned(), "application/json".to_owned())].into(),
                tags: Default::default(),
                event: "ObjectCreated:Put",
            }))
        }
        _ => Err(ApiError::not_emulated("lambda", &format!("destination {arn}"))),
    }
}

/// The event itself for a dead-letter queue or topic, with what went wrong as attributes (Lambda developer guide, "Dead-letter
/// queues").
pub fn dead_letter(arn: &str, event: String, request_id: &str, error: &str) -> Result<Delivery, ApiError> {
    let attribute = |kind: &str, value: &str| serde_json::json!({ "DataType": kind, "StringValue": value });
    let mut attributes = serde_json::Map::new();
    attributes.insert("RequestID".into(), attribute("String", request_id));
    attributes.insert("ErrorCode".into(), attribute("Number", "200"));
    let message: String = error.chars().take(MAX_ERROR_MESSAGE).collect();
    if !message.is_empty() {
        attributes.insert("ErrorMessage".into(), attribute("String", &message));
    }
    match arn.split(':').nth(2) {
        Some("sqs") => {
            let message = sqs::NewMessage { body: event, attributes, delay_ms: None };
            Ok(Delivery::Queue { arn: arn.to_owned(), message })
        }
        Some("sns") => {
            let topic_arn = arn.to_owned();
            Ok(Delivery::Topic(sns::Publication { topic_arn, subject: None, message: event, attributes }))
        }
        _ => Err(ApiError::not_emulated("lambda", &format!("dead letters to {arn}"))),
    }
}

/// `ErrorMessage` of a dead letter: its first kilobyte (Lambda developer guide).
const MAX_ERROR_MESSAGE: usize = 1024;

/// Delivers as part of the transaction.
pub fn deliver(tx: &Tx<'_>, delivery: &Delivery) -> Result<(), ApiError> {
    match delivery {
        Delivery::Queue { arn, message } => sqs::enqueue(tx, arn, message.clone()).map(drop),
        Delivery::Topic(publication) => sns::publish(tx, publication).map(drop),
        Delivery::Function { arn, payload } => lambda::enqueue_event(tx, arn, &payload.clone().into()).map(drop),
        Delivery::Object(object) => s3::put_object(tx, object, &s3::Precondition::None).map(drop),
    }
}

/// Delivers and does `work` in one transaction. A destination that refuses is left out, and said so: what it should have heard
/// of must not be stuck.
pub async fn deliver_with<F>(ctx: &Ctx, deliveries: Vec<Delivery>, work: F) -> Result<(), ApiError>
where
    F: Fn(&Tx<'_>) -> Result<(), ApiError> + Clone + Send + 'static,
{
    if deliveries.is_empty() {
        return ctx.store.write(move |tx| work(tx)).await;
    }
    let alone = work.clone();
    let both = ctx.store.write(move |tx| {
        deliveries.iter().try_for_each(|delivery| deliver(tx, delivery))?;
        work(tx)
    });
    match both.await {
        Ok(()) => Ok(()),
        Err(error) => {
            tracing::warn!(%error, "a destination did not take its record");
            ctx.store.write(move |tx| alone(tx)).await
        }
    }
}

/// JSON as it is, anything else as a string: what a record holds of a payload.
pub fn json_or_text(payload: &[u8]) -> Value {
    serde_json::from_slice(payload).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(payload).into_owned()))
}

/// `2019-11-14T18:16:05.568Z`.
pub fn iso(ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    format!("{at:.3}")
}

/// `…/yyyy/mm/dd/yyyy-mm-ddThh.mm.ss-UUID`: where a record of `now` lies below `prefix` (Lambda developer guide, S3
/// destinations).
pub fn object_key(prefix: &str, now: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(now).unwrap_or_default();
    format!("{prefix}/{}-{}", at.strftime("%Y/%m/%d/%Y-%m-%dT%H.%M.%S"), uuid::Uuid::new_v4())
}
