//! The walk through a bucket's keys: in UTF-8 byte order, with keys of one common prefix rolled up into it.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};

use super::buckets;
use super::objects::{self, Object};
use crate::error::ApiError;

/// The most entries of a page (API reference, ListObjectsV2, `max-keys`).
pub(super) const MAX_KEYS: usize = 1000;

/// No byte of UTF-8 is as great: `prefix` and this come after all keys with the prefix.
const AFTER_ALL: u8 = 0xff;

/// What to list.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub bucket: String,
    pub prefix: String,
    pub delimiter: Option<String>,
    /// Only what comes after this key or common prefix.
    pub after: String,
    pub max: usize,
}

/// A page of a list.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub objects: Vec<Object>,
    pub common_prefixes: Vec<String>,
    /// The last key or common prefix, when there is more.
    pub next: Option<String>,
}

impl Query {
    /// The common prefix that a key is rolled up into.
    fn common_prefix<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
        let rest = key.strip_prefix(&self.prefix)?;
        Some(&key[..self.prefix.len() + rest.find(delimiter)? + delimiter.len()])
    }

    /// The least text that may be listed.
    fn first(&self) -> Vec<u8> {
        let mut after = self.after.clone().into_bytes();
        if after.is_empty() {
            return self.prefix.clone().into_bytes();
        }
        let rolled_up = self.common_prefix(&self.after) == Some(&self.after);
        after.push(if rolled_up { AFTER_ALL } else { 0 });
        after.max(self.prefix.clone().into_bytes())
    }
}

/// Text that need not be UTF-8: SQLite compares bytes.
struct TextBytes<'b>(&'b [u8]);

impl ToSql for TextBytes<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}

/// One page. A common prefix is skipped over as a whole, however many keys it has.
pub(super) fn page(db: &Connection, query: &Query) -> Result<Page, ApiError> {
    buckets::check(db, &query.bucket)?;
    let max = query.max.min(MAX_KEYS);
    let mut page = Page::default();
    if max == 0 {
        return Ok(page);
    }
    let columns = objects::COLUMNS;
    let sql = format!("SELECT {columns} FROM s3_object WHERE bucket = ?1 AND key >= ?2 ORDER BY key");
    let mut statement = db.prepare_cached(&sql)?;
    let mut first = query.first();
    let mut last = String::new();
    'seek: loop {
        let mut rows = statement.query((&query.bucket, TextBytes(&first)))?;
        while let Some(row) = rows.next()? {
            let key = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            if !key.starts_with(&query.prefix) {
                return Ok(page);
            }
            if page.objects.len() + page.common_prefixes.len() == max {
                page.next = Some(last);
                return Ok(page);
            }
            if let Some(common) = query.common_prefix(key) {
                common.clone_into(&mut last);
                page.common_prefixes.push(last.clone());
                first = last.clone().into_bytes();
                first.push(AFTER_ALL);
                continue 'seek;
            }
            key.clone_into(&mut last);
            page.objects.push(objects::from_row(row)?);
        }
        return Ok(page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn database(keys: &[&str]) -> Connection {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(super::super::SCHEMA).unwrap();
        db.execute("INSERT INTO s3_bucket VALUES ('b', 0, '[]'), ('c', 0, '[]')", []).unwrap();
        let mut statement =
            db.prepare("INSERT INTO s3_object VALUES (?1, ?2, 'e', 1, 0, 'f', '{}', '{}', '[]')").unwrap();
        for key in keys {
            statement.execute(("b", key)).unwrap();
        }
        statement.execute(("c", "other")).unwrap();
        drop(statement);
        db
    }

    const KEYS: &[&str] = &[
        "a",
        "a/",
        "a/1",
        "a/2/x",
        "a/2/y",
        "a0",
        "b/\u{10ffff}",
        "b/\u{10ffff}z",
        "b/c",
        "logs/s/2026/1",
        "logs/s/2026/2",
        "logs/t/1",
        "ü/1",
        "ü2",
        "z",
    ];

    /// The definition, on a plain list.
    fn expected(prefix: &str, delimiter: &str, after: &str) -> Vec<String> {
        let rolled = |key: &str| match key[prefix.len()..].find(delimiter).filter(|_| !delimiter.is_empty()) {
            Some(at) => key[..prefix.len() + at + delimiter.len()].to_owned(),
            None => key.to_owned(),
        };
        let is_prefix = |entry: &str| {
            entry.starts_with(prefix) && !delimiter.is_empty() && entry[prefix.len()..].contains(delimiter)
        };
        let keys = KEYS.iter().filter(|key| key.starts_with(prefix) && **key > after).map(|key| rolled(key));
        let entries: BTreeSet<String> = keys.filter(|entry| !(is_prefix(entry) && *entry == after)).collect();
        entries.into_iter().collect()
    }

    #[test]
    fn pages_of_every_size_are_the_whole_list() {
        let db = database(KEYS);
        for prefix in ["", "a", "a/", "a/2/", "b/", "logs/", "logs/s/", "nothing", "ü", "z"] {
            for delimiter in ["", "/", "/2", "\u{10ffff}"] {
                for after in ["", "a", "a/", "a/1", "a/2/x", "b/", "zz", "logs/s/2026/1"] {
                    for max in [1, 2, 3, 1000] {
                        let mut query = Query {
                            bucket: "b".into(),
                            prefix: prefix.into(),
                            delimiter: (!delimiter.is_empty()).then(|| delimiter.into()),
                            after: after.into(),
                            max,
                        };
                        let mut got = Vec::new();
                        loop {
                            let page = page(&db, &query).unwrap();
                            let keys = page.objects.into_iter().map(|object| object.key);
                            let entries: BTreeSet<String> = keys.chain(page.common_prefixes).collect();
                            assert!(entries.len() <= max);
                            got.extend(entries);
                            match page.next {
                                Some(next) => query.after = next,
                                None => break,
                            }
                        }
                        let label = format!("prefix {prefix:?} delimiter {delimiter:?} after {after:?} max {max}");
                        assert_eq!(got, expected(prefix, delimiter, after), "{label}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_page_of_none_and_a_bucket_that_is_not_there() {
        let db = database(KEYS);
        let none = page(&db, &Query { bucket: "b".into(), ..Default::default() }).unwrap();
        assert!(none.objects.is_empty() && none.next.is_none());
        let error = page(&db, &Query { bucket: "d".into(), ..Default::default() }).unwrap_err();
        assert_eq!(error.code, "NoSuchBucket");
    }
}
