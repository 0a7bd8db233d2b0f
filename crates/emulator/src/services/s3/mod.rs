//! S3: objects as files, everything else in tables; the protocol is s3s's, the backend ours (atomic conditional writes).

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::Ctx;
use crate::error::ApiError;
use crate::store::Tx;
use crate::wire::{HttpRequest, HttpResponse};

/// The tables.
pub const SCHEMA: &str = "";

/// A bucket as the template wants it.
#[derive(Debug, Clone)]
pub struct BucketSpec {
    /// Its name.
    pub name: String,
    /// Who hears of its objects.
    pub notifications: Vec<Notification>,
    /// Everything else that was set (encryption, lifecycle, public access block, policy), kept to be shown.
    pub configuration: BTreeMap<String, serde_json::Value>,
}

/// One configuration of a bucket's notifications.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
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

/// Makes a bucket or brings it to `spec`.
pub fn ensure_bucket(_tx: &Tx<'_>, spec: &BucketSpec) -> Result<(), ApiError> {
    Err(ApiError::not_emulated("s3", &spec.name))
}

/// Writes a body to disk, before the transaction that points an object to it.
pub async fn write_body(_ctx: &Ctx, _bytes: Bytes) -> Result<Body, ApiError> {
    Err(ApiError::not_emulated("s3", "body"))
}

/// Points the key to the body if the precondition holds, and writes the notifications' queue entries and events in the same
/// transaction. Returns the ETag.
pub fn put_object(_tx: &Tx<'_>, object: &NewObject, _precondition: &Precondition) -> Result<String, ApiError> {
    Err(ApiError::not_emulated("s3", &object.key))
}

/// Answers a request of the REST API.
pub async fn call(_ctx: &Ctx, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    Err(ApiError::not_emulated("s3", request.uri().path()))
}
