//! Tags of streams.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::json;

use super::check::{self, invalid};
use super::streams;
use crate::config::Config;
use crate::error::ApiError;
use crate::store::Tx;

/// Tags on a stream (developer guide, "Tag restrictions").
const MAX_TAGS: i64 = 50;

/// Characters in a tag's key (service model, `TagKey`).
const MAX_KEY: usize = 128;

/// Characters in a tag's value (service model, `TagValue`).
const MAX_VALUE: usize = 256;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Add {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    tags: Option<BTreeMap<String, String>>,
}

/// AddTagsToStream.
pub fn add(tx: &Tx<'_>, input: Add) -> Result<(), ApiError> {
    let stream = streams::named(tx, tx.config(), &input.stream_name, &input.stream_arn)?;
    set(tx, &stream.name, &check::required(input.tags, "tags")?)
}

/// Sets tags, keeping those with other keys.
pub fn set(tx: &Tx<'_>, stream: &str, tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    for (key, value) in tags {
        check::length(key, "tags.key", 1, MAX_KEY)?;
        check::length(value, "tags.value", 0, MAX_VALUE)?;
        tx.prepare_cached("INSERT OR REPLACE INTO kinesis_tags (stream, key, value) VALUES (?1, ?2, ?3)")?
            .execute((stream, key, value))?;
    }
    let count: i64 = tx
        .prepare_cached("SELECT count(*) FROM kinesis_tags WHERE stream = ?1")?
        .query_row([stream], |row| row.get(0))?;
    if count > MAX_TAGS {
        let message = format!("stream {stream} would have {count} tags: at most {MAX_TAGS} are allowed");
        return Err(invalid(message));
    }
    Ok(())
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Remove {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    tag_keys: Option<Vec<String>>,
}

/// RemoveTagsFromStream.
pub fn remove(tx: &Tx<'_>, input: Remove) -> Result<(), ApiError> {
    let stream = streams::named(tx, tx.config(), &input.stream_name, &input.stream_arn)?;
    for key in check::required(input.tag_keys, "tagKeys")? {
        tx.prepare_cached("DELETE FROM kinesis_tags WHERE stream = ?1 AND key = ?2")?.execute((&stream.name, key))?;
    }
    Ok(())
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct List {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    exclusive_start_tag_key: Option<String>,
    limit: Option<i64>,
}

/// ListTagsForStream.
pub fn list(db: &Connection, config: &Config, input: List) -> Result<serde_json::Value, ApiError> {
    let stream = streams::named(db, config, &input.stream_name, &input.stream_arn)?;
    let limit = check::within(input.limit.unwrap_or(MAX_TAGS), "limit", 1, MAX_TAGS)?;
    let after = input.exclusive_start_tag_key.unwrap_or_default();
    let mut statement =
        db.prepare_cached("SELECT key, value FROM kinesis_tags WHERE stream = ?1 AND key > ?2 ORDER BY key LIMIT ?3")?;
    let mut tags = statement
        .query_map((stream.name, after, limit + 1), |row| {
            Ok(json!({ "Key": row.get::<_, String>(0)?, "Value": row.get::<_, String>(1)? }))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let more = tags.len() as i64 > limit;
    tags.truncate(limit as usize);
    Ok(json!({ "Tags": tags, "HasMoreTags": more }))
}
