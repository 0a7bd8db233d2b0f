//! The outside: where records go round again and reports are written. A trait, and AWS behind it.

use std::future::Future;

use aws_sdk_firehose::primitives::Blob as FirehoseBlob;
use aws_sdk_kinesis::primitives::Blob as KinesisBlob;
use aws_sdk_s3::error::DisplayErrorContext;

use crate::reingest::Outgoing;

/// Where a batch came from, and its leftovers go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A direct-put delivery stream, by name.
    DeliveryStream(String),
    /// The Kinesis stream that the delivery stream reads, by ARN.
    KinesisStream(String),
}

/// What a target takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Records a call.
    pub call_records: usize,
    /// Bytes a call.
    pub call_bytes: usize,
    /// Bytes a record.
    pub record_bytes: usize,
}

/// `PutRecordBatch`: 500 records, 4 MiB, 1,000 KiB each before base64 (Firehose quotas).
const FIREHOSE_LIMITS: Limits = Limits { call_records: 500, call_bytes: 4 * 1024 * 1024, record_bytes: 1_024_000 };
/// `PutRecords`: 500 records, 10 MiB with keys; a record 1 MiB with its key unless the stream is set higher (Kinesis quotas).
const KINESIS_LIMITS: Limits = Limits { call_records: 500, call_bytes: 10 * 1024 * 1024, record_bytes: 1024 * 1024 };

impl Target {
    /// What this target takes.
    pub fn limits(&self) -> Limits {
        match self {
            Target::DeliveryStream(_) => FIREHOSE_LIMITS,
            Target::KinesisStream(_) => KINESIS_LIMITS,
        }
    }

    /// The bytes of a record that count.
    pub fn weight(&self, record: &Outgoing) -> usize {
        match self {
            Target::DeliveryStream(_) => record.data.len(),
            Target::KinesisStream(_) => record.data.len() + record.partition_key.len(),
        }
    }
}

/// Where the function writes.
pub trait Sink {
    /// One put of records that are within the target's limits. For each the error it failed with, or none; `Err` when the whole
    /// call failed.
    fn put(&self, target: &Target, records: &[Outgoing]) -> impl Future<Output = Result<Vec<Option<String>>, String>>;

    /// Writes an object of the lake bucket.
    fn store(&self, key: &str, body: Vec<u8>) -> impl Future<Output = Result<(), String>>;
}

/// The account.
#[derive(Clone, Debug)]
pub struct Aws {
    /// For delivery streams.
    pub firehose: aws_sdk_firehose::Client,
    /// For Kinesis streams.
    pub kinesis: aws_sdk_kinesis::Client,
    /// For the lake bucket.
    pub s3: aws_sdk_s3::Client,
    /// Its name.
    pub lake_bucket: String,
}

impl Sink for Aws {
    async fn put(&self, target: &Target, records: &[Outgoing]) -> Result<Vec<Option<String>>, String> {
        let results = match target {
            Target::DeliveryStream(name) => self.put_record_batch(name, records).await?,
            Target::KinesisStream(arn) => self.put_records(arn, records).await?,
        };
        if results.len() != records.len() {
            return Err(format!("{} results for {} records", results.len(), records.len()));
        }
        Ok(results)
    }

    async fn store(&self, key: &str, body: Vec<u8>) -> Result<(), String> {
        let put = self.s3.put_object().bucket(&self.lake_bucket).key(key).content_type("application/x-ndjson");
        put.body(body.into()).send().await.map(|_| ()).map_err(cause)
    }
}

impl Aws {
    async fn put_record_batch(&self, name: &str, records: &[Outgoing]) -> Result<Vec<Option<String>>, String> {
        let mut put = self.firehose.put_record_batch().delivery_stream_name(name);
        for record in records {
            let data = FirehoseBlob::new(record.data.clone());
            put = put.records(aws_sdk_firehose::types::Record::builder().data(data).build().map_err(cause)?);
        }
        let reply = put.send().await.map_err(cause)?;
        Ok(reply.request_responses().iter().map(|entry| error_of(entry.error_code(), entry.error_message())).collect())
    }

    async fn put_records(&self, arn: &str, records: &[Outgoing]) -> Result<Vec<Option<String>>, String> {
        let mut put = self.kinesis.put_records().stream_arn(arn);
        for record in records {
            let entry = aws_sdk_kinesis::types::PutRecordsRequestEntry::builder()
                .data(KinesisBlob::new(record.data.clone()))
                .partition_key(&record.partition_key);
            put = put.records(entry.build().map_err(cause)?);
        }
        let reply = put.send().await.map_err(cause)?;
        Ok(reply.records().iter().map(|entry| error_of(entry.error_code(), entry.error_message())).collect())
    }
}

fn error_of(code: Option<&str>, message: Option<&str>) -> Option<String> {
    code.map(|code| format!("{code}: {}", message.unwrap_or_default()))
}

/// The SDK's errors say little by themselves; their sources say what happened.
fn cause(error: impl std::error::Error) -> String {
    DisplayErrorContext(error).to_string()
}
