//! Kinesis Data Streams, by PutRecords.

use async_trait::async_trait;
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::error::ProvideErrorMetadata;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;

use super::{PutError, Record, Sink, complete, failure, put_error};

/// One stream.
pub struct Kinesis {
    /// With the SDK's own retries off: they would repeat what was stored.
    pub client: Client,
    /// Its name.
    pub stream: String,
    /// Its service's address, for messages.
    pub place: String,
}

#[async_trait]
impl Sink for Kinesis {
    async fn put(&self, records: Vec<Record>) -> Result<Vec<Option<String>>, PutError> {
        let count = records.len();
        let mut entries = Vec::with_capacity(count);
        for record in records {
            let entry = PutRecordsRequestEntry::builder()
                .data(Blob::new(Vec::from(record.data)))
                .set_partition_key(record.key)
                .build();
            entries.push(entry.map_err(|error| PutError::Failed(error.to_string()))?);
        }
        let call = self.client.put_records().stream_name(&self.stream).set_records(Some(entries));
        let answer =
            call.send().await.map_err(|error| put_error(error.code(), error.message(), &self.place, &error))?;
        let answers = answer.records().iter();
        complete(answers.map(|one| failure(one.error_code(), one.error_message())).collect(), count)
    }
}
