//! Firehose, by PutRecordBatch.

use async_trait::async_trait;
use aws_sdk_firehose::Client;
use aws_sdk_firehose::error::ProvideErrorMetadata;
use aws_sdk_firehose::primitives::Blob;
use aws_sdk_firehose::types;

use super::{PutError, Record, Sink, complete, failure, put_error};

/// One delivery stream.
pub struct Firehose {
    /// With the SDK's own retries off: they would repeat what was stored.
    pub client: Client,
    /// Its name.
    pub stream: String,
    /// Its service's address, for messages.
    pub place: String,
}

#[async_trait]
impl Sink for Firehose {
    async fn put(&self, records: Vec<Record>) -> Result<Vec<Option<String>>, PutError> {
        let count = records.len();
        let mut entries = Vec::with_capacity(count);
        for record in records {
            let entry = types::Record::builder().data(Blob::new(Vec::from(record.data))).build();
            entries.push(entry.map_err(|error| PutError::Failed(error.to_string()))?);
        }
        let call = self.client.put_record_batch().delivery_stream_name(&self.stream).set_records(Some(entries));
        let answer =
            call.send().await.map_err(|error| put_error(error.code(), error.message(), &self.place, &error))?;
        let answers = answer.request_responses().iter();
        complete(answers.map(|one| failure(one.error_code(), one.error_message())).collect(), count)
    }
}
