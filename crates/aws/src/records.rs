//! Putting records into a delivery stream by hand.

use aws_config::SdkConfig;
use aws_sdk_firehose::Client;
use aws_sdk_firehose::primitives::Blob;
use aws_sdk_firehose::types::{DeliveryStreamType, Record};

use crate::CallError;

/// Records of one `PutRecordBatch` at most (Firehose quotas).
pub const MAX_BATCH: usize = 500;

/// Bytes of one `PutRecordBatch` at most (Firehose quotas).
pub const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;

/// The delivery streams of an account and region.
#[derive(Debug, Clone)]
pub struct DeliveryStreams(Client);

impl DeliveryStreams {
    /// By this configuration.
    pub fn new(config: &SdkConfig) -> DeliveryStreams {
        DeliveryStreams(Client::new(config))
    }

    /// Whether records can be put into a stream: one that reads a Kinesis stream takes none.
    pub async fn takes_records(&self, stream: &str) -> Result<bool, CallError> {
        let answer = self.0.describe_delivery_stream().delivery_stream_name(stream).send().await;
        let answer =
            answer.map_err(|error| CallError::of(format!("firehose DescribeDeliveryStream {stream}"), error))?;
        let description = answer.delivery_stream_description;
        Ok(description.is_some_and(|stream| *stream.delivery_stream_type() == DeliveryStreamType::DirectPut))
    }

    /// Puts up to [`MAX_BATCH`] records; gives the places of those that were not taken.
    pub async fn put(&self, stream: &str, records: &[Vec<u8>]) -> Result<Vec<usize>, CallError> {
        let what = || format!("firehose PutRecordBatch {stream}");
        let mut put = self.0.put_record_batch().delivery_stream_name(stream);
        for record in records {
            let record = Record::builder().data(Blob::new(record.clone())).build();
            put = put.records(record.map_err(|error| CallError::of(what(), error))?);
        }
        let answer = put.send().await.map_err(|error| CallError::of(what(), error))?;
        let failed = answer.request_responses().iter().enumerate().filter(|(_, entry)| entry.error_code().is_some());
        Ok(failed.map(|(place, _)| place).collect())
    }
}
