//! S3: objects as files, everything else in tables; the protocol is s3s's, the backend ours (atomic conditional writes).
//!
//! A request comes in at [`call`] (`door`): its signature is taken off unverified (any credentials will do), an `aws-chunked`
//! body becomes a plain stream, and s3s turns it into an operation of `api`. A put streams its body to a file of a random name
//! (`files`), with its checksums computed on the way (`receive`, `checksum`), and then points the key to it in one transaction
//! (`objects`), which checks the condition of the write and hands the events (`events`) to the topics, queues and functions
//! that `notifications` finds. Keys never become paths. `uploads` are multipart uploads, `listing` the walk through the keys,
//! `configuration` what is kept about a bucket only to be shown again.
//!
//! Not enforced: lifecycle rules, bucket policies, public access blocks, encryption, and versioning, whose status is kept and
//! shown while every bucket behaves as an unversioned one.
//!
//! A body file belongs to the row that names it. One that a put replaced is removed after the commit: whoever has it open
//! reads on, whoever comes too late to open it looks the key up again. Files that no row names (an upload cut off by
//! `kill -9`) are removed at the next start ([`remove_orphans`]).

mod api;
mod buckets;
mod checksum;
mod chunked;
mod conditions;
mod configuration;
mod door;
mod errors;
mod events;
mod files;
mod headers;
mod listing;
mod notifications;
mod objects;
mod receive;
mod uploads;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::Ctx;
use crate::error::ApiError;
use crate::store::Tx;

pub use buckets::ensure_bucket;
pub use door::{call, refuse};
pub use files::{remove_body, remove_orphans};

/// The tables.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS s3_bucket (
    name TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL,
    notifications TEXT NOT NULL -- JSON, a list of Notification
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS s3_configuration (
    bucket TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (bucket, kind)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS s3_object (
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    etag TEXT NOT NULL, -- without quotes
    size INTEGER NOT NULL,
    modified_at INTEGER NOT NULL, -- epoch ms
    file TEXT NOT NULL, -- below objects/
    headers TEXT NOT NULL, -- JSON, name to value
    tags TEXT NOT NULL, -- JSON, key to value
    parts TEXT NOT NULL, -- JSON, sizes of the parts of a multipart upload
    PRIMARY KEY (bucket, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS s3_upload (
    id TEXT PRIMARY KEY,
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    headers TEXT NOT NULL,
    tags TEXT NOT NULL,
    algorithm TEXT, -- of the checksums, when the client named one: CRC32, …
    composite INTEGER NOT NULL -- whether the object's checksum is one of its parts' checksums
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS s3_upload_by_key ON s3_upload (bucket, key, id);
CREATE TABLE IF NOT EXISTS s3_part (
    upload TEXT NOT NULL,
    number INTEGER NOT NULL,
    etag TEXT NOT NULL,
    size INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    file TEXT NOT NULL,
    sums TEXT NOT NULL, -- JSON, algorithm to base64
    PRIMARY KEY (upload, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS s3_sequencer (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    last INTEGER NOT NULL
) STRICT;
";

/// A bucket as the template wants it.
#[derive(Debug, Clone)]
pub struct BucketSpec {
    /// Its name.
    pub name: String,
    /// Who hears of its objects.
    pub notifications: Vec<Notification>,
    /// Everything else that was set (encryption, lifecycle, public access block, policy), kept to be shown: properties of an
    /// `AWS::S3::Bucket` by name and in its shapes, and `Policy`, the document of its `AWS::S3::BucketPolicy`.
    pub configuration: BTreeMap<String, serde_json::Value>,
}

/// One configuration of a bucket's notifications.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Notification {
    /// `configurationId` of its events.
    pub id: String,
    /// `s3:ObjectCreated:*`, `s3:ObjectRemoved:Delete`, …
    pub events: Vec<String>,
    /// Keys that begin so.
    pub prefix: Option<String>,
    /// Keys that end so.
    pub suffix: Option<String>,
    /// The ARN of a topic, a queue or a function.
    pub destination: String,
}

/// A body on disk that no object points to yet; removed at the next start if none ever does.
#[derive(Debug, Clone)]
pub struct Body {
    /// Its file's name below `objects/`.
    pub file: String,
    /// Bytes.
    pub size: i64,
    /// MD5, hex: the ETag of a single put.
    pub md5: String,
}

/// An object to put.
#[derive(Debug, Clone)]
pub struct NewObject {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The body, already on disk.
    pub body: Body,
    /// Headers that come back with it: `content-type`, `content-encoding`, `x-amz-meta-…`, checksums.
    pub headers: BTreeMap<String, String>,
    /// `x-amz-tagging`.
    pub tags: BTreeMap<String, String>,
    /// For the notification: `ObjectCreated:Put`, `…:Copy`, `…:CompleteMultipartUpload`.
    pub event: &'static str,
}

/// What a conditional write demands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    #[default]
    None,
    /// `If-None-Match: *`: no such object yet (412 PreconditionFailed).
    Absent,
    /// `If-Match: ETAG`: this version (412; 404 NoSuchKey when there is none).
    Matches(String),
}

/// Writes a body to disk, before the transaction that points an object to it. A caller whose transaction fails gives it to
/// [`remove_body`].
pub async fn write_body(ctx: &Ctx, bytes: Bytes) -> Result<Body, ApiError> {
    Ok(files::write(ctx, bytes, checksum::Hashers::default()).await?.0)
}

/// Points the key to the body if the precondition holds, and writes the notifications' queue entries and events in the same
/// transaction. Returns the ETag, without quotes. The file of an object that it replaces stays until the next start.
pub fn put_object(tx: &Tx<'_>, object: &NewObject, precondition: &Precondition) -> Result<String, ApiError> {
    Ok(objects::put(tx, object, &[], precondition)?.etag)
}

/// The whole body of an object; `None` when there is no such bucket or key.
pub async fn read_object(ctx: &Ctx, bucket: &str, key: &str) -> Result<Option<Bytes>, ApiError> {
    files::read_all(ctx, bucket, key).await
}
