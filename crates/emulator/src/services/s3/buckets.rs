//! The table of buckets.

use rusqlite::{Connection, OptionalExtension};

use super::errors::no_such_bucket;
use super::objects::{json, json_column};
use super::{BucketSpec, Notification, configuration, notifications};
use crate::error::ApiError;
use crate::store::Tx;

/// A bucket as it is.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    pub name: String,
    /// Epoch ms.
    pub created_at: i64,
    pub notifications: Vec<Notification>,
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Bucket> {
    Ok(Bucket { name: row.get(0)?, created_at: row.get(1)?, notifications: json_column(row, 2)? })
}

pub(super) fn find(db: &Connection, name: &str) -> Result<Option<Bucket>, ApiError> {
    let mut statement = db.prepare_cached("SELECT name, created_at, notifications FROM s3_bucket WHERE name = ?1")?;
    Ok(statement.query_row([name], from_row).optional()?)
}

/// The bucket, or NoSuchBucket.
pub(super) fn get(db: &Connection, name: &str) -> Result<Bucket, ApiError> {
    find(db, name)?.ok_or_else(|| no_such_bucket(name))
}

/// NoSuchBucket unless it is there.
pub(super) fn check(db: &Connection, name: &str) -> Result<(), ApiError> {
    if db.prepare_cached("SELECT 1 FROM s3_bucket WHERE name = ?1")?.exists([name])? {
        Ok(())
    } else {
        Err(no_such_bucket(name))
    }
}

/// The buckets after a name, at most `limit`.
pub(super) fn list(db: &Connection, prefix: &str, after: &str, limit: usize) -> Result<Vec<Bucket>, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT name, created_at, notifications FROM s3_bucket
         WHERE name > ?1 AND substr(name, 1, length(?2)) = ?2 ORDER BY name LIMIT ?3",
    )?;
    let rows = statement.query_map((after, prefix, limit as i64), from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Makes a bucket; nothing happens when it is there.
pub(super) fn create(tx: &Tx<'_>, name: &str) -> Result<(), ApiError> {
    if !s3s::path::check_bucket_name(name) {
        let message = format!("The specified bucket is not valid: {name:?} (3 to 63 of a-z, 0-9, '-' and '.')");
        return Err(ApiError::bad_request("InvalidBucketName", message));
    }
    tx.prepare_cached("INSERT OR IGNORE INTO s3_bucket (name, created_at, notifications) VALUES (?1, ?2, '[]')")?
        .execute((name, tx.now()))?;
    Ok(())
}

/// Removes an empty bucket and its open multipart uploads; returns the files of their parts.
pub(super) fn delete(tx: &Tx<'_>, name: &str) -> Result<Vec<String>, ApiError> {
    check(tx, name)?;
    if tx.prepare_cached("SELECT 1 FROM s3_object WHERE bucket = ?1")?.exists([name])? {
        return Err(ApiError::new(
            http::StatusCode::CONFLICT,
            "BucketNotEmpty",
            format!("The bucket you tried to delete is not empty: {name}"),
        ));
    }
    let mut statement =
        tx.prepare_cached("SELECT file FROM s3_part WHERE upload IN (SELECT id FROM s3_upload WHERE bucket = ?1)")?;
    let files = statement.query_map([name], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for sql in [
        "DELETE FROM s3_part WHERE upload IN (SELECT id FROM s3_upload WHERE bucket = ?1)",
        "DELETE FROM s3_upload WHERE bucket = ?1",
        "DELETE FROM s3_configuration WHERE bucket = ?1",
        "DELETE FROM s3_bucket WHERE name = ?1",
    ] {
        tx.prepare_cached(sql)?.execute([name])?;
    }
    Ok(files)
}

/// Sets who hears of the bucket's objects; topics and queues that hear of it newly get S3's test event.
pub(super) fn set_notifications(tx: &Tx<'_>, bucket: &str, wanted: &[Notification]) -> Result<(), ApiError> {
    let current = get(tx, bucket)?;
    if current.notifications == wanted {
        return Ok(());
    }
    notifications::check(wanted)?;
    tx.prepare_cached("UPDATE s3_bucket SET notifications = ?2 WHERE name = ?1")?.execute((bucket, json(&wanted)?))?;
    notifications::send_test_events(tx, bucket, wanted)
}

/// Makes a bucket or brings it to `spec`.
pub fn ensure_bucket(tx: &Tx<'_>, spec: &BucketSpec) -> Result<(), ApiError> {
    create(tx, &spec.name)?;
    set_notifications(tx, &spec.name, &spec.notifications)?;
    configuration::replace(tx, &spec.name, &spec.configuration)
}
