//! What is kept about a bucket only to be shown again: encryption, lifecycle, public access block, policy, tags, versioning.
//!
//! Kept as JSON of s3s's types. The template has the same things in CloudFormation's shapes; they are brought into S3's here.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::buckets;
use super::errors::invalid_argument;
use super::objects::json as json_text;
use crate::error::ApiError;
use crate::store::Tx;

/// A configuration of a bucket that has its own API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Encryption,
    Lifecycle,
    Policy,
    PublicAccessBlock,
    Tagging,
    Versioning,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Encryption => "encryption",
            Kind::Lifecycle => "lifecycle",
            Kind::Policy => "policy",
            Kind::PublicAccessBlock => "publicAccessBlock",
            Kind::Tagging => "tagging",
            Kind::Versioning => "versioning",
        }
    }
}

/// What was saved, `None` if nothing was; NoSuchBucket.
pub(super) fn load<T: DeserializeOwned>(db: &Connection, bucket: &str, kind: Kind) -> Result<Option<T>, ApiError> {
    buckets::check(db, bucket)?;
    let text: Option<String> = db
        .prepare_cached("SELECT value FROM s3_configuration WHERE bucket = ?1 AND kind = ?2")?
        .query_row((bucket, kind.name()), |row| row.get(0))
        .optional()?;
    text.map(|text| serde_json::from_str(&text)).transpose().map_err(ApiError::internal)
}

pub(super) fn save<T: Serialize>(tx: &Tx<'_>, bucket: &str, kind: Kind, value: &T) -> Result<(), ApiError> {
    buckets::check(tx, bucket)?;
    insert(tx, bucket, kind.name(), &json_text(value)?)
}

pub(super) fn remove(tx: &Tx<'_>, bucket: &str, kind: Kind) -> Result<(), ApiError> {
    buckets::check(tx, bucket)?;
    tx.prepare_cached("DELETE FROM s3_configuration WHERE bucket = ?1 AND kind = ?2")?
        .execute((bucket, kind.name()))?;
    Ok(())
}

/// Sets a bucket's policy, a JSON document.
pub(super) fn put_policy(tx: &Tx<'_>, bucket: &str, document: &str) -> Result<(), ApiError> {
    if !serde_json::from_str::<Value>(document).is_ok_and(|policy| policy.is_object()) {
        return Err(ApiError::bad_request("MalformedPolicy", "Policies must be valid JSON objects"));
    }
    save(tx, bucket, Kind::Policy, &document)
}

fn insert(tx: &Tx<'_>, bucket: &str, kind: &str, value: &str) -> Result<(), ApiError> {
    tx.prepare_cached("INSERT OR REPLACE INTO s3_configuration (bucket, kind, value) VALUES (?1, ?2, ?3)")?
        .execute((bucket, kind, value))?;
    Ok(())
}

/// Replaces all of a bucket's configuration by properties of CloudFormation's `AWS::S3::Bucket`. One without an API here is
/// kept as it is, under its own name.
pub(super) fn replace(tx: &Tx<'_>, bucket: &str, properties: &BTreeMap<String, Value>) -> Result<(), ApiError> {
    tx.prepare_cached("DELETE FROM s3_configuration WHERE bucket = ?1")?.execute([bucket])?;
    for (name, value) in properties {
        match name.as_str() {
            "BucketEncryption" => save(tx, bucket, Kind::Encryption, &encryption(value)?)?,
            "LifecycleConfiguration" => save(tx, bucket, Kind::Lifecycle, &lifecycle(value)?)?,
            "PublicAccessBlockConfiguration" => {
                save(tx, bucket, Kind::PublicAccessBlock, &public_access_block(value)?)?
            }
            "Tags" => save(tx, bucket, Kind::Tagging, &tagging(value)?)?,
            "VersioningConfiguration" => save(tx, bucket, Kind::Versioning, &versioning(value)?)?,
            "Policy" => put_policy(tx, bucket, &value.to_string())?,
            other => insert(tx, bucket, other, &value.to_string())?,
        }
    }
    Ok(())
}

