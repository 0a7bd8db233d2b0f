//! Event source mappings: what reads which queue or stream for which function, and how far it has come.

use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::{Value, json};

use super::functions;
use super::mapping_spec::{MappingSpec, Source, check, parse, source_of, start_at};
use crate::error::ApiError;
use crate::store::{Tx, Wake};

/// A mapping as it is stored.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Its id.
    pub uuid: String,
    /// The function's name.
    pub function: String,
    /// What it reads.
    pub source: Source,
    /// Its properties.
    pub spec: MappingSpec,
    /// Streams: begins with records that arrived at or after this, epoch ms; `None`: with the oldest.
    pub start_at: Option<i64>,
    /// When it was last changed, epoch ms.
    pub modified_at: i64,
    /// `LastProcessingResult`.
    pub last_result: String,
}

impl Mapping {
    /// Messages or records at once.
    pub fn batch_size(&self) -> usize {
        let default = match self.source {
            Source::Queue => 10,
            Source::Stream => 100,
        };
        self.spec.batch_size.unwrap_or(default) as usize
    }

    /// Whether the function says which items failed.
    pub fn reports_failures(&self) -> bool {
        self.spec.function_response_types.iter().any(|kind| kind == "ReportBatchItemFailures")
    }

    /// The ARN of who hears of what was given up.
    pub fn on_failure(&self) -> Option<&str> {
        self.spec.destination_config.as_ref()?.pointer("/OnFailure/Destination")?.as_str()
    }

    /// The queue's or stream's name.
    pub fn source_name(&self) -> &str {
        let resource = self.spec.event_source_arn.rsplit(':').next().unwrap_or_default();
        resource.strip_prefix("stream/").unwrap_or(resource)
    }

    /// Whether a change makes another reader of it.
    pub fn revision(&self) -> String {
        json!([self.spec, self.function, self.start_at]).to_string()
    }
}

/// How far a mapping has come in a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reached {
    /// After this sequence number.
    After(String),
    /// It was read to its end.
    End,
}

/// Makes an event source mapping or brings it to `spec`, the properties of an `AWS::Lambda::EventSourceMapping` (the API's
/// CreateEventSourceMapping input has the same shape); returns its UUID. One per function and source. Where it begins in a
/// stream is fixed when it is made: `LATEST` is this instant, whenever it first runs.
pub fn ensure_mapping(tx: &Tx<'_>, spec: &Value) -> Result<String, ApiError> {
    let spec = parse(spec)?;
    let source = check(&spec)?;
    let function = functions::get(tx, &spec.function_name)?.spec.name;
    let known: Option<(String, String)> = tx
        .prepare_cached("SELECT uuid, spec FROM lambda_mappings WHERE function = ?1 AND source = ?2")?
        .query_row((&function, &spec.event_source_arn), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let text = serde_json::to_string(&spec).map_err(ApiError::internal)?;
    match known {
        Some((uuid, known)) if known == text => Ok(uuid),
        Some((uuid, _)) => {
            tx.prepare_cached("UPDATE lambda_mappings SET spec = ?2, modified_at = ?3 WHERE uuid = ?1")?.execute((
                &uuid,
                &text,
                tx.now(),
            ))?;
            tx.wake(Wake::Resources);
            Ok(uuid)
        }
        None => {
            let uuid = uuid::Uuid::new_v4().to_string();
            let start_at = start_at(&spec, source, tx.now())?;
            tx.prepare_cached(
                "INSERT INTO lambda_mappings (uuid, function, source, spec, start_at, modified_at, last_result)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'No records processed')",
            )?
            .execute((&uuid, &function, &spec.event_source_arn, &text, start_at, tx.now()))?;
            tx.wake(Wake::Resources);
            Ok(uuid)
        }
    }
}

/// All mappings.
pub fn list(db: &Connection) -> Result<Vec<Mapping>, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT uuid, function, spec, start_at, modified_at, last_result FROM lambda_mappings ORDER BY rowid LIMIT 1000",
    )?;
    let rows = statement.query_map([], columns)?;
    rows.map(|row| decode(row?)).collect()
}

/// The mapping of this id, or a 404.
pub fn get(db: &Connection, uuid: &str) -> Result<Mapping, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT uuid, function, spec, start_at, modified_at, last_result FROM lambda_mappings WHERE uuid = ?1",
    )?;
    let row = statement.query_row([uuid], columns).optional()?;
    decode(row.ok_or_else(|| {
        let message = format!("The resource you requested does not exist: event source mapping {uuid}");
        ApiError::new(http::StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
    })?)
}

/// Removes a mapping and forgets how far it has come.
pub fn remove(tx: &Tx<'_>, uuid: &str) -> Result<(), ApiError> {
    tx.prepare_cached("DELETE FROM lambda_mappings WHERE uuid = ?1")?.execute([uuid])?;
    tx.prepare_cached("DELETE FROM lambda_positions WHERE mapping = ?1")?.execute([uuid])?;
    tx.wake(Wake::Resources);
    Ok(())
}

/// How far a mapping has come in each shard that it has begun.
pub fn positions(db: &Connection, mapping: &str) -> Result<Vec<(String, Reached)>, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT shard, after, ended FROM lambda_positions WHERE mapping = ?1 ORDER BY shard LIMIT 10000",
    )?;
    let rows = statement.query_map([mapping], |row| {
        let reached = match (row.get::<_, bool>(2)?, row.get::<_, Option<String>>(1)?) {
            (false, Some(after)) => Reached::After(after),
            _ => Reached::End,
        };
        Ok((row.get(0)?, reached))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Moves a mapping on in a shard: its batch is done with. A mapping removed meanwhile leaves no row.
pub fn advance(tx: &Tx<'_>, mapping: &str, shard: &str, after: &str) -> Result<(), ApiError> {
    tx.prepare_cached(
        "INSERT INTO lambda_positions (mapping, shard, after) SELECT uuid, ?2, ?3 FROM lambda_mappings WHERE uuid = ?1
         ON CONFLICT (mapping, shard) DO UPDATE SET after = excluded.after",
    )?
    .execute((mapping, shard, after))?;
    Ok(())
}

/// Notes that a shard was read to its end: its children may be read now.
pub fn end_shard(tx: &Tx<'_>, mapping: &str, shard: &str) -> Result<(), ApiError> {
    tx.prepare_cached(
        "INSERT INTO lambda_positions (mapping, shard, ended) SELECT uuid, ?2, 1 FROM lambda_mappings WHERE uuid = ?1
         ON CONFLICT (mapping, shard) DO UPDATE SET ended = 1",
    )?
    .execute((mapping, shard))?;
    Ok(())
}

/// Sets `LastProcessingResult`.
pub fn set_result(tx: &Tx<'_>, mapping: &str, result: &str) -> Result<(), ApiError> {
    tx.prepare_cached("UPDATE lambda_mappings SET last_result = ?2 WHERE uuid = ?1 AND last_result <> ?2")?
        .execute((mapping, result))?;
    Ok(())
}

type Columns = (String, String, String, Option<i64>, i64, String);

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
}

fn decode((uuid, function, spec, start_at, modified_at, last_result): Columns) -> Result<Mapping, ApiError> {
    let spec: MappingSpec = serde_json::from_str(&spec).map_err(ApiError::internal)?;
    let source = source_of(&spec.event_source_arn)?;
    Ok(Mapping { uuid, function, source, spec, start_at, modified_at, last_result })
}
