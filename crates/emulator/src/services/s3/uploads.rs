//! The tables of multipart uploads.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row};

use super::buckets;
use super::checksum::{Algorithm, DEFAULT, Sums};
use super::errors::{invalid_argument, no_such_upload};
use super::objects::{check_key, json, json_column};
use crate::error::ApiError;
use crate::store::Tx;

/// Parts are numbered from 1 to this (S3 user guide, "Amazon S3 multipart upload limits").
pub(super) const MAX_PART: i32 = 10_000;

/// Every part but the last is at least so large (ibid.).
const MIN_PART_SIZE: i64 = 5 * 1024 * 1024;

/// An upload that is neither completed nor aborted.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    pub id: String,
    pub bucket: String,
    pub key: String,
    /// Epoch ms.
    pub created_at: i64,
    pub headers: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    /// Of its checksums, when the client named one.
    pub named: Option<Algorithm>,
    /// Whether the object's checksum is made of the parts' checksums.
    pub composite: bool,
}

impl Upload {
    /// Of the object's checksum.
    pub(super) fn algorithm(&self) -> Algorithm {
        self.named.unwrap_or(DEFAULT)
    }
}

/// A part of an upload.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub number: i32,
    /// Without quotes.
    pub etag: String,
    pub size: i64,
    /// Epoch ms.
    pub modified_at: i64,
    pub file: String,
    pub sums: Sums,
}

/// A part as CompleteMultipartUpload names it.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub number: i32,
    pub etag: Option<String>,
    pub sums: Sums,
}

const COLUMNS: &str = "id, bucket, key, created_at, headers, tags, algorithm, composite";

fn upload(row: &Row<'_>) -> rusqlite::Result<Upload> {
    let named: Option<String> = row.get(6)?;
    let named = named.as_deref().map(Algorithm::parse).transpose();
    Ok(Upload {
        id: row.get(0)?,
        bucket: row.get(1)?,
        key: row.get(2)?,
        created_at: row.get(3)?,
        headers: json_column(row, 4)?,
        tags: json_column(row, 5)?,
        named: named
            .map_err(|e| rusqlite::Error::FromSqlConversionFailure(6, rusqlite::types::Type::Text, e.into()))?,
        composite: row.get(7)?,
    })
}

fn part(row: &Row<'_>) -> rusqlite::Result<Part> {
    Ok(Part {
        number: row.get(0)?,
        etag: row.get(1)?,
        size: row.get(2)?,
        modified_at: row.get(3)?,
        file: row.get(4)?,
        sums: json_column(row, 5)?,
    })
}

/// Begins an upload.
pub(super) fn create(tx: &Tx<'_>, upload: &Upload) -> Result<(), ApiError> {
    check_key(&upload.key)?;
    buckets::check(tx, &upload.bucket)?;
    let sql = format!("INSERT INTO s3_upload ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    tx.prepare_cached(&sql)?.execute((
        &upload.id,
        &upload.bucket,
        &upload.key,
        tx.now(),
        json(&upload.headers)?,
        json(&upload.tags)?,
        upload.named.map(Algorithm::name),
        upload.composite,
    ))?;
    Ok(())
}

/// The upload of this id for this key: NoSuchBucket, NoSuchUpload.
pub(super) fn get(db: &Connection, bucket: &str, key: &str, id: &str) -> Result<Upload, ApiError> {
    buckets::check(db, bucket)?;
    let sql = format!("SELECT {COLUMNS} FROM s3_upload WHERE id = ?1 AND bucket = ?2 AND key = ?3");
    let found = db.prepare_cached(&sql)?.query_row((id, bucket, key), upload).optional()?;
    found.ok_or_else(|| no_such_upload(id))
}

