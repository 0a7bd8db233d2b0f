//! The delivery streams themselves.

use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::Value;

use super::configuration::{Configuration, invalid};
use super::records::Stage;
use super::settings::Settings;
use crate::config::Config;
use crate::error::ApiError;
use crate::store::{Tx, Wake};

/// Characters of a delivery stream's name, at most (Firehose API).
const MAX_NAME: usize = 64;

/// Tags of a stream, at most (TagDeliveryStream, Firehose API).
const MAX_TAGS: usize = 50;

/// A stream as it stands.
#[derive(Debug, Clone)]
pub struct Stream {
    pub id: i64,
    pub name: String,
    pub configuration: Configuration,
    /// From 1, one more at each change.
    pub version: u64,
    pub created: i64,
    pub updated: i64,
}

impl Stream {
    /// What its configuration means.
    pub fn settings(&self) -> Result<Settings, ApiError> {
        Settings::resolve(&self.configuration)
    }
}

/// The ARN of a stream.
pub fn arn(config: &Config, name: &str) -> String {
    config.arn("firehose", &format!("deliverystream/{name}"))
}

/// The stream of this name.
pub fn find(db: &Connection, name: &str) -> Result<Option<Stream>, ApiError> {
    let sql = "SELECT id, name, spec, version, created, updated FROM firehose_streams WHERE name = ?1";
    Ok(db.prepare_cached(sql)?.query_row([name], from_row).optional()?)
}

/// The stream of this incarnation, unless it was deleted.
pub fn by_id(db: &Connection, id: i64) -> Result<Option<Stream>, ApiError> {
    let sql = "SELECT id, name, spec, version, created, updated FROM firehose_streams WHERE id = ?1";
    Ok(db.prepare_cached(sql)?.query_row([id], from_row).optional()?)
}

/// The stream of this name, or Firehose's error.
pub fn get(db: &Connection, config: &Config, name: &str) -> Result<Stream, ApiError> {
    find(db, name)?.ok_or_else(|| {
        let message = format!("Firehose {name} under account {} not found.", config.account);
        ApiError::bad_request("ResourceNotFoundException", message)
    })
}

