//! The object store, as S3 has it.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;

/// Most keys of one page of a listing (S3's `max-keys`).
pub const MAX_PAGE: usize = 1000;

/// The version of an object, as the store names it (with quotes on S3).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ETag(pub String);

/// An object, or the range of it that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The bytes.
    pub body: Bytes,
    /// Its version.
    pub etag: ETag,
}

/// An object without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// The key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// Its version.
    pub etag: ETag,
}

/// What a put demands of what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    None,
    /// `If-None-Match: *`: there is no such object.
    Absent,
    /// `If-Match`: it has this version.
    Matches(ETag),
}

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such object (404).
    #[error("{key}: no such object")]
    NotFound {
        /// The key.
        key: String,
    },
    /// What was demanded does not hold (412). After a retry inside the client it may be one's own earlier try that stands there.
    #[error("{key}: precondition failed")]
    Precondition {
        /// The key.
        key: String,
    },
    /// Throttled, unavailable, timed out, connection lost, another conditional write under way (409): worth another try. A put
    /// may have been carried out, or may be yet.
    #[error("{key}: {reason}")]
    Transient {
        /// The key.
        key: String,
        /// What happened.
        reason: String,
    },
    /// Anything else: access denied, no such bucket, a key that cannot be.
    #[error("{key}: {reason}")]
    Other {
        /// The key.
        key: String,
        /// What happened.
        reason: String,
    },
}

/// An object store. Reads see the last write (S3 is strongly consistent).
#[async_trait]
pub trait ObjectStore: Send + Sync + 'static {
    /// The whole object.
    async fn get(&self, key: &str) -> Result<Object, StoreError>;

    /// A range of its bytes; what lies beyond the end is left out.
    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Object, StoreError>;

    /// The whole object unless it still has this version (`If-None-Match`).
    async fn get_if_changed(&self, key: &str, etag: &ETag) -> Result<Option<Object>, StoreError>;

    /// Size and version.
    async fn head(&self, key: &str) -> Result<Meta, StoreError>;

    /// Puts an object if the precondition holds; of two that race, one wins.
    async fn put(&self, key: &str, body: Bytes, precondition: &Precondition) -> Result<ETag, StoreError>;

    /// Deletes an object; one that is not there is no error.
    async fn delete(&self, key: &str) -> Result<(), StoreError>;

    /// Up to [`MAX_PAGE`] objects whose keys begin with `prefix` and come after `start_after`, in the order of their bytes.
    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Vec<Meta>, StoreError>;
}