/// Uploads of a bucket after a key (and, of that key itself, after an id), in order, at most `limit`.
pub(super) fn list(
    db: &Connection,
    bucket: &str,
    prefix: &str,
    after: (&str, &str),
    limit: usize,
) -> Result<Vec<Upload>, ApiError> {
    buckets::check(db, bucket)?;
    let sql = format!(
        "SELECT {COLUMNS} FROM s3_upload
         WHERE bucket = ?1 AND substr(key, 1, length(?2)) = ?2 AND (key > ?3 OR (key = ?3 AND ?4 <> '' AND id > ?4))
         ORDER BY key, id LIMIT ?5"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map((bucket, prefix, after.0, after.1, limit as i64), upload)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Parts are numbered 1 to 10,000.
pub(super) fn check_number(number: i32) -> Result<(), ApiError> {
    if (1..=MAX_PART).contains(&number) {
        return Ok(());
    }
    Err(invalid_argument(format!("Part number must be an integer between 1 and {MAX_PART}, inclusive: {number}")))
}

/// Adds a part, or puts it in the place of the one of its number; returns the file of that one.
pub(super) fn put_part(tx: &Tx<'_>, upload: &Upload, part: &Part) -> Result<Option<String>, ApiError> {
    get(tx, &upload.bucket, &upload.key, &upload.id)?;
    let replaced = tx
        .prepare_cached("SELECT file FROM s3_part WHERE upload = ?1 AND number = ?2")?
        .query_row((&upload.id, part.number), |row| row.get(0))
        .optional()?;
    tx.prepare_cached(
        "INSERT OR REPLACE INTO s3_part (upload, number, etag, size, modified_at, file, sums)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((&upload.id, part.number, &part.etag, part.size, tx.now(), &part.file, json(&part.sums)?))?;
    Ok(replaced)
}

/// Parts of an upload after a number, in order, at most `limit`.
pub(super) fn parts(db: &Connection, id: &str, after: i32, limit: usize) -> Result<Vec<Part>, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT number, etag, size, modified_at, file, sums FROM s3_part
         WHERE upload = ?1 AND number > ?2 ORDER BY number LIMIT ?3",
    )?;
    let rows = statement.query_map((id, after, limit as i64), part)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The parts that an upload is completed with: all there, in order, large enough.
pub(super) fn choose(stored: Vec<Part>, wanted: &[Wanted]) -> Result<Vec<Part>, ApiError> {
    if wanted.is_empty() {
        return Err(ApiError::bad_request("MalformedXML", "You must specify at least one part"));
    }
    if !wanted.is_sorted_by(|a, b| a.number < b.number) {
        let message = "The list of parts was not in ascending order. Parts must be ordered by part number";
        return Err(ApiError::bad_request("InvalidPartOrder", message));
    }
    let mut stored: BTreeMap<i32, Part> = stored.into_iter().map(|part| (part.number, part)).collect();
    let mut chosen: Vec<Part> = Vec::with_capacity(wanted.len());
    for want in wanted {
        let part = stored.remove(&want.number).filter(|part| want.is(part)).ok_or_else(|| {
            let message = "One or more of the specified parts could not be found. The part may not have been uploaded, or \
                           the specified entity tag or checksum may not match the part's";
            ApiError::bad_request("InvalidPart", format!("{message}: part {}", want.number))
        })?;
        chosen.push(part);
    }
    let too_small = chosen.iter().rev().skip(1).find(|part| part.size < MIN_PART_SIZE);
    if let Some(part) = too_small {
        let message = "Your proposed upload is smaller than the minimum allowed size";
        let message = format!("{message}: part {} has {} bytes, minimum {MIN_PART_SIZE}", part.number, part.size);
        return Err(ApiError::bad_request("EntityTooSmall", message));
    }
    Ok(chosen)
}

impl Wanted {
    fn is(&self, part: &Part) -> bool {
        // A checksum of an algorithm that we did not compute for this part cannot be compared.
        let sum_is = |(algorithm, sum): (&Algorithm, &String)| part.sums.get(algorithm).is_none_or(|own| own == sum);
        self.etag.as_ref().is_none_or(|etag| *etag == part.etag) && self.sums.iter().all(sum_is)
    }
}

/// Forgets an upload and its parts; returns their files. NoSuchUpload when it is gone.
pub(super) fn remove(tx: &Tx<'_>, upload: &Upload) -> Result<Vec<String>, ApiError> {
    get(tx, &upload.bucket, &upload.key, &upload.id)?;
    let mut statement = tx.prepare_cached("SELECT file FROM s3_part WHERE upload = ?1")?;
    let files = statement.query_map([&upload.id], |row| row.get(0))?.collect::<Result<_, _>>()?;
    tx.prepare_cached("DELETE FROM s3_part WHERE upload = ?1")?.execute([&upload.id])?;
    tx.prepare_cached("DELETE FROM s3_upload WHERE id = ?1")?.execute([&upload.id])?;
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(sizes: &[i64]) -> Vec<Part> {
        let part = |(at, &size): (usize, &i64)| Part {
            number: at as i32 + 1,
            etag: format!("e{}", at + 1),
            size,
            modified_at: 0,
            file: String::new(),
            sums: Sums::from([(Algorithm::Crc32, format!("s{}", at + 1))]),
        };
        sizes.iter().enumerate().map(part).collect()
    }

    #[test]
    fn an_upload_is_completed_with_the_parts_that_are_there() {
        let big = MIN_PART_SIZE;
        for (sizes, wanted, expected) in [
            (&[1][..], &[(1, "e1", "s1")][..], Ok(1)),
            (&[big, big, 1], &[(1, "e1", ""), (2, "e2", ""), (3, "e3", "")], Ok(3)),
            (&[big, 1, big], &[(1, "e1", ""), (3, "e3", "")], Ok(2)),
            (&[big, 1, big], &[(1, "e1", ""), (2, "e2", ""), (3, "e3", "")], Err("EntityTooSmall")),
            (&[big, big], &[(2, "e2", ""), (1, "e1", "")], Err("InvalidPartOrder")),
            (&[big, big], &[(1, "e1", ""), (1, "e1", "")], Err("InvalidPartOrder")),
            (&[big, big], &[(1, "e1", ""), (3, "e3", "")], Err("InvalidPart")),
            (&[1], &[(1, "other", "")], Err("InvalidPart")),
            (&[1], &[(1, "e1", "other")], Err("InvalidPart")),
            (&[1], &[], Err("MalformedXML")),
        ] {
            let named: Vec<_> = wanted
                .iter()
                .map(|(number, etag, sum)| Wanted {
                    number: *number,
                    etag: Some((*etag).to_owned()),
                    sums: Sums::from_iter((!sum.is_empty()).then(|| (Algorithm::Crc32, (*sum).to_owned()))),
                })
                .collect();
            let got = choose(stored(sizes), &named).map(|parts| parts.len()).map_err(|error| error.code);
            assert_eq!(got, expected.map_err(str::to_owned), "{sizes:?} {wanted:?}");
        }
    }
}