/// An error when the stream was deleted while something was done for it.
pub fn check_alive(tx: &Tx<'_>, id: i64) -> Result<(), ApiError> {
    let alive = tx.prepare_cached("SELECT 1 FROM firehose_streams WHERE id = ?1")?.exists([id])?;
    if alive { Ok(()) } else { Err(ApiError::internal("firehose: the delivery stream was deleted")) }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Stream> {
    Ok(Stream {
        id: row.get(0)?,
        name: row.get(1)?,
        configuration: row.get(2)?,
        version: row.get::<_, i64>(3)? as u64,
        created: row.get(4)?,
        updated: row.get(5)?,
    })
}

/// Makes a stream; one of its name is an error.
pub fn create(tx: &Tx<'_>, name: &str, properties: &Value) -> Result<(), ApiError> {
    check_name(name)?;
    if find(tx, name)?.is_some() {
        let message = format!("Firehose {name} under accountId {} already exists", tx.config().account);
        return Err(ApiError::bad_request("ResourceInUseException", message));
    }
    let configuration = Configuration::read(properties)?;
    Settings::resolve(&configuration)?;
    tx.prepare_cached(
        "INSERT INTO firehose_streams (name, spec, version, created, updated) VALUES (?1, ?2, 1, ?3, ?3)",
    )?
    .execute((name, json(&configuration)?, tx.now()))?;
    let id = tx.last_insert_rowid();
    if let Some(tags) = properties.get("Tags") {
        tag(tx, id, tags)?;
    }
    tx.wake(Wake::Resources);
    Ok(())
}

/// Makes a delivery stream or brings it to `spec`, the properties of an `AWS::KinesisFirehose::DeliveryStream` (the API's
/// CreateDeliveryStream input has the same shape); returns its ARN. Each change is a new version of the stream; its source
/// cannot change.
pub fn ensure_stream(tx: &Tx<'_>, name: &str, spec: &Value) -> Result<String, ApiError> {
    match find(tx, name)? {
        None => create(tx, name, spec)?,
        Some(stream) => {
            let configuration = Configuration::read(spec)?;
            let source =
                |c: &Configuration| c.kinesis_stream_source_configuration.as_ref().map(|s| s.stream_arn.clone());
            if source(&configuration) != source(&stream.configuration) {
                return Err(invalid(format!(
                    "delivery stream {name} exists with another source: a source cannot be changed, delete the stream first"
                )));
            }
            change(tx, &stream, &configuration)?;
            if let Some(tags) = spec.get("Tags") {
                tx.prepare_cached("DELETE FROM firehose_tags WHERE stream = ?1")?.execute([stream.id])?;
                tag(tx, stream.id, tags)?;
            }
        }
    }
    Ok(arn(tx.config(), name))
}

/// Gives the stream another configuration; the same one is no change.
pub fn change(tx: &Tx<'_>, stream: &Stream, configuration: &Configuration) -> Result<(), ApiError> {
    if *configuration == stream.configuration {
        return Ok(());
    }
    Settings::resolve(configuration)?;
    tx.prepare_cached("UPDATE firehose_streams SET spec = ?2, version = version + 1, updated = ?3 WHERE id = ?1")?
        .execute((stream.id, json(configuration)?, tx.now()))?;
    if configuration.s3.backup.is_none() {
        // There is no place any more where they could go.
        for table in ["records", "buffers", "retries"] {
            let sql = format!("DELETE FROM firehose_{table} WHERE stream = ?1 AND stage = ?2");
            tx.execute(&sql, (stream.id, Stage::Backup as i64))?;
        }
    }
    tx.wake(Wake::Delivery(stream.name.clone()));
    Ok(())
}

/// Removes a stream and all that it holds.
pub fn delete(tx: &Tx<'_>, stream: &Stream) -> Result<(), ApiError> {
    for table in ["tags", "records", "buffers", "retries", "positions", "rates"] {
        tx.execute(&format!("DELETE FROM firehose_{table} WHERE stream = ?1"), [stream.id])?;
    }
    tx.execute("DELETE FROM firehose_streams WHERE id = ?1", [stream.id])?;
    tx.wake(Wake::Resources);
    tx.wake(Wake::Delivery(stream.name.clone()));
    Ok(())
}

/// Adds tags: a list of `{Key, Value}`.
pub fn tag(tx: &Tx<'_>, stream: i64, tags: &Value) -> Result<(), ApiError> {
    for tag in tags.as_array().ok_or_else(|| invalid("Tags is not a list"))? {
        let key = tag.get("Key").and_then(Value::as_str).ok_or_else(|| invalid("a tag has no Key"))?;
        tx.prepare_cached("INSERT OR REPLACE INTO firehose_tags VALUES (?1, ?2, ?3)")?.execute((
            stream,
            key,
            tag.get("Value").and_then(Value::as_str),
        ))?;
    }
    let count: i64 =
        tx.query_row("SELECT count(*) FROM firehose_tags WHERE stream = ?1", [stream], |row| row.get(0))?;
    if count as usize > MAX_TAGS {
        let message = format!("a delivery stream has at most {MAX_TAGS} tags: {count} were given");
        return Err(ApiError::bad_request("LimitExceededException", message));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let constraint = if name.is_empty() {
        "Member must have length greater than or equal to 1".to_owned()
    } else if name.len() > MAX_NAME {
        format!("Member must have length less than or equal to {MAX_NAME}")
    } else if !name.chars().all(allowed) {
        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+".to_owned()
    } else {
        return Ok(());
    };
    Err(invalid_value("deliveryStreamName", Some(name), &constraint))
}

/// ValidationException: a value against the service model.
pub fn invalid_value(member: &str, value: Option<&str>, constraint: &str) -> ApiError {
    let value = value.map(|value| format!("'{value}' ")).unwrap_or_default();
    let message =
        format!("1 validation error detected: Value {value}at '{member}' failed to satisfy constraint: {constraint}");
    ApiError::bad_request("ValidationException", message)
}

fn json(configuration: &Configuration) -> Result<String, ApiError> {
    serde_json::to_string(configuration).map_err(ApiError::internal)
}
