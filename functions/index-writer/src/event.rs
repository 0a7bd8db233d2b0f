//! The event: SQS messages, each an S3 event as the topics hand it on.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::Timestamp;
use percent_encoding::percent_decode;
use serde::Deserialize;

/// A batch of messages.
#[derive(Debug, Deserialize)]
pub struct Batch {
    /// The messages.
    #[serde(rename = "Records")]
    pub messages: Vec<Message>,
}

/// A message.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Its id, by which it fails.
    pub message_id: String,
    /// The S3 event.
    pub body: String,
}

/// An object that came into being.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Its bucket.
    pub bucket: String,
    /// Its key, decoded.
    pub key: String,
    /// When the event happened (epoch ms).
    pub at: i64,
    /// Sent by `logmill replay`.
    pub replay: Option<Replay>,
}

/// What `logmill replay` asks for beyond the object: a member `logmill` of the event's record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// Only these lines (from 1), whether or not the object was taken before: lines that were refused. Without it the whole
    /// object, unless the index knows that it was taken; one too old to be known is taken, and its documents replace themselves.
    #[serde(default)]
    pub lines: Option<BTreeSet<u64>>,
}

/// Not an S3 event.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Not JSON of its shape.
    #[error("not an S3 event: {0}")]
    Shape(#[from] serde_json::Error),
    /// A key that is no UTF-8 once it is decoded.
    #[error("the object's key {0:?} is not url-encoded UTF-8")]
    Key(String),
    /// No time.
    #[error("eventTime {0:?}: expected a time such as 2026-11-20T10:00:00.000Z")]
    Time(String),
}

#[derive(Deserialize)]
struct S3Event<'a> {
    #[serde(borrow, default, rename = "Records")]
    records: Vec<Record<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    #[serde(borrow)]
    event_name: Cow<'a, str>,
    #[serde(borrow)]
    event_time: Cow<'a, str>,
    #[serde(borrow)]
    s3: Entity<'a>,
    logmill: Option<Replay>,
}

#[derive(Deserialize)]
struct Entity<'a> {
    #[serde(borrow)]
    bucket: Bucket<'a>,
    #[serde(borrow)]
    object: Object<'a>,
}

#[derive(Deserialize)]
struct Bucket<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
}

impl Message {
    /// The objects that it tells of; none for other events (`s3:TestEvent`).
    pub fn created(&self) -> Result<Vec<Created>, EventError> {
        let event: S3Event<'_> = serde_json::from_str(&self.body)?;
        event.records.into_iter().filter(|record| record.is_created()).map(Record::created).collect()
    }
}

impl Record<'_> {
    fn is_created(&self) -> bool {
        self.event_name.trim_start_matches("s3:").starts_with("ObjectCreated:")
    }

    fn created(self) -> Result<Created, EventError> {
        let at: Timestamp = self.event_time.parse().map_err(|_| EventError::Time(self.event_time.into_owned()))?;
        // S3 encodes keys as forms do: a space is a plus sign.
        let key = self.s3.object.key.replace('+', " ");
        let key = percent_decode(key.as_bytes()).decode_utf8();
        let key = key.map_err(|_| EventError::Key(self.s3.object.key.to_string()))?.into_owned();
        Ok(Created { bucket: self.s3.bucket.name.into_owned(), key, at: at.as_millisecond(), replay: self.logmill })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: Result<&[(&str, i64, bool)], &str>) {
        let message = Message { message_id: "m".into(), body: body.into() };
        match (message.created(), expected) {
            (Ok(created), Ok(expected)) => {
                let got: Vec<_> = created.iter().map(|c| (c.key.as_str(), c.at, c.replay.is_some())).collect();
                assert_eq!(got, expected, "{body}");
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{body}: {error}"),
            (got, expected) => panic!("{body}: {got:?}, expected {expected:?}"),
        }
    }

    fn record(name: &str, time: &str, key: &str, more: &str) -> String {
        format!(
            r#"{{"Records":[{{"eventName":"{name}","eventTime":"{time}","s3":{{"bucket":{{"name":"b"}},"object":{{"key":"{key}","size":1}}}}{more}}}]}}"#
        )
    }

    #[test]
    fn what_a_message_tells_of() {
        let at = "2026-11-20T10:00:00.123Z";
        let put = |key| record("ObjectCreated:Put", at, key, "");
        check(&put("logs/s/2026/11/20/10/a.gz"), Ok(&[("logs/s/2026/11/20/10/a.gz", 1_795_168_800_123, false)]));
        check(&put("inbox/a+b%2Bc/%C3%BC"), Ok(&[("inbox/a b+c/ü", 1_795_168_800_123, false)]));
        let multipart = record("s3:ObjectCreated:CompleteMultipartUpload", at, "k", r#","logmill":{"lines":[3]}"#);
        check(&multipart, Ok(&[("k", 1_795_168_800_123, true)]));
        check(&record("ObjectRemoved:Delete", at, "k", ""), Ok(&[]));
        check(r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#, Ok(&[]));
        check("hello", Err("not an S3 event"));
        check(&put("%ff"), Err("url-encoded"));
        check(&record("ObjectCreated:Put", "today", "k", ""), Err("eventTime \"today\""));
        check(&record("ObjectCreated:Put", at, "k", r#","logmill":{"line":3}"#), Err("unknown field `line`"));
    }
}
