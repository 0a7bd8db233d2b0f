//! The outside: delivery streams and Kinesis streams. A trait, and AWS behind it.

use std::future::Future;

use aws_sdk_firehose::primitives::Blob;
use aws_sdk_firehose::types::Record;
use aws_sdk_kinesis::primitives::DateTime;
use aws_sdk_kinesis::types::{PutRecordsRequestEntry, ShardFilter, ShardFilterType, ShardIteratorType};
use aws_sdk_s3::error::DisplayErrorContext;

use crate::merge::Ahead;
use crate::records::Record as KinesisRecord;
use crate::sequence::Sequence;

/// Empty answers that are followed before a shard counts as one that cannot be read to its end.
const MAX_LOOKS: usize = 8;

/// Pages of shards at most (of 1,000).
const MAX_SHARD_PAGES: usize = 10;

/// From where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// After this record.
    After(Sequence),
    /// What arrived at or after this time (epoch ms).
    At(i64),
}

/// What the function calls.
pub trait Outside {
    /// One `PutRecordBatch` of records that are within its limits. For each the error it failed with, or none; `Err` when the whole
    /// call failed.
    fn put(&self, stream: &str, records: &[&str]) -> impl Future<Output = Result<Vec<Option<String>>, String>>;

    /// One `PutRecords` of records that are within its limits, with the same answer.
    fn put_records(
        &self,
        stream: &str,
        records: &[KinesisRecord<'_>],
    ) -> impl Future<Output = Result<Vec<Option<String>>, String>>;

    /// The shards of a Kinesis stream that have records or may get some.
    fn shards(&self, stream: &str) -> impl Future<Output = Result<Vec<String>, String>>;

    /// When an object of the lake was written (epoch ms); none if it is not there.
    fn modified(&self, key: &str) -> impl Future<Output = Result<Option<i64>, String>>;

    /// Reads one record of a shard.
    fn ahead(&self, stream: &str, shard: &str, from: &From) -> impl Future<Output = Result<Ahead, String>>;
}

/// The account.
#[derive(Clone, Debug)]
pub struct Aws {
    /// For outputs.
    pub firehose: aws_sdk_firehose::Client,
    /// For sources and outputs.
    pub kinesis: aws_sdk_kinesis::Client,
    /// For the lake.
    pub s3: aws_sdk_s3::Client,
    /// Its bucket.
    pub lake_bucket: String,
}

impl Outside for Aws {
    async fn put(&self, stream: &str, records: &[&str]) -> Result<Vec<Option<String>>, String> {
        let mut put = self.firehose.put_record_batch().delivery_stream_name(stream);
        for record in records {
            put = put.records(Record::builder().data(Blob::new(record.as_bytes())).build().map_err(cause)?);
        }
        let reply = put.send().await.map_err(cause)?;
        let entries = reply.request_responses().iter();
        answers(records.len(), entries.map(|entry| (entry.error_code(), entry.error_message())))
    }

    async fn put_records(&self, stream: &str, records: &[KinesisRecord<'_>]) -> Result<Vec<Option<String>>, String> {
        let mut put = self.kinesis.put_records().stream_name(stream);
        for record in records {
            let entry =
                PutRecordsRequestEntry::builder().partition_key(record.key).data(Blob::new(record.data.as_bytes()));
            put = put.records(entry.build().map_err(cause)?);
        }
        let reply = put.send().await.map_err(cause)?;
        answers(records.len(), reply.records().iter().map(|entry| (entry.error_code(), entry.error_message())))
    }

    async fn shards(&self, stream: &str) -> Result<Vec<String>, String> {
        let filter = ShardFilter::builder().r#type(ShardFilterType::FromTrimHorizon).build().map_err(cause)?;
        let mut shards = Vec::new();
        let mut next: Option<String> = None;
        for _ in 0..MAX_SHARD_PAGES {
            let request = self.kinesis.list_shards();
            // A token names stream and filter.
            let request = match next {
                None => request.stream_name(stream).shard_filter(filter.clone()),
                Some(token) => request.next_token(token),
            };
            let reply = request.send().await.map_err(cause)?;
            shards.extend(reply.shards().iter().map(|shard| shard.shard_id().to_owned()));
            next = reply.next_token;
            if next.is_none() {
                return Ok(shards);
            }
        }
        Err(format!("{stream} has more than {MAX_SHARD_PAGES} pages of shards"))
    }

    async fn modified(&self, key: &str) -> Result<Option<i64>, String> {
        match self.s3.head_object().bucket(&self.lake_bucket).key(key).send().await {
            Ok(object) => Ok(object.last_modified().and_then(|at| at.to_millis().ok())),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => Ok(None),
            Err(error) => Err(cause(error)),
        }
    }

    async fn ahead(&self, stream: &str, shard: &str, from: &From) -> Result<Ahead, String> {
        let request = self.kinesis.get_shard_iterator().stream_name(stream).shard_id(shard);
        let request = match from {
            From::After(sequence) => request
                .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                .set_starting_sequence_number(sequence.number().map(str::to_owned)),
            From::At(at) => {
                request.shard_iterator_type(ShardIteratorType::AtTimestamp).timestamp(DateTime::from_millis(*at))
            }
        };
        let mut iterator = match request.send().await {
            Ok(reply) => reply.shard_iterator,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => None,
            Err(error) => return Err(cause(error)),
        };
        for _ in 0..MAX_LOOKS {
            let Some(token) = iterator else { return Ok(Ahead::Closed) };
            let reply = self.kinesis.get_records().shard_iterator(token).limit(1).send().await.map_err(cause)?;
            if let Some(record) = reply.records().first() {
                let arrival = record.approximate_arrival_timestamp().and_then(|at| at.to_millis().ok());
                return Ok(arrival.map_or(Ahead::Behind, Ahead::Record));
            }
            iterator = reply.next_shard_iterator;
            if iterator.is_some() && reply.millis_behind_latest == Some(0) {
                return Ok(Ahead::Nothing);
            }
        }
        Ok(if iterator.is_none() { Ahead::Closed } else { Ahead::Behind })
    }
}

/// For each of `count` records the error it failed with, or none.
fn answers<'a>(
    count: usize,
    entries: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>,
) -> Result<Vec<Option<String>>, String> {
    let answer = |(code, message): (Option<&str>, Option<&str>)| {
        code.map(|code| format!("{code}: {}", message.unwrap_or_default()))
    };
    let answers: Vec<Option<String>> = entries.map(answer).collect();
    match answers.len() == count {
        true => Ok(answers),
        false => Err(format!("{} results for {count} records", answers.len())),
    }
}

/// The SDK's errors say little by themselves; their sources say what happened.
fn cause(error: impl std::error::Error) -> String {
    DisplayErrorContext(error).to_string()
}
