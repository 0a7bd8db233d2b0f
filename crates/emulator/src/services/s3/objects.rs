//! The table of objects: which file a key points to.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row};

use super::errors::{no_such_key, precondition_failed};
use super::{NewObject, Precondition, buckets, events};
use crate::error::ApiError;
use crate::store::Tx;

/// Bytes of a key's UTF-8 (S3 user guide, "Naming Amazon S3 objects").
const MAX_KEY: usize = 1024;

/// An object as it is.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub key: String,
    /// Without quotes.
    pub etag: String,
    pub size: i64,
    /// Epoch ms.
    pub modified_at: i64,
    pub file: String,
    pub headers: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    /// Sizes of the parts it was uploaded in; empty if it was put at once.
    pub parts: Vec<i64>,
}

/// What a put did.
pub(super) struct Put {
    pub etag: String,
    /// The file that nobody names any more.
    pub replaced: Option<String>,
}

/// The columns that [`from_row`] reads.
pub(super) const COLUMNS: &str = "key, etag, size, modified_at, file, headers, tags, parts";

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Object> {
    Ok(Object {
        key: row.get(0)?,
        etag: row.get(1)?,
        size: row.get(2)?,
        modified_at: row.get(3)?,
        file: row.get(4)?,
        headers: json_column(row, 5)?,
        tags: json_column(row, 6)?,
        parts: json_column(row, 7)?,
    })
}

/// A column of JSON text.
pub(super) fn json_column<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, e.into()))
}

/// JSON text for a column.
pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<String, ApiError> {
    serde_json::to_string(value).map_err(ApiError::internal)
}

pub(super) fn find(db: &Connection, bucket: &str, key: &str) -> Result<Option<Object>, ApiError> {
    let sql = format!("SELECT {COLUMNS} FROM s3_object WHERE bucket = ?1 AND key = ?2");
    let mut statement = db.prepare_cached(&sql)?;
    Ok(statement.query_row((bucket, key), from_row).optional()?)
}

/// The object of a key: NoSuchBucket, NoSuchKey.
pub(super) fn get(db: &Connection, bucket: &str, key: &str) -> Result<Object, ApiError> {
    if let Some(object) = find(db, bucket, key)? {
        return Ok(object);
    }
    buckets::check(db, bucket)?;
    Err(no_such_key(key))
}

/// Keys are 1 to 1,024 bytes of UTF-8.
pub(super) fn check_key(key: &str) -> Result<(), ApiError> {
    match key.len() {
        1..=MAX_KEY => Ok(()),
        0 => Err(ApiError::bad_request("InvalidArgument", "an object's key must not be empty")),
        length => {
            let message = format!("Your key is too long: {length} bytes, limit {MAX_KEY}");
            Err(ApiError::bad_request("KeyTooLongError", message))
        }
    }
}

/// Points a key to a body, and tells those who want to know.
pub(super) fn put(tx: &Tx<'_>, new: &NewObject, parts: &[i64], precondition: &Precondition) -> Result<Put, ApiError> {
    check_key(&new.key)?;
    let bucket = buckets::get(tx, &new.bucket)?;
    let current: Option<(String, String)> = tx
        .prepare_cached("SELECT etag, file FROM s3_object WHERE bucket = ?1 AND key = ?2")?
        .query_row((&new.bucket, &new.key), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    precondition.check(&new.key, current.as_ref().map(|(etag, _)| etag.as_str()))?;
    let etag = new.body.md5.clone();
    tx.prepare_cached(
        "INSERT OR REPLACE INTO s3_object (bucket, key, etag, size, modified_at, file, headers, tags, parts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute((
        &new.bucket,
        &new.key,
        &etag,
        new.body.size,
        tx.now(),
        &new.body.file,
        json(&new.headers)?,
        json(&new.tags)?,
        json(&parts)?,
    ))?;
    events::send(tx, &bucket, &new.key, new.event, Some((new.body.size, &etag)))?;
    Ok(Put { etag, replaced: current.map(|(_, file)| file) })
}

/// Removes a key; returns its file. A missing key is no error, unless `expected` (the ETag that it must have) says more: 404
/// then, and 412 for another version.
pub(super) fn delete(
    tx: &Tx<'_>,
    bucket: &str,
    key: &str,
    expected: Option<&s3s::dto::ETagCondition>,
) -> Result<Option<String>, ApiError> {
    let configured = buckets::get(tx, bucket)?;
    let current = find(tx, bucket, key)?;
    let Some(current) = current else {
        return if expected.is_some() { Err(no_such_key(key)) } else { Ok(None) };
    };
    let etag = expected.and_then(|condition| condition.as_etag());
    if etag.is_some_and(|etag| etag.value() != current.etag) {
        return Err(precondition_failed("If-Match"));
    }
    tx.prepare_cached("DELETE FROM s3_object WHERE bucket = ?1 AND key = ?2")?.execute((bucket, key))?;
    events::send(tx, &configured, key, "ObjectRemoved:Delete", None)?;
    Ok(Some(current.file))
}

/// Gives an object other tags.
pub(super) fn set_tags(tx: &Tx<'_>, bucket: &str, key: &str, tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let configured = buckets::get(tx, bucket)?;
    let object = get(tx, bucket, key)?;
    tx.prepare_cached("UPDATE s3_object SET tags = ?3 WHERE bucket = ?1 AND key = ?2")?.execute((
        bucket,
        key,
        json(tags)?,
    ))?;
    let event = if tags.is_empty() { "ObjectTagging:Delete" } else { "ObjectTagging:Put" };
    events::send(tx, &configured, key, event, Some((object.size, &object.etag)))
}
