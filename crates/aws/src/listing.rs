//! What lies in a bucket, with times.

use aws_config::SdkConfig;
use aws_sdk_s3::Client;

use crate::{CallError, s3_client};

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// When it was written (epoch ms).
    pub modified: i64,
    /// Its ETag, without quotes.
    pub etag: String,
}

/// A page of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Objects, in the order of their keys.
    pub objects: Vec<Listed>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// A bucket, to be listed and tidied by hand.
#[derive(Debug, Clone)]
pub struct Bucket {
    client: Client,
    name: String,
}

impl Bucket {
    /// Of this name.
    pub fn new(config: &SdkConfig, name: &str) -> Bucket {
        Bucket { client: s3_client(config), name: name.to_owned() }
    }

    /// A page of the objects under a prefix.
    pub async fn page(&self, prefix: &str, next: Option<String>) -> Result<Page, CallError> {
        let list = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).set_continuation_token(next);
        let answer = list.send().await.map_err(|error| self.failed("ListObjectsV2", prefix, error))?;
        let listed = |object: &aws_sdk_s3::types::Object| Listed {
            key: object.key().unwrap_or_default().to_owned(),
            size: object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
            modified: object.last_modified().and_then(|at| at.to_millis().ok()).unwrap_or_default(),
            etag: object.e_tag().unwrap_or_default().trim_matches('"').to_owned(),
        };
        let next = answer.next_continuation_token().map(str::to_owned);
        Ok(Page { objects: answer.contents().iter().map(listed).collect(), next })
    }

    /// The prefixes one level below `prefix` (which ends in `/`): of the first thousand.
    pub async fn folders(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        let list = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).delimiter("/");
        let answer = list.send().await.map_err(|error| self.failed("ListObjectsV2", prefix, error))?;
        Ok(answer.common_prefixes().iter().filter_map(|folder| folder.prefix().map(str::to_owned)).collect())
    }

    /// The bytes of an object.
    pub async fn read(&self, key: &str) -> Result<Vec<u8>, CallError> {
        let answer = self.client.get_object().bucket(&self.name).key(key).send().await;
        let body = answer.map_err(|error| self.failed("GetObject", key, error))?.body;
        let bytes = body.collect().await.map_err(|error| self.failed("GetObject", key, error))?;
        Ok(bytes.into_bytes().to_vec())
    }

    /// Deletes an object.
    pub async fn delete(&self, key: &str) -> Result<(), CallError> {
        let answer = self.client.delete_object().bucket(&self.name).key(key).send().await;
        answer.map(drop).map_err(|error| self.failed("DeleteObject", key, error))
    }

    fn failed(&self, operation: &str, key: &str, error: impl std::error::Error) -> CallError {
        CallError::of(format!("s3 {operation} s3://{}/{key}", self.name), error)
    }
}
