//! Event records, and handing them to topics, queues and functions.

use bytes::Bytes;
use rand::RngExt;
use serde_json::{Value, json};

use super::Notification;
use super::buckets::Bucket;
use super::headers::form_encode;
use super::notifications::service;
use crate::error::ApiError;
use crate::services::{lambda, sns, sqs};
use crate::store::Tx;

/// The subject of everything that S3 publishes to SNS.
const SUBJECT: &str = "Amazon S3 Notification";

/// Tells those who want to know of `event` (`ObjectCreated:Put`), within the transaction of the change. `object` is the size
/// and ETag of what is there now. A destination that is gone loses its events, as on AWS.
pub(super) fn send(
    tx: &Tx<'_>,
    bucket: &Bucket,
    key: &str,
    event: &str,
    object: Option<(i64, &str)>,
) -> Result<(), ApiError> {
    let mut wanted = bucket.notifications.iter().filter(|n| n.matches(event, key)).peekable();
    if wanted.peek().is_none() {
        return Ok(());
    }
    let sequencer = next_sequencer(tx)?;
    for notification in wanted {
        let record = record(tx, notification, &bucket.name, key, event, object, &sequencer);
        match deliver(tx, &notification.destination, json!({ "Records": [record] }).to_string()) {
            Err(error) if error.status.is_client_error() => {
                tracing::warn!(bucket = bucket.name, key, destination = notification.destination, %error, "event lost");
            }
            other => other?,
        }
    }
    Ok(())
}

/// Hands a message to a destination, by the service in its ARN.
pub(super) fn deliver(tx: &Tx<'_>, destination: &str, message: String) -> Result<(), ApiError> {
    match service(destination)? {
        "sns" => {
            let subject = Some(SUBJECT.to_owned());
            let topic_arn = destination.to_owned();
            sns::publish(tx, &sns::Publication { topic_arn, subject, message, ..Default::default() })?;
        }
        "sqs" => {
            sqs::enqueue(tx, destination, sqs::NewMessage { body: message, ..Default::default() })?;
        }
        _ => {
            lambda::enqueue_event(tx, destination, &Bytes::from(message))?;
        }
    }
    Ok(())
}

/// An event record of version 2.1 (S3 user guide, "Event message structure").
fn record(
    tx: &Tx<'_>,
    notification: &Notification,
    bucket: &str,
    key: &str,
    event: &str,
    object: Option<(i64, &str)>,
    sequencer: &str,
) -> Value {
    let config = tx.config();
    let mut described = json!({ "key": form_encode(key) });
    if let Some((size, etag)) = object {
        described["size"] = size.into();
        described["eTag"] = etag.into();
    }
    described["sequencer"] = sequencer.into();
    json!({
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": config.region,
        "eventTime": timestamp(tx.now()),
        "eventName": event,
        "userIdentity": { "principalId": format!("AWS:{}", config.account) },
        "requestParameters": { "sourceIPAddress": "127.0.0.1" },
        "responseElements": { "x-amz-request-id": request_id(), "x-amz-id-2": host_id() },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": notification.id,
            "bucket": {
                "name": bucket,
                "ownerIdentity": { "principalId": config.account },
                "arn": format!("arn:aws:s3:::{bucket}"),
            },
            "object": described,
        },
    })
}

/// Hex of one width that grows with every event.
fn next_sequencer(tx: &Tx<'_>) -> Result<String, ApiError> {
    let next: i64 = tx
        .prepare_cached(
            "INSERT INTO s3_sequencer (id, last) VALUES (0, 1) ON CONFLICT (id) DO UPDATE SET last = last + 1
             RETURNING last",
        )?
        .query_row([], |row| row.get(0))?;
    Ok(format!("{next:018X}"))
}

/// `2026-11-20T17:01:57.123Z`.
pub(super) fn timestamp(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// `x-amz-request-id`.
pub(super) fn request_id() -> String {
    format!("{:016X}", rand::rng().random::<u64>())
}

/// `x-amz-id-2`.
pub(super) fn host_id() -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(rand::rng().random::<[u8; 32]>())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Config;
    use crate::services::s3::SCHEMA;
    use crate::store::Store;

    #[tokio::test]
    async fn records_of_puts_and_deletes() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Arc::new(Config::new(dir.path())), &[SCHEMA]).unwrap();
        let notification = Notification {
            id: "lake".into(),
            events: vec!["s3:ObjectCreated:*".into()],
            prefix: None,
            suffix: None,
            destination: "arn:aws:sqs:us-east-1:000000000000:q".into(),
        };
        let made = store.write(move |tx| {
            let first = next_sequencer(tx)?;
            let second = next_sequencer(tx)?;
            assert!(second > first && second.len() == first.len());
            let put = record(tx, &notification, "b", "a b+ü", "ObjectCreated:Put", Some((5, "etag")), &first);
            let delete = record(tx, &notification, "b", "k", "ObjectRemoved:Delete", None, &second);
            Ok((put, delete, timestamp(tx.now()), first))
        });
        let (put, delete, now, sequencer) = made.await.unwrap();
        assert_eq!(put["eventVersion"], "2.1");
        assert_eq!(put["eventSource"], "aws:s3");
        assert_eq!(put["awsRegion"], "us-east-1");
        assert_eq!(put["eventTime"], now);
        assert_eq!(put["eventName"], "ObjectCreated:Put");
        assert_eq!(put["s3"]["configurationId"], "lake");
        assert_eq!(put["s3"]["bucket"]["arn"], "arn:aws:s3:::b");
        let object = json!({ "key": "a+b%2B%C3%BC", "size": 5, "eTag": "etag", "sequencer": sequencer });
        assert_eq!(put["s3"]["object"], object);
        let keys: Vec<_> = delete["s3"]["object"].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["key", "sequencer"]);
    }

    #[test]
    fn times_have_milliseconds() {
        assert_eq!(timestamp(1_795_194_117_005), "2026-11-20T17:01:57.005Z");
    }
}
