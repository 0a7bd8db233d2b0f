//! Firehose's event and our answer, as they stand on the wire. The event's texts are borrowed.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The event of a data-transformation function (Firehose guide, "Data transformation").
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request<'a> {
    /// The same when Firehose invokes again for the same batch.
    #[serde(borrow)]
    pub invocation_id: Cow<'a, str>,
    /// `arn:…:deliverystream/<name>`.
    #[serde(borrow)]
    pub delivery_stream_arn: Cow<'a, str>,
    /// Set when the delivery stream reads a Kinesis stream: nobody but Firehose itself can put into such a delivery stream.
    #[serde(borrow, default)]
    pub source_kinesis_stream_arn: Option<Cow<'a, str>>,
    /// The batch.
    #[serde(borrow)]
    pub records: Vec<Record<'a>>,
}

/// A record of the event.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record<'a> {
    /// To be answered exactly once.
    #[serde(borrow)]
    pub record_id: Cow<'a, str>,
    /// Epoch milliseconds.
    pub approximate_arrival_timestamp: i64,
    /// Base64.
    #[serde(borrow)]
    pub data: Cow<'a, str>,
    /// Set when the source is a Kinesis stream.
    #[serde(borrow, default)]
    pub kinesis_record_metadata: Option<KinesisMetadata<'a>>,
}

/// Where a record stood in its Kinesis stream.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KinesisMetadata<'a> {
    /// As the producer gave it.
    #[serde(borrow)]
    pub partition_key: Cow<'a, str>,
}

impl Request<'_> {
    /// Reads the event; the error says what is wrong with it.
    pub fn parse(event: &str) -> Result<Request<'_>, lambda::Error> {
        sonic_rs::from_str(event).map_err(|error| format!("not a Firehose transformation event: {error}").into())
    }

    /// The delivery stream's name.
    pub fn stream(&self) -> &str {
        self.delivery_stream_arn.rsplit('/').next().unwrap_or_default()
    }

    /// `now` of this batch: its largest arrival time.
    pub fn now(&self) -> i64 {
        self.records.iter().map(|record| record.approximate_arrival_timestamp).max().unwrap_or_default()
    }
}

/// The answer.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Reply {
    /// One for each record id of the event.
    pub records: Vec<Answer>,
}

/// What became of one record.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// From the event.
    pub record_id: String,
    /// One of Firehose's three words.
    pub result: Verdict,
    /// Base64: the output of `Ok`, the input of `ProcessingFailed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

/// Firehose's three words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// `data` is delivered.
    Ok,
    /// Nothing is delivered, on purpose.
    Dropped,
    /// Firehose writes the record under its error prefix.
    ProcessingFailed,
}

impl Answer {
    /// Bytes of this answer without its data in the reply's JSON, the comma after it included.
    pub fn overhead(record_id: &str) -> usize {
        const FRAME: usize = r#"{"recordId":"","result":"ProcessingFailed","data":""},"#.len();
        // An escaped character takes at most six bytes; ids are digits in practice.
        FRAME
            + record_id
                .bytes()
                .map(|b| if b < b' ' { 6 } else { 1 + usize::from(b == b'"' || b == b'\\') })
                .sum::<usize>()
    }
}
