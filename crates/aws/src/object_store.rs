//! The ledger's object store on S3.

use std::ops::Range;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use bytes::Bytes;
use ledger::{ETag, Meta, Object, ObjectStore, Precondition, StoreError};

/// One bucket.
#[derive(Debug, Clone)]
pub struct S3Store {
    client: Client,
    bucket: String,
}

impl S3Store {
    /// The bucket's objects, through this client.
    pub fn new(client: Client, bucket: impl Into<String>) -> S3Store {
        S3Store { client, bucket: bucket.into() }
    }

    fn get_request(&self, key: &str) -> GetObjectFluentBuilder {
        self.client.get_object().bucket(&self.bucket).key(key)
    }

    async fn read(&self, key: &str, request: GetObjectFluentBuilder) -> Result<Object, StoreError> {
        let answer = request.send().await.map_err(|error| store_error(key, &error))?;
        let etag = ETag(answer.e_tag.unwrap_or_default());
        let body = answer.body.collect().await;
        // The connection broke within the body: nothing wrong with the object.
        let body = body.map_err(|error| transient(key, error))?.into_bytes();
        Ok(Object { body, etag })
    }
}

fn transient(key: &str, reason: impl std::fmt::Display) -> StoreError {
    StoreError::Transient { key: key.to_owned(), reason: reason.to_string() }
}

/// Sorts an SDK error by what the ledger does about it.
fn store_error<E>(key: &str, error: &SdkError<E, HttpResponse>) -> StoreError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let key = key.to_owned();
    let reason = || DisplayErrorContext(error).to_string();
    let code = error.code().unwrap_or_default();
    match error.raw_response().map(|response| response.status().as_u16()) {
        Some(404) if code != "NoSuchBucket" => StoreError::NotFound { key },
        // 409 ConditionalRequestConflict: another conditional write was going on.
        Some(409 | 412) => StoreError::Precondition { key },
        Some(408 | 429 | 500..) => StoreError::Transient { key, reason: reason() },
        // No answer at all.
        None if !matches!(error, SdkError::ConstructionFailure(_)) => StoreError::Transient { key, reason: reason() },
        _ => StoreError::Other { key, reason: reason() },
    }
}

#[async_trait]
impl ObjectStore for S3Store {
    async fn get(&self, key: &str) -> Result<Object, StoreError> {
        self.read(key, self.get_request(key)).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Object, StoreError> {
        let header = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
        self.read(key, self.get_request(key).range(header)).await
    }

    async fn get_if_changed(&self, key: &str, etag: &ETag) -> Result<Option<Object>, StoreError> {
        let answer = self.get_request(key).if_none_match(&etag.0).send().await;
        match answer {
            Err(error) if error.raw_response().is_some_and(|response| response.status().as_u16() == 304) => Ok(None),
            Err(error) => Err(store_error(key, &error)),
            Ok(answer) => {
                let etag = ETag(answer.e_tag.unwrap_or_default());
                let body = answer.body.collect().await.map_err(|error| transient(key, error))?.into_bytes();
                Ok(Some(Object { body, etag }))
            }
        }
    }

    async fn head(&self, key: &str) -> Result<Meta, StoreError> {
        let request = self.client.head_object().bucket(&self.bucket).key(key);
        let answer = request.send().await.map_err(|error| store_error(key, &error))?;
        let size = answer.content_length.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
        Ok(Meta { key: key.to_owned(), size, etag: ETag(answer.e_tag.unwrap_or_default()) })
    }

    async fn put(&self, key: &str, body: Bytes, precondition: &Precondition) -> Result<ETag, StoreError> {
        let request = self.client.put_object().bucket(&self.bucket).key(key).body(ByteStream::from(body));
        let request = match precondition {
            Precondition::None => request,
            Precondition::Absent => request.if_none_match("*"),
            Precondition::Matches(etag) => request.if_match(&etag.0),
        };
        let answer = request.send().await.map_err(|error| store_error(key, &error))?;
        Ok(ETag(answer.e_tag.unwrap_or_default()))
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let request = self.client.delete_object().bucket(&self.bucket).key(key);
        request.send().await.map(drop).map_err(|error| store_error(key, &error))
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Vec<Meta>, StoreError> {
        let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let answer = request
            .set_start_after(start_after.map(str::to_owned))
            .send()
            .await
            .map_err(|error| store_error(prefix, &error))?;
        let meta = |object: aws_sdk_s3::types::Object| Meta {
            key: object.key.unwrap_or_default(),
            size: object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
            etag: ETag(object.e_tag.unwrap_or_default()),
        };
        Ok(answer.contents.unwrap_or_default().into_iter().map(meta).collect())
    }
}
