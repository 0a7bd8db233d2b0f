//! The three events, told apart by their shape.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use lambda::Error;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::lake::LakeObject;
use crate::sequence::Sequence;

/// What the function is invoked for.
#[derive(Debug)]
pub enum Event<'a> {
    /// Messages of the queue: objects in the lake.
    Messages(Vec<Message<'a>>),
    /// Records of a shard.
    Records(Vec<KinesisRecord<'a>>),
    /// A minute has passed: its time, epoch ms.
    Tick(i64),
}

/// A message of the queue.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message<'a> {
    /// To be answered when it failed.
    #[serde(borrow)]
    pub message_id: Cow<'a, str>,
    /// An event of S3, delivered raw by its topic.
    #[serde(borrow)]
    pub body: Cow<'a, str>,
}

/// A record of a shard.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KinesisRecord<'a> {
    #[serde(borrow)]
    kinesis: Kinesis<'a>,
    /// `shardId-000000000000:<sequence number>`
    #[serde(borrow, rename = "eventID")]
    event_id: Cow<'a, str>,
    #[serde(borrow, rename = "eventSourceARN")]
    event_source_arn: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kinesis<'a> {
    #[serde(borrow)]
    sequence_number: Cow<'a, str>,
    #[serde(borrow, default)]
    partition_key: Cow<'a, str>,
    #[serde(borrow)]
    data: Cow<'a, str>,
    /// Epoch seconds, with a fraction.
    approximate_arrival_timestamp: f64,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, rename = "Records")]
    records: Option<Vec<&'a serde_json::value::RawValue>>,
    #[serde(default)]
    time: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind<'a> {
    #[serde(borrow)]
    event_source: Cow<'a, str>,
}

impl Event<'_> {
    /// Reads an event; the error says what was expected.
    pub fn parse(event: &str) -> Result<Event<'_>, Error> {
        let expected = "expected records of SQS or Kinesis, or a schedule's event with its time";
        let envelope: Envelope<'_> = serde_json::from_str(event).map_err(|error| format!("{error}: {expected}"))?;
        match (envelope.records, envelope.time) {
            (Some(records), _) if !records.is_empty() => {
                let kind: Kind<'_> = serde_json::from_str(records[0].get())
                    .map_err(|error| format!("records without eventSource: {error}: {expected}"))?;
                match &*kind.event_source {
                    "aws:sqs" => Ok(Event::Messages(all(&records)?)),
                    "aws:kinesis" => Ok(Event::Records(all(&records)?)),
                    other => Err(format!("records of {other}: {expected}").into()),
                }
            }
            (None, Some(time)) => Ok(Event::Tick(time.as_millisecond())),
            _ => Err(format!("an event of another kind: {expected}").into()),
        }
    }
}

fn all<'a, T: Deserialize<'a>>(records: &[&'a serde_json::value::RawValue]) -> Result<Vec<T>, Error> {
    records.iter().map(|record| Ok(serde_json::from_str(record.get())?)).collect()
}

impl KinesisRecord<'_> {
    /// The stream's name.
    pub fn stream(&self) -> &str {
        self.event_source_arn.rsplit('/').next().unwrap_or_default()
    }

    /// The shard's id.
    pub fn shard(&self) -> &str {
        self.event_id.split(':').next().unwrap_or_default()
    }

    /// The sequence number, as it is to be answered.
    pub fn number(&self) -> &str {
        &self.kinesis.sequence_number
    }

    /// The partition key, as the producer put it.
    pub fn partition_key(&self) -> &str {
        &self.kinesis.partition_key
    }

    /// Where it stands in its shard.
    pub fn sequence(&self) -> Result<Sequence, Error> {
        let number = self.number();
        Sequence::parse(number).ok_or_else(|| format!("no sequence number: {number:?}").into())
    }

    /// Epoch ms.
    pub fn arrival(&self) -> i64 {
        (self.kinesis.approximate_arrival_timestamp * 1000.0).round() as i64
    }

    /// What the producer put, if the engine can read it; or what it is, and why not.
    pub fn data(&self) -> Result<Vec<u8>, (Vec<u8>, String)> {
        let encoded = self.kinesis.data.as_bytes();
        let data =
            BASE64.decode(encoded).map_err(|error| (encoded.to_vec(), format!("data is not base64: {error}")))?;
        match std::str::from_utf8(&data) {
            Ok(_) => Ok(data),
            Err(error) => {
                let reason = format!("not UTF-8: {error}");
                Err((data, reason))
            }
        }
    }
}