/// Reads S3's shape from `value`; `property` is named if it does not fit.
fn shape<T: DeserializeOwned>(property: &str, value: Value) -> Result<T, ApiError> {
    serde_json::from_value(value).map_err(|e| invalid_argument(format!("{property} of a bucket: {e}")))
}

fn encryption(value: &Value) -> Result<s3s::dto::ServerSideEncryptionConfiguration, ApiError> {
    let rules = items(&value["ServerSideEncryptionConfiguration"]).map(|rule| {
        let default = &rule["ServerSideEncryptionByDefault"];
        json!({
            "apply_server_side_encryption_by_default": default.is_object().then(|| json!({
                "sse_algorithm": default["SSEAlgorithm"],
                "kms_master_key_id": default["KMSMasterKeyID"],
            })),
            "bucket_key_enabled": boolean(&rule["BucketKeyEnabled"]).unwrap_or(false),
        })
    });
    shape("BucketEncryption", json!({ "rules": rules.collect::<Vec<_>>() }))
}

fn lifecycle(value: &Value) -> Result<s3s::dto::BucketLifecycleConfiguration, ApiError> {
    let rules = items(&value["Rules"]).map(|rule| {
        let transition =
            |t: &Value| json!({ "days": number(&t["TransitionInDays"]), "storage_class": t["StorageClass"] });
        let transitions: Vec<_> = items(&rule["Transitions"]).map(transition).collect();
        let expires = !rule["ExpirationInDays"].is_null() || !rule["ExpiredObjectDeleteMarker"].is_null();
        let noncurrent = &rule["NoncurrentVersionExpiration"];
        let days = number(&noncurrent["NoncurrentDays"]).or(number(&rule["NoncurrentVersionExpirationInDays"]));
        json!({
            "id": rule["Id"],
            "status": rule["Status"],
            "filter": { "prefix": rule["Prefix"].as_str().unwrap_or_default() },
            "expiration": expires.then(|| json!({
                "days": number(&rule["ExpirationInDays"]),
                "expired_object_delete_marker": boolean(&rule["ExpiredObjectDeleteMarker"]),
            })),
            "transitions": (!transitions.is_empty()).then_some(transitions),
            "noncurrent_version_expiration": days.map(|days| json!({ "noncurrent_days": days })),
            "abort_incomplete_multipart_upload": number(&rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"])
                .map(|days| json!({ "days_after_initiation": days })),
        })
    });
    shape("LifecycleConfiguration", json!({ "rules": rules.collect::<Vec<_>>() }))
}

fn public_access_block(value: &Value) -> Result<s3s::dto::PublicAccessBlockConfiguration, ApiError> {
    let setting = |name: &str| boolean(&value[name]).unwrap_or(false);
    shape(
        "PublicAccessBlockConfiguration",
        json!({
            "block_public_acls": setting("BlockPublicAcls"),
            "block_public_policy": setting("BlockPublicPolicy"),
            "ignore_public_acls": setting("IgnorePublicAcls"),
            "restrict_public_buckets": setting("RestrictPublicBuckets"),
        }),
    )
}

fn tagging(value: &Value) -> Result<s3s::dto::Tagging, ApiError> {
    let tags = items(value).map(|tag| json!({ "key": tag["Key"], "value": tag["Value"] }));
    shape("Tags", json!({ "tag_set": tags.collect::<Vec<_>>() }))
}

fn versioning(value: &Value) -> Result<s3s::dto::VersioningConfiguration, ApiError> {
    shape("VersioningConfiguration", Value::Object(Map::from_iter([("status".to_owned(), value["Status"].clone())])))
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

/// Templates have numbers and booleans as text, too.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn boolean(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| value.as_str()?.parse().ok())
}
