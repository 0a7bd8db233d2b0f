//! The events of queues and streams, and how large they are.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::runtime::MAX_REQUEST;
use crate::services::{kinesis, sqs};

/// What an event has beside its records: `{"Records":[]}`.
const FRAME: usize = 16;

/// Who sent a message, as far as anybody knows here.
const SENDER: &str = "AIDAAAAAAAAAAAAAAAAAA";

/// A record of a queue's event.
pub fn of_message(message: &sqs::Received, arn: &str, region: &str) -> Value {
    json!({
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": message.receive_count.to_string(),
            "SentTimestamp": message.sent_at.to_string(),
            "SenderId": SENDER,
            "ApproximateFirstReceiveTimestamp": message.first_received_at.to_string(),
        },
        "messageAttributes": attributes(&message.attributes),
        "md5OfBody": message.md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": region,
    })
}

fn attributes(given: &Map<String, Value>) -> Map<String, Value> {
    let convert = |value: &Value| {
        let mut converted = Map::new();
        for (from, to) in [("StringValue", "stringValue"), ("BinaryValue", "binaryValue")] {
            if let Some(value) = value.get(from).filter(|value| !value.is_null()) {
                converted.insert(to.into(), value.clone());
            }
        }
        converted.insert("stringListValues".into(), json!([]));
        converted.insert("binaryListValues".into(), json!([]));
        converted.insert("dataType".into(), value.get("DataType").cloned().unwrap_or_default());
        Value::Object(converted)
    };
    given.iter().map(|(name, value)| (name.clone(), convert(value))).collect()
}

/// A record of a stream's event.
pub fn of_record(record: &kinesis::Record, shard: &str, arn: &str, region: &str, account: &str) -> Value {
    json!({
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record.partition_key,
            "sequenceNumber": record.sequence_number,
            "data": BASE64_STANDARD.encode(&record.data),
            "approximateArrivalTimestamp": record.arrival as f64 / 1000.0,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": format!("{shard}:{}", record.sequence_number),
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": format!("arn:aws:iam::{account}:role/lambda"),
        "awsRegion": region,
        "eventSourceARN": arn,
    })
}

/// Records as they stand in an event, each written once.
pub fn encode(records: impl IntoIterator<Item = Value>) -> Vec<String> {
    records.into_iter().map(|record| record.to_string()).collect()
}

/// `{"Records":[…]}`.
pub fn join(records: &[String]) -> Bytes {
    let mut event = String::with_capacity(FRAME + records.iter().map(|record| record.len() + 1).sum::<usize>());
    event.push_str("{\"Records\":[");
    event.push_str(&records.join(","));
    event.push_str("]}");
    event.into()
}

/// How many of the first records make an event of at most 6 MB; at least one, so that one that is too large is met.
pub fn fitting(records: &[String]) -> usize {
    let mut size = FRAME;
    let fits = records.iter().take_while(|record| {
        size += record.len() + 1;
        size <= MAX_REQUEST
    });
    fits.count().max(1).min(records.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_as_lambda_sends_it() {
        let message = sqs::Received {
            message_id: "059f".into(),
            receipt_handle: "AQEB".into(),
            body: "Test".into(),
            md5: "e4e6".into(),
            attributes: json!({"a": {"DataType": "Number", "StringValue": "7"}}).as_object().unwrap().clone(),
            sent_at: 1_545_082_649_183,
            first_received_at: 1_545_082_649_185,
            receive_count: 2,
            trace_header: None,
            dead_letter_source: None,
        };
        assert_eq!(
            of_message(&message, "arn:aws:sqs:us-east-2:1:q", "us-east-2"),
            json!({
                "messageId": "059f", "receiptHandle": "AQEB", "body": "Test",
                "attributes": {"ApproximateReceiveCount": "2", "SentTimestamp": "1545082649183", "SenderId": SENDER,
                    "ApproximateFirstReceiveTimestamp": "1545082649185"},
                "messageAttributes": {"a": {"stringValue": "7", "stringListValues": [], "binaryListValues": [],
                    "dataType": "Number"}},
                "md5OfBody": "e4e6", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-2:1:q",
                "awsRegion": "us-east-2",
            })
        );
    }

    #[test]
    fn a_record_as_lambda_sends_it() {
        let record = kinesis::Record {
            sequence_number: "4959".into(),
            data: Bytes::from_static(b"Hello, this is a test."),
            partition_key: "1".into(),
            arrival: 1_545_084_650_987,
        };
        let got = of_record(&record, "shardId-000000000006", "arn:aws:kinesis:us-east-2:1:stream/s", "us-east-2", "1");
        assert_eq!(got["eventID"], "shardId-000000000006:4959");
        assert_eq!(got["kinesis"]["data"], "SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==");
        assert_eq!(got["kinesis"]["approximateArrivalTimestamp"], 1_545_084_650.987);
        assert_eq!(got["eventName"], "aws:kinesis:record");
    }

    #[test]
    fn an_event_has_at_most_6_mb() {
        let megabyte = || "x".repeat(1024 * 1024);
        for (records, expected) in [
            (vec![], 0),
            (vec!["{}".to_owned()], 1),
            (vec![megabyte(); 5], 5),
            (vec![megabyte(); 7], 5),
            (vec!["x".repeat(MAX_REQUEST), "{}".into()], 1),
            (vec!["x".repeat(MAX_REQUEST - FRAME - 1), "{}".into()], 1),
        ] {
            assert_eq!(fitting(&records), expected, "{} records", records.len());
        }
        assert_eq!(join(&["1".into(), "2".into()]), "{\"Records\":[1,2]}");
    }
}