#[derive(Deserialize)]
struct S3Event {
    #[serde(default, rename = "Records")]
    records: Option<Vec<S3Record>>,
    /// `s3:TestEvent`, when notifications were set.
    #[serde(default, rename = "Event")]
    event: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct S3Record {
    event_time: Timestamp,
    event_name: String,
    s3: S3Entity,
}

#[derive(Deserialize)]
struct S3Entity {
    bucket: S3Bucket,
    object: S3Object,
}

#[derive(Deserialize)]
struct S3Bucket {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct S3Object {
    key: String,
    e_tag: String,
}

impl Message<'_> {
    /// The objects that it tells of.
    pub fn objects(&self) -> Result<Vec<LakeObject>, Error> {
        let event: S3Event = serde_json::from_str(&self.body)
            .map_err(|error| format!("message {}: no event of S3: {error}", self.message_id))?;
        let Some(records) = event.records else {
            return match event.event.as_deref() {
                Some("s3:TestEvent") => Ok(Vec::new()),
                _ => Err(format!("message {}: an event without records", self.message_id).into()),
            };
        };
        let created = records.into_iter().filter(|record| record.event_name.contains("ObjectCreated:"));
        created.map(|record| object(&self.message_id, record)).collect()
    }
}

fn object(message: &str, record: S3Record) -> Result<LakeObject, Error> {
    let S3Entity { bucket, object } = record.s3;
    // Keys are form-encoded in events.
    let spaced = object.key.replace('+', " ");
    let key = percent_decode_str(&spaced).decode_utf8().map_err(|error| format!("message {message}: key: {error}"))?;
    Ok(LakeObject {
        bucket: bucket.name,
        key: key.into_owned(),
        etag: object.e_tag.trim_matches('"').to_owned(),
        at: record.event_time.as_millisecond(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_events() {
        let Event::Tick(at) = Event::parse(include_str!("../events/tick.json")).unwrap() else { panic!() };
        assert_eq!(at, 1_535_364_960_000);
        let Event::Records(records) = Event::parse(include_str!("../events/kinesis.json")).unwrap() else { panic!() };
        assert_eq!((records[0].stream(), records[0].shard()), ("log-stream", "shardId-000000000000"));
        assert_eq!(records[0].arrival(), 1_535_364_905_123);
        assert!(records[0].data().unwrap().starts_with(b"{\"host\""));
        assert!(records[1].data().unwrap_err().1.starts_with("not UTF-8"));
        assert!(records[0].sequence().unwrap() < records[1].sequence().unwrap());
        let Event::Messages(messages) = Event::parse(include_str!("../events/sqs.json")).unwrap() else { panic!() };
        let objects = messages[0].objects().unwrap();
        let key = "logs/log-ingestion-stream/2018/08/27/10/log-ingestion-stream-1-2018-08-27-10-15-05-a b=ü.gz";
        assert_eq!((objects[0].key.as_str(), objects[0].at), (key, 1_535_364_965_123));
        assert_eq!(objects[0].stream(), Some("log-ingestion-stream"));
        assert!(messages[1].objects().unwrap().is_empty());
        assert!(messages[2].objects().is_err());
    }

    #[test]
    fn other_events() {
        for event in
            ["", "[]", "{}", r#"{"Records":[]}"#, r#"{"Records":[{"eventSource":"aws:s3"}]}"#, r#"{"Records":[{}]}"#]
        {
            assert!(
                Event::parse(event).unwrap_err().to_string().contains("expected records of SQS or Kinesis"),
                "{event}"
            );
        }
    }
}
