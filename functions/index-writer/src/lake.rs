//! The lake: a trait, and S3 behind it.

use std::future::Future;

use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use sha2::{Digest, Sha256};

/// An object, as it is identified: the one that was read, whatever the event said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// Its ETag, without quotes.
    pub etag: String,
    /// When it was written (epoch ms): the object's own time, the same whichever event tells of it.
    pub modified: i64,
}

impl Identity {
    /// 32 hexadecimal digits that follow from bucket, key and ETag.
    pub fn hash(&self) -> String {
        self.hash_with(&[])
    }

    /// The `_id` of a line that has none of its own.
    pub fn line_id(&self, line: u64) -> String {
        self.hash_with(&line.to_be_bytes())
    }

    fn hash_with(&self, more: &[u8]) -> String {
        let mut hash = Sha256::new();
        for part in [self.bucket.as_bytes(), self.key.as_bytes(), self.etag.as_bytes(), more] {
            // Lengths keep ("ab", "c") and ("a", "bc") apart.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Why an object could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LakeError {
    /// It is gone.
    #[error("{key}: no such object")]
    Gone {
        /// The key.
        key: String,
    },
    /// Worth another try, later.
    #[error("{key}: {reason}")]
    Failed {
        /// The key.
        key: String,
        /// What happened.
        reason: String,
    },
}

/// The lake bucket.
pub trait Lake {
    /// The bytes of an object.
    type Body: Body;

    /// Its name.
    fn bucket(&self) -> &str;

    /// Begins to read an object.
    fn open(&self, key: &str) -> impl Future<Output = Result<(Identity, Self::Body), LakeError>>;

    /// Writes an object.
    fn put(&self, key: &str, body: Bytes) -> impl Future<Output = Result<(), LakeError>>;
}

/// The bytes of an object as they arrive.
pub trait Body {
    /// The next, none at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, String>>;
}

/// The lake on S3.
#[derive(Clone, Debug)]
pub struct LakeBucket {
    /// The client.
    pub s3: aws_sdk_s3::Client,
    /// The bucket's name.
    pub bucket: String,
}

impl Lake for LakeBucket {
    type Body = ByteStream;

    fn bucket(&self) -> &str {
        &self.bucket
    }

    async fn open(&self, key: &str) -> Result<(Identity, ByteStream), LakeError> {
        let opened = self.s3.get_object().bucket(&self.bucket).key(key).send().await;
        let opened: GetObjectOutput = opened.map_err(|error| match error.as_service_error() {
            Some(service) if service.is_no_such_key() => LakeError::Gone { key: key.to_owned() },
            _ => failed(key, error),
        })?;
        let modified = opened.last_modified().and_then(|at| at.to_millis().ok());
        let modified = modified.ok_or_else(|| failed(key, std::io::Error::other("an answer without Last-Modified")))?;
        let etag = opened.e_tag().unwrap_or_default().trim_matches('"').to_owned();
        Ok((Identity { bucket: self.bucket.clone(), key: key.to_owned(), etag, modified }, opened.body))
    }

    async fn put(&self, key: &str, body: Bytes) -> Result<(), LakeError> {
        let put = self.s3.put_object().bucket(&self.bucket).key(key).content_type("application/x-ndjson");
        put.body(body.into()).send().await.map(|_| ()).map_err(|error| failed(key, error))
    }
}

impl Body for ByteStream {
    async fn next(&mut self) -> Result<Option<Bytes>, String> {
        self.try_next().await.map_err(|error| DisplayErrorContext(error).to_string())
    }
}

fn failed(key: &str, error: impl std::error::Error) -> LakeError {
    // The SDK's errors say little by themselves; their sources say what happened.
    LakeError::Failed { key: key.to_owned(), reason: DisplayErrorContext(error).to_string() }
}
